/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading a record once and keeping the sums that reports are made of.
 */
#ifndef REPORT_GATHER_H
#define REPORT_GATHER_H

#include "record/record.h"
#include "report/grid.h"
#include "report/layout.h"
#include "report/report.h"

/** struct gather_sizes - bytes of a window by what is known about them */
struct gather_sizes {
	double watched; /* covered by regions */
	double hot;	/* accessed in at least half of the samples */
	double working; /* accessed at least at the chosen rate */
	double idle;	/* known, and not accessed */
	double unknown; /* nothing known */
};

/** struct gather_target - a target and its map */
struct gather_target {
	uint32_t id;
	int64_t pid;
	char comm[48];
	char cmdline[256];
	char kind[16];
	bool wanted;
	int64_t last_snapshot; /* the newest with regions of it, 0: none */
	uint64_t mapped_bytes; /* at the last window, if it had regions then */
	struct layout layout;
	struct layout extra; /* spans that a first look at the layout missed */
	struct grid grid;
};

/** struct gather_point - the working set in one window */
struct gather_point {
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	double bytes;
};

/** struct gather_region - a region of the last window */
struct gather_region {
	size_t target; /* index */
	struct grid_piece piece;
};

/** struct gather_regions - some of them */
struct gather_regions {
	struct gather_region *array;
	size_t nr;
	size_t max;
};

/** struct gather_event - an event, its texts cleaned */
struct gather_event {
	uint64_t t_ns; /* since the first window; 0 for what came before it */
	int64_t target;
	char what[24];
	char detail[200];
};

/** What gather() shall keep. */
#define GATHER_MAP  (1u << 0)
#define GATHER_LAST (1u << 1)

/** struct gather_request - which sums, and how fine */
struct gather_request {
	unsigned int what;
	size_t columns;	 /* of the maps */
	size_t lines;	 /* of the maps, with the marks of gaps */
	size_t per_line; /* rows in a line */
};

/**
 * struct gather - the sums
 * @nr_recorded: windows in the record; @first_id, @last_id: their snapshots
 * @nr_snapshots: windows that were read: those of the wanted time
 * @t_start_ns, @t_end_ns: what is shown, by the record's clock
 * @watched_ns:	time in windows; @asked_ns: in as many of the length that was asked for
 * @t_first_ns:	where the record begins: times are shown from there
 * @cpu_known:	processor time was recorded; @target_known: and what it cost the targets
 * @floored_ns:	time in windows in which the budget lengthened the sampling interval; @max_floor_us: to
 *		at most that
 * @lost:	windows that could not be written, in what is reported; @lost_in_all: in the whole record
 * @no_flush:	TLBs were not flushed after clearing
 * @complete:	the record was ended, not cut off or still being written
 * @last:	sizes in the last window; @mean: over time
 * @last_regions: of the newest window that has any: by target and address, as recorded
 * @last_pieces: the same as far as they are mapped
 * @paused_ns:	time spent paused; @held_ns: held by the watermarks of all schemes
 * @last_ns:	length of that window as it was asked for (its ages count such windows)
 */
struct gather {
	struct gather_target *targets;
	size_t nr_targets;
	uint64_t nr_recorded;
	int64_t first_id;
	int64_t last_id;
	uint64_t nr_snapshots;
	uint64_t t_first_ns;
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	uint64_t watched_ns;
	double asked_ns;
	char engine[24];
	bool several_engines;
	bool virtual_time;
	bool cpu_known;
	bool target_known;
	bool no_flush;
	bool complete;
	double cpu_ns;
	double clears;
	double flushes;
	double target_ns;
	uint64_t floored_ns;
	uint64_t max_floor_us;
	uint64_t lost;
	uint64_t lost_in_all;
	uint64_t unwatchable_bytes;
	uint64_t min_sample_us;
	uint64_t max_sample_us;
	uint64_t min_aggr_us;
	uint64_t max_aggr_us;
	struct gather_sizes last;
	struct gather_sizes mean;
	int64_t last_snapshot;
	double last_ns;
	uint64_t last_t_end_ns;
	struct gather_point *points;
	size_t nr_points;
	size_t max_points;
	struct gather_regions last_regions;
	struct gather_regions last_pieces;
	struct gather_event *events;
	size_t nr_events;
	uint64_t paused_ns;
	uint64_t held_ns;
};

/** gather() - read the record; on failure nothing is left to clear */
int gather(struct gather *gather, struct record_reader *reader,
	   const struct report_options *options, const struct gather_request *request,
	   struct damon_error *error);

/** gather_frame() - the part that needs no window: targets, events, extent; for gather() */
int gather_frame(struct gather *gather, struct record_reader *reader,
		 const struct report_options *options, struct damon_error *error);
void gather_clear(struct gather *gather);

/** gather_target_name() - "redis-server (pid 4242)" */
void gather_target_name(const struct gather_target *target, char *to, size_t size);

/** report_no_memory() - the text for that; -ENOMEM */
int report_no_memory(struct damon_error *error);

#endif
