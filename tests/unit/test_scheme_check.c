// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is refused when a scheme is installed; watermarks. */
#include "scheme_fixture.h"

/* What installing a scheme changed by @change gives. */
static int install(void (*change)(struct damos *scheme))
{
	struct scheme_world w;
	struct damos *scheme;
	int err;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	change(scheme);
	err = damon_add_scheme(w.world.ctx, scheme);
	if (err)
		damon_free_scheme(scheme);
	test_world_free(&w.world);
	return err;
}

static void nohugepage(struct damos *scheme)
{
	scheme->action = DAMOS_NOHUGEPAGE;
}

static void unmapped(struct damos *scheme)
{
	scheme->filters[scheme->nr_filters++] =
		(struct damos_filter){.type = DAMOS_FILTER_UNMAPPED};
}

static void stat_of_unmapped(struct damos *scheme)
{
	scheme->action = DAMOS_STAT;
	unmapped(scheme);
}

static void what_the_operations_set_can_not_do_is_refused(void **state)
{
	assert_int_equal(install(nohugepage), -EOPNOTSUPP);
	assert_int_equal(install(unmapped), -EOPNOTSUPP);
	assert_int_equal(install(stat_of_unmapped), -EOPNOTSUPP);
}

static void an_operations_set_selected_later_is_asked_at_start(void **state)
{
	struct scheme_world w;
	struct damon_ctx *ctx;
	struct damos *scheme;

	scheme_world_init(&w);
	assert_int_equal(damon_new_ctx(&ctx, w.world.lib), 0);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damon_add_scheme(ctx, scheme), 0);
	assert_int_equal(damon_select_ops(ctx, DAMON_OPS_PADDR), 0);
	assert_int_equal(damon_monitor_start(ctx), -EOPNOTSUPP);
	damon_destroy_ctx(ctx);
	test_world_free(&w.world);
}

static void a_commit_of_what_can_not_be_done_changes_nothing(void **state)
{
	struct scheme_world w;
	struct damon_ctx *src;

	scheme_world_init(&w);
	assert_int_equal(damon_new_ctx(&src, w.world.lib), 0);
	assert_int_equal(damon_add_scheme(src, scheme_new(&w, DAMOS_NOHUGEPAGE)), 0);
	assert_int_equal(damon_commit_ctx(w.world.ctx, src), -EOPNOTSUPP);
	assert_int_equal(w.world.ctx->nr_schemes, 0);
	assert_int_equal(w.world.ctx->nr_targets, 1);
	damon_destroy_ctx(src);
	test_world_free(&w.world);
}

static void migrate_nowhere(struct damos *scheme)
{
	scheme->action = DAMOS_MIGRATE_COLD;
}

static void migrate_to_dests(struct damos *scheme)
{
	migrate_nowhere(scheme);
	scheme->nr_dests = 2;
	scheme->dests[1] = (struct damos_dest){.nid = 1, .weight = 0};
}

static void migrate_to_weighted_dests(struct damos *scheme)
{
	migrate_to_dests(scheme);
	scheme->dests[1].weight = 1;
}

static void migrating_needs_somewhere_to_go(void **state)
{
	assert_int_equal(install(migrate_nowhere), -EINVAL);
	assert_int_equal(install(migrate_to_dests), -EINVAL);
	assert_int_equal(install(migrate_to_weighted_dests), 0);
}

static void marks_upside_down(struct damos *scheme)
{
	scheme->wmarks = (struct damos_watermarks){DAMOS_WMARK_FREE_MEM_RATE, 1000, 5, 10, 1};
}

static void no_such_tuner(struct damos *scheme)
{
	scheme->quota.tuner = DAMOS_NR_TUNERS;
}

static void too_many_filters(struct damos *scheme)
{
	scheme->nr_filters = DAMOS_MAX_FILTERS + 1;
}

static void contradictions_are_refused(void **state)
{
	assert_int_equal(install(marks_upside_down), -EINVAL);
	assert_int_equal(install(no_such_tuner), -EINVAL);
	assert_int_equal(install(too_many_filters), -EINVAL);
}

static void bad_filters_are_refused(void **state)
{
	struct scheme_world w;
	struct damos *scheme;
	struct damos_filter filter = {.type = DAMOS_NR_FILTER_TYPES};
	int i;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_STAT);
	assert_int_equal(damos_add_filter(scheme, &filter), -EINVAL);
	filter.type = DAMOS_FILTER_MEMCG;
	assert_int_equal(damos_add_filter(scheme, &filter), -EINVAL);
	filter.type = DAMOS_FILTER_ADDR;
	assert_int_equal(damos_add_filter(scheme, &filter), -EINVAL);
	filter.type = DAMOS_FILTER_HUGEPAGE_SIZE;
	filter.sz_min = 1;
	assert_int_equal(damos_add_filter(scheme, &filter), -EINVAL);
	filter.sz_max = 1;
	for (i = 0; i < DAMOS_MAX_FILTERS; i++)
		assert_int_equal(damos_add_filter(scheme, &filter), 0);
	assert_int_equal(damos_add_filter(scheme, &filter), -ENOSPC);
	damon_free_scheme(scheme);
	test_world_free(&w.world);
}

static void bad_goals_are_refused(void **state)
{
	struct damos_quota_goal goal = {.metric = DAMOS_GOAL_USER_INPUT};
	struct scheme_world w;
	struct damos *scheme;
	int i;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damos_add_quota_goal(scheme, &goal), -EINVAL);
	goal.target_value = 1;
	goal.metric = DAMOS_NR_GOAL_METRICS;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), -EINVAL);
	goal.metric = DAMOS_GOAL_NODE_MEMCG_USED_BP;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), -EINVAL);
	goal.memcg_path = "/a";
	goal.nid = -1;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), -EINVAL);
	goal.nid = 0;
	for (i = 0; i < DAMOS_MAX_GOALS; i++)
		assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damos_add_quota_goal(scheme, &goal), -ENOSPC);
	/* A metric the system doesn't have: what reading it gives. */
	w.metric_err = -ENOTSUP;
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), -ENOTSUP);
	w.world.port.port.metric = NULL;
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), -EOPNOTSUPP);
	/* Only of physical memory can be said which node's is eligible. */
	scheme->quota.nr_goals = 0;
	goal.metric = DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), -EINVAL);
	damon_free_scheme(scheme);
	test_world_free(&w.world);
}

/* Watermarks. */

static struct damos *add_marked(struct scheme_world *w, uint64_t interval_us)
{
	struct damos *scheme = scheme_new(w, DAMOS_COLD);

	scheme->wmarks =
		(struct damos_watermarks){DAMOS_WMARK_FREE_MEM_RATE, interval_us, 500, 400, 200};
	assert_int_equal(damon_add_scheme(w->world.ctx, scheme), 0);
	return scheme;
}

static void watermarks_hold_and_release(void **state)
{
	const struct {
		uint64_t free_rate;
		bool held;
	} steps[] = {
		{500, false}, /* up to high it stays as it began: active */
		{501, true},  {500, true},  {400, true}, /* from mid to high it stays */
		{399, false}, {400, false}, {200, false}, {199, true}, {200, false}, {1000, true},
	};
	struct scheme_world w;
	size_t i;

	scheme_world_init(&w);
	add_marked(&w, 7000);
	for (i = 0; i < TEST_COUNT(steps); i++) {
		w.metric = steps[i].free_rate;
		assert_int_equal(damon_schemes_hold_us(w.world.ctx), steps[i].held ? 7000 : 0);
	}
	test_world_free(&w.world);
}

static void watermarks_are_told_of_when_they_fail_anew_or_otherwise(void **state)
{
	static const struct {
		int err;
		unsigned int nr_told;
	} steps[] = {
		{0, 0}, {-EIO, 1}, {-EIO, 1}, {-ENODEV, 2}, {0, 2}, {-ENODEV, 3}, {-ENODEV, 3},
	};
	struct scheme_world w;
	size_t i;

	scheme_world_init(&w);
	add_marked(&w, 7000);
	w.metric = 300;
	for (i = 0; i < TEST_COUNT(steps); i++) {
		w.metric_err = steps[i].err;
		assert_int_equal(damon_schemes_hold_us(w.world.ctx), 0);
		assert_int_equal(w.world.nr_events, steps[i].nr_told);
	}
	test_world_free(&w.world);
}

static void the_shortest_interval_counts_and_one_active_scheme_is_enough(void **state)
{
	struct scheme_world w;

	scheme_world_init(&w);
	assert_int_equal(damon_schemes_hold_us(w.world.ctx), 0);
	add_marked(&w, 9000);
	add_marked(&w, 3000);
	w.metric = 1000;
	assert_int_equal(damon_schemes_hold_us(w.world.ctx), 3000);
	add_marked(&w, 0);
	assert_int_equal(damon_schemes_hold_us(w.world.ctx), w.world.ctx->attrs.sample_interval);
	scheme_add(&w, DAMOS_STAT);
	assert_int_equal(damon_schemes_hold_us(w.world.ctx), 0);
	test_world_free(&w.world);
}

static void a_held_scheme_does_nothing(void **state)
{
	struct damos *scheme;
	struct scheme_world w;

	scheme_world_init(&w);
	scheme = add_marked(&w, 9000);
	scheme_world_start(&w);
	w.metric = 1000;
	assert_int_not_equal(damon_schemes_hold_us(w.world.ctx), 0);
	scheme_pass(&w, 100);
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(scheme->stat.nr_snapshots, 0);
	test_world_free(&w.world);
}

static void no_walk_fn(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_region *region, struct damos *scheme,
		       uint64_t sz_filter_passed, void *data)
{
}

static int release(struct damon_ctx *ctx, void *data)
{
	((struct scheme_world *)data)->metric = 300;
	return 0;
}

static void main_held(void *arg)
{
	struct scheme_world *w = arg;
	struct damon_ctx *ctx = w->world.ctx;
	struct damos_walk_control walk = {.walk_fn = no_walk_fn};
	struct damon_call_control call = {.fn = release, .data = w};
	struct damon_port *port = &w->world.port.port;
	uint64_t began_ns = port->now_ns(port);
	unsigned int nr_check, nr_metric;

	assert_int_equal(damon_start(&ctx, 1, false), 0);
	assert_int_equal(damon_wait(ctx, 10500000, NULL), -ETIMEDOUT);
	assert_int_equal(w->world.script.nr_check, 0); /* no page is looked at */
	assert_in_range(w->nr_metric, 10, 14);	       /* and the metric once a second */
	began_ns = port->now_ns(port);
	assert_int_equal(damos_walk(ctx, &walk), -ECANCELED);
	assert_int_equal(port->now_ns(port), began_ns);
	nr_metric = w->nr_metric;
	assert_int_equal(damon_call(ctx, &call), 0);
	assert_int_equal(port->now_ns(port), began_ns);
	assert_int_equal(damon_wait(ctx, 500000, NULL), -ETIMEDOUT);
	nr_check = w->world.script.nr_check;
	assert_in_range(nr_check, 90, 110); /* the request made it look again */
	assert_true(w->nr_metric > nr_metric);
	w->metric = 1000;
	assert_int_equal(damon_wait(ctx, 500000, NULL), -ETIMEDOUT);
	assert_in_range(w->world.script.nr_check, nr_check, nr_check + 1);
	began_ns = port->now_ns(port);
	assert_int_equal(damon_stop(&ctx, 1), 0);
	assert_int_equal(port->now_ns(port), began_ns); /* a stop isn't held up */
}

static void while_all_are_held_monitoring_sleeps(void **state)
{
	struct scheme_world w;

	scheme_world_init(&w);
	w.world.script.apply = NULL;
	add_marked(&w, 1000000);
	w.metric = 1000;
	test_world_run(&w.world, main_held);
	test_world_free(&w.world);
}

/* The moments and events of a hold in the middle of a window. */
static struct {
	struct damon_window windows[16];
	unsigned int nr_windows, nr_hold, nr_release;
	uint64_t hold_ns, release_ns;
} seen;

static int see_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	if (seen.nr_windows < TEST_COUNT(seen.windows))
		seen.windows[seen.nr_windows++] = *window;
	return 0;
}

static void see_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	if (!strcmp(event->what, "hold")) {
		seen.nr_hold++;
		seen.hold_ns = event->t_ns;
	}
	if (!strcmp(event->what, "release")) {
		seen.nr_release++;
		seen.release_ns = event->t_ns;
	}
}

static void main_held_in_a_window(void *arg)
{
	struct scheme_world *w = arg;
	struct damon_ctx *ctx = w->world.ctx;
	unsigned int i;

	assert_int_equal(damon_start(&ctx, 1, false), 0);
	assert_int_equal(damon_wait(ctx, 250000, NULL), -ETIMEDOUT);
	assert_int_equal(seen.nr_windows, 2);
	w->metric = 1000;
	assert_int_equal(damon_wait(ctx, 15000000, NULL), -ETIMEDOUT);
	assert_int_equal(seen.nr_windows, 2);
	w->metric = 300;
	assert_int_equal(damon_wait(ctx, 5000000, NULL), -ETIMEDOUT);
	assert_int_equal(damon_stop(&ctx, 1), 0);
	assert_int_equal(seen.nr_hold, 1);
	assert_int_equal(seen.nr_release, 1);
	assert_in_range(seen.release_ns - seen.hold_ns, 15000000000, 16000000000);
	assert_true(seen.nr_windows > 4);
	for (i = 0; i < seen.nr_windows; i++) {
		assert_int_equal(seen.windows[i].nr_samples, 20);
		assert_int_equal(seen.windows[i].t_end_ns - seen.windows[i].t_start_ns, 100000000);
	}
	/* It begins so much later that the whole hold lies before it. */
	assert_int_equal(seen.windows[2].t_start_ns - seen.windows[1].t_end_ns,
			 seen.release_ns - seen.hold_ns);
}

static void a_hold_is_no_time_of_a_window_and_is_told(void **state)
{
	struct scheme_world w;

	scheme_world_init(&w);
	memset(&seen, 0, sizeof(seen));
	w.world.script.apply = NULL;
	w.world.ctx->callbacks.window = see_window;
	w.world.ctx->callbacks.event = see_event;
	add_marked(&w, 1000000);
	w.metric = 300;
	test_world_run(&w.world, main_held_in_a_window);
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_operations_set_can_not_do_is_refused),
		cmocka_unit_test(an_operations_set_selected_later_is_asked_at_start),
		cmocka_unit_test(a_commit_of_what_can_not_be_done_changes_nothing),
		cmocka_unit_test(migrating_needs_somewhere_to_go),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(bad_filters_are_refused),
		cmocka_unit_test(bad_goals_are_refused),
		cmocka_unit_test(watermarks_hold_and_release),
		cmocka_unit_test(watermarks_are_told_of_when_they_fail_anew_or_otherwise),
		cmocka_unit_test(the_shortest_interval_counts_and_one_active_scheme_is_enough),
		cmocka_unit_test(a_held_scheme_does_nothing),
		cmocka_unit_test(a_hold_is_no_time_of_a_window_and_is_told),
		cmocka_unit_test(while_all_are_held_monitoring_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
