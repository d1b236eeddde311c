/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Attribute monitoring of processes: does a sampled page pass a probe's filters?
 */
#include <errno.h>

#include "ops/vaddr_internal.h"
#include "system/memcg.h"

/* One filter against one page: 1 of that type, 0 not, or -errno. */
static int is_of_type(const struct frame_files *files, const struct damon_filter *filter,
		      uint64_t frame, uint64_t inode)
{
	uint64_t value;
	int ret;

	if (filter->type == DAMON_FILTER_ANON) {
		ret = frame_flags(files, frame, &value, 1);
		return ret ? ret : !!(value & FRAME_ANON);
	}
	ret = frame_cgroup(files, frame, &value);
	return ret ? ret : inode && value == inode;
}

/* The first filter that matches decides; else the page passes, unless the last one is an allowing one. */
static int passes(const struct frame_files *files, const struct damon_probe *probe,
		  const uint64_t *inodes, uint64_t frame)
{
	uint32_t i;
	int ret;

	for (i = 0; i < probe->nr_filters; i++) {
		const struct damon_filter *filter = &probe->filters[i];

		ret = is_of_type(files, filter, frame, inodes[i]);
		if (ret < 0)
			return ret;
		if (ret == filter->matching)
			return filter->allow;
	}
	return !probe->nr_filters || !probe->filters[probe->nr_filters - 1].allow;
}

int vaddr_need_point(struct vaddr_ctx *priv, struct vaddr_target *mine)
{
	struct damon_error err;
	int ret = 0;

	if (!priv->point)
		ret = point_engine_new(&priv->point, vaddr_env_calibration(priv->env), &err);
	if (!ret && !mine->point)
		ret = point_target_new(&mine->point, priv->point, mine->pidfd, mine->info.pid,
				       &mine->map, &err);
	return ret ? vaddr_env_fail(priv->env, ret, &err) : 0;
}

int vaddr_check_probe(struct damon_ctx *ctx, struct damon_target *target,
		      const struct damon_probe *probe, const struct damon_batch *batch,
		      uint8_t *hit)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	const struct frame_files *files;
	uint64_t inodes[DAMON_MAX_PROBE_FILTERS] = {};
	const struct page_state *states;
	size_t i;
	int ret = vaddr_need_point(priv, mine);

	if (!ret)
		ret = point_look(mine->point, batch->sampling_addrs, batch->nr, &states);
	if (ret)
		return ret;
	files = point_engine_frames(priv->point);
	for (i = 0; i < probe->nr_filters; i++) {
		if (probe->filters[i].type == DAMON_FILTER_MEMCG)
			inodes[i] = memcg_inode(probe->filters[i].memcg_path);
	}
	for (i = 0; i < batch->nr; i++) {
		/* Where no page is there is nothing that could pass. */
		hit[i] = 0;
		if (!(states[i].flags & PAGE_MAPPED))
			continue;
		ret = passes(files, probe, inodes, states[i].frame);
		/* Frames without a description, as of a device: not ours to judge. */
		if (ret == -EOPNOTSUPP)
			return ret;
		hit[i] = ret > 0;
	}
	return 0;
}
