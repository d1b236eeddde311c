/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Access engine "point": one page per region and sampling interval.
 *
 * Made old: the samples' Accessed bits are read in one batch, and those that
 * are set are cleared with process_madvise(MADV_COLD), which also flushes them
 * from the target's TLB. An interval later they are read again.
 */
#ifndef UDAMON_ACCESS_POINT_H
#define UDAMON_ACCESS_POINT_H

#include "access/pagemap.h"
#include "access/reader.h"
#include "access/watch_map.h"

/** struct point_stat - running totals of an engine */
struct point_stat {
	uint64_t clears;      /* Accessed bits cleared */
	uint64_t calls;	      /* process_madvise() calls */
	uint64_t nr_shared;   /* samples given up: mapped more than once */
	uint64_t nr_special;  /* the zero page, no ordinary memory, or too new */
	uint64_t nr_large;    /* inside a large folio that can't be cleared as a whole */
	uint64_t nr_refused;  /* in mappings the kernel refuses */
	uint64_t nr_pressure; /* left alone because of memory pressure */
};

struct point_engine;
struct point_target;

/**
 * point_engine_new() - an engine for one thread
 *
 * Return: 0; -EPERM or -EACCES when /proc/kpageflags or kpagecount may not be
 * read; as page_reader_new().
 */
int point_engine_new(struct point_engine **engine, const struct page_calibration *calibration,
		     struct damon_error *err);

/** point_engine_free() - after its targets; NULL is allowed */
void point_engine_free(struct point_engine *engine);

/** point_engine_stat() - what it did so far */
const struct point_stat *point_engine_stat(const struct point_engine *engine);

/**
 * point_target_new() - watch the process behind @pidfd
 * @map:	its mappings; kept up to date by the caller, who owns it and lets it live longer
 * @pidfd:	borrowed, as long as the target lives
 *
 * Return: 0; as page_link_new().
 */
int point_target_new(struct point_target **target, struct point_engine *engine, int pidfd,
		     pid_t pid, struct watch_map *map, struct damon_error *err);

/**
 * struct point_shadow - bits as this engine would find them if nobody else cleared any
 * @young:	was the page touched since @cleared was last told of it?
 * @cleared:	the engine made these pages old
 *
 * For a comparison in which another engine clears all bits of the same process in between.
 */
struct point_shadow {
	bool (*young)(void *data, uint64_t addr);
	void (*cleared)(void *data, uint64_t start, uint64_t end);
};

/** point_target_set_shadow() - take a bit for set where @shadow says so; before the first use */
void point_target_set_shadow(struct point_target *target, const struct point_shadow *shadow,
			     void *data);

/** point_target_free() - NULL is allowed */
void point_target_free(struct point_target *target);

/**
 * point_prepare() - make the pages at @addrs old
 * @addrs:	sorted
 * @may_clear:	false: leave bits that are set alone (memory pressure); those samples are unknown
 * @process:	about the process; all 0 when it has no memory (it exited)
 *
 * Return: 0; -EPERM; -ENOMEM; -EMFILE.
 */
int point_prepare(struct point_target *target, const uint64_t *addrs, size_t nr, bool may_clear,
		  struct page_process *process);

/**
 * point_check() - were they touched since?
 * @addrs, @nr:	those of the last point_prepare()
 * @access:	set to 1, 0, or DAMON_ACCESS_UNKNOWN
 *
 * Return: as point_prepare().
 */
int point_check(struct point_target *target, const uint64_t *addrs, size_t nr, uint32_t *access,
		struct page_process *process);

/**
 * point_look() - what is at @addrs now, changing nothing
 * @states:	set to as many; valid until the next call for this target
 *
 * Return: as point_prepare().
 */
int point_look(struct point_target *target, const uint64_t *addrs, size_t nr,
	       const struct page_state **states);

/** point_engine_frames() - the files about frames, open */
const struct frame_files *point_engine_frames(const struct point_engine *engine);

#endif
