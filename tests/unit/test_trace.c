// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Trace points: which there are for what, with which fields, and that nothing is gathered for nobody. */
#include <inttypes.h>

#include "scheme_fixture.h"

#define MAX_TRACED 16

/* What was traced of the one point that is listened to. */
struct ear {
	enum damon_trace_point point;
	unsigned int nr;
	uint64_t fields[MAX_TRACED][DAMON_TRACE_MAX_FIELDS];
};

static struct ear ear; /* a port has no place for it */

static const unsigned int nr_fields[DAMON_NR_TRACE_POINTS] = {6, 8, 1, 3, 9};

static bool listens(struct damon_port *port, enum damon_trace_point point)
{
	return point == ear.point;
}

static void hear(struct damon_port *port, enum damon_trace_point point, const uint64_t *fields)
{
	assert_int_equal(point, ear.point);
	assert_in_range(ear.nr, 0, MAX_TRACED - 1);
	memcpy(ear.fields[ear.nr++], fields, nr_fields[point] * sizeof(*fields));
}

/* A world in which somebody listens to @point; DAMON_NR_TRACE_POINTS: to nothing. */
static void setup(struct scheme_world *w, enum damon_trace_point point)
{
	scheme_world_init(w);
	ear = (struct ear){.point = point};
	w->world.port.port.tracing = listens;
	w->world.port.port.trace = hear;
}

static void start(struct scheme_world *w)
{
	static const struct damon_region regions[] = {
		TEST_REGION(0, 4, .nr_accesses = 7, .age = 9),
		TEST_REGION(4, 10, .nr_accesses = 0, .age = 2),
	};

	scheme_world_start(w);
	test_put_regions(w->world.target, regions, TEST_COUNT(regions));
}

static void expect(unsigned int idx, const uint64_t *fields)
{
	unsigned int i;

	for (i = 0; i < nr_fields[ear.point]; i++)
		if (ear.fields[idx][i] != fields[i])
			fail_msg("record %u field %u: expected %" PRIu64 ", got %" PRIu64, idx, i,
				 fields[i], ear.fields[idx][i]);
}

static void each_region_of_a_window_is_told(void **state)
{
	struct scheme_world w;

	setup(&w, DAMON_TRACE_AGGREGATED);
	start(&w);
	assert_int_equal(damon_monitor_window_end(w.world.ctx), 0);
	assert_int_equal(ear.nr, 2);
	expect(0, (const uint64_t[]){w.world.target->id, 2, 0, 4 * TEST_PAGE, 7, 9});
	expect(1, (const uint64_t[]){w.world.target->id, 2, 4 * TEST_PAGE, 10 * TEST_PAGE, 0, 2});
	test_world_free(&w.world);
}

static void a_region_is_told_before_a_scheme_is_applied_to_it(void **state)
{
	struct scheme_world w;

	setup(&w, DAMON_TRACE_BEFORE_APPLY);
	scheme_add(&w, DAMOS_STAT)->pattern.min_nr_accesses = 1000;
	scheme_add(&w, DAMOS_PAGEOUT)->pattern.min_sz_region = 5 * TEST_PAGE;
	start(&w);
	scheme_pass(&w, 100);
	assert_int_equal(ear.nr, 1);
	expect(0, (const uint64_t[]){0, 1, 0, 4 * TEST_PAGE, 10 * TEST_PAGE, 0, 2, 2});
	test_world_free(&w.world);
}

static void the_effective_quota_is_told_when_it_is_set_anew(void **state)
{
	struct scheme_world w;
	struct damos *scheme;

	setup(&w, DAMON_TRACE_ESZ);
	scheme_add(&w, DAMOS_STAT); /* has none */
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 3 * TEST_PAGE;
	scheme->quota.reset_interval_ms = 1000;
	start(&w);
	scheme_pass(&w, 0);
	scheme_pass(&w, 500); /* the same quota window */
	scheme_pass(&w, 500);
	assert_int_equal(ear.nr, 2);
	expect(0, (const uint64_t[]){0, 1, 3 * TEST_PAGE});
	expect(1, (const uint64_t[]){0, 1, 3 * TEST_PAGE});
	test_world_free(&w.world);
}

static void statistics_are_told_after_each_apply_interval(void **state)
{
	struct scheme_world w;

	setup(&w, DAMON_TRACE_STAT_AFTER_APPLY);
	scheme_add(&w, DAMOS_STAT);
	start(&w);
	scheme_pass(&w, 100);
	scheme_pass(&w, 100);
	assert_int_equal(ear.nr, 2);
	expect(0, (const uint64_t[]){0, 0, 2, 10 * TEST_PAGE, 2, 10 * TEST_PAGE, 10 * TEST_PAGE, 0,
				     1});
	expect(1, (const uint64_t[]){0, 0, 4, 20 * TEST_PAGE, 4, 20 * TEST_PAGE, 20 * TEST_PAGE, 0,
				     2});
	test_world_free(&w.world);
}

static void tuned_intervals_are_told(void **state)
{
	struct scheme_world w;

	setup(&w, DAMON_TRACE_INTERVALS_TUNE);
	w.world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, 1, 10000000};
	start(&w);
	/* 14 % of what could have been accessed was, more than twice the 4 % aimed at: halved. */
	test_world_window(&w.world);
	assert_int_equal(ear.nr, 1);
	expect(0, (const uint64_t[]){2500});
	test_world_free(&w.world);
}

static void nothing_is_told_to_nobody(void **state)
{
	struct scheme_world w;

	setup(&w, DAMON_NR_TRACE_POINTS);
	w.world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, 1, 10000000};
	scheme_add(&w, DAMOS_PAGEOUT)->quota.sz = TEST_PAGE;
	start(&w);
	test_world_window(&w.world);
	scheme_pass(&w, 100);
	assert_int_equal(ear.nr, 0);
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_region_of_a_window_is_told),
		cmocka_unit_test(a_region_is_told_before_a_scheme_is_applied_to_it),
		cmocka_unit_test(the_effective_quota_is_told_when_it_is_set_anew),
		cmocka_unit_test(statistics_are_told_after_each_apply_interval),
		cmocka_unit_test(tuned_intervals_are_told),
		cmocka_unit_test(nothing_is_told_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
