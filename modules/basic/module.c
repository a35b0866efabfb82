// SPDX-License-Identifier: Apache-2.0
#include "basic.h"

WEIR_MODULE("basic", "0.1.0",
	&Discard, &Idle, &Null, &Counter, &Print, &IPPrint, // ends and views
	&Tee, &Paint, &PaintSwitch, &Switch, &Classifier, &Match, &Strip, // branches
	&Queue, &Unqueue, &RatedUnqueue, &BandwidthRatedUnqueue); // waiting
