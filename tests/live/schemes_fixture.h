/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tests of schemes on processes share: one target, one monitor, short ways to make schemes, and a
 * file that targets map.
 */
#ifndef UDAMON_TESTS_LIVE_SCHEMES_FIXTURE_H
#define UDAMON_TESTS_LIVE_SCHEMES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/pagemap.h"
#include "live.h"

#define MIB ((uint64_t)1 << 20)

/* Waiting for something that must happen; generous, as the machine may be busy. */
#define SECONDS 20

static struct live_monitor monitor;
static struct live_target target;

/* The file that is mapped: as large as the machine has memory for. */
static char file_path[256];
static unsigned int file_mib;

static inline int stop_all(void **state)
{
	live_monitor_stop(&monitor);
	live_way = (struct live_way){};
	live_target_stop(&target);
	return 0;
}

/* A scheme for all regions of all targets, in each window. */
static inline struct damos *scheme_new(enum damos_action action)
{
	struct damos *scheme;

	if (!monitor.running)
		live_monitor_prepare(&monitor);
	assert_int_equal(damon_new_scheme(&scheme, monitor.lib), 0);
	scheme->action = action;
	return scheme;
}

static inline void add_filter(struct damos *scheme, enum damos_filter_type type, bool matching,
			      bool allow)
{
	const struct damos_filter filter = {.type = type, .matching = matching, .allow = allow};

	assert_int_equal(damos_add_filter(scheme, &filter), 0);
}

/* Only the addresses from @start to @end. */
static inline void add_addresses(struct damos *scheme, uint64_t start, uint64_t end)
{
	const struct damos_filter filter = {
		.type = DAMOS_FILTER_ADDR, .matching = false, .addr_start = start, .addr_end = end};

	assert_int_equal(damos_add_filter(scheme, &filter), 0);
}

static inline struct damos *add_scheme(struct damos *scheme)
{
	assert_int_equal(damon_add_scheme(monitor.ctx, scheme), 0);
	return scheme;
}

static inline void start(void)
{
	if (live_monitor_start_prepared(&monitor, &target.pid, 1))
		fail_msg("%s", monitor.error.text);
}

static inline void start_file_target(const char *more)
{
	char options[512];

	snprintf(options, sizeof(options), "--file %s --read --cold %u --hot %u %s", file_path,
		 file_mib / 2, file_mib / 2, more);
	live_target_start(&target, options);
}

/* Stop, and what the scheme @idx has done. */
static inline const struct damos_stat *stop_and_look(uint32_t idx)
{
	assert_int_equal(damon_stop(&monitor.ctx, 1), 0);
	return &monitor.ctx->schemes[idx]->stat;
}

/* The next monitor of the same target. */
static inline void end_monitor(void)
{
	live_monitor_stop(&monitor);
}

/* Wait until it has no more than @bytes in memory; false when that takes too long. */
static inline bool wait_for_rss(uint64_t bytes)
{
	unsigned int i;

	for (i = 0; i < 150; i++) {
		if (live_target_rollup(&target, "Rss") <= bytes)
			return true;
		assert_true(live_monitor_windows(&monitor, 1));
	}
	return false;
}

/* Pages of a part of the target whose kpageflags have all of @flags. */
static inline size_t count_frames(const struct live_part *part, uint64_t flags)
{
	uint64_t entries[512], found, addr;
	struct frame_files files;
	int pagemap = pagemap_open(target.pid);
	size_t i, nr = 0;

	assert_true(pagemap >= 0);
	assert_int_equal(frame_files_open(&files), 0);
	for (addr = part->start; addr < part->end; addr += sizeof(entries) / 8 * 4096) {
		assert_int_equal(pagemap_read(pagemap, addr, entries, 512), 0);
		for (i = 0; i < 512; i++) {
			if (!(entries[i] & PAGEMAP_PRESENT))
				continue;
			assert_int_equal(frame_flags(&files, entries[i] & PAGEMAP_FRAME, &found, 1),
					 0);
			nr += (found & flags) == flags;
		}
	}
	frame_files_close(&files);
	close(pagemap);
	return nr;
}

static inline void make_file(void)
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

static inline int setup(void **state)
{
	const char *folder = getenv("TMPDIR");
	struct statvfs info;

	/* Where there is little room, as in a virtual machine, a smaller one does. */
	assert_int_equal(statvfs(folder ? folder : "/tmp", &info), 0);
	file_mib = (uint64_t)info.f_bavail * info.f_bsize > 1024 * MIB ? 512 : 128;
	make_file();
	return 0;
}

static inline int teardown(void **state)
{
	unlink(file_path);
	return 0;
}

#define LIVE(test) cmocka_unit_test_teardown(test, stop_all)

#endif
