/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Access engine "point": which samples can be made old, and whether they were touched.
 *
 * MADV_COLD leaves pages alone that are mapped more than once, and splits a
 * large folio when it is told of only a part of it. So before a page is
 * cleared, the kernel is asked what kind of page it is; what can't be cleared, or
 * only at the price of changing the target's memory, is reported as unknown.
 */
#include "access/point.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <udamon/ops.h>

#include "access/arch.h"
#include "access/clear.h"
#include "access/folio.h"
#include "access/pagemap.h"
#include "access/scan_blocks.h"

#define PAGE_BYTES (1ULL << ARCH_PAGE_SHIFT)

/* What is to be done with a sample. */
enum sample_fate {
	SAMPLE_AS_IS,	/* its bit is clear already, or nothing is there */
	SAMPLE_CLEAR,	/* clear it */
	SAMPLE_FOLIO,	/* clear it together with the large folio around it */
	SAMPLE_UNKNOWN, /* can't be cleared */
};

struct point_engine {
	struct page_reader *reader;
	struct frame_files frames;
	struct folio_finder *folios;
	struct clear_list *clears;
	struct point_stat stat;
};

struct point_target {
	struct point_engine *engine;
	struct page_link *link;
	struct watch_map *map;
	struct page_set *made_old; /* or NULL */
	int pidfd;
	const struct point_shadow *shadow; /* mostly none */
	void *shadow_data;
	/* Of each sample; grown where more regions come, never in between. */
	size_t capacity;
	struct page_state *states;
	uint8_t *fates;
};

int point_engine_new(struct point_engine **engine, const struct page_calibration *calibration,
		     struct damon_error *err)
{
	struct point_engine *new = calloc(1, sizeof(*new));
	int ret;

	*engine = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	new->frames.flags_fd = new->frames.count_fd = new->frames.cgroup_fd = -1;
	ret = frame_files_open(&new->frames);
	if (ret) {
		damon_error_set(
			err, ret,
			"can't open /proc/kpageflags and /proc/kpagecount: %s (they tell shared "
			"and large pages apart; needs root or CAP_DAC_OVERRIDE)",
			strerror(-ret));
		goto fail;
	}
	ret = page_reader_new(&new->reader, calibration, err);
	if (ret)
		goto fail;
	new->folios = folio_finder_new(&new->frames);
	new->clears = clear_list_new();
	if (!new->folios || !new->clears) {
		ret = damon_error_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	*engine = new;
	return 0;
fail:
	point_engine_free(new);
	return ret;
}

void point_engine_free(struct point_engine *engine)
{
	if (!engine)
		return;
	clear_list_free(engine->clears);
	folio_finder_free(engine->folios);
	page_reader_free(engine->reader);
	frame_files_close(&engine->frames);
	free(engine);
}

const struct point_stat *point_engine_stat(const struct point_engine *engine)
{
	return &engine->stat;
}

int point_target_new(struct point_target **target, struct point_engine *engine, int pidfd,
		     pid_t pid, struct watch_map *map, struct damon_error *err)
{
	struct point_target *new = calloc(1, sizeof(*new));
	int ret;

	*target = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	ret = page_link_new(&new->link, engine->reader, pidfd, pid, PAGE_LINK_AUTO, err);
	if (ret) {
		free(new);
		return ret;
	}
	new->engine = engine;
	new->map = map;
	new->pidfd = pidfd;
	*target = new;
	return 0;
}

void point_target_set_shadow(struct point_target *target, const struct point_shadow *shadow,
			     void *data)
{
	target->shadow = shadow;
	target->shadow_data = data;
}

void point_target_free(struct point_target *target)
{
	if (!target)
		return;
	page_link_free(target->link);
	free(target->states);
	free(target->fates);
	free(target);
}

void point_target_remember(struct point_target *target, struct page_set *set)
{
	target->made_old = set;
}

static int make_room(struct point_target *target, size_t nr)
{
	size_t capacity = target->capacity ? target->capacity : 1024;
	struct page_state *states;
	uint8_t *fates;

	if (nr <= target->capacity)
		return 0;
	while (capacity < nr)
		capacity *= 2;
	states = realloc(target->states, capacity * sizeof(*states));
	if (!states)
		return -ENOMEM;
	target->states = states;
	fates = realloc(target->fates, capacity);
	if (!fates)
		return -ENOMEM;
	target->fates = fates;
	target->capacity = capacity;
	return 0;
}

/* An exited process has no memory: every sample is a hole then. */
static int read_states(struct point_target *target, const uint64_t *addrs, size_t nr,
		       struct page_process *process)
{
	int ret = page_link_read(target->link, addrs, nr, target->states, process);
	size_t i;

	for (i = 0; !ret && target->shadow && i < nr; i++) {
		if ((target->states[i].flags & PAGE_MAPPED) &&
		    target->shadow->young(target->shadow_data, addrs[i]))
			target->states[i].flags |= PAGE_ACCESSED;
	}
	if (ret != -ESRCH)
		return ret;
	memset(target->states, 0, nr * sizeof(*target->states));
	*process = (struct page_process){};
	return 0;
}

static enum sample_fate give_up(uint64_t *counter)
{
	(*counter)++;
	return SAMPLE_UNKNOWN;
}

/* What the kernel says about the page behind a bit that is set. */
static enum sample_fate judge_frame(struct point_engine *engine, const struct page_state *state)
{
	struct point_stat *stat = &engine->stat;
	uint64_t head = state->frame, flags, count;

	if (state->leaf_shift > ARCH_PAGE_SHIFT)
		head &= ~((1ULL << (state->leaf_shift - ARCH_PAGE_SHIFT)) - 1);
	/* Frames without a description (device memory) can't be asked about. */
	if (frame_flags(&engine->frames, head, &flags, 1) || (flags & (FRAME_ZERO | FRAME_ABSENT)))
		return give_up(&stat->nr_special);
	if (flags & FRAME_HUGETLB)
		return give_up(&stat->nr_refused);
	if (state->leaf_shift == ARCH_PAGE_SHIFT && (flags & (FRAME_HEAD | FRAME_TAIL)))
		return SAMPLE_FOLIO;
	/* MADV_COLD passes over single pages that reclaim doesn't know (yet). */
	if (state->leaf_shift == ARCH_PAGE_SHIFT && !(flags & FRAME_LRU))
		return give_up(&stat->nr_special);
	if (frame_mapcounts(&engine->frames, head, &count, 1) || count > 1)
		return give_up(&stat->nr_shared);
	return SAMPLE_CLEAR;
}

static enum sample_fate judge(struct point_target *target, uint64_t addr,
			      const struct page_state *state, bool may_clear)
{
	struct point_stat *stat = &target->engine->stat;
	uint8_t flags;

	if (state->flags & PAGE_FAILED)
		return SAMPLE_UNKNOWN;
	if (!(state->flags & PAGE_ACCESSED))
		return SAMPLE_AS_IS;
	if (!may_clear)
		return give_up(&stat->nr_pressure);
	flags = watch_map_flags(target->map, addr);
	/* Leaves above 2 MiB are hugetlb or device memory only. */
	if (state->leaf_shift > ARCH_PAGE_SHIFT + ARCH_TABLE_SHIFT ||
	    ((flags & WATCH_REFUSED) && !(flags & WATCH_RETRY)))
		return give_up(&stat->nr_refused);
	return judge_frame(target->engine, state);
}

/* Put the pages that can be cleared on the list, each page table leaf or folio once. */
static int list_clears(struct point_target *target, const uint64_t *addrs, size_t nr)
{
	struct point_engine *engine = target->engine;
	uint64_t start, end, done = 0;
	size_t i;
	int ret;

	for (i = 0; i < nr; i++) {
		uint8_t *fate = &target->fates[i];

		if (*fate != SAMPLE_CLEAR && *fate != SAMPLE_FOLIO)
			continue;
		if (addrs[i] < done)
			continue;
		start = addrs[i] & ~((1ULL << target->states[i].leaf_shift) - 1);
		end = start + (1ULL << target->states[i].leaf_shift);
		if (*fate == SAMPLE_FOLIO) {
			ret = folio_find(engine->folios, target->link, target->map, addrs[i],
					 target->states[i].frame, &start, &end);
			if (ret == -EBUSY || ret == -ENXIO) {
				*fate = give_up(ret == -EBUSY ? &engine->stat.nr_shared
							      : &engine->stat.nr_large);
				continue;
			}
			if (ret)
				return ret;
		}
		done = end;
		ret = clear_list_add(engine->clears, start, end, i);
		if (ret)
			return ret;
	}
	return 0;
}

struct refusal {
	struct point_target *target;
	const uint64_t *addrs;
	size_t nr;
};

static void give_up_range(struct refusal *refusal, uint64_t end, size_t first_sample,
			  uint64_t *counter)
{
	size_t i;

	for (i = first_sample; i < refusal->nr && refusal->addrs[i] < end; i++)
		refusal->target->fates[i] = give_up(counter);
}

/* The kernel had no time for a range: unknown for now, and that is all. */
static void busy(void *data, uint64_t start, uint64_t end, size_t first_sample)
{
	struct refusal *refusal = data;

	give_up_range(refusal, end, first_sample, &refusal->target->engine->stat.nr_busy);
}

/* The kernel said no to a range: all samples in it stay unknown, and the mapping is remembered. */
static void refused(void *data, uint64_t start, uint64_t end, size_t first_sample)
{
	struct refusal *refusal = data;
	struct point_target *target = refusal->target;

	give_up_range(refusal, end, first_sample, &target->engine->stat.nr_refused);
	watch_map_set(target->map, start, WATCH_REFUSED | WATCH_RETRY, WATCH_REFUSED);
}

/* A mapping that was refused once and isn't any more; and pages that are old now. */
static void accepted(void *data, uint64_t start, uint64_t end, size_t first_sample)
{
	struct refusal *refusal = data;
	struct watch_map *map = refusal->target->map;

	if (refusal->target->shadow)
		refusal->target->shadow->cleared(refusal->target->shadow_data, start, end);
	if (watch_map_flags(map, start) & WATCH_REFUSED)
		watch_map_set(map, start, WATCH_REFUSED | WATCH_RETRY, 0);
	if (refusal->target->made_old)
		page_set_add(refusal->target->made_old, start, end);
}

int point_prepare(struct point_target *target, const uint64_t *addrs, size_t nr, bool may_clear,
		  struct page_process *process)
{
	struct refusal refusal = {.target = target, .addrs = addrs, .nr = nr};
	struct point_engine *engine = target->engine;
	struct clear_result result;
	size_t i;
	int ret = make_room(target, nr);

	if (!ret)
		ret = read_states(target, addrs, nr, process);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		target->fates[i] = judge(target, addrs[i], &target->states[i], may_clear);
	clear_list_reset(engine->clears);
	clear_list_on_busy(engine->clears, busy);
	folio_finder_begin(engine->folios);
	ret = list_clears(target, addrs, nr);
	if (!ret) {
		ret = clear_list_run(engine->clears, target->pidfd, refused, accepted, &refusal,
				     &result);
		engine->stat.clears += result.nr_cleared;
		engine->stat.calls += result.nr_calls;
	}
	if (ret != -ESRCH)
		return ret;
	/* It has exited, or its first thread has: then it can be read but not cleared. */
	for (i = 0; i < nr; i++) {
		if (target->fates[i] != SAMPLE_AS_IS)
			target->fates[i] = SAMPLE_UNKNOWN;
	}
	return 0;
}

static uint32_t verdict(struct point_target *target, uint64_t addr, const struct page_state *state,
			enum sample_fate fate)
{
	if (state->flags & PAGE_FAILED)
		return DAMON_ACCESS_UNKNOWN;
	if (state->flags & PAGE_ACCESSED)
		return fate == SAMPLE_UNKNOWN ? DAMON_ACCESS_UNKNOWN : 1;
	/* A guest's accesses set bits in another page table. */
	if ((state->flags & PAGE_MAPPED) && (watch_map_flags(target->map, addr) & WATCH_GUEST))
		return DAMON_ACCESS_UNKNOWN;
	return 0;
}

int point_check(struct point_target *target, const uint64_t *addrs, size_t nr, uint32_t *access,
		struct page_process *process)
{
	size_t i;
	int ret = make_room(target, nr);

	if (!ret)
		ret = read_states(target, addrs, nr, process);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		access[i] = verdict(target, addrs[i], &target->states[i], target->fates[i]);
	return 0;
}

int point_look(struct point_target *target, const uint64_t *addrs, size_t nr,
	       const struct page_state **states)
{
	struct page_process process;
	int ret = make_room(target, nr);

	if (!ret)
		ret = read_states(target, addrs, nr, &process);
	*states = target->states;
	return ret;
}

struct range_look {
	point_pages_callback *callback;
	void *data;
};

static int tell_pages(void *data, const struct page_leaf *leaf)
{
	const struct range_look *look = data;
	struct point_pages pages = {.addr = leaf->addr};
	size_t word;

	_Static_assert(SCAN_WORDS == PAGE_TABLE_ENTRIES / 64, "both have a bit for each page");
	if (leaf->table) {
		for (word = 0; word < SCAN_WORDS; word++)
			scan_word_bits(leaf->table + word * 64, &pages.mapped[word],
				       &pages.young[word], &pages.special[word]);
		return look->callback(look->data, &pages);
	}
	if (leaf->state.flags & PAGE_FAILED) {
		pages.failed = 1ULL << leaf->state.leaf_shift;
		return look->callback(look->data, &pages);
	}
	if (leaf->state.leaf_shift != PAGE_TABLE_SHIFT)
		return 0;
	pages.huge = true;
	if (leaf->state.flags & PAGE_MAPPED)
		memset(pages.mapped, 0xff, sizeof(pages.mapped));
	if (leaf->state.flags & PAGE_ACCESSED)
		memset(pages.young, 0xff, sizeof(pages.young));
	return look->callback(look->data, &pages);
}

int point_look_range(struct point_target *target, uint64_t start, uint64_t end,
		     point_pages_callback *callback, void *data, struct page_process *process)
{
	struct range_look look = {callback, data};

	return page_link_read_range(target->link, start, end, tell_pages, &look, process);
}

const struct frame_files *point_engine_frames(const struct point_engine *engine)
{
	return &engine->frames;
}
