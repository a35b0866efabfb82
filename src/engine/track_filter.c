// SPDX-License-Identifier: Apache-2.0
// Filters on what happens to a flow without a packet: fields of packets stand for what is known of the flow, as its
// client's packets have it.
#include "engine/track.h"
#include "engine/track_fields.h"

#include "event/filter.h"

struct scene {
	struct filter_payload payload;
	const struct flow *flow;
	bool is_turned; // as its server's packets have it
};

static void set_address(struct filter_value *value, const struct flow *flow, unsigned end)
{
	struct weir_addr addr = weir_end_(&flow->head, end);

	value->number = weir_ip4(&addr);
	memcpy(value->addr, addr.bytes, sizeof(value->addr));
}

static bool is_named(const char *name, const char *prefix, const char *rest)
{
	size_t length = strlen(prefix);

	return !strncmp(name, prefix, length) && !strcmp(name + length, rest);
}

static bool set_end(const char *name, const char *prefix, const struct flow *flow, bool is_turned,
	struct filter_value *value)
{
	bool is_dst = is_named(name, prefix, ".dst");

	if (!is_dst && !is_named(name, prefix, ".src"))
		return false;
	set_address(value, flow, is_dst != is_turned);
	return true;
}

static bool set_port(const char *name, const char *prefix, const struct flow *flow, bool is_turned,
	struct filter_value *value)
{
	bool is_dst = is_named(name, prefix, ".dstport");

	if (!is_dst && !is_named(name, prefix, ".srcport"))
		return false;
	value->number = is_dst != is_turned ? flow->head.server_port : flow->head.client_port;
	return true;
}

static const char *transport_of(const struct flow *flow)
{
	static const char *const names[256] = {
		[1] = "icmp", [6] = "tcp", [17] = "udp", [58] = "icmpv6", [132] = "sctp", [136] = "udplite"
	};

	return names[flow->head.protocol] ? names[flow->head.protocol] : "";
}

static bool of_flow(const struct flow *flow, const struct field *field, bool is_turned, struct filter_value *value)
{
	const char *network = flow->head.bits_ & FLOW_IPV6 ? "ipv6" : "ip", *transport = transport_of(flow);

	value->type = field->type;
	value->bytes = (const uint8_t *)"";
	if (!strcmp(field->name, network) || !strcmp(field->name, transport))
		return true;
	value->bytes = NULL;
	if (!strcmp(field->name, "vlan.id") && flow->head.vlan) {
		value->number = flow->head.vlan;
		return true;
	}
	if (!strcmp(field->name, "ip.proto") && !(flow->head.bits_ & FLOW_IPV6)) {
		value->number = flow->head.protocol;
		return true;
	}
	return set_end(field->name, network, flow, is_turned, value) ||
		set_port(field->name, transport, flow, is_turned, value);
}

static bool of_life(const struct flow *flow, const struct field *field, struct filter_value *value)
{
	union track_datum datum;

	if (!track_field(&flow->head, field, &datum))
		return false;
	value->type = field->type;
	value->number = datum.number;
	if (field->type == FIELD_STRING) {
		value->bytes = (const uint8_t *)datum.text;
		value->length = (uint32_t)strlen(datum.text);
	}
	return true;
}

bool track_value(const struct weir_flow *head, const struct field *field, struct filter_value *value)
{
	const struct flow *flow = (const struct flow *)head;

	return field->kind == FIELD_OF_FLOW ? of_life(flow, field, value) : of_flow(flow, field, false, value);
}

static bool look_up(void *context, const struct field *field, unsigned index, struct filter_value *value)
{
	struct scene *scene = context;

	if (field->kind == FIELD_OF_EVENT)
		return filter_payload_part(&scene->payload, field, index, value);
	return !index && track_value(&scene->flow->head, field, value);
}

bool track_is_fit(const struct plan_handler *handler, const struct flow *flow, const void *payload)
{
	struct scene scene = { .payload = { handler->signal->type, payload }, .flow = flow };

	return (!handler->filter || filter_event(handler->filter->program, NULL, 0, look_up, &scene)) &&
		(!handler->payload_program || filter_event(handler->payload_program, NULL, 0, look_up, &scene));
}

bool track_is_watched(const struct plan_watch *watch, const struct weir_event_type *type, const struct weir_flow *flow,
	const void *payload)
{
	struct scene scene = { .payload = { type, payload }, .flow = (const struct flow *)flow };

	return !watch->program || filter_event(watch->program, NULL, 0, look_up, &scene);
}

static bool look_up_ends(void *context, const struct field *field, unsigned index, struct filter_value *value)
{
	struct scene *scene = context;

	return !index && of_flow(scene->flow, field, scene->is_turned, value);
}

bool track_may_hold(const struct filter_program *program, const struct flow *flow)
{
	struct scene out = { .flow = flow }, back = { .flow = flow, .is_turned = true };

	return filter_event(program, NULL, 0, look_up_ends, &out) ||
		filter_event(program, NULL, 0, look_up_ends, &back);
}
