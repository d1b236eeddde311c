/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* An operations set of made-up processes, of which everything can be asked, for fuzzers that start contexts. */
#ifndef UDAMON_TESTS_MADE_UP_H
#define UDAMON_TESTS_MADE_UP_H

#include <string.h>

#include <udamon/ops.h>

static int init(struct damon_ctx *ctx)
{
	ctx->access_unit = 1;
	return 0;
}

static int init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct damon_addr_range range = {4096, 1024 * 4096};

	if (damon_nr_regions(target))
		return 0;
	return damon_set_regions(target, &range, 1, ctx->attrs.min_region_sz);
}

static int no_access(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_batch *batch)
{
	(void)ctx, (void)target;
	if (batch->access)
		memset(batch->access, 0, batch->nr * sizeof(*batch->access));
	return 0;
}

static int all_hit(struct damon_ctx *ctx, struct damon_target *target,
		   const struct damon_probe *probe, const struct damon_batch *batch, uint8_t *hit)
{
	(void)ctx, (void)target, (void)probe;
	memset(hit, 1, batch->nr);
	return 0;
}

static int apply(struct damon_ctx *ctx, struct damon_target *target,
		 const struct damon_addr_range *ar, const struct damos *scheme,
		 uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	(void)ctx, (void)target, (void)scheme;
	*sz_applied = *sz_filter_passed = ar->end - ar->start;
	return 0;
}

static bool valid(struct damon_ctx *ctx, struct damon_target *target)
{
	(void)ctx, (void)target;
	return true;
}

static const struct damon_operations made_up = {
	.id = DAMON_OPS_VADDR,
	.name = "vaddr",
	.init = init,
	.init_target = init_target,
	.prepare_access_checks = no_access,
	.check_accesses = no_access,
	.check_probe = all_hit,
	.actions = UINT32_MAX,
	.filters = UINT32_MAX,
	.apply_scheme = apply,
	.target_valid = valid,
};

#endif
