// SPDX-License-Identifier: Apache-2.0
// Switch - sends all packets to one output, which may change while it runs
#include "basic.h"

struct switch_ {
	uint32_t output;
	bool on;
	unsigned outputs;
	weir_counter off;
};

static int start(struct weir_start *start, void *at)
{
	struct switch_ *self = at;

	self->outputs = weir_connected(start);
	if (self->output >= self->outputs)
		return weir_refuse(start, 0,
			"output %u is not connected; there are %u, numbered from 0", self->output,
			self->outputs);
	return 0;
}

static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask out[])
{
	struct switch_ *self = weir_self(call);

	if (self->on && self->output < self->outputs) // it may have been changed to one that is not there
		out[self->output] = in;
	else
		weir_drop(call, in, &self->off);
}

WEIR_CLASS(Switch, switch_,
	.about = "sends all packets to one output",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(switch_, output, "0", .live = true, .max = 63, .about = "the output's number"),
		WEIR_SETTING(switch_, on, "true", .live = true, .about = "false: drops everything"),
		WEIR_DROPS(switch_, off, .about = "packets dropped while it was off")),
	.many_outputs = true,
	.start = start,
	.process = process);
