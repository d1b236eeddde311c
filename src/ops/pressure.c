/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Backing off under memory pressure.
 */
#include "ops/pressure.h"

#include "system/psi.h"

bool pressure_feed(struct pressure_gate *gate, uint64_t now_ns, uint64_t stalled_us)
{
	uint64_t elapsed_us = (now_ns - gate->read_ns) / 1000;
	bool first = !gate->read_ns, before = gate->high;

	if (!first && elapsed_us) {
		uint64_t percent = (stalled_us - gate->stalled_us) * 100 / elapsed_us;

		gate->percent = percent < 100 ? (unsigned int)percent : 100;
		if (gate->percent >= PRESSURE_HIGH)
			gate->high = true;
		else if (gate->percent < PRESSURE_LOW)
			gate->high = false;
	}
	gate->read_ns = now_ns;
	gate->stalled_us = stalled_us;
	return gate->high != before;
}

bool pressure_update(struct pressure_gate *gate, uint64_t now_ns)
{
	uint64_t stalled_us;

	if (gate->unreadable || (gate->read_ns && now_ns - gate->read_ns < PRESSURE_PERIOD_NS))
		return false;
	if (psi_memory_stalled_us(&stalled_us)) {
		gate->unreadable = true;
		return false;
	}
	return pressure_feed(gate, now_ns, stalled_us);
}
