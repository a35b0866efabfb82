// SPDX-License-Identifier: Apache-2.0
// weir_tls.h - what the class TLS tells of handshakes, as far as they are readable. Include it behind weir.h.
//
// Texts are views, good until the end of the pass; absent ones are NULL.
#ifndef WEIR_TLS_H
#define WEIR_TLS_H

#include <weir.h>

struct weir_tls_client_hello {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
	uint16_t version;            // as in its head: 0x0303
	uint16_t supported_version;  // the highest that is offered: 0x0304
	struct weir_text name;       // of the server that is wanted
	struct weir_text alpn;       // "h2,http/1.1"
	struct weir_text ciphers;    // "1301,1302,c02b": as offered, without those that only grease
	bool is_truncated;           // it is longer than what was looked at, or contradicts itself
};
struct weir_tls_server_hello {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
	uint16_t version, supported_version; // the second is what both will speak
	uint16_t cipher;
	struct weir_text alpn;
	bool is_retry; // a HelloRetryRequest: another client hello follows
	bool is_truncated;
};
WEIR_EVENT(tls_client_hello, "tls.client_hello", struct weir_tls_client_hello, .layer = WEIR_L7,
	.per = WEIR_PER_SESSION, .about = "a client has said what it can do and whom it wants",
	WEIR_PARTS(WEIR_PART(weir_tls_client_hello, client, "ip.src"),
		WEIR_PART(weir_tls_client_hello, client, "ipv6.src"),
		WEIR_PART(weir_tls_client_hello, server, "ip.dst"),
		WEIR_PART(weir_tls_client_hello, server, "ipv6.dst"),
		WEIR_PART(weir_tls_client_hello, client_port, "srcport"),
		WEIR_PART(weir_tls_client_hello, server_port, "dstport"),
		WEIR_PART(weir_tls_client_hello, name, "tls.handshake.extensions_server_name"),
		WEIR_PART(weir_tls_client_hello, alpn, "tls.handshake.extensions_alpn_str"),
		WEIR_PART(weir_tls_client_hello, version, "tls.handshake.version"),
		WEIR_PART(weir_tls_client_hello, supported_version, "tls.handshake.extensions.supported_version"),
		WEIR_PART(weir_tls_client_hello, ciphers, "tls.handshake.ciphersuites"),
		WEIR_PART(weir_tls_client_hello, is_truncated, "tls.truncated")));
WEIR_EVENT(tls_server_hello, "tls.server_hello", struct weir_tls_server_hello, .layer = WEIR_L7,
	.per = WEIR_PER_SESSION, .about = "a server has chosen version and cipher",
	WEIR_PARTS(WEIR_PART(weir_tls_server_hello, client, "ip.src"),
		WEIR_PART(weir_tls_server_hello, client, "ipv6.src"),
		WEIR_PART(weir_tls_server_hello, server, "ip.dst"),
		WEIR_PART(weir_tls_server_hello, server, "ipv6.dst"),
		WEIR_PART(weir_tls_server_hello, client_port, "srcport"),
		WEIR_PART(weir_tls_server_hello, server_port, "dstport"),
		WEIR_PART(weir_tls_server_hello, alpn, "tls.handshake.extensions_alpn_str"),
		WEIR_PART(weir_tls_server_hello, version, "tls.handshake.version"),
		WEIR_PART(weir_tls_server_hello, supported_version, "tls.handshake.extensions.supported_version"),
		WEIR_PART(weir_tls_server_hello, cipher, "tls.handshake.ciphersuite"),
		WEIR_PART(weir_tls_server_hello, is_retry, "tls.retry"),
		WEIR_PART(weir_tls_server_hello, is_truncated, "tls.truncated")));

#endif
