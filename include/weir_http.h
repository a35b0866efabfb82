// SPDX-License-Identifier: Apache-2.0
// weir_http.h - what the class HTTP tells of HTTP/1.x. Include it behind weir.h where you hear of it.
//
// Texts are views, good until the end of the pass; absent ones are NULL. Of one message they have at most 2,816 bytes
// together, in the order in which they come; what is beyond is cut, and http.truncated says so.
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include <weir.h>

struct weir_http_request {
	struct weir_addr client, server; // who asks, and whom
	uint16_t client_port, server_port;
	struct weir_text method, host, uri, version, user_agent, content_type, referer, upgrade;
	struct weir_text anomaly; // why two programs may read it differently: "both_lengths", "folded" ...
	uint64_t content_length;  // as it says; 0: it says none
	uint32_t number;          // of the connection, from 1
	bool is_chunked, is_truncated;
};
struct weir_http_response {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
	uint16_t code;
	struct weir_text phrase, version, content_type, content_encoding, server_name, location, upgrade, anomaly;
	struct weir_text method; // of the request that it answers; NULL: nobody saw that
	uint64_t content_length;
	uint32_t number; // of the request that it answers, from 1; 0: nobody saw that
	bool is_chunked, is_truncated;
};
WEIR_EVENT(http_request, "http.request", struct weir_http_request, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "the head of a request has come whole",
	WEIR_PARTS(WEIR_PART(weir_http_request, client, "ip.src"), WEIR_PART(weir_http_request, client, "ipv6.src"),
		WEIR_PART(weir_http_request, server, "ip.dst"), WEIR_PART(weir_http_request, server, "ipv6.dst"),
		WEIR_PART(weir_http_request, client_port, "srcport"),
		WEIR_PART(weir_http_request, server_port, "dstport"),
		WEIR_PART(weir_http_request, method, "http.request.method"),
		WEIR_PART(weir_http_request, host, "http.host"),
		WEIR_PART(weir_http_request, uri, "http.request.uri"),
		WEIR_PART(weir_http_request, version, "http.request.version"),
		WEIR_PART(weir_http_request, user_agent, "http.user_agent"),
		WEIR_PART(weir_http_request, content_type, "http.content_type"),
		WEIR_PART(weir_http_request, referer, "http.referer"),
		WEIR_PART(weir_http_request, upgrade, "http.upgrade"),
		WEIR_PART(weir_http_request, anomaly, "http.anomaly"),
		WEIR_PART(weir_http_request, content_length, "http.content_length"),
		WEIR_PART(weir_http_request, is_chunked, "http.chunked"),
		WEIR_PART(weir_http_request, number, "http.request_number"),
		WEIR_PART(weir_http_request, is_truncated, "http.truncated")));
WEIR_EVENT(http_response, "http.response", struct weir_http_response, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "the head of a response has come whole",
	WEIR_PARTS(WEIR_PART(weir_http_response, client, "ip.src"), WEIR_PART(weir_http_response, client, "ipv6.src"),
		WEIR_PART(weir_http_response, server, "ip.dst"), WEIR_PART(weir_http_response, server, "ipv6.dst"),
		WEIR_PART(weir_http_response, client_port, "srcport"),
		WEIR_PART(weir_http_response, server_port, "dstport"),
		WEIR_PART(weir_http_response, code, "http.response.code"),
		WEIR_PART(weir_http_response, phrase, "http.response.phrase"),
		WEIR_PART(weir_http_response, version, "http.response.version"),
		WEIR_PART(weir_http_response, method, "http.request.method"),
		WEIR_PART(weir_http_response, content_type, "http.content_type"),
		WEIR_PART(weir_http_response, content_encoding, "http.content_encoding"),
		WEIR_PART(weir_http_response, server_name, "http.server"),
		WEIR_PART(weir_http_response, location, "http.location"),
		WEIR_PART(weir_http_response, upgrade, "http.upgrade"),
		WEIR_PART(weir_http_response, anomaly, "http.anomaly"),
		WEIR_PART(weir_http_response, content_length, "http.content_length"),
		WEIR_PART(weir_http_response, is_chunked, "http.chunked"),
		WEIR_PART(weir_http_response, number, "http.request_number"),
		WEIR_PART(weir_http_response, is_truncated, "http.truncated")));

#endif
