/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Backing off under memory pressure.
 *
 * Clearing a bit with MADV_COLD also tells reclaim that the page is unimportant.
 * While the machine is short of memory that would push out just the pages
 * that are in use, so nothing is cleared then.
 */
#ifndef UDAMON_OPS_PRESSURE_H
#define UDAMON_OPS_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

/** struct pressure_gate - zero-initialise it */
struct pressure_gate {
	bool high;
	bool unreadable;
	unsigned int percent; /* of the last period in which some task waited for memory */
	/* private: */
	uint64_t read_ns;
	uint64_t stalled_us;
};

/** How often pressure is looked at; ns. */
#define PRESSURE_PERIOD_NS 1000000000ULL

/** Waiting shares, in percent of the time, at which clearing stops and goes on. */
#define PRESSURE_HIGH 10
#define PRESSURE_LOW  5

/** pressure_update() - look at the pressure if it is time to; true when @gate->high changed */
bool pressure_update(struct pressure_gate *gate, uint64_t now_ns);

/** pressure_feed() - the same with @stalled_us given, for tests */
bool pressure_feed(struct pressure_gate *gate, uint64_t now_ns, uint64_t stalled_us);

#endif
