/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading a record once and keeping the sums that reports are made of.
 */
#include "report/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"

/* Windows looked at beforehand to learn which addresses are used at all. */
#define LAYOUT_LOOKS 256

/* How often progress is told, in windows. */
#define PROGRESS_WINDOWS 256

/* One reading: everything a window's handling needs. */
struct reading {
	struct gather *gather;
	struct record_reader *reader;
	const struct report_options *options;
	const struct gather_request *request;
	struct damon_error *error;
	struct grid_piece *pieces;
	size_t max_pieces;
	struct layout_range *ranges;
	size_t nr_pieces;
	bool missed;
};

int report_no_memory(struct damon_error *error)
{
	return damon_error_set(error, -ENOMEM, "not enough memory for the report");
}

static int add_piece(struct reading *reading, const struct record_region *region, uint64_t start,
		     uint64_t end)
{
	const struct report_options *options = reading->options;
	struct grid_piece *pieces = reading->pieces, *last;
	struct layout_range *ranges;
	size_t max;

	if (options->addr_end && start < options->addr_start)
		start = options->addr_start;
	if (options->addr_end && end > options->addr_end)
		end = options->addr_end;
	if (start >= end)
		return 0;
	last = reading->nr_pieces ? &pieces[reading->nr_pieces - 1] : NULL;
	/* Neighbouring mappings don't cut a region. */
	if (last && last->end == start && start > region->start) {
		last->end = end;
		return 0;
	}
	if (reading->nr_pieces == reading->max_pieces) {
		max = reading->max_pieces ? reading->max_pieces * 2 : 1024;
		pieces = realloc(reading->pieces, max * sizeof(*pieces));
		if (!pieces)
			return report_no_memory(reading->error);
		reading->pieces = pieces;
		ranges = realloc(reading->ranges, max * sizeof(*ranges));
		if (!ranges)
			return report_no_memory(reading->error);
		reading->ranges = ranges;
		reading->max_pieces = max;
	}
	pieces[reading->nr_pieces++] = (struct grid_piece){
		.start = start,
		.end = end,
		.nr_accesses = region->nr_accesses,
		.age = region->age,
		.samples = region->samples,
	};
	return 0;
}

/*
 * What of the regions is mapped. A process is watched in a few wide ranges with unmapped
 * holes in them, which are neither idle nor anything else. Where the mappings don't
 * explain the regions at all (another kind of target, a list that is late), the regions count.
 */
static int cut_pieces(struct reading *reading, const struct record_region *regions, size_t nr,
		      const struct record_mapping *mappings, size_t nr_mappings)
{
	uint64_t start, end;
	size_t i, at, m = 0;
	int err = 0;

	reading->nr_pieces = 0;
	for (i = 0; i < nr && nr_mappings && !err; i++) {
		while (m < nr_mappings && mappings[m].end <= regions[i].start)
			m++;
		for (at = m; at < nr_mappings && mappings[at].start < regions[i].end && !err;
		     at++) {
			start = regions[i].start > mappings[at].start ? regions[i].start
								      : mappings[at].start;
			end = regions[i].end < mappings[at].end ? regions[i].end : mappings[at].end;
			err = add_piece(reading, &regions[i], start, end);
		}
	}
	if (reading->nr_pieces)
		return err;
	for (i = 0; i < nr && !err; i++)
		err = add_piece(reading, &regions[i], regions[i].start, regions[i].end);
	return err;
}

static void add_sizes(struct gather_sizes *sizes, const struct report_options *options,
		      const struct grid_piece *pieces, size_t nr)
{
	double bytes, rate;
	size_t i;

	for (i = 0; i < nr; i++) {
		bytes = (double)(pieces[i].end - pieces[i].start);
		sizes->watched += bytes;
		if (!pieces[i].samples) {
			sizes->unknown += bytes;
			continue;
		}
		rate = grid_piece_rate(&pieces[i]);
		if (!pieces[i].nr_accesses)
			sizes->idle += bytes;
		if (rate >= 0.5)
			sizes->hot += bytes;
		if (pieces[i].nr_accesses && rate * 100 + 1e-9 >= options->min_access_pct)
			sizes->working += bytes;
	}
}

static struct gather_target *find_target(struct gather *gather, uint32_t id)
{
	size_t low = 0, high = gather->nr_targets, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (gather->targets[middle].id == id)
			return &gather->targets[middle];
		if (gather->targets[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Call @fn for each wanted target of a window, with its pieces in @reading; may be none. */
static int each_target(struct reading *reading, const struct record_snapshot *snapshot,
		       int (*fn)(struct reading *reading, struct gather_target *target,
				 const struct record_snapshot *snapshot, void *data),
		       void *data)
{
	const struct record_mapping *mappings;
	const struct record_region *regions;
	struct gather_target *target;
	size_t nr, nr_mappings, i, end;
	int err;

	err = record_reader_regions(reading->reader, snapshot->id, &regions, &nr, reading->error);
	for (i = 0; i < nr && !err; i = end) {
		for (end = i; end < nr && regions[end].target == regions[i].target; end++)
			;
		target = find_target(reading->gather, regions[i].target);
		if (!target || !target->wanted)
			continue;
		err = record_reader_mappings(reading->reader, target->id, snapshot->id, &mappings,
					     &nr_mappings, reading->error);
		if (!err)
			err = cut_pieces(reading, &regions[i], end - i, mappings, nr_mappings);
		if (!err && reading->nr_pieces)
			err = fn(reading, target, snapshot, data);
	}
	return err;
}

static size_t piece_ranges(struct reading *reading)
{
	const struct grid_piece *pieces = reading->pieces;
	size_t i, n = 0;

	for (i = 0; i < reading->nr_pieces; i++) {
		if (n && reading->ranges[n - 1].end == pieces[i].start)
			reading->ranges[n - 1].end = pieces[i].end;
		else
			reading->ranges[n++] =
				(struct layout_range){pieces[i].start, pieces[i].end};
	}
	return n;
}

static int learn_layout(struct reading *reading, struct gather_target *target,
			const struct record_snapshot *snapshot, void *data)
{
	struct layout *layout = data ? &target->extra : &target->layout;
	const struct record_mapping *mappings;
	size_t nr;
	int err;

	if (layout_add(layout, reading->ranges, piece_ranges(reading)))
		return report_no_memory(reading->error);
	err = record_reader_mappings(reading->reader, target->id, snapshot->id, &mappings, &nr,
				     reading->error);
	if (!err && layout_add_names(&target->layout, mappings, nr))
		err = report_no_memory(reading->error);
	return err;
}

/* Look at windows spread over the whole time. */
static int look_at_layouts(struct reading *reading)
{
	int64_t span = reading->gather->last_id - reading->gather->first_id, id, last = -1;
	struct record_snapshot snapshot;
	size_t i;
	int err;

	for (i = 0; i < LAYOUT_LOOKS; i++) {
		id = reading->gather->first_id +
		     (int64_t)((double)span * (double)i / (LAYOUT_LOOKS - 1));
		if (id == last)
			continue;
		last = id;
		record_reader_rewind(reading->reader, id);
		err = record_reader_next(reading->reader, &snapshot, reading->error);
		if (err <= 0)
			return err;
		err = each_target(reading, &snapshot, learn_layout, NULL);
		if (err)
			return err;
	}
	return 0;
}

static int make_maps(struct reading *reading)
{
	struct gather *gather = reading->gather;
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		struct gather_target *target = &gather->targets[i];

		grid_clear(&target->grid);
		if (layout_make_rows(&target->layout, reading->request->lines,
				     reading->request->per_line) ||
		    grid_init(&target->grid, target->layout.nr_rows, reading->request->columns,
			      gather->t_start_ns, gather->t_end_ns))
			return report_no_memory(reading->error);
	}
	return 0;
}

static int add_target_window(struct reading *reading, struct gather_target *target,
			     const struct record_snapshot *snapshot, void *data)
{
	struct gather_sizes *sizes = data;
	int err = 0;

	add_sizes(sizes, reading->options, reading->pieces, reading->nr_pieces);
	target->last_snapshot = snapshot->id;
	if (!(reading->request->what & GATHER_MAP))
		return 0;
	if (layout_missing(&target->layout, reading->ranges, piece_ranges(reading))) {
		reading->missed = true;
		err = learn_layout(reading, target, snapshot, target);
	}
	grid_add(&target->grid, &target->layout, reading->pieces, reading->nr_pieces,
		 snapshot->t_start_ns, snapshot->t_end_ns);
	return err;
}

static int add_point(struct reading *reading, const struct record_snapshot *snapshot, double bytes)
{
	struct gather *gather = reading->gather;
	struct gather_point *points;
	size_t max;

	if (gather->nr_points == gather->max_points) {
		max = gather->max_points ? gather->max_points * 2 : 1024;
		points = realloc(gather->points, max * sizeof(*points));
		if (!points)
			return report_no_memory(reading->error);
		gather->points = points;
		gather->max_points = max;
	}
	gather->points[gather->nr_points++] = (struct gather_point){
		.t_start_ns = snapshot->t_start_ns,
		.t_end_ns = snapshot->t_end_ns,
		.bytes = bytes,
	};
	return 0;
}

static void add_cost(struct gather *gather, const struct record_snapshot *snapshot)
{
	if (snapshot->cpu_ns == RECORD_UNKNOWN)
		gather->cpu_known = false;
	else
		gather->cpu_ns += (double)snapshot->cpu_ns;
	if (snapshot->target_ns == RECORD_UNKNOWN)
		gather->target_known = false;
	else
		gather->target_ns += (double)snapshot->target_ns;
	if (snapshot->floor_us)
		gather->floored_ns += snapshot->t_end_ns - snapshot->t_start_ns;
	if (snapshot->floor_us > gather->max_floor_us)
		gather->max_floor_us = snapshot->floor_us;
	gather->clears += (double)snapshot->clears;
	gather->flushes += (double)snapshot->flushes;
	gather->lost += snapshot->lost;
	gather->unwatchable_bytes = snapshot->unwatchable_bytes;
	if (snapshot->sample_us < gather->min_sample_us)
		gather->min_sample_us = snapshot->sample_us;
	if (snapshot->sample_us > gather->max_sample_us)
		gather->max_sample_us = snapshot->sample_us;
	if (snapshot->aggr_us < gather->min_aggr_us)
		gather->min_aggr_us = snapshot->aggr_us;
	if (snapshot->aggr_us > gather->max_aggr_us)
		gather->max_aggr_us = snapshot->aggr_us;
	if (snapshot->engine && strcmp(gather->engine, snapshot->engine)) {
		gather->several_engines = gather->engine[0];
		format_clean(gather->engine, sizeof(gather->engine), snapshot->engine, true);
	}
}

static int add_window(struct reading *reading, const struct record_snapshot *snapshot)
{
	struct gather *gather = reading->gather;
	struct gather_sizes sizes = {0};
	uint64_t ns;
	int err;

	err = each_target(reading, snapshot, add_target_window, &sizes);
	if (err)
		return err;
	add_cost(gather, snapshot);
	gather->nr_snapshots++;
	ns = snapshot->t_end_ns > snapshot->t_start_ns ? snapshot->t_end_ns - snapshot->t_start_ns
						       : 1;
	gather->watched_ns += ns;
	gather->asked_ns += (double)snapshot->aggr_us * 1e3;
	gather->mean.watched += sizes.watched * (double)ns;
	gather->mean.hot += sizes.hot * (double)ns;
	gather->mean.working += sizes.working * (double)ns;
	gather->mean.idle += sizes.idle * (double)ns;
	gather->mean.unknown += sizes.unknown * (double)ns;
	if (sizes.watched > 0) {
		gather->last = sizes;
		gather->last_snapshot = snapshot->id;
		gather->last_t_end_ns = snapshot->t_end_ns;
		gather->last_ns = (double)snapshot->aggr_us * 1e3;
	}
	return add_point(reading, snapshot, sizes.working);
}

static void reset_sums(struct gather *gather)
{
	gather->nr_snapshots = 0;
	gather->asked_ns = 0;
	gather->nr_points = 0;
	gather->watched_ns = 0;
	gather->cpu_known = true;
	gather->cpu_ns = gather->clears = gather->flushes = gather->target_ns = 0;
	gather->target_known = true;
	gather->floored_ns = gather->max_floor_us = 0;
	gather->lost = 0;
	gather->min_sample_us = UINT64_MAX;
	gather->max_sample_us = 0;
	gather->min_aggr_us = UINT64_MAX;
	gather->max_aggr_us = 0;
	gather->engine[0] = 0;
	gather->several_engines = false;
	gather->last = gather->mean = (struct gather_sizes){0};
	gather->last_snapshot = 0;
}

static int read_windows(struct reading *reading)
{
	const struct report_progress *progress = &reading->options->progress;
	double span = (double)(reading->gather->last_id - reading->gather->first_id) + 1;
	struct gather *gather = reading->gather;
	struct record_snapshot snapshot;
	uint64_t n = 0;
	int err;

	reset_sums(gather);
	record_reader_rewind(reading->reader, reading->gather->first_id);
	while ((err = record_reader_next(reading->reader, &snapshot, reading->error)) > 0) {
		if (snapshot.t_start_ns >= gather->t_end_ns && gather->nr_snapshots)
			break;
		if (snapshot.t_end_ns <= gather->t_start_ns &&
		    gather->t_start_ns > gather->t_first_ns)
			continue;
		err = add_window(reading, &snapshot);
		if (err)
			return err;
		if (progress->fn && ++n % PROGRESS_WINDOWS == 0) {
			err = progress->fn((double)(snapshot.id - reading->gather->first_id) / span,
					   progress->data);
			if (err)
				return err;
		}
	}
	if (err < 0)
		return err;
	/* A window tells of those lost before it; nothing was written after the last ones. */
	if (gather->nr_snapshots == gather->nr_recorded && gather->lost < gather->lost_in_all)
		gather->lost = gather->lost_in_all;
	if (gather->watched_ns) {
		gather->mean.watched /= (double)gather->watched_ns;
		gather->mean.hot /= (double)gather->watched_ns;
		gather->mean.working /= (double)gather->watched_ns;
		gather->mean.idle /= (double)gather->watched_ns;
		gather->mean.unknown /= (double)gather->watched_ns;
	}
	return 0;
}

/* Windows between those looked at beforehand used other addresses: take these in as well. */
static int add_missed(struct reading *reading)
{
	struct layout_range *ranges;
	size_t i, s;
	int err = 0;

	for (i = 0; i < reading->gather->nr_targets && !err; i++) {
		struct gather_target *target = &reading->gather->targets[i];

		if (!target->extra.nr_spans)
			continue;
		ranges = calloc(target->extra.nr_spans, sizeof(*ranges));
		if (!ranges)
			return report_no_memory(reading->error);
		for (s = 0; s < target->extra.nr_spans; s++) {
			ranges[s].start = target->extra.spans[s].start;
			ranges[s].end = target->extra.spans[s].end;
		}
		if (layout_add(&target->layout, ranges, target->extra.nr_spans))
			err = report_no_memory(reading->error);
		free(ranges);
	}
	return err;
}

static int read_maps(struct reading *reading)
{
	int err;

	err = look_at_layouts(reading);
	err = err ? err : make_maps(reading);
	err = err ? err : read_windows(reading);
	if (err || !reading->missed)
		return err;
	err = add_missed(reading);
	err = err ? err : make_maps(reading);
	return err ? err : read_windows(reading);
}

static int keep_region(struct reading *reading, struct gather_regions *regions,
		       const struct gather_target *target, const struct grid_piece *piece)
{
	struct gather_region *array;
	size_t max;

	if (regions->nr == regions->max) {
		max = regions->max ? regions->max * 2 : 256;
		array = realloc(regions->array, max * sizeof(*array));
		if (!array)
			return report_no_memory(reading->error);
		regions->array = array;
		regions->max = max;
	}
	regions->array[regions->nr++] = (struct gather_region){
		.target = (size_t)(target - reading->gather->targets),
		.piece = *piece,
	};
	return 0;
}

static int keep_last(struct reading *reading, struct gather_target *target,
		     const struct record_snapshot *snapshot, void *data)
{
	const struct report_options *options = reading->options;
	const struct record_mapping *mappings;
	uint64_t start, end;
	size_t i, nr;
	int err = 0;

	for (i = 0; i < reading->nr_pieces && !err; i++)
		err = keep_region(reading, &reading->gather->last_pieces, target,
				  &reading->pieces[i]);
	err = err ? err
		  : record_reader_mappings(reading->reader, target->id, snapshot->id, &mappings,
					   &nr, reading->error);
	for (i = 0; !err && i < nr; i++) {
		start = mappings[i].start;
		end = mappings[i].end;
		if (options->addr_end && start < options->addr_start)
			start = options->addr_start;
		if (options->addr_end && end > options->addr_end)
			end = options->addr_end;
		target->mapped_bytes += end > start ? end - start : 0;
	}
	if (!err && layout_add_names(&target->layout, mappings, nr))
		err = report_no_memory(reading->error);
	for (i = 0; !err && !nr && i < reading->nr_pieces; i++)
		target->mapped_bytes += reading->pieces[i].end - reading->pieces[i].start;
	return err;
}

/* The regions of the newest window that has any, as they stand in the record. */
static int read_last(struct reading *reading)
{
	struct gather *gather = reading->gather;
	const struct report_options *options = reading->options;
	struct record_snapshot snapshot = {.id = gather->last_snapshot};
	const struct record_region *regions;
	struct gather_target *target;
	size_t nr, i;
	int err;

	if (!gather->last_snapshot)
		return 0;
	err = each_target(reading, &snapshot, keep_last, NULL);
	err = err ? err
		  : record_reader_regions(reading->reader, snapshot.id, &regions, &nr,
					  reading->error);
	for (i = 0; !err && i < nr; i++) {
		target = find_target(gather, regions[i].target);
		if (!target || !target->wanted)
			continue;
		if (options->addr_end && (regions[i].end <= options->addr_start ||
					  regions[i].start >= options->addr_end))
			continue;
		err = keep_region(reading, &gather->last_regions, target,
				  &(struct grid_piece){.start = regions[i].start,
						       .end = regions[i].end,
						       .nr_accesses = regions[i].nr_accesses,
						       .age = regions[i].age,
						       .samples = regions[i].samples});
	}
	return err;
}

int gather(struct gather *gather, struct record_reader *reader,
	   const struct report_options *options, const struct gather_request *request,
	   struct damon_error *error)
{
	struct reading reading = {
		.gather = gather,
		.reader = reader,
		.options = options,
		.request = request,
		.error = error,
	};
	bool any;
	int err;

	memset(gather, 0, sizeof(*gather));
	err = gather_frame(gather, reader, options, error);
	any = gather->nr_recorded;
	if (!err && any)
		err = request->what & GATHER_MAP ? read_maps(&reading) : read_windows(&reading);
	if (!err && any && (request->what & GATHER_LAST))
		err = read_last(&reading);
	free(reading.pieces);
	free(reading.ranges);
	if (err)
		gather_clear(gather);
	return err;
}

void gather_clear(struct gather *gather)
{
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		layout_clear(&gather->targets[i].layout);
		layout_clear(&gather->targets[i].extra);
		grid_clear(&gather->targets[i].grid);
	}
	free(gather->targets);
	free(gather->points);
	free(gather->last_regions.array);
	free(gather->last_pieces.array);
	free(gather->events);
	memset(gather, 0, sizeof(*gather));
}

void gather_target_name(const struct gather_target *target, char *to, size_t size)
{
	if (target->comm[0] && target->pid >= 0)
		snprintf(to, size, "%s (pid %lld)", target->comm, (long long)target->pid);
	else if (target->pid >= 0)
		snprintf(to, size, "pid %lld", (long long)target->pid);
	else if (target->comm[0])
		snprintf(to, size, "%s", target->comm);
	else
		snprintf(to, size, "target %u", target->id);
}
