/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Looking less often at regions that stay as they are, to save what looking costs the target.
 */
#ifndef UDAMON_OPS_THRIFT_H
#define UDAMON_OPS_THRIFT_H

#include <udamon/ops.h>

/** THRIFT_EVERY - a steady region is looked at once in so many sampling intervals */
#define THRIFT_EVERY 4

/**
 * struct thrift - of one target; zero-initialise it
 * @addrs, @nr_due: the samples to be looked at in this sampling interval, in order
 * @answers:	what was found there; its user fills it
 */
struct thrift {
	size_t nr_due;
	uint64_t *addrs;
	uint32_t *answers;
	/* private: */
	size_t nr;
	size_t capacity;
	bool begun;
	uint32_t turn;
	struct damon_addr_range *ranges; /* as they were when steadiness was asked for */
	bool *steady;
	uint32_t *held; /* the last answer of each region */
};

/** thrift_steady - whether region @idx can be expected to stay as it was in the last windows */
typedef bool thrift_steady(void *data, size_t idx);

/**
 * thrift_pick() - whom to look at in this sampling interval
 * @steady:	asked for each region at a window's first interval, and when the ranges have changed
 *
 * A steady region's answer stands for the intervals until it is looked at again. So its count is still an
 * unbiased estimate, only of fewer samples; how many nobody else needs to know.
 *
 * Return: 0 or -ENOMEM.
 */
int thrift_pick(struct thrift *thrift, const struct damon_batch *batch, thrift_steady *steady,
		void *data);

/** thrift_spread() - fill in @batch->access for all regions from @thrift->answers */
void thrift_spread(struct thrift *thrift, const struct damon_batch *batch);

/** thrift_end_window() - the next interval belongs to a new window */
void thrift_end_window(struct thrift *thrift);

/** thrift_clear() - free it */
void thrift_clear(struct thrift *thrift);

#endif
