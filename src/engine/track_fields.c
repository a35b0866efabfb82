// SPDX-License-Identifier: Apache-2.0
// What changes of a flow, as fields: a column has them as of each packet, that packet included, whatever else
// the vector holds. Only those that somebody reads are written.
#include "engine/track_fields.h"

#include "engine/worker.h"
#include "flow/flow.h"
#include "flow/tcp.h"

#include <netinet/in.h>

static uint64_t counted(const struct flow *flow, unsigned which)
{
	bool back = which & 1;
	struct flow_counted counted = flow_counted(flow, back);

	if (which <= FLOW_PACKETS_BACK)
		return counted.packets;
	return which <= FLOW_BYTES_BACK ? counted.bytes : counted.payload;
}
static_assert(FLOW_PACKETS_OUT == 0 && FLOW_PACKETS_BACK == 1 && FLOW_BYTES_BACK == 3 && FLOW_PAYLOAD_BACK == 5);

static const char *connection_state(const struct flow *flow)
{
	return flow->head.protocol == IPPROTO_TCP ? tcp_connection_state((const struct tcp *)flow->tcp) : NULL;
}

bool track_field(const struct weir_flow *head, const struct field *field, union track_datum *datum)
{
	const struct flow *flow = (const struct flow *)head;

	switch (field->compute) {
	case FLOW_START:
		datum->number = head->start_ns;
		return true;
	case FLOW_DURATION:
		datum->number = head->last_ns_ - head->start_ns;
		return true;
	case FLOW_TCP_STATE:
		datum->text = connection_state(flow);
		return datum->text;
	default:
		datum->number = counted(flow, field->compute);
		return true;
	}
}

// A packet that was tracked before has brought along what held then.
void track_write_fields(struct worker *worker, unsigned slot)
{
	struct vector *vector = worker->vector;
	const struct weir_flow *flow = vector->head.flow[slot];
	weir_mask bit = (weir_mask)1 << slot;

	if (!flow)
		return;
	list_each (value, &worker->generation->plan->flow_fields) {
		weir_mask *has = vector_mask(vector, (*value)->has);
		union track_datum *column = vector_column(vector, (*value)->at);

		if (!(*has & bit) && track_field(flow, (*value)->field, &column[slot]))
			*has |= bit;
	}
}
