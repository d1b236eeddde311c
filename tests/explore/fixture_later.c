// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A model of the protocol that came later (Linux 7.3): lists of calls and the walk slot are each
 * closed by a flag under their own lock before a kdamond ends and opened before it has started.
 * Free of the restart deadlock, but with three faults: a queued repeated call is read again, a
 * cancelled walk completes before its slot is free, and a cancel leaves the schemes' marks.
 */
#include <errno.h>
#include <string.h>

#include "fixtures.h"

#define SAMPLE_US  100000
#define NR_SCHEMES 2

struct call {
	bool repeat;
	bool done;
	struct call *next;
};

struct walk {
	bool completed, cancelled;
	unsigned int nr_seen[NR_SCHEMES];
};

/* The model of a context. */
static struct {
	struct damon_port *port;
	struct damon_mutex *lock; /* for all down to the next lock */
	struct damon_cond *cond;
	bool should_stop, started, paused;
	struct damon_mutex *calls_lock; /* for the next two */
	bool calls_obsolete;
	struct call *calls;
	struct damon_mutex *walk_lock; /* for the next two */
	bool walk_obsolete;
	struct walk *walk;
	struct damon_mutex *completion_lock;
	struct damon_cond *completion;
	/* The kdamond's own. */
	bool walk_completed[NR_SCHEMES];
	unsigned int nr_iterations;
	struct damon_thread *thread;
} model;

static struct call the_call;

static void lock(struct damon_mutex *mutex)
{
	model.port->mutex_lock(model.port, mutex);
}

static void unlock(struct damon_mutex *mutex)
{
	model.port->mutex_unlock(model.port, mutex);
}

static void complete(struct walk *walk)
{
	lock(model.completion_lock);
	walk->completed = true;
	model.port->cond_wake_all(model.port, model.completion);
	unlock(model.completion_lock);
}

/* The kdamond. */

static void finish_calls(bool cancel)
{
	struct call *call, *calls;

	lock(model.calls_lock);
	calls = model.calls;
	model.calls = NULL;
	unlock(model.calls_lock);
	while ((call = calls)) {
		explore_touch_object(call);
		calls = call->next;
		if (!cancel) {
			lock(model.calls_lock);
			call->next = model.calls;
			model.calls = call;
			unlock(model.calls_lock);
			continue;
		}
		explore_note("cancel: free the repeated call");
		explore_return(call);
	}
}

static void cancel_walk(void)
{
	struct walk *walk;

	lock(model.walk_lock);
	walk = model.walk;
	unlock(model.walk_lock);
	if (!walk)
		return;
	walk->cancelled = true;
	explore_note("cancel: complete the walk");
	complete(walk);
	lock(model.walk_lock);
	explore_note("cancel, continued: free the slot");
	model.walk = NULL;
	unlock(model.walk_lock);
}

/* Scheme @idx is due: show its region to the walk. */
static void apply_scheme(unsigned int idx)
{
	struct walk *walk;
	unsigned int i;

	lock(model.walk_lock);
	walk = model.walk;
	unlock(model.walk_lock);
	if (!walk)
		return;
	if (!model.walk_completed[idx]) {
		explore_note("scheme %u: show its regions", idx);
		walk->nr_seen[idx]++;
		model.walk_completed[idx] = true;
	} else {
		explore_note("scheme %u: marked as walked", idx);
	}
	for (i = 0; i < NR_SCHEMES; i++)
		if (!model.walk_completed[i])
			return;
	memset(model.walk_completed, 0, sizeof(model.walk_completed));
	lock(model.walk_lock);
	model.walk = NULL;
	unlock(model.walk_lock);
	explore_note("walk is complete");
	complete(walk);
}

/* One sampling interval. False: stop. */
static bool sleep_one(bool *paused)
{
	uint64_t deadline_ns = model.port->now_ns(model.port) + SAMPLE_US * 1000ULL;
	bool stop;

	lock(model.lock);
	while (!model.should_stop &&
	       !model.port->cond_wait(model.port, model.cond, model.lock, deadline_ns))
		;
	stop = model.should_stop;
	*paused = model.paused;
	unlock(model.lock);
	return !stop;
}

static void set_obsolete(bool obsolete)
{
	lock(model.calls_lock);
	model.calls_obsolete = obsolete;
	unlock(model.calls_lock);
	lock(model.walk_lock);
	model.walk_obsolete = obsolete;
	unlock(model.walk_lock);
}

static void kdamond(void *arg)
{
	bool paused;

	set_obsolete(false);
	lock(model.lock);
	model.started = true;
	model.port->cond_wake_all(model.port, model.cond);
	unlock(model.lock);
	while (sleep_one(&paused)) {
		finish_calls(false);
		if (paused) {
			cancel_walk();
			continue;
		}
		/* The first scheme is applied every, the second every other interval. */
		apply_scheme(0);
		if (++model.nr_iterations % 2 == 0)
			apply_scheme(1);
	}
	set_obsolete(true);
	explore_note("ends");
	finish_calls(true);
	cancel_walk();
}

static void start(void)
{
	explore_note("start(ctx)");
	model.calls_obsolete = true;
	model.walk_obsolete = true;
	model.thread = explore_thread(kdamond, NULL);
	lock(model.lock);
	while (!model.started)
		model.port->cond_wait(model.port, model.cond, model.lock, DAMON_NO_DEADLINE);
	unlock(model.lock);
}

static void stop(void)
{
	explore_note("stop(ctx)");
	lock(model.lock);
	model.should_stop = true;
	model.port->cond_wake_all(model.port, model.cond);
	unlock(model.lock);
	explore_join(model.thread);
	explore_note("stopped");
}

static void set_paused(bool paused)
{
	explore_note(paused ? "pause" : "resume");
	lock(model.lock);
	model.paused = paused;
	unlock(model.lock);
}

/* The asking side. */

static int call(struct call *call)
{
	lock(model.calls_lock);
	if (model.calls_obsolete) {
		unlock(model.calls_lock);
		return -ECANCELED;
	}
	explore_note("call(): queue a repeated call");
	explore_lend(call, sizeof(*call), "repeated call");
	call->next = model.calls;
	model.calls = call;
	unlock(model.calls_lock);
	/* Fault (a). */
	explore_note("  does it repeat?");
	explore_touch_object(call);
	if (call->repeat)
		return 0;
	return -EINVAL;
}

static int walk(struct walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	lock(model.walk_lock);
	if (model.walk_obsolete) {
		unlock(model.walk_lock);
		return -ECANCELED;
	}
	if (model.walk) {
		unlock(model.walk_lock);
		explore_note("walk(): refused, busy");
		return -EBUSY;
	}
	explore_note("walk(): register");
	model.walk = walk;
	unlock(model.walk_lock);
	explore_begin("walk", 4 * SAMPLE_US);
	lock(model.completion_lock);
	while (!walk->completed)
		model.port->cond_wait(model.port, model.completion, model.completion_lock,
				      DAMON_NO_DEADLINE);
	unlock(model.completion_lock);
	explore_end();
	explore_note(walk->cancelled ? "  cancelled" : "  done");
	return walk->cancelled ? -ECANCELED : 0;
}

static void setup(void)
{
	struct damon_port *port = explore_port();

	memset(&model, 0, sizeof(model));
	model.port = port;
	if (port->mutex_new(port, &model.lock) || port->mutex_new(port, &model.calls_lock) ||
	    port->mutex_new(port, &model.walk_lock) ||
	    port->mutex_new(port, &model.completion_lock) || port->cond_new(port, &model.cond) ||
	    port->cond_new(port, &model.completion))
		explore_fault("out of memory");
}

static void teardown(void)
{
	struct damon_port *port = explore_port();

	port->cond_free(port, model.completion);
	port->cond_free(port, model.cond);
	port->mutex_free(port, model.completion_lock);
	port->mutex_free(port, model.walk_lock);
	port->mutex_free(port, model.calls_lock);
	port->mutex_free(port, model.lock);
}

/* (a) */

static void caller(void *arg)
{
	the_call = (struct call){.repeat = true};
	call(&the_call);
}

static void run_reads_after_queueing(void *arg)
{
	struct damon_thread *thread;

	setup();
	start();
	thread = explore_thread(caller, NULL);
	stop();
	explore_join(thread);
	teardown();
}

/* (b) */

static void eager_walker(void *arg)
{
	struct walk own;

	if (walk(&own) != -ECANCELED)
		return;
	explore_check(walk(&own) != -EBUSY, "refused as busy though nobody walks");
}

static void run_busy_without_walker(void *arg)
{
	struct damon_thread *thread;

	setup();
	model.paused = true;
	start();
	thread = explore_thread(eager_walker, NULL);
	explore_join(thread);
	stop();
	teardown();
}

/* (c) */

static void second_walker(void *arg)
{
	struct walk own;
	unsigned int i;
	int err;

	err = walk(&own);
	if (err != -ECANCELED)
		return;
	set_paused(false);
	while ((err = walk(&own)) == -EBUSY || err == -ECANCELED)
		;
	for (i = 0; i < NR_SCHEMES; i++)
		explore_check(own.nr_seen[i], "a walk ended well without the regions of scheme %u",
			      i);
}

static void run_stale_mark(void *arg)
{
	struct damon_thread *thread;

	setup();
	start();
	thread = explore_thread(second_walker, NULL);
	/* Let the first scheme be applied, then pause. */
	lock(model.lock);
	model.port->cond_wait(model.port, model.cond, model.lock, SAMPLE_US * 1500ULL);
	model.paused = true;
	explore_note("pause");
	unlock(model.lock);
	explore_join(thread);
	stop();
	teardown();
}

const struct explore_scenario later_reads_after_queueing = {
	.name = "later-reads-after-queueing",
	.run = run_reads_after_queueing,
	.nr_columns = 3,
	.columns = {"start and stop", "kdamond", "call"},
};

const struct explore_scenario later_busy_without_walker = {
	.name = "later-busy-without-walker",
	.run = run_busy_without_walker,
	.nr_columns = 3,
	.columns = {"start and stop", "kdamond", "walk"},
};

const struct explore_scenario later_stale_mark = {
	.name = "later-stale-mark",
	.run = run_stale_mark,
	.nr_columns = 3,
	.columns = {"start, pause, stop", "kdamond", "walk"},
};
