/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How much of a mapped file is in memory: cachestat(), and mincore() on kernels before 6.5.
 */
#include "system/page_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_BYTES 4096ULL

/* The same number on all architectures; newer than the C library's header. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* As the kernel has them. */
struct cache_range {
	uint64_t offset;
	uint64_t size;
};

struct cache_state {
	uint64_t cached;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t evicted;
	uint64_t recently_evicted;
};

/* Looked at by mincore() at a time. */
#define WINDOW_PAGES 4096ULL

int page_cache_open(pid_t pid, const struct mapping *mapping)
{
	char path[96];
	struct stat info;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid,
		 mapping->start, mapping->end);
	/* Opening anything but a regular file may do something. */
	if (stat(path, &info))
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int count_window(int fd, uint64_t offset, size_t nr, uint64_t *bytes)
{
	unsigned char in_memory[WINDOW_PAGES];
	void *window = mmap(NULL, nr * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, (off_t)offset);
	int ret = 0;
	size_t i;

	if (window == MAP_FAILED)
		return -errno;
	if (mincore(window, nr * PAGE_BYTES, in_memory))
		ret = -errno;
	for (i = 0; !ret && i < nr; i++)
		*bytes += in_memory[i] & 1 ? PAGE_BYTES : 0;
	munmap(window, nr * PAGE_BYTES);
	return ret;
}

int page_cache_bytes(int fd, uint64_t offset, uint64_t size, uint64_t *bytes)
{
	struct cache_range range = {offset, size};
	struct cache_state state;
	uint64_t nr, step;
	int ret = 0;

	*bytes = 0;
	if (!size)
		return 0;
	if (!syscall(SYS_cachestat, fd, &range, &state, 0)) {
		*bytes = state.cached * PAGE_BYTES;
		return 0;
	}
	if (errno != ENOSYS)
		return -errno;
	for (nr = size / PAGE_BYTES; nr && !ret; nr -= step, offset += step * PAGE_BYTES) {
		step = nr < WINDOW_PAGES ? nr : WINDOW_PAGES;
		ret = count_window(fd, offset, step, bytes);
	}
	return ret;
}
