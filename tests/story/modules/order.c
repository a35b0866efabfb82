// SPDX-License-Identifier: Apache-2.0
// Stamp numbers the packets of each UDP flow; Order counts those that come out of turn, wherever it stands behind.
#include <weir.h>

struct key {
	uint32_t source, destination;
	uint16_t ports[2];
	uint32_t unused;
};
struct count {
	uint32_t number;
};

#define KEYED                                                                                              \
	WEIR_TABLE(struct key, struct count) flows;                                                        \
	WEIR_COLUMN(uint32_t) source, destination;                                                         \
	WEIR_COLUMN(uint16_t) from, to;                                                                    \
	WEIR_COLUMN(uint32_t) number;                                                                      \
	weir_counter numbered, early, late, none

#define KEYS(tag) \
	WEIR_KEEPS(tag, flows, .rows = 1 << 16), WEIR_READS(tag, source, "ip.src"), \
		WEIR_READS(tag, destination, "ip.dst"), WEIR_READS(tag, from, "udp.srcport"), \
		WEIR_READS(tag, to, "udp.dstport"), WEIR_COUNTS(tag, numbered)

struct stamp {
	KEYED;
};
struct order {
	KEYED;
};

static struct key key_of(struct weir_vector *v, const struct stamp *self, unsigned i)
{
	return (struct key){ weir_column(v, self->source)[i], weir_column(v, self->destination)[i],
			     { weir_column(v, self->from)[i], weir_column(v, self->to)[i] }, 0 };
}

static void stamp(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct stamp *self = weir_self(call);

	weir_each (i, in & weir_has(v, self->from)) {
		struct key key = key_of(v, self, (unsigned)i);

		weir_column(v, self->number)[i] = ++weir_table_at(self->flows, &key)->number;
		weir_count(&self->numbered);
	}
	weir_give(v, self->number, in & weir_has(v, self->from));
	out[0] = in;
}

// A packet in between may have been dropped; none may come twice or too late.
static void order(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct stamp *self = weir_self(call);

	weir_each (i, in & weir_has(v, self->from)) {
		struct key key = key_of(v, self, (unsigned)i);
		uint32_t *last = &weir_table_at(self->flows, &key)->number, number = weir_column(v, self->number)[i];

		if (!(weir_has(v, self->number) >> i & 1))
			weir_count(&self->none);
		else if (number <= *last)
			weir_count(&self->late);
		else if (number != *last + 1)
			weir_count(&self->early);
		*last = number;
		weir_count(&self->numbered);
	}
	out[0] = in;
}

WEIR_CLASS(Stamp, stamp,
	.about = "numbers the packets of each flow",
	WEIR_MEMBERS(KEYS(stamp), WEIR_PROVIDES(stamp, number, "test.number", .some = true)),
	.process = stamp);

WEIR_CLASS(Order, order, .about = "counts packets that come out of turn",
	WEIR_MEMBERS(KEYS(order), WEIR_READS_IF(order, number, "test.number"),
		WEIR_COUNTS(order, early), WEIR_COUNTS(order, late), WEIR_COUNTS(order, none)),
	.process = order);

WEIR_MODULE("order", "1.0.0", &Stamp, &Order);
