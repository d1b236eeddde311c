/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * When a target didn't get to run, by its own account, in memory it shares with the test.
 *
 * A machine that does other work keeps a target from touching its memory. What the monitor then says is
 * true and not what the pattern declares, so a window in which that happened can't be judged.
 */
#ifndef UDAMON_TESTS_BEATS_H
#define UDAMON_TESTS_BEATS_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define LIVE_MAX_THREADS 4

struct live_beat {
	uint64_t last_ns; /* 0 before the first */
	uint64_t late_ns; /* summed up */
};

/* A thread that begins a round later than @patience_ns after the last time is late. */
struct live_beats {
	uint64_t patience_ns;
	struct live_beat threads[LIVE_MAX_THREADS];
};

static inline uint64_t live_beat_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The target: a round begins. */
static inline void live_beat(struct live_beats *beats, unsigned int thread)
{
	struct live_beat *beat = &beats->threads[thread];
	uint64_t now = live_beat_now_ns(), last = __atomic_load_n(&beat->last_ns, __ATOMIC_RELAXED);
	uint64_t patience = beats->patience_ns;

	if (last && now - last > patience)
		__atomic_add_fetch(&beat->late_ns, now - last - patience, __ATOMIC_RELAXED);
	__atomic_store_n(&beat->last_ns, now, __ATOMIC_RELEASE);
}

/* The test: how late the thread that is latest has been up to now, what it still is included. */
static inline uint64_t live_beats_late_ns(const struct live_beats *beats)
{
	uint64_t patience = beats->patience_ns, now, last, late, most = 0;
	int i;

	for (i = 0; i < LIVE_MAX_THREADS; i++) {
		last = __atomic_load_n(&beats->threads[i].last_ns, __ATOMIC_ACQUIRE);
		late = __atomic_load_n(&beats->threads[i].late_ns, __ATOMIC_RELAXED);
		now = live_beat_now_ns();
		if (last && now > last + patience)
			late += now - last - patience;
		if (late > most)
			most = late;
	}
	return most;
}

static inline struct live_beats *live_beats_map(int fd)
{
	void *memory =
		mmap(NULL, sizeof(struct live_beats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

#endif
