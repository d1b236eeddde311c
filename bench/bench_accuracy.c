/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How right the engines are about memory whose pattern is known, side by side at the same cost.
 *
 * A process with 1 GiB of small pages goes through a pattern without a pause. It is watched by "scan", by
 * "scan" without any flush (what a method misses that doesn't flush), and by "point" with what "scan" had
 * cost as its budget, once as it is by default and once with so many regions that it
 * spends that. Each window is compared page by page with the pattern: a page is hot that was
 * accessed in half of the looks.
 *
 * What isn't flushed is missed until something else empties the TLB, which on a busy machine each change of
 * the program that runs does. So the first two also look as soon as the pattern was gone through
 * twice, while nothing else may run on its processor ("at_once"). Prints one JSON object; takes about 100 s.
 *
 * usage: bench_accuracy [SECONDS]	for each of them; 3 by default
 */
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <udamon/ops.h>
#include <udamon/vaddr.h>

#include "../tests/live/toucher.h"
#include "../tests/tools/memory.h"
#include "access/scan.h"
#include "ops/accuracy.h"

#define MIB	  (1ULL << 20)
#define AREA	  (1024 * MIB)
#define MIB_PAGES (MIB / TOUCHER_PAGE)
#define HOT_LEVEL 3 /* 50 % */
#define MAX_PARTS 300000

#define SCAN_SAMPLE_US	500000
#define SCAN_AGGR_US	1000000
#define MOVE_NS		1000000000ULL
#define MAX_STALL_US	200000
#define POINT_ADAPT_SEC 2
#define MANY_REGIONS	1000
#define MOST_REGIONS	10000
#define ROUNDS		5

/* A set: what is touched, and how far on it moves each second. */
struct set {
	const char *name;
	struct toucher_pattern pattern;
	uint64_t step;
};

static const struct set sets[] = {
	{"256 KiB", {100 * MIB_PAGES, 64, 1}, 0},
	{"4 MiB", {200 * MIB_PAGES, 4 * MIB_PAGES, 1}, 0},
	{"64 MiB", {300 * MIB_PAGES, 64 * MIB_PAGES, 1}, 0},
	{"every 16th page", {0, AREA / TOUCHER_PAGE / 16, 16}, 0},
	{"16 MiB that move on each second", {100 * MIB_PAGES, 16 * MIB_PAGES, 1}, 16 * MIB_PAGES},
};

/* One engine on one set. Below @ctx: the kdamond's until it has stopped. */
struct run {
	struct toucher *toucher;
	struct toucher_pattern pattern;
	uint64_t step;
	uint64_t adapt_ns;
	struct damon_port *port;
	struct damon_lib *lib;
	struct damon_vaddr_env *env;
	struct damon_ctx *ctx;
	bool by_pages;
	uint64_t min_regions, max_regions; /* 0: the default */
	uint64_t t_begun_ns, t_end_ns, t_moved_ns, t_counted_ns;
	struct damon_cost before, cost;
	double clear_ns, flush_ns;
	uint64_t sample_us;
	unsigned int windows;
	struct accuracy_hot sum;
	double worst_precision, worst_recall;
	const char *flush;
};

/* What an engine found, and what is true; too large for a stack. */
static struct damon_region found[MAX_PARTS];
static struct accuracy_run truth[MAX_PARTS];
static size_t nr_found;

static int add_pages(void *data, uint64_t start, uint64_t end, uint64_t page_size, int32_t touched,
		     uint32_t samples)
{
	if (nr_found == MAX_PARTS)
		return -ENOSPC;
	if (touched > 0)
		found[nr_found++] =
			(struct damon_region){.ar = {start, end}, .nr_accesses = (uint32_t)touched};
	return 0;
}

static void take_regions(struct damon_ctx *ctx, uint64_t start, uint64_t end)
{
	size_t nr = damon_nr_regions(ctx->targets[0]), i;

	for (i = 0; i < nr; i++) {
		struct damon_region *region = &found[nr_found];

		damon_get_region(ctx, ctx->targets[0], i, region);
		if (region->ar.start < start)
			region->ar.start = start;
		if (region->ar.end > end)
			region->ar.end = end;
		nr_found += region->ar.start < region->ar.end;
	}
}

/* Only the pages of the area: of its stack and libraries the process says nothing. */
static void keep_inside(uint64_t start, uint64_t end)
{
	size_t i, kept = 0;

	for (i = 0; i < nr_found; i++) {
		if (found[i].ar.start >= start && found[i].ar.end <= end)
			found[kept++] = found[i];
	}
	nr_found = kept;
}

/* Each page that is touched, and the ones between them. */
static size_t take_truth(const struct run *run, uint64_t start, uint32_t samples)
{
	const struct toucher_pattern *pattern = &run->pattern;
	uint64_t page = start + pattern->first * TOUCHER_PAGE, i;
	size_t nr = 0;

	if (pattern->stride == 1) {
		truth[nr++] = (struct accuracy_run){{page, page + pattern->nr * TOUCHER_PAGE},
						    (int32_t)samples};
		return nr;
	}
	for (i = 0; i < pattern->nr; i++, page += pattern->stride * TOUCHER_PAGE)
		truth[nr++] = (struct accuracy_run){{page, page + TOUCHER_PAGE}, (int32_t)samples};
	return nr;
}

static void judge(struct run *run, struct damon_ctx *ctx, const struct damon_window *window)
{
	uint64_t start = (uintptr_t)run->toucher->area, end = start + run->toucher->size;
	struct accuracy_window judged = {
		.nr_samples = window->nr_samples, .regions = found, .runs = truth};
	struct accuracy accuracy = {};
	struct accuracy_hot *hot = &accuracy.hot[HOT_LEVEL];
	double precision, recall;

	nr_found = 0;
	if (run->by_pages)
		damon_vaddr_page_heat(ctx, ctx->targets[0], add_pages, NULL);
	else
		take_regions(ctx, start, end);
	keep_inside(start, end);
	judged.nr_regions = nr_found;
	judged.nr_runs = take_truth(run, start, window->nr_samples);
	accuracy_add(&accuracy, &judged);
	/* The truth is that of the pattern, whether or not a region covers it. */
	hot->truth = run->pattern.nr * TOUCHER_PAGE;
	precision = hot->found ? accuracy_precision(hot) : 0;
	recall = accuracy_recall(hot);
	if (precision < run->worst_precision)
		run->worst_precision = precision;
	if (recall < run->worst_recall)
		run->worst_recall = recall;
	run->sum.found += hot->found;
	run->sum.both += hot->both;
	run->sum.truth += hot->truth;
	run->windows++;
}

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct run *run = data;

	if (!run->t_begun_ns)
		run->t_begun_ns = run->t_moved_ns = window->t_start_ns;
	if (window->t_start_ns - run->t_begun_ns >= run->adapt_ns) {
		if (!run->windows)
			run->t_counted_ns = window->t_start_ns;
		judge(run, ctx, window);
		run->t_end_ns = window->t_end_ns;
		run->cost = window->cost;
		run->sample_us = window->sample_us;
		run->clear_ns = damon_vaddr_clear_cost_ns(ctx);
		run->flush_ns = damon_vaddr_flush_cost_ns(ctx);
	} else {
		run->before = window->cost;
	}
	/* Between two windows, so that each has one pattern. */
	if (run->step && window->t_end_ns - run->t_moved_ns >= MOVE_NS) {
		run->pattern.first += run->step;
		if (run->pattern.first + run->pattern.nr > AREA / TOUCHER_PAGE)
			run->pattern.first = 0;
		toucher_set(run->toucher, &run->pattern);
		run->t_moved_ns = window->t_end_ns;
	}
	return 0;
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct run *run = data;

	run->flush = damon_vaddr_describe_flush(ctx);
}

static int open_run(struct run *run, const struct damon_vaddr_options *options,
		    struct damon_error *err)
{
	struct damon_target *target;
	struct damon_attrs attrs;
	int ret = damon_vaddr_env_new(&run->env, options, err);

	if (ret)
		return ret;
	run->port = damon_port_posix_new();
	if (!run->port || damon_lib_new(&run->lib, run->port) ||
	    damon_vaddr_register(run->lib, run->env) || damon_new_ctx(&run->ctx, run->lib) ||
	    damon_select_ops(run->ctx, DAMON_OPS_VADDR))
		return damon_error_set(err, -ENOMEM, "out of memory");
	damon_default_attrs(&attrs);
	attrs.ops_update_interval = 1000000;
	run->by_pages = !strcmp(options->engine, "scan");
	if (run->by_pages) {
		attrs.sample_interval = SCAN_SAMPLE_US;
		attrs.aggr_interval = SCAN_AGGR_US;
	}
	if (run->min_regions) {
		attrs.min_nr_regions = run->min_regions;
		attrs.max_nr_regions = run->max_regions;
	}
	damon_set_attrs(run->ctx, &attrs);
	run->ctx->seed = 1;
	run->ctx->callbacks =
		(struct damon_callbacks){.window = on_window, .stopped = on_stopped, .data = run};
	ret = damon_vaddr_target_new(&target, run->lib, run->env, run->toucher->pid, err);
	return ret ? ret : damon_add_target(run->ctx, target);
}

static void close_run(struct run *run)
{
	damon_destroy_ctx(run->ctx);
	if (run->lib)
		damon_lib_free(run->lib);
	damon_vaddr_env_free(run->env);
	if (run->port)
		damon_port_posix_free(run->port);
}

/* Share of a processor: the monitor's time, and what it takes from the one thread that runs. */
static double cost_percent(const struct run *run)
{
	double clears = (double)(run->cost.clears - run->before.clears);
	double flushes = (double)(run->cost.flushes - run->before.flushes);
	double ns = (double)(run->cost.cpu_ns - run->before.cpu_ns) + clears * run->clear_ns +
		    flushes * run->flush_ns;

	return run->t_end_ns > run->t_counted_ns
		       ? 100 * ns / (double)(run->t_end_ns - run->t_counted_ns)
		       : 0;
}

static int measure(struct run *run, const struct damon_vaddr_options *options, unsigned int seconds,
		   struct damon_error *err)
{
	struct timespec pause = {.tv_sec = seconds, .tv_nsec = 200000000};
	int ret = open_run(run, options, err);

	toucher_set(run->toucher, &run->pattern);
	if (!ret)
		ret = damon_start(&run->ctx, 1, false);
	if (ret) {
		damon_vaddr_env_error(run->env, err);
		return ret;
	}
	pause.tv_sec += (time_t)(run->adapt_ns / 1000000000);
	nanosleep(&pause, NULL);
	damon_stop(&run->ctx, 1);
	return 0;
}

static void print_run(const struct run *run, const char *name)
{
	printf("\"%s\": {\"windows\": %u, \"precision_pct\": %.2f, \"recall_pct\": %.2f, "
	       "\"worst_precision_pct\": %.2f, \"worst_recall_pct\": %.2f, "
	       "\"sample_ms\": %.1f, \"cost_pct\": %.2f}",
	       name, run->windows, run->sum.found ? 100 * accuracy_precision(&run->sum) : 0,
	       run->sum.truth ? 100 * accuracy_recall(&run->sum) : 0,
	       run->windows ? 100 * run->worst_precision : 0,
	       run->windows ? 100 * run->worst_recall : 0, (double)run->sample_us / 1000,
	       cost_percent(run));
	fflush(stdout);
}

/* Pages of the pattern that are seen right after it was gone through twice. */
static int look_at_once(struct toucher *toucher, const struct toucher_pattern *pattern,
			bool no_flush, const struct page_calibration *calibration,
			struct damon_error *err)
{
	struct scan_options options = {.max_stall_us = MAX_STALL_US, .no_flush = no_flush};
	struct damon_addr_range range = {(uintptr_t)toucher->area,
					 (uintptr_t)toucher->area + toucher->size};
	uint64_t right = 0, hot = 0, wrong = 0, page;
	bool alone;
	struct scan_engine *engine = NULL;
	struct scan_target *target = NULL;
	struct page_process process;
	struct watch_map map = {};
	const struct sched_param first = {.sched_priority = 1}, none = {};
	uint32_t access;
	int ret, round;

	watch_map_begin(&map);
	ret = watch_map_add(&map, range.start, range.end, 0);
	watch_map_end(&map);
	if (!ret)
		ret = scan_engine_new(&engine, calibration, &options, err);
	if (!ret)
		ret = scan_target_new(&target, engine, toucher->pidfd, toucher->pid, &map, err);
	toucher_set(toucher, pattern);
	alone = !sched_setscheduler(toucher->pid, SCHED_FIFO, &first);
	for (round = 0; round < ROUNDS && !ret; round++) {
		ret = scan_prepare(target, &range, 1, true, &process);
		toucher_round(toucher);
		if (!ret)
			ret = scan_check(target, &range, 1, &access, &process);
		for (page = 0; page < toucher->size / TOUCHER_PAGE && !ret; page++) {
			uint64_t addr = range.start + page * TOUCHER_PAGE;
			const struct scan_block *block =
				scan_blocks_find(scan_target_blocks(target), addr);
			uint64_t i = (addr - block->start) / TOUCHER_PAGE;
			bool young = block->words[i / 64].young >> (i % 64) & 1;
			bool touched = toucher_touches(pattern, page);

			hot += touched;
			right += touched && young;
			wrong += !touched && young;
		}
	}
	sched_setscheduler(toucher->pid, SCHED_OTHER, &none);
	if (!ret)
		printf("{\"windows\": %d, \"alone\": %s, \"precision_pct\": %.2f, "
		       "\"recall_pct\": %.2f}",
		       ROUNDS, alone ? "true" : "false",
		       right ? 100.0 * (double)right / (double)(right + wrong) : 0,
		       100.0 * (double)right / (double)hot);
	scan_target_free(target);
	scan_engine_free(engine);
	watch_map_clear(&map);
	return ret;
}

/* All of them on one set. */
static int compare(const struct set *set, unsigned int seconds,
		   const struct page_calibration *calibration, struct damon_error *err)
{
	struct damon_vaddr_options options[] = {
		{.engine = "scan", .max_stall_us = MAX_STALL_US},
		{.engine = "scan", .max_stall_us = MAX_STALL_US, .no_flush = true},
		{.engine = "point"},
		{.engine = "point"},
	};
	static const char *const names[] = {"scan", "scan_without_flush", "point",
					    "point_with_many_regions"};
	struct toucher toucher;
	int ret = 0;
	size_t i;

	toucher_start(&toucher, AREA, false);
	printf("  {\"hot\": \"%s\", \"hot_pages\": %lu, ", set->name, set->pattern.nr);
	for (i = 0; i < 2 && !ret; i++) {
		printf("\"%s_at_once\": ", names[i]);
		ret = look_at_once(&toucher, &set->pattern, i == 1, calibration, err);
		printf(", ");
	}
	for (i = 0; i < 4 && !ret; i++) {
		struct run run = {.toucher = &toucher,
				  .pattern = set->pattern,
				  .step = set->step,
				  .worst_precision = 1,
				  .worst_recall = 1};

		if (i == 3)
			run.min_regions = MANY_REGIONS, run.max_regions = MOST_REGIONS;
		if (i >= 2)
			run.adapt_ns = POINT_ADAPT_SEC * 1000000000ULL;
		ret = measure(&run, &options[i], seconds, err);
		if (!ret) {
			if (i)
				printf(", ");
			print_run(&run, names[i]);
			if (i == 0)
				options[2].budget_bp = options[3].budget_bp =
					(uint32_t)(100 * cost_percent(&run)) + 1;
		}
		close_run(&run);
	}
	printf("}");
	toucher_stop(&toucher);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 3;
	struct page_calibration calibration;
	struct damon_error err = {""};
	int ret;
	size_t i;

	if (available_mib() < 2 * AREA / MIB) {
		fprintf(stderr, "bench_accuracy: less than 2 GiB of memory are available\n");
		return 77;
	}
	ret = page_calibrate(&calibration, &err);
	printf("{\"sets_within_mib\": %llu, \"sets\": [\n", AREA / MIB);
	for (i = 0; i < sizeof(sets) / sizeof(*sets) && !ret; i++) {
		ret = compare(&sets[i], seconds ? seconds : 1, &calibration, &err);
		printf("%s\n", i + 1 < sizeof(sets) / sizeof(*sets) && !ret ? "," : "");
	}
	printf("]}\n");
	if (ret) {
		fprintf(stderr, "bench_accuracy: %s\n", *err.text ? err.text : strerror(-ret));
		return 77;
	}
	return 0;
}
