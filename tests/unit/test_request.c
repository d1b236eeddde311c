// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Requests to a running kdamond, in virtual time: who is served when, and with what result. */
#include <errno.h>
#include <string.h>

#include "test_port.h"

#define USEC 1000ULL

static const struct damon_addr_range ranges[] = {TEST_RANGE(0, 100)};

/* What a request's callbacks saw. */
struct seen {
	struct test_world *world;
	unsigned int nr_run, nr_ended, nr_regions;
	uint64_t at_ns[8];
	int result;	     /* of end() */
	int ret;	     /* what the callback is to return */
	unsigned int end_at; /* ... at that time (from 1); 0: always */
	bool cancel_inside;
	int64_t pid;
	struct damon_call_control call;
	struct damos_walk_control walk;
	int waited; /* what a waiting request gave another thread */
};

static uint64_t now_us(struct test_world *world)
{
	return world->port.port.now_ns(&world->port.port) / USEC;
}

static void start(struct test_world *world)
{
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
}

static void stop(struct test_world *world)
{
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static void test(void (*main)(void *world))
{
	test_kdamond(ranges, main);
}

static int run_call(struct damon_ctx *ctx, void *data)
{
	struct seen *seen = data;

	if (seen->nr_run < TEST_COUNT(seen->at_ns))
		seen->at_ns[seen->nr_run] = now_us(seen->world);
	seen->nr_run++;
	seen->pid = (int64_t)seen->world->port.port.thread_self(&seen->world->port.port);
	if (seen->cancel_inside)
		assert_int_equal(damon_call_cancel(ctx, &seen->call), 0);
	return !seen->end_at || seen->nr_run == seen->end_at ? seen->ret : 0;
}

static void end_call(struct damon_call_control *control, int result)
{
	struct seen *seen = control->data;

	seen->nr_ended++;
	seen->result = result;
}

static struct seen new_seen(struct test_world *world)
{
	return (struct seen){
		.world = world,
		.call = {.fn = run_call, .end = end_call},
	};
}

/* Calls. */

static void main_call(void *arg)
{
	struct test_world *world = arg;
	struct seen seen = new_seen(world);

	seen.call.data = &seen;
	seen.ret = 42;
	start(world);
	test_sleep_us(&world->port.port, 2000);
	assert_int_equal(damon_call(world->ctx, &seen.call), 42);
	assert_int_equal(seen.nr_run, 1);
	assert_int_equal(seen.nr_ended, 1);
	assert_int_equal(seen.result, 42);
	assert_int_equal(seen.pid, damon_kdamond_pid(world->ctx));
	/* At once, in the middle of a sampling interval, whose rest is then slept. */
	assert_int_equal(seen.at_ns[0], 2000);
	test_sleep_us(&world->port.port, 2900);
	assert_int_equal(world->script.nr_check, 0);
	test_sleep_us(&world->port.port, 200);
	assert_int_equal(world->script.nr_check, 1);
	stop(world);
}

static void a_call_runs_at_once_on_the_kdamond(void **state)
{
	test(main_call);
}

static void main_not_running(void *arg)
{
	struct test_world *world = arg;
	struct seen seen = new_seen(world);

	seen.call.data = &seen;
	seen.walk.data = &seen;
	assert_int_equal(damon_call(world->ctx, &seen.call), -ECANCELED);
	seen.call.repeat = true;
	assert_int_equal(damon_call(world->ctx, &seen.call), -ECANCELED);
	assert_int_equal(damon_call_cancel(world->ctx, &seen.call), -ENOENT);
	assert_int_equal(damon_pause(world->ctx), -ECANCELED);
	start(world);
	stop(world);
	assert_int_equal(damon_call(world->ctx, &seen.call), -ECANCELED);
	assert_int_equal(seen.nr_run, 0);
	assert_int_equal(seen.nr_ended, 0);
	seen.call.fn = NULL;
	assert_int_equal(damon_call(world->ctx, &seen.call), -EINVAL);
	assert_int_equal(damos_walk(world->ctx, &seen.walk), -EINVAL);
}

static void requests_to_nobody_leave_no_trace(void **state)
{
	test(main_not_running);
}

static void main_repeat(void *arg)
{
	struct test_world *world = arg;
	struct seen seen = new_seen(world);

	seen.call.data = &seen;
	seen.call.repeat = true;
	seen.ret = 7;
	seen.end_at = 3;
	start(world);
	assert_int_equal(damon_call(world->ctx, &seen.call), 0);
	test_sleep_us(&world->port.port, 10 * TEST_SAMPLE_US);
	assert_int_equal(seen.nr_run, 3);
	assert_int_equal(seen.nr_ended, 1);
	assert_int_equal(seen.result, 7);
	/* Only where a sampling interval has ended. */
	assert_int_equal(seen.at_ns[0], TEST_SAMPLE_US);
	assert_int_equal(seen.at_ns[1], 2 * TEST_SAMPLE_US);
	assert_int_equal(damon_call_cancel(world->ctx, &seen.call), -ENOENT);
	stop(world);
}

static void a_repeated_call_runs_every_iteration(void **state)
{
	test(main_repeat);
}

static void main_repeat_cancelled(void *arg)
{
	struct test_world *world = arg;
	struct seen outside = new_seen(world), inside = new_seen(world), stopped = new_seen(world);

	outside.call.data = &outside;
	inside.call.data = &inside;
	stopped.call.data = &stopped;
	outside.call.repeat = inside.call.repeat = stopped.call.repeat = true;
	inside.cancel_inside = true;
	start(world);
	assert_int_equal(damon_call(world->ctx, &outside.call), 0);
	assert_int_equal(damon_call(world->ctx, &inside.call), 0);
	assert_int_equal(damon_call(world->ctx, &stopped.call), 0);
	test_sleep_us(&world->port.port, 2 * TEST_SAMPLE_US + 100);
	assert_int_equal(damon_call_cancel(world->ctx, &outside.call), 0);
	assert_int_equal(outside.nr_run, 2);
	assert_int_equal(outside.nr_ended, 1);
	assert_int_equal(outside.result, -ECANCELED);
	assert_int_equal(inside.nr_run, 1);
	assert_int_equal(inside.nr_ended, 1);
	assert_int_equal(inside.result, -ECANCELED);
	stop(world);
	assert_int_equal(outside.nr_run, 2);
	assert_int_equal(stopped.nr_ended, 1);
	assert_int_equal(stopped.result, -ECANCELED);
}

static void a_repeated_call_is_cancelled(void **state)
{
	test(main_repeat_cancelled);
}

static int run_long(struct damon_ctx *ctx, void *data)
{
	struct seen *seen = data;

	seen->nr_run++;
	test_sleep_us(&seen->world->port.port, 50000);
	return 5;
}

static void other_call(void *arg)
{
	struct seen *seen = arg;

	seen->waited = damon_call(seen->world->ctx, &seen->call);
}

static void main_timeout(void *arg)
{
	struct test_world *world = arg;
	struct seen busy = new_seen(world), late = new_seen(world);
	struct damon_thread *thread;
	uint64_t since_us;

	busy.call.data = &busy;
	busy.call.fn = run_long;
	busy.call.timeout_us = 20000;
	late.call.data = &late;
	late.call.timeout_us = 10000;
	start(world);
	assert_int_equal(world->port.port.thread_start(&world->port.port, &thread, "other",
						       other_call, &busy),
			 0);
	test_sleep_us(&world->port.port, 1000);
	since_us = now_us(world);
	assert_int_equal(damon_call(world->ctx, &late.call), -ETIMEDOUT);
	assert_int_equal(now_us(world) - since_us, 10000);
	world->port.port.thread_join(&world->port.port, thread);
	/* Its function had begun when the time was over: it is waited for, and counts. */
	assert_int_equal(busy.waited, 5);
	test_sleep_us(&world->port.port, 10 * TEST_SAMPLE_US);
	assert_int_equal(late.nr_run, 0);
	assert_int_equal(late.nr_ended, 1);
	stop(world);
}

static void a_call_gives_up_but_not_in_the_middle(void **state)
{
	test(main_timeout);
}

static void main_withdraw(void *arg)
{
	struct test_world *world = arg;
	struct seen busy = new_seen(world), queued = new_seen(world);
	struct damon_thread *threads[2];

	busy.call.data = &busy;
	busy.call.fn = run_long;
	queued.call.data = &queued;
	start(world);
	assert_int_equal(world->port.port.thread_start(&world->port.port, &threads[0], "busy",
						       other_call, &busy),
			 0);
	test_sleep_us(&world->port.port, 1000);
	assert_int_equal(world->port.port.thread_start(&world->port.port, &threads[1], "queued",
						       other_call, &queued),
			 0);
	test_sleep_us(&world->port.port, 1000);
	assert_int_equal(damon_call_cancel(world->ctx, &queued.call), 0);
	world->port.port.thread_join(&world->port.port, threads[1]);
	assert_int_equal(queued.waited, -ECANCELED);
	/* One that runs is waited for. */
	assert_int_equal(damon_call_cancel(world->ctx, &busy.call), -ENOENT);
	world->port.port.thread_join(&world->port.port, threads[0]);
	assert_int_equal(busy.waited, 5);
	stop(world);
	assert_int_equal(queued.nr_run, 0);
}

static void a_waiting_call_is_withdrawn(void **state)
{
	test(main_withdraw);
}

static int change_interval(struct damon_ctx *ctx, void *data)
{
	struct damon_attrs attrs = ctx->attrs;

	attrs.sample_interval = 2 * TEST_SAMPLE_US;
	attrs.aggr_interval = 8 * TEST_SAMPLE_US;
	return damon_set_attrs(ctx, &attrs);
}

static void main_voids_samples(void *arg)
{
	struct test_world *world = arg;
	struct damon_call_control call = {.fn = change_interval};

	start(world);
	test_sleep_us(&world->port.port, 2000);
	assert_int_equal(damon_call(world->ctx, &call), 0);
	/* The interval in which it fell ends at 5 ms and doesn't count; the next ends at 15. */
	test_sleep_us(&world->port.port, 12900);
	assert_int_equal(world->script.nr_check, 0);
	test_sleep_us(&world->port.port, 200);
	assert_int_equal(world->script.nr_check, 1);
	assert_int_equal(world->script.nr_prepare, 3);
	assert_false(world->script.unprepared_check);
	stop(world);
}

static void a_change_of_attributes_voids_the_samples(void **state)
{
	test(main_voids_samples);
}

static int ask_from_inside(struct damon_ctx *ctx, void *data)
{
	struct seen *seen = data;
	struct damon_call_control call = {.fn = run_call, .data = seen};

	assert_int_equal(damon_call(ctx, &call), -EDEADLK);
	assert_int_equal(damos_walk(ctx, &seen->walk), -EDEADLK);
	assert_int_equal(damon_stop(&ctx, 1), -EDEADLK);
	assert_int_equal(damon_wait(ctx, UINT64_MAX, NULL), -EDEADLK);
	assert_int_equal(damon_pause(ctx), -EDEADLK);
	assert_int_equal(damon_resume(ctx), -EDEADLK);
	assert_int_equal(damon_start(&ctx, 1, false), -EBUSY);
	return 0;
}

static void see_region(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_region *region, struct damos *scheme,
		       uint64_t sz_filter_passed, void *data)
{
	struct seen *seen = data;

	assert_int_equal(sz_filter_passed, region->ar.end - region->ar.start);
	if (seen->nr_regions < TEST_COUNT(seen->at_ns))
		seen->at_ns[seen->nr_regions] = now_us(seen->world);
	seen->nr_regions++;
	if (seen->cancel_inside)
		assert_int_equal(damos_walk_cancel(ctx, &seen->walk), 0);
}

static void main_inside(void *arg)
{
	struct test_world *world = arg;
	struct seen seen = new_seen(world);

	seen.call.fn = ask_from_inside;
	seen.call.data = &seen;
	seen.walk.walk_fn = see_region;
	start(world);
	assert_int_equal(damon_call(world->ctx, &seen.call), 0);
	stop(world);
}

static void nobody_waits_for_himself(void **state)
{
	test(main_inside);
}

/* Walks. */

static struct damos *add_scheme(struct test_world *world, uint64_t apply_interval_us)
{
	struct damos *scheme;

	assert_int_equal(damon_new_scheme(&scheme, world->lib), 0);
	scheme->apply_interval_us = apply_interval_us;
	assert_int_equal(damon_add_scheme(world->ctx, scheme), 0);
	return scheme;
}

static struct seen new_walk(struct test_world *world)
{
	struct seen seen = new_seen(world);

	seen.walk.walk_fn = see_region;
	return seen;
}

static void other_walk(void *arg)
{
	struct seen *seen = arg;

	seen->waited = damos_walk(seen->world->ctx, &seen->walk);
}

static void main_walk(void *arg)
{
	struct test_world *world = arg;
	struct seen first = new_walk(world), second = new_walk(world);
	struct damos *often = add_scheme(world, TEST_SAMPLE_US);
	struct damos *none = add_scheme(world, 3 * TEST_SAMPLE_US);
	struct damon_thread *thread;
	size_t nr_regions;

	none->pattern.min_age_region = 1000;
	world->ctx->attrs.aggr_interval = 100 * TEST_SAMPLE_US;
	world->ctx->attrs.max_nr_regions = 10;
	first.walk.data = &first;
	second.walk.data = &second;
	start(world);
	assert_int_equal(world->port.port.thread_start(&world->port.port, &thread, "walk",
						       other_walk, &second),
			 0);
	assert_int_equal(damos_walk(world->ctx, &first.walk), 0);
	world->port.port.thread_join(&world->port.port, thread);
	/* One application of each, the slower one's at its third interval. */
	assert_int_equal(now_us(world), 3 * TEST_SAMPLE_US);
	nr_regions = damon_nr_regions(world->target);
	assert_int_equal(first.nr_regions, nr_regions);
	assert_int_equal(first.at_ns[0], TEST_SAMPLE_US);
	assert_int_equal(second.waited, 0);
	assert_int_equal(second.nr_regions, nr_regions);
	stop(world);
	assert_int_equal(often->stat.nr_tried, 3 * nr_regions);
	assert_int_equal(often->stat.sz_tried, 3 * 100 * TEST_PAGE);
	assert_int_equal(often->stat.sz_applied, 3 * 100 * TEST_PAGE);
	assert_int_equal(often->stat.nr_snapshots, 3);
	assert_int_equal(none->stat.nr_tried, 0);
	assert_int_equal(none->stat.nr_snapshots, 1);
}

static void walks_see_one_application_of_every_scheme(void **state)
{
	test(main_walk);
}

static void main_walk_ends_early(void *arg)
{
	struct test_world *world = arg;
	struct seen inside = new_walk(world), late = new_walk(world), refused = new_walk(world);

	inside.walk.data = &inside;
	inside.cancel_inside = true;
	late.walk.data = &late;
	late.walk.timeout_us = 1000;
	refused.walk.data = &refused;
	start(world);
	assert_int_equal(damos_walk(world->ctx, &refused.walk), -ECANCELED); /* no scheme */
	assert_true(now_us(world) <= TEST_SAMPLE_US);
	stop(world);
	add_scheme(world, TEST_SAMPLE_US);
	start(world);
	assert_int_equal(damos_walk(world->ctx, &inside.walk), -ECANCELED);
	assert_int_equal(inside.nr_regions, 1);
	assert_int_equal(damos_walk(world->ctx, &late.walk), -ETIMEDOUT);
	assert_int_equal(late.nr_regions, 0);
	assert_int_equal(damon_pause(world->ctx), 0);
	assert_int_equal(damos_walk(world->ctx, &refused.walk), -ECANCELED);
	assert_int_equal(damon_resume(world->ctx), 0);
	refused.walk.timeout_us = 10 * TEST_SAMPLE_US;
	assert_int_equal(damos_walk(world->ctx, &refused.walk), 0);
	stop(world);
}

static void walks_end_when_there_is_nothing_to_see(void **state)
{
	test(main_walk_ends_early);
}

/* Pause. */

static void main_paused(void *arg)
{
	struct test_world *world = arg;
	struct seen once = new_seen(world), repeated = new_seen(world);
	unsigned int nr_check, nr_run;

	once.call.data = &once;
	repeated.call.data = &repeated;
	repeated.call.repeat = true;
	start(world);
	assert_int_equal(damon_call(world->ctx, &repeated.call), 0);
	test_sleep_us(&world->port.port, 2000);
	assert_int_equal(damon_pause(world->ctx), 0);
	/* In force where the sampling interval ends. */
	assert_int_equal(now_us(world), TEST_SAMPLE_US);
	assert_string_equal(world->event, "pause");
	nr_check = world->script.nr_check;
	nr_run = repeated.nr_run;
	test_sleep_us(&world->port.port, 100 * TEST_SAMPLE_US + 10);
	assert_int_equal(world->script.nr_check, nr_check);
	/* Every 100 ms: it would see nothing new meanwhile. */
	assert_in_range(repeated.nr_run - nr_run, 100 * TEST_SAMPLE_US / 100000 - 1,
			100 * TEST_SAMPLE_US / 100000 + 1);
	assert_int_equal(damon_call(world->ctx, &once.call), 0);
	assert_int_equal(once.at_ns[0], 101 * TEST_SAMPLE_US + 10);
	assert_int_equal(damon_resume(world->ctx), 0);
	assert_int_equal(now_us(world), 101 * TEST_SAMPLE_US + 10);
	test_sleep_us(&world->port.port, TEST_SAMPLE_US + 10);
	assert_string_equal(world->event, "resume");
	assert_int_equal(world->script.nr_check, nr_check + 1);
	stop(world);
}

static void a_paused_kdamond_serves_and_does_nothing_else(void **state)
{
	test(main_paused);
}

static void main_idle_pause(void *arg)
{
	struct test_world *world = arg;
	unsigned int nr_valid;

	start(world);
	assert_int_equal(damon_pause(world->ctx), 0);
	nr_valid = world->script.nr_valid;
	test_sleep_us(&world->port.port, 10000000);
	/* Ten times a second, not two hundred times. */
	assert_in_range(world->script.nr_valid - nr_valid, 98, 102);
	stop(world);
}

static void a_paused_kdamond_rarely_gets_up_for_nothing(void **state)
{
	test(main_idle_pause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_runs_at_once_on_the_kdamond),
		cmocka_unit_test(requests_to_nobody_leave_no_trace),
		cmocka_unit_test(a_repeated_call_runs_every_iteration),
		cmocka_unit_test(a_repeated_call_is_cancelled),
		cmocka_unit_test(a_call_gives_up_but_not_in_the_middle),
		cmocka_unit_test(a_waiting_call_is_withdrawn),
		cmocka_unit_test(a_change_of_attributes_voids_the_samples),
		cmocka_unit_test(nobody_waits_for_himself),
		cmocka_unit_test(walks_see_one_application_of_every_scheme),
		cmocka_unit_test(walks_end_when_there_is_nothing_to_see),
		cmocka_unit_test(a_paused_kdamond_serves_and_does_nothing_else),
		cmocka_unit_test(a_paused_kdamond_rarely_gets_up_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
