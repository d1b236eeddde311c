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

#include "access/page_set.h"
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
	uint64_t nr_busy;     /* the kernel was too busy to clear them */
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

/** point_target_remember() - from now on, add all pages that are made old to @set, the caller's */
void point_target_remember(struct point_target *target, struct page_set *set);

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

/**
 * struct point_pages - one aligned piece of the address space that a table of 512 pages maps
 * @addr:	where it begins
 * @failed:	it can't be read: nothing is known of these bytes from @addr on; 0 where it can
 * @huge:	it is one huge page
 * @mapped:	a bit for each page: it is there
 * @young:	its Accessed bit is set
 * @special:	it is no ordinary memory (the zero page, a device's)
 */
struct point_pages {
	uint64_t addr;
	uint64_t failed;
	bool huge;
	uint64_t mapped[PAGE_TABLE_ENTRIES / 64];
	uint64_t young[PAGE_TABLE_ENTRIES / 64];
	uint64_t special[PAGE_TABLE_ENTRIES / 64];
};

/** point_pages_callback - 0 to go on; nothing may be asked of the target meanwhile */
typedef int point_pages_callback(void *data, const struct point_pages *pages);

/**
 * point_look_range() - all pages from @start to @end, changing nothing
 * @callback:	called for each piece with a table, by address, even where that maps nothing now. Pieces are
 *		whole. Pages larger than one are passed over.
 * @process:	about the process; set before @callback is called
 *
 * Return: 0; what @callback returned; -ESRCH (it has exited); as point_prepare().
 */
int point_look_range(struct point_target *target, uint64_t start, uint64_t end,
		     point_pages_callback *callback, void *data, struct page_process *process);

/** point_engine_frames() - the files about frames, open */
const struct frame_files *point_engine_frames(const struct point_engine *engine);

#endif
