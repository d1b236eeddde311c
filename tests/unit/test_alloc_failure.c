// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Every allocation of the core refused, one after the other: each operation either is done or says
 * -ENOMEM and has changed nothing, can be tried again, and leaks nothing. And where there must be
 * no allocation at all.
 */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

static uint32_t first_half(struct test_script *script, uint64_t addr)
{
	return addr < 500 * TEST_PAGE;
}

/* Making things. */

/* A context with a target that has regions, and a scheme. Frees all of it, whatever happens. */
static int build_all(struct damon_port *port, struct test_script *script)
{
	struct damon_target *target = NULL;
	struct damos *scheme = NULL;
	struct damon_ctx *ctx = NULL;
	struct damon_lib *lib = NULL;
	int err;

	err = damon_lib_new(&lib, port);
	if (!err)
		err = damon_register_ops(lib, &test_ops, script);
	if (!err)
		err = damon_new_ctx(&ctx, lib);
	if (!err)
		err = damon_select_ops(ctx, DAMON_OPS_SIM);
	if (!err)
		err = damon_new_target(&target, lib);
	if (!err)
		err = damon_set_regions(target, &thousand_pages, 1, TEST_PAGE);
	if (!err)
		err = damon_add_target(ctx, target);
	if (!err)
		target = NULL;
	if (!err)
		err = damon_new_scheme(&scheme, lib);
	if (!err)
		err = damon_add_scheme(ctx, scheme);
	if (!err)
		scheme = NULL;
	damon_free_scheme(scheme);
	damon_free_target(target);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
	return err;
}

static void making_a_library_object_contexts_targets_and_schemes(void **state)
{
	struct test_script script = {0};
	struct test_port port;
	unsigned int nr_failed;
	int err;

	for (nr_failed = 0;; nr_failed++) {
		test_port_init(&port);
		test_port_fail_at(&port, nr_failed + 1);
		err = build_all(&port.port, &script);
		/* Says so if anything is left. */
		test_port_free(&port);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
	}
	/*
	 * The library object and its lock; the context, its inner half, its kdamond with a lock and
	 * three conditions; the target, its table, three arrays and two times three columns; the list of
	 * targets; the scheme and the list of schemes.
	 */
	assert_int_equal(nr_failed, 2 + 7 + 11 + 1 + 2);
}

static void adding_leaves_the_context_as_it_was(void **state)
{
	struct damon_target *target;
	struct test_world world;
	struct damos *scheme;

	test_world_init(&world);
	assert_int_equal(damon_new_target(&target, world.lib), 0);
	assert_int_equal(damon_new_scheme(&scheme, world.lib), 0);
	test_port_fail_at(&world.port, 1);
	assert_int_equal(damon_add_target(world.ctx, target), -ENOMEM);
	assert_int_equal(world.ctx->nr_targets, 1);
	assert_ptr_equal(world.ctx->targets[0], world.target);
	test_port_fail_at(&world.port, 1);
	assert_int_equal(damon_add_scheme(world.ctx, scheme), -ENOMEM);
	assert_int_equal(world.ctx->nr_schemes, 0);
	damon_free_target(target);
	damon_free_scheme(scheme);
	test_world_free(&world);
}

/* Starting. */

struct starting {
	struct test_world world;
	struct damon_ctx *second;
	unsigned int nr_failed;
	bool ended;
};

static struct damon_ctx *another_ctx(struct test_world *world)
{
	struct damon_target *target;
	struct damon_ctx *ctx;

	assert_int_equal(damon_new_ctx(&ctx, world->lib), 0);
	assert_int_equal(damon_select_ops(ctx, DAMON_OPS_SIM), 0);
	assert_int_equal(damon_new_target(&target, world->lib), 0);
	assert_int_equal(damon_add_target(ctx, target), 0);
	return ctx;
}

static void main_start(void *arg)
{
	struct starting *starting = arg;
	struct test_world *world = &starting->world;
	struct damon_ctx *ctxs[2] = {world->ctx, starting->second};
	int err;

	world->script.ranges = &thousand_pages;
	world->script.nr_ranges = 1;
	test_port_fail_at(&world->port, starting->nr_failed + 1);
	err = damon_start(ctxs, 2, true);
	test_port_fail_at(&world->port, 0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_false(damon_is_running(ctxs[0]));
		assert_false(damon_is_running(ctxs[1]));
		assert_int_equal(damon_kdamond_pid(ctxs[0]), -1);
		assert_int_equal(world->script.nr_init, world->script.nr_cleanup);
		/* Another try finds nothing in its way. */
		assert_int_equal(damon_start(ctxs, 2, true), 0);
	}
	assert_true(damon_is_running(ctxs[0]));
	assert_true(damon_is_running(ctxs[1]));
	assert_int_equal(damon_stop(ctxs, 2), 0);
	assert_int_equal(world->script.nr_init, world->script.nr_cleanup);
	assert_int_equal(world->script.nr_ready, world->script.nr_cleanup_target);
	starting->ended = !err;
}

static void starting_a_group(void **state)
{
	struct starting starting;
	unsigned int nr_failed;

	for (nr_failed = 0;; nr_failed++) {
		memset(&starting, 0, sizeof(starting));
		starting.nr_failed = nr_failed;
		test_world_init(&starting.world);
		starting.second = another_ctx(&starting.world);
		test_world_run(&starting.world, main_start);
		damon_destroy_ctx(starting.second);
		test_world_free(&starting.world);
		if (starting.ended)
			break;
	}
	/* For each of two contexts at least a thread, and twice nine arrays for its regions. */
	assert_in_range(nr_failed, 2 * (1 + 9), 100);
}

/* Monitoring. */

static void a_window_with_any_allocation_refused_loses_no_memory_from_sight(void **state)
{
	unsigned int nr_failed, window;
	struct test_world world;
	uint64_t asked;

	/* Layouts of more ranges than there are regions allowed, so that passes do have to ask. */
	for (nr_failed = 0;; nr_failed++) {
		struct damon_addr_range ranges[60];
		unsigned int i;

		for (i = 0; i < 60; i++)
			ranges[i] = (struct damon_addr_range)TEST_RANGE(100 * i, 100 * i + 50);
		test_world_init(&world);
		world.script.access = first_half;
		world.ctx->attrs.max_nr_regions = 20;
		world.ctx->attrs.min_nr_regions = 20;
		test_world_start(&world, ranges, 10);
		asked = world.port.nr_asked;
		test_port_fail_at(&world.port, nr_failed + 1);
		for (window = 0; window < 3; window++) {
			test_world_window(&world);
			assert_int_equal(damon_region_table_bytes(world.target->regions),
					 (window ? 60 : 10) * 50 * TEST_PAGE);
			/* The layout grows; refused, it is asked for again. */
			while (damon_set_regions(world.target, ranges, 60, TEST_PAGE))
				assert_int_equal(world.port.fail_at != 0, 1);
		}
		assert_int_equal(world.nr_windows, 3);
		asked = world.port.nr_asked - asked;
		test_world_free(&world);
		if (nr_failed >= asked)
			break;
	}
	assert_in_range(nr_failed, 9, 100);
}

static void all_allocations_refused_for_good_only_stop_the_regions_from_adapting(void **state)
{
	struct test_world world;
	unsigned int window;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, &thousand_pages, 1);
	world.port.fail_on = true;
	test_port_fail_at(&world.port, 1);
	for (window = 0; window < 50; window++)
		test_world_window(&world);
	assert_int_equal(world.nr_windows, 50);
	assert_int_equal(damon_region_table_bytes(world.target->regions), 1000 * TEST_PAGE);
	test_world_free(&world);
}

static void sampling_allocates_nothing(void **state)
{
	struct test_world world;
	uint64_t asked;
	unsigned int i;

	test_world_init(&world);
	world.script.access = first_half;
	world.ctx->nr_probes = 2;
	test_world_start(&world, &thousand_pages, 1);
	for (i = 0; i < 200; i++) {
		asked = world.port.nr_asked;
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
		assert_int_equal(world.port.nr_asked, asked);
		if (damon_monitor_window_due(world.ctx)) {
			damon_monitor_merge(world.ctx);
			assert_int_equal(damon_monitor_window_end(world.ctx), 0);
		}
	}
	assert_int_equal(world.nr_windows, 10);
	test_world_free(&world);
}

static void windows_within_max_nr_regions_allocate_nothing(void **state)
{
	const struct damon_addr_range big = TEST_RANGE(0, 1000000);
	struct test_world world;
	size_t most = 0;
	uint64_t asked;
	int i;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, &big, 1);
	test_world_add_target(&world);
	asked = world.port.nr_asked;
	for (i = 0; i < 100; i++) {
		test_world_window(&world);
		if (most < damon_nr_regions(world.target))
			most = damon_nr_regions(world.target);
	}
	assert_int_equal(world.port.nr_asked, asked);
	assert_in_range(most, 20, 1000);
	test_world_free(&world);
}

/* Changing a running context. */

struct changing {
	struct test_world world;
	struct damon_ctx *src;
	unsigned int nr_failed;
	int err;
};

static int commit_on_kdamond(struct damon_ctx *ctx, void *data)
{
	struct changing *changing = data;
	struct test_port *port = &changing->world.port;
	int err;

	test_port_fail_at(port, changing->nr_failed + 1);
	err = damon_commit_ctx(ctx, changing->src);
	test_port_fail_at(port, 0);
	return err;
}

static void main_commit(void *arg)
{
	struct changing *changing = arg;
	struct damon_ctx *ctx = changing->world.ctx;
	struct damon_call_control control = {.fn = commit_on_kdamond, .data = changing};

	changing->world.script.ranges = &thousand_pages;
	changing->world.script.nr_ranges = 1;
	assert_int_equal(damon_start(&ctx, 1, false), 0);
	changing->err = damon_call(ctx, &control);
	assert_int_equal(ctx->nr_targets, changing->err ? 1 : 2);
	assert_int_equal(ctx->nr_schemes, changing->err ? 0 : 1);
	assert_true(damon_is_running(ctx));
	assert_int_equal(damon_stop(&ctx, 1), 0);
	assert_int_equal(changing->world.script.nr_ready, changing->world.script.nr_cleanup_target);
}

static void committing_to_a_running_context(void **state)
{
	struct changing changing;
	struct damos *scheme;
	unsigned int nr_failed;
	int err;

	for (nr_failed = 0;; nr_failed++) {
		struct damon_target *target;

		memset(&changing, 0, sizeof(changing));
		changing.nr_failed = nr_failed;
		test_world_init(&changing.world);
		changing.src = another_ctx(&changing.world);
		assert_int_equal(damon_new_target(&target, changing.world.lib), 0);
		assert_int_equal(damon_add_target(changing.src, target), 0);
		assert_int_equal(damon_new_scheme(&scheme, changing.world.lib), 0);
		assert_int_equal(damon_add_scheme(changing.src, scheme), 0);
		test_world_run(&changing.world, main_commit);
		err = changing.err;
		damon_destroy_ctx(changing.src);
		test_world_free(&changing.world);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
	}
	/* The list of targets, a target with a table and nine arrays, a list of schemes, a scheme. */
	assert_in_range(nr_failed, 1 + 11 + 2, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_a_library_object_contexts_targets_and_schemes),
		cmocka_unit_test(adding_leaves_the_context_as_it_was),
		cmocka_unit_test(starting_a_group),
		cmocka_unit_test(a_window_with_any_allocation_refused_loses_no_memory_from_sight),
		cmocka_unit_test(
			all_allocations_refused_for_good_only_stop_the_regions_from_adapting),
		cmocka_unit_test(sampling_allocates_nothing),
		cmocka_unit_test(windows_within_max_nr_regions_allocate_nothing),
		cmocka_unit_test(committing_to_a_running_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
