// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A record as one JSON object, with everything that is in it; docs/export.md lists the keys. */
#include <inttypes.h>

#include "record/export_format.h"

static void put_meta(struct record_reader *reader, struct sink *sink)
{
	const char *key, *value;

	sink_put(sink, "{\"format\": \"udamon-record\", \"version\": %d,\n\"meta\": {",
		 RECORD_VERSION);
	for (size_t i = 0; record_reader_meta_row(reader, i, &key, &value); i++) {
		sink_put_text(sink, i ? ", " : "");
		sink_put_json(sink, key);
		sink_put_text(sink, ": ");
		sink_put_json(sink, value);
	}
	sink_put_text(sink, "},\n\"targets\": [");
}

static void put_target(struct sink *sink, const struct record_target *target)
{
	sink_put(sink, "{\"id\": %" PRIu32 ", \"pid\": %" PRId64 ", \"comm\": ", target->id,
		 target->pid);
	sink_put_json(sink, target->comm);
	sink_put_text(sink, ", \"cmdline\": ");
	sink_put_json(sink, target->cmdline);
	sink_put_text(sink, ", \"kind\": ");
	sink_put_json(sink, target->kind);
	sink_put_text(sink, "}");
}

static void put_mapping(struct sink *sink, const struct record_mapping *mapping)
{
	sink_put(sink, "{\"start\": %" PRIu64 ", \"end\": %" PRIu64 ", \"perms\": ", mapping->start,
		 mapping->end);
	sink_put_json(sink, mapping->perms);
	sink_put_text(sink, ", \"path\": ");
	sink_put_json(sink, mapping->path);
	sink_put_text(sink, "}");
}

/* All lists of mappings a target had. */
static int put_mappings(struct record_reader *reader, struct sink *sink, uint32_t target,
			bool *first, struct damon_error *err)
{
	const struct record_mapping *mappings;
	int64_t from = INT64_MIN;
	size_t nr;
	int rc = 0;

	while (!sink->error &&
	       (rc = record_reader_next_mappings(reader, target, &from, err)) == 1) {
		rc = record_reader_mappings(reader, target, from, &mappings, &nr, err);
		if (rc)
			return rc;
		sink_put(sink,
			 "%s\n{\"target\": %" PRIu32 ", \"from_snapshot\": %" PRId64
			 ", \"list\": [",
			 *first ? "" : ",", target, from);
		*first = false;
		for (size_t i = 0; i < nr; i++) {
			sink_put_text(sink, i ? ",\n " : "");
			put_mapping(sink, &mappings[i]);
		}
		sink_put_text(sink, "]}");
	}
	return sink->error ? 0 : rc;
}

static int put_targets(struct record_reader *reader, struct sink *sink, struct damon_error *err)
{
	const struct record_target *targets;
	bool first = true;
	size_t nr;
	int rc = record_reader_targets(reader, &targets, &nr, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++) {
		sink_put_text(sink, i ? ",\n" : "");
		put_target(sink, &targets[i]);
	}
	sink_put_text(sink, "],\n\"mappings\": [");
	for (size_t i = 0; i < nr && !rc; i++)
		rc = put_mappings(reader, sink, targets[i].id, &first, err);
	sink_put_text(sink, "],\n\"events\": [");
	return rc;
}

static int put_events(struct record_reader *reader, struct sink *sink, struct damon_error *err)
{
	const struct record_event_row *events;
	size_t nr;
	int rc = record_reader_events(reader, &events, &nr, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++) {
		sink_put(sink, "%s{\"t_ns\": %" PRIu64 ", \"target\": ", i ? ",\n" : "",
			 events[i].t_ns);
		if (events[i].target < 0)
			sink_put_text(sink, "null");
		else
			sink_put(sink, "%" PRId64, events[i].target);
		sink_put_text(sink, ", \"what\": ");
		sink_put_json(sink, events[i].what);
		sink_put_text(sink, ", \"detail\": ");
		sink_put_json(sink, events[i].detail);
		sink_put_text(sink, "}");
	}
	sink_put_text(sink, "],\n\"snapshots\": [");
	return 0;
}

static void put_snapshot(struct sink *sink, const struct record_snapshot *snapshot)
{
	sink_put(sink,
		 "{\"id\": %" PRId64 ", \"t_start_ns\": %" PRIu64 ", \"t_end_ns\": %" PRIu64
		 ", \"sample_us\": %" PRIu64 ", \"aggr_us\": %" PRIu64 ", \"engine\": ",
		 snapshot->id, snapshot->t_start_ns, snapshot->t_end_ns, snapshot->sample_us,
		 snapshot->aggr_us);
	sink_put_json(sink, snapshot->engine);
	if (snapshot->cpu_ns == RECORD_UNKNOWN)
		sink_put_text(sink, ", \"cpu_ns\": null");
	else
		sink_put(sink, ", \"cpu_ns\": %" PRId64, snapshot->cpu_ns);
	sink_put(sink,
		 ", \"clears\": %" PRIu64 ", \"flushes\": %" PRIu64 ", \"lost\": %" PRIu64
		 ", \"unwatchable_bytes\": %" PRIu64 ", \"floor_us\": %" PRIu64,
		 snapshot->clears, snapshot->flushes, snapshot->lost, snapshot->unwatchable_bytes,
		 snapshot->floor_us);
	if (snapshot->target_ns == RECORD_UNKNOWN)
		sink_put_text(sink, ", \"target_ns\": null,\n\"regions\": [");
	else
		sink_put(sink, ", \"target_ns\": %" PRId64 ",\n\"regions\": [",
			 snapshot->target_ns);
}

static int put_regions(struct record_reader *reader, struct sink *sink, int64_t id,
		       struct damon_error *err)
{
	const struct record_region *regions;
	size_t nr;
	int rc = record_reader_regions(reader, id, &regions, &nr, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++)
		sink_put(sink,
			 "%s{\"target\": %" PRIu32 ", \"start\": %" PRIu64 ", \"end\": %" PRIu64
			 ", \"nr_accesses\": %" PRIu32 ", \"samples\": %" PRIu32
			 ", \"age\": %" PRIu32 "}",
			 i ? ",\n " : "", regions[i].target, regions[i].start, regions[i].end,
			 regions[i].nr_accesses, regions[i].samples, regions[i].age);
	sink_put_text(sink, "],\n\"schemes\": [");
	return 0;
}

static int put_schemes(struct record_reader *reader, struct sink *sink, int64_t id,
		       struct damon_error *err)
{
	const struct record_scheme_stat *stats;
	size_t nr;
	int rc = record_reader_scheme_stats(reader, id, &stats, &nr, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < nr; i++)
		sink_put(sink,
			 "%s{\"scheme\": %" PRIu32 ", \"nr_tried\": %" PRIu64
			 ", \"sz_tried\": %" PRIu64 ", \"nr_applied\": %" PRIu64
			 ", \"sz_applied\": %" PRIu64 ", \"sz_ops_filter_passed\": %" PRIu64
			 ", \"qt_exceeds\": %" PRIu64 ", \"nr_snapshots\": %" PRIu64
			 ", \"esz\": %" PRIu64 "}",
			 i ? ", " : "", stats[i].scheme, stats[i].nr_tried, stats[i].sz_tried,
			 stats[i].nr_applied, stats[i].sz_applied, stats[i].sz_ops_filter_passed,
			 stats[i].qt_exceeds, stats[i].nr_snapshots, stats[i].esz);
	sink_put_text(sink, "]}");
	return 0;
}

int export_json(struct record_reader *reader, struct sink *sink, struct damon_error *err)
{
	struct record_snapshot snapshot;
	bool first = true;
	int rc;

	put_meta(reader, sink);
	rc = put_targets(reader, sink, err);
	if (!rc)
		rc = put_events(reader, sink, err);
	record_reader_rewind(reader, INT64_MIN);
	while (!rc && !sink->error && (rc = record_reader_next(reader, &snapshot, err)) == 1) {
		sink_put_text(sink, first ? "\n" : ",\n");
		first = false;
		put_snapshot(sink, &snapshot);
		rc = put_regions(reader, sink, snapshot.id, err);
		if (!rc)
			rc = put_schemes(reader, sink, snapshot.id, err);
	}
	sink_put_text(sink, "]}\n");
	return sink->error ? 0 : rc;
}
