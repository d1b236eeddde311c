// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How near regions with sampled accesses come to what is known of each page of the same windows.
 *
 * Bytes without a page in them can't have been touched: a region that is called hot is wrong
 * about its holes, just as a reader of it would be.
 */
#include "ops/accuracy.h"

#include <math.h>
#include <string.h>

const uint32_t accuracy_levels[ACCURACY_NR_LEVELS] = {5, 10, 25, 50, 75, 100};

uint32_t accuracy_needed(uint32_t percent, uint32_t nr_samples)
{
	uint64_t needed = ((uint64_t)percent * nr_samples + 99) / 100;

	return needed ? (uint32_t)needed : 1;
}

/* Region @idx against the pages in it; *@first is the first run that isn't below it. */
struct sweep {
	const struct accuracy_window *window;
	size_t first;
};

typedef void overlap_callback(void *data, const struct accuracy_run *run, uint64_t bytes);

static void each_overlap(struct sweep *sweep, const struct damon_addr_range *ar,
			 overlap_callback *callback, void *data)
{
	const struct accuracy_window *window = sweep->window;
	uint64_t start, end;
	size_t i;

	while (sweep->first < window->nr_runs && window->runs[sweep->first].ar.end <= ar->start)
		sweep->first++;
	for (i = sweep->first; i < window->nr_runs && window->runs[i].ar.start < ar->end; i++) {
		const struct accuracy_run *run = &window->runs[i];

		start = run->ar.start > ar->start ? run->ar.start : ar->start;
		end = run->ar.end < ar->end ? run->ar.end : ar->end;
		callback(data, run, end - start);
	}
}

struct level_sum {
	struct accuracy_hot *hot;
	uint32_t needed;
	bool region_hot;
	bool region_unknown;
};

static void add_run(void *data, const struct accuracy_run *run, uint64_t bytes)
{
	struct level_sum *sum = data;

	if (run->touched < 0) {
		sum->hot->found -= sum->region_hot ? bytes : 0;
		return;
	}
	if ((uint32_t)run->touched < sum->needed)
		return;
	sum->hot->truth += bytes;
	sum->hot->both += sum->region_hot ? bytes : 0;
	sum->hot->unknown += sum->region_unknown ? bytes : 0;
}

static void add_level(struct accuracy_hot *hot, const struct accuracy_window *window,
		      uint32_t needed)
{
	struct sweep sweep = {.window = window};
	struct level_sum sum = {.hot = hot, .needed = needed};
	size_t i;

	for (i = 0; i < window->nr_regions; i++) {
		const struct damon_region *region = &window->regions[i];

		sum.region_hot = region->nr_accesses >= needed;
		sum.region_unknown = region->nr_unknown >= window->nr_samples;
		if (sum.region_hot)
			hot->found += region->ar.end - region->ar.start;
		each_overlap(&sweep, &region->ar, add_run, &sum);
	}
}

static double share_wrong(uint64_t found, uint64_t truth)
{
	if (!truth)
		return found ? 1 : 0;
	return fabs((double)found - (double)truth) / (double)truth;
}

void accuracy_add(struct accuracy *accuracy, const struct accuracy_window *window)
{
	uint64_t found = accuracy->touched.found, truth = accuracy->touched.truth;
	size_t level;

	for (level = 0; level < ACCURACY_NR_LEVELS; level++)
		add_level(&accuracy->hot[level], window,
			  accuracy_needed(accuracy_levels[level], window->nr_samples));
	add_level(&accuracy->touched, window, 1);
	accuracy->wss_error +=
		share_wrong(accuracy->touched.found - found, accuracy->touched.truth - truth);
	accuracy->windows++;
}

double accuracy_precision(const struct accuracy_hot *hot)
{
	return hot->found ? (double)hot->both / (double)hot->found : -1;
}

double accuracy_recall(const struct accuracy_hot *hot)
{
	return hot->truth ? (double)hot->both / (double)hot->truth : -1;
}

struct region_sum {
	uint64_t unknown;
	double touched; /* bytes times sampling intervals */
};

static void add_to_region(void *data, const struct accuracy_run *run, uint64_t bytes)
{
	struct region_sum *sum = data;

	if (run->touched < 0)
		sum->unknown += bytes;
	else
		sum->touched += (double)bytes * run->touched;
}

static double bytes_wrong(const struct accuracy_region *region)
{
	return fabs(region->found - region->truth) * (double)region->known;
}

/* Keep the table sorted; what falls off its end is forgotten. */
static size_t insert(struct accuracy_region *worst, size_t used, size_t nr,
		     const struct accuracy_region *region)
{
	size_t at = used;

	while (at && bytes_wrong(&worst[at - 1]) < bytes_wrong(region))
		at--;
	if (at == nr)
		return used;
	if (used < nr)
		used++;
	memmove(worst + at + 1, worst + at, (used - at - 1) * sizeof(*worst));
	worst[at] = *region;
	return used;
}

size_t accuracy_worst(const struct accuracy_window *window, struct accuracy_region *worst,
		      size_t nr)
{
	struct sweep sweep = {.window = window};
	double samples = window->nr_samples;
	size_t used = 0, i;

	for (i = 0; i < window->nr_regions && samples > 0; i++) {
		const struct damon_region *from = &window->regions[i];
		struct accuracy_region region = {.ar = from->ar};
		struct region_sum sum = {};

		each_overlap(&sweep, &region.ar, add_to_region, &sum);
		region.known = region.ar.end - region.ar.start - sum.unknown;
		region.found = from->nr_accesses / samples;
		region.unknown = from->nr_unknown >= window->nr_samples;
		if (region.known)
			region.truth = sum.touched / samples / (double)region.known;
		if (bytes_wrong(&region) > 0)
			used = insert(worst, used, nr, &region);
	}
	return used;
}
