// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Seeding a context's random numbers: through SplitMix64, as the generator's authors advise. */
#include "core/rng.h"

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
