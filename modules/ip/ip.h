// SPDX-License-Identifier: Apache-2.0
// The classes of this module.
#ifndef IP_H
#define IP_H

#include <weir.h>

extern const struct weir_class CheckIPHeader, CheckIP6Header, DecIPTTL, DecIP6HLIM, LookupIPRoute, LookupIP6Route;
extern const struct weir_class ARPQuerier, ARPResponder, IP6NDSolicitor, IP6NDAdvertiser;
extern const struct weir_class ICMPError, ICMP6Error, ICMPPingResponder, IPFragmenter;

#endif
