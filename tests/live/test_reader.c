/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The page-table reader by itself, on processes that are made for it, and what is said where it may not
 * be used.
 */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/clear.h"
#include "access/doctor.h"
#include "access/point.h"
#include "access/reader.h"
#include "live.h"
#include "system/process.h"

#define PAGE_BYTES 4096
#define NR_PAGES   5000 /* more than one batch */
#define NOBODY	   65534

static struct page_calibration calibration;
static struct page_reader *reader;

/* The same in parent and child, as it is mapped before the fork. */
static char *area;

static int set_up(void **state)
{
	struct damon_error err;

	if (page_calibrate(&calibration, &err) || page_reader_new(&reader, &calibration, &err)) {
		print_error("%s\n", err.text);
		return 1;
	}
	area = mmap(NULL, NR_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return area == MAP_FAILED || madvise(area, NR_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
}

static int tear_down(void **state)
{
	page_reader_free(reader);
	return 0;
}

/*
 * A child that touches every third page, and sleeps. Its end is the test's, at the latest: whoever reads the
 * output of a test that failed would else wait for the child that was left behind, for ever.
 */
static pid_t start_child(int *pidfd)
{
	struct damon_error err;
	pid_t child, parent = getpid();
	int ends[2], i;
	char byte;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		for (i = 0; i < NR_PAGES; i += 3)
			area[i * PAGE_BYTES] = 1;
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	assert_int_equal(process_open(child, pidfd, NULL, &err), 0);
	return child;
}

static void stop_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void check_way(enum page_link_way way)
{
	static struct page_state states[NR_PAGES];
	static uint64_t addrs[NR_PAGES];
	struct page_process process;
	struct damon_error err;
	struct page_link *link;
	int pidfd, i;
	pid_t child = start_child(&pidfd);

	for (i = 0; i < NR_PAGES; i++)
		addrs[i] = (uintptr_t)area + (uint64_t)i * PAGE_BYTES;
	if (page_link_new(&link, reader, pidfd, child, way, &err))
		fail_msg("%s", err.text);
	assert_int_equal(page_link_read(link, addrs, NR_PAGES, states, &process), 0);
	for (i = 0; i < NR_PAGES; i++) {
		if (states[i].flags != (i % 3 ? 0 : PAGE_MAPPED | PAGE_ACCESSED))
			fail_msg("page %d: expected %s, got flags 0x%x", i,
				 i % 3 ? "nothing" : "a used page", states[i].flags);
	}
	assert_true(process.mm && process.start_time);
	stop_child(child);
	assert_int_equal(page_link_read(link, addrs, 1, states, &process), -ESRCH);
	page_link_free(link);
	close(pidfd);
}

static void reads_a_process_by_its_pidfd(void **state)
{
	check_way(PAGE_LINK_PIDFD);
}

static void finds_a_process_among_all(void **state)
{
	char name[64] = "";

	if (readlink("/proc/self/ns/pid", name, sizeof(name) - 1) < 0 ||
	    strcmp(name, "pid:[4026531836]") != 0) {
		print_message("# SKIP not in the initial pid namespace\n");
		skip();
	}
	check_way(PAGE_LINK_ALL);
}

static int count_leaf(void *data, const struct page_leaf *leaf)
{
	size_t *nr = data;

	assert_true(leaf->addr < page_user_limit(&calibration));
	return ++*nr > 1000000 ? -E2BIG : 0;
}

/* A walk ignores an address's upper bits, so it would find other addresses' pages there, and never end. */
static void addresses_that_no_process_can_have_are_holes(void **state)
{
	uint64_t limit = page_user_limit(&calibration), used = (uintptr_t)area;
	const uint64_t addrs[] = {used, used + 2 * limit, limit, used | 1ULL << 63, UINT64_MAX};
	struct page_state states[5];
	struct page_process process;
	struct damon_error err;
	struct page_link *link;
	size_t i, nr = 0;
	int pidfd;
	pid_t child = start_child(&pidfd);

	if (page_link_new(&link, reader, pidfd, child, PAGE_LINK_AUTO, &err))
		fail_msg("%s", err.text);
	assert_int_equal(page_link_read(link, addrs, 5, states, &process), 0);
	assert_int_equal(states[0].flags, PAGE_MAPPED | PAGE_ACCESSED);
	for (i = 1; i < 5; i++)
		assert_int_equal(states[i].flags, 0);
	assert_int_equal(page_link_read_range(link, used, UINT64_MAX, count_leaf, &nr, NULL), 0);
	assert_true(nr > 0);
	nr = 0;
	assert_int_equal(page_link_read_range(link, limit, UINT64_MAX, count_leaf, &nr, &process),
			 0);
	assert_int_equal(nr, 0);
	assert_true(process.mm);
	stop_child(child);
	page_link_free(link);
	close(pidfd);
}

static void a_wrong_calibration_reads_nothing(void **state)
{
	struct page_calibration wrong = calibration;
	struct page_state page;
	struct damon_error err;
	struct page_link *link;
	uint64_t addr = (uintptr_t)area;
	int pidfd;
	pid_t child = start_child(&pidfd);

	/* Non-canonical: nothing of the kernel's lies there. */
	wrong.direct_map = 1ULL << 60;
	page_reader_set_calibration(reader, &wrong);
	assert_int_equal(page_link_new(&link, reader, pidfd, child, PAGE_LINK_AUTO, &err), 0);
	assert_int_equal(page_link_read(link, &addr, 1, &page, NULL), 0);
	assert_int_equal(page.flags, PAGE_FAILED);
	page_reader_set_calibration(reader, &calibration);
	assert_int_equal(page_link_read(link, &addr, 1, &page, NULL), 0);
	assert_int_equal(page.flags, PAGE_MAPPED | PAGE_ACCESSED);
	page_link_free(link);
	close(pidfd);
	stop_child(child);
}

struct told {
	uint64_t refused[8], accepted[8];
	size_t nr_refused, nr_accepted;
};

static void note_refused(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct told *told = data;

	told->refused[told->nr_refused++] = tag;
}

static void note_accepted(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct told *told = data;

	told->accepted[told->nr_accepted++] = tag;
}

/* Five pages: of the second, locked, and the fourth, unmapped, the kernel says so and stops. */
static void clearing_goes_on_behind_refused_ranges(void **state)
{
	struct clear_list *list = clear_list_new();
	struct clear_result result;
	struct page_state pages[5];
	struct told told = {};
	uint64_t addrs[5];
	struct damon_error err;
	struct page_link *link;
	int i, pidfd;

	assert_non_null(list);
	assert_int_equal(process_open(getpid(), &pidfd, NULL, &err), 0);
	memset(area, 1, 5 * PAGE_BYTES);
	/* Not mlock(): sanitizers replace that by nothing. */
	assert_int_equal(syscall(SYS_mlock, area + PAGE_BYTES, PAGE_BYTES), 0);
	assert_int_equal(munmap(area + 3 * PAGE_BYTES, PAGE_BYTES), 0);
	for (i = 0; i < 5; i++) {
		addrs[i] = (uintptr_t)area + (uint64_t)i * PAGE_BYTES;
		assert_int_equal(clear_list_add(list, addrs[i], addrs[i] + PAGE_BYTES, (size_t)i),
				 0);
	}
	assert_int_equal(clear_list_run(list, pidfd, note_refused, note_accepted, &told, &result),
			 0);
	assert_int_equal(result.nr_cleared, 3);
	assert_int_equal(told.nr_refused, 1);
	assert_int_equal(told.refused[0], 1);
	assert_int_equal(told.nr_accepted, 3);
	assert_int_equal(told.accepted[0], 0);
	assert_int_equal(told.accepted[1], 2);
	assert_int_equal(told.accepted[2], 4);
	assert_int_equal(page_link_new(&link, reader, pidfd, getpid(), PAGE_LINK_AUTO, &err), 0);
	assert_int_equal(page_link_read(link, addrs, 5, pages, NULL), 0);
	assert_int_equal(pages[1].flags, PAGE_MAPPED | PAGE_ACCESSED);
	assert_int_equal(pages[3].flags, 0);
	page_link_free(link);
	clear_list_free(list);
	close(pidfd);
	syscall(SYS_munlock, area, 3 * PAGE_BYTES);
	assert_ptr_equal(mmap(area + 3 * PAGE_BYTES, PAGE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 area + 3 * PAGE_BYTES);
}

/* What an ordinary user is told. In a child, as there is no way back. */
static void says_which_privilege_is_missing(void **state)
{
	static struct doctor doctor;
	int status;
	pid_t child = fork();

	if (!child) {
		if (setgid(NOBODY) || setuid(NOBODY) || doctor_examine(&doctor))
			_exit(1);
		if (doctor.engines[DOCTOR_POINT].ok || doctor.capabilities[0].have)
			_exit(2);
		_exit(strstr(doctor.engines[DOCTOR_POINT].why, "CAP_BPF") ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Those the documentation names, without being root. */
static int keep_documented_capabilities(void)
{
	static const unsigned int kept[] = {CAP_BPF,	    CAP_PERFMON,  CAP_SYS_ADMIN,
					    CAP_SYS_PTRACE, CAP_SYS_NICE, CAP_DAC_OVERRIDE};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		data[kept[i] / 32].effective |= 1u << (kept[i] % 32);
		data[kept[i] / 32].permitted |= 1u << (kept[i] % 32);
	}
	if (prctl(PR_SET_KEEPCAPS, 1) || setgid(NOBODY) || setuid(NOBODY))
		return -errno;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* One sampling interval of @pid's first page: 0, or the step that failed. */
static int watch_once(pid_t pid)
{
	struct point_engine *engine;
	struct point_target *target;
	struct page_process process;
	struct watch_map map = {};
	struct damon_error err;
	uint64_t addr = (uintptr_t)area;
	uint32_t accessed = 7;
	int pidfd;

	if (keep_documented_capabilities())
		return 1;
	if (page_calibrate(&calibration, &err) || point_engine_new(&engine, &calibration, &err))
		return 2;
	if (process_open(pid, &pidfd, NULL, &err) ||
	    point_target_new(&target, engine, pidfd, pid, &map, &err))
		return 3;
	/* Sleeping, it touches nothing once its page was made old. */
	if (point_prepare(target, &addr, 1, true, &process) ||
	    point_engine_stat(engine)->clears != 1)
		return 4;
	if (point_check(target, &addr, 1, &accessed, &process) || accessed != 0)
		return 5;
	return 0;
}

static void documented_capabilities_suffice(void **state)
{
	int status, pidfd;
	pid_t child, target = start_child(&pidfd);

	child = fork();
	if (!child)
		_exit(watch_once(target));
	assert_int_equal(waitpid(child, &status, 0), child);
	stop_child(target);
	close(pidfd);
	assert_int_equal(status, 0);
}

static void refuses_kernel_threads_and_threads(void **state)
{
	struct damon_error err;
	int pidfd;

	/* Number 2 is the father of all kernel threads, outside of containers. */
	if (!access("/proc/2/exe", F_OK) || readlink("/proc/2/exe", (char[1]){}, 1) >= 0) {
		print_message("# SKIP no kernel threads to be seen here\n");
		skip();
	}
	assert_int_equal(process_open(2, &pidfd, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "is a kernel thread"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_process_by_its_pidfd),
		cmocka_unit_test(finds_a_process_among_all),
		cmocka_unit_test(addresses_that_no_process_can_have_are_holes),
		cmocka_unit_test(a_wrong_calibration_reads_nothing),
		cmocka_unit_test(clearing_goes_on_behind_refused_ranges),
		cmocka_unit_test(says_which_privilege_is_missing),
		cmocka_unit_test(documented_capabilities_suffice),
		cmocka_unit_test(refuses_kernel_threads_and_threads),
	};

	if (live_skip_all(64))
		return 0;
	live_choose_tests();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
