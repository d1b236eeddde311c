// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Filters of schemes: order, defaults, and where regions are split. */
#include "scheme_fixture.h"

static const struct damon_region hundred[] = {TEST_REGION(0, 100, .age = 3)};

static struct damos_filter addr(uint64_t first_page, uint64_t end_page, bool matching, bool allow)
{
	return (struct damos_filter){.type = DAMOS_FILTER_ADDR,
				     .matching = matching,
				     .allow = allow,
				     .addr_start = first_page * TEST_PAGE,
				     .addr_end = end_page * TEST_PAGE};
}

static struct damos_filter of(enum damos_filter_type type, bool allow)
{
	return (struct damos_filter){.type = type, .matching = true, .allow = allow};
}

/* One pass of COLD over 100 pages with these filters. */
static struct damos *pass_with(struct scheme_world *w, const struct damos_filter *filters,
			       size_t nr)
{
	struct damos *scheme;
	size_t i;

	scheme_world_init(w);
	scheme = scheme_new(w, DAMOS_COLD);
	for (i = 0; i < nr; i++)
		assert_int_equal(damos_add_filter(scheme, &filters[i]), 0);
	assert_int_equal(damon_add_scheme(w->world.ctx, scheme), 0);
	scheme_world_start(w);
	test_put_regions(w->world.target, hundred, 1);
	scheme_pass(w, 100);
	return scheme;
}

static void an_address_filter_splits_at_its_edges(void **state)
{
	const struct damos_filter filter = addr(20, 50, true, true);
	const struct damon_addr_range after[] = {TEST_RANGE(0, 20), TEST_RANGE(20, 50),
						 TEST_RANGE(50, 100)};
	struct scheme_world w;
	struct damos *scheme = pass_with(&w, &filter, 1);

	/* The last filter allows: what it doesn't match is rejected. */
	EXPECT_DONE(&w, TEST_RANGE(20, 50));
	test_expect_ranges(w.world.target, after, 3);
	assert_int_equal(test_region(w.world.target, 0).age, 3);
	assert_int_equal(test_region(w.world.target, 1).age, 0);
	assert_int_equal(scheme->stat.sz_tried, 30 * TEST_PAGE);
	test_world_free(&w.world);
}

static void a_rejecting_one_leaves_the_rest(void **state)
{
	const struct damos_filter filter = addr(20, 50, true, false);
	struct scheme_world w;

	pass_with(&w, &filter, 1);
	EXPECT_DONE(&w, TEST_RANGE(0, 20), TEST_RANGE(50, 100));
	test_world_free(&w.world);
}

static void an_inverted_one_matches_what_is_outside(void **state)
{
	const struct damos_filter filter = addr(20, 50, false, true);
	struct scheme_world w;

	pass_with(&w, &filter, 1);
	EXPECT_DONE(&w, TEST_RANGE(0, 20), TEST_RANGE(50, 100));
	test_world_free(&w.world);
}

static void edges_are_aligned_down(void **state)
{
	struct damos_filter filter = addr(20, 50, true, true);
	struct scheme_world w;

	filter.addr_start += 100;
	filter.addr_end += TEST_PAGE - 1;
	pass_with(&w, &filter, 1);
	EXPECT_DONE(&w, TEST_RANGE(20, 50));
	test_world_free(&w.world);
}

static void a_range_within_one_page_matches_nothing(void **state)
{
	struct damos_filter filter = addr(20, 20, true, true);
	struct scheme_world w;

	filter.addr_start += 100;
	filter.addr_end += 200;
	pass_with(&w, &filter, 1);
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(damon_nr_regions(w.world.target), 1);
	test_world_free(&w.world);
}

static void the_first_that_matches_decides(void **state)
{
	const struct damos_filter filters[] = {addr(10, 30, true, false), addr(20, 60, true, true)};
	struct scheme_world w;

	pass_with(&w, filters, 2);
	EXPECT_DONE(&w, TEST_RANGE(30, 60));
	test_world_free(&w.world);
}

static void targets_are_told_by_their_place(void **state)
{
	struct damos_filter filter = of(DAMOS_FILTER_TARGET, false);
	struct scheme_world w;

	pass_with(&w, &filter, 1);
	assert_int_equal(w.nr_done, 0);
	test_world_free(&w.world);
	filter.target_idx = 1;
	pass_with(&w, &filter, 1);
	EXPECT_DONE(&w, TEST_RANGE(0, 100));
	test_world_free(&w.world);
}

static void
with_filters_of_the_operations_set_the_core_passes_on_what_it_does_not_match(void **state)
{
	const struct damos_filter filters[] = {of(DAMOS_FILTER_ANON, false),
					       addr(20, 50, true, true)};
	struct scheme_world w;
	struct damos *scheme = pass_with(&w, filters, 2);

	EXPECT_DONE(&w, TEST_RANGE(0, 20), TEST_RANGE(20, 50), TEST_RANGE(50, 100));
	assert_false(scheme->core_filters_allowed);
	test_world_free(&w.world);
}

static int64_t note_allowed(struct test_script *script, const struct damon_addr_range *ar,
			    const struct damos *scheme, uint64_t *passed)
{
	struct scheme_world *w = script->data;

	*passed = (ar->end - ar->start) / 2;
	if (scheme->core_filters_allowed)
		w->done[w->nr_done++] = *ar;
	return (int64_t)(ar->end - ar->start) / 2;
}

static void what_the_core_allowed_the_operations_set_does_not_filter(void **state)
{
	const struct damos_filter filters[] = {of(DAMOS_FILTER_ANON, false),
					       addr(20, 50, true, true)};
	struct scheme_world w;
	struct damos *scheme = pass_with(&w, filters, 2);

	w.world.script.apply = note_allowed;
	scheme->stat = (struct damos_stat){0};
	scheme_pass(&w, 100);
	EXPECT_DONE(&w, TEST_RANGE(20, 50));
	/* What passed is what the operations set says. */
	assert_int_equal(scheme->stat.sz_tried, 100 * TEST_PAGE);
	assert_int_equal(scheme->stat.sz_ops_filter_passed, 50 * TEST_PAGE);
	assert_int_equal(scheme->stat.sz_applied, 50 * TEST_PAGE);
	test_world_free(&w.world);
}

static void stat_asks_the_operations_set_only_for_its_filters(void **state)
{
	const struct damos_filter filter = of(DAMOS_FILTER_YOUNG, true);
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_STAT);
	scheme_world_start(&w);
	scheme_pass(&w, 100);
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(scheme->stat.sz_ops_filter_passed, 1000 * TEST_PAGE);
	assert_int_equal(damos_add_filter(scheme, &filter), 0);
	scheme_pass(&w, 100);
	assert_in_range(w.nr_done, 1, MAX_DONE);
	test_world_free(&w.world);
}

static void filtered_bytes_are_not_in_the_histogram(void **state)
{
	/* The coldest is rejected; of the rest, 10 pages of 3 s reach the quota. */
	const struct damon_region regions[] = {TEST_REGION(0, 20, .age = 10000),
					       TEST_REGION(20, 30, .age = 1),
					       TEST_REGION(30, 40, .age = 30)};
	const struct damos_filter filter = addr(0, 20, true, false);
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 10 * TEST_PAGE;
	scheme->quota.weight_age = 1;
	assert_int_equal(damos_add_filter(scheme, &filter), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	test_put_regions(w.world.target, regions, 3);
	scheme_pass(&w, 0);
	EXPECT_DONE(&w, TEST_RANGE(30, 40));
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_filter_splits_at_its_edges),
		cmocka_unit_test(a_rejecting_one_leaves_the_rest),
		cmocka_unit_test(an_inverted_one_matches_what_is_outside),
		cmocka_unit_test(edges_are_aligned_down),
		cmocka_unit_test(a_range_within_one_page_matches_nothing),
		cmocka_unit_test(the_first_that_matches_decides),
		cmocka_unit_test(targets_are_told_by_their_place),
		cmocka_unit_test(
			with_filters_of_the_operations_set_the_core_passes_on_what_it_does_not_match),
		cmocka_unit_test(what_the_core_allowed_the_operations_set_does_not_filter),
		cmocka_unit_test(stat_asks_the_operations_set_only_for_its_filters),
		cmocka_unit_test(filtered_bytes_are_not_in_the_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
