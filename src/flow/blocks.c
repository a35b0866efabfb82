// SPDX-License-Identifier: Apache-2.0
// Memory in blocks of one size. Blocks are given out lowest first; what was given back is used again first.
#include "flow/table.h"

#include <errno.h>
#include <stdlib.h>

struct flow_blocks {
	char *memory;
	void *free; // the first of those given back, which holds a pointer to the next
	uint64_t size, most, fresh, used;
};

struct flow_blocks *flow_blocks_create(uint32_t size, uint32_t blocks)
{
	struct flow_blocks *made;

	if (!size || !blocks) {
		errno = EINVAL;
		return NULL;
	}
	made = calloc(1, sizeof(*made));
	if (!made)
		return NULL;
	made->size = size <= 32 ? (size + 15) & ~UINT64_C(15) : (size + UINT64_C(63)) & ~UINT64_C(63);
	made->most = blocks;
	made->memory = flow_reserve(made->size * blocks);
	if (made->memory)
		return made;
	free(made);
	errno = ENOMEM;
	return NULL;
}

void flow_blocks_destroy(struct flow_blocks *blocks)
{
	if (!blocks)
		return;
	munmap(blocks->memory, blocks->size * blocks->most);
	free(blocks);
}

void *flow_block_take(struct flow_blocks *blocks)
{
	void *block = blocks->free;

	if (block) {
		memcpy(&blocks->free, block, sizeof(blocks->free));
		memset(block, 0, blocks->size);
	} else if (blocks->fresh < blocks->most) {
		block = blocks->memory + blocks->size * blocks->fresh++; // zero, as it came from the kernel
	}
	blocks->used += !!block;
	return block;
}

void flow_block_give(struct flow_blocks *blocks, void *block)
{
	if (!block)
		return;
	memcpy(block, &blocks->free, sizeof(blocks->free));
	blocks->free = block;
	blocks->used--;
}

uint64_t flow_blocks_used(const struct flow_blocks *blocks)
{
	return blocks->used;
}

uint64_t flow_blocks_bytes(const struct flow_blocks *blocks)
{
	return blocks->size * blocks->fresh;
}
