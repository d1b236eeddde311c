/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Callbacks of an operations set whose memory nobody accesses, and to all of which any scheme can be applied: for
 * tests and benchmarks to which that doesn't matter.
 */
#ifndef UDAMON_TESTS_IDLE_OPS_H
#define UDAMON_TESTS_IDLE_OPS_H

#include <stdbool.h>
#include <string.h>

#include <udamon/ops.h>

static inline int idle_init(struct damon_ctx *ctx)
{
	ctx->access_unit = 1;
	return 0;
}

/* For prepare_access_checks and check_accesses. */
static inline int idle_access(struct damon_ctx *ctx, struct damon_target *target,
			      const struct damon_batch *batch)
{
	(void)ctx, (void)target;
	if (batch->access)
		memset(batch->access, 0, batch->nr * sizeof(*batch->access));
	return 0;
}

static inline int idle_apply(struct damon_ctx *ctx, struct damon_target *target,
			     const struct damon_addr_range *ar, const struct damos *scheme,
			     uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	(void)ctx, (void)target, (void)scheme;
	*sz_applied = *sz_filter_passed = ar->end - ar->start;
	return 0;
}

static inline bool idle_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	(void)ctx, (void)target;
	return true;
}

#endif
