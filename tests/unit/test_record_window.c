// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* From a running context into a record: what its window callback finds is what is read back. */
#include "record_common.h"

#include "ops/sim.h"

#define WINDOWS 20

/*
 * A toy operations set: two targets of 1 MiB each; the lower half of each can't be watched, the
 * upper half is always touched.
 */
#define BASE	0x10000000ULL
#define HALF	(512ULL << 10)
#define WATCHED (BASE + HALF)

static int toy_init(struct damon_ctx *ctx)
{
	return 0;
}

static int toy_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct damon_addr_range ranges[] = {{BASE, WATCHED},
						  {WATCHED + HALF, WATCHED + 2 * HALF}};

	return damon_set_regions(target, ranges, 2, ctx->attrs.min_region_sz);
}

static void toy_update(struct damon_ctx *ctx)
{
}

static int toy_prepare(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch)
{
	return 0;
}

static int toy_check(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_batch *batch)
{
	for (size_t i = 0; i < batch->nr; i++)
		batch->access[i] = batch->sampling_addrs[i] < WATCHED ? DAMON_ACCESS_UNKNOWN : 1;
	return 0;
}

static bool toy_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	return true;
}

static void toy_cleanup_target(struct damon_ctx *ctx, struct damon_target *target)
{
}

static void toy_cleanup(struct damon_ctx *ctx)
{
}

static const struct damon_operations toy_ops = {
	.id = DAMON_OPS_PADDR,
	.name = "toy",
	.init = toy_init,
	.init_target = toy_init_target,
	.update = toy_update,
	.prepare_access_checks = toy_prepare,
	.check_accesses = toy_check,
	.target_valid = toy_valid,
	.cleanup_target = toy_cleanup_target,
	.cleanup = toy_cleanup,
};

/* struct run - a context that is recorded for WINDOWS windows */
struct run {
	struct damon_port *port;
	struct sim_env env;
	bool toy;
	unsigned int nr_schemes;
	uint64_t seed;
	const char *path;
	struct record *rec;
	unsigned int windows;
	size_t nr_regions; /* in all windows */
	int result;	   /* the kdamond's */
};

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct run *run = data;

	for (uint32_t t = 0; t < ctx->nr_targets; t++)
		run->nr_regions += damon_nr_regions(ctx->targets[t]);
	if (record_window(run->rec, ctx, window) != 0)
		return -EIO;
	return ++run->windows == WINDOWS ? -ECANCELED : 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct run *run = data;

	record_event(run->rec, event);
}

static void monitor(void *data)
{
	struct run *run = data;
	struct damon_lib *lib = NULL;
	struct damon_ctx *ctx = NULL;

	assert_int_equal(damon_lib_new(&lib, run->port), 0);
	assert_int_equal(run->toy ? damon_register_ops(lib, &toy_ops, NULL)
				  : sim_register_ops(lib, &run->env),
			 0);
	assert_int_equal(damon_new_ctx(&ctx, lib), 0);
	assert_int_equal(damon_select_ops(ctx, run->toy ? DAMON_OPS_PADDR : DAMON_OPS_SIM), 0);
	for (int i = 0; i < (run->toy ? 2 : 1); i++) {
		struct damon_target *target = NULL;

		assert_int_equal(damon_new_target(&target, lib), 0);
		assert_int_equal(damon_add_target(ctx, target), 0);
	}
	for (unsigned int i = 0; i < run->nr_schemes; i++) {
		struct damos *scheme = NULL;

		assert_int_equal(damon_new_scheme(&scheme, lib), 0);
		scheme->pattern.max_sz_region = i == 0 ? UINT64_MAX : 0; /* all, then none */
		assert_int_equal(damon_add_scheme(ctx, scheme), 0);
	}
	ctx->seed = run->seed;
	ctx->callbacks = (struct damon_callbacks){
		.window = on_window,
		.event = on_event,
		.data = run,
	};
	assert_int_equal(damon_start(&ctx, 1, false), 0);
	assert_int_equal(damon_wait(ctx, UINT64_MAX, &run->result), 0);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
}

static void record_run(struct run *run)
{
	run->port = damon_port_coop_new(1, NULL);
	assert_non_null(run->port);
	run->rec = create(run->path, &virtual);
	assert_int_equal(damon_port_coop_run(run->port, monitor, run), 0);
	assert_int_equal(run->windows, WINDOWS);
	assert_int_equal(run->result, -ECANCELED);
	close_well(run->rec);
	damon_port_coop_free(run->port);
}

static void record_simulation(const char *path, uint64_t seed)
{
	struct sim_workload *workload = NULL;
	struct sim_space *space = NULL;
	struct run run = {.path = path, .seed = seed};

	assert_int_equal(sim_workload_builtin("stairs", &workload, NULL), 0);
	assert_int_equal(sim_space_new(&space, workload, seed, 0, NULL), 0);
	run.env = (struct sim_env){.nr_spaces = 1, .spaces = &space};
	record_run(&run);
	sim_space_free(space);
	sim_workload_free(workload);
}

static void test_equal_simulations_give_equal_records(void **state)
{
	char *other = in_directory("b.db");
	size_t size_a, size_b;
	char *a, *b;

	record_simulation(*state, 3);
	record_simulation(other, 3);
	a = slurp(*state, &size_a);
	b = slurp(other, &size_b);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(a, b, size_a);
	free(b);
	record_simulation(other, 4);
	b = slurp(other, &size_b);
	assert_true(size_a != size_b || memcmp(a, b, size_a) != 0);
	free(a);
	free(b);
	free(other);
}

static void test_all_targets_and_windows_are_written(void **state)
{
	struct run run = {.path = *state, .seed = 1, .toy = true};
	char expected[32];

	record_run(&run);
	assert_query(*state, "SELECT count(*) FROM snapshot", "20");
	assert_query(*state, "SELECT group_concat(DISTINCT target) FROM region", "0,1");
	snprintf(expected, sizeof(expected), "%zu", run.nr_regions);
	assert_query(*state, "SELECT count(*) FROM region", expected);
	assert_query(*state,
		     "SELECT max(bytes) || ' ' || min(bytes) FROM (SELECT sum(end - start) AS bytes"
		     " FROM region GROUP BY snapshot, target)",
		     "1048576 1048576");
}

static void test_unknown_memory_has_no_samples(void **state)
{
	struct run run = {.path = *state, .seed = 1, .toy = true};

	record_run(&run);
	assert_query(*state,
		     "SELECT group_concat(DISTINCT samples) || ' ' || sum(nr_accesses) FROM region"
		     " WHERE start < 0x10080000",
		     "0 0");
	assert_query(*state,
		     "SELECT group_concat(DISTINCT samples) || ' ' || min(nr_accesses) || ' ' ||"
		     " max(nr_accesses) FROM region WHERE start >= 0x10080000",
		     "20 20 20");
}

static void test_schemes_are_written_with_each_window(void **state)
{
	struct run run = {.path = *state, .seed = 1, .toy = true, .nr_schemes = 2};

	/* Two targets of 1 MiB: two snapshots and 2 MiB a window. */
	record_run(&run);
	assert_query(*state, "SELECT count(*) FROM scheme_stat", "40");
	assert_query(*state,
		     "SELECT sz_tried || ' ' || sz_applied || ' ' || nr_snapshots FROM scheme_stat"
		     " WHERE scheme = 0 ORDER BY snapshot LIMIT 1",
		     "2097152 2097152 2");
	assert_query(*state,
		     "SELECT sz_tried || ' ' || sz_applied || ' ' || nr_snapshots FROM scheme_stat"
		     " WHERE scheme = 0 ORDER BY snapshot DESC LIMIT 1",
		     "41943040 41943040 40");
	assert_query(*state, "SELECT sum(sz_tried) FROM scheme_stat WHERE scheme = 1", "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equal_simulations_give_equal_records),
		TEST(test_all_targets_and_windows_are_written),
		TEST(test_unknown_memory_has_no_samples),
		TEST(test_schemes_are_written_with_each_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
