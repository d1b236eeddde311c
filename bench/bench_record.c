/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What recording costs: time and bytes per window, at about 100 and 1,000 regions.
 *
 * The regions are those a monitor finds on the simulated program "zipf" at default intervals; they
 * are written as a live record is, beside the checkpoint thread, into $TMPDIR. In virtual time the
 * windows come without a pause, so the disk is busier than it would be live.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ops/sim.h"
#include "record/record.h"

#define WINDOWS		 2000
#define WARM_UP		 50
#define WINDOWS_PER_HOUR 36000

struct bench {
	struct damon_port *port;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_env env;
	struct record *rec;
	uint64_t nr_regions; /* the attributes' maximum */
	uint64_t windows;
	uint64_t rows;
	uint64_t cpu_ns;
	uint64_t *wall_ns; /* of each window */
	int error;
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct bench *bench = data;
	uint64_t i = bench->windows++;
	uint64_t wall, cpu;

	if (i < WARM_UP)
		return 0;
	i -= WARM_UP;
	wall = read_clock(CLOCK_MONOTONIC);
	cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
	bench->error = record_window(bench->rec, ctx, window);
	bench->cpu_ns += read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
	bench->wall_ns[i] = read_clock(CLOCK_MONOTONIC) - wall;
	bench->rows += damon_nr_regions(ctx->targets[0]);
	return bench->error || i + 1 == WINDOWS ? -ECANCELED : 0;
}

/* On the cooperative port's first thread. */
static void monitor(void *data)
{
	struct bench *bench = data;
	struct damon_target *target = NULL;
	struct damon_attrs attrs;
	int rc;

	damon_default_attrs(&attrs);
	attrs.min_nr_regions = bench->nr_regions;
	attrs.max_nr_regions = bench->nr_regions + bench->nr_regions / 10;
	rc = damon_lib_new(&bench->lib, bench->port);
	rc = rc ? rc : sim_register_ops(bench->lib, &bench->env);
	rc = rc ? rc : damon_new_ctx(&bench->ctx, bench->lib);
	rc = rc ? rc : damon_select_ops(bench->ctx, DAMON_OPS_SIM);
	rc = rc ? rc : damon_new_target(&target, bench->lib);
	rc = rc ? rc : damon_add_target(bench->ctx, target);
	rc = rc ? rc : damon_set_attrs(bench->ctx, &attrs);
	if (!rc) {
		bench->ctx->callbacks = (struct damon_callbacks){
			.window = on_window,
			.data = bench,
		};
		rc = damon_start(&bench->ctx, 1, false);
	}
	if (!rc)
		damon_wait(bench->ctx, UINT64_MAX, NULL);
	if (rc)
		bench->error = rc;
	damon_destroy_ctx(bench->ctx);
	damon_lib_free(bench->lib);
}

/* A program that touches its memory with Zipf-like frequency, for as long as it takes. */
static int make_program(struct bench *bench, struct damon_error *err)
{
	int rc = sim_workload_builtin("zipf", &bench->workload, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < bench->workload->nr_phases; i++)
		bench->workload->phases[i].duration_ms = 1000 * 3600;
	rc = sim_space_new(&bench->space, bench->workload, 1, 0, err);
	bench->env = (struct sim_env){.nr_spaces = 1, .spaces = &bench->space};
	return rc;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_result(const struct bench *bench, const char *path, double close_ms,
			 const char *separator)
{
	double total = 0, rows, bytes;
	struct stat st;

	stat(path, &st);
	rows = (double)bench->rows / WINDOWS;
	bytes = (double)st.st_size / WINDOWS;
	for (size_t i = 0; i < WINDOWS; i++)
		total += (double)bench->wall_ns[i];
	qsort(bench->wall_ns, WINDOWS, sizeof(*bench->wall_ns), compare);
	printf("%s{\"regions_mean\": %.1f, \"windows\": %d, \"us_per_window\": %.1f, "
	       "\"us_per_window_cpu\": %.1f, \"us_median\": %.1f, \"us_99_percent\": %.1f, "
	       "\"us_max\": %.1f, \"close_ms\": %.1f, \"bytes_per_window\": %.0f, "
	       "\"bytes_per_region\": %.1f, \"mb_per_hour_at_100ms\": %.1f}",
	       separator, rows, WINDOWS, total / WINDOWS / 1000,
	       (double)bench->cpu_ns / WINDOWS / 1000, (double)bench->wall_ns[WINDOWS / 2] / 1000,
	       (double)bench->wall_ns[WINDOWS - WINDOWS / 100] / 1000,
	       (double)bench->wall_ns[WINDOWS - 1] / 1000, close_ms, bytes, bytes / rows,
	       bytes * WINDOWS_PER_HOUR / 1e6);
}

static int run(const char *path, uint64_t nr_regions, const char *separator,
	       struct damon_error *err)
{
	static const struct record_options options = {.engine = "sim", .clock = "virtual"};
	struct bench bench = {.nr_regions = nr_regions};
	uint64_t start;
	int rc;

	bench.wall_ns = calloc(WINDOWS, sizeof(*bench.wall_ns));
	bench.port = damon_port_coop_new(1, NULL);
	rc = bench.wall_ns && bench.port ? make_program(&bench, err) : -ENOMEM;
	rc = rc ? rc : record_create(&bench.rec, path, &options, err);
	if (!rc) {
		rc = damon_port_coop_run(bench.port, monitor, &bench);
		rc = rc ? rc : bench.error;
		start = read_clock(CLOCK_MONOTONIC);
		if (record_close(bench.rec, err) != 0 && !rc)
			rc = -EIO;
		if (!rc)
			print_result(&bench, path,
				     (double)(read_clock(CLOCK_MONOTONIC) - start) / 1e6,
				     separator);
	}
	sim_space_free(bench.space);
	sim_workload_free(bench.workload);
	damon_port_coop_free(bench.port);
	free(bench.wall_ns);
	return rc;
}

int main(void)
{
	const char *base = getenv("TMPDIR");
	struct damon_error err = {""};
	char directory[4096], path[4200];
	int rc;

	snprintf(directory, sizeof(directory), "%s/udamon-bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/record.db", directory);
	printf("{\"runs\": [");
	rc = run(path, 100, "", &err);
	rc = rc ? rc : run(path, 1000, ",\n  ", &err);
	printf("]}\n");
	if (rc)
		fprintf(stderr, "bench_record: %s\n", err.text[0] ? err.text : strerror(-rc));
	unlink(path);
	rmdir(directory);
	return rc ? 1 : 0;
}
