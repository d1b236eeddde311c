/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The system's clocks as one number, for those who have no port. */
#ifndef UDAMON_SYSTEM_CLOCK_H
#define UDAMON_SYSTEM_CLOCK_H

#include <stdint.h>
#include <time.h>

/** clock_ns() - what @clock (CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID...) says */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
