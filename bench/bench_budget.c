/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Does the overhead budget hold? Processes that change while they are watched, at several budgets.
 *
 *	bench_budget [--seconds N] [--mib N] [--budget BP]... [--engine NAME] [--target grow|threads] [--pid PID]
 *
 * "grow" uses 64 MiB and then more, up to --mib (default 512), in the first half of the time; "threads" has one
 * busy thread, and four more after a third of it; with --pid a process that is there already is watched
 * too. Both engines and the budgets 0.5 %, 2 % and 10 % unless one is named. Prints one JSON object: what was
 * spent, accounted as the library does (its thread's processor time, and clears and interrupts times
 * their prices), and as a check the processor time of this whole process.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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

#include "../tests/tools/memory.h"
#include <udamon/vaddr.h>

#define MIB	    (1ULL << 20)
#define PAGE	    4096ULL
#define FIRST_MIB   64
#define THREADS	    4
#define BUSY_MIB    256
#define MAX_BUDGETS 8

struct wish {
	unsigned int seconds;
	uint64_t mib;
	uint32_t budgets[MAX_BUDGETS];
	unsigned int nr_budgets;
	const char *engine;
	const char *target;
	pid_t pid;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double own_cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Targets. */

static void touch(volatile char *area, uint64_t bytes, uint64_t *random, uint64_t times)
{
	while (times--) {
		*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
		area[(*random >> 20) % bytes]++;
	}
}

static char *take(uint64_t bytes)
{
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		_exit(1);
	madvise(area, bytes, MADV_NOHUGEPAGE);
	return area;
}

static void grow(const struct wish *wish)
{
	uint64_t most = wish->mib * MIB, used = FIRST_MIB * MIB, random = 1, wanted, at;
	double start = now(), part;
	char *area = take(most);

	memset(area, 1, used);
	for (;;) {
		part = (now() - start) / (wish->seconds / 2.0);
		wanted = (uint64_t)((double)most * (part < 1 ? part : 1));
		for (at = used; at < wanted; at += PAGE)
			area[at] = 1;
		if (wanted > used)
			used = wanted;
		touch(area, used, &random, 4096);
	}
}

static void *keep_busy(void *area)
{
	uint64_t random = (uintptr_t)&random;

	for (;;)
		touch(area, BUSY_MIB * MIB, &random, 4096);
	return NULL;
}

static void multiply(const struct wish *wish)
{
	char *area = take(BUSY_MIB * MIB);
	pthread_t thread;
	unsigned int i;

	memset(area, 1, BUSY_MIB * MIB);
	if (pthread_create(&thread, NULL, keep_busy, area))
		_exit(1);
	sleep(wish->seconds / 3);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, keep_busy, area))
			_exit(1);
	for (;;)
		pause();
}

static pid_t start_target(const char *name, const struct wish *wish)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		_exit(1);
	close(fd);
	if (!strcmp(name, "grow"))
		grow(wish);
	multiply(wish);
	_exit(1);
}

/* Watching. */

struct seen {
	struct damon_cost cost;
	uint64_t floor_us, sample_us, nr_windows, nr_floored;
	double cpu, seconds; /* of the kdamond, from its start to its end */
};

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct seen *seen = data;

	seen->nr_windows++;
	seen->cost = window->cost;
	seen->floor_us = window->floor_us;
	seen->sample_us = window->sample_us;
	seen->nr_floored += window->floor_us > 0;
	return 0;
}

static double thread_cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int on_started(struct damon_ctx *ctx, void *data)
{
	struct seen *seen = data;

	seen->cpu = -thread_cpu();
	seen->seconds = -now();
	return 0;
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct seen *seen = data;

	seen->cpu += thread_cpu();
	seen->seconds += now();
}

static void print_case(const char *target, const char *engine, uint32_t budget,
		       const struct seen *seen, double process_cpu, double seconds, bool first)
{
	double cpu = 100 * seen->cpu / seen->seconds;
	double of_target = 100 * (double)seen->cost.target_ns / 1e9 / seen->seconds;

	printf("%s\n  {\"target\": \"%s\", \"engine\": \"%s\", \"budget_pct\": %g, "
	       "\"watched_s\": %.1f, \"overhead_pct\": %.2f, \"within\": %s, "
	       "\"monitor_cpu_pct\": %.2f, \"target_pct\": %.2f, \"process_cpu_pct\": %.2f, "
	       "\"windows\": %llu, \"floored\": %llu, \"sample_ms_at_end\": %.1f}",
	       first ? "" : ",", target, engine, budget / 100.0, seen->seconds, cpu + of_target,
	       cpu + of_target <= budget / 100.0 + 0.5 ? "true" : "false", cpu, of_target,
	       100 * process_cpu / seconds, (unsigned long long)seen->nr_windows,
	       (unsigned long long)seen->nr_floored, (double)seen->sample_us / 1000);
	fflush(stdout);
}

static int set_up(struct damon_ctx *ctx, struct damon_lib *lib, struct damon_vaddr_env *env,
		  const char *engine, pid_t pid, struct damon_error *err)
{
	struct damon_target *target;
	struct damon_attrs attrs;
	int ret;

	damon_default_attrs(&attrs);
	attrs.ops_update_interval = 1000000;
	/*
	 * As many looks as the engine is there for; "point" at enough regions to need a budget.
	 * Windows are as short as they can be: what was cleared since the last one isn't in the result.
	 */
	attrs.aggr_interval = attrs.sample_interval;
	if (!strcmp(engine, "scan")) {
		attrs.sample_interval = attrs.aggr_interval = 1000000;
	} else {
		attrs.min_nr_regions = 500;
	}
	ret = damon_select_ops(ctx, DAMON_OPS_VADDR);
	if (!ret)
		ret = damon_set_attrs(ctx, &attrs);
	if (!ret)
		ret = damon_vaddr_target_new(&target, lib, env, pid, err);
	if (ret)
		return ret;
	ret = damon_add_target(ctx, target);
	if (ret)
		damon_free_target(target);
	return ret;
}

static int watch(const struct wish *wish, const char *name, const char *engine, uint32_t budget,
		 pid_t pid, bool first, struct damon_error *err)
{
	const struct damon_vaddr_options options = {.engine = engine, .budget_bp = budget};
	struct damon_port *port = damon_port_posix_new();
	struct damon_vaddr_env *env = NULL;
	struct damon_lib *lib = NULL;
	struct damon_ctx *ctx = NULL;
	struct seen seen = {};
	double cpu, start;
	int ret = port ? damon_vaddr_env_new(&env, &options, err) : -ENOMEM;

	if (!ret)
		ret = damon_lib_new(&lib, port);
	if (!ret)
		ret = damon_vaddr_register(lib, env);
	if (!ret)
		ret = damon_new_ctx(&ctx, lib);
	if (!ret)
		ret = set_up(ctx, lib, env, engine, pid, err);
	if (!ret) {
		ctx->callbacks.started = on_started;
		ctx->callbacks.window = on_window;
		ctx->callbacks.stopped = on_stopped;
		ctx->callbacks.data = &seen;
		cpu = own_cpu();
		start = now();
		ret = damon_start(&ctx, 1, false);
		if (ret)
			damon_vaddr_env_error(env, err);
	}
	if (!ret) {
		damon_wait(ctx, wish->seconds * 1000000ULL, NULL);
		damon_stop(&ctx, 1);
		print_case(name, engine, budget, &seen, own_cpu() - cpu, now() - start, first);
	}
	damon_destroy_ctx(ctx);
	if (lib)
		damon_lib_free(lib);
	damon_vaddr_env_free(env);
	if (port)
		damon_port_posix_free(port);
	return ret;
}

static int run_case(const struct wish *wish, const char *name, const char *engine, uint32_t budget,
		    bool first, struct damon_error *err)
{
	pid_t pid = !strcmp(name, "pid") ? wish->pid : start_target(name, wish);
	int ret;

	if (pid < 0)
		return -errno;
	ret = watch(wish, name, engine, budget, pid, first, err);
	if (pid != wish->pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return ret;
}

static int run_all(const struct wish *wish, struct damon_error *err)
{
	static const char *const targets[] = {"grow", "threads", "pid"};
	static const char *const engines[] = {"point", "scan"};
	unsigned int target, engine, i;
	bool first = true;
	int ret = 0;

	for (target = 0; target < 3; target++) {
		if (wish->target ? strcmp(wish->target, targets[target]) != 0
				 : target == 2 && !wish->pid)
			continue;
		for (engine = 0; engine < 2; engine++) {
			if (wish->engine && strcmp(wish->engine, engines[engine]))
				continue;
			for (i = 0; i < wish->nr_budgets && !ret; i++) {
				ret = run_case(wish, targets[target], engines[engine],
					       wish->budgets[i], first, err);
				first = false;
			}
		}
	}
	return ret;
}

static int parse(struct wish *wish, int argc, char **argv)
{
	static const struct option longs[] = {{"seconds", 1, NULL, 's'}, {"mib", 1, NULL, 'm'},
					      {"budget", 1, NULL, 'b'},	 {"engine", 1, NULL, 'e'},
					      {"target", 1, NULL, 't'},	 {"pid", 1, NULL, 'p'},
					      {NULL, 0, NULL, 0}};
	int c;

	*wish = (struct wish){.seconds = 6, .mib = 512};
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			wish->seconds = (unsigned int)atoi(optarg);
		else if (c == 'm')
			wish->mib = (uint64_t)atoll(optarg);
		else if (c == 'b' && wish->nr_budgets < MAX_BUDGETS)
			wish->budgets[wish->nr_budgets++] = (uint32_t)atoi(optarg);
		else if (c == 'e')
			wish->engine = optarg;
		else if (c == 't')
			wish->target = optarg;
		else if (c == 'p')
			wish->pid = atoi(optarg);
		else
			return -EINVAL;
	}
	if (!wish->nr_budgets) {
		wish->nr_budgets = 3;
		memcpy(wish->budgets, (uint32_t[]){50, 200, 1000}, 3 * sizeof(uint32_t));
	}
	return wish->seconds < 3 || wish->mib < FIRST_MIB ||
			       (wish->target && !strcmp(wish->target, "pid") && !wish->pid)
		       ? -EINVAL
		       : 0;
}

int main(int argc, char **argv)
{
	struct damon_error err = {};
	struct wish wish;
	int ret = parse(&wish, argc, argv);

	if (ret) {
		fprintf(stderr, "usage: bench_budget [--seconds N] [--mib N] [--budget BP]... "
				"[--engine point|scan] [--target grow|threads|pid] [--pid PID]\n");
		return 2;
	}
	if (available_mib() < wish.mib + 1024) {
		fprintf(stderr, "bench_budget: not enough memory for a target of %llu MiB\n",
			(unsigned long long)wish.mib);
		return 77;
	}
	printf("{\"seconds\": %u, \"mib\": %llu, \"cases\": [", wish.seconds,
	       (unsigned long long)wish.mib);
	ret = run_all(&wish, &err);
	puts("]}");
	if (!ret)
		return 0;
	fprintf(stderr, "bench_budget: %s\n", *err.text ? err.text : strerror(-ret));
	return ret == -EPERM || ret == -EACCES || ret == -EOPNOTSUPP ? 77 : 1;
}
