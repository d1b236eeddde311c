/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What monitoring costs: the monitor's processor time, and how much slower a busy target gets.
 *
 * The target does random accesses to its hot memory. That is a tenth of what is watched, or all of it:
 * then every sample's bit is set and must be cleared, which is the worst case. Its speed is work done per processor time *it* was given, so that
 * time the monitor (or anybody else) takes from it doesn't count as a slowdown; what is left are the
 * interrupts and page walks that clearing causes. Slices with and without monitoring alternate in one
 * run, in an order that changes from pair to pair. Prints one JSON object; the slowdown in per cent twice
 * with its 95 % confidence interval: the mean of the pairs with Student's t, and their pseudomedian (the median
 * of all means of two) with the interval of Wilcoxon's signed ranks, which a few disturbed pairs
 * don't move (Hodges and Lehmann 1963; Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and 3.3).
 *
 *	bench_overhead [--scan-pairs N] [--scan-only]
 *
 * "scan" looks at a target that uses all of 256 MiB. What a look costs the target is over within 50 ms, and how fast the
 * machine is changes from one second to the next by much more: so slices are of 250 ms, each second one with a look at
 * its beginning, and what they show is said for one look a second, a quarter of it. Then the same with a budget of 2 % of
 * those looks, within which pages that stay in use are made old in each fourth look only. A pair takes 0.5 s: N is 40 unless
 * told otherwise, which is enough to see that it works but not for a narrow interval.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <udamon/ops.h>

#include <udamon/vaddr.h>

#define MIB	    (1ULL << 20)
#define HOT_BYTES   (32 * MIB)
#define MOST_BYTES  (10 * HOT_BYTES)
#define MAX_THREADS 2
#define PAIRS	    12
#define MAX_PAIRS   400
#define SLICE_US    200000
#define SCAN_BYTES  (256 * MIB)
#define SCAN_US	    250000  /* a look each */
#define SCAN_FOR_US 1000000 /* said for looks so far apart */
#define WARM_UP_US  1500000

/* With a budget, which takes some windows to have its effect: basis points of the time between looks. */
#define BUDGET_BP      200
#define BUDGET_AGGR_US (5 * SCAN_US)
#define BUDGET_WARM_UP 15000000

/* Student's t for 95 %, two-sided; from 5 degrees of freedom on within 1 %, below that somewhat small. */
static double student_t(double degrees)
{
	return 1.96 + 2.37 / degrees + 2.8 / (degrees * degrees);
}

/* Shared with the target: each thread's work so far. */
struct progress {
	volatile uint64_t done[MAX_THREADS][8];
};

struct busy {
	pid_t pid;
	clockid_t clock;
	unsigned int nr_threads;
	char *area; /* its first @hot bytes are hot */
	uint64_t hot;
	struct progress *progress;
};

struct worker {
	struct busy *busy;
	unsigned int idx;
	char *area;
	uint64_t size;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	volatile uint64_t *done = worker->busy->progress->done[worker->idx];
	uint64_t random = worker->idx + 1, i;

	for (;;) {
		for (i = 0; i < 1024; i++) {
			/* A full-period generator modulo 2^64; its upper bits are the good ones. */
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			worker->area[(random >> 32) % worker->size]++;
		}
		*done += 1024;
	}
	return NULL;
}

static void target_main(struct busy *busy, int ready)
{
	static struct worker workers[MAX_THREADS];
	uint64_t share = busy->hot / busy->nr_threads;
	pthread_t thread;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(busy->area, 1, MOST_BYTES);
	for (i = 0; i < busy->nr_threads; i++) {
		workers[i] = (struct worker){busy, i, busy->area + i * share, share};
		if (pthread_create(&thread, NULL, work, &workers[i]))
			_exit(1);
	}
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int start_target(struct busy *busy, unsigned int nr_threads, uint64_t hot)
{
	int ends[2];
	char byte;
	ssize_t len;

	busy->nr_threads = nr_threads;
	busy->hot = hot;
	busy->progress = mmap(NULL, sizeof(*busy->progress), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Mapped on both sides, so that it is known where it is; only the target uses it. */
	busy->area =
		mmap(NULL, MOST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (busy->progress == MAP_FAILED || busy->area == MAP_FAILED || pipe(ends))
		return -errno;
	madvise(busy->area, MOST_BYTES, MADV_NOHUGEPAGE);
	busy->pid = fork();
	if (!busy->pid)
		target_main(busy, ends[1]);
	close(ends[1]);
	len = busy->pid > 0 ? read(ends[0], &byte, 1) : -1;
	close(ends[0]);
	if (len != 1)
		return -EIO;
	return -clock_getcpuclockid(busy->pid, &busy->clock);
}

static void stop_target(struct busy *busy)
{
	if (busy->pid > 0) {
		kill(busy->pid, SIGKILL);
		waitpid(busy->pid, NULL, 0);
	}
	munmap(busy->progress, sizeof(*busy->progress));
	munmap(busy->area, MOST_BYTES);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double work_done(const struct busy *busy)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < busy->nr_threads; i++)
		sum += (double)busy->progress->done[i][0];
	return sum;
}

/* Work per processor second of the target during one slice. */
static double slice_speed(const struct busy *busy, uint64_t slice_us)
{
	double work_before = work_done(busy), cpu_before = seconds(busy->clock);

	usleep((useconds_t)slice_us);
	return (work_done(busy) - work_before) / (seconds(busy->clock) - cpu_before);
}

struct attempt {
	unsigned int nr_regions;
	uint64_t watched; /* bytes from the area's start */
	const char *engine;
	uint64_t slice_us;
	int nr_pairs;
	uint64_t said_for_us; /* sampling intervals that the figures are given for */
	uint32_t budget_bp;   /* with those; 0: none */
};

struct sums {
	double ratios[MAX_PAIRS];      /* logarithm of speed without / with */
	double monitor_cpu, monitored; /* seconds */
	uint64_t clears, regions, windows, sample_us;
};

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct sums *sums = data;

	sums->clears = window->cost.clears;
	sums->regions += damon_nr_regions(ctx->targets[0]);
	sums->windows++;
	sums->sample_us = window->sample_us;
	return 0;
}

static double monitored_slice(struct damon_ctx *ctx, const struct busy *busy,
			      const struct attempt *attempt, struct sums *sums)
{
	double cpu, wall, speed;

	damon_resume(ctx);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	wall = seconds(CLOCK_MONOTONIC);
	speed = slice_speed(busy, attempt->slice_us);
	sums->monitor_cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	sums->monitored += seconds(CLOCK_MONOTONIC) - wall;
	damon_pause(ctx);
	return speed;
}

static uint64_t warm_up_us(const struct attempt *attempt)
{
	return attempt->budget_bp ? BUDGET_WARM_UP : WARM_UP_US;
}

static void alternate(struct damon_ctx *ctx, const struct busy *busy, const struct attempt *attempt,
		      struct sums *sums)
{
	double with, without;
	int i;

	usleep(warm_up_us(attempt));
	damon_pause(ctx);
	for (i = 0; i < attempt->nr_pairs; i++) {
		/* with, without; without, with; ... so that a drift hits both alike. */
		if (i % 2) {
			without = slice_speed(busy, attempt->slice_us);
			with = monitored_slice(ctx, busy, attempt, sums);
		} else {
			with = monitored_slice(ctx, busy, attempt, sums);
			without = slice_speed(busy, attempt->slice_us);
		}
		sums->ratios[i] = log(without / with);
	}
}

/* What a slice shows, for the intervals that figures are given for. */
static double scaled(const struct attempt *attempt, double figure)
{
	return figure * (double)attempt->slice_us / (double)attempt->said_for_us;
}

/* A logarithm of a ratio, in per cent. */
static double per_cent(const struct attempt *attempt, double ratio)
{
	return scaled(attempt, 100 * (exp(ratio) - 1));
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_mean(const struct attempt *attempt, const struct sums *sums)
{
	double mean = 0, squares = 0, error;
	int i, nr = attempt->nr_pairs;

	for (i = 0; i < nr; i++)
		mean += sums->ratios[i] / nr;
	for (i = 0; i < nr; i++)
		squares += (sums->ratios[i] - mean) * (sums->ratios[i] - mean);
	error = student_t(nr - 1) * sqrt(squares / (nr - 1) / nr);
	printf("\"target_slowdown_pct\": %.2f, \"low\": %.2f, \"high\": %.2f, ",
	       per_cent(attempt, mean), per_cent(attempt, mean - error),
	       per_cent(attempt, mean + error));
}

/* Normal approximation; with fewer than 6 pairs no interval has 95 %: then it is all there is. */
static void print_pseudomedian(const struct attempt *attempt, const struct sums *sums)
{
	static double means[MAX_PAIRS * (MAX_PAIRS + 1) / 2];
	size_t total = 0, skip;
	int i, j, nr = attempt->nr_pairs;
	double n = nr, rank;

	for (i = 0; i < nr; i++) {
		for (j = i; j < nr; j++)
			means[total++] = (sums->ratios[i] + sums->ratios[j]) / 2;
	}
	qsort(means, total, sizeof(*means), compare);
	rank = n * (n + 1) / 4 - 1.96 * sqrt(n * (n + 1) * (2 * n + 1) / 24);
	skip = rank > 0 ? (size_t)rank : 0;
	printf("\"pseudomedian_pct\": %.2f, \"pseudomedian_low\": %.2f, \"pseudomedian_high\": %.2f}",
	       per_cent(attempt, (means[total / 2] + means[(total - 1) / 2]) / 2),
	       per_cent(attempt, means[skip]), per_cent(attempt, means[total - 1 - skip]));
}

static void print_case(const struct busy *busy, const struct attempt *attempt,
		       const struct sums *sums, double seconds_in_all, bool first)
{
	printf("%s\n  {\"engine\": \"%s\", \"pairs\": %d, \"threads\": %u, \"hot_pct\": %llu, \"regions_asked\": %u, \"regions\": %.0f, "
	       "\"budget_pct\": %g, \"sample_ms\": %.0f, \"said_for_ms\": %.0f, \"monitor_cpu_pct\": %.2f, \"clears_per_s\": %.0f, ",
	       first ? "" : ",", attempt->engine, attempt->nr_pairs, busy->nr_threads,
	       (unsigned long long)(100 * busy->hot / attempt->watched), attempt->nr_regions,
	       sums->windows ? (double)sums->regions / (double)sums->windows : 0,
	       attempt->budget_bp / 100.0, (double)sums->sample_us / 1000,
	       (double)attempt->said_for_us / 1000,
	       scaled(attempt, 100 * sums->monitor_cpu / sums->monitored),
	       scaled(attempt, (double)sums->clears / seconds_in_all));
	print_mean(attempt, sums);
	print_pseudomedian(attempt, sums);
	fflush(stdout);
}

static int set_up(struct damon_ctx *ctx, struct damon_lib *lib, struct damon_vaddr_env *env,
		  const struct busy *busy, const struct attempt *attempt, struct damon_error *err)
{
	uint64_t start = (uintptr_t)busy->area;
	struct damon_addr_range range = {start, start + attempt->watched};
	struct damon_target *target;
	struct damon_attrs attrs;
	int ret = damon_select_ops(ctx, DAMON_OPS_FVADDR);

	damon_default_attrs(&attrs);
	attrs.min_nr_regions = attrs.max_nr_regions = attempt->nr_regions;
	if (!strcmp(attempt->engine, "scan"))
		attrs.sample_interval = attrs.aggr_interval = SCAN_US;
	if (attempt->budget_bp)
		attrs.aggr_interval = BUDGET_AGGR_US;
	if (!ret)
		ret = damon_set_attrs(ctx, &attrs);
	if (!ret)
		ret = damon_vaddr_target_new(&target, lib, env, busy->pid, err);
	if (ret)
		return ret;
	ret = damon_set_regions(target, &range, 1, attrs.min_region_sz);
	if (!ret)
		ret = damon_add_target(ctx, target);
	if (ret)
		damon_free_target(target);
	return ret;
}

static int run_case(struct damon_lib *lib, struct damon_vaddr_env *env, const struct busy *busy,
		    const struct attempt *attempt, bool first, struct damon_error *err)
{
	static struct sums sums;
	struct damon_ctx *ctx;
	int ret = damon_new_ctx(&ctx, lib);

	if (ret)
		return ret;
	sums = (struct sums){};
	ctx->callbacks.window = on_window;
	ctx->callbacks.data = &sums;
	ret = set_up(ctx, lib, env, busy, attempt, err);
	if (!ret && (ret = damon_start(&ctx, 1, false)))
		damon_vaddr_env_error(env, err);
	if (!ret) {
		alternate(ctx, busy, attempt, &sums);
		damon_stop(&ctx, 1);
		print_case(busy, attempt, &sums, sums.monitored + (double)warm_up_us(attempt) / 1e6,
			   first);
	}
	damon_destroy_ctx(ctx);
	return ret;
}

static int run_point(struct damon_lib *lib, struct damon_vaddr_env *env, struct damon_error *err,
		     bool *first)
{
	static const struct attempt attempts[] = {
		{10, MOST_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0},
		{100, MOST_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0},
		{1000, MOST_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0},
		{10, HOT_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0},
		{100, HOT_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0},
		{1000, HOT_BYTES, "point", SLICE_US, PAIRS, SLICE_US, 0}};
	unsigned int threads, i;
	struct busy busy = {};
	int ret = 0;

	for (threads = 1; !ret && threads <= MAX_THREADS; threads++) {
		ret = start_target(&busy, threads, HOT_BYTES);
		for (i = 0; !ret && i < 6; i++) {
			ret = run_case(lib, env, &busy, &attempts[i], *first, err);
			*first = false;
		}
		stop_target(&busy);
	}
	return ret;
}

static int run_scan(struct damon_lib *lib, struct damon_vaddr_env *env, struct damon_error *err,
		    bool *first, int nr_pairs, uint32_t budget_bp)
{
	const struct attempt attempt = {.nr_regions = 1000,
					.watched = SCAN_BYTES,
					.engine = "scan",
					.slice_us = SCAN_US,
					.nr_pairs = nr_pairs,
					.said_for_us = SCAN_FOR_US,
					.budget_bp = budget_bp};
	struct busy busy = {};
	unsigned int threads;
	int ret = 0;

	for (threads = 1; !ret && threads <= MAX_THREADS; threads++) {
		ret = start_target(&busy, threads, SCAN_BYTES);
		if (!ret)
			ret = run_case(lib, env, &busy, &attempt, *first, err);
		*first = false;
		stop_target(&busy);
	}
	return ret;
}

/* An environment has one engine. */
static int with_engine(const char *engine, int nr_pairs, uint32_t budget_bp, bool *first,
		       struct damon_error *err)
{
	const struct damon_vaddr_options options = {
		.engine = engine, .budget_bp = budget_bp * (SCAN_FOR_US / SCAN_US)};
	struct damon_port *port = damon_port_posix_new();
	struct damon_vaddr_env *env = NULL;
	struct damon_lib *lib = NULL;
	int ret = damon_vaddr_env_new(&env, &options, err);

	if (!ret)
		ret = port ? damon_lib_new(&lib, port) : -ENOMEM;
	if (!ret)
		ret = damon_vaddr_register(lib, env);
	if (!ret)
		ret = nr_pairs ? run_scan(lib, env, err, first, nr_pairs, budget_bp)
			       : run_point(lib, env, err, first);
	if (lib)
		damon_lib_free(lib);
	damon_vaddr_env_free(env);
	if (port)
		damon_port_posix_free(port);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"scan-pairs", 1, NULL, 'n'}, {"scan-only", 0, NULL, 'o'}, {NULL, 0, NULL, 0}};
	bool scan_only = false, first = true;
	struct damon_error err = {};
	int nr_pairs = 40, ret = 0, c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'n')
			nr_pairs = atoi(optarg);
		else if (c == 'o')
			scan_only = true;
		if (c == '?' || nr_pairs < 2 || nr_pairs > MAX_PAIRS) {
			fprintf(stderr,
				"usage: bench_overhead [--scan-pairs 2..%d] [--scan-only]\n",
				MAX_PAIRS);
			return 2;
		}
	}
	printf("{\"cases\": [");
	if (!scan_only)
		ret = with_engine("point", 0, 0, &first, &err);
	if (!ret)
		ret = with_engine("scan", nr_pairs, 0, &first, &err);
	if (!ret)
		ret = with_engine("scan", nr_pairs, BUDGET_BP, &first, &err);
	puts("]}");
	if (!ret)
		return 0;
	fprintf(stderr, "bench_overhead: %s\n", *err.text ? err.text : strerror(-ret));
	return ret == -EPERM || ret == -EACCES || ret == -EOPNOTSUPP ? 77 : 1;
}
