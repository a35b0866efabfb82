// SPDX-License-Identifier: Apache-2.0
// weir_dns.h - what the class DNS tells of questions and answers, over UDP and TCP. Include it behind weir.h.
//
// Texts are views, good until the end of the pass; absent ones are NULL. Names are escaped as dig escapes them, without
// the last dot; the root is ".". Of several questions in one message the first is told.
#ifndef WEIR_DNS_H
#define WEIR_DNS_H

#include <weir.h>

struct weir_dns_message {
	struct weir_addr client, server; // of the flow
	uint16_t client_port, server_port;
	struct weir_text name;           // that is asked for
	struct weir_text a, aaaa, cname; // of answers, joined by commas
	struct weir_text anomaly;        // what is wrong behind the question: "name", "record", "rest"
	uint16_t type, class;            // of the question
	uint16_t id, udp_size;           // of EDNS; 0: there is none
	uint16_t questions, answers, authorities, additions;
	uint16_t code; // with EDNS's upper bits
	uint8_t operation;
	bool is_authoritative, is_cut, is_recursion_desired, is_recursion_available;
	bool is_truncated; // told above, not by the message: texts had no room
};
#define WEIR_DNS_PARTS(...)                                                                                          \
	WEIR_PARTS(WEIR_PART(weir_dns_message, client, "ip.src"), WEIR_PART(weir_dns_message, client, "ipv6.src"),   \
		WEIR_PART(weir_dns_message, server, "ip.dst"), WEIR_PART(weir_dns_message, server, "ipv6.dst"),      \
		WEIR_PART(weir_dns_message, client_port, "srcport"),                                                 \
		WEIR_PART(weir_dns_message, server_port, "dstport"), WEIR_PART(weir_dns_message, id, "dns.id"),      \
		WEIR_PART(weir_dns_message, name, "dns.qry.name"), WEIR_PART(weir_dns_message, type, "dns.qry.type"), \
		WEIR_PART(weir_dns_message, class, "dns.qry.class"),                                                 \
		WEIR_PART(weir_dns_message, operation, "dns.flags.opcode"),                                          \
		WEIR_PART(weir_dns_message, is_recursion_desired, "dns.flags.recdesired"),                           \
		WEIR_PART(weir_dns_message, questions, "dns.count.queries"),                                         \
		WEIR_PART(weir_dns_message, udp_size, "dns.rr.udp_payload_size"),                                    \
		WEIR_PART(weir_dns_message, anomaly, "dns.anomaly"),                                                 \
		WEIR_PART(weir_dns_message, is_truncated, "dns.truncated"), ##__VA_ARGS__)
WEIR_EVENT(dns_query, "dns.query", struct weir_dns_message, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "somebody asks for a name", WEIR_DNS_PARTS());
WEIR_EVENT(dns_response, "dns.response", struct weir_dns_message, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "a server has answered",
	WEIR_DNS_PARTS(WEIR_PART(weir_dns_message, code, "dns.flags.rcode"),
		WEIR_PART(weir_dns_message, is_authoritative, "dns.flags.authoritative"),
		WEIR_PART(weir_dns_message, is_cut, "dns.flags.truncated"),
		WEIR_PART(weir_dns_message, is_recursion_available, "dns.flags.recavail"),
		WEIR_PART(weir_dns_message, answers, "dns.count.answers"),
		WEIR_PART(weir_dns_message, authorities, "dns.count.auth_rr"),
		WEIR_PART(weir_dns_message, additions, "dns.count.add_rr"), WEIR_PART(weir_dns_message, a, "dns.a"),
		WEIR_PART(weir_dns_message, aaaa, "dns.aaaa"), WEIR_PART(weir_dns_message, cname, "dns.cname")));

#endif
