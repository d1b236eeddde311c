/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the rest of the core needs of attributes, and windows need of each other. */
#ifndef UDAMON_CORE_ATTRS_H
#define UDAMON_CORE_ATTRS_H

#include "core/core.h"
#include "core/region.h"

/*
 * Tunes the intervals if that is due, and takes up a new floor; at a window's end, while its counts
 * are still there.
 */
void damon_tune_intervals(struct damon_ctx *ctx);

/* The floor comes into force before the first window, and goes with the kdamond. */
void damon_floor_start(struct damon_ctx *ctx);
void damon_floor_stop(struct damon_ctx *ctx);

/*
 * At a window's end, before it is published: if a higher floor made its intervals longer on the way, what they
 * were on average becomes what was in force, for ages too.
 */
void damon_floor_settle(struct damon_ctx *ctx);

/* What the next sampling interval is to last: a higher floor counts at once. */
uint64_t damon_next_interval_us(const struct damon_ctx *ctx);

/* The intervals in force, never 0. */
uint64_t damon_sample_us(const struct damon_ctx *ctx);
uint64_t damon_aggr_us(const struct damon_ctx *ctx);

/* The part of damon_set_attrs() that can't fail: @attrs was checked. */
void damon_apply_attrs(struct damon_ctx *ctx, const struct damon_attrs *attrs);

/* A count out of @old possible ones, out of @new possible ones, through basis points. */
uint32_t damon_rescale_count(uint32_t count, uint64_t old, uint64_t new);

/* An age in windows of @old_aggr, in windows of @new_aggr, which isn't 0. */
uint32_t damon_rescale_age(uint32_t age, uint64_t old_aggr, uint64_t new_aggr);

/* aggregate.c: a new window begins now. */
void damon_monitor_start_window(struct damon_ctx *ctx);

/* aggregate.c: what of a region is compared at present; thresholds and limits are left 0. */
struct damon_merge_rule damon_compare_rule(const struct damon_ctx *ctx);

/* aggregate.c: the largest frequency a region can have in a window. */
uint32_t damon_possible_frequency(const struct damon_ctx *ctx, const struct damon_merge_rule *rule);

/* aggregate.c: the size a region may have. */
uint64_t damon_size_limit(const struct damon_ctx *ctx);

/* aggregate.c: cut what is larger than min_nr_regions allows. */
void damon_monitor_limit_size(struct damon_ctx *ctx);

/* attrs.c: forget the counts of the window that has begun. */
void damon_drop_half_window(struct damon_ctx *ctx);

/* attrs.c: everything that is due, from now. */
void damon_rebase(struct damon_ctx *ctx);

/* context.c: room for the regions @attrs allows, so that passes need not ask for it. 0 or -ENOMEM. */
int damon_reserve_regions(struct damon_port *port, struct damon_target *target,
			  const struct damon_attrs *attrs);

#endif
