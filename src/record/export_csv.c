// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A record as CSV: a line of names, then one line per region and window. */
#include <inttypes.h>

#include "record/export_format.h"

static const char header[] = "snapshot,t_start_ns,t_end_ns,sample_us,aggr_us,target,start,end,"
			     "nr_accesses,samples,age\n";

int export_csv(struct record_reader *reader, struct sink *sink, struct damon_error *err)
{
	const struct record_region *regions;
	struct record_snapshot snapshot;
	size_t nr;
	int rc = 0;

	sink_put_text(sink, header);
	record_reader_rewind(reader, INT64_MIN);
	while (!sink->error && (rc = record_reader_next(reader, &snapshot, err)) == 1) {
		rc = record_reader_regions(reader, snapshot.id, &regions, &nr, err);
		if (rc)
			return rc;
		for (size_t i = 0; i < nr; i++)
			sink_put(sink,
				 "%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu32
				 ",%" PRIu32 "\n",
				 snapshot.id, snapshot.t_start_ns, snapshot.t_end_ns,
				 snapshot.sample_us, snapshot.aggr_us, regions[i].target,
				 regions[i].start, regions[i].end, regions[i].nr_accesses,
				 regions[i].samples, regions[i].age);
	}
	return sink->error ? 0 : rc;
}
