// SPDX-License-Identifier: Apache-2.0
#include "ether.h"

WEIR_MODULE("ether", "0.1.0", &EtherEncap, &EtherRewrite, &HostEtherFilter, &VLANEncap, &VLANDecap, &EtherSwitch);
