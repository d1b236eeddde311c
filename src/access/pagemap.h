/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the kernel tells about single pages: /proc/PID/pagemap, /proc/kpageflags, /proc/kpagecount, /proc/kpagecgroup.
 */
#ifndef UDAMON_ACCESS_PAGEMAP_H
#define UDAMON_ACCESS_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An entry of /proc/PID/pagemap. */
#define PAGEMAP_FRAME	  ((1ULL << 55) - 1)
#define PAGEMAP_EXCLUSIVE (1ULL << 56)
#define PAGEMAP_SWAPPED	  (1ULL << 62)
#define PAGEMAP_PRESENT	  (1ULL << 63)

/** pagemap_frame() - the frame number in an entry; 0 for a page that isn't present, or whose frame isn't told */
static inline uint64_t pagemap_frame(uint64_t entry)
{
	return (entry & PAGEMAP_PRESENT) ? entry & PAGEMAP_FRAME : 0;
}

/** pagemap_sequence() - how many of @nr entries have frames in sequence, from the first on; at least 1 */
static inline size_t pagemap_sequence(const uint64_t *entries, size_t nr)
{
	uint64_t frame = pagemap_frame(entries[0]);
	size_t i = 1;

	while (frame && i < nr && pagemap_frame(entries[i]) == frame + i)
		i++;
	return i;
}

/** pagemap_open() - /proc/PID/pagemap of @pid (0: the caller); a descriptor or -errno */
int pagemap_open(pid_t pid);

/** pagemap_read() - entries of the @nr pages from @addr on; 0 or -errno (-EIO when there are fewer) */
int pagemap_read(int fd, uint64_t addr, uint64_t *entries, size_t nr);

/* Flags of /proc/kpageflags that are used here. */
#define FRAME_LRU (1ULL << 5) /* known to reclaim; new pages become so in batches, a bit later */
#define FRAME_ACTIVE                                                                               \
	(1ULL << 6) /* on an active list; of a folio, the first page has it for certain */
#define FRAME_ANON    (1ULL << 12) /* memory of a process, not of a file */
#define FRAME_HEAD    (1ULL << 15) /* first page of a compound page (a folio of several) */
#define FRAME_TAIL    (1ULL << 16) /* one of its others */
#define FRAME_HUGETLB (1ULL << 17)
#define FRAME_ABSENT  (1ULL << 20) /* no memory behind this frame number */
#define FRAME_IDLE                                                                                 \
	(1ULL                                                                                      \
	 << 25) /* somebody (the kernel's DAMON, idle page tracking) cleared its Accessed bits */
#define FRAME_ZERO (1ULL << 24) /* the page of zeroes that everybody shares */

/** struct frame_files - the files about frames, open; @cgroup_fd is -1 where the kernel has none */
struct frame_files {
	int flags_fd;
	int count_fd;
	int cgroup_fd;
};

/** frame_files_open() - 0 or -errno (mostly a privilege: they are root's) */
int frame_files_open(struct frame_files *files);
void frame_files_close(struct frame_files *files);

/** frame_flags() - FRAME_* of @nr frames from @frame on; 0 or -errno */
int frame_flags(const struct frame_files *files, uint64_t frame, uint64_t *flags, size_t nr);

/** frame_mapcounts() - how often each of @nr frames from @frame on is mapped by page tables; 0 or -errno */
int frame_mapcounts(const struct frame_files *files, uint64_t frame, uint64_t *counts, size_t nr);

/**
 * frame_cgroup() - inode number of the memory cgroup a frame is charged to, 0 for none
 * Return: 0; -EOPNOTSUPP when the kernel doesn't tell; another -errno.
 */
int frame_cgroup(const struct frame_files *files, uint64_t frame, uint64_t *inode);

#endif
