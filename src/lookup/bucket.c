// SPDX-License-Identifier: Apache-2.0
// Token bucket: exact, because nothing is ever divided but the answer.
#include <weir.h>

enum { UNIT = 1000000000 };

void weir_bucket_init(struct weir_bucket *bucket, uint64_t per_second, uint64_t burst)
{
	uint64_t most = UINT64_MAX / UNIT;

	burst = burst > most ? most : burst ? burst : 1;
	*bucket =
		(struct weir_bucket){ per_second, burst * UNIT, per_second ? burst * UNIT : 0, 0 };
}

// Time that goes backwards gives nothing.
static void refill(struct weir_bucket *bucket, uint64_t now_ns)
{
	uint64_t room = bucket->burst_nano - bucket->credit_nano;
	unsigned __int128 earned;

	if (now_ns <= bucket->seen_ns)
		return;
	earned = (unsigned __int128)(now_ns - bucket->seen_ns) * bucket->per_second;
	bucket->seen_ns = now_ns;
	bucket->credit_nano += earned < room ? (uint64_t)earned : room;
}

uint64_t weir_bucket_take(struct weir_bucket *bucket, uint64_t now_ns, uint64_t wanted)
{
	uint64_t there;

	refill(bucket, now_ns);
	there = bucket->credit_nano / UNIT;
	if (wanted > there)
		wanted = there;
	bucket->credit_nano -= wanted * UNIT;
	return wanted;
}
