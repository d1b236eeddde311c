/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Watching processes whose pattern is known: is the hot part found?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "live.h"

/* What is asked of region sampling at the default intervals. */
#define WINDOWS	   10
#define GOOD_BYTES 95.0

static struct live_monitor monitor;
static struct live_target targets[5];

static int stop_all(void **state)
{
	size_t i;

	for (i = 0; i < 5; i++)
		live_target_stop(&targets[i]);
	return 0;
}

static void watch(size_t nr)
{
	pid_t pids[5];
	size_t i;

	for (i = 0; i < nr; i++)
		pids[i] = targets[i].pid;
	if (live_monitor_start(&monitor, pids, nr))
		fail_msg("%s", monitor.error.text);
}

static void assert_found(size_t idx)
{
	struct live_score score;

	live_score(&monitor, idx, &targets[idx], &score);
	if (score.precision < GOOD_BYTES || score.recall < GOOD_BYTES)
		fail_msg("expected at least %.0f %% precision and recall, got %.1f %% and %.1f %%",
			 GOOD_BYTES, score.precision, score.recall);
}

static void check_pattern(const char *options)
{
	live_target_start(&targets[0], options);
	watch(1);
	assert_true(live_monitor_windows(&monitor, WINDOWS + 1));
	live_monitor_stop(&monitor);
	assert_found(0);
}

static void finds_written_memory(void **state)
{
	check_pattern("");
}

static void finds_read_memory(void **state)
{
	check_pattern("--read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(finds_written_memory, stop_all),
		cmocka_unit_test_teardown(finds_read_memory, stop_all),
	};

	if (live_skip_all(512))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
