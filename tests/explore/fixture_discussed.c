// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A model of the walk protocol discussed in the review of "mm/damon/core: introduce
 * damon_ctx->paused" (linux-mm, March 2026): one pointer holds the walk, and three places unset
 * it. Sound as long as a context is never restarted.
 */
#include <errno.h>
#include <string.h>

#include "fixtures.h"

#define SAMPLE_US 100000

struct walk {
	bool completed, cancelled;
};

/* The model of a context. */
static struct {
	struct damon_port *port;
	struct damon_mutex *kdamond_lock; /* for the next three */
	struct damon_cond *kdamond_cond;
	bool kdamond; /* one runs */
	bool should_stop;
	unsigned int nr_ended;
	struct damon_mutex *walk_lock; /* for the next */
	struct walk *walk;
	/* Not on stacks: that a cancel may come to a request whose walk() has returned is another fault. */
	struct walk walks[2];
	struct damon_mutex *completion_lock;
	struct damon_cond *completion;
	struct damon_thread *threads[3];
} model;

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

static void wait_for_completion(struct walk *walk)
{
	lock(model.completion_lock);
	while (!walk->completed)
		model.port->cond_wait(model.port, model.completion, model.completion_lock,
				      DAMON_NO_DEADLINE);
	unlock(model.completion_lock);
}

/* The kdamond: paused, so that all it does with walks is to cancel them. */

static void cancel_walk(void)
{
	struct walk *walk;

	lock(model.walk_lock);
	walk = model.walk;
	unlock(model.walk_lock);
	if (!walk)
		return;
	walk->cancelled = true;
	explore_note("cancel: complete the request");
	complete(walk);
	lock(model.walk_lock);
	explore_note("cancel, continued: unset the request");
	model.walk = NULL;
	unlock(model.walk_lock);
}

static void kdamond(void *arg)
{
	uint64_t deadline_ns;
	bool stop = false;

	while (!stop) {
		cancel_walk();
		lock(model.kdamond_lock);
		deadline_ns = model.port->now_ns(model.port) + SAMPLE_US * 1000ULL;
		while (!model.should_stop &&
		       !model.port->cond_wait(model.port, model.kdamond_cond, model.kdamond_lock,
					      deadline_ns))
			;
		stop = model.should_stop;
		if (stop)
			model.kdamond = false;
		unlock(model.kdamond_lock);
	}
	explore_note("ends: not running any more");
	cancel_walk();
	lock(model.kdamond_lock);
	model.nr_ended++;
	model.port->cond_wake_all(model.port, model.kdamond_cond);
	unlock(model.kdamond_lock);
}

static void start(unsigned int nr)
{
	lock(model.kdamond_lock);
	model.kdamond = true;
	model.should_stop = false;
	unlock(model.kdamond_lock);
	explore_note("start(ctx)");
	model.threads[nr] = explore_thread(kdamond, NULL);
}

static void stop(unsigned int nr_before)
{
	explore_note("stop(ctx)");
	lock(model.kdamond_lock);
	model.should_stop = true;
	model.port->cond_wake_all(model.port, model.kdamond_cond);
	while (model.nr_ended == nr_before)
		model.port->cond_wait(model.port, model.kdamond_cond, model.kdamond_lock,
				      DAMON_NO_DEADLINE);
	unlock(model.kdamond_lock);
	explore_note("stopped");
}

static bool is_running(void)
{
	bool running;

	lock(model.kdamond_lock);
	running = model.kdamond;
	unlock(model.kdamond_lock);
	return running;
}

/* The walking thread. */

static int walk(unsigned int nr)
{
	struct walk *walk = &model.walks[nr];
	const char *which = nr ? "a second" : "the first";

	lock(model.walk_lock);
	if (model.walk) {
		unlock(model.walk_lock);
		explore_note("walk(): %s refused, busy", which);
		return -EBUSY;
	}
	explore_note("walk(): register %s request", which);
	model.walk = walk;
	unlock(model.walk_lock);
	if (!is_running()) {
		explore_note("  sees: not running");
		lock(model.walk_lock);
		if (model.walk == walk)
			model.walk = NULL;
		explore_note("  unsets the request, returns");
		unlock(model.walk_lock);
		return -EINVAL;
	}
	explore_note("  waits for completion");
	/* The kdamond cancels walks in every iteration. */
	explore_begin("walk", 2 * SAMPLE_US);
	wait_for_completion(walk);
	explore_end();
	explore_note("  completed, returns");
	return walk->cancelled ? -ECANCELED : 0;
}

static void walker(void *arg)
{
	walk(0);
	walk(1);
}

static void setup(void)
{
	struct damon_port *port = explore_port();

	memset(&model, 0, sizeof(model));
	model.port = port;
	if (port->mutex_new(port, &model.kdamond_lock) || port->mutex_new(port, &model.walk_lock) ||
	    port->mutex_new(port, &model.completion_lock) ||
	    port->cond_new(port, &model.kdamond_cond) || port->cond_new(port, &model.completion))
		explore_fault("out of memory");
}

static void teardown(void)
{
	struct damon_port *port = explore_port();

	port->cond_free(port, model.completion);
	port->cond_free(port, model.kdamond_cond);
	port->mutex_free(port, model.completion_lock);
	port->mutex_free(port, model.walk_lock);
	port->mutex_free(port, model.kdamond_lock);
}

static void without_restart(void *arg)
{
	struct damon_thread *thread;

	setup();
	start(0);
	thread = explore_thread(walker, NULL);
	stop(0);
	explore_join(thread);
	explore_join(model.threads[0]);
	teardown();
}

static void with_restart(void *arg)
{
	struct damon_thread *thread;

	setup();
	start(0);
	stop(0);
	explore_join(model.threads[0]);
	thread = explore_thread(walker, NULL);
	start(1);
	explore_join(thread);
	stop(1);
	explore_join(model.threads[1]);
	teardown();
}

const struct explore_scenario discussed_without_restart = {
	.name = "discussed-without-restart",
	.run = without_restart,
	.nr_columns = 3,
	.columns = {"start and stop", "kdamond", "walk"},
};

const struct explore_scenario discussed_with_restart = {
	.name = "discussed-with-restart",
	.run = with_restart,
	.nr_columns = 4,
	.columns = {"start and stop", "first kdamond", "walk", "new kdamond"},
};
