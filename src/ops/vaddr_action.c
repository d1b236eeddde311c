/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Actions of schemes on live processes, and what they really changed.
 */
#include "ops/vaddr_scheme.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/move_pages.h"
#include "system/page_cache.h"
#include "system/touch.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* newer than the C library's header */
#endif

/*
 * Of a longer range, WILLNEED reads only the beginning: as much as the device's readahead is, 128 KiB by
 * default.
 */
#define WILLNEED_BYTES (128ULL << 10)
/* Ranges of one call to the kernel. */
#define WILLNEED_RANGES 1024

/* Ranges. */

/* What may be advised: with filters just the wanted pages, else absent ones between them as well. */
static bool in_run(const struct vaddr_actor *actor, const struct vaddr_piece *piece, size_t page,
		   bool begun)
{
	if (piece_has(piece->want, page))
		return true;
	return begun && !actor->filtered && !piece_has(piece->mapped, page) &&
	       piece_page(piece, page) < actor->end;
}

static int list_wanted(struct vaddr_actor *actor)
{
	uint64_t start = 0, end = 0, addr;
	size_t i, page;
	int ret = 0;

	clear_list_reset(actor->list);
	for (i = 0; i < actor->nr_pieces; i++) {
		const struct vaddr_piece *piece = &actor->pieces[i];

		for (page = 0; page < PIECE_PAGES && !ret; page++) {
			addr = piece_page(piece, page);
			if (!in_run(actor, piece, page, end == addr))
				continue;
			if (addr != end && end)
				ret = clear_list_add(actor->list, start, end, 0);
			if (addr != end)
				start = addr;
			end = addr + PAGE_BYTES;
		}
	}
	return ret || !end ? ret : clear_list_add(actor->list, start, end, 0);
}

/* Ranges that are refused (locked, hugetlb, device) show in what was changed. */
static int advise(struct vaddr_actor *actor, int advice)
{
	struct clear_result result;

	return clear_list_advise(actor->list, actor->mine->pidfd, advice, NULL, NULL, NULL,
				 &result);
}

static int advise_wanted(struct vaddr_actor *actor, int advice)
{
	int ret = list_wanted(actor);

	if (!ret)
		ret = advise(actor, advice);
	return ret ? ret : vaddr_look_again(actor);
}

/* Actions. */

static int count(struct vaddr_actor *actor, uint64_t *applied)
{
	size_t i;

	for (i = 0; i < actor->nr_pieces; i++)
		*applied += piece_bytes(actor->pieces[i].want);
	return 0;
}

/* Applied: pages that were there and aren't any more. */
static int page_out(struct vaddr_actor *actor, uint64_t *applied)
{
	uint64_t gone[PIECE_WORDS];
	size_t i, word;
	int ret = advise_wanted(actor, MADV_PAGEOUT);

	for (i = 0; !ret && i < actor->nr_pieces; i++) {
		const struct vaddr_piece *piece = &actor->pieces[i];

		if (!piece->after_known)
			continue;
		for (word = 0; word < PIECE_WORDS; word++)
			gone[word] = piece->want[word] & ~piece->after_mapped[word];
		*applied += piece_bytes(gone);
	}
	return ret;
}

/* Applied: pages of this process only (others are passed over) that are old now. */
static int make_cold(struct vaddr_actor *actor, uint64_t *applied)
{
	size_t i, page;
	int ret = advise_wanted(actor, MADV_COLD);

	for (i = 0; !ret && i < actor->nr_pieces; i++) {
		const struct vaddr_piece *piece = &actor->pieces[i];

		if (!piece->after_known)
			continue;
		ret = vaddr_read_entries(actor, piece);
		for (page = 0; !ret && page < PIECE_PAGES; page++) {
			if (piece_has(piece->want, page) && piece_has(piece->after_mapped, page) &&
			    !piece_has(piece->after_young, page) &&
			    (actor->entries[page] & PAGEMAP_EXCLUSIVE))
				*applied += PAGE_BYTES;
		}
	}
	return ret;
}

/* A piece that can become huge: all of it lies in the region and the mapping, and all that is there passed. */
static bool can_collapse(const struct vaddr_actor *actor, const struct vaddr_piece *piece)
{
	return !piece->huge && piece->addr >= actor->start &&
	       piece->addr + PIECE_BYTES <= actor->end &&
	       !memcmp(piece->want, piece->mapped, sizeof(piece->want));
}

/* Applied: pieces that are one huge page now. */
static int collapse(struct vaddr_actor *actor, uint64_t *applied)
{
	size_t i;
	int ret = 0;

	clear_list_reset(actor->list);
	for (i = 0; !ret && i < actor->nr_pieces; i++) {
		const struct vaddr_piece *piece = &actor->pieces[i];

		if (can_collapse(actor, piece))
			ret = clear_list_add(actor->list, piece->addr, piece->addr + PIECE_BYTES,
					     0);
	}
	if (!ret)
		ret = advise(actor, MADV_COLLAPSE);
	if (!ret)
		ret = vaddr_look_again(actor);
	for (i = 0; !ret && i < actor->nr_pieces; i++) {
		const struct vaddr_piece *piece = &actor->pieces[i];

		if (can_collapse(actor, piece) && piece->after_known && piece->after_huge)
			*applied += PIECE_BYTES;
	}
	return ret;
}

/* Pages of @piece that are wanted and, by the kernel's own word, there at this moment. */
static ssize_t list_present(struct vaddr_actor *actor, const struct vaddr_piece *piece,
			    uint64_t *addrs)
{
	size_t nr = 0, page;
	int ret = vaddr_read_entries(actor, piece);

	for (page = 0; !ret && page < PIECE_PAGES; page++) {
		if (piece_has(piece->want, page) && (actor->entries[page] & PAGEMAP_PRESENT))
			addrs[nr++] = piece_page(piece, page);
	}
	return ret ? ret : (ssize_t)nr;
}

/* Applied: pages that could be read, twice. */
static int touch(struct vaddr_actor *actor, uint64_t *applied)
{
	uint64_t addrs[PIECE_PAGES];
	ssize_t ret = 0;
	size_t i;

	_Static_assert(TOUCH_MAX >= PIECE_PAGES && MOVE_PAGES_MAX >= PIECE_PAGES,
		       "a piece at a time");
	for (i = 0; ret >= 0 && i < actor->nr_pieces; i++) {
		ret = list_present(actor, &actor->pieces[i], addrs);
		if (ret > 0)
			ret = touch_pages(actor->mine->info.pid, actor->mine->pidfd, addrs,
					  (size_t)ret);
		if (ret > 0)
			*applied += (uint64_t)ret * PAGE_BYTES;
	}
	return ret < 0 ? (int)ret : 0;
}

/*
 * The node for what lies at @addr. Multiples of the golden ratio fall evenly into any stretch of 0..1, so
 * each node gets its share of any range, and an address always the same one.
 */
static int node_for(const struct damos *scheme, uint64_t addr)
{
	uint64_t weights = 0, turn = addr / PAGE_BYTES * 0x9e3779b97f4a7c15ULL;
	uint32_t i;

	if (!scheme->nr_dests)
		return scheme->target_nid;
	for (i = 0; i < scheme->nr_dests; i++)
		weights += scheme->dests[i].weight;
	turn = (uint64_t)((unsigned __int128)turn * weights >> 64);
	for (i = 0; turn >= scheme->dests[i].weight; i++)
		turn -= scheme->dests[i].weight;
	return scheme->dests[i].nid;
}

/* Whether the page of that entry is the next one of the same large folio as the page before. */
static bool continues_folio(const struct vaddr_actor *actor, uint64_t frame, uint64_t before)
{
	const struct vaddr_ctx *priv = actor->ctx->ops_priv;
	uint64_t flags;

	return frame == before + 1 &&
	       !frame_flags(point_engine_frames(priv->point), frame, &flags, 1) &&
	       (flags & FRAME_TAIL);
}

/* A large folio moves as a whole: all its pages go where the first one goes. */
static void choose_nodes(const struct vaddr_actor *actor, const struct vaddr_piece *piece,
			 const uint64_t *addrs, size_t nr, int *nodes)
{
	uint64_t before = 0, frame;
	size_t i;

	for (i = 0; i < nr; i++) {
		frame = actor->entries[(addrs[i] - piece->addr) / PAGE_BYTES] & PAGEMAP_FRAME;
		if (i && actor->scheme->nr_dests && continues_folio(actor, frame, before))
			nodes[i] = nodes[i - 1];
		else
			nodes[i] = node_for(actor->scheme, addrs[i]);
		before = frame;
	}
}

/* Applied: pages that lie in another node now, the right one. */
static int migrate(struct vaddr_actor *actor, uint64_t *applied)
{
	uint64_t addrs[PIECE_PAGES];
	bool moved[PIECE_PAGES];
	int nodes[PIECE_PAGES];
	ssize_t ret = 0;
	size_t i;

	for (i = 0; ret >= 0 && i < actor->nr_pieces; i++) {
		ret = list_present(actor, &actor->pieces[i], addrs);
		if (ret <= 0)
			continue;
		choose_nodes(actor, &actor->pieces[i], addrs, (size_t)ret, nodes);
		ret = move_pages_to(actor->mine->info.pid, actor->mine->pidfd, addrs, nodes,
				    (size_t)ret, moved);
		if (ret > 0)
			*applied += (uint64_t)ret * PAGE_BYTES;
	}
	return ret < 0 ? (int)ret : 0;
}

int vaddr_act_step(struct vaddr_actor *actor, uint64_t *applied)
{
	switch (actor->scheme->action) {
	case DAMOS_STAT:
		return count(actor, applied);
	case DAMOS_PAGEOUT:
		return page_out(actor, applied);
	case DAMOS_COLD:
	case DAMOS_LRU_DEPRIO:
		return make_cold(actor, applied);
	case DAMOS_HUGEPAGE:
	case DAMOS_COLLAPSE:
		return collapse(actor, applied);
	case DAMOS_LRU_PRIO:
		return touch(actor, applied);
	case DAMOS_MIGRATE_HOT:
	case DAMOS_MIGRATE_COLD:
		return migrate(actor, applied);
	case DAMOS_WILLNEED:
		/* Pages that pass filters are there already. */
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* Bringing pages in. */

static int advise_file(struct vaddr_actor *actor, uint64_t start, uint64_t end)
{
	uint64_t addr;
	int ret = 0;

	while (!ret && start < end) {
		clear_list_reset(actor->list);
		for (addr = start;
		     !ret && addr < end && addr - start < WILLNEED_RANGES * WILLNEED_BYTES;
		     addr += WILLNEED_BYTES)
			ret = clear_list_add(
				actor->list, addr,
				addr + WILLNEED_BYTES < end ? addr + WILLNEED_BYTES : end, 0);
		if (!ret)
			ret = advise(actor, MADV_WILLNEED);
		start = addr;
	}
	return ret;
}

/* Applied: what of the file is in memory now and wasn't before. */
static int bring_file_in(struct vaddr_actor *actor, uint64_t *applied)
{
	const struct mapping *mapping = actor->mapping;
	uint64_t offset = actor->start - mapping->start + mapping->offset, before, after;
	uint64_t start = actor->start, end = actor->end;
	int fd = page_cache_open(actor->mine->info.pid, mapping), ret;
	struct stat info;

	/* Nothing that could be read, or counted. */
	if (fd < 0)
		return fd == -ENOENT || fd == -ESRCH ? 0 : fd;
	ret = process_state(actor->mine->pidfd) == PROCESS_ALIVE && !fstat(fd, &info) ? 0 : -ESRCH;
	if (!ret && offset < (uint64_t)info.st_size) {
		if (end - start > (uint64_t)info.st_size - offset)
			end = start + (((uint64_t)info.st_size - offset + PAGE_BYTES - 1) &
				       ~(PAGE_BYTES - 1));
		ret = page_cache_bytes(fd, offset, end - start, &before);
		if (!ret)
			ret = advise_file(actor, start, end);
		if (!ret)
			ret = page_cache_bytes(fd, offset, end - start, &after);
		if (!ret && after > before)
			*applied += after - before;
	}
	close(fd);
	return ret;
}

/* Lists the pages of a piece that are swapped out. */
static int list_swapped(void *data, const struct point_pages *pages)
{
	struct vaddr_actor *actor = data;
	struct vaddr_piece piece = {.addr = pages->addr};
	size_t page;
	int ret;

	if (pages->failed || pages->huge)
		return 0;
	ret = vaddr_read_entries(actor, &piece);
	for (page = 0; !ret && page < PIECE_PAGES; page++) {
		uint64_t addr = piece_page(&piece, page);

		if ((actor->entries[page] & PAGEMAP_SWAPPED) && addr >= actor->start &&
		    addr < actor->end)
			ret = clear_list_add(actor->list, addr, addr + PAGE_BYTES, 0);
	}
	return ret;
}

static void count_range(void *data, uint64_t start, uint64_t end, size_t tag)
{
	uint64_t *bytes = data;

	*bytes += end - start;
}

/*
 * Applied: swapped pages of which the kernel says that it took the advice. They come into the swap cache, from
 * where the process gets them without waiting; nothing tells which ones are there.
 */
static int bring_swapped_in(struct vaddr_actor *actor, uint64_t *applied)
{
	struct page_process process = {};
	struct clear_result result;
	int ret;

	clear_list_reset(actor->list);
	ret = point_look_range(actor->mine->point, actor->start, actor->end, list_swapped, actor,
			       &process);
	if (ret || process.exec_id != actor->mine->process.exec_id)
		return ret ? ret : -ESRCH;
	return clear_list_advise(actor->list, actor->mine->pidfd, MADV_WILLNEED, NULL, count_range,
				 applied, &result);
}

int vaddr_act_willneed(struct vaddr_actor *actor, uint64_t *applied)
{
	return actor->mapping->inode ? bring_file_in(actor, applied)
				     : bring_swapped_in(actor, applied);
}
