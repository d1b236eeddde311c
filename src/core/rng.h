/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A context's random numbers: xoshiro256** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2018). One generator a context: same seed, same numbers.
 *
 * Inline, because every region takes a number in every sampling interval.
 */
#ifndef UDAMON_CORE_RNG_H
#define UDAMON_CORE_RNG_H

#include <stdint.h>

struct damon_rng {
	uint64_t state[4];
};

void damon_rng_seed(struct damon_rng *rng, uint64_t seed);

static inline uint64_t damon_rng_rotate(uint64_t value, unsigned int bits)
{
	return (value << bits) | (value >> (64 - bits));
}

static inline uint64_t damon_rng_next(struct damon_rng *rng)
{
	uint64_t *s = rng->state;
	uint64_t result = damon_rng_rotate(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = damon_rng_rotate(s[3], 45);
	return result;
}

/* Uniform in [lo, hi); lo when the range is empty. */
static inline uint64_t damon_rng_range(struct damon_rng *rng, uint64_t lo, uint64_t hi)
{
	if (hi <= lo)
		return lo;
	/* The high half of a product is uniform up to one part in 2^64 / (hi - lo). */
	return lo + (uint64_t)(((unsigned __int128)damon_rng_next(rng) * (hi - lo)) >> 64);
}

#endif
