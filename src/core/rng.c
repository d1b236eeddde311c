// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A context's random numbers: xoshiro256** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2018), seeded through SplitMix64 as its authors advise.
 */
#include "core/core.h"

static uint64_t rotate_left(uint64_t value, unsigned int bits)
{
	return (value << bits) | (value >> (64 - bits));
}

void damon_rng_seed(struct damon_rng *rng, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		uint64_t mixed = (seed += 0x9e3779b97f4a7c15ULL);

		mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
		mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
		rng->state[i] = mixed ^ (mixed >> 31);
	}
}

uint64_t damon_rng_next(struct damon_rng *rng)
{
	uint64_t *s = rng->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t damon_rng_range(struct damon_rng *rng, uint64_t lo, uint64_t hi)
{
	if (hi <= lo)
		return lo;
	/* The high half of a product is uniform up to one part in 2^64 / (hi - lo). */
	return lo + (uint64_t)(((unsigned __int128)damon_rng_next(rng) * (hi - lo)) >> 64);
}
