// SPDX-License-Identifier: Apache-2.0
// expect: it was built for version 999 of weir.h
#include <weir.h>

struct x { weir_counter c; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
static const struct weir_class X = { .name = "X", .about = "x", .self_size = sizeof(struct x), .process = process };
__attribute__((visibility("default"))) extern const struct weir_module weir_module;
const struct weir_module weir_module = { .abi = 999,
	.vector = 64,
	.name = "x",
	.version = "1",
	.classes = (const struct weir_class *const[]){ &X, NULL } };
