/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes on live processes: which pages an action is for.
 */
#include "ops/vaddr_scheme.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/memcg.h"
#include "system/move_pages.h"

/* Mappings that were read longer ago are read again in the middle of a pass. */
#define MAPS_VALID_NS 100000000ULL

/* The range goes on, but the step is full. */
#define STEP_FULL 1

void vaddr_scheme_support(uint32_t *actions, uint32_t *filters)
{
	*actions = 1U << DAMOS_STAT | 1U << DAMOS_PAGEOUT | 1U << DAMOS_COLD |
		   1U << DAMOS_WILLNEED | 1U << DAMOS_LRU_PRIO | 1U << DAMOS_LRU_DEPRIO;
	*filters = 1U << DAMOS_FILTER_ANON | 1U << DAMOS_FILTER_ACTIVE | 1U << DAMOS_FILTER_YOUNG |
		   1U << DAMOS_FILTER_HUGEPAGE_SIZE | 1U << DAMOS_FILTER_UNMAPPED;
	/* That memory may become huge is for a process itself to say; that it shall, now, is not. */
	if (!access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK))
		*actions |= 1U << DAMOS_HUGEPAGE | 1U << DAMOS_COLLAPSE;
	if (move_pages_supported())
		*actions |= 1U << DAMOS_MIGRATE_HOT | 1U << DAMOS_MIGRATE_COLD;
	if (!access("/proc/kpagecgroup", F_OK))
		*filters |= 1U << DAMOS_FILTER_MEMCG;
}

static int check_node(int32_t nid, struct damon_error *err)
{
	return node_missing(nid)
		       ? damon_error_set(err, -ENODEV,
					 "there is no memory node '%" PRId32 "' to move memory to",
					 nid)
		       : 0;
}

int vaddr_check_scheme(const struct damos *scheme, struct damon_error *err)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < scheme->nr_filters; i++) {
		const struct damos_filter *filter = &scheme->filters[i];

		/* A filter that never matches would protect nothing. */
		if (filter->type == DAMOS_FILTER_MEMCG && !memcg_inode(filter->memcg_path))
			return damon_error_set(err, -ENOENT,
					       "filter 'memcg': there is no memory cgroup '%s'",
					       filter->memcg_path);
	}
	if (scheme->action != DAMOS_MIGRATE_HOT && scheme->action != DAMOS_MIGRATE_COLD)
		return 0;
	if (!scheme->nr_dests)
		return check_node(scheme->target_nid, err);
	for (i = 0; i < scheme->nr_dests && !ret; i++)
		ret = check_node(scheme->dests[i].nid, err);
	return ret;
}

/* Whoever pages out the memory of the one that acts may wait for it for ever. */
int vaddr_check_self(struct damon_ctx *ctx, const struct damon_target *target)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct damon_error err;
	uint32_t i;

	for (i = 0; target->pid == getpid() && i < ctx->nr_schemes; i++) {
		if (ctx->schemes[i]->action == DAMOS_STAT)
			continue;
		damon_error_set(&err, -EINVAL,
				"process %d is this monitor itself: no scheme may act on it, only "
				"the action 'stat' is possible",
				(int)target->pid);
		return vaddr_env_fail(priv->env, -EINVAL, &err);
	}
	return 0;
}

void vaddr_actor_free(struct vaddr_actor *actor)
{
	if (!actor)
		return;
	clear_list_free(actor->list);
	clear_list_free(actor->old);
	free(actor);
}

static int need_actor(struct vaddr_ctx *priv)
{
	struct vaddr_actor *actor;

	if (priv->actor)
		return 0;
	actor = calloc(1, sizeof(*actor));
	if (!actor)
		return -ENOMEM;
	actor->list = clear_list_new();
	actor->old = clear_list_new();
	if (!actor->list || !actor->old) {
		vaddr_actor_free(actor);
		return -ENOMEM;
	}
	actor->kernel_splits = folio_kernel_splits();
	priv->actor = actor;
	return 0;
}

static bool has_page_filters(const struct damos *scheme)
{
	uint32_t i;

	for (i = 0; i < scheme->nr_filters; i++)
		if (!DAMOS_FILTER_IS_CORE(scheme->filters[i].type))
			return true;
	return false;
}

/*
 * The mappings as they are now. What the pagemap is opened for and what the mappings are of is made sure
 * of afterwards, by the process's descriptor.
 */
static int read_mappings(struct vaddr_target *mine)
{
	uint64_t now = vaddr_now_ns();
	int ret;

	if (mine->maps_read && now - mine->maps_ns < MAPS_VALID_NS)
		return 0;
	if (mine->pagemap_fd >= 0)
		close(mine->pagemap_fd);
	mine->pagemap_fd = pagemap_open(mine->info.pid);
	if (mine->pagemap_fd < 0)
		return mine->pagemap_fd == -ENOENT ? -ESRCH : mine->pagemap_fd;
	ret = vaddr_read_map(mine);
	if (ret)
		return ret;
	mine->maps_read = true;
	mine->maps_ns = now;
	return process_state(mine->pidfd) == PROCESS_ALIVE ? 0 : -ESRCH;
}

static int refuse_self(struct vaddr_actor *actor)
{
	if (!actor->self_told)
		damon_report_event(actor->ctx, actor->target, "scheme",
				   "the monitor doesn't act on itself");
	actor->self_told = true;
	return -EINVAL;
}

static uint32_t scheme_index(const struct damon_ctx *ctx, const struct damos *scheme)
{
	uint32_t idx = 0;

	while (idx < ctx->nr_schemes && ctx->schemes[idx] != scheme)
		idx++;
	return idx;
}

/*
 * Which memory is a cgroup's can't be told once it is gone. A filter that rejects would protect
 * nothing any more, and one rule for all is easier to rely on: then nothing is acted on. Told of
 * once, until it is back.
 */
static int find_cgroups(struct vaddr_actor *actor)
{
	const struct damos *scheme = actor->scheme;
	const char *missing = NULL;
	char detail[256];
	uint32_t i, idx = scheme_index(actor->ctx, scheme);
	uint64_t bit = 1ULL << idx % VADDR_NOTED_SCHEMES;

	for (i = 0; i < scheme->nr_filters; i++) {
		const struct damos_filter *filter = &scheme->filters[i];

		if (filter->type != DAMOS_FILTER_MEMCG)
			continue;
		actor->inodes[i] = memcg_inode(filter->memcg_path);
		if (!actor->inodes[i])
			missing = filter->memcg_path;
	}
	if (!missing) {
		actor->missing_told &= ~bit;
		return 0;
	}
	if (!(actor->missing_told & bit)) {
		snprintf(detail, sizeof(detail),
			 "scheme %" PRIu32 " doesn't act: its filter names memory cgroup '%.160s', "
			 "which is gone",
			 idx, missing);
		damon_report_event(actor->ctx, NULL, "scheme", detail);
	}
	actor->missing_told |= bit;
	return -ENOENT;
}

static int begin(struct damon_ctx *ctx, struct damon_target *target, const struct damos *scheme)
{
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	struct vaddr_actor *actor;
	int ret;

	if (!mine || process_state(mine->pidfd) != PROCESS_ALIVE)
		return -ESRCH;
	ret = need_actor(priv);
	if (!ret)
		ret = vaddr_need_point(priv, mine);
	if (ret)
		return ret;
	actor = priv->actor;
	actor->ctx = ctx;
	actor->target = target;
	actor->scheme = scheme;
	actor->mine = mine;
	actor->filtered = !scheme->core_filters_allowed && has_page_filters(scheme);
	/* A commit may have brought the scheme. */
	if (scheme->action != DAMOS_STAT && mine->info.pid == getpid())
		return refuse_self(actor);
	if (actor->filtered)
		ret = find_cgroups(actor);
	return ret ? ret : read_mappings(mine);
}

/* Looking. */

/* Leave the bits of pages from @start to @end. */
static void cut(uint64_t *bits, uint64_t addr, uint64_t start, uint64_t end)
{
	size_t page;

	if (start <= addr && end >= addr + PIECE_BYTES)
		return;
	for (page = 0; page < PIECE_PAGES; page++, addr += PAGE_BYTES) {
		if (addr < start || addr >= end)
			piece_unset(bits, page);
	}
}

static int take_piece(void *data, const struct point_pages *pages)
{
	struct vaddr_actor *actor = data;
	struct vaddr_piece *piece;
	uint64_t any = 0;
	size_t word;

	if (pages->failed)
		return 0;
	if (actor->nr_pieces == STEP_PIECES) {
		actor->next = pages->addr;
		return STEP_FULL;
	}
	piece = &actor->pieces[actor->nr_pieces];
	piece->addr = pages->addr;
	piece->huge = pages->huge;
	memcpy(piece->young, pages->young, sizeof(piece->young));
	for (word = 0; word < PIECE_WORDS; word++)
		piece->mapped[word] = pages->mapped[word] & ~pages->special[word];
	memcpy(piece->want, piece->mapped, sizeof(piece->want));
	cut(piece->want, piece->addr, actor->start, actor->end);
	for (word = 0; word < PIECE_WORDS; word++)
		any |= piece->want[word];
	actor->nr_pieces += any != 0;
	return 0;
}

/* The program may have become another one since the mappings were read: then nothing is certain. */
static int check_program(struct vaddr_target *mine, const struct page_process *process)
{
	if (process->exec_id == mine->process.exec_id)
		return 0;
	mine->maps_read = false;
	return -ESRCH;
}

static int look(struct vaddr_actor *actor, uint64_t start, uint64_t end,
		point_pages_callback *callback)
{
	struct page_process process = {};
	int ret = point_look_range(actor->mine->point, start, end, callback, actor, &process);

	return ret && ret != STEP_FULL ? ret : check_program(actor->mine, &process);
}

static int take_again(void *data, const struct point_pages *pages)
{
	struct vaddr_actor *actor = data;
	uint64_t end = pages->addr + (pages->failed ? pages->failed : 1);
	size_t i;

	/* Pieces are few, and sorted as the answers are; a search would be no faster. */
	for (i = 0; i < actor->nr_pieces && actor->pieces[i].addr < end; i++) {
		struct vaddr_piece *piece = &actor->pieces[i];

		if (piece->addr < pages->addr)
			continue;
		piece->after_known = !pages->failed;
		piece->after_huge = pages->huge;
		memcpy(piece->after_mapped, pages->mapped, sizeof(piece->after_mapped));
		memcpy(piece->after_young, pages->young, sizeof(piece->after_young));
	}
	return 0;
}

int vaddr_look_again(struct vaddr_actor *actor)
{
	size_t i;

	/* Where there is no table any more, nothing is mapped. */
	for (i = 0; i < actor->nr_pieces; i++) {
		struct vaddr_piece *piece = &actor->pieces[i];

		piece->after_known = true;
		piece->after_huge = false;
		memset(piece->after_mapped, 0, sizeof(piece->after_mapped));
		memset(piece->after_young, 0, sizeof(piece->after_young));
	}
	return look(actor, actor->pieces[0].addr,
		    actor->pieces[actor->nr_pieces - 1].addr + PIECE_BYTES, take_again);
}

int vaddr_read_entries(struct vaddr_actor *actor, const struct vaddr_piece *piece)
{
	uint64_t start = piece->addr, end = piece->addr + PIECE_BYTES;

	int ret;

	memset(actor->entries, 0, sizeof(actor->entries));
	if (start < actor->mapping->start)
		start = actor->mapping->start;
	if (end > actor->mapping->end)
		end = actor->mapping->end;
	ret = pagemap_read(actor->mine->pagemap_fd, start,
			   actor->entries + (start - piece->addr) / PAGE_BYTES,
			   (end - start) / PAGE_BYTES);
	/* An address space that isn't there any more has no entries: it has exited, or runs another program. */
	if (ret == -EIO)
		actor->mine->maps_read = false;
	return ret == -EIO ? -ESRCH : ret;
}

/* Acting. */

static int act_on_step(struct vaddr_actor *actor, uint64_t *applied, uint64_t *passed)
{
	size_t i;
	int ret = 0;

	if (actor->filtered) {
		ret = vaddr_filter_step(actor);
		for (i = 0; !ret && i < actor->nr_pieces; i++)
			*passed += piece_bytes(actor->pieces[i].want);
	}
	return ret ? ret : vaddr_act_step(actor, applied);
}

static int act_on_mapping(struct vaddr_actor *actor, uint64_t *applied, uint64_t *passed)
{
	uint64_t at = actor->start;
	int ret = 0;

	if (actor->scheme->action == DAMOS_WILLNEED && !actor->filtered)
		return vaddr_act_willneed(actor, applied);
	while (!ret && at < actor->end) {
		actor->nr_pieces = 0;
		actor->next = actor->end;
		ret = look(actor, at, actor->end, take_piece);
		if (!ret && actor->nr_pieces)
			ret = act_on_step(actor, applied, passed);
		at = actor->next;
	}
	return ret;
}

static int act_on_range(struct vaddr_actor *actor, const struct damon_addr_range *ar,
			uint64_t *applied, uint64_t *passed)
{
	const struct mapping_list *list = &actor->mine->mappings;
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < list->nr && list->mappings[i].start < ar->end; i++) {
		const struct mapping *mapping = &list->mappings[i];

		if (mapping->end <= ar->start)
			continue;
		actor->mapping = mapping;
		actor->start = mapping->start > ar->start ? mapping->start : ar->start;
		actor->end = mapping->end < ar->end ? mapping->end : ar->end;
		/* Regions may be cut finer than pages are. */
		actor->start = (actor->start + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		actor->end &= ~(PAGE_BYTES - 1);
		if (actor->start < actor->end)
			ret = act_on_mapping(actor, applied, passed);
	}
	return ret;
}

int vaddr_apply_scheme(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_addr_range *ar, const struct damos *scheme,
		       uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	struct damon_port *port = damon_lib_port(ctx->lib);
	uint64_t cpu_ns = port->thread_cpu_ns(port);
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	double target_ns = priv->target_ns;
	int ret = begin(ctx, target, scheme);

	if (scheme->core_filters_allowed)
		*sz_filter_passed = ar->end - ar->start;
	if (!ret)
		ret = act_on_range(priv->actor, ar, sz_applied, sz_filter_passed);
	/* Two errors concern no process, and were told of by themselves. */
	if (mine && ret != -EINVAL && ret != -ENOENT)
		vaddr_note_scheme(ctx, target, scheme_index(ctx, scheme), ret);
	/* Pages may lie elsewhere now, and look used because of that. */
	if (mine && scheme->action != DAMOS_STAT)
		mine->pages_changed = true;
	if (mine)
		vaddr_charge(priv, mine);
	budget_once(&priv->budget,
		    (double)(port->thread_cpu_ns(port) - cpu_ns) + priv->target_ns - target_ns);
	return *sz_applied ? 0 : ret;
}
