/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Access engine "scan": every page, once per sampling interval, exactly.
 *
 * At an interval's end all Accessed bits are read in bulk; what was found set is then
 * cleared and flushed from the target's TLB, so that a page in use is marked again.
 */
#ifndef UDAMON_ACCESS_SCAN_H
#define UDAMON_ACCESS_SCAN_H

#include "access/reader.h"
#include "access/scan_blocks.h"
#include "access/scan_plan.h"
#include "access/watch_map.h"

/** SCAN_ACCESS_UNIT - what a region gets in an interval in which all its pages were touched */
#define SCAN_ACCESS_UNIT 4096

/** enum scan_flush - how the TLB is flushed after clear_refs */
enum scan_flush {
	SCAN_FLUSH_NONE, /* not at all */
	SCAN_FLUSH_REFS, /* writing 4 to clear_refs; only where there is no soft-dirty tracking */
	SCAN_FLUSH_PAIR, /* MADV_COLD over a pair of young pages, far enough from each other */
};

/**
 * struct scan_options - choices
 * @max_stall_us: clear_refs isn't used where it would keep the target from changing its
 *		mappings for longer
 * @no_flush:	never flush, to show what that misses
 * @pair_flush:	flush as where soft-dirty marks are kept, to try that anywhere
 * @used_page_ns: what it costs a target to use a page again that was made old; see scan_target_save()
 */
struct scan_options {
	uint64_t max_stall_us;
	bool no_flush;
	bool pair_flush;
	double used_page_ns;
};

#define SCAN_DEFAULT_STALL_US 20000

/** struct scan_stat - running totals of an engine */
struct scan_stat {
	uint64_t scans;	      /* bulk reads of a whole target */
	uint64_t pages_read;  /* page-table entries in them that map something */
	uint64_t clears;      /* pages made old */
	uint64_t held;	      /* pages left young on purpose: see scan_target_save() */
	uint64_t flushes;     /* of a whole TLB */
	uint64_t interrupts;  /* of each running thread: flushes, and ranges that were cleared */
	uint64_t by_clusters; /* intervals that were begun that way */
	uint64_t by_refs;
	uint64_t unflushed;	   /* intervals in which clear_refs wasn't followed by a flush */
	uint64_t too_long;	   /* intervals in which clear_refs would have stalled too long */
	uint64_t longest_stall_ns; /* measured */
	uint64_t unclearable;	   /* young pages left as they were, last interval */
	uint64_t clear_ns;	   /* time spent clearing and flushing */
};

struct scan_engine;
struct scan_target;

/**
 * scan_engine_new() - an engine for one thread
 * @options:	NULL for the defaults
 *
 * Return: 0; as point_engine_new().
 */
int scan_engine_new(struct scan_engine **engine, const struct page_calibration *calibration,
		    const struct scan_options *options, struct damon_error *err);

/** scan_engine_free() - after its targets; NULL is allowed */
void scan_engine_free(struct scan_engine *engine);

/** scan_engine_stat() - what it did so far */
const struct scan_stat *scan_engine_stat(const struct scan_engine *engine);

/** scan_engine_flush() - how it flushes after clear_refs */
enum scan_flush scan_engine_flush(const struct scan_engine *engine);

/** scan_flush_name() - in words, for records and reports */
const char *scan_flush_name(enum scan_flush flush);

/** scan_engine_prices() - what is known about costs here, by now */
const struct scan_prices *scan_engine_prices(const struct scan_engine *engine);

/**
 * scan_target_new() - watch the process behind @pidfd
 * @map:	its mappings; kept up to date by the caller, who owns it and lets it live longer
 * @pidfd:	borrowed, as long as the target lives
 *
 * Return: 0; as page_link_new().
 */
int scan_target_new(struct scan_target **target, struct scan_engine *engine, int pidfd, pid_t pid,
		    struct watch_map *map, struct damon_error *err);

/** scan_target_free() - NULL is allowed */
void scan_target_free(struct scan_target *target);

/** scan_target_changed() - its mappings were read again, or its pages changed: ask anew what can be cleared */
void scan_target_changed(struct scan_target *target);

/**
 * scan_target_save() - whether to spare the target, from the next scan_prepare() on
 *
 * Then pages that were touched in all sampling intervals of the last window, and of this one so far, are made old in
 * each %SCAN_HOLD_EVERY-th interval only, and count as touched meanwhile: each of them would cost the target
 * a walk of its page tables to say what is known beforehand. That one isn't used any more shows
 * up to three intervals late. Windows of fewer intervals than that are watched as ever.
 */
void scan_target_save(struct scan_target *target, bool save);

/**
 * scan_look() - read all pages in @ranges now, unless the last scan_check() has just done so
 *
 * A scan_prepare() that follows needs no reading. Return: as scan_prepare().
 */
int scan_look(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr);

/**
 * scan_prepare() - make all pages in @ranges old
 * @ranges:	sorted
 * @may_clear:	false: leave bits that are set alone (memory pressure); those pages are unknown
 * @process:	about the process; all 0 when it has no memory (it exited)
 *
 * Return: 0; -EPERM; -ENOMEM; -EMFILE.
 */
int scan_prepare(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
		 bool may_clear, struct page_process *process);

/**
 * scan_check() - which share of each range was touched since?
 * @ranges, @nr: those of the last scan_prepare()
 * @access:	0..%SCAN_ACCESS_UNIT, or DAMON_ACCESS_UNKNOWN
 *
 * Return: as scan_prepare().
 */
int scan_check(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
	       uint32_t *access, struct page_process *process);

/** scan_end_window() - what was counted since the last call becomes the last window */
void scan_end_window(struct scan_target *target);

/** scan_target_runs() - the last window's heat; as scan_blocks_runs() */
int scan_target_runs(const struct scan_target *target, scan_run_callback *callback, void *data);

/*
 * What another engine would find if this one didn't clear: scan_target_keep() takes in all pages
 * that the last reading found young, scan_target_forget() is told what the other one made old.
 */
void scan_target_keep(struct scan_target *target);
bool scan_target_kept(const struct scan_target *target, uint64_t addr);
void scan_target_forget(struct scan_target *target, uint64_t start, uint64_t end);

/**
 * scan_target_touched() - which pages of the piece of 512 at @addr were touched in this window
 * @samples:	where the window is younger than so many sampling intervals, the last one counts as well
 * @touched:	a bit for each page
 */
void scan_target_touched(const struct scan_target *target, uint64_t addr, uint32_t samples,
			 uint64_t *touched);

/** scan_target_blocks() - its pages, valid until the next call of another function */
const struct scan_blocks *scan_target_blocks(const struct scan_target *target);

#endif
