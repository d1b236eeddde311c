// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What writing to "state" does, in virtual time. */
#include "sysfs_fixture.h"

#define STATE KDAMOND "/state"
#define ERROR OURS "/error"

static void on_and_off(struct tree_world *w)
{
	make_context(w, 0);
	assert_string_equal(get(w, STATE), "off");
	assert_string_equal(get(w, KDAMOND "/pid"), "-1");
	must_put(w, STATE, "on\n");
	assert_string_equal(get(w, STATE), "on");
	assert_true(get_number(w, KDAMOND "/pid") > 0);
	assert_string_equal(w->engine, "auto");
	assert_int_equal(w->ctx->attrs.sample_interval, 5000);
	assert_int_equal(w->ctx->targets[0]->pid, 42);
	assert_int_equal(put(w, STATE, "on"), -EBUSY);
	assert_string_equal(get(w, ERROR), "on: it is on already");
	must_put(w, STATE, "off");
	assert_string_equal(get(w, STATE), "off");
	assert_string_equal(get(w, KDAMOND "/pid"), "-1");
	must_put(w, STATE, "off");
	must_put(w, STATE, "on");
	assert_string_equal(get(w, STATE), "on");
}

static void test_on_and_off(void **state)
{
	(void)state;
	run_in_world(on_and_off);
}

static void refused(struct tree_world *w)
{
	static const char *const need_start[] = {"off",
						 "commit",
						 "commit_schemes_quota_goals",
						 "update_schemes_stats",
						 "update_schemes_effective_quotas",
						 "update_tuned_intervals",
						 "update_schemes_tried_bytes",
						 "update_schemes_tried_regions"};
	size_t i;

	must_put(w, ADMIN "/nr_kdamonds", "1");
	assert_int_equal(put(w, STATE, "on"), -EINVAL);
	assert_string_equal(get(w, ERROR), "on: contexts/nr_contexts: '0': there is no context");
	make_context(w, 1);
	for (i = 0; i < TEST_COUNT(need_start); i++)
		assert_int_equal(put(w, STATE, need_start[i]), -EINVAL);
	must_put(w, STATE, "clear_schemes_tried_regions");
	assert_int_equal(put(w, STATE, "pause"), -EINVAL);
	assert_int_equal(put(w, STATE, "on "), -EINVAL);
	assert_int_equal(put(w, STATE, ""), -EINVAL);
	must_put(w, STATE, "on");
	must_put(w, STATE, "off");
	for (i = 1; i < TEST_COUNT(need_start); i++)
		assert_int_equal(put(w, STATE, need_start[i]), -ECANCELED);
	must_put(w, STATE, "clear_schemes_tried_regions");
}

static void test_refused(void **state)
{
	(void)state;
	run_in_world(refused);
}

static void number_while_running(struct tree_world *w)
{
	make_context(w, 0);
	must_put(w, STATE, "on");
	assert_int_equal(put(w, ADMIN "/nr_kdamonds", "2"), -EBUSY);
	assert_string_equal(get(w, ADMIN "/nr_kdamonds"), "1");
	must_put(w, KDAMOND "/contexts/nr_contexts", "0");
	assert_int_equal(put(w, STATE, "commit"), -EINVAL);
	must_put(w, STATE, "off");
	must_put(w, ADMIN "/nr_kdamonds", "2");
}

static void test_number_while_running(void **state)
{
	(void)state;
	run_in_world(number_while_running);
}

static void staged_until_commit(struct tree_world *w)
{
	make_context(w, 1);
	must_put(w, STATE, "on");
	must_put(w, CONTEXT "/monitoring_attrs/intervals/sample_us", "10000");
	must_put(w, CONTEXT "/targets/nr_targets", "2");
	must_put(w, CONTEXT "/targets/0/pid_target", "42");
	must_put(w, CONTEXT "/targets/1/pid_target", "43");
	sleep_ms(w, 350);
	assert_int_equal(w->ctx->attrs.sample_interval, 5000);
	assert_int_equal(w->ctx->nr_targets, 1);
	assert_int_equal(w->ctx->schemes[0]->stat.nr_snapshots, 3);
	w->nr_new_targets = 0;
	must_put(w, STATE, "commit");
	assert_int_equal(w->ctx->attrs.sample_interval, 10000);
	assert_int_equal(w->ctx->nr_targets, 2);
	/* Nobody asks again for a process that is watched. */
	assert_int_equal(w->nr_new_targets, 1);
	assert_int_equal(w->ctx->schemes[0]->stat.nr_snapshots, 3);
	must_put(w, CONTEXT "/targets/0/obsolete_target", "Y");
	must_put(w, STATE, "commit");
	assert_int_equal(w->ctx->nr_targets, 1);
	assert_int_equal(w->ctx->targets[0]->pid, 43);
}

static void test_staged_until_commit(void **state)
{
	(void)state;
	run_in_world(staged_until_commit);
}

static void refused_commit(struct tree_world *w)
{
	make_context(w, 1);
	must_put(w, STATE, "on");
	must_put(w, CONTEXT "/monitoring_attrs/intervals/sample_us", "200000");
	must_put(w, CONTEXT "/monitoring_attrs/nr_regions/max", "50");
	assert_int_equal(put(w, STATE, "commit"), -EINVAL);
	assert_string_equal(get(w, ERROR),
			    "commit: contexts/0/monitoring_attrs/intervals/sample_us: '200000' is "
			    "above aggr_us, '100000'");
	assert_int_equal(w->ctx->attrs.sample_interval, 5000);
	assert_int_equal(w->ctx->attrs.max_nr_regions, 1000);
	must_put(w, CONTEXT "/monitoring_attrs/intervals/sample_us", "20000");
	must_put(w, STATE, "commit");
	assert_int_equal(w->ctx->attrs.max_nr_regions, 50);
	w->new_target_error = -ESRCH;
	must_put(w, CONTEXT "/targets/0/pid_target", "43");
	assert_int_equal(put(w, STATE, "commit"), -EINVAL);
	assert_string_equal(
		get(w, ERROR),
		"commit: contexts/0/targets/0/pid_target: '43': there is no process 43");
}

static void test_refused_commit(void **state)
{
	(void)state;
	run_in_world(refused_commit);
}

static void goals_only(struct tree_world *w)
{
	const char *goals = SCHEME "/quotas/goals";
	char path[SYSFS_PATH_MAX];

	make_context(w, 1);
	must_put(w, SCHEME "/quotas/bytes", "1048576");
	must_put(w, SCHEME "/quotas/reset_interval_ms", "1000");
	snprintf(path, sizeof(path), "%s/nr_goals", goals);
	must_put(w, path, "1");
	snprintf(path, sizeof(path), "%s/0/target_value", goals);
	must_put(w, path, "100");
	must_put(w, STATE, "on");
	snprintf(path, sizeof(path), "%s/0/current_value", goals);
	must_put(w, path, "60");
	must_put(w, CONTEXT "/monitoring_attrs/nr_regions/max", "50");
	must_put(w, SCHEME "/quotas/bytes", "4096");
	/* Not asked for: its process may be gone. */
	w->new_target_error = -ESRCH;
	must_put(w, STATE, "commit_schemes_quota_goals");
	assert_int_equal(w->ctx->schemes[0]->quota.goals[0].current_value, 60);
	assert_int_equal(w->ctx->schemes[0]->quota.sz, 1048576);
	assert_int_equal(w->ctx->attrs.max_nr_regions, 1000);
	assert_int_equal(w->ctx->nr_targets, 1);
	must_put(w, STATE, "commit");
	assert_int_equal(w->ctx->schemes[0]->quota.sz, 4096);
}

static void test_goals_only(void **state)
{
	(void)state;
	run_in_world(goals_only);
}

static void statistics(struct tree_world *w)
{
	make_context(w, 2);
	must_put(w, STATE, "on");
	sleep_ms(w, 250);
	assert_string_equal(get(w, SCHEME "/stats/sz_tried"), "0");
	must_put(w, STATE, "update_schemes_stats");
	assert_int_equal(get_number(w, SCHEME "/stats/sz_tried"), 2 * 1000 * TEST_PAGE);
	assert_int_equal(get_number(w, SCHEME "/stats/nr_snapshots"), 2);
	assert_int_equal(get_number(w, CONTEXT "/schemes/1/stats/nr_snapshots"), 2);
	must_put(w, STATE, "off");
	assert_int_equal(get_number(w, SCHEME "/stats/nr_snapshots"), 2);
}

static void test_statistics(void **state)
{
	(void)state;
	run_in_world(statistics);
}

static void refresh(struct tree_world *w)
{
	make_context(w, 1);
	must_put(w, STATE, "on");
	sleep_ms(w, 250);
	assert_int_equal(get_number(w, SCHEME "/stats/nr_snapshots"), 0);
	must_put(w, KDAMOND "/refresh_ms", "100");
	sleep_ms(w, 20);
	assert_int_equal(get_number(w, SCHEME "/stats/nr_snapshots"), 2);
	sleep_ms(w, 200);
	assert_in_range(get_number(w, SCHEME "/stats/nr_snapshots"), 3, 4);
}

static void test_refresh(void **state)
{
	(void)state;
	run_in_world(refresh);
}

static void effective_quotas(struct tree_world *w)
{
	make_context(w, 1);
	must_put(w, SCHEME "/quotas/bytes", "1048576");
	must_put(w, SCHEME "/quotas/reset_interval_ms", "1000");
	must_put(w, STATE, "on");
	sleep_ms(w, 250);
	assert_string_equal(get(w, SCHEME "/quotas/effective_bytes"), "0");
	must_put(w, STATE, "update_schemes_effective_quotas");
	assert_string_equal(get(w, SCHEME "/quotas/effective_bytes"), "1048576");
}

static void test_effective_quotas(void **state)
{
	(void)state;
	run_in_world(effective_quotas);
}

static void tuned_intervals(struct tree_world *w)
{
	const char *goal = CONTEXT "/monitoring_attrs/intervals/intervals_goal/";
	char path[SYSFS_PATH_MAX];

	make_context(w, 0);
	snprintf(path, sizeof(path), "%saccess_bp", goal);
	must_put(w, path, "400");
	snprintf(path, sizeof(path), "%saggrs", goal);
	must_put(w, path, "1");
	snprintf(path, sizeof(path), "%smax_sample_us", goal);
	must_put(w, path, "1000000");
	must_put(w, STATE, "on");
	/* Nothing is accessed, so intervals grow. */
	sleep_ms(w, 1000);
	assert_true(w->ctx->attrs.sample_interval > 5000);
	assert_string_equal(get(w, CONTEXT "/monitoring_attrs/intervals/sample_us"), "5000");
	must_put(w, STATE, "update_tuned_intervals");
	assert_int_equal(get_number(w, CONTEXT "/monitoring_attrs/intervals/sample_us"),
			 w->ctx->attrs.sample_interval);
	assert_int_equal(get_number(w, CONTEXT "/monitoring_attrs/intervals/aggr_us"),
			 w->ctx->attrs.aggr_interval);
}

static void test_tuned_intervals(void **state)
{
	(void)state;
	run_in_world(tuned_intervals);
}

static uint64_t nr_tried_dirs(struct tree_world *w)
{
	struct sysfs_stat st;
	char path[SYSFS_PATH_MAX];
	unsigned int i;

	for (i = 0;; i++) {
		snprintf(path, sizeof(path), SCHEME "/tried_regions/%u", i);
		if (sysfs_stat(w->tree, path, &st))
			return i;
	}
}

static void tried_regions(struct tree_world *w)
{
	struct sysfs_stat st;
	uint64_t nr, lines = 0;
	const char *c;

	make_context(w, 1);
	must_put(w, STATE, "on");
	sleep_ms(w, 150);
	must_put(w, STATE, "update_schemes_tried_bytes");
	assert_int_equal(get_number(w, SCHEME "/tried_regions/total_bytes"), 1000 * TEST_PAGE);
	assert_int_equal(nr_tried_dirs(w), 0);
	must_put(w, STATE, "update_schemes_tried_regions");
	nr = nr_tried_dirs(w);
	assert_in_range(nr, 5, 1000);
	assert_int_equal(get_number(w, SCHEME "/tried_regions/0/start"), 0);
	assert_true(get_number(w, SCHEME "/tried_regions/0/end") > 0);
	assert_int_equal(get_number(w, SCHEME "/tried_regions/0/nr_accesses"), 0);
	assert_true(get_number(w, SCHEME "/tried_regions/0/age") > 0);
	assert_int_equal(get_number(w, SCHEME "/tried_regions/0/sz_filter_passed"),
			 get_number(w, SCHEME "/tried_regions/0/end"));
	assert_int_equal(sysfs_stat(w->tree, SCHEME "/tried_regions/0/probes", &st), 0);
	assert_int_equal(sysfs_stat(w->tree, SCHEME "/tried_regions/0/probes/0", &st), -ENOENT);
	for (c = get(w, OURS "/regions/0"); (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, nr);
	must_put(w, STATE, "off");
	assert_int_equal(nr_tried_dirs(w), nr);
	must_put(w, STATE, "clear_schemes_tried_regions");
	assert_int_equal(nr_tried_dirs(w), 0);
	assert_string_equal(get(w, SCHEME "/tried_regions/total_bytes"), "0");
	assert_string_equal(get(w, OURS "/regions/0"),
			    "start\tend\tnr_accesses\tage\tsz_filter_passed");
}

static void test_tried_regions(void **state)
{
	(void)state;
	run_in_world(tried_regions);
}

static void pause_and_resume(struct tree_world *w)
{
	unsigned int nr_windows;

	make_context(w, 1);
	must_put(w, STATE, "on");
	sleep_ms(w, 250);
	must_put(w, STATE, "update_schemes_tried_regions");
	must_put(w, CONTEXT "/pause", "1");
	must_put(w, STATE, "commit");
	sleep_ms(w, 10);
	nr_windows = w->nr_windows;
	sleep_ms(w, 1000);
	assert_int_equal(w->nr_windows, nr_windows);
	must_put(w, STATE, "update_schemes_stats");
	assert_int_equal(put(w, STATE, "update_schemes_tried_regions"), -ECANCELED);
	assert_int_equal(nr_tried_dirs(w), 0);
	must_put(w, CONTEXT "/pause", "N");
	must_put(w, STATE, "commit");
	sleep_ms(w, 200);
	assert_true(w->nr_windows > nr_windows);
}

static void test_pause_and_resume(void **state)
{
	(void)state;
	run_in_world(pause_and_resume);
}

static void ends_by_itself(struct tree_world *w)
{
	make_context(w, 0);
	must_put(w, STATE, "on");
	w->script.gone = true;
	sleep_ms(w, 20);
	assert_string_equal(get(w, STATE), "off");
	must_put(w, STATE, "off");
	assert_int_equal(put(w, STATE, "commit"), -ECANCELED);
	w->script.gone = false;
	must_put(w, STATE, "on");
	assert_string_equal(get(w, STATE), "on");
}

static void test_ends_by_itself(void **state)
{
	(void)state;
	run_in_world(ends_by_itself);
}

static void failed_start(struct tree_world *w)
{
	make_context(w, 1);
	w->script.init_error = -EPERM;
	assert_int_equal(put(w, STATE, "on"), -EPERM);
	assert_string_equal(get(w, STATE), "off");
	assert_int_equal(put(w, STATE, "off"), -EINVAL);
	w->script.init_error = 0;
	must_put(w, CONTEXT "/operations", "fvaddr");
	assert_int_equal(put(w, STATE, "on"), -EINVAL);
	assert_string_equal(get(w, ERROR),
			    "on: contexts/0/operations: 'fvaddr' is not available here");
	must_put(w, CONTEXT "/operations", "vaddr");
	must_put(w, SCHEME "/action", "lru_prio");
	w->vaddr.actions &= ~(1U << DAMOS_LRU_PRIO);
	assert_int_equal(put(w, STATE, "on"), -EOPNOTSUPP);
	assert_non_null(strstr(get(w, ERROR), "on: contexts/0/schemes/0: "));
	w->vaddr.actions |= 1U << DAMOS_LRU_PRIO;
	must_put(w, STATE, "on");
}

static void test_failed_start(void **state)
{
	(void)state;
	run_in_world(failed_start);
}

/* Physical memory: one target, and addresses in units of its own. */
static void physical(struct tree_world *w)
{
	make_context(w, 0);
	must_put(w, CONTEXT "/operations", "paddr");
	must_put(w, CONTEXT "/addr_unit", "3");
	must_put(w, CONTEXT "/targets/0/pid_target", "-1");
	assert_int_equal(put(w, STATE, "on"), -EINVAL);
	assert_string_equal(get(w, ERROR),
			    "on: contexts/0/addr_unit: 4096 bytes, a page, in units of "
			    "'3' is not a power of 2");
	must_put(w, CONTEXT "/addr_unit", "1024");
	must_put(w, CONTEXT "/targets/nr_targets", "2");
	assert_int_equal(put(w, STATE, "on"), -EINVAL);
	assert_string_equal(get(w, ERROR),
			    "on: contexts/0/targets/nr_targets: '2', but 'paddr' has "
			    "one target only");
	must_put(w, CONTEXT "/targets/nr_targets", "1");
	must_put(w, STATE, "on");
	assert_int_equal(w->ctx->attrs.addr_unit, 1024);
	assert_int_equal(w->ctx->attrs.min_region_sz, 4);
	assert_int_equal(w->nr_new_targets, 0);
	must_put(w, CONTEXT "/operations", "vaddr");
	assert_int_equal(put(w, STATE, "commit"), -EINVAL);
}

static void test_physical(void **state)
{
	(void)state;
	run_in_world(physical);
}

/* What the core holds in 32 bits is read back as it was written, and matches nothing or everything. */
static void large_patterns(struct tree_world *w)
{
	make_context(w, 1);
	must_put(w, SCHEME "/access_pattern/age/min", "4294967296");
	must_put(w, STATE, "on");
	assert_string_equal(get(w, SCHEME "/access_pattern/age/min"), "4294967296");
	assert_int_equal(w->ctx->schemes[0]->pattern.min_age_region, UINT32_MAX);
	assert_int_equal(w->ctx->schemes[0]->pattern.max_age_region, UINT32_MAX);
	sleep_ms(w, 250);
	assert_int_equal(w->ctx->schemes[0]->stat.nr_tried, 0);
}

static void test_large_patterns(void **state)
{
	(void)state;
	run_in_world(large_patterns);
}

/* Several clients. */

struct client {
	struct tree_world *w;
	struct damon_thread *thread;
	const char *value;
	struct sysfs_interrupt interrupt;
	uint64_t ended_ns;
	int result;
};

static void client_main(void *arg)
{
	struct client *client = arg;
	struct damon_port *port = &client->w->port.port;

	client->result = sysfs_write(client->w->tree, STATE, client->value, strlen(client->value),
				     &client->interrupt);
	client->ended_ns = port->now_ns(port);
}

static void client_start(struct tree_world *w, struct client *client, const char *value)
{
	*client = (struct client){.w = w, .value = value};
	assert_int_equal(w->port.port.thread_start(&w->port.port, &client->thread, "client",
						   client_main, client),
			 0);
}

static int client_join(struct client *client)
{
	client->w->port.port.thread_join(&client->w->port.port, client->thread);
	return client->result;
}

/* Both are served, though each takes as long as the scheme's interval. */
static void two_walks(struct tree_world *w)
{
	struct client a, b;

	make_context(w, 1);
	must_put(w, SCHEME "/apply_interval_us", "30000000");
	must_put(w, STATE, "on");
	client_start(w, &a, "update_schemes_tried_regions");
	client_start(w, &b, "update_schemes_tried_bytes");
	sleep_ms(w, 10);
	/* Nobody who reads or looks at something else has to wait. */
	assert_string_equal(get(w, STATE), "on");
	must_put(w, STATE, "update_schemes_stats");
	must_put(w, STATE, "commit");
	assert_int_equal(client_join(&a), 0);
	assert_int_equal(client_join(&b), 0);
}

static void test_two_walks(void **state)
{
	(void)state;
	run_in_world(two_walks);
}

/* A kdamond that is removed while somebody starts it: one of both has it. */
static void start_and_remove(struct tree_world *w)
{
	struct client client;
	int err;

	make_context(w, 0);
	client_start(w, &client, "on");
	err = put(w, ADMIN "/nr_kdamonds", "0");
	if (client_join(&client)) {
		assert_int_equal(client.result, -ENOENT);
		assert_int_equal(err, 0);
	} else {
		assert_int_equal(err, -EBUSY);
		assert_string_equal(get(w, STATE), "on");
	}
}

static void test_start_and_remove(void **state)
{
	(void)state;
	run_in_world(start_and_remove);
}

static void off_ends_walk(struct tree_world *w)
{
	struct client walker;

	make_context(w, 1);
	must_put(w, SCHEME "/apply_interval_us", "3000000000");
	must_put(w, STATE, "on");
	client_start(w, &walker, "update_schemes_tried_regions");
	sleep_ms(w, 10);
	must_put(w, STATE, "off");
	assert_int_equal(client_join(&walker), -ECANCELED);
	assert_true(walker.ended_ns < 1000000000);
}

static void test_off_ends_walk(void **state)
{
	(void)state;
	run_in_world(off_ends_walk);
}

static void interrupt_walk(struct tree_world *w)
{
	struct client walker;

	make_context(w, 1);
	must_put(w, SCHEME "/apply_interval_us", "3000000000");
	must_put(w, STATE, "on");
	client_start(w, &walker, "update_schemes_tried_regions");
	sleep_ms(w, 10);
	sysfs_interrupt_raise(w->tree, &walker.interrupt);
	assert_int_equal(client_join(&walker), -EINTR);
	assert_true(walker.ended_ns < 1000000000);
	assert_string_equal(get(w, STATE), "on");
}

static void test_interrupt_walk(void **state)
{
	(void)state;
	run_in_world(interrupt_walk);
}

/* A kdamond that doesn't come back: others are refused after 5 s, reading goes on. */
static void stuck_update(struct test_script *script, struct damon_ctx *ctx)
{
	(void)ctx;
	sleep_ms(script->data, 20000);
}

static void stuck(struct tree_world *w)
{
	struct client commit, off;
	uint64_t start_ns;

	w->script.data = w;
	make_context(w, 1);
	must_put(w, CONTEXT "/monitoring_attrs/intervals/update_us", "1000000");
	w->script.update = stuck_update;
	must_put(w, STATE, "on");
	sleep_ms(w, 1500); /* from second 1 to 21 it is stuck */
	client_start(w, &commit, "commit");
	sleep_ms(w, 100);
	start_ns = w->port.port.now_ns(&w->port.port);
	assert_string_equal(get(w, STATE), "on");
	assert_string_equal(get(w, SCHEME "/action"), "stat");
	must_put(w, SCHEME "/action", "cold");
	assert_int_equal(w->port.port.now_ns(&w->port.port), start_ns);
	client_start(w, &off, "off");
	assert_int_equal(client_join(&off), -EBUSY);
	assert_in_range((off.ended_ns - start_ns) / 1000000, 5000, 5001);
	sysfs_interrupt_raise(w->tree, &commit.interrupt);
	assert_int_equal(client_join(&commit), -EINTR);
	assert_string_equal(get(w, ERROR), "commit: interrupted");
	/* A stop that is given up goes on by itself. */
	client_start(w, &off, "off");
	sleep_ms(w, 100);
	sysfs_interrupt_raise(w->tree, &off.interrupt);
	assert_int_equal(client_join(&off), -EINTR);
	assert_string_equal(get(w, STATE), "on");
	sleep_ms(w, 15000);
	assert_string_equal(get(w, STATE), "off");
}

static void test_stuck(void **state)
{
	(void)state;
	run_in_world(stuck);
}

/* Files of our own. */

static void windows(struct tree_world *w)
{
	make_context(w, 0);
	assert_string_equal(get(w, OURS "/windows"), "");
	must_put(w, STATE, "on");
	sleep_ms(w, 250);
	assert_memory_equal(get(w, OURS "/windows"), "window\t2\tt_start_ns\t", 20);
	assert_non_null(strstr(get(w, OURS "/windows"), "\tsample_us\t5000\taggr_us\t100000\t"));
	assert_non_null(
		strstr(get(w, OURS "/windows"),
		       "\ntarget\tpid\tstart\tend\tnr_accesses\tnr_unknown\tage\n0\t42\t0\t"));
	assert_memory_equal(get(w, OURS "/overhead"), "windows\t2\n", 10);
}

static void test_windows(void **state)
{
	(void)state;
	run_in_world(windows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_and_off),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_number_while_running),
		cmocka_unit_test(test_staged_until_commit),
		cmocka_unit_test(test_refused_commit),
		cmocka_unit_test(test_goals_only),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_effective_quotas),
		cmocka_unit_test(test_tuned_intervals),
		cmocka_unit_test(test_tried_regions),
		cmocka_unit_test(test_pause_and_resume),
		cmocka_unit_test(test_ends_by_itself),
		cmocka_unit_test(test_failed_start),
		cmocka_unit_test(test_physical),
		cmocka_unit_test(test_large_patterns),
		cmocka_unit_test(test_two_walks),
		cmocka_unit_test(test_start_and_remove),
		cmocka_unit_test(test_off_ends_walk),
		cmocka_unit_test(test_interrupt_walk),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
