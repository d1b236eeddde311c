/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The numbers at the head of a summary.
 */
#include "report/facts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/*
 * What a clear and a flush cost a target that is running, as measured on a 2-core virtual
 * machine with 4 KiB pages: 100 clears every 5 ms slowed a busy thread by about 5 %,
 * and a flush of the whole TLB took about 50 us. A record may say it better in its properties.
 */
#define CLEAR_COST_NS 2500.0
#define FLUSH_COST_NS 50000.0

static double meta_number(struct record_reader *record, const char *key, double otherwise)
{
	const char *text = record_reader_meta(record, key);
	char *end;
	double value;

	if (!text || !*text)
		return otherwise;
	value = strtod(text, &end);
	return *end || !(value >= 0) || !isfinite(value) ? otherwise : value;
}

/* How long memory has not been accessed, over the bytes of which that is known. */
static int idle_percentiles(const struct gather *gather, double result[WSS_PERCENTILES])
{
	struct wss_value *values;
	size_t i, n = 0;

	values = calloc(gather->last_pieces.nr + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; i < gather->last_pieces.nr; i++) {
		const struct grid_piece *piece = &gather->last_pieces.array[i].piece;

		if (!piece->samples)
			continue;
		values[n].value = piece->nr_accesses ? 0 : (double)piece->age * gather->last_ns;
		values[n++].weight = (double)(piece->end - piece->start);
	}
	wss_percentiles(values, n, result);
	free(values);
	return 0;
}

int facts_collect(struct facts *facts, const struct gather *gather, struct record_reader *record)
{
	double costs;
	size_t i;
	int err;

	*facts = (struct facts){
		.cpu_pct = -1, .clears_per_s = -1, .slowdown_pct = -1, .budget_pct = -1};
	facts->duration_s = (double)(gather->t_end_ns - gather->t_start_ns) / 1e9;
	facts->watched_s = (double)gather->watched_ns / 1e9;
	facts->resident = meta_number(record, "resident_bytes", -1);
	if (facts->watched_s > 0) {
		facts->clears_per_s = gather->clears / facts->watched_s;
		if (gather->cpu_known)
			facts->cpu_pct = gather->cpu_ns / 1e7 / facts->watched_s;
		costs = gather->clears * meta_number(record, "clear_cost_ns", CLEAR_COST_NS) +
			gather->flushes * meta_number(record, "flush_cost_ns", FLUSH_COST_NS);
		/* 0: whoever watched didn't estimate it. */
		if (gather->target_known && gather->target_ns > 0)
			costs = gather->target_ns;
		facts->floored_pct = (double)gather->floored_ns / 1e7 / facts->watched_s;
		if (!gather->virtual_time)
			facts->slowdown_pct = costs / 1e7 / facts->watched_s;
	}
	if (meta_number(record, "budget_bp", 0) > 0)
		facts->budget_pct = meta_number(record, "budget_bp", 0) / 100;
	for (i = 0; i < gather->nr_targets; i++)
		facts->mapped += (double)gather->targets[i].mapped_bytes;
	err = idle_percentiles(gather, facts->idle_ns);
	return err ? err : wss_gathered(gather, facts->wss);
}
