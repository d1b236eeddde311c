/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How near regions with sampled accesses come to what is known of each page of the same windows.
 */
#ifndef UDAMON_OPS_ACCURACY_H
#define UDAMON_OPS_ACCURACY_H

#include <udamon/damon.h>

/**
 * struct accuracy_run - pages that were touched equally often
 * @touched:	sampling intervals of the window in which they were; -1: nobody can say
 */
struct accuracy_run {
	struct damon_addr_range ar;
	int32_t touched;
};

/** struct accuracy_window - one window by both, each sorted by address */
struct accuracy_window {
	uint32_t nr_samples;
	size_t nr_regions;
	const struct damon_region *regions;
	size_t nr_runs;
	const struct accuracy_run *runs;
};

/**
 * struct accuracy_hot - bytes that count as hot, summed up over windows
 * @found:	by the regions; memory of which nobody knows the truth left out
 * @truth:	by the pages, as far as regions cover them
 * @both:	by both
 * @unknown:	of @truth: in regions that said "unknown" all the window
 */
struct accuracy_hot {
	uint64_t found;
	uint64_t truth;
	uint64_t both;
	uint64_t unknown;
};

/* Access rates from which on memory counts as hot, per cent; at least one access is asked for. */
#define ACCURACY_NR_LEVELS 6
extern const uint32_t accuracy_levels[ACCURACY_NR_LEVELS];

/**
 * struct accuracy - sums over windows; zero-initialise it
 * @windows:	how many
 * @hot:	for each level
 * @touched:	the working set: any access
 * @wss_error:	its error in each window, as a share of the truth, summed up; windows without any
 *		true access count 1 when the regions found some
 */
struct accuracy {
	uint64_t windows;
	struct accuracy_hot hot[ACCURACY_NR_LEVELS];
	struct accuracy_hot touched;
	double wss_error;
};

/** accuracy_add() - compare a window */
void accuracy_add(struct accuracy *accuracy, const struct accuracy_window *window);

/** accuracy_needed() - accesses that level @percent asks for in so many samples; at least 1 */
uint32_t accuracy_needed(uint32_t percent, uint32_t nr_samples);

/** accuracy_precision(), accuracy_recall() - 0..1; -1 when there is nothing to divide by */
double accuracy_precision(const struct accuracy_hot *hot);
double accuracy_recall(const struct accuracy_hot *hot);

/**
 * struct accuracy_region - a region by both
 * @known:	its bytes of which the truth is known
 * @found:	its access rate by the samples, 0..1
 * @truth:	share of @known, times sampling intervals, that was touched
 * @unknown:	the samples said nothing at all
 */
struct accuracy_region {
	struct damon_addr_range ar;
	uint64_t known;
	double found;
	double truth;
	bool unknown;
};

/**
 * accuracy_worst() - the regions of a window that are wrong about most bytes
 * @worst:	filled, the worst first
 *
 * Return: how many; regions without any error are left out.
 */
size_t accuracy_worst(const struct accuracy_window *window, struct accuracy_region *worst,
		      size_t nr);

#endif
