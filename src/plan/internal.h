// SPDX-License-Identifier: Apache-2.0
// The planner's steps, each in a file of its own, in the order in which plan_create takes them. Each reports all its
// errors; the next is taken only if there were none.
#ifndef PLAN_INTERNAL_H
#define PLAN_INTERNAL_H

#include "plan/plan.h"

// elements.c: classes, settings, `start`
void plan_elements(struct plan *plan);
// edges.c: names and numbers of inputs and outputs to nodes; what is open
void plan_edges(struct plan *plan);
// insert.c: modules that those need who hear what they tell
void plan_insert(struct plan *plan);
// order.c: the order of nodes in a pass; what must re-enter
void plan_order(struct plan *plan);
// events.c: who raises and hears what
void plan_events(struct plan *plan);
// derive.c: events that the graph defines; which of them are heard, so that their base is
void plan_definitions(struct plan *plan);
void plan_derivations(struct plan *plan);
struct plan_derivation *plan_derivation_of(struct plan *plan, struct plan_signal *base, struct filter *where);
// Whatever a value is computed from lives through the pass: it is computed where an event is raised, wherever that is.
void plan_step(struct plan *plan, struct plan_steps *steps, struct plan_value *value);
// gather.c: what is counted, summed and told apart of them
void plan_gather(struct plan *plan, const struct graph_event *event, struct plan_derivation *derivation);
void plan_gatherings(struct plan *plan, struct plan_derivation *derivation); // which are heard of
void plan_together(struct plan *plan); // whose keys each come to one worker
void plan_explain_gathered(const struct plan *plan, const struct plan_signal *signal, FILE *to);
// Is it to be raised wherever packets enter: by who only looks on, at whatever remove?
bool plan_is_watched(const struct plan_signal *signal);
// Does anybody show this part of its payload, gather by it, or derive by a filter on it?
bool plan_shows(const struct plan_signal *signal, const char *part);
void plan_explain_derived(const struct plan *plan, const struct plan_signal *signal, FILE *to);
// observers.c: who only looks on
void plan_observers(struct plan *plan);
typedef void plan_read(struct plan *plan, struct plan_node *node, struct plan_value *value);
typedef void plan_read_filter(struct plan *plan, struct plan_node *node, const struct filter *filter);
void plan_observed_reads(struct plan *plan, plan_read *read, plan_read_filter *read_filter);
// values.c: what nodes read, provide and make void; where decoding is inserted; what is missing
void plan_values(struct plan *plan);
// flows.c: who needs to know of flows
void plan_flows(struct plan *plan, plan_read *read);
void plan_wants(struct plan *plan);
const struct plan_signal *plan_origin(const struct plan_signal *signal); // through definitions and aggregates
struct plan_value *plan_flow_value(struct plan *plan); // then flows are tracked
bool plan_is_of_conversation(const struct weir_event_type *type);
// Somebody reads it of a packet that was out of its vector in between?
bool plan_is_read_later(const struct plan *plan, const struct plan_value *value);
// explain_flows.c
void plan_explain_flows(const struct plan *plan, FILE *to);
// layout.c: places of values in the vector, the control block, handles
void plan_layout(struct plan *plan);
// steer.c: by what packets are divided among workers
void plan_steering(struct plan *plan);

// An element more; its class is there, or was reported.
struct plan_element *plan_add_element(struct plan *plan, const struct graph_element *syntax);
void plan_create_nodes(struct plan *plan, struct plan_element *element); // by its counts of inputs and outputs
// Events that no element here raises, but that a module would if somebody heard them. NULL: there is none.
const struct weir_event_type *plan_offered(const struct plan *plan, const char *name);
void plan_near_offered(const struct plan *plan, struct near *near);
void plan_declare(struct plan *plan, struct plan_element *element, const struct weir_member *member);
void plan_steer_for(struct plan *plan, struct plan_element *element);
bool plan_keeps_state(const struct weir_class *class);
// By what packets are divided so that all of one value of a field come to one worker; STEER_FLOW: by no such thing.
enum plan_steer plan_steer_of(const char *field);
// Which header is meant, one name for each.
uint8_t plan_occurrence(enum protocol protocol, uint8_t occurrence);
struct plan_value *plan_value_field(struct plan *plan, const struct field *field, uint8_t occurrence);
// A type is known by its name: each source file that includes weir.h has a copy of it. NULL: nothing raises it.
struct plan_signal *plan_signal(const struct plan *plan, const char *name);
struct plan_signal *plan_signal_add(struct plan *plan, const struct weir_event_type *type);
struct plan_value *plan_places(struct plan *plan);
struct plan_value *plan_value_filter(struct plan *plan, struct filter *filter);
// What a filter reads of packets is added to what a value needs.
void plan_value_needs(struct plan *plan, struct plan_value *value, const struct filter *filter);
struct plan_value *plan_value_add(struct plan *plan, enum plan_value_kind kind, const char *name);
const struct filter_names *plan_names(struct plan *plan, const struct weir_event_type *payload_of);
// A field by its name: the platform's, or one that a module of this graph provides. NULL: nobody knows it.
const struct field *plan_field(struct plan *plan, const char *name, size_t length);

#define each_member(member, class)                                                                         \
	for (const struct weir_member *member = (class)->members; member && member->kind != WEIR_END; member++)

static inline void *plan_member(const struct plan_element *element, const struct weir_member *member)
{
	return (char *)element->prototype + member->offset;
}

#endif
