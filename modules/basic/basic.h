// SPDX-License-Identifier: Apache-2.0
// Elements that every graph needs: sinks, counters, branches, marks, queues.
#ifndef BASIC_H
#define BASIC_H

#include <weir.h>

extern const struct weir_class Discard, Idle, Null, Counter, Print, IPPrint, Tee, Paint, PaintSwitch, Switch;
extern const struct weir_class Classifier, Match, Strip, Queue, Unqueue, RatedUnqueue, BandwidthRatedUnqueue;

#endif
