/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* An operations set of made-up processes, of which everything can be asked, for fuzzers that start contexts. */
#ifndef UDAMON_TESTS_MADE_UP_H
#define UDAMON_TESTS_MADE_UP_H

#include <string.h>

#include <udamon/ops.h>

#include "../tools/idle_ops.h"

static int init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct damon_addr_range range = {4096, 1024 * 4096};

	if (damon_nr_regions(target))
		return 0;
	return damon_set_regions(target, &range, 1, ctx->attrs.min_region_sz);
}

static int all_hit(struct damon_ctx *ctx, struct damon_target *target,
		   const struct damon_probe *probe, const struct damon_batch *batch, uint8_t *hit)
{
	(void)ctx, (void)target, (void)probe;
	memset(hit, 1, batch->nr);
	return 0;
}

static const struct damon_operations made_up = {
	.id = DAMON_OPS_VADDR,
	.name = "vaddr",
	.init = idle_init,
	.init_target = init_target,
	.prepare_access_checks = idle_access,
	.check_accesses = idle_access,
	.check_probe = all_hit,
	.actions = UINT32_MAX,
	.filters = UINT32_MAX,
	.apply_scheme = idle_apply,
	.target_valid = idle_valid,
};

#endif
