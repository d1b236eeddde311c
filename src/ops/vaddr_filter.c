/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Filters of schemes on live processes: which pages pass.
 *
 * What is asked of a page is asked of the folio it belongs to, as the kernel manages that as one.
 */
#include "ops/vaddr_scheme.h"

#include <errno.h>
#include <string.h>

/* What the kernel says of each page of a piece. */
struct page_notes {
	bool known[PIECE_PAGES];
	uint64_t flags[PIECE_PAGES]; /* FRAME_* of the page */
	uint64_t head[PIECE_PAGES];  /* and of its folio's first */
	uint64_t first[PIECE_PAGES]; /* frame of that */
	uint16_t nr[PIECE_PAGES];    /* pages of the folio */
};

static uint64_t frame_at(const struct vaddr_actor *actor, size_t page)
{
	return pagemap_frame(actor->entries[page]);
}

/* The folio of @page, which with @last - @page others has frames in sequence. */
static int find_folio(struct vaddr_actor *actor, const struct frame_files *files,
		      const struct page_notes *notes, size_t page, size_t last, uint64_t *first,
		      size_t *nr, uint64_t *head)
{
	uint64_t flags = notes->flags[page];
	size_t tail = page + 1;

	*first = frame_at(actor, page);
	*nr = 1;
	*head = flags;
	if (!(flags & (FRAME_HEAD | FRAME_TAIL)))
		return 0;
	while (tail < last && (notes->flags[tail] & FRAME_TAIL))
		tail++;
	*nr = tail - page;
	/* Its first page, and the one behind its last, are in view: no need to ask. */
	if ((flags & FRAME_HEAD) && tail < last)
		return 0;
	return folio_extent(files, *first, actor->scratch, first, nr, head);
}

static void note_sequence(struct vaddr_actor *actor, const struct frame_files *files,
			  struct page_notes *notes, size_t page, size_t last)
{
	uint64_t first, head, frame;
	size_t nr;
	int ret;

	while (page < last) {
		ret = find_folio(actor, files, notes, page, last, &first, &nr, &head);
		/* Changing just now: nothing is known of it. */
		if (ret) {
			page++;
			continue;
		}
		for (frame = frame_at(actor, page); page < last && frame < first + nr;
		     page++, frame++) {
			notes->known[page] = true;
			notes->head[page] = head;
			notes->first[page] = first;
			notes->nr[page] = (uint16_t)nr;
		}
	}
}

static void note_pages(struct vaddr_actor *actor, const struct frame_files *files,
		       struct page_notes *notes)
{
	size_t page, nr;

	memset(notes->known, 0, sizeof(notes->known));
	for (page = 0; page < PIECE_PAGES; page += nr) {
		nr = 1;
		if (!frame_at(actor, page))
			continue;
		nr = pagemap_sequence(actor->entries + page, PIECE_PAGES - page);
		/* Frames without a description, as of a device, pass no filter. */
		if (!frame_flags(files, frame_at(actor, page), notes->flags + page, nr))
			note_sequence(actor, files, notes, page, page + nr);
	}
}

static bool same_folio(const struct page_notes *notes, size_t a, size_t b)
{
	return notes->known[a] && notes->known[b] && notes->nr[a] > 1 &&
	       notes->first[a] == notes->first[b];
}

/* Where one page of a folio is young, all are. */
static void spread_young(const struct page_notes *notes, uint64_t *young)
{
	size_t page, end, i;
	bool any;

	for (page = 0; page < PIECE_PAGES; page = end) {
		any = piece_has(young, page);
		for (end = page + 1; end < PIECE_PAGES && same_folio(notes, page, end); end++)
			any |= piece_has(young, end);
		for (i = page; any && i < end; i++)
			piece_set(young, i);
	}
}

/*
 * Pages that were used since the last test. Beside the Accessed bits as they are now, what the engine
 * knows of those it cleared: "scan" counts them, for "point" they were remembered. A guest's uses
 * aren't seen at all.
 */
static void find_young(const struct vaddr_actor *actor, const struct vaddr_piece *piece,
		       const struct page_notes *notes, uint64_t *young)
{
	const struct vaddr_target *mine = actor->mine;
	uint64_t counted[PIECE_WORDS], interval = actor->scheme->apply_interval_us, sample, aggr;
	const uint64_t *touched = counted;
	size_t word;

	memcpy(young, piece->young, sizeof(piece->young));
	if (mine->made_old.incomplete || (watch_map_flags(&mine->map, actor->start) & WATCH_GUEST))
		memset(young, 0xff, sizeof(piece->young));
	damon_intervals_in_force(actor->ctx, &sample, &aggr);
	if (!interval)
		interval = aggr;
	if (mine->scan)
		scan_target_touched(mine->scan, piece->addr,
				    (uint32_t)(interval / (sample ? sample : 1)), counted);
	else
		touched = page_set_bits(&mine->made_old, piece->addr);
	for (word = 0; touched && word < PIECE_WORDS; word++)
		young[word] |= touched[word];
	spread_young(notes, young);
}

/*
 * The kernel's own DAMON, where it watches the same memory, clears bits as well. A page in use that it
 * has just cleared looks unused, so where there are traces of that it takes two tests in a row.
 */
static void doubt(struct vaddr_actor *actor, const struct vaddr_piece *piece,
		  const struct page_notes *notes, uint64_t *young)
{
	struct page_set *doubted = &actor->mine->doubted;
	uint64_t *bits = page_set_bits(doubted, piece->addr), addr;
	size_t page;

	for (page = 0; page < PIECE_PAGES; page++) {
		addr = piece_page(piece, page);
		if (addr < actor->start || addr >= actor->end)
			continue;
		if (piece_has(young, page)) {
			if (bits)
				piece_unset(bits, page);
		} else if (notes->known[page] && (notes->head[page] & FRAME_IDLE) &&
			   !(bits && piece_has(bits, page))) {
			page_set_add(doubted, addr, addr + PAGE_BYTES);
			bits = page_set_bits(doubted, piece->addr);
			piece_set(young, page);
		}
	}
}

/* Some kernels know it only of a folio's first page. */
static int in_cgroup(const struct frame_files *files, uint64_t first, uint64_t inode, bool *is)
{
	uint64_t value;
	int ret = frame_cgroup(files, first, &value);

	*is = !ret && value == inode;
	return ret;
}

/* Whether @page is of the filter's type. */
static int is_of_type(const struct vaddr_actor *actor, const struct frame_files *files,
		      uint32_t idx, const struct page_notes *notes, const uint64_t *young,
		      size_t page, bool *is)
{
	const struct damos_filter *filter = &actor->scheme->filters[idx];
	uint64_t size = notes->nr[page] * PAGE_BYTES;

	switch (filter->type) {
	case DAMOS_FILTER_ANON:
		*is = notes->head[page] & FRAME_ANON;
		break;
	case DAMOS_FILTER_ACTIVE:
		*is = notes->head[page] & FRAME_ACTIVE;
		break;
	case DAMOS_FILTER_MEMCG:
		return in_cgroup(files, notes->first[page], actor->inodes[idx], is);
	case DAMOS_FILTER_YOUNG:
		*is = piece_has(young, page);
		break;
	case DAMOS_FILTER_HUGEPAGE_SIZE:
		*is = size >= filter->sz_min && size <= filter->sz_max;
		break;
	default:
		/* Unmapped: what a page table shows is mapped there. */
		*is = false;
	}
	return 0;
}

/* The first that matches decides; where none does, memory passes unless the last one is an allowing one. */
static int passes(const struct vaddr_actor *actor, const struct frame_files *files,
		  const struct page_notes *notes, const uint64_t *young, size_t page, bool *pass)
{
	const struct damos *scheme = actor->scheme;
	uint32_t i;
	bool is;
	int ret;

	*pass = true;
	for (i = 0; i < scheme->nr_filters; i++) {
		const struct damos_filter *filter = &scheme->filters[i];

		if (DAMOS_FILTER_IS_CORE(filter->type))
			continue;
		ret = is_of_type(actor, files, i, notes, young, page, &is);
		if (ret)
			return ret;
		*pass = filter->allow;
		if (is == filter->matching)
			return 0;
		*pass = !filter->allow;
	}
	return 0;
}

/* Are @nr entries those of the folio's frames, mapped here only? */
static bool are_frames(const uint64_t *entries, uint64_t first, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!(entries[i] & PAGEMAP_PRESENT) || !(entries[i] & PAGEMAP_EXCLUSIVE) ||
		    (entries[i] & PAGEMAP_FRAME) != first + i)
			return false;
	}
	return true;
}

/* Where the folio of @page lies, which may reach beyond the piece; false where it can't be made old. */
static bool find_whole_folio(struct vaddr_actor *actor, const struct vaddr_piece *piece,
			     const struct page_notes *notes, size_t page,
			     struct damon_addr_range *folio)
{
	uint64_t first = notes->first[page], before = frame_at(actor, page) - first;
	size_t nr = notes->nr[page];

	folio->start = piece_page(piece, page) - before * PAGE_BYTES;
	folio->end = folio->start + nr * PAGE_BYTES;
	if (nr > 1 && actor->kernel_splits && !piece->huge)
		return false;
	if (folio->start < actor->mapping->start || folio->end > actor->mapping->end)
		return false;
	if (folio->start >= piece->addr && folio->end <= piece->addr + PIECE_BYTES)
		return are_frames(actor->entries + page - before, first, nr);
	return !pagemap_read(actor->mine->pagemap_fd, folio->start, actor->scratch, nr) &&
	       are_frames(actor->scratch, first, nr);
}

static int add_old(struct vaddr_actor *actor, const struct vaddr_piece *piece,
		   const struct damon_addr_range *range)
{
	uint64_t tested = piece->addr + PIECE_BYTES;

	if (range->start == range->end)
		return 0;
	if (tested > actor->end)
		tested = actor->end;
	/* What of a folio is still to be tested in this pass must not look unused then. */
	if (range->end > tested)
		page_set_add(&actor->mine->made_old, range->start > tested ? range->start : tested,
			     range->end);
	actor->nr_old += (range->end - range->start) / PAGE_BYTES;
	return clear_list_add(actor->old, range->start, range->end, 0);
}

/*
 * Tested pages are to be old until they are used again. Those that are mapped more than once, and
 * folios of which only a part is here, can't be made old: they stay young.
 */
static int list_old(struct vaddr_actor *actor, const struct vaddr_piece *piece,
		    const struct page_notes *notes, const uint64_t *young)
{
	struct damon_addr_range range = {}, folio;
	uint64_t addr;
	size_t page;
	int ret = 0;

	for (page = 0; !ret && page < PIECE_PAGES; page++) {
		addr = piece_page(piece, page);
		if (!piece_has(young, page) || !notes->known[page] || addr < actor->start ||
		    addr >= actor->end || (addr < range.end && range.end > range.start) ||
		    !find_whole_folio(actor, piece, notes, page, &folio))
			continue;
		if (folio.start != range.end) {
			ret = add_old(actor, piece, &range);
			range.start = folio.start;
		}
		range.end = folio.end;
	}
	return ret ? ret : add_old(actor, piece, &range);
}

/* These were tested, so what was before doesn't count the next time. */
static void forget(struct vaddr_actor *actor, const struct vaddr_piece *piece)
{
	uint64_t *bits = page_set_bits(&actor->mine->made_old, piece->addr);
	size_t page;

	for (page = 0; bits && page < PIECE_PAGES; page++) {
		uint64_t addr = piece_page(piece, page);

		if (addr >= actor->start && addr < actor->end)
			piece_unset(bits, page);
	}
}

static bool asks_young(const struct damos *scheme)
{
	uint32_t i;

	for (i = 0; i < scheme->nr_filters; i++) {
		if (scheme->filters[i].type == DAMOS_FILTER_YOUNG)
			return true;
	}
	return false;
}

static int filter_piece(struct vaddr_actor *actor, const struct frame_files *files,
			struct vaddr_piece *piece, bool make_old)
{
	uint64_t young[PIECE_WORDS], used[PIECE_WORDS];
	struct page_notes notes;
	size_t page;
	bool pass;
	int ret = vaddr_read_entries(actor, piece);

	if (ret)
		return ret;
	note_pages(actor, files, &notes);
	find_young(actor, piece, &notes, young);
	memcpy(used, young, sizeof(used));
	if (asks_young(actor->scheme))
		doubt(actor, piece, &notes, used);
	for (page = 0; page < PIECE_PAGES; page++) {
		if (!piece_has(piece->want, page))
			continue;
		pass = false;
		ret = 0;
		if (notes.known[page])
			ret = passes(actor, files, &notes, used, page, &pass);
		if (ret == -EOPNOTSUPP)
			return ret;
		/* What nobody can tell of a page, no filter may be passed by. */
		if (ret || !pass)
			piece_unset(piece->want, page);
	}
	if (!make_old)
		return 0;
	forget(actor, piece);
	return list_old(actor, piece, &notes, young);
}

/* While memory is short, making pages old would push out just what is in use. */
static bool makes_old(const struct vaddr_actor *actor)
{
	const struct vaddr_ctx *priv = actor->ctx->ops_priv;

	return asks_young(actor->scheme) && !actor->mine->scan && !priv->pressure.high;
}

void vaddr_prepare_filters(struct damon_ctx *ctx, struct vaddr_target *target)
{
	uint32_t i;

	if (target->remembers || target->scan)
		return;
	for (i = 0; i < ctx->nr_schemes && !target->remembers; i++)
		target->remembers = asks_young(ctx->schemes[i]);
	if (target->remembers)
		point_target_remember(target->point, &target->made_old);
}

int vaddr_filter_step(struct vaddr_actor *actor)
{
	struct vaddr_ctx *priv = actor->ctx->ops_priv;
	const struct frame_files *files = point_engine_frames(priv->point);
	bool make_old = makes_old(actor);
	struct clear_result result;
	size_t i;
	int ret = 0;

	clear_list_reset(actor->old);
	actor->nr_old = 0;
	for (i = 0; !ret && i < actor->nr_pieces; i++)
		ret = filter_piece(actor, files, &actor->pieces[i], make_old);
	if (ret || !make_old)
		return ret;
	ret = clear_list_run(actor->old, actor->mine->pidfd, NULL, NULL, NULL, &result);
	priv->filter_work.pages += actor->nr_old;
	priv->filter_work.interrupts += result.nr_cleared;
	return ret;
}
