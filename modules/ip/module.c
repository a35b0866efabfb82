// SPDX-License-Identifier: Apache-2.0
// ip: what a router does with IPv4 and IPv6 packets.
#include "ip.h"

WEIR_MODULE("ip", "0.1.0", &CheckIPHeader, &CheckIP6Header, &DecIPTTL, &DecIP6HLIM, &LookupIPRoute, &LookupIP6Route,
	&ARPQuerier, &ARPResponder, &IP6NDSolicitor, &IP6NDAdvertiser, &ICMPError, &ICMP6Error, &ICMPPingResponder,
	&IPFragmenter);
