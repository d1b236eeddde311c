// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How long a call and a stop take while the kdamond sleeps a sampling interval of ten seconds, paused
 * or not; beside it, in turns, the wake-up of a thread that does nothing, below which nobody can be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <udamon/ops.h>

#include "../tests/tools/idle_ops.h"

#define NR_TURNS    300
#define INTERVAL_US 10000000ULL
#define PAGE	    4096ULL

/* The latencies of one kind, us. */
struct series {
	const char *name;
	double us[NR_TURNS];
};

enum {
	EMPTY_WAKE,
	IDLE_CALL,
	PAUSED_CALL,
	STOP,
	PAUSED_STOP,
	NR_SERIES,
};

static struct series series[NR_SERIES] = {
	[EMPTY_WAKE] = {.name = "empty_wake"},	 [IDLE_CALL] = {.name = "call"},
	[PAUSED_CALL] = {.name = "call_paused"}, [STOP] = {.name = "stop"},
	[PAUSED_STOP] = {.name = "stop_paused"},
};

static const struct damon_operations operations = {
	.id = DAMON_OPS_SIM,
	.name = "bench",
	.init = idle_init,
	.prepare_access_checks = idle_access,
	.check_accesses = idle_access,
	.target_valid = idle_valid,
};

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void check(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "bench_request: %s: error %d\n", what, -err);
		exit(1);
	}
}

/* The floor: a thread that waits, is woken, and says so. */
struct waker {
	struct damon_port *port;
	struct damon_mutex *lock;
	struct damon_cond *asked, *answered;
	uint64_t wanted, done;
	bool stop;
};

static void waker_main(void *arg)
{
	struct waker *waker = arg;
	struct damon_port *port = waker->port;

	port->mutex_lock(port, waker->lock);
	while (!waker->stop) {
		if (waker->done == waker->wanted) {
			port->cond_wait(port, waker->asked, waker->lock, DAMON_NO_DEADLINE);
			continue;
		}
		waker->done = waker->wanted;
		port->cond_wake_all(port, waker->answered);
	}
	port->mutex_unlock(port, waker->lock);
}

static double wake_once(struct waker *waker)
{
	struct damon_port *port = waker->port;
	double begun = now_us();

	port->mutex_lock(port, waker->lock);
	waker->wanted++;
	port->cond_wake_all(port, waker->asked);
	while (waker->done != waker->wanted)
		port->cond_wait(port, waker->answered, waker->lock, DAMON_NO_DEADLINE);
	port->mutex_unlock(port, waker->lock);
	return now_us() - begun;
}

static int do_nothing(struct damon_ctx *ctx, void *data)
{
	(void)ctx, (void)data;
	return 0;
}

static double call_once(struct damon_ctx *ctx)
{
	struct damon_call_control control = {.fn = do_nothing};
	double begun = now_us();

	check(damon_call(ctx, &control), "call");
	return now_us() - begun;
}

static double stop_once(struct damon_ctx *ctx)
{
	double begun = now_us();

	check(damon_stop(&ctx, 1), "stop");
	return now_us() - begun;
}

/* Long enough for a thread that was just woken to have gone to sleep again. */
static void settle(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* One latency of each kind; the kdamond is asleep whenever it is asked something. */
static void take_turn(struct damon_ctx *ctx, struct waker *waker, int turn)
{
	int paused;

	settle();
	series[EMPTY_WAKE].us[turn] = wake_once(waker);
	for (paused = 0; paused < 2; paused++) {
		ctx->pause = paused;
		check(damon_start(&ctx, 1, false), "start");
		settle();
		series[paused ? PAUSED_CALL : IDLE_CALL].us[turn] = call_once(ctx);
		settle();
		series[paused ? PAUSED_STOP : STOP].us[turn] = stop_once(ctx);
	}
	ctx->pause = false;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(struct series *one)
{
	qsort(one->us, NR_TURNS, sizeof(*one->us), compare);
	printf("  \"%s_us\": {\"median\": %.1f, \"p99\": %.1f, \"max\": %.1f},\n", one->name,
	       one->us[NR_TURNS / 2], one->us[NR_TURNS * 99 / 100], one->us[NR_TURNS - 1]);
}

static struct damon_ctx *new_context(struct damon_lib **lib, struct damon_port *port)
{
	struct damon_addr_range range = {PAGE, 1024 * PAGE};
	struct damon_target *target;
	struct damon_attrs attrs;
	struct damon_ctx *ctx;

	check(damon_lib_new(lib, port), "library");
	check(damon_register_ops(*lib, &operations, NULL), "operations set");
	check(damon_new_ctx(&ctx, *lib), "context");
	check(damon_select_ops(ctx, DAMON_OPS_SIM), "operations set");
	damon_default_attrs(&attrs);
	attrs.sample_interval = INTERVAL_US;
	attrs.aggr_interval = 20 * INTERVAL_US;
	check(damon_set_attrs(ctx, &attrs), "attributes");
	check(damon_new_target(&target, *lib), "target");
	check(damon_set_regions(target, &range, 1, PAGE), "regions");
	check(damon_add_target(ctx, target), "target");
	return ctx;
}

int main(void)
{
	struct waker waker = {.port = damon_port_posix_new()};
	struct damon_thread *thread;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	int i;

	check(waker.port ? 0 : -ENOMEM, "port");
	ctx = new_context(&lib, waker.port);
	check(waker.port->mutex_new(waker.port, &waker.lock), "mutex");
	check(waker.port->cond_new(waker.port, &waker.asked), "condition");
	check(waker.port->cond_new(waker.port, &waker.answered), "condition");
	check(waker.port->thread_start(waker.port, &thread, "waker", waker_main, &waker), "thread");

	for (i = 0; i < NR_TURNS; i++)
		take_turn(ctx, &waker, i);

	waker.port->mutex_lock(waker.port, waker.lock);
	waker.stop = true;
	waker.port->cond_wake_all(waker.port, waker.asked);
	waker.port->mutex_unlock(waker.port, waker.lock);
	waker.port->thread_join(waker.port, thread);
	waker.port->cond_free(waker.port, waker.asked);
	waker.port->cond_free(waker.port, waker.answered);
	waker.port->mutex_free(waker.port, waker.lock);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
	damon_port_posix_free(waker.port);

	printf("{\"turns\": %d, \"sample_us\": %llu,\n", NR_TURNS, INTERVAL_US);
	for (i = 0; i < NR_SERIES; i++)
		print(&series[i]);
	printf("  \"goal_us\": 10000}\n");
	return 0;
}
