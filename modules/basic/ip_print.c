// SPDX-License-Identifier: Apache-2.0
// IPPrint - writes IP packets to the log as people speak of them: who to whom, what, how long
#include "basic.h"
#include "print_line.h"

#include <arpa/inet.h>

struct ip_print {
	const char *label;
	bool id, ttl, tos, length, timestamp, active;
	uint64_t limit, printed;
	WEIR_COLUMN(uint32_t) ip_source;
	WEIR_COLUMN(uint32_t) ip_destination;
	WEIR_COLUMN(uint16_t) ip_length;
	WEIR_COLUMN(uint16_t) ip_id;
	WEIR_COLUMN(uint8_t) ip_ttl;
	WEIR_COLUMN(uint8_t) ip_tos;
	WEIR_COLUMN(uint8_t) ip_protocol;
	WEIR_COLUMN(uint16_t) ip_fragment;
	WEIR_COLUMN(struct weir_addr) ipv6_source;
	WEIR_COLUMN(struct weir_addr) ipv6_destination;
	WEIR_COLUMN(uint8_t) ipv6_hops;
	WEIR_COLUMN(uint16_t) ipv6_length;
	WEIR_COLUMN(uint8_t) ipv6_next;
	WEIR_COLUMN(uint16_t) tcp_source;
	WEIR_COLUMN(uint16_t) tcp_destination;
	WEIR_COLUMN(uint16_t) tcp_flags;
	WEIR_COLUMN(uint32_t) tcp_sequence;
	WEIR_COLUMN(uint32_t) tcp_acknowledged;
	WEIR_COLUMN(uint16_t) tcp_window;
	WEIR_COLUMN(uint16_t) udp_source;
	WEIR_COLUMN(uint16_t) udp_destination;
	WEIR_COLUMN(uint16_t) udp_length;
	WEIR_COLUMN(uint8_t) icmp_type;
	WEIR_COLUMN(uint8_t) icmp_code;
	WEIR_COLUMN(uint8_t) icmpv6_type;
	WEIR_COLUMN(uint8_t) icmpv6_code;
	weir_counter unprinted;
};

struct one { // the packet that is printed
	const struct ip_print *self;
	struct weir_vector *v;
	unsigned i;
};

#define has(one, member) (weir_has((one)->v, (one)->self->member) >> (one)->i & 1)
#define value(one, member) (weir_column((one)->v, (one)->self->member)[(one)->i])

static void add_addr(struct line *line, const struct weir_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	line_add(line, "%s", inet_ntop(AF_INET6, addr->bytes, text, sizeof(text)));
}

static void add_addr4(struct line *line, uint32_t addr)
{
	line_add(line, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 0xff, addr >> 8 & 0xff, addr & 0xff);
}

static void add_port(struct line *line, const struct one *one, bool is_source)
{
	if (has(one, tcp_source))
		line_add(line, ".%u", is_source ? value(one, tcp_source) : value(one, tcp_destination));
	else if (has(one, udp_source))
		line_add(line, ".%u", is_source ? value(one, udp_source) : value(one, udp_destination));
}

static void add_ends(struct line *line, const struct one *one)
{
	for (int is_source = 1; is_source >= 0; is_source--) {
		if (has(one, ip_source))
			add_addr4(line, is_source ? value(one, ip_source) : value(one, ip_destination));
		else
			add_addr(line, is_source ? &value(one, ipv6_source) : &value(one, ipv6_destination));
		add_port(line, one, is_source);
		line_add(line, is_source ? " > " : ": ");
	}
}

static void add_tcp(struct line *line, const struct one *one)
{
	static const char letters[] = "FSRPAUEC"; // from the lowest bit

	line_add(line, "tcp ");
	for (unsigned bit = 0; bit < 8; bit++)
		if (value(one, tcp_flags) >> bit & 1)
			line_add(line, "%c", letters[bit]);
	line_add(line, " seq %u ack %u win %u", value(one, tcp_sequence),
		value(one, tcp_acknowledged), value(one, tcp_window));
}

static void add_transport(struct line *line, const struct one *one)
{
	if (has(one, tcp_source))
		add_tcp(line, one);
	else if (has(one, udp_source))
		line_add(line, "udp %u", value(one, udp_length));
	else if (has(one, icmp_type))
		line_add(line, "icmp type %u code %u", value(one, icmp_type), value(one, icmp_code));
	else if (has(one, icmpv6_type))
		line_add(line, "icmpv6 type %u code %u", value(one, icmpv6_type), value(one, icmpv6_code));
	else if (has(one, ip_source))
		line_add(line, "protocol %u", value(one, ip_protocol));
	else
		line_add(line, "next header %u", value(one, ipv6_next));
	if (has(one, ip_source) && value(one, ip_fragment))
		line_add(line, ", fragment at %u", value(one, ip_fragment));
}

static void add_wishes(struct line *line, const struct one *one)
{
	const struct ip_print *self = one->self;
	bool is_ip4 = has(one, ip_source);

	if (self->length)
		line_add(line, ", length %u", is_ip4 ? value(one, ip_length) : 40u + value(one, ipv6_length));
	if (self->ttl)
		line_add(line, ", ttl %u", is_ip4 ? value(one, ip_ttl) : value(one, ipv6_hops));
	if (self->tos && is_ip4)
		line_add(line, ", tos %u", value(one, ip_tos));
	if (self->id && is_ip4)
		line_add(line, ", id %u", value(one, ip_id));
}

static void print(struct weir_call *call, struct weir_vector *v, unsigned i)
{
	const struct one one = { weir_self(call), v, i };
	struct line line;

	line.length = 0;
	line.text[0] = '\0';
	if (*one.self->label)
		line_add(&line, "%s: ", one.self->label);
	if (one.self->timestamp)
		line_add_time(&line, v->time_ns[i]);
	if (has(&one, ip_source) || has(&one, ipv6_source)) {
		add_ends(&line, &one);
		add_transport(&line, &one);
		add_wishes(&line, &one);
	} else {
		line_add(&line, "not IP, %u bytes", v->length[i]);
	}
	weir_log(call, "%s", line.text);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ip_print *self = weir_self(call);

	out[0] = in;
	if (!self->active)
		return;
	weir_each (i, in) {
		if (!self->limit || self->printed < self->limit) {
			self->printed++;
			print(call, v, (unsigned)i);
		} else {
			weir_count(&self->unprinted);
		}
	}
}

WEIR_CLASS(IPPrint, ip_print,
	.about = "writes IP packets to the log, a line each",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(ip_print, label, "", .about = "stands in front of each line"),
		WEIR_SETTING(ip_print, id, "false", .about = "with the IPv4 identification"),
		WEIR_SETTING(ip_print, ttl, "false", .about = "with the time to live or hop limit"),
		WEIR_SETTING(ip_print, tos, "false", .about = "with the IPv4 type of service"),
		WEIR_SETTING(ip_print, length, "false", .about = "with the length of the IP packet"),
		WEIR_SETTING(ip_print, timestamp, "true", .about = "the packet's time in front"),
		WEIR_SETTING(ip_print, active, "true", .live = true, .about = "false: passes on without printing"),
		WEIR_SETTING(ip_print, limit, "1000", .about = "lines per worker; 0: no limit"),
		WEIR_READS_IF(ip_print, ip_source, "ip.src"),
		WEIR_READS_IF(ip_print, ip_destination, "ip.dst"),
		WEIR_READS_IF(ip_print, ip_length, "ip.len"),
		WEIR_READS_IF(ip_print, ip_id, "ip.id"),
		WEIR_READS_IF(ip_print, ip_ttl, "ip.ttl"),
		WEIR_READS_IF(ip_print, ip_tos, "ip.dsfield"),
		WEIR_READS_IF(ip_print, ip_protocol, "ip.proto"),
		WEIR_READS_IF(ip_print, ip_fragment, "ip.frag_offset"),
		WEIR_READS_IF(ip_print, ipv6_source, "ipv6.src"),
		WEIR_READS_IF(ip_print, ipv6_destination, "ipv6.dst"),
		WEIR_READS_IF(ip_print, ipv6_hops, "ipv6.hlim"),
		WEIR_READS_IF(ip_print, ipv6_length, "ipv6.plen"),
		WEIR_READS_IF(ip_print, ipv6_next, "ipv6.nxt"),
		WEIR_READS_IF(ip_print, tcp_source, "tcp.srcport"),
		WEIR_READS_IF(ip_print, tcp_destination, "tcp.dstport"),
		WEIR_READS_IF(ip_print, tcp_flags, "tcp.flags"),
		WEIR_READS_IF(ip_print, tcp_sequence, "tcp.seq_raw"),
		WEIR_READS_IF(ip_print, tcp_acknowledged, "tcp.ack_raw"),
		WEIR_READS_IF(ip_print, tcp_window, "tcp.window_size_value"),
		WEIR_READS_IF(ip_print, udp_source, "udp.srcport"),
		WEIR_READS_IF(ip_print, udp_destination, "udp.dstport"),
		WEIR_READS_IF(ip_print, udp_length, "udp.length"),
		WEIR_READS_IF(ip_print, icmp_type, "icmp.type"),
		WEIR_READS_IF(ip_print, icmp_code, "icmp.code"),
		WEIR_READS_IF(ip_print, icmpv6_type, "icmpv6.type"),
		WEIR_READS_IF(ip_print, icmpv6_code, "icmpv6.code"),
		WEIR_COUNTS(ip_print, unprinted, .about = "packets passed on after the limit was reached")),
	.process = process);
