// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The port, the operations set and the context that tests of the core stand on. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "test_port.h"

/* The port. */

static struct test_port *to_test(struct damon_port *port)
{
	return (struct test_port *)port;
}

static bool refused(struct damon_port *port)
{
	struct test_port *test = to_test(port);

	test->nr_asked++;
	if (!test->fail_at)
		return false;
	return test->nr_asked == test->fail_at || (test->fail_on && test->nr_asked > test->fail_at);
}

static void *port_alloc(struct damon_port *port, size_t size)
{
	struct damon_port *below = to_test(port)->below;

	return refused(port) ? NULL : below->alloc(below, size);
}

static void port_free(struct damon_port *port, void *ptr)
{
	struct damon_port *below = to_test(port)->below;

	below->free(below, ptr);
}

static uint64_t port_now_ns(struct damon_port *port)
{
	struct damon_port *below = to_test(port)->below;

	return below->now_ns(below) + to_test(port)->ahead_ns;
}

static uint64_t port_seed(struct damon_port *port)
{
	struct damon_port *below = to_test(port)->below;

	return below->seed(below);
}

static uint64_t port_thread_cpu_ns(struct damon_port *port)
{
	return port_now_ns(port) / 10; /* a tenth of the time, so that it shows */
}

static uint64_t port_thread_self(struct damon_port *port)
{
	struct damon_port *below = to_test(port)->below;

	return below->thread_self(below);
}

static int port_thread_start(struct damon_port *port, struct damon_thread **thread,
			     const char *name, void (*fn)(void *arg), void *arg)
{
	struct damon_port *below = to_test(port)->below;

	return refused(port) ? -ENOMEM : below->thread_start(below, thread, name, fn, arg);
}

static void port_thread_join(struct damon_port *port, struct damon_thread *thread)
{
	struct damon_port *below = to_test(port)->below;

	below->thread_join(below, thread);
}

static int port_mutex_new(struct damon_port *port, struct damon_mutex **mutex)
{
	struct damon_port *below = to_test(port)->below;

	return refused(port) ? -ENOMEM : below->mutex_new(below, mutex);
}

static void port_mutex_free(struct damon_port *port, struct damon_mutex *mutex)
{
	struct damon_port *below = to_test(port)->below;

	below->mutex_free(below, mutex);
}

static void port_mutex_lock(struct damon_port *port, struct damon_mutex *mutex)
{
	struct damon_port *below = to_test(port)->below;

	below->mutex_lock(below, mutex);
}

static void port_mutex_unlock(struct damon_port *port, struct damon_mutex *mutex)
{
	struct damon_port *below = to_test(port)->below;

	below->mutex_unlock(below, mutex);
}

static int port_cond_new(struct damon_port *port, struct damon_cond **cond)
{
	struct damon_port *below = to_test(port)->below;

	return refused(port) ? -ENOMEM : below->cond_new(below, cond);
}

static void port_cond_free(struct damon_port *port, struct damon_cond *cond)
{
	struct damon_port *below = to_test(port)->below;

	below->cond_free(below, cond);
}

static int port_cond_wait(struct damon_port *port, struct damon_cond *cond,
			  struct damon_mutex *mutex, uint64_t deadline_ns)
{
	struct damon_port *below = to_test(port)->below;

	if (deadline_ns != DAMON_NO_DEADLINE)
		deadline_ns -= to_test(port)->ahead_ns;
	return below->cond_wait(below, cond, mutex, deadline_ns);
}

static void port_cond_wake_all(struct damon_port *port, struct damon_cond *cond)
{
	struct damon_port *below = to_test(port)->below;

	below->cond_wake_all(below, cond);
}

void test_port_init(struct test_port *port)
{
	*port = (struct test_port){
		.port =
			{
				.alloc = port_alloc,
				.free = port_free,
				.now_ns = port_now_ns,
				.seed = port_seed,
				.thread_cpu_ns = port_thread_cpu_ns,
				.thread_self = port_thread_self,
				.thread_start = port_thread_start,
				.thread_join = port_thread_join,
				.mutex_new = port_mutex_new,
				.mutex_free = port_mutex_free,
				.mutex_lock = port_mutex_lock,
				.mutex_unlock = port_mutex_unlock,
				.cond_new = port_cond_new,
				.cond_free = port_cond_free,
				.cond_wait = port_cond_wait,
				.cond_wake_all = port_cond_wake_all,
			},
		.below = damon_port_coop_new(7, NULL),
	};
	assert_non_null(port->below);
}

size_t test_port_nr_held(const struct test_port *port)
{
	return damon_port_coop_nr_allocated(port->below);
}

void test_port_free(struct test_port *port)
{
	assert_int_equal(test_port_nr_held(port), 0);
	damon_port_coop_free(port->below);
}

void test_port_fail_at(struct test_port *port, uint64_t nr)
{
	port->fail_at = nr ? port->nr_asked + nr : 0;
}

/* The operations set. */

static int ops_init(struct damon_ctx *ctx)
{
	struct test_script *script = ctx->ops_env;

	script->nr_init++;
	if (script->init_error)
		return script->init_error;
	ctx->access_unit = script->access_unit ? script->access_unit : 1;
	return 0;
}

static int ops_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct test_script *script = ctx->ops_env;
	int err = 0;

	script->nr_init_target++;
	if (script->init_target_error && (!script->init_target_fails_at ||
					  script->nr_init_target == script->init_target_fails_at))
		return script->init_target_error;
	if (!damon_nr_regions(target))
		err = damon_set_regions(target, script->ranges, script->nr_ranges,
					ctx->attrs.min_region_sz);
	if (!err)
		script->nr_ready++;
	return err;
}

static void ops_update(struct damon_ctx *ctx)
{
	struct test_script *script = ctx->ops_env;

	script->nr_update++;
	if (script->update)
		script->update(script, ctx);
}

static int ops_prepare(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch)
{
	struct test_script *script = ctx->ops_env;

	script->nr_prepare++;
	script->prepared_addr = batch->sampling_addrs[0];
	return script->prepare_error;
}

static int ops_check(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_batch *batch)
{
	struct test_script *script = ctx->ops_env;
	size_t i;

	script->nr_check++;
	if (ctx->nr_targets == 1 && script->prepared_addr != batch->sampling_addrs[0])
		script->unprepared_check = true;
	script->last_addr = batch->sampling_addrs[0];
	for (i = 0; i < batch->nr; i++)
		batch->access[i] = script->access ? script->access(script, batch->sampling_addrs[i])
						  : 0;
	return script->check_error;
}

static int ops_check_probe(struct damon_ctx *ctx, struct damon_target *target,
			   const struct damon_probe *probe, const struct damon_batch *batch,
			   uint8_t *hit)
{
	struct test_script *script = ctx->ops_env;
	size_t i;

	script->nr_probe++;
	for (i = 0; i < batch->nr; i++)
		hit[i] = script->hit && script->hit(script, probe, batch->sampling_addrs[i]);
	return script->probe_error;
}

static int ops_apply(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_addr_range *ar, const struct damos *scheme,
		     uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	struct test_script *script = ctx->ops_env;
	int64_t applied = (int64_t)(ar->end - ar->start);

	*sz_filter_passed = ar->end - ar->start;
	if (script->apply)
		applied = script->apply(script, ar, scheme, sz_filter_passed);
	if (applied < 0)
		return (int)applied;
	*sz_applied = (uint64_t)applied;
	return 0;
}

static bool ops_target_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	struct test_script *script = ctx->ops_env;

	script->nr_valid++;
	return !script->gone;
}

static void ops_cleanup_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct test_script *script = ctx->ops_env;

	script->nr_cleanup_target++;
}

static void ops_cleanup(struct damon_ctx *ctx)
{
	struct test_script *script = ctx->ops_env;

	script->nr_cleanup++;
}

static void ops_cost(struct damon_ctx *ctx, struct damon_cost *cost)
{
	struct test_script *script = ctx->ops_env;

	cost->clears = script->nr_check;
}

const struct damon_operations test_ops = {
	.id = DAMON_OPS_SIM,
	.name = "scripted",
	.init = ops_init,
	.init_target = ops_init_target,
	.update = ops_update,
	.prepare_access_checks = ops_prepare,
	.check_accesses = ops_check,
	.check_probe = ops_check_probe,
	.actions = ~(1U << DAMOS_NOHUGEPAGE),
	.filters = ~(1U << DAMOS_FILTER_UNMAPPED),
	.apply_scheme = ops_apply,
	.target_valid = ops_target_valid,
	.cleanup_target = ops_cleanup_target,
	.cleanup = ops_cleanup,
	.cost = ops_cost,
};

const struct damon_operations test_ops_no_probe = {
	.id = DAMON_OPS_PADDR,
	.name = "scripted without probes",
	.init = ops_init,
	.init_target = ops_init_target,
	.prepare_access_checks = ops_prepare,
	.check_accesses = ops_check,
	.target_valid = ops_target_valid,
};

/* The context. */

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct test_world *world = data;

	world->nr_windows++;
	world->window = *window;
	return 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct test_world *world = data;

	world->nr_events++;
	world->event = event->what;
}

void test_world_init(struct test_world *world)
{
	memset(world, 0, sizeof(*world));
	test_port_init(&world->port);
	assert_int_equal(damon_lib_new(&world->lib, &world->port.port), 0);
	assert_int_equal(damon_register_ops(world->lib, &test_ops, &world->script), 0);
	assert_int_equal(damon_register_ops(world->lib, &test_ops_no_probe, &world->script), 0);
	assert_int_equal(damon_new_ctx(&world->ctx, world->lib), 0);
	assert_int_equal(damon_select_ops(world->ctx, DAMON_OPS_SIM), 0);
	world->ctx->seed = 1;
	world->ctx->callbacks.window = on_window;
	world->ctx->callbacks.event = on_event;
	world->ctx->callbacks.data = world;
	world->target = test_world_add_target(world);
}

struct damon_target *test_world_add_target(struct test_world *world)
{
	struct damon_target *target;

	assert_int_equal(damon_new_target(&target, world->lib), 0);
	assert_int_equal(damon_add_target(world->ctx, target), 0);
	return target;
}

void test_world_free(struct test_world *world)
{
	damon_destroy_ctx(world->ctx);
	damon_lib_free(world->lib);
	test_port_free(&world->port);
}

void test_world_start(struct test_world *world, const struct damon_addr_range *ranges, size_t nr)
{
	world->script.ranges = ranges;
	world->script.nr_ranges = nr;
	assert_int_equal(damon_monitor_start(world->ctx), 0);
}

void test_world_sample(struct test_world *world, unsigned int nr)
{
	struct damon_ctx *ctx = world->ctx;
	unsigned int i;
	bool window;

	for (i = 0; i < nr; i++) {
		assert_int_equal(damon_monitor_prepare(ctx), 0);
		world->port.ahead_ns += ctx->internal->interval_us * 1000;
		assert_false(damon_monitor_samples_dropped(ctx));
		assert_int_equal(damon_monitor_check(ctx), 0);
		window = damon_monitor_window_due(ctx);
		if (window)
			damon_monitor_merge(ctx);
		damon_schemes_apply(ctx);
		if (window)
			assert_int_equal(damon_monitor_window_end(ctx), 0);
		damon_monitor_update(ctx);
	}
}

void test_world_window(struct test_world *world)
{
	test_world_sample(world, (unsigned int)damon_nr_samples_per_aggr(&world->ctx->attrs));
}

void test_world_run(struct test_world *world, void (*main)(void *world))
{
	assert_int_equal(damon_port_coop_run(world->port.below, main, world), 0);
}

void test_sleep_us(struct damon_port *port, uint64_t us)
{
	uint64_t deadline_ns = port->now_ns(port) + us * 1000;
	struct damon_mutex *mutex;
	struct damon_cond *cond;

	assert_int_equal(port->mutex_new(port, &mutex), 0);
	assert_int_equal(port->cond_new(port, &cond), 0);
	port->mutex_lock(port, mutex);
	while (!port->cond_wait(port, cond, mutex, deadline_ns))
		;
	port->mutex_unlock(port, mutex);
	port->cond_free(port, cond);
	port->mutex_free(port, mutex);
}

void test_kdamond_init(struct test_world *world, const struct damon_addr_range *range)
{
	test_world_init(world);
	world->script.ranges = range;
	world->script.nr_ranges = 1;
	world->ctx->attrs.sample_interval = TEST_SAMPLE_US;
	world->ctx->attrs.aggr_interval = 4 * TEST_SAMPLE_US;
}

void test_kdamond(const struct damon_addr_range *range, void (*main)(void *world))
{
	struct test_world world;

	test_kdamond_init(&world, range);
	test_world_run(&world, main);
	test_world_free(&world);
}

/* Regions. */

void test_put_regions(struct damon_target *target, const struct damon_region *regions, size_t nr)
{
	struct damon_region_table *table = target->regions;
	struct damon_region_value value;
	size_t i;

	assert_int_equal(damon_region_table_reserve(target->lib->port, table, nr), 0);
	for (i = 0; i < nr; i++) {
		memset(&value, 0, sizeof(value));
		value.r = regions[i];
		damon_columns_append(&table->spare, &value);
	}
	damon_region_table_swap(table);
}

void test_expect_ranges(const struct damon_target *target, const struct damon_addr_range *ranges,
			size_t nr)
{
	size_t i;

	assert_int_equal(damon_nr_regions(target), nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(test_region(target, i).ar.start, ranges[i].start);
		assert_int_equal(test_region(target, i).ar.end, ranges[i].end);
	}
}

struct damon_region test_region(const struct damon_target *target, size_t idx)
{
	struct damon_region_value value;

	assert_in_range(idx, 0, target->regions->now.nr - 1);
	damon_columns_load(&target->regions->now, idx, &value);
	return value.r;
}
