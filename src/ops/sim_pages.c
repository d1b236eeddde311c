// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* State of the pages of simulated programs: changing it, and asking when they were touched. */
#include "ops/sim_pages.h"

void sim_pages_enter(struct sim_pages *pages, uint64_t word, uint64_t bits)
{
	uint64_t nr = sim_nr_bits(bits);

	pages->in[word] |= bits;
	pages->gone[word] &= ~bits;
	pages->nr_in += nr;
	pages->machine->nr_in[0] += nr;
}

void sim_pages_set_active(struct sim_pages *pages, uint64_t word, uint64_t bits, bool active)
{
	pages->nr_active -= sim_nr_bits(pages->active[word]);
	if (active)
		pages->active[word] |= bits;
	else
		pages->active[word] &= ~bits;
	pages->nr_active += sim_nr_bits(pages->active[word]);
}

void sim_pages_set_far(struct sim_pages *pages, uint64_t word, uint64_t bits, bool far)
{
	uint64_t before = sim_nr_bits(pages->far[word]), after;

	if (far)
		pages->far[word] |= bits;
	else
		pages->far[word] &= ~bits;
	after = sim_nr_bits(pages->far[word]);
	pages->nr_far += after - before;
	pages->machine->nr_in[1] += after - before;
	pages->machine->nr_in[0] -= after - before;
}

void sim_pages_set_huge(struct sim_pages *pages, uint64_t block, bool huge)
{
	bool laid_out = block * SIM_HUGE_SIZE < pages->area->huge_end;

	if (sim_bit(pages->huge, block) == huge)
		return;
	if (huge) {
		sim_bit_set(pages->huge, block);
		pages->nr_huge++;
	} else {
		sim_bit_clear(pages->huge, block);
		pages->nr_huge--;
	}
	if (huge == laid_out)
		pages->machine->nr_odd--;
	else
		pages->machine->nr_odd++;
}

void sim_pages_forget(struct sim_pages *pages, uint64_t word, uint64_t bits)
{
	uint64_t nr = sim_nr_bits(pages->in[word] & bits);

	sim_pages_set_far(pages, word, bits, false);
	sim_pages_set_active(pages, word, bits, false);
	pages->cold[word] &= ~bits;
	pages->gone[word] &= ~bits;
	pages->in[word] &= ~bits;
	pages->nr_in -= nr;
	pages->machine->nr_in[0] -= nr;
}

void sim_pages_leave(struct sim_pages *pages, uint64_t word, uint64_t bits)
{
	if (!bits)
		return;
	sim_pages_forget(pages, word, bits);
	pages->gone[word] |= bits;
	sim_pages_set_huge(pages, word / SIM_BLOCK_WORDS, false);
}

uint64_t sim_pages_mapped(const struct sim_pages *pages, const struct sim_stage *stage)
{
	uint64_t bytes = stage->phase->sizes[pages->idx];
	struct sim_leaf last;

	if (!bytes)
		return 0;
	last = sim_leaf_of(pages->area, bytes - 1);
	return (last.offset + last.size) / SIM_PAGE_SIZE;
}

bool sim_page_touched(const struct sim_pages *pages, const struct sim_task *tasks, uint64_t page)
{
	uint64_t block = page / SIM_BLOCK_PAGES, end;

	if (!sim_bit(pages->huge, block))
		return sim_plan_touched(tasks,
					(struct sim_leaf){page * SIM_PAGE_SIZE, SIM_PAGE_SIZE});
	if (block * SIM_HUGE_SIZE < pages->area->huge_end)
		return sim_plan_touched(tasks,
					(struct sim_leaf){block * SIM_HUGE_SIZE, SIM_HUGE_SIZE});
	/* Made of small pages, whose truth stays what it was. */
	page = block * SIM_BLOCK_PAGES;
	end = page + SIM_BLOCK_PAGES < pages->mapped ? page + SIM_BLOCK_PAGES : pages->mapped;
	for (; tasks && page < end; page++) {
		if (sim_plan_touched(tasks, (struct sim_leaf){page * SIM_PAGE_SIZE, SIM_PAGE_SIZE}))
			return true;
	}
	return false;
}

bool sim_page_accessed(struct sim_memory *memory, struct sim_pages *pages, uint64_t page,
		       bool clear)
{
	uint64_t t0_ns = pages->old_ns[page], t1_ns = pages->machine->t_ns;

	/* Pages beside each other were mostly looked at together before. */
	if (!memory->looked || memory->look_t0_ns != t0_ns || memory->look.t1_ns != t1_ns)
		sim_plan_set(&memory->look, t0_ns, t1_ns);
	memory->looked = true;
	memory->look_t0_ns = t0_ns;
	if (clear)
		pages->old_ns[page] = t1_ns;
	return memory->look.areas[pages->idx] &&
	       sim_page_touched(pages, memory->look.areas[pages->idx], page);
}

void sim_memory_check(const struct sim_memory *memory, const struct sim_plan *plan, size_t nr,
		      const uint64_t *addrs, uint32_t *access)
{
	const struct sim_area *area;
	struct sim_pages *pages;
	uint64_t page;
	size_t i;

	for (i = 0; i < nr; i++) {
		area = sim_area_of(memory->space, addrs[i]);
		if (!area)
			continue;
		pages = &memory->areas[area - memory->space->areas];
		page = (addrs[i] - area->ar.start) / SIM_PAGE_SIZE;
		access[i] = plan->areas[pages->idx] &&
			    sim_page_touched(pages, plan->areas[pages->idx], page);
	}
}
