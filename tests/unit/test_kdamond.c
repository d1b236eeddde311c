// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The kdamond in virtual time: order of an iteration, groups, ends, restart, pause. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/request.h"
#include "test_port.h"

#define USEC	  1000ULL
#define MINUTE_US 60000000ULL
/* Of a struct damon_region, without the padding at its end. */
#define REGION_BYTES (offsetof(struct damon_region, probe_hits) + DAMON_MAX_PROBES)

static const struct damon_addr_range ranges[] = {TEST_RANGE(0, 1000)};

static void test(void (*main)(void *world))
{
	test_kdamond(ranges, main);
}

static struct damon_ctx *another_ctx(struct test_world *world, enum damon_ops_id ops)
{
	struct damon_target *target;
	struct damon_ctx *ctx;

	assert_int_equal(damon_new_ctx(&ctx, world->lib), 0);
	assert_int_equal(damon_select_ops(ctx, ops), 0);
	assert_int_equal(damon_new_target(&target, world->lib), 0);
	assert_int_equal(damon_add_target(ctx, target), 0);
	return ctx;
}

static struct damos *add_scheme(struct damon_ctx *ctx)
{
	struct damos *scheme;

	assert_int_equal(damon_new_scheme(&scheme, ctx->lib), 0);
	assert_int_equal(damon_add_scheme(ctx, scheme), 0);
	return scheme;
}

/* Order. */

static char order[64];

static void note(const char *what)
{
	strncat(order, what, sizeof(order) - strlen(order) - 1);
}

static uint32_t note_check(struct test_script *script, uint64_t addr)
{
	if (order[0] && order[strlen(order) - 1] != 'c')
		note("c");
	else if (!order[0])
		note("c");
	return 0;
}

static void note_update(struct test_script *script, struct damon_ctx *ctx)
{
	note("u");
}

static int note_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	note("w");
	return 0;
}

static int note_repeat(struct damon_ctx *ctx, void *data)
{
	note("r");
	return 0;
}

static void note_walk(struct damon_ctx *ctx, struct damon_target *target,
		      const struct damon_region *region, struct damos *scheme,
		      uint64_t sz_filter_passed, void *data)
{
	if (order[strlen(order) - 1] != 's')
		note("s");
}

static void main_order(void *arg)
{
	struct test_world *world = arg;
	struct damon_call_control call = {.fn = note_repeat, .repeat = true};
	struct damos_walk_control walk = {.walk_fn = note_walk};

	order[0] = '\0';
	add_scheme(world->ctx);
	world->ctx->attrs.aggr_interval = 2 * TEST_SAMPLE_US;
	world->ctx->attrs.ops_update_interval = 2 * TEST_SAMPLE_US;
	world->ctx->callbacks.window = note_window;
	world->script.access = note_check;
	world->script.update = note_update;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_call(world->ctx, &call), 0);
	assert_int_equal(damos_walk(world->ctx, &walk), 0);
	test_sleep_us(&world->port.port, TEST_SAMPLE_US / 2);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	/* Check, requests; and where a window ends: schemes, publish, update. */
	assert_string_equal(order, "crcrswu");
}

static void an_iteration_keeps_its_order(void **state)
{
	test(main_order);
}

/* Groups. */

static void main_exclusive(void *arg)
{
	struct test_world *world = arg;
	struct damon_ctx *second = another_ctx(world, DAMON_OPS_PADDR);
	struct damon_ctx *both[] = {world->ctx, second}, *twice[] = {second, second};

	assert_int_equal(damon_start(both, 2, true), 0);
	assert_true(damon_is_running(world->ctx));
	assert_true(damon_is_running(second));
	assert_int_equal(damon_stop(&second, 1), 0);
	/* One of the exclusive group still runs. */
	assert_int_equal(damon_start(&second, 1, false), -EBUSY);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(damon_start(&second, 1, false), 0);
	assert_int_equal(damon_start(&world->ctx, 1, true), -EBUSY);
	assert_int_equal(damon_start(both, 2, false), -EBUSY);
	assert_false(damon_is_running(world->ctx));
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_stop(both, 2), 0);
	assert_int_equal(damon_start(twice, 2, false), -EBUSY);
	assert_false(damon_is_running(second));
	assert_int_equal(damon_start(both, 2, true), 0);
	assert_int_equal(damon_stop(both, 2), 0);
	damon_destroy_ctx(second);
}

static void an_exclusive_group_runs_alone(void **state)
{
	test(main_exclusive);
}

static int count_started(struct damon_ctx *ctx, void *data)
{
	((struct test_world *)data)->nr_events += 100;
	return 0;
}

static void main_all_or_none(void *arg)
{
	struct test_world *world = arg;
	struct damon_ctx *second = another_ctx(world, DAMON_OPS_SIM);
	struct damon_ctx *both[] = {world->ctx, second};

	world->ctx->callbacks.started = count_started;
	world->script.init_target_error = -ESRCH;
	world->script.init_target_fails_at = 2;
	assert_int_equal(damon_start(both, 2, true), -ESRCH);
	assert_false(damon_is_running(world->ctx));
	assert_false(damon_is_running(second));
	assert_int_equal(world->nr_events, 0);
	assert_int_equal(world->script.nr_init, world->script.nr_cleanup);
	/* Nothing of it is left, exclusiveness included. */
	world->script.init_target_error = 0;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(world->nr_events, 100);
	second->ops = NULL;
	assert_int_equal(damon_start(&second, 1, false), -EINVAL);
	damon_destroy_ctx(second);
}

static void a_group_starts_as_a_whole_or_not_at_all(void **state)
{
	test(main_all_or_none);
}

/* Ends. */

static void note_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct test_world *world = data;

	world->nr_windows += 100;
	world->window.nr_samples = (uint32_t)-result;
}

static void main_dies(void *arg)
{
	struct test_world *world = arg;
	int result = 1;

	world->ctx->callbacks.stopped = note_stopped;
	world->script.check_error = -EIO;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_wait(world->ctx, TEST_SAMPLE_US / 2, &result), -ETIMEDOUT);
	assert_int_equal(damon_wait(world->ctx, UINT64_MAX, &result), 0);
	assert_int_equal(result, -EIO);
	assert_int_equal(world->nr_windows, 100);
	assert_int_equal(world->window.nr_samples, EIO);
	assert_int_equal(world->script.nr_cleanup, 1);
	assert_false(damon_is_running(world->ctx));
	assert_int_equal(damon_kdamond_pid(world->ctx), -1);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static void an_error_ends_it_and_is_told(void **state)
{
	test(main_dies);
}

static int refuse(struct damon_ctx *ctx, void *data)
{
	return -EPERM;
}

static int refuse_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	return -ENOSPC;
}

static void main_callbacks_end(void *arg)
{
	struct test_world *world = arg;
	int result;

	world->ctx->callbacks.started = refuse;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_wait(world->ctx, UINT64_MAX, &result), 0);
	assert_int_equal(result, -EPERM);
	assert_int_equal(world->script.nr_check, 0);
	world->ctx->callbacks.started = NULL;
	world->ctx->callbacks.window = refuse_window;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_wait(world->ctx, UINT64_MAX, &result), 0);
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(world->script.nr_check, 4);
	world->script.gone = true;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_wait(world->ctx, UINT64_MAX, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(world->script.nr_check, 4);
}

static void callbacks_and_lost_targets_end_it(void **state)
{
	test(main_callbacks_end);
}

static void main_prompt_stop(void *arg)
{
	struct test_world *world = arg;
	struct damon_port *port = &world->port.port;
	uint64_t since_ns;

	world->ctx->attrs.sample_interval = 10000000;
	world->ctx->attrs.aggr_interval = 10000000;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	test_sleep_us(&world->port.port, 100);
	since_ns = port->now_ns(port);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(port->now_ns(port), since_ns);
	/* Paused before it is started: it never begins a sampling interval. */
	world->ctx->pause = true;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	test_sleep_us(&world->port.port, 100);
	since_ns = port->now_ns(port);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(port->now_ns(port), since_ns);
	assert_int_equal(world->script.nr_prepare, 1);
}

static void a_stop_doesnt_wait_for_the_interval(void **state)
{
	test(main_prompt_stop);
}

/* Restart. */

static uint32_t low_half(struct test_script *script, uint64_t addr)
{
	return addr < 500 * TEST_PAGE;
}

static void main_restart(void *arg)
{
	struct test_world *world = arg;
	struct damon_region before[1000], after;
	size_t nr, i;
	uint32_t oldest = 0;

	world->script.access = low_half;
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	test_sleep_us(&world->port.port, 100 * 4 * TEST_SAMPLE_US + 2);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	nr = damon_nr_regions(world->target);
	assert_in_range(nr, 2, 1000);
	for (i = 0; i < nr; i++) {
		damon_get_region(world->ctx, world->target, i, &before[i]);
		oldest = before[i].age > oldest ? before[i].age : oldest;
	}
	assert_true(oldest > 10);
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
	assert_int_equal(damon_nr_regions(world->target), nr);
	for (i = 0; i < nr; i++) {
		damon_get_region(world->ctx, world->target, i, &after);
		assert_memory_equal(&after.ar, &before[i].ar, sizeof(after.ar));
		assert_int_equal(after.age, before[i].age);
	}
	assert_int_equal(damon_forget(world->ctx), 0);
	assert_int_equal(damon_nr_regions(world->target), 1);
	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	assert_int_equal(damon_forget(world->ctx), -EBUSY);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static void a_restart_keeps_what_was_learned_unless_told_otherwise(void **state)
{
	test(main_restart);
}

/* Pause. */

/* All windows of a run, and all that is kept of a context at one moment. */
struct record {
	unsigned char *bytes;
	size_t nr, room;
};

struct moment {
	struct damon_ctx_internal internal;
	struct damon_attrs attrs;
	struct damos_stat stat;
	uint64_t next_apply_sis, last_pass;
	struct damon_region regions[1000];
	size_t nr_regions;
};

static struct {
	struct record record;
	struct moment paused, resumed;
	struct damos *scheme;
	uint64_t skip_ns;
} pausing;

static void record_bytes(struct record *record, const void *bytes, size_t nr)
{
	if (record->nr + nr > record->room) {
		record->room = 2 * record->room + nr;
		record->bytes = realloc(record->bytes, record->room);
		assert_non_null(record->bytes);
	}
	memcpy(record->bytes + record->nr, bytes, nr);
	record->nr += nr;
}

static int record_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct damon_region region;
	uint64_t times[2] = {window->t_start_ns, window->t_end_ns};
	size_t i;

	if (times[1] > pausing.skip_ns)
		times[1] -= pausing.skip_ns;
	if (times[0] > pausing.skip_ns)
		times[0] -= pausing.skip_ns;
	record_bytes(&pausing.record, times, sizeof(times));
	record_bytes(&pausing.record, &window->sample_us, sizeof(window->sample_us));
	record_bytes(&pausing.record, &window->nr_samples, sizeof(window->nr_samples));
	for (i = 0; i < damon_nr_regions(ctx->targets[0]); i++) {
		memset(&region, 0, sizeof(region));
		damon_get_region(ctx, ctx->targets[0], i, &region);
		record_bytes(&pausing.record, &region, REGION_BYTES);
	}
	record_bytes(&pausing.record, &ctx->schemes[0]->stat, sizeof(ctx->schemes[0]->stat));
	return 0;
}

/* The simulated program moves with each check, so it stands still while nobody checks. */
static uint32_t moving_part(struct test_script *script, uint64_t addr)
{
	uint64_t page = addr / TEST_PAGE, from = script->nr_check / 8 % 900;

	return page >= from && page < from + 100;
}

static void take_moment(struct damon_ctx *ctx, struct moment *moment)
{
	memset(moment, 0, sizeof(*moment));
	memcpy(&moment->internal, ctx->internal, sizeof(moment->internal));
	moment->attrs = ctx->attrs;
	moment->stat = ctx->schemes[0]->stat;
	moment->next_apply_sis = ctx->schemes[0]->next_apply_sis;
	moment->last_pass = ctx->schemes[0]->last_pass;
	moment->nr_regions = damon_nr_regions(ctx->targets[0]);
	for (size_t i = 0; i < moment->nr_regions; i++)
		damon_get_region(ctx, ctx->targets[0], i, &moment->regions[i]);
}

static void on_pause(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	if (!strcmp(event->what, "pause"))
		take_moment(ctx, &pausing.paused);
	if (!strcmp(event->what, "resume"))
		take_moment(ctx, &pausing.resumed);
}

static void set_up_pausing(struct test_world *world)
{
	struct damon_attrs *attrs = &world->ctx->attrs;

	memset(&pausing, 0, sizeof(pausing));
	attrs->aggr_interval = 20 * TEST_SAMPLE_US;
	attrs->max_nr_regions = 100;
	attrs->intervals_goal = (struct damon_intervals_goal){
		.access_bp = 400, .aggrs = 3, .min_sample_us = 1000, .max_sample_us = 100000};
	pausing.scheme = add_scheme(world->ctx);
	pausing.scheme->apply_interval_us = 7 * TEST_SAMPLE_US;
	pausing.scheme->pattern.min_nr_accesses = 1;
	world->script.access = moving_part;
	world->ctx->callbacks.window = record_window;
	world->ctx->callbacks.event = on_pause;
}

#define BEFORE_US 2034567 /* in the middle of a window, and of a sampling interval */
#define AFTER_US  3000000

static void main_without_pause(void *arg)
{
	struct test_world *world = arg;

	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	test_sleep_us(&world->port.port, BEFORE_US + AFTER_US);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static void main_with_pause(void *arg)
{
	struct test_world *world = arg;
	struct damon_port *port = &world->port.port;
	uint64_t paused_ns;

	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	test_sleep_us(&world->port.port, BEFORE_US);
	assert_int_equal(damon_pause(world->ctx), 0);
	paused_ns = port->now_ns(port);
	test_sleep_us(&world->port.port, MINUTE_US);
	pausing.skip_ns = port->now_ns(port) - paused_ns;
	assert_int_equal(damon_resume(world->ctx), 0);
	assert_int_equal(pausing.skip_ns, MINUTE_US * USEC);
	test_sleep_us(&world->port.port,
		      BEFORE_US + AFTER_US + MINUTE_US - port->now_ns(port) / USEC);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static struct record run_pausing(void (*main)(void *world))
{
	struct test_world world;

	test_kdamond_init(&world, ranges);
	set_up_pausing(&world);
	test_world_run(&world, main);
	test_world_free(&world);
	return pausing.record;
}

static void a_pause_keeps_everything(void **state)
{
	struct record with = run_pausing(main_with_pause), without;
	struct moment *paused = &pausing.paused, *resumed = &pausing.resumed;
	size_t i;

	/* A window has begun, regions have counts and ages, intervals were tuned. */
	assert_in_range(paused->internal.window_samples, 1, UINT32_MAX);
	assert_int_not_equal(paused->attrs.sample_interval, TEST_SAMPLE_US);
	assert_true(paused->stat.nr_applied > 0);
	assert_int_equal(resumed->internal.window_start_ns - paused->internal.window_start_ns,
			 MINUTE_US * USEC);
	resumed->internal.window_start_ns = paused->internal.window_start_ns;
	assert_memory_equal(&resumed->internal, &paused->internal, sizeof(paused->internal));
	assert_memory_equal(&resumed->attrs, &paused->attrs, sizeof(paused->attrs));
	assert_memory_equal(&resumed->stat, &paused->stat, sizeof(paused->stat));
	assert_int_equal(resumed->next_apply_sis, paused->next_apply_sis);
	assert_int_equal(resumed->last_pass, paused->last_pass);
	assert_int_equal(resumed->nr_regions, paused->nr_regions);
	for (i = 0; i < paused->nr_regions; i++)
		assert_memory_equal(&resumed->regions[i], &paused->regions[i], REGION_BYTES);
	/* And what comes after is what would have come without. */
	without = run_pausing(main_without_pause);
	assert_true(without.nr > 10000);
	assert_int_equal(with.nr, without.nr);
	assert_memory_equal(with.bytes, without.bytes, with.nr);
	free(with.bytes);
	free(without.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_iteration_keeps_its_order),
		cmocka_unit_test(an_exclusive_group_runs_alone),
		cmocka_unit_test(a_group_starts_as_a_whole_or_not_at_all),
		cmocka_unit_test(an_error_ends_it_and_is_told),
		cmocka_unit_test(callbacks_and_lost_targets_end_it),
		cmocka_unit_test(a_stop_doesnt_wait_for_the_interval),
		cmocka_unit_test(a_restart_keeps_what_was_learned_unless_told_otherwise),
		cmocka_unit_test(a_pause_keeps_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
