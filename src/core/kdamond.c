// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The kdamond: the thread that monitors for one context, from start to stop, iteration by
 * iteration. How others talk to it is in request.c.
 *
 * A kdamond is started in two steps, so that a group starts as a whole or not at all: each sets up
 * and becomes READY, and only when all are does damon_start() make them RUNNING.
 */
#include <errno.h>

#include "core/attrs.h"
#include "core/request.h"

static void lock(struct damon_kdamond *kdamond)
{
	kdamond->port->mutex_lock(kdamond->port, kdamond->lock);
}

static void unlock(struct damon_kdamond *kdamond)
{
	kdamond->port->mutex_unlock(kdamond->port, kdamond->lock);
}

static void wake_changed(struct damon_kdamond *kdamond)
{
	kdamond->port->cond_wake_all(kdamond->port, kdamond->changed);
}

static int wait_changed(struct damon_kdamond *kdamond, uint64_t deadline_ns)
{
	return kdamond->port->cond_wait(kdamond->port, kdamond->changed, kdamond->lock,
					deadline_ns);
}

/* Which kdamonds may run beside each other. */

static int library_enter(struct damon_lib *lib, size_t nr, bool exclusive)
{
	int err = 0;

	lib->port->mutex_lock(lib->port, lib->lock);
	if (lib->nr_running && (exclusive || lib->exclusive)) {
		err = -EBUSY;
	} else {
		lib->nr_running += (uint32_t)nr;
		lib->exclusive = exclusive;
	}
	lib->port->mutex_unlock(lib->port, lib->lock);
	return err;
}

static void library_leave(struct damon_lib *lib, size_t nr)
{
	lib->port->mutex_lock(lib->port, lib->lock);
	lib->nr_running -= (uint32_t)nr;
	if (!lib->nr_running)
		lib->exclusive = false;
	lib->port->mutex_unlock(lib->port, lib->lock);
}

/* Iterations. All on the kdamond. */

/*
 * How often at most a paused kdamond looks whether its targets are still there, and makes repeated calls: there
 * is nothing new to see. Whoever asks something once wakes it.
 */
#define PAUSED_LOOK_US 100000

/* How long the kdamond is to sleep; lock held. */
static uint64_t sleep_us(const struct damon_kdamond *kdamond, bool paused)
{
	uint64_t us;

	if (!paused)
		return kdamond->ctx->internal->interval_us;
	us = damon_next_interval_us(kdamond->ctx);
	return us < PAUSED_LOOK_US ? PAUSED_LOOK_US : us;
}

/* Sleeps one sampling interval and serves meanwhile. False: stop. True early: the pause is over. */
static bool kdamond_sleep(struct damon_kdamond *kdamond, bool paused)
{
	enum damon_serve which = paused ? SERVE_PAUSED : SERVE_ASLEEP;
	struct damon_port *port = kdamond->port;
	uint64_t deadline_ns;
	bool stop;

	lock(kdamond);
	deadline_ns = damon_deadline_ns(port, sleep_us(kdamond, paused));
	while (!kdamond->stop && !(paused && !kdamond->ctx->pause)) {
		if (damon_requests_pending(kdamond, which)) {
			damon_requests_serve_locked(kdamond, which);
			if (paused)
				damon_requests_cancel_walks_locked(kdamond);
			/*
			 * What was served may have taken long, and whoever came meanwhile
			 * found nobody to wake.
			 */
			if (port->now_ns(port) < deadline_ns)
				continue;
			break;
		}
		if (port->cond_wait(port, kdamond->wake, kdamond->lock, deadline_ns))
			break;
	}
	stop = kdamond->stop;
	unlock(kdamond);
	return !stop;
}

/* Requests at the end of a sampling interval. False: stop. */
static bool kdamond_serve(struct damon_kdamond *kdamond)
{
	bool stop;

	lock(kdamond);
	if (!kdamond->stop)
		damon_requests_serve_locked(kdamond, SERVE_BOUNDARY);
	stop = kdamond->stop;
	unlock(kdamond);
	return !stop;
}

/* The watermarks begin to hold all schemes, or no longer do. */
static void set_held(struct damon_kdamond *kdamond, bool held)
{
	if (held == kdamond->held)
		return;
	kdamond->held = held;
	if (!held)
		damon_schemes_skip_pressure(kdamond->ctx);
	damon_report_event(kdamond->ctx, NULL, held ? "hold" : "release",
			   held ? "watermarks hold all schemes: nothing is looked at" : "");
}

/*
 * Paused: only between sampling intervals, so that no sample is left open whose page is touched
 * meanwhile. False: stop.
 */
static bool kdamond_pause(struct damon_kdamond *kdamond)
{
	struct damon_ctx *ctx = kdamond->ctx;
	struct damon_port *port = kdamond->port;
	uint64_t since_ns = port->now_ns(port), passed_ns;
	bool go_on = true;

	set_held(kdamond, false);
	damon_report_event(ctx, NULL, "pause", "");
	while (ctx->pause && go_on && damon_monitor_valid(ctx)) {
		damon_requests_cancel_walks(kdamond);
		go_on = kdamond_sleep(kdamond, true) && (!ctx->pause || kdamond_serve(kdamond));
	}
	passed_ns = port->now_ns(port) - since_ns;
	kdamond->paused_ns += passed_ns;
	damon_monitor_skip_time(ctx, passed_ns);
	damon_schemes_skip_pressure(ctx);
	if (go_on && !ctx->pause)
		damon_report_event(ctx, NULL, "resume", "");
	return go_on;
}

/*
 * All schemes are held by their watermarks for @hold_us: no page is looked at, requests are
 * served, nobody walks, and the time is none of the window's. Whatever was served may have changed the
 * schemes, so they are looked at again. False: stop.
 */
static bool kdamond_hold(struct damon_kdamond *kdamond, uint64_t hold_us)
{
	struct damon_port *port = kdamond->port;
	uint64_t since_ns = port->now_ns(port), deadline_ns = damon_deadline_ns(port, hold_us);
	bool stop;

	lock(kdamond);
	for (;;) {
		damon_requests_cancel_walks_locked(kdamond);
		if (kdamond->stop || kdamond->ctx->pause ||
		    damon_requests_pending(kdamond, SERVE_PAUSED))
			break;
		if (port->cond_wait(port, kdamond->wake, kdamond->lock, deadline_ns))
			break;
	}
	stop = kdamond->stop;
	unlock(kdamond);
	stop = stop || !kdamond_serve(kdamond);
	damon_monitor_skip_time(kdamond->ctx, port->now_ns(port) - since_ns);
	return !stop;
}

/* One iteration; see docs/monitoring.md. Returns 1 to go on, 0 to end, or -errno. */
static int kdamond_iterate(struct damon_kdamond *kdamond)
{
	struct damon_ctx *ctx = kdamond->ctx;
	uint64_t hold_us;
	bool window;
	int err;

	if (ctx->pause && !kdamond_pause(kdamond))
		return 0;
	if (!damon_monitor_valid(ctx))
		return 0;
	hold_us = damon_schemes_hold_us(ctx);
	set_held(kdamond, hold_us);
	if (hold_us)
		return kdamond_hold(kdamond, hold_us);
	err = damon_monitor_prepare(ctx);
	if (err)
		return err;
	if (!kdamond_sleep(kdamond, false))
		return 0;
	/* The interval doesn't count, but whoever waits for its end doesn't wait for another. */
	if (damon_monitor_samples_dropped(ctx))
		return kdamond_serve(kdamond);
	err = damon_monitor_check(ctx);
	if (err)
		return err;
	window = damon_monitor_window_due(ctx);
	if (window)
		damon_monitor_merge(ctx);
	if (!kdamond_serve(kdamond))
		return 0;
	if (ctx->pause && !kdamond_pause(kdamond))
		return 0;
	damon_schemes_apply(ctx);
	/* A commit may have changed the intervals, and so dropped the window. */
	if (window && damon_monitor_window_due(ctx)) {
		err = damon_monitor_window_end(ctx);
		if (err)
			return err;
	}
	damon_monitor_update(ctx);
	return 1;
}

/* Between set up and tear down. */
static int kdamond_run(struct damon_kdamond *kdamond)
{
	struct damon_ctx *ctx = kdamond->ctx;
	int err = 0;

	kdamond->held = false;
	if (ctx->callbacks.started)
		err = ctx->callbacks.started(ctx, ctx->callbacks.data);
	if (err)
		return err;
	do
		err = kdamond_iterate(kdamond);
	while (err == 1);
	return err;
}

/* The thread has set up, with @err. Returns whether the group it belongs to starts. */
static bool kdamond_ready(struct damon_kdamond *kdamond, int err)
{
	bool run;

	lock(kdamond);
	kdamond->result = err;
	kdamond->state = err ? KDAMOND_FAILED : KDAMOND_READY;
	if (err)
		kdamond->thread_id = 0;
	wake_changed(kdamond);
	while (kdamond->state == KDAMOND_READY)
		kdamond->port->cond_wait(kdamond->port, kdamond->wake, kdamond->lock,
					 DAMON_NO_DEADLINE);
	run = kdamond->state == KDAMOND_RUNNING;
	unlock(kdamond);
	return run;
}

static void kdamond_main(void *arg)
{
	struct damon_kdamond *kdamond = arg;
	struct damon_ctx *ctx = kdamond->ctx;
	int result;

	lock(kdamond);
	kdamond->thread_id = kdamond->port->thread_self(kdamond->port);
	unlock(kdamond);
	result = damon_monitor_start(ctx);
	if (result)
		library_leave(ctx->lib, 1);
	if (kdamond_ready(kdamond, result)) {
		result = kdamond_run(kdamond);
		if (!MUTATED(OLD_CANCELS))
			damon_requests_close(kdamond);
		if (ctx->callbacks.stopped)
			ctx->callbacks.stopped(ctx, result, ctx->callbacks.data);
	} else if (result) {
		return;
	}
	damon_monitor_stop(ctx);
	library_leave(ctx->lib, 1);
	/* From here on the context can be started again: nothing of it may be touched after this. */
	lock(kdamond);
	kdamond->result = result;
	kdamond->thread_id = 0;
	kdamond->state = KDAMOND_STOPPED;
	wake_changed(kdamond);
	unlock(kdamond);
	if (MUTATED(OLD_CANCELS))
		damon_requests_close(kdamond);
}

/* Start. */

static void kdamond_set_state(struct damon_kdamond *kdamond, enum kdamond_state state)
{
	lock(kdamond);
	kdamond->state = state;
	kdamond->port->cond_wake_all(kdamond->port, kdamond->wake);
	wake_changed(kdamond);
	unlock(kdamond);
}

/* Has a thread set up the context. Ours from here on, if it is 0. */
static int kdamond_create(struct damon_kdamond *kdamond)
{
	struct damon_thread *old;
	int err;

	lock(kdamond);
	if (kdamond->state != KDAMOND_STOPPED) {
		unlock(kdamond);
		return -EBUSY;
	}
	kdamond->state = KDAMOND_STARTING;
	kdamond->incarnation++;
	kdamond->stop = false;
	old = kdamond->thread;
	kdamond->thread = NULL;
	unlock(kdamond);
	/* It has nothing left to do but to return. */
	if (old && !MUTATED(OLD_CANCELS))
		kdamond->port->thread_join(kdamond->port, old);
	err = kdamond->port->thread_start(kdamond->port, &kdamond->thread, "kdamond", kdamond_main,
					  kdamond);
	if (err)
		kdamond_set_state(kdamond, KDAMOND_STOPPED);
	return err;
}

/* Waits until the thread of a kdamond_create() has set up. */
static int kdamond_wait_ready(struct damon_kdamond *kdamond)
{
	int err;

	lock(kdamond);
	while (kdamond->state == KDAMOND_STARTING)
		wait_changed(kdamond, DAMON_NO_DEADLINE);
	err = kdamond->state == KDAMOND_FAILED ? kdamond->result : 0;
	unlock(kdamond);
	return err;
}

/* Undoes kdamond_create() after kdamond_wait_ready(). */
static void kdamond_abort(struct damon_kdamond *kdamond)
{
	uint64_t incarnation;

	lock(kdamond);
	incarnation = kdamond->incarnation;
	if (kdamond->state == KDAMOND_FAILED) {
		kdamond->state = KDAMOND_STOPPED;
		wake_changed(kdamond);
	} else {
		kdamond->state = KDAMOND_ABORTED;
		kdamond->port->cond_wake_all(kdamond->port, kdamond->wake);
		while (kdamond->incarnation == incarnation && kdamond->state == KDAMOND_ABORTED)
			wait_changed(kdamond, DAMON_NO_DEADLINE);
	}
	unlock(kdamond);
}

static int check_startable(const struct damon_ctx *ctx, const struct damon_lib *lib)
{
	if (ctx->lib != lib || !ctx->ops)
		return -EINVAL;
	return damon_check_attrs(&ctx->attrs);
}

int damon_start(struct damon_ctx **ctxs, size_t nr, bool exclusive)
{
	size_t nr_created, i;
	int err = 0, failed;

	if (!nr)
		return 0;
	for (i = 0; i < nr && !err; i++)
		err = check_startable(ctxs[i], ctxs[0]->lib);
	if (!err)
		err = library_enter(ctxs[0]->lib, nr, exclusive);
	if (err)
		return err;
	for (nr_created = 0; nr_created < nr; nr_created++) {
		err = kdamond_create(ctxs[nr_created]->internal->kdamond);
		if (err)
			break;
	}
	if (nr_created < nr)
		library_leave(ctxs[0]->lib, nr - nr_created);
	for (i = 0; i < nr_created; i++) {
		failed = kdamond_wait_ready(ctxs[i]->internal->kdamond);
		if (!err)
			err = failed;
	}
	for (i = 0; i < nr_created; i++) {
		if (err)
			kdamond_abort(ctxs[i]->internal->kdamond);
		else
			kdamond_set_state(ctxs[i]->internal->kdamond, KDAMOND_RUNNING);
	}
	return err;
}

/* Stop and wait. */

/* Waits until the incarnation that is there now has ended; lock held. */
static int wait_stopped(struct damon_kdamond *kdamond, uint64_t deadline_ns)
{
	uint64_t incarnation = kdamond->incarnation;
	int err = 0;

	while (kdamond->incarnation == incarnation && kdamond->state != KDAMOND_STOPPED) {
		if (err)
			return err;
		err = wait_changed(kdamond, deadline_ns);
	}
	return 0;
}

/* Without effect when stopped: a start begins without. Lock held. */
static void ask_stop(struct damon_kdamond *kdamond)
{
	kdamond->stop = true;
	kdamond->port->cond_wake_all(kdamond->port, kdamond->wake);
}

int damon_stop(struct damon_ctx **ctxs, size_t nr)
{
	struct damon_kdamond *kdamond;
	bool self = false;
	size_t i;

	for (i = 0; i < nr && !self; i++) {
		kdamond = ctxs[i]->internal->kdamond;
		lock(kdamond);
		self = damon_on_kdamond(kdamond) && !MUTATED(ALLOW_SELF);
		unlock(kdamond);
	}
	if (self)
		return -EDEADLK;
	/* All are asked before any is waited for. */
	for (i = 0; i < nr && nr > 1; i++) {
		kdamond = ctxs[i]->internal->kdamond;
		lock(kdamond);
		ask_stop(kdamond);
		unlock(kdamond);
	}
	for (i = 0; i < nr; i++) {
		kdamond = ctxs[i]->internal->kdamond;
		lock(kdamond);
		/* Again, because another thread may have started it anew since. */
		ask_stop(kdamond);
		wait_stopped(kdamond, DAMON_NO_DEADLINE);
		unlock(kdamond);
	}
	return 0;
}

int damon_wait(struct damon_ctx *ctx, uint64_t timeout_us, int *result)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	int err;

	lock(kdamond);
	if (damon_on_kdamond(kdamond))
		err = -EDEADLK;
	else
		err = wait_stopped(kdamond, damon_deadline_ns(kdamond->port, timeout_us));
	if (!err && result)
		*result = kdamond->result;
	unlock(kdamond);
	return err;
}

bool damon_is_running(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	bool running;

	lock(kdamond);
	running = kdamond->state != KDAMOND_STOPPED;
	unlock(kdamond);
	return running;
}

int64_t damon_kdamond_pid(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	int64_t pid;

	lock(kdamond);
	pid = kdamond->thread_id ? (int64_t)kdamond->thread_id : -1;
	unlock(kdamond);
	return pid;
}

bool damon_kdamond_may_change(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	bool may;

	lock(kdamond);
	may = kdamond->state == KDAMOND_STOPPED || damon_on_kdamond(kdamond);
	unlock(kdamond);
	return may;
}

/* Life of what a context keeps about its kdamond. */

int damon_kdamond_new(struct damon_ctx *ctx)
{
	struct damon_port *port = ctx->lib->port;
	struct damon_kdamond *kdamond = port->alloc(port, sizeof(*kdamond));
	int err;

	if (!kdamond)
		return -ENOMEM;
	kdamond->ctx = ctx;
	kdamond->port = port;
	ctx->internal->kdamond = kdamond;
	err = port->mutex_new(port, &kdamond->lock);
	if (!err)
		err = port->cond_new(port, &kdamond->wake);
	if (!err)
		err = port->cond_new(port, &kdamond->done);
	if (!err)
		err = port->cond_new(port, &kdamond->changed);
	if (err)
		damon_kdamond_free(ctx);
	return err;
}

void damon_kdamond_free(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	struct damon_port *port = ctx->lib->port;

	if (!kdamond)
		return;
	if (kdamond->thread)
		port->thread_join(port, kdamond->thread);
	port->cond_free(port, kdamond->changed);
	port->cond_free(port, kdamond->done);
	port->cond_free(port, kdamond->wake);
	port->mutex_free(port, kdamond->lock);
	port->free(port, kdamond);
	ctx->internal->kdamond = NULL;
}
