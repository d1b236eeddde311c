// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Trace points as static user-space probes (USDT), provider "udamon": perf, bpftrace, SystemTap and gdb
 * find them in the program's notes. A probe nobody uses is one no-op, and its semaphore, which tracers
 * raise, says whether its fields are worth gathering.
 */
#include "port/probes.h"

#ifdef HAVE_SDT
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define SEMAPHORE(name)                                                                            \
	__extension__ unsigned short udamon_##name##_semaphore                                     \
		__attribute__((unused, section(".probes"), visibility("hidden")))

SEMAPHORE(damon_aggregated);
SEMAPHORE(damos_before_apply);
SEMAPHORE(damon_monitor_intervals_tune);
SEMAPHORE(damos_esz);
SEMAPHORE(damos_stat_after_apply_interval);

static const volatile unsigned short *const semaphores[DAMON_NR_TRACE_POINTS] = {
	[DAMON_TRACE_AGGREGATED] = &udamon_damon_aggregated_semaphore,
	[DAMON_TRACE_BEFORE_APPLY] = &udamon_damos_before_apply_semaphore,
	[DAMON_TRACE_INTERVALS_TUNE] = &udamon_damon_monitor_intervals_tune_semaphore,
	[DAMON_TRACE_ESZ] = &udamon_damos_esz_semaphore,
	[DAMON_TRACE_STAT_AFTER_APPLY] = &udamon_damos_stat_after_apply_interval_semaphore,
};

bool probes_tracing(struct damon_port *port, enum damon_trace_point point)
{
	return *semaphores[point];
}

void probes_trace(struct damon_port *port, enum damon_trace_point point, const uint64_t *f)
{
	switch (point) {
	case DAMON_TRACE_AGGREGATED:
		STAP_PROBE6(udamon, damon_aggregated, f[0], f[1], f[2], f[3], f[4], f[5]);
		break;
	case DAMON_TRACE_BEFORE_APPLY:
		STAP_PROBE8(udamon, damos_before_apply, f[0], f[1], f[2], f[3], f[4], f[5], f[6],
			    f[7]);
		break;
	case DAMON_TRACE_INTERVALS_TUNE:
		STAP_PROBE1(udamon, damon_monitor_intervals_tune, f[0]);
		break;
	case DAMON_TRACE_ESZ:
		STAP_PROBE3(udamon, damos_esz, f[0], f[1], f[2]);
		break;
	case DAMON_TRACE_STAT_AFTER_APPLY:
		STAP_PROBE9(udamon, damos_stat_after_apply_interval, f[0], f[1], f[2], f[3], f[4],
			    f[5], f[6], f[7], f[8]);
		break;
	default:
		break;
	}
}
#else
bool probes_tracing(struct damon_port *port, enum damon_trace_point point)
{
	return false;
}

void probes_trace(struct damon_port *port, enum damon_trace_point point, const uint64_t *f)
{
}
#endif
