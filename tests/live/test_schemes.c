/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes on processes whose pattern is known: what each action really does to their memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "live.h"

#define MIB ((uint64_t)1 << 20)

/* Waiting for something that must happen; generous, as the machine may be busy. */
#define SECONDS 20

static struct live_monitor monitor;
static struct live_target target;
static bool monitoring;

/* The file that is mapped: as large as the machine has memory for. */
static char file_path[256];
static unsigned int file_mib;

static int stop_all(void **state)
{
	if (monitoring)
		live_monitor_stop(&monitor);
	monitoring = false;
	live_target_stop(&target);
	return 0;
}

/* A scheme for all regions of all targets, in each window. */
static struct damos *scheme_new(enum damos_action action)
{
	struct damos *scheme;

	if (!monitoring)
		live_monitor_prepare(&monitor);
	monitoring = true;
	assert_int_equal(damon_new_scheme(&scheme, monitor.lib), 0);
	scheme->action = action;
	return scheme;
}

static void add_filter(struct damos *scheme, enum damos_filter_type type, bool matching, bool allow)
{
	const struct damos_filter filter = {.type = type, .matching = matching, .allow = allow};

	assert_int_equal(damos_add_filter(scheme, &filter), 0);
}

/* Only the addresses from @start to @end. */
static void add_addresses(struct damos *scheme, uint64_t start, uint64_t end)
{
	const struct damos_filter filter = {
		.type = DAMOS_FILTER_ADDR, .matching = false, .addr_start = start, .addr_end = end};

	assert_int_equal(damos_add_filter(scheme, &filter), 0);
}

static struct damos *add_scheme(struct damos *scheme)
{
	assert_int_equal(damon_add_scheme(monitor.ctx, scheme), 0);
	return scheme;
}

static void start(void)
{
	if (live_monitor_start_prepared(&monitor, &target.pid, 1))
		fail_msg("%s", monitor.error.text);
}

static uint64_t major_faults(void)
{
	char path[64], text[1024], *at;
	unsigned long long faults;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)target.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	at = strrchr(text, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %llu", &faults), 1);
	return faults;
}

static void start_file_target(const char *more)
{
	char options[512];

	snprintf(options, sizeof(options), "--file %s --read --cold %u --hot %u %s", file_path,
		 file_mib / 2, file_mib / 2, more);
	live_target_start(&target, options);
}

/* Resident memory falls to what is in use. */
static void pageout_takes_idle_memory_only(void **state)
{
	uint64_t before, expected, now = 0, faults;
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);
	unsigned int i;

	start_file_target("--pause-us 2000");
	before = live_target_rollup(&target, "Rss");
	expected = before - file_mib / 2 * MIB;
	scheme->pattern.max_nr_accesses = 0;
	scheme->pattern.min_age_region = 2;
	add_filter(scheme, DAMOS_FILTER_YOUNG, true, false);
	if (getenv("ONLYFILE"))
		add_addresses(scheme, target.parts[0].start, target.parts[2].end);
	add_scheme(scheme);
	faults = major_faults();
	start();
	for (i = 0; i < 15; i++) {
		assert_true(live_monitor_windows(&monitor, 10));
		now = live_target_rollup(&target, "Rss");
		if (now < expected + expected / 40)
			break;
	}
	assert_true(live_monitor_windows(&monitor, 10));
	now = live_target_rollup(&target, "Rss");
	print_message("# resident: %" PRIu64 " MiB, after %" PRIu64 " windows %" PRIu64
		      " MiB, of which in use %" PRIu64 " MiB; %" PRIu64 " major faults\n",
		      before / MIB, monitor.nr_windows, now / MIB, expected / MIB,
		      major_faults() - faults);
	if (now < expected - expected / 20 || now > expected + expected / 20)
		fail_msg("expected %" PRIu64 " MiB within 5 %%, got %" PRIu64 " MiB",
			 expected / MIB, now / MIB);
}

static void make_file(void)
{
	static char block[1 << 20];
	const char *folder = getenv("TMPDIR");
	unsigned int i;
	int fd;

	snprintf(file_path, sizeof(file_path), "%s/udamon-schemes-XXXXXX",
		 folder ? folder : "/tmp");
	fd = mkstemp(file_path);
	assert_true(fd >= 0);
	for (i = 0; i < file_mib; i++) {
		memset(block, (int)i + 1, sizeof(block));
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	}
	assert_int_equal(fsync(fd), 0);
	close(fd);
}

static int setup(void **state)
{
	file_mib = 512;
	make_file();
	return 0;
}

static int teardown(void **state)
{
	unlink(file_path);
	return 0;
}

#define LIVE(test) cmocka_unit_test_teardown(test, stop_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(pageout_takes_idle_memory_only),
	};

	if (live_skip_all(1024))
		return 0;
	cmocka_set_test_filter(getenv("UDAMON_TEST_FILTER"));
	return cmocka_run_group_tests(tests, setup, teardown);
}
