// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Library objects, contexts, targets: made, refused, started, started again, told of. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

static uint32_t first_half(struct test_script *script, uint64_t addr)
{
	return addr < 500 * TEST_PAGE ? (script->access_unit ? script->access_unit : 1) : 0;
}

/* Operations sets. */

static void operations_sets_without_what_is_required_are_refused(void **state)
{
	struct damon_operations ops = test_ops;
	struct test_port port;
	struct damon_lib *lib;

	test_port_init(&port);
	assert_int_equal(damon_lib_new(&lib, &port.port), 0);
	assert_ptr_equal(damon_lib_port(lib), &port.port);
	ops.id = DAMON_NR_OPS;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	ops = test_ops;
	ops.name = NULL;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	ops = test_ops;
	ops.init = NULL;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	ops = test_ops;
	ops.prepare_access_checks = NULL;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	ops = test_ops;
	ops.check_accesses = NULL;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	ops = test_ops;
	ops.target_valid = NULL;
	assert_int_equal(damon_register_ops(lib, &ops, NULL), -EINVAL);
	assert_false(damon_is_registered_ops(lib, DAMON_OPS_SIM));
	damon_lib_free(lib);
	test_port_free(&port);
}

static void a_kind_is_registered_once(void **state)
{
	struct test_world world;

	test_world_init(&world);
	assert_true(damon_is_registered_ops(world.lib, DAMON_OPS_SIM));
	assert_false(damon_is_registered_ops(world.lib, DAMON_OPS_VADDR));
	assert_false(damon_is_registered_ops(world.lib, DAMON_NR_OPS));
	assert_int_equal(damon_register_ops(world.lib, &test_ops, NULL), -EEXIST);
	assert_ptr_equal(world.ctx->ops_env, &world.script);
	test_world_free(&world);
}

static void a_kind_that_is_not_registered_can_not_be_selected(void **state)
{
	struct test_world world;

	test_world_init(&world);
	assert_int_equal(damon_select_ops(world.ctx, DAMON_OPS_VADDR), -EINVAL);
	assert_ptr_equal(world.ctx->ops, &test_ops);
	test_world_free(&world);
}

static void kinds_have_names(void **state)
{
	assert_string_equal(damon_ops_name(DAMON_OPS_VADDR), "vaddr");
	assert_string_equal(damon_ops_name(DAMON_OPS_FVADDR), "fvaddr");
	assert_string_equal(damon_ops_name(DAMON_OPS_PADDR), "paddr");
	assert_string_equal(damon_ops_name(DAMON_OPS_SIM), "sim");
	assert_null(damon_ops_name(DAMON_NR_OPS));
}

/* Contexts, targets, schemes. */

static void a_new_context_has_default_attributes_and_nothing_else(void **state)
{
	struct damon_attrs defaults;
	struct test_port port;
	struct damon_lib *lib;
	struct damon_ctx *ctx;

	test_port_init(&port);
	assert_int_equal(damon_lib_new(&lib, &port.port), 0);
	assert_int_equal(damon_new_ctx(&ctx, lib), 0);
	damon_default_attrs(&defaults);
	assert_memory_equal(&ctx->attrs, &defaults, sizeof(defaults));
	assert_int_equal(ctx->nr_targets, 0);
	assert_int_equal(ctx->nr_schemes, 0);
	assert_null(ctx->ops);
	assert_false(damon_is_running(ctx));
	assert_int_equal(damon_monitor_start(ctx), -EINVAL);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
	test_port_free(&port);
}

static void freeing_nothing_is_allowed(void **state)
{
	damon_destroy_ctx(NULL);
	damon_free_target(NULL);
	damon_free_scheme(NULL);
	damon_lib_free(NULL);
}

static void targets_get_the_next_free_number(void **state)
{
	struct test_world world;

	test_world_init(&world);
	assert_int_equal(world.target->id, 0);
	assert_int_equal(world.target->pid, -1);
	assert_int_equal(damon_nr_regions(world.target), 0);
	assert_int_equal(test_world_add_target(&world)->id, 1);
	world.target->id = 7;
	assert_int_equal(test_world_add_target(&world)->id, 8);
	assert_int_equal(world.ctx->nr_targets, 3);
	test_world_free(&world);
}

static void schemes_with_an_empty_pattern_are_refused(void **state)
{
	struct test_world world;
	struct damos *scheme;

	test_world_init(&world);
	assert_int_equal(damon_new_scheme(&scheme, world.lib), 0);
	scheme->pattern.min_sz_region = 2;
	scheme->pattern.max_sz_region = 1;
	assert_int_equal(damon_add_scheme(world.ctx, scheme), -EINVAL);
	scheme->pattern.max_sz_region = 2;
	scheme->pattern.min_nr_accesses = 2;
	scheme->pattern.max_nr_accesses = 1;
	assert_int_equal(damon_add_scheme(world.ctx, scheme), -EINVAL);
	scheme->pattern.max_nr_accesses = 2;
	scheme->action = DAMOS_NR_ACTIONS;
	assert_int_equal(damon_add_scheme(world.ctx, scheme), -EINVAL);
	scheme->action = DAMOS_STAT;
	assert_int_equal(damon_add_scheme(world.ctx, scheme), 0);
	test_world_free(&world);
}

static void events_name_their_target(void **state)
{
	struct test_world world;

	test_world_init(&world);
	damon_report_event(world.ctx, world.target, "layout", NULL);
	assert_int_equal(world.nr_events, 1);
	assert_string_equal(world.event, "layout");
	world.ctx->callbacks.event = NULL;
	damon_report_event(world.ctx, NULL, "tune", "");
	assert_int_equal(world.nr_events, 1);
	test_world_free(&world);
}

/* Start and stop. */

static void a_refused_init_leaves_nothing_to_undo(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.script.init_error = -EPERM;
	assert_int_equal(damon_monitor_start(world.ctx), -EPERM);
	assert_int_equal(world.script.nr_init_target, 0);
	assert_int_equal(world.script.nr_cleanup, 0);
	test_world_free(&world);
}

static void a_refused_target_undoes_the_ones_before(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_add_target(&world);
	test_world_add_target(&world);
	world.script.ranges = &thousand_pages;
	world.script.nr_ranges = 1;
	world.script.init_target_error = -ESRCH;
	world.script.init_target_fails_at = 3;
	assert_int_equal(damon_monitor_start(world.ctx), -ESRCH);
	assert_int_equal(world.script.nr_cleanup_target, 2);
	assert_int_equal(world.script.nr_cleanup, 1);
	test_world_free(&world);
}

static void bad_attributes_are_refused_before_anything_is_set_up(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 2;
	assert_int_equal(damon_monitor_start(world.ctx), -EINVAL);
	assert_int_equal(world.script.nr_init, 0);
	test_world_free(&world);
}

static void a_context_is_valid_while_any_target_is(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	assert_true(damon_monitor_valid(world.ctx));
	world.script.gone = true;
	assert_false(damon_monitor_valid(world.ctx));
	test_world_free(&world);
}

static void without_a_seed_the_port_is_asked_for_one(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->seed = 0;
	test_world_start(&world, &thousand_pages, 1);
	/* The cooperative port below was given 7. */
	assert_int_equal(world.ctx->seed, 7);
	test_world_free(&world);
}

struct trace {
	uint64_t hash;
	size_t nr;
};

/* All that a window shows, mixed into one number (FNV-1a). */
static int mix_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct trace *trace = data;
	struct damon_region region;
	uint64_t words[4];
	size_t i, w;

	trace->nr = damon_nr_regions(ctx->targets[0]);
	for (i = 0; i < trace->nr; i++) {
		damon_get_region(ctx, ctx->targets[0], i, &region);
		words[0] = region.ar.start;
		words[1] = region.ar.end;
		words[2] = region.nr_accesses;
		words[3] = region.age;
		for (w = 0; w < 4; w++)
			trace->hash = (trace->hash ^ words[w]) * 0x100000001b3ULL;
	}
	return 0;
}

static uint64_t run_with_seed(uint64_t seed)
{
	struct trace trace = {0};
	struct test_world world;
	int i;

	test_world_init(&world);
	world.ctx->seed = seed;
	world.ctx->attrs.min_nr_regions = 3;
	world.script.access = first_half;
	world.ctx->callbacks.window = mix_window;
	world.ctx->callbacks.data = &trace;
	world.ctx->callbacks.event = NULL;
	test_world_start(&world, &thousand_pages, 1);
	for (i = 0; i < 20; i++)
		test_world_window(&world);
	test_world_free(&world);
	return trace.hash;
}

static void the_same_seed_gives_the_same_windows(void **state)
{
	assert_int_equal(run_with_seed(3), run_with_seed(3));
	assert_int_not_equal(run_with_seed(3), run_with_seed(4));
}

static void a_stopped_context_goes_on_with_what_it_learned(void **state)
{
	struct damon_region before, after;
	struct test_world world;
	size_t nr;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	test_world_window(&world);
	test_world_sample(&world, 7);
	before = test_region(world.target, 0);
	nr = damon_nr_regions(world.target);
	assert_int_equal(before.nr_accesses, 7);
	assert_int_equal(before.age, 1);
	damon_monitor_stop(world.ctx);
	assert_int_equal(world.script.nr_cleanup, 1);
	assert_int_equal(world.script.nr_cleanup_target, 1);
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	after = test_region(world.target, 0);
	assert_int_equal(damon_nr_regions(world.target), nr);
	assert_int_equal(after.age, 1);
	assert_int_equal(after.last_nr_accesses, 20);
	/* But the window that was cut short says nothing. */
	assert_int_equal(after.nr_accesses, 0);
	assert_int_equal(world.ctx->internal->window_samples, 0);
	test_world_free(&world);
}

static void counts_follow_a_change_of_the_counting_unit(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 20);
	damon_monitor_stop(world.ctx);
	world.script.access_unit = 1000;
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 20000);
	damon_monitor_stop(world.ctx);
	world.script.access_unit = 1;
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 20);
	test_world_free(&world);
}

static void a_start_that_fails_leaves_the_counts_readable(void **state)
{
	struct damon_region region;
	struct test_world world;

	test_world_init(&world);
	world.script.access_unit = 1000;
	world.script.access = first_half;
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	damon_monitor_stop(world.ctx);
	world.script.init_error = -EPERM;
	assert_int_equal(damon_monitor_start(world.ctx), -EPERM);
	damon_get_region(world.ctx, world.target, 0, &region);
	assert_int_equal(region.last_nr_accesses, 20);
	test_world_free(&world);
}

static void forgetting_leaves_the_ranges_and_nothing_else(void **state)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 400), TEST_RANGE(400, 500),
						  TEST_RANGE(600, 1100)};
	const struct damon_addr_range forgotten[] = {TEST_RANGE(0, 500), TEST_RANGE(600, 1100)};
	struct damon_region region;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, ranges, 3);
	test_world_window(&world);
	test_world_window(&world);
	damon_monitor_stop(world.ctx);
	assert_int_equal(damon_forget(world.ctx), 0);
	test_expect_ranges(world.target, forgotten, 2);
	for (i = 0; i < 2; i++) {
		region = test_region(world.target, i);
		assert_int_equal(region.nr_accesses, 0);
		assert_int_equal(region.last_nr_accesses, 0);
		assert_int_equal(region.age, 0);
	}
	/* Nor how many regions there were, which splitting compares with. */
	assert_int_equal(world.ctx->internal->last_nr_regions, 0);
	test_world_free(&world);
}

static void run_forget_run(uint64_t max)
{
	struct trace first = {0}, second = {0};
	struct test_world world;
	int i;

	/* Few regions at most, so that not all are split, and it counts which. */
	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 3;
	world.ctx->attrs.max_nr_regions = max;
	world.script.access = first_half;
	world.ctx->callbacks.window = mix_window;
	world.ctx->callbacks.data = &first;
	world.ctx->callbacks.event = NULL;
	test_world_start(&world, &thousand_pages, 1);
	for (i = 0; i < 10; i++)
		test_world_window(&world);
	damon_monitor_stop(world.ctx);
	assert_int_equal(damon_forget(world.ctx), 0);
	world.ctx->callbacks.data = &second;
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	for (i = 0; i < 10; i++)
		test_world_window(&world);
	assert_int_equal(second.nr, first.nr);
	assert_int_equal(second.hash, first.hash);
	test_world_free(&world);
}

static void after_forgetting_a_run_repeats_itself(void **state)
{
	run_forget_run(5);
	run_forget_run(6);
	run_forget_run(16);
}

static void main_forget_running(void *arg)
{
	struct test_world *world = arg;

	world->script.ranges = &thousand_pages;
	world->script.nr_ranges = 1;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_forget(world->ctx), -EBUSY);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(damon_forget(world->ctx), 0);
}

static void a_running_context_can_not_forget(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_run(&world, main_forget_running);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_sets_without_what_is_required_are_refused),
		cmocka_unit_test(a_kind_is_registered_once),
		cmocka_unit_test(a_kind_that_is_not_registered_can_not_be_selected),
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(a_new_context_has_default_attributes_and_nothing_else),
		cmocka_unit_test(freeing_nothing_is_allowed),
		cmocka_unit_test(targets_get_the_next_free_number),
		cmocka_unit_test(schemes_with_an_empty_pattern_are_refused),
		cmocka_unit_test(events_name_their_target),
		cmocka_unit_test(a_refused_init_leaves_nothing_to_undo),
		cmocka_unit_test(a_refused_target_undoes_the_ones_before),
		cmocka_unit_test(bad_attributes_are_refused_before_anything_is_set_up),
		cmocka_unit_test(a_context_is_valid_while_any_target_is),
		cmocka_unit_test(without_a_seed_the_port_is_asked_for_one),
		cmocka_unit_test(the_same_seed_gives_the_same_windows),
		cmocka_unit_test(a_stopped_context_goes_on_with_what_it_learned),
		cmocka_unit_test(counts_follow_a_change_of_the_counting_unit),
		cmocka_unit_test(a_start_that_fails_leaves_the_counts_readable),
		cmocka_unit_test(forgetting_leaves_the_ranges_and_nothing_else),
		cmocka_unit_test(after_forgetting_a_run_repeats_itself),
		cmocka_unit_test(a_running_context_can_not_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
