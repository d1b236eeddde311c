/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The trace points (enum damon_trace_point), gathered only while somebody listens. On the kdamond.
 */
#ifndef UDAMON_CORE_TRACE_H
#define UDAMON_CORE_TRACE_H

#include "core/core.h"

/* Whether the port has somebody who listens to @point now. */
bool damon_tracing(const struct damon_ctx *ctx, enum damon_trace_point point);

/* All regions of the window that is about to be published. */
void damon_trace_window(const struct damon_ctx *ctx);

/* @region has its count in samples. Only while damon_tracing(), which the caller asks once a pass. */
void damon_trace_before_apply(const struct damon_ctx *ctx, const struct damos *scheme,
			      uint32_t target_idx, const struct damon_region *region);

void damon_trace_intervals_tune(const struct damon_ctx *ctx);
void damon_trace_esz(const struct damon_ctx *ctx, const struct damos *scheme);
void damon_trace_stat(const struct damon_ctx *ctx, const struct damos *scheme);

#endif
