// SPDX-License-Identifier: Apache-2.0
// TlsNames - tells each server name that TLS clients ask for, the first time
#include "detect.h"
#include <weir_tls.h>

struct name { struct weir_text name; };
WEIR_EVENT(tls_name, "tlsnames.seen", struct name, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "a server name that was not seen before", WEIR_PARTS(WEIR_PART(name, name, "tlsnames.name")));

struct tls_names {
	WEIR_TABLE(struct detect_name, uint64_t) names; // how often it was asked for
	WEIR_SIGNAL(tls_name) seen;
	weir_counter hellos, distinct;
};

static enum weir_verdict hello_came(struct weir_event *event, const struct weir_tls_client_hello *hello)
{
	struct tls_names *self = weir_self(event);
	struct detect_name name = detect_name(&hello->name);

	weir_count(&self->hellos);
	if ((*weir_table_at(self->names, &name))++)
		return WEIR_PASS;
	weir_count(&self->distinct);
	weir_raise(event, self->seen, &(struct name){ hello->name });
	return WEIR_PASS;
}

WEIR_CLASS(TlsNames, tls_names, .about = "tells each server name that TLS clients ask for", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_KEEPS(tls_names, names, .rows = 1 << 16), WEIR_RAISES(tls_names, seen, tls_name),
		WEIR_COUNTS(tls_names, hellos), WEIR_COUNTS(tls_names, distinct)),
	WEIR_HANDLERS(WEIR_ON(tls_client_hello, hello_came, .where = "tls.handshake.extensions_server_name")));
