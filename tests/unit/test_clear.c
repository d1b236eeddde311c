// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Clearing a list of ranges, with a kernel that answers as it is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "access/clear.h"

#define PAGE	   4096ULL
#define HUGE_BYTES (2ULL << 20)

/* The range at @bad can't be cleared: -@error, the first @times it is asked about. */
static uint64_t bad;
static int error;
static unsigned int times, nr_asked, nr_calls, nr_cut;

/* The kernel does no more in one call. */
#define MOST_BYTES 0x7ffff000L

/* Stands in for process_madvise(), which is the only call there is here. */
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	const struct iovec *ranges;
	long done = 0;
	va_list args;
	size_t nr, i;

	va_start(args, number);
	(void)va_arg(args, int);
	ranges = va_arg(args, const struct iovec *);
	nr = va_arg(args, size_t);
	va_end(args);
	for (i = 0; i < nr; i++) {
		if ((uintptr_t)ranges[i].iov_base == bad && times) {
			if (i)
				break;
			nr_asked++;
			times--;
			errno = error;
			return -1;
		}
		done += (long)ranges[i].iov_len;
	}
	nr_calls++;
	nr_cut += done > MOST_BYTES;
	return done < MOST_BYTES ? done : MOST_BYTES;
}

struct told {
	unsigned int nr_busy, nr_refused, nr_accepted, nr_between;
	uint64_t busy_start, end;
};

static void on_busy(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct told *told = data;

	told->nr_busy++;
	told->busy_start = start;
}

static void on_refused(void *data, uint64_t start, uint64_t end, size_t tag)
{
	((struct told *)data)->nr_refused++;
}

static void on_accepted(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct told *told = data;

	told->nr_accepted++;
	/* It goes on from where the last one ended, which is no border of a huge page. */
	told->nr_between += start == told->end && start % HUGE_BYTES;
	told->end = end;
}

/* Five ranges, the third of which is bad. */
static int run(struct told *told, struct clear_result *result, int code, unsigned int nr)
{
	struct clear_list *list = clear_list_new();
	uint64_t i;
	int ret;

	*told = (struct told){};
	bad = 30 * PAGE;
	error = code;
	times = nr;
	nr_asked = 0;
	for (i = 1; i <= 5; i++)
		assert_int_equal(clear_list_add(list, 10 * i * PAGE, (10 * i + 1) * PAGE, i), 0);
	clear_list_on_busy(list, on_busy);
	ret = clear_list_run(list, -1, on_refused, on_accepted, told, result);
	clear_list_free(list);
	return ret;
}

static void a_range_that_is_busy_for_a_moment_is_cleared(void **state)
{
	struct clear_result result;
	struct told told;

	assert_int_equal(run(&told, &result, EAGAIN, 5), 0);
	assert_int_equal(result.nr_cleared, 5);
	assert_int_equal(told.nr_busy, 0);
}

static void a_range_that_stays_busy_is_passed_over(void **state)
{
	static const int codes[] = {EAGAIN, EINTR};
	struct clear_result result;
	struct told told;
	size_t i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(run(&told, &result, codes[i], UINT32_MAX), 0);
		assert_int_equal(result.nr_cleared, 4);
		assert_int_equal(result.nr_busy, 1);
		assert_int_equal(told.nr_busy, 1);
		assert_int_equal(told.busy_start, bad);
		assert_int_equal(told.nr_refused, 0);
		assert_int_equal(told.nr_accepted, 4);
		assert_int_equal(nr_asked, 100);
	}
}

static void a_range_that_can_not_be_cleared_is_refused(void **state)
{
	struct clear_result result;
	struct told told;

	assert_int_equal(run(&told, &result, EINVAL, UINT32_MAX), 0);
	assert_int_equal(result.nr_cleared, 4);
	assert_int_equal(told.nr_refused, 1);
	assert_int_equal(told.nr_busy, 0);
}

static void a_process_that_is_gone_ends_it(void **state)
{
	struct clear_result result;
	struct told told;

	assert_int_equal(run(&told, &result, ESRCH, UINT32_MAX), -ESRCH);
	assert_int_equal(result.nr_cleared, 2);
}

static void a_range_larger_than_a_call_does_is_cleared(void **state)
{
	struct clear_list *list = clear_list_new();
	struct clear_result result;
	struct told told = {};

	times = nr_calls = nr_cut = 0;
	assert_int_equal(clear_list_add(list, PAGE, PAGE + (5ULL << 30), 0), 0);
	assert_int_equal(clear_list_add(list, 6ULL << 30, (6ULL << 30) + PAGE, 1), 0);
	assert_int_equal(clear_list_run(list, -1, on_refused, on_accepted, &told, &result), 0);
	/* Cut at each GiB, and no call has more than the kernel does: of two GiB, the second would be cut off. */
	assert_int_equal(told.nr_accepted, 7);
	assert_int_equal(told.nr_between, 0);
	assert_int_equal(nr_calls, 4);
	/* To stop in the middle of a huge page the kernel would split it. */
	assert_int_equal(nr_cut, 0);
	clear_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_that_is_busy_for_a_moment_is_cleared),
		cmocka_unit_test(a_range_that_stays_busy_is_passed_over),
		cmocka_unit_test(a_range_that_can_not_be_cleared_is_refused),
		cmocka_unit_test(a_process_that_is_gone_ends_it),
		cmocka_unit_test(a_range_larger_than_a_call_does_is_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
