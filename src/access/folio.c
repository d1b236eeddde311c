/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Large folios: finding out whether one is mapped as a whole, so that it can be cleared as a whole.
 *
 * Told to make a part of a large folio cold, the kernel splits the folio. It
 * doesn't (from 6.10 on) when the range covers all its pages, with entries that
 * differ in nothing but what a use changes, inside one mapping and one table.
 */
#include "access/folio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "access/arch.h"

#define PAGE_BYTES (1ULL << ARCH_PAGE_SHIFT)

/* Pages that one table maps; a larger folio mapped page by page is given up. */
#define MAX_PAGES (1u << ARCH_TABLE_SHIFT)

/*
 * Looking one up costs up to some 30 us, which must not add up: pages looked at per batch, and for
 * how many batches nothing more is asked about one that can't be cleared.
 */
#define MAX_PAGES_PER_BATCH 4096
#define REJECTED_BATCHES    200
#define NR_REJECTED	    1024
#define REJECTED_SHIFT	    4 /* frames share an entry by 64 KiB, the usual size of small folios */

/* The first kernel that leaves a folio whole when all of it is made cold. */
#define FIRST_MAJOR 6
#define FIRST_MINOR 10

struct folio_finder {
	const struct frame_files *frames;
	bool kernel_splits;
	uint64_t batch;
	size_t pages_left;
	struct {
		uint64_t block;
		uint64_t until; /* batch; 0 for none */
		int why;
	} rejected[NR_REJECTED];
	uint64_t flags[MAX_PAGES];
	uint64_t addrs[MAX_PAGES];
	struct page_state states[MAX_PAGES];
};

bool folio_kernel_splits(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	return uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	       major < FIRST_MAJOR || (major == FIRST_MAJOR && minor < FIRST_MINOR);
}

struct folio_finder *folio_finder_new(const struct frame_files *frames)
{
	struct folio_finder *finder = calloc(1, sizeof(*finder));

	if (!finder)
		return NULL;
	finder->frames = frames;
	finder->kernel_splits = folio_kernel_splits();
	return finder;
}

void folio_finder_free(struct folio_finder *finder)
{
	free(finder);
}

/* Folios are aligned to their size, so none of up to MAX_PAGES crosses a multiple of that. */
int folio_extent(const struct frame_files *frames, uint64_t frame, uint64_t *flags, uint64_t *first,
		 size_t *nr, uint64_t *head)
{
	uint64_t block = frame & ~(uint64_t)(MAX_PAGES - 1);
	size_t start = frame - block, last = start;
	int ret = frame_flags(frames, block, flags, MAX_PAGES);

	if (ret)
		return ret;
	while (start && (flags[start] & FRAME_TAIL))
		start--;
	while (last + 1 < MAX_PAGES && (flags[last + 1] & FRAME_TAIL))
		last++;
	/* The head may lie further down, or the page may have changed its nature meanwhile. */
	if (flags[start] & FRAME_TAIL)
		return -ENXIO;
	*first = block + start;
	*nr = last - start + 1;
	*head = flags[start];
	return 0;
}

/* Those of the folio around @frame; what reclaim doesn't know (yet) isn't cleared. */
static int find_frames(struct folio_finder *finder, uint64_t frame, uint64_t *first, size_t *nr)
{
	uint64_t head;

	if (folio_extent(finder->frames, frame, finder->flags, first, nr, &head) ||
	    !(head & FRAME_LRU))
		return -ENXIO;
	return 0;
}

/* Are @nr frames from @first on mapped one after the other from @start on, all alike? */
static int check_mapped(struct folio_finder *finder, struct page_link *link, uint64_t start,
			uint64_t first, size_t nr)
{
	uint64_t alike = ~((uint64_t)ARCH_ENTRY_USE_MASK | ARCH_FRAME_MASK);
	size_t i;
	int ret;

	for (i = 0; i < nr; i++)
		finder->addrs[i] = start + i * PAGE_BYTES;
	ret = page_link_read(link, finder->addrs, nr, finder->states, NULL);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		const struct page_state *state = &finder->states[i];

		if (!(state->flags & PAGE_MAPPED) || state->leaf_shift != ARCH_PAGE_SHIFT ||
		    state->frame != first + i || ((state->entry ^ finder->states[0].entry) & alike))
			return -ENXIO;
	}
	return 0;
}

static int check_exclusive(struct folio_finder *finder, uint64_t first, size_t nr)
{
	size_t i;

	/* The flags aren't needed any more: their room takes the counts. */
	if (frame_mapcounts(finder->frames, first, finder->flags, nr))
		return -EBUSY;
	for (i = 0; i < nr; i++) {
		if (finder->flags[i] > 1)
			return -EBUSY;
	}
	return 0;
}

static int look_up(struct folio_finder *finder, struct page_link *link, const struct watch_map *map,
		   uint64_t addr, uint64_t frame, uint64_t *start, uint64_t *end)
{
	const struct watch_range *mapping;
	uint64_t first, table;
	size_t nr;
	int ret = find_frames(finder, frame, &first, &nr);

	if (ret)
		return ret;
	finder->pages_left -= nr < finder->pages_left ? nr : finder->pages_left;
	*start = addr - (frame - first) * PAGE_BYTES;
	*end = *start + nr * PAGE_BYTES;
	table = addr & ~(MAX_PAGES * PAGE_BYTES - 1);
	mapping = watch_map_find(map, addr);
	if (*start < table || *end > table + MAX_PAGES * PAGE_BYTES || !mapping ||
	    mapping->start > *start || mapping->end < *end)
		return -ENXIO;
	ret = check_mapped(finder, link, *start, first, nr);
	if (ret)
		return ret;
	return check_exclusive(finder, first, nr);
}

void folio_finder_begin(struct folio_finder *finder)
{
	finder->batch++;
	finder->pages_left = MAX_PAGES_PER_BATCH;
}

int folio_find(struct folio_finder *finder, struct page_link *link, const struct watch_map *map,
	       uint64_t addr, uint64_t frame, uint64_t *start, uint64_t *end)
{
	uint64_t block = frame >> REJECTED_SHIFT;
	size_t idx = block % NR_REJECTED;
	int ret;

	if (finder->kernel_splits || !finder->pages_left)
		return -ENXIO;
	if (finder->rejected[idx].block == block && finder->batch < finder->rejected[idx].until)
		return finder->rejected[idx].why;
	ret = look_up(finder, link, map, addr & ~(PAGE_BYTES - 1), frame, start, end);
	if (ret == -ENXIO || ret == -EBUSY) {
		finder->rejected[idx].block = block;
		finder->rejected[idx].until = finder->batch + REJECTED_BATCHES;
		finder->rejected[idx].why = ret;
	}
	return ret;
}
