/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operations set "vaddr": all memory of a live process.
 */
#include <udamon/vaddr.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/vaddr_internal.h"

int vaddr_init(struct damon_ctx *ctx)
{
	struct damon_vaddr_env *env = ctx->ops_env;
	struct vaddr_ctx *mine;
	struct damon_error err;
	int ret;

	mine = calloc(1, sizeof(*mine));
	if (!mine)
		return -ENOMEM;
	mine->env = env;
	if (vaddr_env_engine_kind(env, ctx) == VADDR_SCAN)
		ret = scan_engine_new(&mine->scan, vaddr_env_calibration(env),
				      vaddr_env_scan_options(env), &err);
	else
		ret = point_engine_new(&mine->point, vaddr_env_calibration(env), &err);
	if (ret) {
		free(mine);
		return vaddr_env_fail(env, ret, &err);
	}
	ctx->ops_priv = mine;
	ctx->access_unit = mine->scan ? SCAN_ACCESS_UNIT : 1;
	return 0;
}

void vaddr_cleanup(struct damon_ctx *ctx)
{
	struct vaddr_ctx *mine = ctx->ops_priv;

	if (!mine)
		return;
	vaddr_actor_free(mine->actor);
	point_engine_free(mine->point);
	scan_engine_free(mine->scan);
	free(mine);
	ctx->ops_priv = NULL;
}

static int open_process(struct vaddr_ctx *ctx, struct vaddr_target *mine, pid_t pid,
			struct damon_error *err)
{
	int ret = vaddr_env_open(ctx->env, pid, &mine->pidfd, &mine->info, err);

	if (!ret)
		ret = target_lock_take(&mine->lock, &mine->info, err);
	if (!ret && ctx->scan)
		ret = scan_target_new(&mine->scan, ctx->scan, mine->pidfd, pid, &mine->map, err);
	else if (!ret)
		ret = point_target_new(&mine->point, ctx->point, mine->pidfd, pid, &mine->map, err);
	if (ret)
		return ret;
	ret = vaddr_read_map(mine);
	if (ret)
		return damon_error_set(err, ret, "can't read the mappings of process %d (%s): %s",
				       (int)pid, mine->info.comm, strerror(-ret));
	return 0;
}

int vaddr_open_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine;
	struct damon_error err;
	int ret;

	target->ops_priv = NULL;
	mine = calloc(1, sizeof(*mine));
	if (!mine)
		return -ENOMEM;
	mine->ctx = priv;
	mine->pidfd = mine->lock.fd = mine->pagemap_fd = -1;
	mine->nr_children = -1;
	mine->nr_running = 1; /* until they are counted */
	target->ops_priv = mine;
	ret = open_process(priv, mine, (pid_t)target->pid, &err);
	if (!ret && vaddr_check_self(ctx, target)) {
		vaddr_cleanup_target(ctx, target);
		return -EINVAL;
	}
	if (!ret)
		return 0;
	vaddr_cleanup_target(ctx, target);
	return vaddr_env_fail(priv->env, ret, &err);
}

void vaddr_cleanup_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;

	if (!mine)
		return;
	point_target_free(mine->point);
	scan_target_free(mine->scan);
	watch_map_clear(&mine->map);
	thrift_clear(&mine->thrift);
	page_set_clear(&mine->made_old);
	page_set_clear(&mine->doubted);
	maps_clear(&mine->mappings);
	target_lock_drop(&mine->lock);
	if (mine->pagemap_fd >= 0)
		close(mine->pagemap_fd);
	if (mine->pidfd >= 0)
		close(mine->pidfd);
	free(mine);
	target->ops_priv = NULL;
}

static void report_layout(struct damon_ctx *ctx, struct damon_target *target,
			  const struct damon_addr_range *ranges, size_t nr)
{
	struct vaddr_target *mine = target->ops_priv;
	char detail[256], before_text[32], now_text[32];
	uint64_t before = 0, now = 0;
	size_t i;

	for (i = 0; i < mine->nr_ranges; i++)
		before += mine->ranges[i].end - mine->ranges[i].start;
	for (i = 0; i < nr; i++)
		now += ranges[i].end - ranges[i].start;
	snprintf(detail, sizeof(detail), "%zu ranges of %s, were %zu of %s", nr,
		 vaddr_format_bytes(now_text, sizeof(now_text), now), mine->nr_ranges,
		 vaddr_format_bytes(before_text, sizeof(before_text), before));
	damon_report_event(ctx, target, "layout", detail);
}

/* Give the core the process's present layout, if it is another one. */
static int refresh_layout(struct damon_ctx *ctx, struct damon_target *target, bool report)
{
	struct vaddr_target *mine = target->ops_priv;
	struct damon_addr_range ranges[LAYOUT_MAX_RANGES];
	size_t nr = layout_ranges(&mine->mappings, ctx->attrs.min_region_sz, ranges);
	int ret;

	if (nr == mine->nr_ranges && !memcmp(ranges, mine->ranges, nr * sizeof(*ranges)))
		return 0;
	ret = damon_set_regions(target, ranges, nr, ctx->attrs.min_region_sz);
	if (ret)
		return ret;
	if (report)
		report_layout(ctx, target, ranges, nr);
	memcpy(mine->ranges, ranges, nr * sizeof(*ranges));
	mine->nr_ranges = nr;
	return 0;
}

static int vaddr_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	int ret = vaddr_open_target(ctx, target);

	/* Regions it has already were learned before: they are brought up to date like any others. */
	if (!ret)
		ret = refresh_layout(ctx, target, false);
	if (ret && target->ops_priv)
		vaddr_cleanup_target(ctx, target);
	return ret;
}

static void update_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;

	/* Where the mappings can't be read for the moment, the old layout stays until the next time. */
	if (vaddr_read_map(mine))
		return;
	mine->exec_seen = false;
	if (refresh_layout(ctx, target, true))
		return;
	vaddr_note_children(ctx, target);
	vaddr_note_unwatchable(ctx, target);
}

static void vaddr_update(struct damon_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		if (ctx->targets[i]->ops_priv)
			update_target(ctx, ctx->targets[i]);
	}
}

/* This ends the kdamond: leave the reason where damon_vaddr_env_error() finds it. */
static int access_failed(const struct vaddr_target *mine, const char *what, int code)
{
	struct damon_error err;

	damon_error_set(&err, code, "can't %s of process %d (%s): %s", what, (int)mine->info.pid,
			mine->info.comm, strerror(-code));
	return vaddr_env_fail(mine->ctx->env, code, &err);
}

int vaddr_prepare(struct damon_ctx *ctx, struct damon_target *target,
		  const struct damon_batch *batch)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	struct page_process process;
	int ret;

	vaddr_note_pressure(ctx);
	mine->maps_read = false;
	vaddr_prepare_filters(ctx, mine);
	if (mine->scan && mine->pages_changed)
		scan_target_changed(mine->scan);
	mine->pages_changed = false;
	if (mine->scan) {
		scan_target_save(mine->scan, priv->saving);
		ret = scan_prepare(mine->scan, batch->ranges, batch->nr, !priv->pressure.high,
				   &process);
	} else {
		ret = vaddr_prepare_points(ctx, target, batch, &process);
	}
	vaddr_charge(priv, mine);
	if (ret)
		return access_failed(mine, "make pages old", ret);
	vaddr_note_process(ctx, target, &process);
	vaddr_note_unwatchable(ctx, target);
	return 0;
}

int vaddr_check(struct damon_ctx *ctx, struct damon_target *target, const struct damon_batch *batch)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	struct page_process process;
	int ret;

	priv->checked = true;
	mine->nr_window++;
	if (mine->scan)
		ret = scan_check(mine->scan, batch->ranges, batch->nr, batch->access, &process);
	else
		ret = vaddr_check_points(ctx, target, batch, &process);
	if (ret)
		return access_failed(mine, "read page tables", ret);
	vaddr_note_process(ctx, target, &process);
	return 0;
}

bool vaddr_target_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *mine = target->ops_priv;

	/* The core asks about the first one each time. */
	if (target == ctx->targets[0])
		vaddr_mind_budget(ctx);
	vaddr_note_exits(ctx, target);
	return mine && process_state(mine->pidfd) != PROCESS_GONE;
}

/*
 * Asked between two sampling intervals, which is where the layout of a new
 * program can be taken up at once. The core asks only until it finds a valid target, so
 * the first one is asked for all.
 */
static bool vaddr_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	struct vaddr_target *other;
	uint32_t i;

	for (i = 0; target == ctx->targets[0] && i < ctx->nr_targets; i++) {
		other = ctx->targets[i]->ops_priv;
		if (other && other->exec_seen)
			update_target(ctx, ctx->targets[i]);
	}
	return vaddr_target_valid(ctx, target);
}

void vaddr_window_ended(struct damon_ctx *ctx)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine;
	uint64_t nr_intervals = 0;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		mine = ctx->targets[i]->ops_priv;
		if (mine && mine->scan)
			scan_end_window(mine->scan);
		if (!mine)
			continue;
		if (mine->nr_window > nr_intervals)
			nr_intervals = mine->nr_window;
		vaddr_end_thrift(mine);
	}
	budget_end_window(&priv->budget, nr_intervals);
}

int damon_vaddr_page_heat(struct damon_ctx *ctx, const struct damon_target *target,
			  damon_vaddr_heat_callback *callback, void *data)
{
	const struct vaddr_target *mine = target->ops_priv;

	if (!mine || !mine->scan)
		return -EOPNOTSUPP;
	return scan_target_runs(mine->scan, callback, data);
}

const char *damon_vaddr_describe_flush(struct damon_ctx *ctx)
{
	const struct vaddr_ctx *priv = ctx->ops_priv;

	return priv && priv->scan ? scan_flush_name(scan_engine_flush(priv->scan)) : NULL;
}

double damon_vaddr_clear_cost_ns(struct damon_ctx *ctx)
{
	const struct vaddr_ctx *priv = ctx->ops_priv;
	const struct toll *toll = priv ? vaddr_env_toll(priv->env) : NULL;

	if (!toll)
		return 0;
	return priv->scan ? toll->page_ns : toll->page_ns + toll->interrupt_ns;
}

double damon_vaddr_flush_cost_ns(struct damon_ctx *ctx)
{
	const struct vaddr_ctx *priv = ctx->ops_priv;

	return priv ? vaddr_env_toll(priv->env)->interrupt_ns : 0;
}

uint64_t damon_vaddr_longest_stall_ns(struct damon_ctx *ctx)
{
	const struct vaddr_ctx *priv = ctx->ops_priv;

	return priv && priv->scan ? scan_engine_stat(priv->scan)->longest_stall_ns : 0;
}

void vaddr_cost(struct damon_ctx *ctx, struct damon_cost *cost)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine;
	uint32_t i;

	if (!priv)
		return;
	cost->clears += priv->filter_work.pages;
	cost->target_ns += (uint64_t)priv->target_ns;
	if (priv->scan) {
		cost->clears += scan_engine_stat(priv->scan)->clears;
		cost->flushes += scan_engine_stat(priv->scan)->flushes;
	} else {
		cost->clears += point_engine_stat(priv->point)->clears;
	}
	for (i = 0; i < ctx->nr_targets; i++) {
		mine = ctx->targets[i]->ops_priv;
		if (mine)
			cost->unwatchable_bytes += watch_map_unwatchable(&mine->map, NULL, NULL);
	}
}

const struct damon_operations vaddr_operations = {
	.id = DAMON_OPS_VADDR,
	.name = "vaddr",
	.init = vaddr_init,
	.init_target = vaddr_init_target,
	.update = vaddr_update,
	.prepare_access_checks = vaddr_prepare,
	.check_accesses = vaddr_check,
	.check_probe = vaddr_check_probe,
	.window_ended = vaddr_window_ended,
	.check_scheme = vaddr_check_scheme,
	.apply_scheme = vaddr_apply_scheme,
	.target_valid = vaddr_valid,
	.cleanup_target = vaddr_cleanup_target,
	.cleanup = vaddr_cleanup,
	.cost = vaddr_cost,
};
