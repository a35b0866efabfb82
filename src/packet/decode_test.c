// SPDX-License-Identifier: Apache-2.0
// The decoder on packets written down byte by byte; each also goes the way of the walk alone, and among many.
#include "packet/decode_testing.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MACS "0200000000b2 0200000000a1 "
#define IP_TCP "4500 0028 0001 4000 40 06 0000 0a000001 0a000002 "
#define TCP "9c40 01bb 00000064 000000c8 50 18 0400 0000 0000 "
#define IP_UDP(length) "4500 " length " 0001 0000 40 11 0000 0a000001 0a000002 "
#define IP6(length, next) \
	"6ab 12345 " length next " 40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define PAD "000000000000"

struct packet_case {
	const char *name;
	enum protocol link;
	unsigned cut; // bytes that the capture has cut off
	const char *bytes; // hexadecimal
	const char *fields; // "ip.src=10.0.0.1 ip.ttl#2=64 !udp"; a value of "" is not there
	const char *reason; // "": it is well formed
	int network, transport; // -1: none
};

static const struct packet_case cases[] = {
	{ "TCP over IPv4", PROTO_ETH, 0, MACS "0800" IP_TCP TCP,
		"eth.dst=0200000000b2 eth.src=0200000000a1 eth.type=2048 !eth.len ip.version=4 "
		"ip.hdr_len=20 ip.len=40 ip.id=1 "
		"ip.flags=2 ip.flags.df=1 ip.flags.mf=0 ip.frag_offset=0 ip.ttl=64 ip.proto=6 "
		"ip.src=10.0.0.1 ip.dst=10.0.0.2 "
		"ip.src#1=10.0.0.1 !ip.src#2 ip.src#-1=10.0.0.1 tcp.srcport=40000 tcp.dstport=443 tcp.seq_raw=100 "
		"tcp.ack_raw=200 tcp.hdr_len=20 tcp.flags=24 tcp.flags.push=1 tcp.flags.ack=1 tcp.flags.syn=0 "
		"tcp.window_size_value=1024 tcp.len=0 !tcp.payload !udp !ipv6 frame.len=54 frame.cap_len=54",
		"", 14, 34 },
	{ "padding is no payload", PROTO_ETH, 0, MACS "0800" IP_TCP TCP PAD,
		"tcp.len=0 !tcp.payload frame.len=60", "", 14, 34 },
	{ "payload", PROTO_ETH, 0,
		MACS "0800 4500 002b 0001 4000 40 06 0000 0a000001 0a000002 " TCP "616263" PAD,
		"tcp.len=3 tcp.payload=616263", "", 14, 34 },
	{ "options of IPv4", PROTO_ETH, 0,
		MACS "0800 4600 002c 0001 4000 40 06 0000 0a000001 0a000002 01010100 " TCP,
		"ip.hdr_len=24 tcp.dstport=443 tcp.len=0", "", 14, 38 },
	{ "segmentation is left to hardware: length 0", PROTO_ETH, 0,
		MACS "0800 4500 0000 0001 4000 40 06 0000 0a000001 0a000002 " TCP "6162",
		"ip.len=0 tcp.len=2 tcp.payload=6162", "", 14, 34 },
	{ "a VLAN tag", PROTO_ETH, 0, MACS "8100 b064 0800" IP_TCP TCP PAD,
		"vlan.id=100 vlan.priority=5 vlan.dei=1 vlan.etype=2048 eth.type=33024 ip.src=10.0.0.1 tcp.dstport=443",
		"", 18, 38 },
	{ "two VLAN tags", PROTO_ETH, 0, MACS "88a8 0001 8100 0002 0800" IP_TCP TCP,
		"vlan.id=1 vlan.id#1=1 vlan.id#2=2 vlan.id#-1=2 tcp.dstport=443", "", 22, 42 },
	{ "UDP", PROTO_ETH, 0, MACS "0800" IP_UDP("0020") "0035 1000 000c 0000 61626364" PAD PAD,
		"udp.srcport=53 udp.dstport=4096 udp.length=12 udp.payload=61626364 udp.checksum.status=3 !tcp",
		"", 14, 34 },
	{ "UDP, a short frame", PROTO_ETH, 0, MACS "0800" IP_UDP("001d") "0035 1000 0009 0000 61",
		"udp.payload=61", "", 14, 34 },
	{ "TCP over IPv6", PROTO_ETH, 0, MACS "86dd" IP6("0014", "06") TCP,
		"ipv6.version=6 ipv6.tclass=171 ipv6.tclass.dscp=42 ipv6.tclass.ecn=3 "
		"ipv6.flow=74565 ipv6.plen=20 ipv6.nxt=6 "
		"ipv6.hlim=64 ipv6.src=20010db8000000000000000000000001 ipv6.dst=20010db8000000000000000000000002 "
		"tcp.dstport=443 tcp.len=0 !ip",
		"", 14, 54 },
	{ "extension headers", PROTO_ETH, 0,
		MACS "86dd" IP6("0024",
			"00") "2b00 050200000100 3c00 0000 00000000 1100 010400000000 1000 0035 000c 0000 61626364",
		"ipv6.hopopts.nxt=43 ipv6.routing.type=0 ipv6.dstopts.nxt=17 udp.dstport=53 udp.payload=61626364",
		"", 14, 78 },
	{ "nothing behind IPv6", PROTO_ETH, 0, MACS "86dd" IP6("0000", "3b") PAD, "ipv6.nxt=59 !tcp", "", 14,
		-1 },
	{ "an extension header beyond the packet", PROTO_ETH, 0,
		MACS "86dd" IP6("0010", "00") "0605 050200000100 0000000000000000",
		"ipv6.nxt=0 !ipv6.hopopts !tcp", "ipv6.hopopts: its header does not fit", 14, -1 },
	{ "ARP", PROTO_ETH, 0, MACS "0806 0001 0800 06 04 0001 0200000000a1 0a000001 000000000000 0a000002",
		"arp.opcode=1 arp.hw.type=1 arp.src.hw_mac=0200000000a1 "
		"arp.src.proto_ipv4=10.0.0.1 arp.dst.proto_ipv4=10.0.0.2 !ip",
		"", 14, -1 },
	{ "ARP for other addresses", PROTO_ETH, 0, MACS "0806 0006 0800 01 04 0001 11 0a000001 22 0a000002",
		"arp.opcode=1 !arp.src.hw_mac !arp.src.proto_ipv4", "", 14, -1 },
	{ "ARP, cut short", PROTO_ETH, 0, MACS "0806 0001 0800 06 04 0001 0200000000a1", "!arp",
		"arp: its header does not fit", -1, -1 },
	{ "802.3 with SNAP", PROTO_ETH, 0,
		MACS
		"0024 aaaa03 000000 0800 4500 001c 0001 0000 40 fd 0000 0a000001 0a000002 1122334455667788",
		"eth.len=36 !eth.type llc.dsap=170 llc.type=2048 ip.proto=253", "", 22, -1 },
	{ "spanning tree", PROTO_ETH, 0, MACS "0007 424203 00000000" PAD, "eth.len=7 llc.dsap=66 !llc.type", "",
		-1, -1 },
	{ "a first fragment has its transport header", PROTO_ETH, 0,
		MACS
		"0800 4500 0020 0001 2000 40 11 0000 0a000001 0a000002 0035 1000 0064 0000 61626364" PAD PAD,
		"ip.flags.mf=1 udp.length=100 udp.payload=61626364 udp.checksum.status=3", "", 14, 34 },
	{ "other fragments have none", PROTO_ETH, 0,
		MACS
		"0800 4500 0020 0001 0001 40 11 0000 0a000001 0a000002 0035 1000 0064 0000 61626364" PAD PAD,
		"ip.frag_offset=1 ip.proto=17 !udp", "", 14, -1 },
	{ "a fragment of IPv6", PROTO_ETH, 0,
		MACS "86dd" IP6("0010", "2c") "1100 0009 deadbeef 6162636465666768",
		"ipv6.fraghdr.nxt=17 ipv6.fraghdr.offset=1 ipv6.fraghdr.more=1 ipv6.fraghdr.ident=3735928559 !udp",
		"", 14, -1 },
	{ "echo", PROTO_ETH, 0,
		MACS "0800 4500 001c 0001 0000 40 01 0000 0a000001 0a000002 0800 f5fd 0001 0201",
		"icmp.type=8 icmp.ident=1 icmp.seq=513 icmp.checksum.status=1 !icmp.mtu", "", 14, 34 },
	{ "an error quotes 8 bytes of TCP", PROTO_ETH, 0,
		MACS "0800 4500 0038 0001 0000 40 01 0000 0a0000fe 0a000001 0304 0000 0000 05dc "
		     "4500 05dc 0001 4000 40 06 0000 0a000001 0a000002 9c40 01bb 00000064",
		"icmp.type=3 icmp.mtu=1500 ip.src=10.0.0.254 ip.src#1=10.0.0.254 "
		"ip.src#2=10.0.0.1 ip.src#-1=10.0.0.1 !tcp "
		"tcp.dstport#1=443 tcp.seq_raw#1=100 !tcp.flags#1 !tcp.len#1",
		"", 14, 34 },
	{ "an ICMPv6 error", PROTO_ETH, 0,
		MACS "86dd" IP6("0038", "3a") "0200 0000 00000500" IP6("0400", "11") "0035 1000 0400 0000",
		"icmpv6.type=2 icmpv6.mtu=1280 ipv6.plen=56 ipv6.plen#2=1024 !udp udp.dstport#1=4096", "", 14,
		54 },
	{ "neighbour solicitation", PROTO_ETH, 0,
		MACS "86dd" IP6("0018", "3a") "8700 0000 00000000 20010db8000000000000000000000007",
		"icmpv6.type=135 icmpv6.nd.ns.target_address=20010db8000000000000000000000007 "
		"!icmpv6.nd.na.target_address",
		"", 14, 54 },
	{ "SCTP", PROTO_ETH, 0,
		MACS "0800 4500 0020 0001 0000 40 84 0000 0a000001 0a000002 9c40 0050 11223344 00000000",
		"sctp.dstport=80 sctp.verification_tag=287454020 sctp.checksum.status=0", "", 14, 34 },
	{ "IPv4 in IPv4", PROTO_ETH, 0, MACS "0800 4500 003c 0001 0000 40 04 0000 01000001 01000002" IP_TCP TCP,
		"ip.src=1.0.0.1 ip.src#2=10.0.0.1 ip.src#-1=10.0.0.1 tcp.dstport=443", "", 14, 54 },
	{ "IPv6 in IPv4", PROTO_ETH, 0,
		MACS "0800 4500 0050 0001 0000 40 29 0000 01000001 01000002" IP6("0014", "06") TCP,
		"ip.src=1.0.0.1 ipv6.hlim=64 tcp.dstport=443", "", 14, 74 },
	{ "GRE with everything", PROTO_ETH, 0,
		MACS
		"0800 4500 004c 0001 0000 40 2f 0000 01000001 01000002 b000 0800 aaaa0000 00000007 00000009" IP_TCP
			TCP,
		"gre.proto=2048 gre.checksum=43690 gre.key=7 gre.sequence_number=9 ip.src#2=10.0.0.1 tcp.dstport=443",
		"", 14, 70 },
	{ "GRE without anything", PROTO_ETH, 0,
		MACS "0800 4500 0040 0001 0000 40 2f 0000 01000001 01000002 0000 0800" IP_TCP TCP,
		"gre.flags.key=0 !gre.key ip.src#2=10.0.0.1", "", 14, 58 },
	{ "VXLAN", PROTO_ETH, 0,
		MACS "0800" IP_UDP(
			"005a") "1000 12b5 0046 0000 08000000 00002a00 0200000000c3 0200000000d4 0800" IP_TCP
			TCP,
		"vxlan.vni=42 eth.dst=0200000000b2 eth.dst#2=0200000000c3 ip.src#2=10.0.0.1 "
		"udp.dstport=4789 tcp.dstport=443",
		"", 14, 34 },
	{ "Geneve with options", PROTO_ETH, 0,
		MACS "0800" IP_UDP("0050") "1000 17c1 003c 0000 01400800 00002b00 11223344" IP_TCP TCP,
		"geneve.vni=43 geneve.flags.critical=1 geneve.proto_type=2048 ip.src#2=10.0.0.1 tcp.dstport=443",
		"", 14, 34 },
	{ "GTP-U with an extension", PROTO_ETH, 0,
		MACS "0800" IP_UDP("0054") "1000 0868 0040 0000 36ff0030 00000009 00010085 01000000" IP_TCP TCP,
		"gtp.teid=9 gtp.message=255 gtp.seq_number=1 ip.src#2=10.0.0.1 tcp.dstport=443", "", 14, 34 },
	{ "MPLS", PROTO_ETH, 0, MACS "8847 00010a40 00011b3f" IP_TCP TCP,
		"mpls.label=16 mpls.exp=5 mpls.bottom=0 mpls.ttl=64 mpls.label#2=17 mpls.bottom#2=1 tcp.dstport=443",
		"", 22, 42 },
	{ "a pseudo wire", PROTO_ETH, 0,
		MACS "8847 00010140 00000000 0200000000c3 0200000000d4 0800" IP_TCP TCP,
		"eth.dst#2=0200000000c3 tcp.dstport=443", "", 36, 56 },
	{ "PPPoE", PROTO_ETH, 0, MACS "8864 1100 0007 002a 0021" IP_TCP TCP,
		"pppoe.session_id=7 pppoe.payload_length=42 ppp.protocol=33 tcp.dstport=443", "", 22, 42 },
	{ "PPPoE discovery", PROTO_ETH, 0, MACS "8863 1109 0000 0004 01010000" PAD,
		"pppoed=1 pppoe.code=9 !pppoes", "", -1, -1 },
	{ "Linux cooked", PROTO_SLL, 0, "0004 0001 0006 0200000000a1 0000 0800" IP_TCP TCP,
		"sll.pkttype=4 tcp.dstport=443", "", 16, 36 },
	{ "Linux cooked 2", PROTO_SLL2, 0, "0800 0000 00000003 0001 04 06 0200000000a1 0000" IP_TCP TCP,
		"sll.ifindex=3 tcp.dstport=443", "", 20, 40 },
	{ "BSD loopback", PROTO_NULL, 0, "1e000000" IP6("0014", "06") TCP, "tcp.dstport=443", "", 4, 44 },
	{ "PPP with address", PROTO_PPP, 0, "ff03 0021" IP_TCP TCP,
		"ppp.address=255 ppp.protocol=33 tcp.dstport=443", "", 4, 24 },
	{ "PPP, short protocol", PROTO_PPP, 0, "21" IP_TCP TCP, "!ppp.protocol tcp.dstport=443", "", 1, 21 },
	{ "Cisco HDLC", PROTO_CHDLC, 0, "0f00 0800" IP_TCP TCP, "chdlc.protocol=2048 tcp.dstport=443", "", 4,
		24 },
	{ "raw", PROTO_RAW, 0, IP_TCP TCP, "raw=1 tcp.dstport=443", "", 0, 20 },
	{ "raw nonsense", PROTO_RAW, 0, "ff", "!ip", "raw: neither IPv4 nor IPv6", -1, -1 },
	{ "opaque", PROTO_DATA, 0, IP_TCP TCP, "!ip !eth frame.len=40", "", -1, -1 },

	{ "nothing", PROTO_ETH, 0, "", "!eth frame.len=0", "eth: its header does not fit", -1, -1 },
	{ "IHL lies", PROTO_ETH, 0, MACS "0800 4400 0028 0001 4000 40 06 0000 0a000001 0a000002 " TCP,
		"eth.type=2048 !ip !tcp", "ip.hdr_len: less than 20", -1, -1 },
	{ "IHL beyond the packet", PROTO_ETH, 0,
		MACS "0800 4f00 003c 0001 4000 40 06 0000 0a000001 0a000002 " TCP, "!ip",
		"ip.len: longer than the frame", -1, -1 },
	{ "total length less than the header", PROTO_ETH, 0,
		MACS "0800 4500 0013 0001 4000 40 06 0000 0a000001 0a000002 " TCP, "!ip",
		"ip.len: less than its header", -1, -1 },
	{ "total length beyond the frame", PROTO_ETH, 0,
		MACS "0800 4500 0029 0001 4000 40 06 0000 0a000001 0a000002 " TCP,
		"ip.len=41 tcp.dstport=443 tcp.len=0", "ip.len: longer than the frame", 14, 34 },
	{ "not version 4", PROTO_ETH, 0, MACS "0800 6500 0028 0001 4000 40 06 0000 0a000001 0a000002 " TCP,
		"!ip", "ip.version: not 4", -1, -1 },
	{ "payload length beyond the frame", PROTO_ETH, 0, MACS "86dd" IP6("0015", "06") TCP,
		"ipv6.plen=21 tcp.len=0", "ipv6.plen: longer than the frame", 14, 54 },
	{ "TCP's offset lies", PROTO_ETH, 0,
		MACS "0800" IP_TCP "9c40 01bb 00000064 000000c8 40 18 0400 0000 0000", "ip.ttl=64 !tcp",
		"tcp.hdr_len: less than 20", 14, -1 },
	{ "TCP's offset beyond the packet", PROTO_ETH, 0,
		MACS "0800" IP_TCP "9c40 01bb 00000064 000000c8 60 18 0400 0000 0000" PAD, "ip.ttl=64 !tcp",
		"tcp: its header does not fit", 14, -1 },
	{ "UDP's length lies", PROTO_ETH, 0, MACS "0800" IP_UDP("0020") "0035 1000 0007 0000 61626364" PAD PAD,
		"!udp", "udp.length: less than 8", 14, -1 },
	{ "UDP's length beyond the packet", PROTO_ETH, 0,
		MACS "0800" IP_UDP("0020") "0035 1000 000d 0000 61626364" PAD PAD, "udp.payload=61626364",
		"udp.length: longer than its packet", 14, 34 },
	{ "cut within TCP", PROTO_ETH, 20, MACS "0800" IP_TCP, "ip.len=40 !tcp frame.len=54 frame.cap_len=34",
		"frame.cap_len: cut by the capture", 14, -1 },
	{ "cut behind TCP", PROTO_ETH, 3, MACS "0800 4500 002b 0001 4000 40 06 0000 0a000001 0a000002 " TCP,
		"tcp.dstport=443 tcp.len=3 !tcp.payload tcp.checksum.status=2 frame.len=57", "", 14, 34 },
	{ "GRE's options do not fit", PROTO_ETH, 0,
		MACS "0800 4500 0018 0001 0000 40 2f 0000 01000001 01000002 b000 0800" PAD, "ip.proto=47 !gre",
		"gre: its header does not fit", 14, -1 },
	{ "GTP-U's extension lies", PROTO_ETH, 0,
		MACS "0800" IP_UDP("002c") "1000 0868 0018 0000 34ff0008 00000009 00000085 00000000",
		"udp.dstport=2152 !gtp", "gtp.ext_hdr.length: 0", 14, 34 },
};
enum { CASES = sizeof(cases) / sizeof(*cases) };

// ---- running one

static unsigned bytes_of(const char *text, uint8_t *bytes)
{
	unsigned digits = 0;

	for (; *text; text++)
		if (isxdigit((unsigned char)*text)) {
			uint8_t digit =
				(uint8_t)(isdigit((unsigned char)*text) ? *text - '0' : *text - 'a' + 10);

			bytes[digits / 2] = (uint8_t)(digits % 2 ? bytes[digits / 2] | digit : digit << 4);
			digits++;
		}
	assert_int_equal(digits % 2, 0);
	return digits / 2;
}

static void expect_field(
	const struct decoder *decoder, const struct packet_case *packet, unsigned slot, char *claim)
{
	bool is_absent = *claim == '!';
	char *name = claim + is_absent, *value = strchr(name, '='), *mark;
	uint8_t occurrence = DECODE_OUTER;
	const struct field *field;
	const char *text;

	if (value)
		*value++ = '\0';
	mark = strchr(name, '#');
	if (mark) {
		*mark++ = '\0';
		occurrence = *mark == '-' ? DECODE_LAST : (uint8_t)atoi(mark);
	}
	field = field_find(name);
	if (!field)
		fail_msg("%s: there is no field %s", packet->name, name);
	text = decoder_text(decoder, slot, field, occurrence);
	if (is_absent && text)
		fail_msg("%s: %s#%u is %s", packet->name, name, occurrence, text);
	if (!is_absent && (!text || strcmp(text, value)))
		fail_msg("%s: %s#%u is %s, not %s", packet->name, name, occurrence, text ? text : "absent",
			value);
}

static void expect(const struct decoder *decoder, const struct packet_case *packet, unsigned slot)
{
	const struct decode_facts *facts = &decoder->facts;
	char claims[1024], *rest = claims, *claim;

	snprintf(claims, sizeof(claims), "%s", packet->fields);
	while ((claim = strtok_r(rest, " ", &rest)))
		expect_field(decoder, packet, slot, claim);
	if (strcmp(decoder_reason(decoder, slot), packet->reason))
		fail_msg("%s: reason is \"%s\"", packet->name, decoder_reason(decoder, slot));
	if (decoder_place(decoder, slot, facts->network_has, facts->network) != packet->network)
		fail_msg("%s: network header at %d", packet->name,
			decoder_place(decoder, slot, facts->network_has, facts->network));
	if (decoder_place(decoder, slot, facts->transport_has, facts->transport) != packet->transport)
		fail_msg("%s: transport header at %d", packet->name,
			decoder_place(decoder, slot, facts->transport_has, facts->transport));
}

static unsigned add_case(struct decoder *decoder, const struct packet_case *packet)
{
	uint8_t bytes[512];
	unsigned length = bytes_of(packet->bytes, bytes);

	return decoder_add(decoder, bytes, length, length + packet->cut, packet->link);
}

// ---- tests

static void each_alone(void **state)
{
	struct decoder *decoder = decoder_create();

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		decoder_empty(decoder);
		add_case(decoder, &cases[i]);
		decoder_run(decoder, 1);
		expect(decoder, &cases[i], 0);
	}
	decoder_destroy(decoder);
}

static void each_among_itself(void **state)
{
	struct decoder *decoder = decoder_create();

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		decoder_empty(decoder);
		for (unsigned slot = 0; slot < WEIR_VECTOR; slot++)
			add_case(decoder, &cases[i]);
		decoder_run(decoder, ~UINT64_C(0));
		for (unsigned slot = 0; slot < WEIR_VECTOR; slot += 9)
			expect(decoder, &cases[i], slot);
	}
	decoder_destroy(decoder);
}

// Vectors with holes, and a second run for the rest: what the first one wrote stays.
static void all_mixed(void **state)
{
	static const weir_mask parts[] = { ~UINT64_C(0), UINT64_C(0x5555555555555555),
		UINT64_C(0xff00000000000fff), 1 };
	struct decoder *decoder = decoder_create();

	(void)state;
	for (unsigned part = 0; part < sizeof(parts) / sizeof(*parts); part++)
		for (unsigned from = 0; from < CASES; from += 7) {
			decoder_empty(decoder);
			for (unsigned slot = 0; slot < WEIR_VECTOR; slot++)
				add_case(decoder, &cases[(from + slot) % CASES]);
			decoder_run(decoder, parts[part]);
			if (~parts[part])
				decoder_run(decoder, ~parts[part]);
			for (unsigned slot = 0; slot < WEIR_VECTOR; slot++)
				expect(decoder, &cases[(from + slot) % CASES], slot);
		}
	decoder_destroy(decoder);
}

// Every packet, cut off after each of its bytes: never read further (sanitizers see it), and what is found lies within.
static void every_cut(void **state)
{
	struct decoder *decoder = decoder_create();
	uint8_t bytes[512];

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		unsigned length = bytes_of(cases[i].bytes, bytes);

		for (unsigned cut = 0; cut <= length; cut++) {
			decoder_empty(decoder);
			decoder_add(decoder, bytes, cut, cut % 2 ? cut : length, cases[i].link);
			decoder_run(decoder, 1);
			for (unsigned layer = 0; layer < PROTOCOLS * TESTED; layer++) {
				const struct decode_layer *at = &decoder->layers[layer];
				uint32_t end = *(const uint32_t *)vector_column(decoder->vector, at->end);

				if (*vector_mask(decoder->vector, at->has) & 1)
					assert_true(*(const uint16_t *)vector_column(
							    decoder->vector, at->base) <= end &&
						end <= cut);
			}
		}
	}
	decoder_destroy(decoder);
}

// Asked for little, the decoder must find the same as when it is asked for all.
static void little_is_asked_for(void **state)
{
	static const enum protocol asked[][2] = {
		{ PROTO_ETH, PROTO_ETH },
		{ PROTO_IP, PROTO_ETH_TYPE },
		{ PROTO_IPV6, PROTO_ETH },
		{ PROTO_IP, PROTO_IPV6 },
		{ PROTO_TCP, PROTO_UDP },
		{ PROTO_VLAN, PROTO_ARP },
		{ PROTO_IP, PROTO_FRAME },
		{ PROTO_TCP_PAYLOAD, PROTO_IP },
		{ PROTO_IPV6, PROTO_IPV6 },
		{ PROTO_UDP_PAYLOAD, PROTO_DATA },
	};
	struct decoder *all = decoder_create(), *some = decoder_create();

	(void)state;
	for (unsigned ask = 0; ask < sizeof(asked) / sizeof(*asked); ask++) {
		struct decode_layer layers[2];

		for (unsigned i = 0; i < 2; i++)
			layers[i] = some->layers[asked[ask][i] * TESTED];
		some->locate = decode_prepare(some->arena, layers, 2, NULL);
		for (unsigned from = 0; from < CASES; from += 11) {
			decoder_empty(all);
			decoder_empty(some);
			for (unsigned slot = 0; slot < WEIR_VECTOR; slot++) {
				add_case(all, &cases[(from + slot) % CASES]);
				add_case(some, &cases[(from + slot) % CASES]);
			}
			decode_locate(all->locate, all->vector, ~UINT64_C(0));
			decode_locate(some->locate, some->vector, ~UINT64_C(0));
			for (unsigned i = 0; i < 2; i++) {
				weir_mask has = *vector_mask(all->vector, layers[i].has);
				const uint16_t *a = vector_column(all->vector, layers[i].base);
				const uint16_t *b = vector_column(some->vector, layers[i].base);

				assert_int_equal(has, *vector_mask(some->vector, layers[i].has));
				weir_each (slot, has)
					assert_int_equal(a[slot], b[slot]);
			}
		}
	}
	decoder_destroy(all);
	decoder_destroy(some);
}

// More headers than anybody looks at.
static void too_many_layers(void **state)
{
	struct decoder *decoder = decoder_create();
	uint8_t bytes[14 + 4 * 64] = { [12] = 0x81 };

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		bytes[14 + 4 * i + 2] = 0x81;
	decoder_add(decoder, bytes, sizeof(bytes), sizeof(bytes), PROTO_ETH);
	decoder_run(decoder, 1);
	assert_string_equal(decoder_reason(decoder, 0), "frame: too many layers");
	decoder_destroy(decoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_alone),
		cmocka_unit_test(each_among_itself),
		cmocka_unit_test(all_mixed),
		cmocka_unit_test(every_cut),
		cmocka_unit_test(little_is_asked_for),
		cmocka_unit_test(too_many_layers),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
