// SPDX-License-Identifier: Apache-2.0
#include "packet/layout.h"

#include <errno.h>

static struct layout *layouts[UINT16_MAX + 1]; // by number; the control side writes, workers read

bool layout_add(struct layout *layout, const char *name, uint32_t has, uint32_t at, uint16_t size)
{
	unsigned align = size >= 8 ? 8 : size ? size : 1;
	unsigned block = (layout->bytes + align - 1) & ~(align - 1);

	if (layout->count == LAYOUT_FIELDS || block + size > LAYOUT_ROOM)
		return false;
	layout->fields[layout->count++] = (struct layout_field){ name, has, at, size, (uint16_t)(8 + block) };
	layout->bytes = (uint16_t)(block + size);
	return true;
}

int layout_register(struct layout *layout)
{
	if (!layout->count)
		return 0;
	for (unsigned number = 1; number <= UINT16_MAX; number++)
		if (!layouts[number]) {
			layout->number = (uint16_t)number;
			__atomic_store_n(&layouts[number], layout, __ATOMIC_RELEASE);
			return 0;
		}
	return -ENOSPC;
}

bool layout_is_unused(const struct layout *layout)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < LAYOUT_WORKERS; i++)
		sum += __atomic_load_n(&layout->out[i].count, __ATOMIC_ACQUIRE);
	return sum == 0;
}

void layout_retire(struct layout *layout)
{
	if (layout->number)
		__atomic_store_n(&layouts[layout->number], NULL, __ATOMIC_RELEASE);
	layout->number = 0;
}

static void add_out(struct layout *layout, unsigned worker, int64_t by)
{
	__atomic_store_n(&layout->out[worker].count, layout->out[worker].count + by, __ATOMIC_RELEASE);
}

void layout_spill(struct layout *layout, unsigned worker, struct vector *vector, unsigned slot, uint64_t without)
{
	struct packet_head *head = packet_head(packet_mbuf(vector->head.packet[slot]));
	uint64_t bits = 0;

	assert(!head->layout);
	if (!layout->number)
		return;
	for (unsigned i = 0; i < layout->count; i++) {
		const struct layout_field *field = &layout->fields[i];

		if (without >> i & 1 || !(*vector_mask(vector, field->has) >> slot & 1))
			continue;
		bits |= (uint64_t)1 << i;
		memcpy(head->block + field->block,
			(char *)vector + field->at + (size_t)slot * field->size, field->size);
	}
	memcpy(head->block, &bits, sizeof(bits));
	head->layout = layout->number;
	add_out(layout, worker, 1);
}

static void take(const struct layout_field *to, const struct packet_head *head, unsigned block, struct vector *vector,
		 unsigned slot)
{
	*vector_mask(vector, to->has) |= (weir_mask)1 << slot;
	memcpy((char *)vector + to->at + (size_t)slot * to->size, head->block + block, to->size);
}

static void free_luggage(const struct layout *from, const struct packet_head *head)
{
	struct rte_mbuf *luggage;
	uint64_t bits;

	memcpy(&bits, head->block, sizeof(bits));
	if (!from->luggage || !(bits >> (from->luggage - 1) & 1))
		return;
	memcpy(&luggage, head->block + from->fields[from->luggage - 1].block, sizeof(luggage));
	rte_pktmbuf_free(luggage);
}

// another generation's block: by name
static void translate(const struct layout *layout, const struct layout *from, const struct packet_head *head,
		      struct vector *vector, unsigned slot)
{
	uint64_t bits;

	memcpy(&bits, head->block, sizeof(bits));
	for (unsigned i = 0; i < from->count; i++)
		for (unsigned j = 0; (bits >> i & 1) && j < layout->count; j++)
			if (from->fields[i].size == layout->fields[j].size &&
			    !strcmp(from->fields[i].name, layout->fields[j].name))
				take(&layout->fields[j], head, from->fields[i].block, vector, slot);
	if (!layout->luggage)
		free_luggage(from, head);
}

void layout_fill(const struct layout *layout, unsigned worker, struct vector *vector, unsigned slot)
{
	struct packet_head *head = packet_head(packet_mbuf(vector->head.packet[slot]));
	struct layout *from;
	uint64_t bits;

	if (!head->layout)
		return;
	from = __atomic_load_n(&layouts[head->layout], __ATOMIC_ACQUIRE);
	assert(from);
	if (from != layout) {
		translate(layout, from, head, vector, slot);
	} else {
		memcpy(&bits, head->block, sizeof(bits));
		weir_each (i, bits)
			take(&layout->fields[i], head, layout->fields[i].block, vector, slot);
	}
	head->layout = 0;
	add_out(from, worker, -1);
}

void layout_forget(struct packet_head *head, unsigned worker)
{
	struct layout *from;

	if (!head->layout)
		return;
	from = __atomic_load_n(&layouts[head->layout], __ATOMIC_ACQUIRE);
	assert(from);
	free_luggage(from, head);
	add_out(from, worker, -1);
	head->layout = 0;
}
