// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The cooperative port: order, virtual time, deadlocks, dropped runs, choosers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <udamon/port.h>

#define MSEC 1000000ULL

/* What the threads of a test share. */
struct world {
	struct damon_port *port;
	struct damon_mutex *mutex;
	struct damon_cond *cond;
	struct damon_thread *thread[3];
	char log[256];
	int nr_waiting;
	bool flag;
	uint64_t woken_ns;
	int result;
};

static void note(struct world *world, const char *text)
{
	strncat(world->log, text, sizeof(world->log) - strlen(world->log) - 1);
}

static void world_init(struct world *world, const struct damon_coop_chooser *chooser)
{
	memset(world, 0, sizeof(*world));
	world->port = damon_port_coop_new(7, chooser);
	assert_non_null(world->port);
	assert_int_equal(world->port->mutex_new(world->port, &world->mutex), 0);
	assert_int_equal(world->port->cond_new(world->port, &world->cond), 0);
}

static int run(struct world *world, void (*main)(void *))
{
	return damon_port_coop_run(world->port, main, world);
}

static void start(struct world *world, int idx, void (*fn)(void *))
{
	if (world->port->thread_start(world->port, &world->thread[idx], "thread", fn, world))
		world->result = -1;
}

static void sleep_until(struct world *world, uint64_t deadline_ns)
{
	struct damon_port *port = world->port;

	port->mutex_lock(port, world->mutex);
	while (port->now_ns(port) < deadline_ns)
		port->cond_wait(port, world->cond, world->mutex, deadline_ns);
	port->mutex_unlock(port, world->mutex);
}

static void sleeper_5ms(void *arg)
{
	sleep_until(arg, 5 * MSEC);
	note(arg, "5 ");
}

static void sleeper_3ms(void *arg)
{
	sleep_until(arg, 3 * MSEC);
	note(arg, "3 ");
	sleep_until(arg, 7 * MSEC);
	note(arg, "7 ");
}

static void main_sleepers(void *arg)
{
	struct world *world = arg;
	struct damon_port *port = world->port;

	start(world, 0, sleeper_5ms);
	start(world, 1, sleeper_3ms);
	note(world, "started ");
	port->thread_join(port, world->thread[0]);
	port->thread_join(port, world->thread[1]);
	note(world, "joined");
	world->woken_ns = port->now_ns(port);
}

static void sleepers_wake_in_order_of_their_deadlines(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_sleepers), 0);
	assert_string_equal(world.log, "started 3 5 7 joined");
	assert_int_equal(world.woken_ns, 7 * MSEC);
	damon_port_coop_free(world.port);
}

static void waiter(void *arg)
{
	struct world *world = arg;
	struct damon_port *port = world->port;

	port->mutex_lock(port, world->mutex);
	world->nr_waiting++;
	while (!world->flag)
		world->result |= port->cond_wait(port, world->cond, world->mutex, 100 * MSEC);
	port->mutex_unlock(port, world->mutex);
	note(world, "woken ");
}

static void main_wakes(void *arg)
{
	struct world *world = arg;
	struct damon_port *port = world->port;

	start(world, 0, waiter);
	start(world, 1, waiter);
	sleep_until(world, 2 * MSEC);
	port->mutex_lock(port, world->mutex);
	world->flag = true;
	port->cond_wake_all(port, world->cond);
	port->mutex_unlock(port, world->mutex);
	port->thread_join(port, world->thread[0]);
	port->thread_join(port, world->thread[1]);
	world->woken_ns = port->now_ns(port);
}

static void a_wake_up_reaches_all_before_their_deadline(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_wakes), 0);
	assert_int_equal(world.nr_waiting, 2);
	assert_string_equal(world.log, "woken woken ");
	assert_int_equal(world.result, 0);
	assert_int_equal(world.woken_ns, 2 * MSEC);
	damon_port_coop_free(world.port);
}

static void main_times_out(void *arg)
{
	struct world *world = arg;
	struct damon_port *port = world->port;

	port->mutex_lock(port, world->mutex);
	world->result = port->cond_wait(port, world->cond, world->mutex, 9 * MSEC);
	port->mutex_unlock(port, world->mutex);
	world->woken_ns = port->now_ns(port);
}

static void a_deadline_passes(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_times_out), 0);
	assert_int_equal(world.result, -ETIMEDOUT);
	assert_int_equal(world.woken_ns, 9 * MSEC);
	damon_port_coop_free(world.port);
}

static void waits_for_ever(void *arg)
{
	struct world *world = arg;
	struct damon_port *port = world->port;

	port->alloc(port, 100);
	port->mutex_lock(port, world->mutex);
	port->cond_wait(port, world->cond, world->mutex, DAMON_NO_DEADLINE);
	note(world, "went on");
}

static void main_deadlock(void *arg)
{
	struct world *world = arg;

	start(world, 0, waits_for_ever);
	world->port->thread_join(world->port, world->thread[0]);
	note(world, "went on");
}

static void a_deadlock_is_reported_and_everything_dropped(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_deadlock), -EDEADLK);
	assert_string_equal(world.log, "");
	/* The mutex, the condition, and the thread's 100 bytes. */
	assert_int_equal(damon_port_coop_nr_allocated(world.port), 3);
	damon_port_coop_reset(world.port);
	assert_int_equal(damon_port_coop_nr_allocated(world.port), 0);
	assert_int_equal(world.port->mutex_new(world.port, &world.mutex), 0);
	assert_int_equal(world.port->cond_new(world.port, &world.cond), 0);
	/* As good as new, time included. */
	assert_int_equal(run(&world, main_sleepers), 0);
	assert_int_equal(world.woken_ns, 7 * MSEC);
	damon_port_coop_free(world.port);
}

static void main_locks_twice(void *arg)
{
	struct world *world = arg;

	world->port->mutex_lock(world->port, world->mutex);
	world->port->mutex_lock(world->port, world->mutex);
	note(world, "went on");
}

static void main_unlocks_anothers(void *arg)
{
	struct world *world = arg;

	world->port->mutex_unlock(world->port, world->mutex);
	note(world, "went on");
}

static void misuse_of_a_mutex_ends_the_run(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_locks_twice), -EDEADLK);
	damon_port_coop_reset(world.port);
	assert_int_equal(world.port->mutex_new(world.port, &world.mutex), 0);
	assert_int_equal(run(&world, main_unlocks_anothers), -EPERM);
	assert_string_equal(world.log, "");
	damon_port_coop_free(world.port);
}

static void main_ends(void *arg)
{
	struct world *world = arg;

	start(world, 0, waits_for_ever);
	damon_port_coop_end(world->port, -EPROTO);
	note(world, "went on");
}

static void a_thread_can_end_the_run(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_ends), -EPROTO);
	assert_string_equal(world.log, "");
	damon_port_coop_free(world.port);
}

static void adds(void *arg)
{
	struct world *world = arg;

	world->port->mutex_lock(world->port, world->mutex);
	world->nr_waiting++;
	world->port->mutex_unlock(world->port, world->mutex);
	note(world, world->port->thread_self(world->port) == 2 ? "2 " : "3 ");
}

static void main_two_adders(void *arg)
{
	struct world *world = arg;

	start(world, 0, adds);
	start(world, 1, adds);
	world->port->thread_join(world->port, world->thread[0]);
	world->port->thread_join(world->port, world->thread[1]);
}

static unsigned int choose_highest(void *data, const unsigned int *runnable, unsigned int nr,
				   unsigned int current, const struct damon_coop_point *point)
{
	if (!strcmp(point->what, "lock"))
		strcat(data, "L");
	return nr - 1;
}

static void the_chooser_decides(void **state)
{
	char locks[16] = "";
	struct damon_coop_chooser chooser = {.choose = choose_highest, .data = locks};
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_two_adders), 0);
	assert_string_equal(world.log, "2 3 ");
	damon_port_coop_free(world.port);

	world_init(&world, &chooser);
	assert_int_equal(run(&world, main_two_adders), 0);
	assert_int_equal(world.nr_waiting, 2);
	assert_string_equal(locks, "LL");
	/* Thread 2 was started, and went on, before there was a thread 3. */
	assert_string_equal(world.log, "2 3 ");
	damon_port_coop_free(world.port);
}

static int refuse_jump(void *data, uint64_t from_ns, uint64_t to_ns)
{
	return from_ns == 0 && to_ns == 9 * MSEC ? -ETIME : -EPROTO;
}

static void a_jump_of_time_can_be_refused(void **state)
{
	struct damon_coop_chooser chooser = {.jump = refuse_jump};
	struct world world;

	world_init(&world, &chooser);
	assert_int_equal(run(&world, main_times_out), -ETIME);
	damon_port_coop_free(world.port);
}

static void main_sleeps_often(void *arg)
{
	struct world *world = arg;
	uint64_t i;

	for (i = 1; i <= 1000000; i++)
		sleep_until(world, i * 5 * MSEC);
	world->woken_ns = world->port->now_ns(world->port);
}

static void many_sleeps(void **state)
{
	struct world world;

	world_init(&world, NULL);
	assert_int_equal(run(&world, main_sleeps_often), 0);
	assert_int_equal(world.woken_ns, 5000000 * MSEC);
	damon_port_coop_free(world.port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleepers_wake_in_order_of_their_deadlines),
		cmocka_unit_test(a_wake_up_reaches_all_before_their_deadline),
		cmocka_unit_test(a_deadline_passes),
		cmocka_unit_test(a_deadlock_is_reported_and_everything_dropped),
		cmocka_unit_test(misuse_of_a_mutex_ends_the_run),
		cmocka_unit_test(a_thread_can_end_the_run),
		cmocka_unit_test(the_chooser_decides),
		cmocka_unit_test(a_jump_of_time_can_be_refused),
		cmocka_unit_test(many_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
