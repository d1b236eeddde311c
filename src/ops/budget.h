/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Keeping what monitoring costs within a share of a processor, by the length of the sampling interval.
 */
#ifndef UDAMON_OPS_BUDGET_H
#define UDAMON_OPS_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** BUDGET_FULL - a whole processor, as shares are given: basis points */
#define BUDGET_FULL 10000

/**
 * struct budget - zero-initialise it and set @share
 * @share:	of one processor, basis points; 0: no bound
 * @together:	sampling intervals that are judged together, where they take turns in being dear; 0 counts as 1.
 *		As long as the size stays about the same
 * @size:	what a sampling interval's cost is proportional to, as of now; 0 counts as 1. What has grown is
 *		dearer the next time, and that is known beforehand
 * @floor_us:	the shortest sampling interval that is within it; 0 before the first judgement
 * @interval_ns: what one sampling interval costs, estimated from what the last ones did
 * @once_interval_ns: its share of what comes once a window only: passes of schemes
 * The rest is private.
 */
struct budget {
	uint32_t share;
	uint32_t together;
	uint64_t size;
	uint64_t floor_us;
	double interval_ns;
	double once_interval_ns;
	/* private: */
	bool begun;
	uint64_t judged_ns;
	double judged_spent_ns;
	uint64_t nr_intervals;
	uint64_t size_before; /* when the present interval began; 0: nobody knew */
	double sizes;	      /* of the intervals that aren't judged yet, in all */
	double judged_size;
	double one_ns; /* cost of an interval, of size 1 */
	double debt_ns;
	double once_ns, judged_once_ns, window_once_ns;
};

/**
 * budget_feed() - a sampling interval is over (@interval) or time has passed
 * @now_ns:	a monotonic clock
 * @spent_ns:	processor time of the monitor, and of targets on its account, in all
 *
 * Judges every BUDGET_PERIOD_NS at most. Return: true when @floor_us has changed.
 */
bool budget_feed(struct budget *budget, uint64_t now_ns, double spent_ns, bool interval);

/**
 * budget_once() - this much of what is spent comes once a window
 *
 * Whatever sampling interval it falls into isn't dearer than the others because of it.
 */
void budget_once(struct budget *budget, double ns);

/** budget_end_window() - a window of @nr_intervals is over, which share what came once */
void budget_end_window(struct budget *budget, uint64_t nr_intervals);

/** budget_use_bp() - predicted cost with so long a sampling interval, basis points of a processor */
double budget_use_bp(const struct budget *budget, uint64_t sample_us);

/**
 * budget_words() - "every 12.5 ms instead of 5.0 ms", with as many digits as tell the two apart
 * Return: @text.
 */
const char *budget_words(char *text, size_t size, uint64_t floor_us, uint64_t sample_us);

#define BUDGET_PERIOD_NS 200000000ULL

#endif
