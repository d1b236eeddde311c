/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The search for the direct map's base, the number of levels, and the encryption bit.
 *
 * The top-level table lies in the direct map itself, so the base is at most its
 * address, and not further below than memory is large. In between every
 * multiple of the step is tried, the nearest first.
 */
#include "access/search.h"

#include <errno.h>

#include "access/arch.h"

static int try_bases(const struct page_search *search, struct page_calibration *calibration)
{
	uint64_t base = search->top & ~(ARCH_DIRECT_MAP_STEP - 1);
	uint64_t steps = search->memory_end / ARCH_DIRECT_MAP_STEP + 2;
	struct page_state state;
	int ret;

	for (; steps; steps--, base -= ARCH_DIRECT_MAP_STEP) {
		calibration->direct_map = base;
		ret = search->read(search->data, calibration, search->addr, &state);
		if (ret)
			return ret;
		if ((state.flags & PAGE_MAPPED) && state.frame == search->frame)
			return 0;
	}
	return -ENXIO;
}

/* A set bit of the top-level entry may be no address bit but the encryption bit: try each. */
static int with_levels(const struct page_search *search, uint32_t levels, uint64_t top_entry,
		       struct page_calibration *calibration)
{
	uint64_t bit, mask = top_entry & ARCH_FRAME_MASK;
	int ret;

	*calibration = (struct page_calibration){.levels = levels, .frame_mask = ARCH_FRAME_MASK};
	ret = try_bases(search, calibration);
	for (bit = 1ULL << ARCH_LOWEST_ENCRYPTION_BIT; ret == -ENXIO && bit <= mask; bit <<= 1) {
		if (!(mask & bit))
			continue;
		calibration->encryption_mask = bit;
		calibration->frame_mask = ARCH_FRAME_MASK & ~bit;
		ret = try_bases(search, calibration);
	}
	return ret;
}

/*
 * The entry of the top-level table can be read before anything is known. The walk
 * fails right below it, at an address that is never the kernel's, and shows it.
 */
static int read_top_entry(const struct page_search *search, uint32_t levels, uint64_t *entry)
{
	struct page_calibration nowhere = {.levels = levels};
	struct page_state state;
	int ret = search->read(search->data, &nowhere, search->addr, &state);

	*entry = state.entry;
	return ret;
}

int page_search_run(const struct page_search *search, struct page_calibration *calibration)
{
	uint32_t likely = search->top < ARCH_LOWEST_4_LEVEL_ADDR ? 5 : 4;
	uint64_t top_entry;
	int ret = read_top_entry(search, likely, &top_entry);

	if (ret)
		return ret;
	ret = with_levels(search, likely, top_entry, calibration);
	if (ret == -ENXIO)
		ret = with_levels(search, likely == 5 ? 4 : 5, top_entry, calibration);
	return ret;
}
