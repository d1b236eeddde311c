// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Committing to a context that runs: targets, callbacks, and what becomes of the window under way. */
#include <errno.h>
#include <string.h>

#include "test_commit.h"

/* On a running context. */

static int commit_on_kdamond(struct damon_ctx *ctx, void *data)
{
	return damon_commit_ctx(ctx, data);
}

static int commit_running(struct commit *c)
{
	struct damon_call_control control = {.fn = commit_on_kdamond, .data = c->src};

	return damon_call(c->world.ctx, &control);
}

static void main_adds_and_drops(void *arg)
{
	struct commit *c = arg;
	struct damon_ctx *ctx = c->world.ctx;
	const struct damon_addr_range range = TEST_RANGE(0, 100);

	c->world.script.ranges = &range;
	c->world.script.nr_ranges = 1;
	assert_int_equal(damon_start(&ctx, 1, false), 0);
	assert_int_equal(c->world.script.nr_init_target, 1);
	add_source(c, -1);
	assert_int_equal(commit_running(c), 0);
	assert_int_equal(c->world.script.nr_init_target, 2);
	assert_string_equal(c->world.event, "commit");
	assert_int_equal(c->src->nr_targets, 2);
	c->src->targets[1]->obsolete = true;
	assert_int_equal(commit_running(c), 0);
	assert_int_equal(c->world.script.nr_cleanup_target, 1);
	assert_int_equal(ctx->nr_targets, 1);
	assert_int_equal(damon_stop(&ctx, 1), 0);
	assert_int_equal(c->world.script.nr_cleanup_target, 2);
}

static void targets_come_and_go_through_the_operations_set_while_running(void **state)
{
	struct commit c;

	setup(&c, -1);
	test_world_run(&c.world, main_adds_and_drops);
	teardown(&c);
}

static void main_refused_target(void *arg)
{
	struct commit *c = arg;
	struct damon_ctx *ctx = c->world.ctx;

	assert_int_equal(damon_start(&ctx, 1, false), 0);
	/* Of two further targets the second is refused: the first has to go again. */
	add_source(c, 300);
	add_source(c, 301);
	c->world.script.init_target_error = -ESRCH;
	c->world.script.init_target_fails_at = 3;
	c->src->pause = true;
	assert_int_equal(commit_running(c), -ESRCH);
	assert_int_equal(ctx->nr_targets, 1);
	assert_false(ctx->pause);
	assert_int_equal(c->world.script.nr_cleanup_target, 1);
	assert_true(damon_is_running(ctx));
	assert_int_equal(damon_stop(&ctx, 1), 0);
}

static void a_target_refused_by_the_operations_set_undoes_everything(void **state)
{
	struct commit c;

	setup(&c, -1);
	test_world_run(&c.world, main_refused_target);
	/* Cut to a tenth of the 10 pages at start, and as old as it was. */
	assert_int_equal(damon_nr_regions(c.world.target), 10);
	assert_int_equal(test_region(c.world.target, 0).age, 9);
	assert_int_equal(test_region(c.world.target, 9).age, 2);
	teardown(&c);
}

static void main_foreign_thread(void *arg)
{
	struct commit *c = arg;
	struct damon_ctx *ctx = c->world.ctx;

	assert_int_equal(damon_start(&ctx, 1, false), 0);
	assert_int_equal(damon_commit_ctx(ctx, c->src), -EBUSY);
	assert_int_equal(damon_select_ops(c->src, DAMON_OPS_PADDR), 0);
	assert_int_equal(commit_running(c), -EINVAL);
	assert_int_equal(damon_stop(&ctx, 1), 0);
}

static void another_thread_or_operations_set_is_refused_while_running(void **state)
{
	struct commit c;

	setup(&c, -1);
	test_world_run(&c.world, main_foreign_thread);
	teardown(&c);
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct commit *c = data;

	c->result = damon_commit_ctx(ctx, c->src);
}

static void a_commit_from_inside_an_event_is_refused(void **state)
{
	struct commit c;

	/* Whoever reports it may be in the middle of the targets. */
	setup(&c, -1);
	c.world.ctx->callbacks.event = on_event;
	c.world.ctx->callbacks.data = &c;
	c.src->targets[0]->obsolete = true;
	damon_report_event(c.world.ctx, c.world.target, "layout", "");
	assert_int_equal(c.result, -EBUSY);
	assert_int_equal(c.world.ctx->nr_targets, 1);
	assert_int_equal(damon_commit_ctx(c.world.ctx, c.src), 0);
	teardown(&c);
}

static void commit_in_walk(struct damon_ctx *ctx, struct damon_target *target,
			   const struct damon_region *region, struct damos *scheme,
			   uint64_t sz_filter_passed, void *data)
{
	struct commit *c = data;

	c->result = damon_commit_ctx(ctx, c->src);
}

static void main_walk(void *arg)
{
	struct commit *c = arg;
	struct damos_walk_control control = {.walk_fn = commit_in_walk, .data = c};

	assert_int_equal(damon_start(&c->world.ctx, 1, false), 0);
	assert_int_equal(damos_walk(c->world.ctx, &control), 0);
	assert_int_equal(c->result, -EBUSY);
	assert_int_equal(c->world.ctx->nr_schemes, 1);
	assert_int_equal(commit_running(c), 0);
	assert_int_equal(c->world.ctx->nr_schemes, 0);
	assert_int_equal(damon_stop(&c->world.ctx, 1), 0);
}

static void a_commit_from_inside_a_walk_is_refused(void **state)
{
	struct commit c;

	/* The walk stands in a target, for a scheme; the commit drops the scheme. */
	setup(&c, -1);
	add_scheme(c.world.ctx, 0);
	test_world_run(&c.world, main_walk);
	teardown(&c);
}

static int commit_in_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct commit *c = data;

	c->result = damon_commit_ctx(ctx, c->src);
	return 0;
}

static void a_commit_from_inside_the_window_callback_works(void **state)
{
	struct commit c;

	/* The only target is replaced by another. */
	setup(&c, 100);
	c.world.ctx->callbacks.window = commit_in_window;
	c.world.ctx->callbacks.event = NULL;
	c.world.ctx->callbacks.data = &c;
	c.src->targets[0]->pid = 200;
	c.result = -1;
	test_world_start(&c.world, NULL, 0);
	test_world_sample(&c.world, 25);
	assert_int_equal(c.result, 0);
	assert_int_equal(c.world.ctx->nr_targets, 1);
	assert_int_equal(c.world.ctx->targets[0]->pid, 200);
	teardown(&c);
}

/* In the middle of a sampling interval. */

static void a_commit_that_changes_nothing_leaves_the_window_alone(void **state)
{
	struct commit c;

	setup(&c, -1);
	test_world_start(&c.world, NULL, 0);
	test_world_sample(&c.world, 7);
	assert_int_equal(damon_monitor_prepare(c.world.ctx), 0);
	commit(&c);
	assert_false(damon_monitor_samples_dropped(c.world.ctx));
	assert_int_equal(c.world.ctx->internal->window_samples, 7);
	teardown(&c);
}

static void new_ranges_void_the_samples(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(0, 100);
	struct commit c;

	setup(&c, -1);
	test_world_start(&c.world, NULL, 0);
	assert_int_equal(damon_monitor_prepare(c.world.ctx), 0);
	assert_int_equal(damon_set_regions(c.src->targets[0], &range, 1, TEST_PAGE), 0);
	commit(&c);
	assert_true(damon_monitor_samples_dropped(c.world.ctx));
	teardown(&c);
}

static void another_target_in_the_same_place_voids_the_samples(void **state)
{
	struct commit c;

	setup(&c, 100);
	test_world_start(&c.world, NULL, 0);
	assert_int_equal(damon_monitor_prepare(c.world.ctx), 0);
	c.src->targets[0]->pid = 200;
	commit(&c);
	assert_true(damon_monitor_samples_dropped(c.world.ctx));
	teardown(&c);
}

static void going_back_from_weights_to_accesses_voids_the_samples(void **state)
{
	struct commit c;

	/* With weights nothing was made old, so asking what was touched since would mean nothing. */
	setup(&c, -1);
	c.world.ctx->nr_probes = 1;
	c.world.ctx->probes[0].weight = 1;
	test_world_start(&c.world, NULL, 0);
	assert_int_equal(damon_monitor_prepare(c.world.ctx), 0);
	commit(&c);
	assert_true(damon_monitor_samples_dropped(c.world.ctx));
	teardown(&c);
}

static bool all_hit(struct test_script *script, const struct damon_probe *probe, uint64_t addr)
{
	return true;
}

static void hits_of_other_probes_are_dropped(void **state)
{
	struct commit c;

	setup(&c, -1);
	c.world.ctx->nr_probes = 1;
	c.world.script.hit = all_hit;
	test_world_start(&c.world, NULL, 0);
	test_world_sample(&c.world, 7);
	assert_int_equal(test_region(c.world.target, 0).probe_hits[0], 7);
	c.src->nr_probes = 1;
	c.src->probes[0].nr_filters = 1;
	c.src->probes[0].filters[0].allow = true;
	commit(&c);
	assert_int_equal(test_region(c.world.target, 0).probe_hits[0], 0);
	test_world_sample(&c.world, 20);
	assert_int_equal(c.world.nr_windows, 1);
	assert_int_equal(c.world.window.nr_samples, 20);
	teardown(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_come_and_go_through_the_operations_set_while_running),
		cmocka_unit_test(a_target_refused_by_the_operations_set_undoes_everything),
		cmocka_unit_test(another_thread_or_operations_set_is_refused_while_running),
		cmocka_unit_test(a_commit_from_inside_an_event_is_refused),
		cmocka_unit_test(a_commit_from_inside_a_walk_is_refused),
		cmocka_unit_test(a_commit_from_inside_the_window_callback_works),
		cmocka_unit_test(a_commit_that_changes_nothing_leaves_the_window_alone),
		cmocka_unit_test(new_ranges_void_the_samples),
		cmocka_unit_test(another_target_in_the_same_place_voids_the_samples),
		cmocka_unit_test(going_back_from_weights_to_accesses_voids_the_samples),
		cmocka_unit_test(hits_of_other_probes_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
