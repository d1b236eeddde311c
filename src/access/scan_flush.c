// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Flushing a target's TLB after clear_refs, which doesn't do it.
 *
 * A page whose translation the processor still holds isn't marked when it is used
 * again. Writing 4 to clear_refs resets soft-dirty marks; where the kernel keeps none, all that
 * is left of it is a walk and one flush. Where it does keep them, others may
 * rely on them, so there a flush comes from MADV_COLD instead: it flushes from
 * the first page it clears to the last, and everything when these are far enough apart.
 */
#include "access/arch.h"
#include "access/scan_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES (1ULL << ARCH_PAGE_SHIFT)

/* From how many pages on x86 flushes everything instead of page by page: above 33. */
#define FLUSH_ALL_PAGES 34

/* How often young pages are looked for. */
#define PAIR_TRIES 3

/* pagemap: written since the marks were reset last; always set in fresh memory, if there are marks. */
#define PAGEMAP_SOFT_DIRTY (1ULL << 55)

bool scan_kernel_soft_dirty(void)
{
	bool soft_dirty = true;
	uint64_t entry;
	char *page;
	int fd = pagemap_open(0);

	page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd >= 0 && page != MAP_FAILED) {
		*page = 1;
		if (!pagemap_read(fd, (uintptr_t)page, &entry, 1))
			soft_dirty = entry & PAGEMAP_SOFT_DIRTY;
	}
	if (page != MAP_FAILED)
		munmap(page, PAGE_BYTES);
	if (fd >= 0)
		close(fd);
	return soft_dirty;
}

int scan_write_refs(const struct scan_target *target, char digit, uint64_t *took_ns)
{
	uint64_t start = scan_now_ns();
	ssize_t len;

	do
		len = pwrite(target->refs_fd, &digit, 1, 0);
	while (len < 0 && errno == EINTR);
	*took_ns = scan_now_ns() - start;
	return len == 1 ? 0 : len < 0 ? -errno : -EIO;
}

/*
 * How many pairs are looked at that turn out not to do: MADV_COLD would split a large folio
 * at the end, or pass over a page that others map too, and flush less.
 */
#define PAIR_CHECKS 16

/* A pair of young pages for a flush of everything: the nearest one in one block. */
static bool find_pair(struct scan_target *target, struct iovec *range)
{
	uint64_t nearest = UINT64_MAX, addr, before[FLUSH_ALL_PAGES];
	const struct watch_range *mapping;
	size_t i, page, nr_unfit = 0;

	for (i = 0; i < target->blocks.nr && nr_unfit < PAIR_CHECKS; i++) {
		const struct scan_block *block = target->blocks.blocks[i];
		uint64_t last = 0;
		size_t nr = 0;

		if (block->page_shift != ARCH_PAGE_SHIFT || block->failed)
			continue;
		for (page = 0; page < PAGE_TABLE_ENTRIES; page++) {
			if (!(block->words[page / 64].young >> (page % 64) & 1) ||
			    (block->words[page / 64].special >> (page % 64) & 1))
				continue;
			addr = block->start + page * PAGE_BYTES;
			/* The young pages of the last 33; the oldest of them may be just far enough. */
			while (nr && addr - before[0] > (FLUSH_ALL_PAGES - 2) * PAGE_BYTES) {
				last = before[0];
				memmove(before, before + 1, --nr * sizeof(*before));
			}
			before[nr++] = addr;
			if (!last || addr - last >= nearest)
				continue;
			mapping = watch_map_find(target->map, last);
			if (!mapping || mapping->end <= addr || (mapping->flags & WATCH_REFUSED))
				continue;
			if (!scan_page_is_plain(target, last) ||
			    !scan_page_is_plain(target, addr)) {
				if (++nr_unfit == PAIR_CHECKS)
					break;
				continue;
			}
			nearest = addr - last;
			range->iov_base = (void *)(uintptr_t)last;
			range->iov_len = nearest + PAGE_BYTES;
		}
	}
	return nearest != UINT64_MAX;
}

static int flush_by_pair(struct scan_target *target, bool *flushed)
{
	struct iovec range;
	int tries, ret;

	for (tries = 0; tries < PAIR_TRIES && !*flushed; tries++) {
		ret = scan_read(target, NULL);
		if (ret)
			return ret;
		if (!find_pair(target, &range))
			continue;
		*flushed = syscall(SYS_process_madvise, target->pidfd, &range, 1, MADV_COLD, 0) ==
			   (ssize_t)range.iov_len;
	}
	return 0;
}

int scan_flush_target(struct scan_target *target, bool *flushed)
{
	struct scan_engine *engine = target->engine;
	uint64_t took_ns;
	int ret = 0;

	*flushed = false;
	if (engine->flush == SCAN_FLUSH_REFS) {
		ret = scan_write_refs(target, '4', &took_ns);
		*flushed = !ret;
		if (!ret && took_ns > engine->stat.longest_stall_ns)
			engine->stat.longest_stall_ns = took_ns;
	} else if (engine->flush == SCAN_FLUSH_PAIR) {
		ret = flush_by_pair(target, flushed);
	}
	if (*flushed) {
		engine->stat.interrupts++;
		engine->stat.flushes++;
	}
	return ret;
}

const char *scan_flush_name(enum scan_flush flush)
{
	switch (flush) {
	case SCAN_FLUSH_REFS:
		return "clear_refs 4 (no soft-dirty marks in this kernel)";
	case SCAN_FLUSH_PAIR:
		return "MADV_COLD over a pair of young pages";
	case SCAN_FLUSH_NONE:
		break;
	}
	return "no flush: memory within TLB reach may look idle";
}
