// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Gathering the fields of trace points for the port. */
#include "core/trace.h"
#include "core/attrs.h"

bool damon_tracing(const struct damon_ctx *ctx, enum damon_trace_point point)
{
	struct damon_port *port = damon_ctx_port(ctx);

	return port->tracing && port->tracing(port, point);
}

static void trace(const struct damon_ctx *ctx, enum damon_trace_point point, const uint64_t *fields)
{
	struct damon_port *port = damon_ctx_port(ctx);

	port->trace(port, point, fields);
}

static uint64_t scheme_idx(const struct damon_ctx *ctx, const struct damos *scheme)
{
	uint32_t i = 0;

	while (i < ctx->nr_schemes && ctx->schemes[i] != scheme)
		i++;
	return i;
}

void damon_trace_window(const struct damon_ctx *ctx)
{
	struct damon_region region;
	uint32_t i;
	size_t nr, idx;

	if (!damon_tracing(ctx, DAMON_TRACE_AGGREGATED))
		return;
	for (i = 0; i < ctx->nr_targets; i++) {
		nr = damon_nr_regions(ctx->targets[i]);
		for (idx = 0; idx < nr; idx++) {
			damon_get_region(ctx, ctx->targets[i], idx, &region);
			trace(ctx, DAMON_TRACE_AGGREGATED,
			      (const uint64_t[]){ctx->targets[i]->id, nr, region.ar.start,
						 region.ar.end, region.nr_accesses, region.age});
		}
	}
}

void damon_trace_before_apply(const struct damon_ctx *ctx, const struct damos *scheme,
			      uint32_t target_idx, const struct damon_region *region)
{
	trace(ctx, DAMON_TRACE_BEFORE_APPLY,
	      (const uint64_t[]){0, scheme_idx(ctx, scheme), target_idx, region->ar.start,
				 region->ar.end, region->nr_accesses, region->age,
				 damon_nr_regions(ctx->targets[target_idx])});
}

void damon_trace_intervals_tune(const struct damon_ctx *ctx)
{
	if (damon_tracing(ctx, DAMON_TRACE_INTERVALS_TUNE))
		trace(ctx, DAMON_TRACE_INTERVALS_TUNE, (const uint64_t[]){damon_sample_us(ctx)});
}

void damon_trace_esz(const struct damon_ctx *ctx, const struct damos *scheme)
{
	if (damon_tracing(ctx, DAMON_TRACE_ESZ))
		trace(ctx, DAMON_TRACE_ESZ,
		      (const uint64_t[]){0, scheme_idx(ctx, scheme), scheme->quota.esz});
}

void damon_trace_stat(const struct damon_ctx *ctx, const struct damos *scheme)
{
	const struct damos_stat *stat = &scheme->stat;

	if (damon_tracing(ctx, DAMON_TRACE_STAT_AFTER_APPLY))
		trace(ctx, DAMON_TRACE_STAT_AFTER_APPLY,
		      (const uint64_t[]){0, scheme_idx(ctx, scheme), stat->nr_tried, stat->sz_tried,
					 stat->nr_applied, stat->sz_applied,
					 stat->sz_ops_filter_passed, stat->qt_exceeds,
					 stat->nr_snapshots});
}
