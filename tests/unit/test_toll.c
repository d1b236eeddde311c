/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What clearing is said to have cost a target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/toll.h"

static const struct toll toll = {.page_ns = 200, .interrupt_ns = 2000};

static void assert_ns(uint64_t nr_pages, uint64_t nr_interrupts, double nr_running, double expected)
{
	double ns = toll_ns(&toll, nr_pages, nr_interrupts, nr_running);

	if (ns < expected - 0.5 || ns > expected + 0.5)
		fail_msg("%lu pages and %lu interrupts with %g threads: expected %g ns, got %g",
			 nr_pages, nr_interrupts, nr_running, expected, ns);
}

static void nobody_interrupts_who_sleeps(void **state)
{
	assert_ns(100, 100, 0, 20000);
	assert_ns(0, 1000000, 0, 0);
}

static void an_interrupt_comes_as_often_as_a_thread_runs(void **state)
{
	assert_ns(100, 10, 0.25, 20000 + 5000);
	assert_ns(100, 10, 1, 20000 + 20000);
}

static void each_running_thread_pays(void **state)
{
	assert_ns(100, 10, 2.5, 50000 + 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_interrupts_who_sleeps),
		cmocka_unit_test(an_interrupt_comes_as_often_as_a_thread_runs),
		cmocka_unit_test(each_running_thread_pays),
	};

	return cmocka_run_group_tests_name("toll", tests, NULL, NULL);
}
