// SPDX-License-Identifier: Apache-2.0
// detect: what stands out.
#include "detect.h"

WEIR_MODULE("detect", "0.1.0", &TlsNames, &HttpHosts, &SynGuard, &RttMeter, &ScanDetector, &RateLimit, &TopTalkers);
