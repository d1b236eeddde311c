// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Committing a context to another: what is replaced, what survives, and that it is all or nothing. */
#include <errno.h>
#include <string.h>

#include "test_commit.h"

#define MAX_TARGETS 4
#define MAX_REGIONS 8

static void expect_learned(const struct damon_target *target)
{
	const struct damon_addr_range ranges[] = {learned[0].ar, learned[1].ar};

	test_expect_ranges(target, ranges, 2);
	assert_int_equal(test_region(target, 0).last_nr_accesses, 7);
	assert_int_equal(test_region(target, 0).age, 9);
	assert_int_equal(test_region(target, 1).last_nr_accesses, 3);
	assert_int_equal(test_region(target, 1).age, 2);
}

/* Everything a refused commit must leave alone. */
struct snapshot {
	struct damon_attrs attrs;
	bool pause;
	uint32_t nr_probes, nr_targets, nr_schemes;
	struct damon_probe probes[DAMON_MAX_PROBES];
	struct damon_target *targets[MAX_TARGETS];
	uint32_t ids[MAX_TARGETS];
	struct damon_region regions[MAX_TARGETS][MAX_REGIONS];
	size_t nr_regions[MAX_TARGETS];
	struct damos *schemes[MAX_TARGETS];
	struct damon_ctx_internal internal;
};

static void take(struct snapshot *snapshot, const struct damon_ctx *ctx)
{
	struct damon_region region;
	uint32_t i;
	size_t idx;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->attrs = ctx->attrs;
	snapshot->pause = ctx->pause;
	snapshot->nr_probes = ctx->nr_probes;
	snapshot->nr_targets = ctx->nr_targets;
	snapshot->nr_schemes = ctx->nr_schemes;
	memcpy(snapshot->probes, ctx->probes, sizeof(ctx->probes));
	for (i = 0; i < ctx->nr_targets && i < MAX_TARGETS; i++) {
		snapshot->targets[i] = ctx->targets[i];
		snapshot->ids[i] = ctx->targets[i]->id;
		snapshot->nr_regions[i] = damon_nr_regions(ctx->targets[i]);
		for (idx = 0; idx < snapshot->nr_regions[i] && idx < MAX_REGIONS; idx++) {
			region = test_region(ctx->targets[i], idx);
			/* Without what pads the struct. */
			memcpy(&snapshot->regions[i][idx], &region,
			       offsetof(struct damon_region, probe_hits) + DAMON_MAX_PROBES);
		}
	}
	for (i = 0; i < ctx->nr_schemes && i < MAX_TARGETS; i++)
		snapshot->schemes[i] = ctx->schemes[i];
	snapshot->internal = *ctx->internal;
}

static void expect_refused(struct commit *commit, int err)
{
	struct snapshot before, after;

	take(&before, commit->world.ctx);
	assert_int_equal(damon_commit_ctx(commit->world.ctx, commit->src), err);
	take(&after, commit->world.ctx);
	assert_memory_equal(&before, &after, sizeof(before));
	expect_learned(commit->world.target);
}

/* What is replaced. */

static void parameters_are_replaced(void **state)
{
	struct damon_ctx *dst;
	struct commit c;

	setup(&c, -1);
	dst = c.world.ctx;
	c.src->attrs.min_nr_regions = 5;
	c.src->attrs.ops_update_interval = 1000000;
	c.src->pause = true;
	c.src->nr_probes = 1;
	c.src->probes[0].weight = 7;
	commit(&c);
	assert_memory_equal(&dst->attrs, &c.src->attrs, sizeof(dst->attrs));
	assert_true(dst->pause);
	assert_int_equal(dst->nr_probes, 1);
	assert_int_equal(dst->probes[0].weight, 7);
	teardown(&c);
}

static void new_intervals_rescale_what_was_learned(void **state)
{
	struct commit c;

	setup(&c, -1);
	c.src->attrs.aggr_interval = 200000;
	commit(&c);
	/* 7 of 20 samples are 14 of 40; 9 windows of 100 ms are 4 (and a half) of 200 ms. */
	assert_int_equal(test_region(c.world.target, 0).last_nr_accesses, 14);
	assert_int_equal(test_region(c.world.target, 0).age, 4);
	teardown(&c);
}

static void schemes_of_the_same_index_keep_their_statistics(void **state)
{
	struct commit c;

	setup(&c, -1);
	add_scheme(c.world.ctx, 0)->stat.nr_tried = 5;
	add_scheme(c.src, 0)->pattern.min_age_region = 3;
	add_scheme(c.src, 0);
	commit(&c);
	assert_int_equal(c.world.ctx->nr_schemes, 2);
	assert_int_equal(c.world.ctx->schemes[0]->stat.nr_tried, 5);
	assert_int_equal(c.world.ctx->schemes[0]->pattern.min_age_region, 3);
	assert_int_equal(c.world.ctx->schemes[1]->stat.nr_tried, 0);
	teardown(&c);
}

static void schemes_the_source_does_not_have_are_dropped(void **state)
{
	struct commit c;

	setup(&c, -1);
	add_scheme(c.world.ctx, 0);
	commit(&c);
	assert_int_equal(c.world.ctx->nr_schemes, 0);
	teardown(&c);
}

/* Targets. */

static void a_target_without_regions_keeps_the_destinations(void **state)
{
	struct commit c;

	setup(&c, -1);
	commit(&c);
	assert_ptr_equal(c.world.ctx->targets[0], c.world.target);
	expect_learned(c.world.target);
	teardown(&c);
}

static void a_target_with_regions_sets_the_ranges(void **state)
{
	/* The first region is trimmed, the second stays, what follows is fresh. */
	const struct damon_addr_range ranges[] = {TEST_RANGE(2, 10), TEST_RANGE(20, 21)};
	const struct damon_addr_range expected[] = {TEST_RANGE(2, 4), TEST_RANGE(4, 10),
						    TEST_RANGE(20, 21)};
	struct commit c;

	setup(&c, -1);
	assert_int_equal(damon_set_regions(c.src->targets[0], ranges, 2, TEST_PAGE), 0);
	commit(&c);
	test_expect_ranges(c.world.target, expected, 3);
	assert_int_equal(test_region(c.world.target, 0).age, 9);
	assert_int_equal(test_region(c.world.target, 1).age, 2);
	assert_int_equal(test_region(c.world.target, 2).age, 0);
	teardown(&c);
}

static void a_further_target_is_added_with_an_id_of_its_own(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(5, 6);
	struct damon_target *further;
	struct commit c;

	setup(&c, -1);
	further = add_source(&c, -1);
	assert_int_equal(damon_set_regions(further, &range, 1, TEST_PAGE), 0);
	commit(&c);
	assert_int_equal(c.world.ctx->nr_targets, 2);
	assert_ptr_equal(c.world.ctx->targets[0], c.world.target);
	assert_ptr_not_equal(c.world.ctx->targets[1], further);
	assert_int_equal(c.world.ctx->targets[1]->id, 1);
	test_expect_ranges(c.world.ctx->targets[1], &range, 1);
	expect_learned(c.world.target);
	teardown(&c);
}

static void an_obsolete_target_is_dropped(void **state)
{
	struct damon_target *second;
	struct commit c;

	setup(&c, -1);
	second = test_world_add_target(&c.world);
	add_source(&c, -1);
	c.src->targets[0]->obsolete = true;
	commit(&c);
	assert_int_equal(c.world.ctx->nr_targets, 1);
	assert_ptr_equal(c.world.ctx->targets[0], second);
	assert_int_equal(second->id, 1);
	teardown(&c);
}

static void targets_the_source_does_not_have_are_dropped(void **state)
{
	struct commit c;

	setup(&c, -1);
	test_world_add_target(&c.world);
	commit(&c);
	assert_int_equal(c.world.ctx->nr_targets, 1);
	expect_learned(c.world.ctx->targets[0]);
	teardown(&c);
}

static void a_process_that_changed_its_place_keeps_what_was_learned(void **state)
{
	struct commit c;

	setup(&c, 100);
	c.src->targets[0]->pid = 200;
	add_source(&c, 100);
	commit(&c);
	assert_int_equal(c.world.ctx->nr_targets, 2);
	assert_int_equal(c.world.ctx->targets[0]->pid, 200);
	assert_int_equal(damon_nr_regions(c.world.ctx->targets[0]), 0);
	assert_ptr_equal(c.world.ctx->targets[1], c.world.target);
	expect_learned(c.world.target);
	teardown(&c);
}

static void another_process_in_the_same_place_starts_from_nothing(void **state)
{
	struct commit c;

	setup(&c, 100);
	c.src->targets[0]->pid = 200;
	commit(&c);
	assert_int_equal(c.world.ctx->nr_targets, 1);
	assert_int_equal(c.world.ctx->targets[0]->pid, 200);
	assert_int_equal(c.world.ctx->targets[0]->id, 1);
	assert_int_equal(damon_nr_regions(c.world.ctx->targets[0]), 0);
	teardown(&c);
}

/* All or nothing. */

static void bad_attributes_are_refused_and_change_nothing(void **state)
{
	struct commit c;

	setup(&c, -1);
	add_source(&c, -1);
	c.src->pause = true;
	c.src->attrs.min_nr_regions = 2;
	expect_refused(&c, -EINVAL);
	teardown(&c);
}

static void a_bad_scheme_is_refused_and_changes_nothing(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(0, 1);
	struct commit c;

	setup(&c, -1);
	add_scheme(c.world.ctx, 0);
	add_source(&c, -1);
	assert_int_equal(damon_set_regions(c.src->targets[0], &range, 1, TEST_PAGE), 0);
	c.src->attrs.aggr_interval = 200000;
	add_scheme(c.src, 0)->pattern.min_age_region = 5;
	c.src->schemes[0]->pattern.max_age_region = 4;
	expect_refused(&c, -EINVAL);
	teardown(&c);
}

static void bad_probes_are_refused_and_change_nothing(void **state)
{
	struct commit c;

	setup(&c, -1);
	c.src->nr_probes = DAMON_MAX_PROBES + 1;
	expect_refused(&c, -EINVAL);
	c.src->nr_probes = 1;
	assert_int_equal(damon_select_ops(c.src, DAMON_OPS_PADDR), 0);
	expect_refused(&c, -EOPNOTSUPP);
	teardown(&c);
}

static void an_obsolete_target_that_the_destination_does_not_have_is_refused(void **state)
{
	struct commit c;

	setup(&c, -1);
	add_source(&c, -1)->obsolete = true;
	expect_refused(&c, -EINVAL);
	teardown(&c);
}

static void a_context_of_another_library_object_is_refused(void **state)
{
	struct damon_ctx *foreign;
	struct damon_lib *lib;
	struct commit c;

	setup(&c, -1);
	assert_int_equal(damon_lib_new(&lib, &c.world.port.port), 0);
	assert_int_equal(damon_new_ctx(&foreign, lib), 0);
	assert_int_equal(damon_commit_ctx(c.world.ctx, foreign), -EINVAL);
	expect_learned(c.world.target);
	damon_destroy_ctx(foreign);
	damon_lib_free(lib);
	teardown(&c);
}

static void a_context_can_not_be_committed_to_itself(void **state)
{
	struct commit c;

	setup(&c, -1);
	assert_int_equal(damon_commit_ctx(c.world.ctx, c.world.ctx), -EINVAL);
	expect_learned(c.world.target);
	teardown(&c);
}

static void prepare_large_commit(struct commit *c)
{
	struct damon_addr_range ranges[50];
	unsigned int i;

	for (i = 0; i < 50; i++)
		ranges[i] = (struct damon_addr_range)TEST_RANGE(2 * i, 2 * i + 1);
	assert_int_equal(damon_set_regions(c->src->targets[0], ranges, 50, TEST_PAGE), 0);
	assert_int_equal(damon_set_regions(add_source(c, -1), ranges, 50, TEST_PAGE), 0);
	add_scheme(c->world.ctx, 0);
	add_scheme(c->src, 0);
	add_scheme(c->src, 1000000);
	c->src->attrs.aggr_interval = 200000;
	c->src->attrs.max_nr_regions = 2000;
	c->src->pause = true;
}

static void lack_of_memory_anywhere_changes_nothing(void **state)
{
	unsigned int nr_failed;
	struct commit c;

	for (nr_failed = 0;; nr_failed++) {
		struct snapshot before, after;
		int err;

		setup(&c, -1);
		prepare_large_commit(&c);
		take(&before, c.world.ctx);
		test_port_fail_at(&c.world.port, nr_failed + 1);
		err = damon_commit_ctx(c.world.ctx, c.src);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		take(&after, c.world.ctx);
		assert_memory_equal(&before, &after, sizeof(before));
		expect_learned(c.world.target);
		test_port_fail_at(&c.world.port, 0);
		commit(&c);
		assert_int_equal(c.world.ctx->nr_targets, 2);
		teardown(&c);
	}
	/* At least: the targets, one of them with its regions, the schemes. */
	assert_in_range(nr_failed, 10, 100);
	assert_int_equal(c.world.ctx->nr_targets, 2);
	assert_int_equal(damon_nr_regions(c.world.target), 50);
	teardown(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_replaced),
		cmocka_unit_test(new_intervals_rescale_what_was_learned),
		cmocka_unit_test(schemes_of_the_same_index_keep_their_statistics),
		cmocka_unit_test(schemes_the_source_does_not_have_are_dropped),
		cmocka_unit_test(a_target_without_regions_keeps_the_destinations),
		cmocka_unit_test(a_target_with_regions_sets_the_ranges),
		cmocka_unit_test(a_further_target_is_added_with_an_id_of_its_own),
		cmocka_unit_test(an_obsolete_target_is_dropped),
		cmocka_unit_test(targets_the_source_does_not_have_are_dropped),
		cmocka_unit_test(a_process_that_changed_its_place_keeps_what_was_learned),
		cmocka_unit_test(another_process_in_the_same_place_starts_from_nothing),
		cmocka_unit_test(bad_attributes_are_refused_and_change_nothing),
		cmocka_unit_test(a_bad_scheme_is_refused_and_changes_nothing),
		cmocka_unit_test(bad_probes_are_refused_and_change_nothing),
		cmocka_unit_test(an_obsolete_target_that_the_destination_does_not_have_is_refused),
		cmocka_unit_test(a_context_of_another_library_object_is_refused),
		cmocka_unit_test(a_context_can_not_be_committed_to_itself),
		cmocka_unit_test(lack_of_memory_anywhere_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
