/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the files about schemes share: life and order (scheme), checks (scheme_check), the pass over
 * regions (scheme_pass), and the limits it works in (quota, filter, watermark).
 */
#ifndef UDAMON_CORE_SCHEME_H
#define UDAMON_CORE_SCHEME_H

#include "core/core.h"
#include "core/region.h"

#define DAMOS_MAX_SCORE 99

/* A part of a region that a pass cut off, and the first scheme it is still to be offered to. */
struct damos_rest {
	struct damon_addr_range ar;
	uint32_t age;
	uint32_t first;
};

/* Bytes by score, of what a scheme would take. */
struct damos_histogram {
	uint64_t sz[DAMOS_MAX_SCORE + 1];
};

/*
 * A context's list of schemes, with the room passes need behind it: three more lists,
 * one rest and one histogram a scheme.
 */
#define DAMOS_ROOM                                                                                 \
	(4 * sizeof(struct damos *) + sizeof(struct damos_rest) + sizeof(struct damos_histogram))

static inline uint64_t damon_add_u64(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* @a * @b / @c, saturating; @c isn't 0. */
static inline uint64_t damon_mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product;
	uint64_t small;

	/* Nearly always; the long division takes many times as long. */
	if (!__builtin_mul_overflow(a, b, &small))
		return small / c;
	product = (unsigned __int128)a * b / c;
	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

/* scheme.c: next due after its interval, from now. */
void damon_scheme_set_due(struct damon_ctx *ctx, struct damos *scheme);

/* scheme_check.c: everything that can be said of a scheme before it runs. @ops may be NULL. */
int damon_check_scheme(struct damon_ctx *ctx, const struct damon_operations *ops,
		       const struct damos *scheme);
int damon_check_filter(const struct damos_filter *filter);
int damon_check_goal(const struct damos_quota_goal *goal);

/* filter.c */

/* A verdict of the core's filters. */
enum damos_verdict {
	DAMOS_REJECTED,
	DAMOS_ACCEPTED, /* none of them matched: the operations set's are asked */
	DAMOS_ALLOWED,	/* one of them allowed it: they aren't */
};

bool damon_has_ops_filters(const struct damos *scheme);
/*
 * The verdict on the first *@sz bytes of @ar, which is of the target in place @target_idx; *@sz is set to
 * how many of them it is the same for.
 */
enum damos_verdict damon_core_filters(const struct damos *scheme, uint32_t target_idx,
				      const struct damon_addr_range *ar, uint64_t min_region_sz,
				      uint64_t *sz);

/* quota.c */

/* Whether there is a limit. */
bool damon_quota_limits(const struct damos_quota *quota);
/* How many bytes may still be tried in this window, in whole smallest regions; 0: full, or out of time. */
uint64_t damon_quota_left(const struct damos *scheme, uint64_t min_region_sz);
/*
 * With a limit of time: how many of the first bytes of @ar, which all may be tried, to try before the clock is
 * read again. In whole smallest regions, or all.
 */
uint64_t damon_quota_step(const struct damos *scheme, const struct damon_addr_range *ar,
			  uint64_t min_region_sz);
/* A new window, if the old one is over: tune, and set the effective size. */
void damon_quota_refresh(struct damon_ctx *ctx, struct damos *scheme);
void damon_quota_charge(struct damos *scheme, uint64_t sz_tried, uint64_t sz_applied,
			uint64_t cpu_ns);
/* Reads a goal's metric as it is now; total pressure for PSI. 0 or -errno. */
int damon_goal_read(struct damon_ctx *ctx, const struct damon_operations *ops,
		    const struct damos *scheme, const struct damos_quota_goal *goal,
		    uint64_t *value);
/*
 * A metric was read with @err, 0 or -errno; *@last is that of the time before. A failure is reported, with @text and
 * why, unless it is the same as the time before.
 */
void damon_note_metric(struct damon_ctx *ctx, int *last, int err, const char *text);
/* Whether regions differ in priority. */
bool damon_quota_prioritises(const struct damos *scheme);
/* 0..99. @frequency: samples of @samples in which it was accessed */
uint32_t damon_quota_score(const struct damos *scheme, uint32_t frequency, uint64_t samples,
			   uint32_t age, uint64_t aggr_us);
/* The highest score at which the bytes of this and all higher scores reach the effective size. */
uint32_t damon_quota_min_score(const struct damos_quota *quota,
			       const struct damos_histogram *histogram);

#endif
