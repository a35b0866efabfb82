// SPDX-License-Identifier: Apache-2.0
// How the tables of fields are written. Inside packet/ only.
#ifndef PACKET_FIELD_TABLE_H
#define PACKET_FIELD_TABLE_H

#include "packet/field.h"

extern const struct field field_link[], field_network[], field_transport[], field_tunnel[], field_flow[];
extern const unsigned field_link_count, field_network_count, field_transport_count, field_tunnel_count,
	field_flow_count;

#define WRITABLE(covered) ACCESS_WRITABLE_##covered
#define READ_ONLY ACCESS_READ_ONLY
enum { // whether weir_set may change it, and what covers it then
	ACCESS_READ_ONLY,
	ACCESS_WRITABLE_NONE,
	ACCESS_WRITABLE_IP_HEADER,
	ACCESS_WRITABLE_PSEUDO,
	ACCESS_WRITABLE_TRANSPORT,
};

#define FIXED_(text, kind_of, bytes, proto, place, wide, right, bits, access, what) \
	{ \
		.name = text, .about = what, .type = FIELD_##kind_of, .protocol = proto, .size = bytes, \
		.offset = place, .width = wide, .shift = right, .mask = bits, \
		.is_writable = (access) != ACCESS_READ_ONLY, \
		.sum = (access) ? (access)-ACCESS_WRITABLE_NONE : SUM_NONE \
	}
#define BITS(text, bytes, proto, place, wide, right, bits, access, what) \
	FIXED_(text, UINT, bytes, proto, place, wide, right, bits, access, what)

#define PRESENCE(text, proto, what) \
	{ \
		.name = text, .about = what, .type = FIELD_PROTOCOL, .protocol = proto \
	}
#define U8(text, proto, place, access, what) FIXED_(text, UINT, 1, proto, place, 1, 0, 0, access, what)
#define U16(text, proto, place, access, what) FIXED_(text, UINT, 2, proto, place, 2, 0, 0, access, what)
#define U32(text, proto, place, access, what) FIXED_(text, UINT, 4, proto, place, 4, 0, 0, access, what)
#define FLAG(text, proto, place, bit, access, what) FIXED_(text, BOOL, 0, proto, place, 1, bit, 1, access, what)
#define ETHER(text, proto, place, access, what) FIXED_(text, ETHER, 8, proto, place, 6, 0, 0, access, what)
#define IPV4(text, proto, place, access, what) FIXED_(text, IPV4, 4, proto, place, 4, 0, 0, access, what)
#define IPV6(text, proto, place, access, what) FIXED_(text, IPV6, 16, proto, place, 16, 0, 0, access, what)
// a length or offset that the header tells in units of 1 << left bytes
#define SCALED(text, bytes, proto, place, wide, right, bits, left, what) \
	{ \
		.name = text, .about = what, .type = FIELD_UINT, .protocol = proto, .size = bytes, \
		.offset = place, .width = wide, .shift = right, .mask = bits, .scale = left \
	}
#define COMPUTED(text, kind_of, bytes, proto, how, what) \
	{ \
		.name = text, .about = what, .type = FIELD_##kind_of, .protocol = proto, .size = bytes, \
		.compute = how \
	}
#define ALIAS(text, kind_of, bytes, proto, names, what) \
	{ \
		.name = text, .about = what, .type = FIELD_##kind_of, .protocol = proto, .size = bytes, \
		.any_of = names \
	}

#endif
