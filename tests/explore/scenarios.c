// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Scenarios on the library's own code, made of what each of a few threads asks. */
#include "scenarios.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <udamon/damon.h>
#include <udamon/ops.h>

#include "core/request.h"

#define SAMPLE_US  100000
#define NR_SCHEMES 2
/* What invariant 6 allows; callbacks take no time here. */
#define PROMPT_US 10000
/* To the end of the sampling interval. */
#define BOUNDARY_US (SAMPLE_US + PROMPT_US)
/* The longest apply interval (two samples), one iteration, and one that a commit may void. */
#define WALK_US (4 * SAMPLE_US + PROMPT_US)

enum damon_mutation explore_mutation;

void explore_touch(const struct damon_request *request)
{
	explore_touch_object(request);
}

/* A request and what came of it. */
struct asked {
	struct damon_call_control call;
	struct damos_walk_control walk;
	enum asking kind;
	unsigned int nr_run, nr_ended, nr_seen[NR_SCHEMES];
	bool accepted;
	bool gone; /* must not run any more */
	int result;
};

static struct {
	struct library_scenario *scenario;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct damon_ctx *source; /* of commits */
	struct damos *schemes[NR_SCHEMES];
	struct asked asked[3];
	struct damon_mutex *sleep_lock; /* nobody else wants either */
	struct damon_cond *sleep_cond;
	unsigned int nr_started, nr_stopped;
	bool settled; /* started again, and not stopped before all have got their answers */
} world;

static const char *const life_names[NR_LIVES] = {
	[LIFE_GOES_ON] = "run",	    [LIFE_STOP] = "stop",
	[LIFE_RESTART] = "restart", [LIFE_RESTART_FORGET] = "restart-forget",
	[LIFE_START] = "start",
};

static const char *const asking_names[NR_ASKING] = {
	[ASK_CALL] = "call",
	[ASK_CALL_TWICE] = "call-twice",
	[ASK_REPEAT] = "repeat",
	[ASK_REPEAT_CANCEL] = "repeat-cancel",
	[ASK_WALK] = "walk",
	[ASK_WALK_TWICE] = "walk-twice",
	[ASK_PAUSE_RESUME] = "pause-resume",
	[ASK_COMMIT] = "commit",
	[ASK_CANCEL_OTHERS] = "withdraw",
	[ASK_INSIDE] = "inside",
	[ASK_STOP] = "stopper",
	[ASK_REPEAT_CANCEL_LATER] = "repeat-cancel-later",
	[ASK_CANCEL_OTHERS_LATER] = "withdraw-later",
	[ASK_PAUSE_LONG] = "pause-long",
	[ASK_CALL_TIMEOUT] = "timeout",
};

static bool scenario_has(enum asking kind)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (world.scenario->asking[i] == kind)
			return true;
	return false;
}

static bool withdraws(void)
{
	return scenario_has(ASK_CANCEL_OTHERS) || scenario_has(ASK_CANCEL_OTHERS_LATER);
}

static bool pauses(void)
{
	return scenario_has(ASK_PAUSE_RESUME) || scenario_has(ASK_PAUSE_LONG);
}

static void sleep_us(uint64_t us)
{
	struct damon_port *port = explore_port();
	uint64_t deadline_ns = port->now_ns(port) + us * 1000;

	port->mutex_lock(port, world.sleep_lock);
	while (!port->cond_wait(port, world.sleep_cond, world.sleep_lock, deadline_ns))
		;
	port->mutex_unlock(port, world.sleep_lock);
}

/* An address space in which nothing happens. */

static int quiet_init(struct damon_ctx *ctx)
{
	return 0;
}

static int quiet_prepare(struct damon_ctx *ctx, struct damon_target *target,
			 const struct damon_batch *batch)
{
	return 0;
}

static int quiet_check(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch)
{
	memset(batch->access, 0, batch->nr * sizeof(*batch->access));
	return 0;
}

static bool quiet_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	return true;
}

static const struct damon_operations quiet_ops = {
	.id = DAMON_OPS_SIM,
	.name = "quiet",
	.init = quiet_init,
	.prepare_access_checks = quiet_prepare,
	.check_accesses = quiet_check,
	.target_valid = quiet_valid,
};

static int on_started(struct damon_ctx *ctx, void *data)
{
	explore_note("kdamond starts");
	world.nr_started++;
	return 0;
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	explore_note("kdamond ends, result %d", result);
	explore_check(!result, "the kdamond died of %d", result);
	world.nr_stopped++;
}

static struct damon_ctx *new_ctx(void)
{
	const struct damon_addr_range range = {.start = 0, .end = 3 * 4096};
	struct damon_target *target;
	struct damon_ctx *ctx;
	struct damos *scheme;
	unsigned int i;

	if (damon_new_ctx(&ctx, world.lib) || damon_select_ops(ctx, DAMON_OPS_SIM) ||
	    damon_new_target(&target, world.lib) ||
	    damon_set_regions(target, &range, 1, ctx->attrs.min_region_sz) ||
	    damon_add_target(ctx, target))
		explore_fault("no context");
	ctx->attrs.sample_interval = SAMPLE_US;
	ctx->attrs.aggr_interval = SAMPLE_US;
	ctx->attrs.min_nr_regions = 3;
	ctx->attrs.max_nr_regions = 3;
	for (i = 0; i < NR_SCHEMES; i++) {
		if (damon_new_scheme(&scheme, world.lib))
			explore_fault("no scheme");
		scheme->apply_interval_us = (i + 1) * SAMPLE_US;
		if (damon_add_scheme(ctx, scheme))
			explore_fault("scheme refused");
	}
	return ctx;
}

static void setup(struct library_scenario *scenario)
{
	struct damon_port *port = explore_port();

	memset(&world, 0, sizeof(world));
	world.scenario = scenario;
	if (port->mutex_new(port, &world.sleep_lock) || port->cond_new(port, &world.sleep_cond) ||
	    damon_lib_new(&world.lib, port) || damon_register_ops(world.lib, &quiet_ops, NULL))
		explore_fault("no library object");
	world.ctx = new_ctx();
	world.ctx->callbacks.started = on_started;
	world.ctx->callbacks.stopped = on_stopped;
	world.source = new_ctx();
	explore_lend(&world.settled, sizeof(world.settled), "a flag");
}

static void teardown(void)
{
	damon_destroy_ctx(world.source);
	damon_destroy_ctx(world.ctx);
	damon_lib_free(world.lib);
	explore_port()->cond_free(explore_port(), world.sleep_cond);
	explore_port()->mutex_free(explore_port(), world.sleep_lock);
}

/* Thread 1. */

static void start(void)
{
	int err;

	explore_note("start()");
	explore_begin("start", PROMPT_US);
	err = damon_start(&world.ctx, 1, false);
	explore_end();
	explore_check(!err || err == -EBUSY, "start gave %d", err);
	explore_check(!err || scenario_has(ASK_STOP), "start gave %d though nobody runs", err);
}

static void stop(void)
{
	int err;

	explore_note("stop()");
	explore_begin("stop", PROMPT_US);
	err = damon_stop(&world.ctx, 1);
	explore_end();
	explore_note("  stopped");
	explore_check(!err, "stop gave %d", err);
}

/* Calls. */

static struct asked *to_asked(struct damon_call_control *control)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (&world.asked[i].call == control)
			return &world.asked[i];
	explore_fault("end of a request that nobody made");
}

/* The owner may do with the request what it likes. */
static void take_back_call(struct asked *asked)
{
	asked->gone = true;
	explore_return(&asked->call.request);
}

static int run_call(struct damon_ctx *ctx, void *data)
{
	struct asked *asked = data;

	explore_note("call runs");
	explore_check(!asked->gone, "a call runs that has ended");
	explore_check(damon_kdamond_pid(ctx) ==
			      (int64_t)explore_port()->thread_self(explore_port()),
		      "a call runs on another thread than the kdamond");
	asked->nr_run++;
	return asked->kind == ASK_REPEAT && asked->nr_run == 2 ? 42 : 0;
}

static void end_call(struct damon_call_control *control, int result)
{
	struct asked *asked = to_asked(control);

	explore_note("end(call, %d)", result);
	asked->nr_ended++;
	asked->result = result;
	explore_check(asked->nr_ended == 1, "a request ended %u times", asked->nr_ended);
	if (control->repeat)
		take_back_call(asked);
}

static void lend_call(struct asked *asked, int (*fn)(struct damon_ctx *ctx, void *data),
		      bool repeat)
{
	explore_lend(&asked->call.request, sizeof(asked->call.request), "a call");
	memset(&asked->call, 0, sizeof(asked->call));
	asked->call.fn = fn;
	asked->call.data = asked;
	asked->call.repeat = repeat;
	asked->call.end = end_call;
	asked->nr_run = 0;
	asked->nr_ended = 0;
	asked->gone = false;
}

/* Lent, so that the explorer knows that it matters who comes first. */
static bool is_settled(void)
{
	explore_touch_object(&world.settled);
	return world.settled;
}

/* Whether a request that was made when it was @settled may be told that nobody runs. */
static bool may_be_refused(bool settled)
{
	return (world.scenario->life != LIFE_GOES_ON && !settled) || scenario_has(ASK_STOP);
}

static void ask_call(struct asked *asked, int (*fn)(struct damon_ctx *ctx, void *data))
{
	bool settled = is_settled();
	int err;

	lend_call(asked, fn, false);
	explore_note("call()");
	explore_begin("call", PROMPT_US);
	err = damon_call(world.ctx, &asked->call);
	explore_end();
	explore_note("  call() gave %d", err);
	explore_check(!err || (err == -ECANCELED && (may_be_refused(settled) || withdraws())),
		      "call gave %d", err);
	explore_check(asked->nr_run == (err ? 0 : 1), "call gave %d and ran %u times", err,
		      asked->nr_run);
	explore_check(asked->nr_ended <= 1 && (err || asked->nr_ended == 1),
		      "call gave %d and ended %u times", err, asked->nr_ended);
	take_back_call(asked);
}

static void ask_repeat(struct asked *asked, bool cancel, uint64_t later_us)
{
	bool settled = is_settled();
	int err;

	lend_call(asked, run_call, true);
	explore_note("call(repeat)");
	err = damon_call(world.ctx, &asked->call);
	explore_note("  accepted: %d", err);
	explore_check(!err || (err == -ECANCELED && may_be_refused(settled)),
		      "repeated call gave %d", err);
	asked->accepted = !err;
	if (err) {
		explore_check(!asked->nr_run && !asked->nr_ended, "a refused call left a trace");
		take_back_call(asked);
	}
	if (err || !cancel)
		return;
	if (later_us)
		sleep_us(later_us);
	explore_begin("cancel", PROMPT_US);
	explore_note("cancel()");
	err = damon_call_cancel(world.ctx, &asked->call);
	explore_end();
	explore_note("  cancel() gave %d", err);
	explore_check(asked->nr_ended == 1, "cancelled, and ended %u times", asked->nr_ended);
	explore_check((err == -ENOENT && (may_be_refused(settled) || withdraws())) ||
			      (!err && asked->result == -ECANCELED),
		      "cancel gave %d, the end %d", err, asked->result);
}

/* Walks. */

static void run_walk(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_region *region, struct damos *scheme,
		     uint64_t sz_filter_passed, void *data)
{
	struct asked *asked = data;
	unsigned int idx = scheme == ctx->schemes[0] ? 0 : 1;

	explore_check(!asked->gone, "a walk is told of a region after it has ended");
	asked->nr_seen[idx]++;
	if (asked->nr_seen[idx] == 1)
		explore_note("walk: scheme %u", idx);
}

static void end_walk(struct damos_walk_control *control, int result)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (&world.asked[i].walk == control)
			world.asked[i].nr_ended++;
}

static void ask_walk(struct asked *asked)
{
	bool settled = is_settled();
	unsigned int i;
	int err;

	explore_lend(&asked->walk.request, sizeof(asked->walk.request), "a walk");
	memset(&asked->walk, 0, sizeof(asked->walk));
	asked->walk.walk_fn = run_walk;
	asked->walk.data = asked;
	asked->walk.end = end_walk;
	asked->gone = false;
	asked->nr_ended = 0;
	memset(asked->nr_seen, 0, sizeof(asked->nr_seen));
	explore_note("walk()");
	explore_begin("walk", pauses() ? BOUNDARY_US + WALK_US : WALK_US);
	err = damos_walk(world.ctx, &asked->walk);
	explore_end();
	explore_note("  walk() gave %d", err);
	explore_check(!err || (err == -ECANCELED &&
			       (may_be_refused(settled) || withdraws() || pauses())),
		      "walk gave %d", err);
	for (i = 0; i < NR_SCHEMES && !err; i++)
		explore_check(asked->nr_seen[i] == 3, "a walk saw %u of 3 regions of scheme %u",
			      asked->nr_seen[i], i);
	explore_check(asked->nr_ended == (err ? asked->nr_ended : 1) && asked->nr_ended <= 1,
		      "walk gave %d and ended %u times", err, asked->nr_ended);
	asked->gone = true;
	explore_return(&asked->walk.request);
}

/* Pause, commit, withdrawal, requests from inside. */

static void ask_pause_resume(bool lasting)
{
	bool settled = is_settled();
	int err;

	explore_note("pause()");
	explore_begin("pause", BOUNDARY_US);
	err = damon_pause(world.ctx);
	explore_end();
	explore_note("  pause() gave %d", err);
	explore_check(!err || (err == -ECANCELED && may_be_refused(settled)), "pause gave %d", err);
	if (lasting)
		sleep_us(2 * WALK_US);
	explore_begin("resume", BOUNDARY_US);
	err = damon_resume(world.ctx);
	explore_end();
	explore_note("  resume() gave %d", err);
	explore_check(!err || (err == -ECANCELED && may_be_refused(settled)), "resume gave %d",
		      err);
}

static int run_commit(struct damon_ctx *ctx, void *data)
{
	explore_note("commit runs");
	((struct asked *)data)->nr_run++;
	/* A pause is another thread's to end. */
	world.source->pause = ctx->pause;
	return damon_commit_ctx(ctx, world.source);
}

static void ask_cancel_others(struct asked *own)
{
	unsigned int i;
	int err;

	for (i = 0; i < 3; i++) {
		struct asked *other = &world.asked[i];

		if (other == own || other->kind == ASK_NOTHING)
			continue;
		explore_note("withdraw()");
		explore_begin("withdrawal", PROMPT_US);
		if (other->kind == ASK_WALK || other->kind == ASK_WALK_TWICE)
			err = damos_walk_cancel(world.ctx, &other->walk);
		else
			err = damon_call_cancel(world.ctx, &other->call);
		explore_end();
		explore_note("  withdraw() gave %d", err);
		explore_check(!err || err == -ENOENT, "withdrawal gave %d", err);
	}
}

static int run_inside(struct damon_ctx *ctx, void *data)
{
	struct damon_call_control call = {.fn = run_call, .data = data};
	struct damos_walk_control walk = {.walk_fn = run_walk, .data = data};
	int err;

	((struct asked *)data)->nr_run++;
	explore_note("call runs, asks itself");
	explore_begin("a request from inside", PROMPT_US);
	err = damon_call(ctx, &call);
	explore_check(err == -EDEADLK, "a call from inside gave %d", err);
	err = damos_walk(ctx, &walk);
	explore_check(err == -EDEADLK, "a walk from inside gave %d", err);
	err = damon_stop(&ctx, 1);
	explore_check(err == -EDEADLK, "a stop from inside gave %d", err);
	err = damon_wait(ctx, UINT64_MAX, NULL);
	explore_check(err == -EDEADLK, "a wait from inside gave %d", err);
	err = damon_pause(ctx);
	explore_check(err == -EDEADLK, "a pause from inside gave %d", err);
	world.source->pause = ctx->pause;
	err = damon_commit_ctx(ctx, world.source);
	explore_check(!err, "a commit from inside gave %d", err);
	explore_end();
	return 0;
}

static void ask_timeout(struct asked *asked)
{
	int err;

	explore_lend(&asked->walk.request, sizeof(asked->walk.request), "a walk");
	memset(&asked->walk, 0, sizeof(asked->walk));
	asked->walk.walk_fn = run_walk;
	asked->walk.data = asked;
	asked->walk.timeout_us = SAMPLE_US / 2;
	asked->gone = false;
	explore_note("walk(timeout)");
	explore_begin("walk with timeout", SAMPLE_US / 2);
	err = damos_walk(world.ctx, &asked->walk);
	explore_end();
	explore_note("  walk(timeout) gave %d", err);
	explore_check(err == -ETIMEDOUT || err == -ECANCELED, "walk with timeout gave %d", err);
	asked->gone = true;
	explore_return(&asked->walk.request);
}

static void ask(void *arg)
{
	struct asked *asked = arg;

	switch (asked->kind) {
	case ASK_CALL_TWICE:
		ask_call(asked, run_call);
		ask_call(asked, run_call);
		break;
	case ASK_CALL:
		ask_call(asked, run_call);
		break;
	case ASK_REPEAT:
		ask_repeat(asked, false, 0);
		break;
	case ASK_REPEAT_CANCEL:
		ask_repeat(asked, true, 0);
		break;
	case ASK_REPEAT_CANCEL_LATER:
		ask_repeat(asked, true, SAMPLE_US);
		break;
	case ASK_CANCEL_OTHERS_LATER:
		sleep_us(SAMPLE_US);
		ask_cancel_others(asked);
		break;
	case ASK_WALK_TWICE:
		ask_walk(asked);
		ask_walk(asked);
		break;
	case ASK_WALK:
		ask_walk(asked);
		break;
	case ASK_PAUSE_RESUME:
		ask_pause_resume(false);
		break;
	case ASK_PAUSE_LONG:
		ask_pause_resume(true);
		break;
	case ASK_COMMIT:
		ask_call(asked, run_commit);
		break;
	case ASK_CANCEL_OTHERS:
		ask_cancel_others(asked);
		break;
	case ASK_INSIDE:
		ask_call(asked, run_inside);
		break;
	case ASK_STOP:
		stop();
		break;
	case ASK_CALL_TIMEOUT:
		ask_timeout(asked);
		break;
	default:
		break;
	}
}

static void live(enum lifecycle life)
{
	if (life == LIFE_START)
		start();
	if (life == LIFE_STOP || life == LIFE_RESTART || life == LIFE_RESTART_FORGET)
		stop();
	if (life == LIFE_RESTART_FORGET)
		explore_check(!damon_forget(world.ctx), "training can't be dropped");
	if (life == LIFE_RESTART || life == LIFE_RESTART_FORGET)
		start();
	is_settled();
	world.settled = life != LIFE_STOP;
}

static void run(void *arg)
{
	struct library_scenario *scenario = arg;
	struct damon_thread *threads[3] = {NULL};
	unsigned int i;

	explore_quiet(true);
	setup(scenario);
	if (scenario->life != LIFE_START)
		start();
	for (i = 0; i < 3; i++)
		world.asked[i].kind = scenario->asking[i];
	for (i = 0; i < 3; i++)
		if (scenario->asking[i] != ASK_NOTHING)
			threads[i] = explore_thread(ask, &world.asked[i]);
	explore_quiet(false);
	live(scenario->life);
	for (i = 0; i < 3; i++)
		if (threads[i])
			explore_join(threads[i]);
	explore_quiet(true);
	stop();
	explore_check(!damon_is_running(world.ctx), "runs after it was stopped");
	explore_check(world.nr_started == world.nr_stopped, "%u started, %u stopped",
		      world.nr_started, world.nr_stopped);
	for (i = 0; i < 3; i++)
		explore_check(!world.asked[i].accepted || world.asked[i].nr_ended == 1,
			      "an accepted request ended %u times", world.asked[i].nr_ended);
	teardown();
}

void library_scenario(struct library_scenario *scenario, enum lifecycle life, enum asking first,
		      enum asking second, enum asking third)
{
	const enum asking asking[3] = {first, second, third};
	unsigned int i, column = 0;

	memset(scenario, 0, sizeof(*scenario));
	scenario->life = life;
	snprintf(scenario->name, sizeof(scenario->name), "%s", life_names[life]);
	scenario->scenario.columns[column++] = life_names[life];
	if (life != LIFE_START)
		scenario->scenario.columns[column++] = "kdamond";
	for (i = 0; i < 3; i++) {
		scenario->asking[i] = asking[i];
		if (asking[i] == ASK_NOTHING)
			continue;
		snprintf(scenario->name + strlen(scenario->name),
			 sizeof(scenario->name) - strlen(scenario->name), "+%s",
			 asking_names[asking[i]]);
		scenario->scenario.columns[column++] = asking_names[asking[i]];
	}
	if (life != LIFE_GOES_ON && life != LIFE_STOP)
		scenario->scenario.columns[column++] = "new kdamond";
	scenario->scenario.nr_columns = column;
	scenario->scenario.name = scenario->name;
	scenario->scenario.run = run;
	scenario->scenario.arg = scenario;
}

static int find_name(const char *const *names, unsigned int nr, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

int library_scenario_parse(struct library_scenario *scenario, const char *name)
{
	enum asking asking[3] = {ASK_NOTHING, ASK_NOTHING, ASK_NOTHING};
	char copy[sizeof(scenario->name)], *word, *rest = copy;
	unsigned int nr = 0;
	int life, found;

	snprintf(copy, sizeof(copy), "%s", name);
	word = strsep(&rest, "+");
	life = find_name(life_names, NR_LIVES, word);
	if (life < 0)
		return life;
	while ((word = strsep(&rest, "+"))) {
		found = find_name(asking_names, NR_ASKING, word);
		if (found < 0 || nr == 3)
			return -EINVAL;
		asking[nr++] = (enum asking)found;
	}
	library_scenario(scenario, (enum lifecycle)life, asking[0], asking[1], asking[2]);
	return 0;
}
