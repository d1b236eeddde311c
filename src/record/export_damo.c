// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A record as DAMON's user-space tool reads it: zlib over a JSON list, one element per target.
 *
 * What that format can't say: a region nothing is known about is left out rather than called
 * cold, and counts of a region known only in part are scaled up to the whole window.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "record/export_format.h"

static uint64_t meta_number(struct record_reader *reader, const char *key)
{
	const char *value = record_reader_meta(reader, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

/**
 * struct damo_list - what was put so far
 * @targets:	elements of the list
 * @windows:	snapshots of the last element
 */
struct damo_list {
	struct record_reader *reader;
	struct sink *sink;
	size_t targets;
	size_t windows;
};

/* The head of a target's element; the intervals are those of its first window. */
static void put_target(struct damo_list *list, uint32_t target,
		       const struct record_snapshot *snapshot, bool schemes)
{
	struct record_reader *reader = list->reader;
	uint64_t aggrs = meta_number(reader, "goal_aggrs");

	sink_put(
		list->sink,
		"%s{\"kdamond_idx\": 0, \"context_idx\": 0, \"intervals\": {\"sample_us\": %" PRIu64
		", \"aggr_us\": %" PRIu64 ", \"ops_update_us\": %" PRIu64,
		list->targets ? ",\n" : "", snapshot->sample_us, snapshot->aggr_us,
		meta_number(reader, "update_us"));
	if (aggrs)
		sink_put(list->sink,
			 ", \"intervals_goal\": {\"access_bp\": %" PRIu64 ", \"aggrs\": %" PRIu64
			 ", \"min_sample_us\": %" PRIu64 ", \"max_sample_us\": %" PRIu64 "}",
			 meta_number(reader, "goal_access_bp"), aggrs,
			 meta_number(reader, "goal_min_sample_us"),
			 meta_number(reader, "goal_max_sample_us"));
	sink_put(list->sink,
		 "}, \"scheme_idx\": %s, \"target_id\": %" PRIu32
		 ", \"scheme_filters\": [], \"data_source\": \"udamon\", \"snapshots\": [\n",
		 schemes ? "0" : "null", target);
	list->targets++;
}

/* There is room for one scheme: the first. */
static void put_scheme(struct sink *sink, const struct record_scheme_stat *stat)
{
	if (!stat) {
		sink_put_text(sink, "null");
		return;
	}
	sink_put(sink,
		 "{\"nr_tried\": %" PRIu64 ", \"sz_tried\": %" PRIu64 ", \"nr_applied\": %" PRIu64
		 ", \"sz_applied\": %" PRIu64 ", \"sz_ops_filter_passed\": %" PRIu64
		 ", \"qt_exceeds\": %" PRIu64 ", \"nr_snapshots\": %" PRIu64
		 ", \"max_nr_snapshots\": 0}",
		 stat->nr_tried, stat->sz_tried, stat->nr_applied, stat->sz_applied,
		 stat->sz_ops_filter_passed, stat->qt_exceeds, stat->nr_snapshots);
}

static void put_window(struct damo_list *list, const struct record_snapshot *snapshot,
		       const struct record_scheme_stat *stat)
{
	sink_put(list->sink,
		 "%s{\"start_time\": %" PRIu64 ", \"end_time\": %" PRIu64
		 ", \"total_bytes\": null, \"damos_stats\": ",
		 list->windows ? ",\n" : "", snapshot->t_start_ns, snapshot->t_end_ns);
	put_scheme(list->sink, stat);
	sink_put(list->sink, ", \"sample_interval_us\": %" PRIu64 ", \"regions\": [\n",
		 snapshot->sample_us);
	list->windows++;
}

static void put_region(struct sink *sink, const struct record_region *region,
		       const struct record_snapshot *snapshot, bool first)
{
	uint64_t window = snapshot->sample_us ? snapshot->aggr_us / snapshot->sample_us : 0;
	uint64_t nr_accesses = region->nr_accesses;

	if (region->samples < window)
		nr_accesses = (nr_accesses * window + region->samples / 2) / region->samples;
	sink_put(sink,
		 "%s{\"start\": %" PRIu64 ", \"end\": %" PRIu64
		 ", \"nr_accesses\": {\"samples\": %" PRIu64 ", \"percent\": %" PRIu64
		 "}, \"age\": {\"usec\": %" PRIu64 ", \"aggr_intervals\": %" PRIu32
		 "}, \"probe_hits\": [], \"sz_filter_passed\": 0}",
		 first ? "" : ",\n", region->start, region->end, nr_accesses,
		 (uint64_t)region->nr_accesses * 100 / region->samples,
		 (uint64_t)region->age * snapshot->aggr_us, region->age);
}

/* One window of one target, if anything is known about it. */
static int put_snapshot(struct damo_list *list, uint32_t target,
			const struct record_snapshot *snapshot, struct damon_error *err)
{
	const struct record_scheme_stat *stats;
	const struct record_region *regions;
	bool first = true;
	size_t nr, nr_stats;
	int rc = record_reader_target_regions(list->reader, snapshot->id, target, &regions, &nr,
					      err);

	if (!rc)
		rc = record_reader_scheme_stats(list->reader, snapshot->id, &stats, &nr_stats, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++) {
		if (!regions[i].samples)
			continue;
		if (first && !list->windows)
			put_target(list, target, snapshot, nr_stats);
		if (first)
			put_window(list, snapshot, nr_stats ? stats : NULL);
		put_region(list->sink, &regions[i], snapshot, first);
		first = false;
	}
	if (!first)
		sink_put_text(list->sink, "]}");
	return 0;
}

static int put_snapshots(struct damo_list *list, uint32_t target, struct damon_error *err)
{
	struct record_snapshot snapshot;
	int rc = 0;

	list->windows = 0;
	record_reader_rewind(list->reader, INT64_MIN);
	while (!list->sink->error && (rc = record_reader_next(list->reader, &snapshot, err)) == 1) {
		rc = put_snapshot(list, target, &snapshot, err);
		if (rc)
			return rc;
	}
	if (list->windows)
		sink_put_text(list->sink, "]}");
	return list->sink->error ? 0 : rc;
}

int export_damo(struct record_reader *reader, struct sink *sink, struct damon_error *err)
{
	struct damo_list list = {.reader = reader, .sink = sink};
	const struct record_target *targets;
	size_t nr;
	int rc = record_reader_targets(reader, &targets, &nr, err);

	if (rc)
		return rc;
	sink_put_text(sink, "[");
	for (size_t i = 0; i < nr && !rc; i++)
		rc = put_snapshots(&list, targets[i].id, err);
	sink_put_text(sink, "]\n");
	return rc;
}
