// SPDX-License-Identifier: Apache-2.0
// The pool of streams in which something waits.
#include "flow/stream_inside.h"

#include <errno.h>
#include <stdlib.h>

const struct stream_limits stream_limits_default = {
	.streams = 16384,
	.pieces = 65536,
	.copies = 16384,
	.handles = 32768,
	.pieces_per_stream = 4096,
	.bytes_per_stream = 8 << 20,
	.grace_ns = 10 * 1000 * 1000,
	.memories = 1024,
	.memory = 65536, // more than a vector brings of one stream, mostly
};

// ---- the pool

static void link_free(struct stream_pool *pool)
{
	for (uint32_t i = pool->limits.streams; i--;) {
		pool->waits[i].newer = pool->free_waits;
		pool->free_waits = &pool->waits[i];
	}
	for (uint32_t i = pool->limits.memories; i--;)
		pool->free_memories[pool->free_memory_count++] = (uint16_t)i;
}

int stream_pool_init(struct stream_pool *pool, const struct stream_limits *limits, const struct stream_sink *sink,
	const struct keeper *keeper)
{
	assert(limits->memories <= UINT16_MAX && !(limits->memory & (limits->memory - 1)));
	assert(limits->pieces >= 8);
	*pool = (struct stream_pool){ .limits = *limits, .sink = *sink };
	if (pieces_pool_init(&pool->pieces, limits->pieces, limits->copies, limits->handles, keeper))
		return -ENOMEM;
	pool->waits = calloc(limits->streams + 1, sizeof(struct stream_wait));
	pool->memories = malloc((size_t)limits->memories * limits->memory + 1);
	pool->memory_from = calloc(limits->memories + 1, sizeof(uint64_t));
	pool->free_memories = calloc(limits->memories + 1, sizeof(uint16_t));
	if (!pool->waits || !pool->memories || !pool->memory_from || !pool->free_memories) {
		stream_pool_uninit(pool);
		return -ENOMEM;
	}
	link_free(pool);
	return 0;
}

void stream_pool_uninit(struct stream_pool *pool)
{
	assert(!pool->waiting);
	pieces_pool_uninit(&pool->pieces);
	free(pool->waits);
	free(pool->memories);
	free(pool->memory_from);
	free(pool->free_memories);
	*pool = (struct stream_pool){ 0 };
}

// ---- those that wait: a list by age, another of those with evidence

static void link_newest(struct stream_pool *pool, struct stream_wait *wait)
{
	wait->older = pool->newest;
	wait->newer = NULL;
	*(pool->newest ? &pool->newest->newer : &pool->oldest) = wait;
	pool->newest = wait;
}

static void unlink_age(struct stream_pool *pool, struct stream_wait *wait)
{
	*(wait->older ? &wait->older->newer : &pool->oldest) = wait->newer;
	*(wait->newer ? &wait->newer->older : &pool->newest) = wait->older;
}

void stream_wait_set_evident(struct stream_pool *pool, struct stream_wait *wait, uint64_t now_ns)
{
	struct stream_wait *before = pool->last_evident;

	wait->is_evident = true;
	wait->evident_ns = now_ns;
	wait->evident_confirmed = wait->confirmed;
	while (before && before->evident_ns > now_ns) // it took the place of one whose time came a while ago
		before = before->evident_before;
	wait->evident_before = before;
	wait->evident_behind = before ? before->evident_behind : pool->first_evident;
	*(before ? &before->evident_behind : &pool->first_evident) = wait;
	*(wait->evident_behind ? &wait->evident_behind->evident_before : &pool->last_evident) = wait;
}

void stream_wait_unset_evident(struct stream_pool *pool, struct stream_wait *wait)
{
	if (!wait->is_evident)
		return;
	wait->is_evident = false;
	*(wait->evident_before ? &wait->evident_before->evident_behind : &pool->first_evident) = wait->evident_behind;
	*(wait->evident_behind ? &wait->evident_behind->evident_before : &pool->last_evident) = wait->evident_before;
}

bool stream_wait_begin(struct stream_pool *pool, struct stream *stream)
{
	struct stream_wait *wait = pool->free_waits;

	if (stream->wait)
		return true;
	if (!wait)
		return false;
	pool->free_waits = wait->newer;
	*wait = (struct stream_wait){ .stream = stream };
	link_newest(pool, wait);
	pool->waiting++;
	stream->wait = wait;
	return true;
}

void stream_wait_end(struct stream_pool *pool, struct stream *stream)
{
	struct stream_wait *wait = stream->wait;

	if (!wait)
		return;
	pieces_clear(&pool->pieces, &wait->pieces);
	stream_wait_unset_evident(pool, wait);
	unlink_age(pool, wait);
	wait->newer = pool->free_waits;
	pool->free_waits = wait;
	pool->waiting--;
	stream->wait = NULL;
}

void stream_wait_renew(struct stream_pool *pool, struct stream_wait *wait)
{
	unlink_age(pool, wait);
	link_newest(pool, wait);
}
