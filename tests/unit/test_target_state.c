/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What is known about a live target: process information, its lock, memory pressure, unwatchable
 * mappings.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/watch_map.h"
#include "ops/pressure.h"
#include "ops/vaddr_map.h"
#include "system/process.h"
#include "system/psi.h"
#include "system/target_lock.h"

static void parses_names_with_spaces_and_brackets(void **state)
{
	struct process_info info;

	assert_int_equal(
		process_info_parse(&info, "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 "
					  "0 3 0 987654 0 0"),
		0);
	assert_int_equal(info.pid, 42);
	assert_string_equal(info.comm, "a) b (c");
	assert_int_equal(info.state, 'S');
	assert_int_equal(info.nr_threads, 3);
	assert_int_equal(info.start_time, 987654);
	assert_false(info.kernel_thread);
	assert_int_equal(process_info_parse(&info, "42 (a b S 1"), -EINVAL);
}

static void opens_only_processes(void **state)
{
	struct damon_error err;
	int pidfd;

	assert_int_equal(process_open(0, &pidfd, NULL, &err), -ESRCH);
	assert_int_equal(process_open(5000000, &pidfd, NULL, &err), -ESRCH);
	assert_string_equal(err.text, "there is no process 5000000");
	assert_int_equal(pidfd, -1);
}

static void tells_alive_exited_and_gone_apart(void **state)
{
	struct damon_error err;
	struct process_info info;
	int pidfd, status, ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(ends[0]);
	assert_int_equal(process_open(child, &pidfd, &info, &err), 0);
	assert_int_equal(info.pid, child);
	assert_int_equal(process_state(pidfd), PROCESS_ALIVE);
	close(ends[1]);
	assert_int_equal(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_state(pidfd), PROCESS_EXITED);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(process_state(pidfd), PROCESS_GONE);
	close(pidfd);
}

static void a_target_has_one_watcher(void **state)
{
	struct process_info info = {.pid = 4321, .comm = "prog", .start_time = 7};
	struct process_info recycled = {.pid = 4321, .comm = "other", .start_time = 8};
	struct target_lock first, second, third;
	char dir[] = "/tmp/udamon-lock-XXXXXX";
	struct damon_error err;

	assert_non_null(mkdtemp(dir));
	setenv("UDAMON_LOCK_DIR", dir, 1);
	assert_int_equal(target_lock_take(&first, &info, &err), 0);
	assert_int_equal(target_lock_take(&second, &info, &err), -EBUSY);
	assert_string_equal(err.text, "process 4321 (prog) is already watched by this program");
	assert_int_equal(second.fd, -1);
	/* The number alone isn't the process. */
	assert_int_equal(target_lock_take(&third, &recycled, &err), 0);
	target_lock_drop(&third);
	target_lock_drop(&first);
	assert_int_equal(target_lock_take(&second, &info, &err), 0);
	target_lock_drop(&second);
	target_lock_drop(&second);
	assert_int_equal(rmdir(dir), 0);
}

static void a_killed_watcher_leaves_no_lock(void **state)
{
	struct process_info info = {.pid = 4321, .comm = "prog", .start_time = 7};
	char dir[] = "/tmp/udamon-lock-XXXXXX", byte = 0, expected[128];
	struct damon_error err;
	struct target_lock lock;
	int ends[2], status;
	pid_t child;

	assert_non_null(mkdtemp(dir));
	setenv("UDAMON_LOCK_DIR", dir, 1);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		byte = target_lock_take(&lock, &info, &err) == 0;
		_exit(write(ends[1], &byte, 1) != 1 || pause());
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 1);
	assert_int_equal(target_lock_take(&lock, &info, &err), -EBUSY);
	snprintf(expected, sizeof(expected), "is already watched by process %d (", (int)child);
	assert_non_null(strstr(err.text, expected));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(target_lock_take(&lock, &info, &err), 0);
	target_lock_drop(&lock);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(rmdir(dir), 0);
}

static void reads_the_stalled_time(void **state)
{
	uint64_t stalled;

	assert_int_equal(psi_parse("some avg10=1.50 avg60=0.00 avg300=0.00 total=123456\n"
				   "full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n",
				   &stalled),
			 0);
	assert_int_equal(stalled, 123456);
	assert_int_equal(psi_parse("nothing", &stalled), -EINVAL);
}

static void pressure_opens_and_closes_at_different_levels(void **state)
{
	struct pressure_gate gate = {};
	uint64_t second = 1000000000;

	/* The first reading says nothing. */
	assert_false(pressure_feed(&gate, second, 5000000));
	assert_false(gate.high);
	/* 9 % of a second, then 10 %, then 5 %, then 4 %. */
	assert_false(pressure_feed(&gate, 2 * second, 5090000));
	assert_true(pressure_feed(&gate, 3 * second, 5190000));
	assert_true(gate.high);
	assert_int_equal(gate.percent, 10);
	assert_false(pressure_feed(&gate, 4 * second, 5240000));
	assert_true(gate.high);
	assert_true(pressure_feed(&gate, 5 * second, 5280000));
	assert_false(gate.high);
}

static void adopt(struct watch_map *map, const char *text)
{
	struct mapping_list list = {};

	assert_int_equal(maps_parse(&list, text), 0);
	assert_int_equal(vaddr_fill_watch_map(map, &list), 0);
	maps_clear(&list);
}

static void refused_mappings_are_remembered_and_tried_again(void **state)
{
	struct watch_map map = {};
	const struct watch_range *first;
	size_t nr;

	adopt(&map, "1000-3000 rw-p 0 00:00 0\n5000-9000 rw-p 0 00:00 0\n");
	assert_false(map.flagged);
	watch_map_set(&map, 0x6000, WATCH_REFUSED | WATCH_RETRY, WATCH_REFUSED);
	assert_int_equal(watch_map_flags(&map, 0x5000), WATCH_REFUSED);
	assert_int_equal(watch_map_flags(&map, 0x1000), 0);
	assert_int_equal(watch_map_unwatchable(&map, &nr, &first), 0x4000);
	assert_int_equal(nr, 1);
	assert_int_equal(first->start, 0x5000);
	/* It grew, and another came. */
	adopt(&map,
	      "1000-3000 rw-p 0 00:00 0\n4000-5000 rw-p 0 00:00 0\n5000-a000 rw-p 0 00:00 0\n");
	assert_int_equal(watch_map_flags(&map, 0x4000), 0);
	assert_int_equal(watch_map_flags(&map, 0x9000), WATCH_REFUSED | WATCH_RETRY);
	watch_map_set(&map, 0x9000, WATCH_REFUSED | WATCH_RETRY, 0);
	assert_int_equal(watch_map_unwatchable(&map, &nr, &first), 0);
	assert_null(first);
	/* And it went. */
	watch_map_set(&map, 0x9000, WATCH_REFUSED, WATCH_REFUSED);
	adopt(&map, "1000-3000 rw-p 0 00:00 0\n");
	assert_false(map.flagged);
	watch_map_clear(&map);
}

static void memory_of_a_kvm_process_may_be_a_guests(void **state)
{
	struct watch_map map = {};

	adopt(&map, "1000-2000 r-xp 0 fe:00 5 /usr/bin/vmm\n"
		    "3000-4000 rw-p 0 00:00 0 [heap]\n"
		    "10000-90000 rw-p 0 00:00 0\n"
		    "a0000-a3000 rw-s 0 00:0e 11 anon_inode:kvm-vcpu:0\n"
		    "b0000-b3000 rw-p 0 00:00 0 [stack]\n");
	assert_int_equal(watch_map_flags(&map, 0x1000), 0);
	assert_int_equal(watch_map_flags(&map, 0x3000), 0);
	assert_int_equal(watch_map_flags(&map, 0x20000), WATCH_GUEST);
	assert_int_equal(watch_map_flags(&map, 0xb0000), 0);
	watch_map_clear(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_names_with_spaces_and_brackets),
		cmocka_unit_test(opens_only_processes),
		cmocka_unit_test(tells_alive_exited_and_gone_apart),
		cmocka_unit_test(a_target_has_one_watcher),
		cmocka_unit_test(a_killed_watcher_leaves_no_lock),
		cmocka_unit_test(reads_the_stalled_time),
		cmocka_unit_test(pressure_opens_and_closes_at_different_levels),
		cmocka_unit_test(refused_mappings_are_remembered_and_tried_again),
		cmocka_unit_test(memory_of_a_kvm_process_may_be_a_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
