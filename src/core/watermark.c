// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Watermarks: schemes that only work while the system's memory is in a certain state. */
#include <errno.h>

#include "core/attrs.h"
#include "core/scheme.h"

/* Brings @scheme's state up to date. */
static void check_watermarks(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damon_port *port = damon_ctx_port(ctx);
	const struct damos_watermarks *wmarks = &scheme->wmarks;
	bool was = scheme->wmarks_inactive;
	uint64_t value;
	int err = -EOPNOTSUPP;

	if (wmarks->metric == DAMOS_WMARK_NONE) {
		scheme->wmarks_inactive = false;
		return;
	}
	if (port->metric)
		err = port->metric(port, DAMON_METRIC_FREE_MEM_RATE, -1, NULL, &value);
	damon_note_metric(ctx, &scheme->quota_state.wmarks_error, err,
			  "watermarks can't be checked: ");
	/* It keeps its state until the metric can be read again. */
	if (err)
		return;
	if (value > wmarks->high || value < wmarks->low)
		scheme->wmarks_inactive = true;
	else if (value < wmarks->mid)
		scheme->wmarks_inactive = false;
	if (scheme->wmarks_inactive != was)
		damon_report_event(ctx, NULL, "watermarks",
				   was ? "a scheme is active" : "a scheme is inactive");
}

uint64_t damon_schemes_hold_us(struct damon_ctx *ctx)
{
	uint64_t shortest = UINT64_MAX;
	bool active = false;
	uint32_t i;

	if (!ctx->nr_schemes)
		return 0;
	for (i = 0; i < ctx->nr_schemes; i++) {
		check_watermarks(ctx, ctx->schemes[i]);
		if (!ctx->schemes[i]->wmarks_inactive)
			active = true;
		else if (ctx->schemes[i]->wmarks.interval_us < shortest)
			shortest = ctx->schemes[i]->wmarks.interval_us;
	}
	if (active)
		return 0;
	/* Without an interval of its own a scheme is looked at as often as pages would be. */
	if (!shortest)
		shortest = damon_sample_us(ctx);
	return shortest;
}
