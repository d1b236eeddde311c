// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The live port: threads, locks, conditions with deadlines, clocks, memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <udamon/port.h>

struct world {
	struct damon_port *port;
	struct damon_mutex *mutex;
	struct damon_cond *cond;
	uint64_t self;
	long sum;
	bool flag;
	int result;
};

static int setup(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.port = damon_port_posix_new();
	if (!world.port || world.port->mutex_new(world.port, &world.mutex) ||
	    world.port->cond_new(world.port, &world.cond))
		return -1;
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	world->port->cond_free(world->port, world->cond);
	world->port->mutex_free(world->port, world->mutex);
	damon_port_posix_free(world->port);
	return 0;
}

static void adds(void *arg)
{
	struct world *world = arg;
	int i;

	for (i = 0; i < 10000; i++) {
		world->port->mutex_lock(world->port, world->mutex);
		world->sum++;
		world->port->mutex_unlock(world->port, world->mutex);
	}
}

static void a_mutex_keeps_others_out(void **state)
{
	struct world *world = *state;
	struct damon_thread *thread[2];
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(world->port->thread_start(world->port, &thread[i],
							   "a name of more than 15", adds, world),
				 0);
	for (i = 0; i < 2; i++)
		world->port->thread_join(world->port, thread[i]);
	assert_int_equal(world->sum, 20000);
}

static void waits_for_flag(void *arg)
{
	struct world *world = arg;

	world->port->mutex_lock(world->port, world->mutex);
	world->self = world->port->thread_self(world->port);
	while (!world->flag)
		world->result |= world->port->cond_wait(world->port, world->cond, world->mutex,
							DAMON_NO_DEADLINE);
	world->port->mutex_unlock(world->port, world->mutex);
}

static void a_condition_wakes(void **state)
{
	struct world *world = *state;
	struct damon_thread *thread;

	assert_int_equal(
		world->port->thread_start(world->port, &thread, "waits", waits_for_flag, world), 0);
	world->port->mutex_lock(world->port, world->mutex);
	world->flag = true;
	world->port->cond_wake_all(world->port, world->cond);
	world->port->mutex_unlock(world->port, world->mutex);
	world->port->thread_join(world->port, thread);
	assert_int_equal(world->result, 0);
	assert_int_not_equal(world->self, 0);
	assert_int_not_equal(world->self, world->port->thread_self(world->port));
}

static void a_deadline_passes(void **state)
{
	struct world *world = *state;
	uint64_t deadline_ns = world->port->now_ns(world->port) + 1000000;
	int err;

	world->port->mutex_lock(world->port, world->mutex);
	do
		err = world->port->cond_wait(world->port, world->cond, world->mutex, deadline_ns);
	while (!err);
	world->port->mutex_unlock(world->port, world->mutex);
	assert_int_equal(err, -ETIMEDOUT);
	assert_true(world->port->now_ns(world->port) >= deadline_ns);
}

static void identity_clocks_and_seed(void **state)
{
	struct world *world = *state;
	struct damon_port *port = world->port;
	uint64_t before = port->now_ns(port);

	assert_int_equal(port->thread_self(port), (uint64_t)gettid());
	assert_true(port->now_ns(port) >= before);
	assert_true(port->thread_cpu_ns(port) > 0);
	assert_int_not_equal(port->seed(port), 0);
	assert_int_not_equal(port->seed(port), port->seed(port));
}

static void memory_is_zeroed(void **state)
{
	struct world *world = *state;
	unsigned char *bytes = world->port->alloc(world->port, 4096);
	int i;

	assert_non_null(bytes);
	for (i = 0; i < 4096; i++)
		assert_int_equal(bytes[i], 0);
	world->port->free(world->port, bytes);
	world->port->free(world->port, NULL);
	assert_null(world->port->alloc(world->port, SIZE_MAX / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mutex_keeps_others_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_condition_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deadline_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(identity_clocks_and_seed, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_zeroed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
