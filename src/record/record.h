/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The record file: writing one while monitoring, and reading one.
 *
 * A record is an SQLite database; udamon-record(5) describes its tables. Addresses are
 * uint64_t here and signed in SQLite, with the same bit pattern. "Fails with a text" means that a
 * line for the user is put into @err, which may be NULL.
 */
#ifndef UDAMON_RECORD_RECORD_H
#define UDAMON_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <udamon/damon.h>
#include <udamon/error.h>

/** RECORD_VERSION - PRAGMA user_version of the records written here, and the newest that is read */
#define RECORD_VERSION 1

/** RECORD_APPLICATION_ID - PRAGMA application_id of a record ("udmn") */
#define RECORD_APPLICATION_ID 0x75646d6e

/** RECORD_UNKNOWN - "not recorded", where a count can be */
#define RECORD_UNKNOWN INT64_MIN

/**
 * struct record_target - one thing that was watched
 * @id:		&damon_target.id
 * @pid:	process id, or -1
 * @comm:	the program's short name; NULL or "" when there is none
 * @cmdline:	its arguments, separated by spaces; likewise
 * @kind:	the operations set's name: "vaddr", "fvaddr", "paddr", "sim"
 */
struct record_target {
	uint32_t id;
	int64_t pid;
	const char *comm;
	const char *cmdline;
	const char *kind;
};

/**
 * struct record_mapping - one mapping of a target
 * @start, @end: bytes
 * @perms:	as "rw-p"
 * @path:	file or pseudo name ("[heap]"), "" for anonymous memory
 */
struct record_mapping {
	uint64_t start;
	uint64_t end;
	const char *perms;
	const char *path;
};

/**
 * struct record_region - one region in one window
 * @target:	&record_target.id
 * @start, @end: bytes
 * @nr_accesses: sampling intervals in which it was found accessed
 * @age:	windows since its access frequency last changed
 * @samples:	sampling intervals whose outcome is known; 0 = nothing is known about the
 *		region. The access rate is @nr_accesses / @samples.
 */
struct record_region {
	uint32_t target;
	uint64_t start;
	uint64_t end;
	uint32_t nr_accesses;
	uint32_t age;
	uint32_t samples;
};

/**
 * struct record_scheme_stat - what a scheme has done since the start, running totals
 * @scheme:	its index
 * @esz:	the effective quota at that time, not a total; 0 also in records that don't have it
 * The rest is named as in DAMON's statistics of schemes; sizes in bytes.
 */
struct record_scheme_stat {
	uint32_t scheme;
	uint64_t nr_tried;
	uint64_t sz_tried;
	uint64_t nr_applied;
	uint64_t sz_applied;
	uint64_t sz_ops_filter_passed;
	uint64_t qt_exceeds;
	uint64_t nr_snapshots;
	uint64_t esz;
};

/**
 * struct record_heat - pages that were touched equally often in the last window
 * @target:	&record_target.id
 * @start, @end: bytes
 * @page_size:	of each of these pages, bytes
 * @touched:	sampling intervals in which each was touched; -1: nobody can say
 * @samples:	sampling intervals of the window; the heat is @touched / @samples
 */
struct record_heat {
	uint32_t target;
	uint64_t start;
	uint64_t end;
	uint64_t page_size;
	int32_t touched;
	uint32_t samples;
};

/**
 * struct record_options - what a record says about itself
 * @virtual_time: times are virtual: what isn't a result (start time, host, kernel, command
 *		line, processor time) stays empty, so that equal runs give equal files
 * @engine:	access engine: "point", "scan", "idle", "sim", "kernel"
 * @command:	the command line that made the record, or NULL
 * @seed:	of the context's random numbers
 * @clock:	name of the clock that windows and events are timed with, as "monotonic"; with
 *		@virtual_time "virtual" is written instead
 * @now_ns:	that clock's reading now: the moment of the record's start time
 * @attrs:	the attributes at the start, or NULL
 * @failed:	called once, when for the first time something could not be written, on the
 *		thread that tried. Monitoring goes on, and so does trying. May be NULL.
 * @data:	passed to @failed
 */
struct record_options {
	bool virtual_time;
	const char *engine;
	const char *command;
	uint64_t seed;
	const char *clock;
	uint64_t now_ns;
	const struct damon_attrs *attrs;
	void (*failed)(void *data, int code, const char *text);
	void *data;
};

/*
 * Writing. One thread at a time: record_create() and record_close() where the context is set up,
 * the others there before the start or on the kdamond. What is not a window waits in memory and is
 * written in the transaction of the next window, or at the close; a reader so always finds a window
 * with everything that belongs to it.
 *
 * A program that writes records ignores SIGXFSZ, so that a file size limit is an error (-EFBIG) and
 * not its end, and doesn't use a record on both sides of a fork().
 */

struct record;

/**
 * record_create() - make a record, mode 0600
 * @rec:	set on success
 * @path:	a record of that name that nobody has open is replaced, in one step and only once
 *		the new one exists; so is an empty file. Any other file is refused.
 * @options:	copied, with its texts
 *
 * Call it late, when nothing else can refuse the run: an older record is gone afterwards.
 * Return: 0; -EEXIST (a file that isn't a record); -EBUSY (the record is open elsewhere); -ENOENT
 * (no such directory), -EACCES, -ENOSPC, -ENOMEM and the like. Fails with a text and leaves nothing
 * behind.
 */
int record_create(struct record **rec, const char *path, const struct record_options *options,
		  struct damon_error *err);

/** record_add_target() - a target is watched from now on; 0 or -ENOMEM */
int record_add_target(struct record *rec, const struct record_target *target);

/**
 * record_set_mappings() - the mappings of a target as they are now
 *
 * Sorted by address. Cheap when nothing changed: only differing lists are
 * written. Return: 0 or -ENOMEM.
 */
int record_set_mappings(struct record *rec, uint32_t target, const struct record_mapping *mappings,
			size_t nr);

/** record_set_meta() - set one of the record's own properties; 0 or -ENOMEM */
int record_set_meta(struct record *rec, const char *key, const char *value);

/**
 * record_set_scheme_stats() - totals of all schemes, for the next window; 0 or -ENOMEM
 *
 * record_window() does it for the schemes of its context.
 */
int record_set_scheme_stats(struct record *rec, const struct record_scheme_stat *stats, size_t nr);

/**
 * record_describe_scheme() - what a scheme of the record is
 * @scheme:	its index
 * @words:	for people
 * @json:	for programs
 *
 * They become the properties "scheme_N" and "scheme_N_json". Return: 0 or -ENOMEM.
 */
int record_describe_scheme(struct record *rec, uint32_t scheme, const char *words,
			   const char *json);

/** record_set_engine() - the access engine of the windows from now on; 0 or -ENOMEM */
int record_set_engine(struct record *rec, const char *engine);

/** record_event() - something happened; 0 or -ENOMEM. For &damon_callbacks.event. */
int record_event(struct record *rec, const struct damon_event *event);

/**
 * record_window() - write a finished window with the regions of all of @ctx's targets
 *
 * For &damon_callbacks.window, whose return value must not be this one: a window that can't be
 * written is counted, and is no reason to stop monitoring.
 * Return: 0, or the -errno for which the window is lost.
 */
int record_window(struct record *rec, const struct damon_ctx *ctx,
		  const struct damon_window *window);

/**
 * record_add_window() - the same with the regions in an array
 * @regions:	sorted by target, then by start
 */
int record_add_window(struct record *rec, const struct damon_window *window,
		      const struct record_region *regions, size_t nr);

/** record_add_heat() - pages of the last window, written at the close; 0 or -ENOMEM */
int record_add_heat(struct record *rec, const struct record_heat *heat);

/** record_nr_lost() - windows that could not be written so far */
uint64_t record_nr_lost(const struct record *rec);

/**
 * record_close() - finish the record and free @rec, whatever is returned; NULL is allowed
 *
 * Afterwards the record is one file, without write-ahead log. Return: 0, or a -errno with a text
 * when anything was lost (the number of windows is in the text) or the log had to stay.
 */
int record_close(struct record *rec, struct damon_error *err);

/** record_discard() - remove the record that was being written, and free @rec; NULL is allowed */
void record_discard(struct record *rec);

/*
 * Reading. A reader belongs to one thread at a time. It shows the record as it was when it was
 * opened or refreshed, also while it is being written. Arrays and texts that are handed out belong to
 * the reader and are valid until the next call of the same function, refresh or close. Each function
 * that can fail returns -EBADMSG (damaged), -EIO, -ENOMEM and the like, with a text.
 */

/**
 * struct record_snapshot - one window
 * @id:		1, 2, ... in order of time
 * @t_start_ns, @t_end_ns: by the record's clock
 * @sample_us, @aggr_us: intervals in force
 * @engine:	access engine
 * @cpu_ns:	processor time of the monitor since the snapshot before (lost ones are
 *		included), or RECORD_UNKNOWN (virtual time)
 * @clears:	Accessed bits made old since the snapshot before
 * @lost:	windows between the snapshot before and this that could not be written
 * @flushes:	flushes of a target's whole TLB since the snapshot before
 * @unwatchable_bytes: size of the mappings that couldn't be watched at its end
 * @target_ns:	processor time clears and flushes cost the targets since the snapshot before,
 *		estimated, or RECORD_UNKNOWN (virtual time, older records)
 * @floor_us:	shortest sampling interval that the budget allowed, where that was longer than the one
 *		asked for; else 0
 */
struct record_snapshot {
	int64_t id;
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	uint64_t sample_us;
	uint64_t aggr_us;
	const char *engine;
	int64_t cpu_ns;
	uint64_t clears;
	uint64_t lost;
	uint64_t flushes;
	uint64_t unwatchable_bytes;
	int64_t target_ns;
	uint64_t floor_us;
};

/** struct record_event_row - an event as read; members as in &struct damon_event */
struct record_event_row {
	uint64_t t_ns;
	int64_t target;
	const char *what;
	const char *detail;
};

struct record_reader;

/**
 * record_reader_open() - open a record, which may be one that is being written or was cut off
 *
 * Return: 0; -ENOENT, -EACCES...; -EBADMSG (not a record, or damaged); -ENOTSUP (written by a newer
 * version). Fails with a text.
 */
int record_reader_open(struct record_reader **reader, const char *path, struct damon_error *err);

/** record_reader_close() - NULL is allowed */
void record_reader_close(struct record_reader *reader);

/** record_reader_refresh() - see what was written since; rewinds the snapshots */
int record_reader_refresh(struct record_reader *reader, struct damon_error *err);

/** record_reader_path() - as given to record_reader_open() */
const char *record_reader_path(const struct record_reader *reader);

/**
 * record_reader_meta() - a property of the record, or NULL
 *
 * Keys are listed in udamon-record(5). The text is valid until refresh or close.
 */
const char *record_reader_meta(struct record_reader *reader, const char *key);

/** record_reader_meta_row() - property number @idx in the order of the keys; false at the end */
bool record_reader_meta_row(struct record_reader *reader, size_t idx, const char **key,
			    const char **value);

/** record_reader_nr_snapshots() - how many there are */
int record_reader_nr_snapshots(struct record_reader *reader, uint64_t *nr, struct damon_error *err);

/** record_reader_targets() - all targets, by id */
int record_reader_targets(struct record_reader *reader, const struct record_target **targets,
			  size_t *nr, struct damon_error *err);

/**
 * record_reader_mappings() - the mappings of a target as they were in a snapshot
 *
 * Sorted by address. None before a target's first list; a target that is gone keeps its last one.
 */
int record_reader_mappings(struct record_reader *reader, uint32_t target, int64_t snapshot,
			   const struct record_mapping **mappings, size_t *nr,
			   struct damon_error *err);

/**
 * record_reader_next_mappings() - from which snapshots on a target had new mappings
 * @from:	in: a snapshot, INT64_MIN at first; out: the next after it with a new list
 *
 * Return: 1, or 0 when there is none, or -errno.
 */
int record_reader_next_mappings(struct record_reader *reader, uint32_t target, int64_t *from,
				struct damon_error *err);

/** record_reader_rewind() - let record_reader_next() begin with the first snapshot >= @id */
void record_reader_rewind(struct record_reader *reader, int64_t id);

/** record_reader_next() - the next snapshot in order of time; 1, or 0 at the end, or -errno */
int record_reader_next(struct record_reader *reader, struct record_snapshot *snapshot,
		       struct damon_error *err);

/** record_reader_last() - the newest snapshot; 1, or 0 when there is none, or -errno. Doesn't rewind. */
int record_reader_last(struct record_reader *reader, struct record_snapshot *snapshot,
		       struct damon_error *err);

/** record_reader_regions() - the regions of a snapshot by target, then by (unsigned) address */
int record_reader_regions(struct record_reader *reader, int64_t snapshot,
			  const struct record_region **regions, size_t *nr,
			  struct damon_error *err);

/** record_reader_target_regions() - the same of one target only; it takes the former's place */
int record_reader_target_regions(struct record_reader *reader, int64_t snapshot, uint32_t target,
				 const struct record_region **regions, size_t *nr,
				 struct damon_error *err);

/** record_reader_scheme_stats() - the schemes' totals in a snapshot, by scheme */
int record_reader_scheme_stats(struct record_reader *reader, int64_t snapshot,
			       const struct record_scheme_stat **stats, size_t *nr,
			       struct damon_error *err);

/** record_reader_scheme() - what a scheme of the record is, in words; NULL when the record doesn't say */
const char *record_reader_scheme(struct record_reader *reader, uint32_t scheme);

/** record_reader_scheme_json() - the same as JSON */
const char *record_reader_scheme_json(struct record_reader *reader, uint32_t scheme);

/** record_reader_heat() - pages of the last window; none in records of engines that sample */
int record_reader_heat(struct record_reader *reader, const struct record_heat **heat, size_t *nr,
		       struct damon_error *err);

/** record_reader_events() - all events in order of time */
int record_reader_events(struct record_reader *reader, const struct record_event_row **events,
			 size_t *nr, struct damon_error *err);

#endif
