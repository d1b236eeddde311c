/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operations set "fvaddr": ranges of a live process that the user chose, and that stay.
 */
#include <errno.h>
#include <inttypes.h>

#include "ops/vaddr_internal.h"

static int fvaddr_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	uint64_t limit = page_user_limit(vaddr_env_calibration(priv->env));
	size_t nr = damon_nr_regions(target);
	struct damon_region last;
	struct damon_error err;
	int ret;

	if (nr)
		damon_get_region(ctx, target, nr - 1, &last);
	if (nr && last.ar.end > limit) {
		ret = damon_error_set(&err, -EINVAL,
				      "a range of process %d ends at 0x%" PRIx64
				      ": addresses of a process end at 0x%" PRIx64,
				      (int)target->pid, last.ar.end, limit);
		return vaddr_env_fail(priv->env, ret, &err);
	}
	if (!nr) {
		ret = damon_error_set(
			&err, -EINVAL,
			"no address ranges were given for process %d: fvaddr needs some",
			(int)target->pid);
		return vaddr_env_fail(priv->env, ret, &err);
	}
	return vaddr_open_target(ctx, target);
}

/* The ranges stay, but what is mapped in them is of interest. */
static void fvaddr_update(struct damon_ctx *ctx)
{
	struct vaddr_target *mine;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		mine = ctx->targets[i]->ops_priv;
		if (!mine || vaddr_read_map(mine))
			continue;
		mine->exec_seen = false;
		vaddr_note_children(ctx, ctx->targets[i]);
		vaddr_note_unwatchable(ctx, ctx->targets[i]);
	}
}

const struct damon_operations fvaddr_operations = {
	.id = DAMON_OPS_FVADDR,
	.name = "fvaddr",
	.init = vaddr_init,
	.init_target = fvaddr_init_target,
	.update = fvaddr_update,
	.prepare_access_checks = vaddr_prepare,
	.check_accesses = vaddr_check,
	.check_probe = vaddr_check_probe,
	.window_ended = vaddr_window_ended,
	.check_scheme = vaddr_check_scheme,
	.apply_scheme = vaddr_apply_scheme,
	.target_valid = vaddr_target_valid,
	.cleanup_target = vaddr_cleanup_target,
	.cleanup = vaddr_cleanup,
	.cost = vaddr_cost,
};
