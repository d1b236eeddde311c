/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Playing a workload access by access, the way masim does it on real memory.
 *
 * Written without a look at the closed forms, because it is what they are checked against: each
 * access picks a pattern by weight with a fresh random number, and patterns in
 * turn keep an offset that goes up by the stride.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_space.h"

struct sim_player {
	const struct sim_space *space;
	uint64_t random;
	size_t stage;
	uint64_t played;   /* accesses of the stage so far */
	uint64_t *offsets; /* of each pattern of the stage, in the workload's order */
	uint8_t **touched; /* of each area, by 4 KiB page */
};

static uint64_t next_random(struct sim_player *player)
{
	player->random += 0x9e3779b97f4a7c15ULL;
	return sim_mix(player->random);
}

static uint64_t random_below(struct sim_player *player, uint64_t bound)
{
	return (uint64_t)((unsigned __int128)next_random(player) * bound >> 64);
}

static uint64_t nr_pages(const struct sim_area *area)
{
	return (area->ar.end - area->ar.start) / SIM_PAGE_SIZE;
}

int sim_player_new(struct sim_player **player, const struct sim_space *space, uint64_t seed)
{
	struct sim_player *made = calloc(1, sizeof(*made));
	size_t i, most = 0;

	if (!made)
		return -ENOMEM;
	made->space = space;
	made->random = sim_mix(seed + 1);
	for (i = 0; i < space->nr_stages; i++)
		most = space->stages[i].nr > most ? space->stages[i].nr : most;
	made->offsets = calloc(most, sizeof(*made->offsets));
	made->touched = calloc(space->nr_areas, sizeof(*made->touched));
	if (!made->offsets || !made->touched)
		goto fail;
	for (i = 0; i < space->nr_areas; i++) {
		made->touched[i] = calloc(nr_pages(&space->areas[i]), 1);
		if (!made->touched[i])
			goto fail;
	}
	*player = made;
	return 0;
fail:
	sim_player_free(made);
	return -ENOMEM;
}

void sim_player_free(struct sim_player *player)
{
	size_t i;

	if (!player)
		return;
	for (i = 0; player->touched && i < player->space->nr_areas; i++)
		free(player->touched[i]);
	free(player->touched);
	free(player->offsets);
	free(player);
}

static void play_access(struct sim_player *player, const struct sim_stage *stage)
{
	const struct sim_phase *phase = stage->phase;
	uint64_t pick = random_below(player, stage->weight);
	const struct sim_pattern *pattern = phase->patterns;
	uint64_t offset, size, *next = player->offsets;

	while (pick >= pattern->weight) {
		pick -= pattern->weight;
		pattern++;
		next++;
	}
	size = phase->sizes[pattern->region];
	if (pattern->random) {
		offset = random_below(player, (size - 1) / pattern->stride + 1) * pattern->stride;
	} else {
		offset = *next;
		*next = offset + pattern->stride < size ? offset + pattern->stride : 0;
	}
	player->touched[pattern->region][offset / SIM_PAGE_SIZE] = 1;
}

void sim_player_run(struct sim_player *player, uint64_t t_ns)
{
	const struct sim_space *space = player->space;
	const struct sim_stage *stage;
	uint64_t due;

	for (; player->stage < space->nr_stages; player->stage++) {
		stage = &space->stages[player->stage];
		due = sim_stage_accesses(space, stage, t_ns);
		for (; player->played < due; player->played++)
			play_access(player, stage);
		if (t_ns < stage->end_ns)
			return;
		player->played = 0;
		memset(player->offsets, 0, stage->nr * sizeof(*player->offsets));
	}
}

bool sim_player_touched(const struct sim_player *player, uint64_t addr)
{
	const struct sim_area *area = sim_area_of(player->space, addr);
	const uint8_t *pages;
	struct sim_leaf leaf;

	if (!area)
		return false;
	leaf = sim_leaf_of(area, addr - area->ar.start);
	pages = player->touched[area - player->space->areas];
	return memchr(pages + leaf.offset / SIM_PAGE_SIZE, 1, leaf.size / SIM_PAGE_SIZE);
}

void sim_player_clear(struct sim_player *player)
{
	size_t i;

	for (i = 0; i < player->space->nr_areas; i++)
		memset(player->touched[i], 0, nr_pages(&player->space->areas[i]));
}
