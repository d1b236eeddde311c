// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Copies of published windows, for files; see WINDOWS in udamon-sysfs(5). */
#include <inttypes.h>
#include <stdlib.h>

#include "sysfs/run.h"
#include "sysfs/value.h"

struct window_region {
	uint32_t target; /* its id */
	int64_t pid;
	struct damon_region region;
};

struct sysfs_window {
	unsigned int refs; /* atomic */
	uint64_t number;
	struct damon_window window;
	uint32_t nr_probes;
	size_t nr;
	struct window_region regions[];
};

struct sysfs_window *sysfs_window_take(struct damon_ctx *ctx, const struct damon_window *window,
				       uint64_t number)
{
	struct sysfs_window *copy;
	size_t nr = 0, idx;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		nr += damon_nr_regions(ctx->targets[i]);
	copy = calloc(1, sizeof(*copy) + nr * sizeof(copy->regions[0]));
	if (!copy)
		return NULL;
	copy->refs = 1;
	copy->number = number;
	copy->window = *window;
	copy->nr_probes = ctx->nr_probes;
	for (i = 0; i < ctx->nr_targets; i++) {
		for (idx = 0; idx < damon_nr_regions(ctx->targets[i]); idx++) {
			struct window_region *to = &copy->regions[copy->nr++];

			to->target = ctx->targets[i]->id;
			to->pid = ctx->targets[i]->pid;
			damon_get_region(ctx, ctx->targets[i], idx, &to->region);
		}
	}
	return copy;
}

struct sysfs_window *sysfs_window_get(struct sysfs_window *window)
{
	if (window)
		__atomic_add_fetch(&window->refs, 1, __ATOMIC_RELAXED);
	return window;
}

void sysfs_window_put(struct sysfs_window *window)
{
	if (window && !__atomic_sub_fetch(&window->refs, 1, __ATOMIC_ACQ_REL))
		free(window);
}

static int print_head(const struct sysfs_window *copy, struct sysfs_text *text)
{
	const struct damon_window *window = &copy->window;
	uint32_t i;
	int err;

	err = sysfs_text_printf(
		text,
		"window\t%" PRIu64 "\tt_start_ns\t%" PRIu64 "\tt_end_ns\t%" PRIu64
		"\tsample_us\t%" PRIu64 "\taggr_us\t%" PRIu64 "\tnr_samples\t%" PRIu32
		"\tnr_regions\t%zu\tcpu_ns\t%" PRIu64 "\tclears\t%" PRIu64 "\tflushes\t%" PRIu64
		"\tunwatchable_bytes\t%" PRIu64 "\ttarget_ns\t%" PRIu64 "\tfloor_us\t%" PRIu64 "\n",
		copy->number, window->t_start_ns, window->t_end_ns, window->sample_us,
		window->aggr_us, window->nr_samples, copy->nr, window->cost.cpu_ns,
		window->cost.clears, window->cost.flushes, window->cost.unwatchable_bytes,
		window->cost.target_ns, window->floor_us);
	if (!err)
		err = sysfs_text_printf(text,
					"target\tpid\tstart\tend\tnr_accesses\tnr_unknown\tage");
	for (i = 0; !err && i < copy->nr_probes; i++)
		err = sysfs_text_printf(text, "\thits_%" PRIu32, i);
	return err ? err : sysfs_text_printf(text, "\n");
}

int sysfs_window_print(const struct sysfs_window *window, struct sysfs_text *text)
{
	uint32_t probe;
	size_t i;
	int err;

	if (!window)
		return 0;
	err = print_head(window, text);
	for (i = 0; !err && i < window->nr; i++) {
		const struct window_region *from = &window->regions[i];
		const struct damon_region *region = &from->region;

		err = sysfs_text_printf(text,
					"%" PRIu32 "\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64
					"\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32,
					from->target, from->pid, region->ar.start, region->ar.end,
					region->nr_accesses, region->nr_unknown, region->age);
		for (probe = 0; !err && probe < window->nr_probes; probe++)
			err = sysfs_text_printf(text, "\t%u", region->probe_hits[probe]);
		if (!err)
			err = sysfs_text_printf(text, "\n");
	}
	return err;
}

int sysfs_window_print_cost(const struct sysfs_window *window, struct sysfs_text *text)
{
	const struct damon_cost *cost;

	if (!window)
		return 0;
	cost = &window->window.cost;
	return sysfs_text_printf(text,
				 "windows\t%" PRIu64 "\ncpu_ns\t%" PRIu64 "\nclears\t%" PRIu64
				 "\nflushes\t%" PRIu64 "\nunwatchable_bytes\t%" PRIu64 "\n",
				 window->number, cost->cpu_ns, cost->clears, cost->flushes,
				 cost->unwatchable_bytes);
}
