// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The machine simulated programs run on: time passes, pages come in, and what that costs is added up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim_pages.h"

#define BASIS_POINTS 10000

static uint64_t nr_words(uint64_t bits)
{
	return (bits + 63) / 64;
}

/* Rounded up to whole blocks. */
static uint64_t page_words(const struct sim_area *area)
{
	uint64_t bytes = area->ar.end - area->ar.start;

	return (bytes + SIM_HUGE_SIZE - 1) / SIM_HUGE_SIZE * SIM_BLOCK_WORDS;
}

/* Words of memory that the pages of an area take: five bitmaps by page, two by block, and times. */
static uint64_t room_of(const struct sim_area *area)
{
	uint64_t words = page_words(area);

	return 5 * words + 2 * nr_words(words / SIM_BLOCK_WORDS) + words * 64;
}

static uint64_t *take(uint64_t **room, uint64_t words)
{
	uint64_t *taken = *room;

	*room += words;
	return taken;
}

static void lay_out_pages(struct sim_pages *pages, uint64_t **room)
{
	uint64_t words = page_words(pages->area), blocks = words / SIM_BLOCK_WORDS, i;

	pages->nr = (pages->area->ar.end - pages->area->ar.start) / SIM_PAGE_SIZE;
	pages->in = take(room, words);
	pages->gone = take(room, words);
	pages->active = take(room, words);
	pages->cold = take(room, words);
	pages->far = take(room, words);
	pages->huge = take(room, nr_words(blocks));
	pages->never = take(room, nr_words(blocks));
	pages->old_ns = take(room, words * 64);
	pages->nr_huge = pages->area->huge_end / SIM_HUGE_SIZE;
	for (i = 0; i < pages->nr_huge; i++)
		sim_bit_set(pages->huge, i);
}

static int lay_out(struct sim_machine *machine, size_t nr, struct sim_space *const *spaces)
{
	const struct sim_space *space;
	struct sim_memory *memory;
	uint64_t words = 0, mapped = 0, *room;
	size_t plan;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		memory = &machine->memories[i];
		space = memory->space = spaces[i];
		memory->areas = calloc(space->nr_areas, sizeof(*memory->areas));
		plan = (sim_plan_size(space) + 15) & ~(size_t)15;
		memory->plans = calloc(2, plan);
		if (!memory->areas || !memory->plans)
			return -ENOMEM;
		sim_plan_init(&memory->run, space, memory->plans);
		sim_plan_init(&memory->look, space, (char *)memory->plans + plan);
		for (j = 0; j < space->nr_areas; j++) {
			words += room_of(&space->areas[j]);
			mapped += space->areas[j].ar.end - space->areas[j].ar.start;
		}
	}
	if (words > SIZE_MAX / sizeof(*room))
		return -ENOMEM;
	/* Most of it is never written to, so it takes no memory either. */
	room = machine->room = calloc(words, sizeof(*room));
	if (!room)
		return -ENOMEM;
	if (!machine->config.memory)
		machine->config.memory = 2 * mapped;
	for (i = 0; i < nr; i++) {
		memory = &machine->memories[i];
		for (j = 0; j < memory->space->nr_areas; j++) {
			memory->areas[j].machine = machine;
			memory->areas[j].area = &memory->space->areas[j];
			memory->areas[j].idx = j;
			lay_out_pages(&memory->areas[j], &room);
			memory->areas[j].mapped =
				sim_pages_mapped(&memory->areas[j], memory->space->stages);
		}
	}
	return 0;
}

int sim_machine_new(struct sim_machine **machine, const struct sim_machine_config *config,
		    size_t nr, struct sim_space *const *spaces)
{
	struct sim_machine *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	if (config)
		made->config = *config;
	if (!made->config.refault_ns)
		made->config.refault_ns = SIM_REFAULT_NS;
	if (!made->config.far_ns)
		made->config.far_ns = SIM_FAR_NS;
	if (!made->config.huge_ns)
		made->config.huge_ns = SIM_HUGE_NS;
	made->steps_per_size = 1;
	made->nr_memories = nr;
	made->memories = calloc(nr, sizeof(*made->memories));
	if (!made->memories || lay_out(made, nr, spaces)) {
		sim_machine_free(made);
		return -ENOMEM;
	}
	*machine = made;
	return 0;
}

void sim_machine_free(struct sim_machine *machine)
{
	size_t i;

	if (!machine)
		return;
	for (i = 0; machine->memories && i < machine->nr_memories; i++) {
		free(machine->memories[i].areas);
		free(machine->memories[i].plans);
	}
	free(machine->memories);
	free(machine->room);
	free(machine);
}

struct sim_memory *sim_memory_of(struct sim_machine *machine, const struct sim_space *space)
{
	size_t i;

	for (i = 0; i < machine->nr_memories; i++) {
		if (machine->memories[i].space == space)
			return &machine->memories[i];
	}
	return NULL;
}

/* Time passes. */

static uint64_t part(uint64_t accesses, uint64_t ns, uint64_t pages, uint64_t of)
{
	unsigned __int128 sum = (unsigned __int128)accesses * ns;

	/* Accesses, at most 2^61, and times stay well below what this can hold. */
	return (uint64_t)(sum / of * pages + sum % of * pages / of);
}

/* Pages in huge blocks, of those that are mapped. */
static uint64_t huge_pages(const struct sim_pages *pages)
{
	uint64_t blocks = pages->mapped / SIM_BLOCK_PAGES, word, nr = 0;

	for (word = 0; pages->nr_huge && word * 64 < blocks; word++)
		nr += sim_nr_bits(pages->huge[word] & sim_word_mask(word, 0, blocks));
	return nr * SIM_BLOCK_PAGES;
}

/* Each page of an area gets as many accesses as the others, near enough. */
static void add_access_costs(struct sim_machine *machine, const struct sim_pages *pages,
			     const struct sim_task *task)
{
	const struct sim_machine_config *config = &machine->config;
	uint64_t nr, nr_huge = huge_pages(pages);

	for (; task && pages->mapped; task = task->next) {
		nr = task->n1 - task->n0;
		machine->sums.far_ns += part(nr, config->far_ns, pages->nr_far, pages->mapped);
		if (task->schedule->random)
			machine->sums.huge_ns += part(nr, config->huge_ns, nr_huge, pages->mapped);
	}
}

/* A touched page comes in, all of it that isn't there; returns how many have to be read back. */
static uint64_t fault(struct sim_pages *pages, uint64_t page)
{
	uint64_t word = page / 64, end = word + 1, bits, refaults = 0;

	if (!sim_bit(pages->huge, page / SIM_BLOCK_PAGES)) {
		bits = 1ULL << (page % 64);
		refaults = sim_nr_bits(pages->gone[word] & bits);
		sim_pages_enter(pages, word, bits);
		return refaults;
	}
	word = page / SIM_BLOCK_PAGES * SIM_BLOCK_WORDS;
	for (end = word + SIM_BLOCK_WORDS; word < end; word++) {
		bits = sim_word_mask(word, 0, pages->mapped) & ~pages->in[word];
		refaults += sim_nr_bits(pages->gone[word] & bits);
		sim_pages_enter(pages, word, bits);
	}
	return refaults;
}

/* Bring in what the step touches. */
static uint64_t run_pages(struct sim_pages *pages, const struct sim_task *tasks)
{
	uint64_t low, high, word, end, absent, page, refaults = 0;

	sim_tasks_span(tasks, &low, &high);
	/* A huge block is touched as a whole. */
	word = low / SIM_HUGE_SIZE * SIM_BLOCK_WORDS;
	end = (high / SIM_HUGE_SIZE + 1) * SIM_BLOCK_WORDS;
	if (end > nr_words(pages->mapped))
		end = nr_words(pages->mapped);
	for (; word < end; word++) {
		absent = ~pages->in[word] & sim_word_mask(word, 0, pages->mapped);
		for (; absent; absent &= ~pages->in[word] & (absent - 1)) {
			page = word * 64 + (uint64_t)__builtin_ctzll(absent);
			if (sim_page_touched(pages, tasks, page))
				refaults += fault(pages, page);
		}
	}
	return refaults;
}

static uint64_t run_memory(struct sim_machine *machine, struct sim_memory *memory, uint64_t t_ns)
{
	const struct sim_task *tasks;
	struct sim_pages *pages;
	uint64_t refaults = 0;
	size_t i;

	sim_plan_set(&memory->run, machine->t_ns, t_ns);
	for (i = 0; i < memory->space->nr_areas; i++) {
		pages = &memory->areas[i];
		tasks = memory->run.areas[i];
		if (!tasks)
			continue;
		if (pages->nr_in < pages->mapped)
			refaults += run_pages(pages, tasks);
		if (pages->nr_far || pages->nr_huge)
			add_access_costs(machine, pages, tasks);
	}
	return refaults;
}

/* The program's phase has changed, and with it what it has mapped. */
static void remap(struct sim_memory *memory, const struct sim_stage *stage)
{
	struct sim_pages *pages;
	uint64_t word, end, mapped, block;
	size_t i;

	for (i = 0; i < memory->space->nr_areas; i++) {
		pages = &memory->areas[i];
		mapped = sim_pages_mapped(pages, stage);
		end = nr_words(pages->mapped);
		for (word = mapped / 64; word < end; word++)
			sim_pages_forget(pages, word, sim_word_mask(word, mapped, pages->mapped));
		/* What is mapped anew later is as the workload says again. */
		for (block = mapped / SIM_BLOCK_PAGES; block * SIM_BLOCK_PAGES < pages->mapped;
		     block++) {
			sim_pages_set_huge(pages, block,
					   block * SIM_HUGE_SIZE < pages->area->huge_end);
			sim_bit_clear(pages->never, block);
		}
		pages->mapped = mapped;
	}
}

static uint64_t resident(const struct sim_machine *machine)
{
	return (machine->nr_in[0] + machine->nr_in[1]) * SIM_PAGE_SIZE;
}

/* Keep the size, or every second one of twice as many steps when there is no room for it. */
static void note_size(struct sim_machine *machine)
{
	size_t i;

	if (machine->t_ns / SIM_STEP_NS % machine->steps_per_size)
		return;
	if (machine->nr_sizes == SIM_MAX_SIZES) {
		for (i = 0; i < SIM_MAX_SIZES / 2; i++)
			machine->sizes[i] = machine->sizes[2 * i + 1];
		machine->nr_sizes = SIM_MAX_SIZES / 2;
		machine->steps_per_size *= 2;
		if (machine->t_ns / SIM_STEP_NS % machine->steps_per_size)
			return;
	}
	machine->sizes[machine->nr_sizes++] =
		(struct sim_size){machine->t_ns, resident(machine), machine->sums.refaults};
}

/* Up to @t_ns, which is in the same step, and in the same phase of every program. */
static void run_part(struct sim_machine *machine, uint64_t t_ns)
{
	uint64_t refaults = 0, wait_ns, length_ns = t_ns - machine->t_ns;
	const struct sim_stage *stage;
	size_t i;

	for (i = 0; i < machine->nr_memories; i++)
		refaults += run_memory(machine, &machine->memories[i], t_ns);
	wait_ns = refaults * machine->config.refault_ns;
	machine->sums.refaults += refaults;
	machine->sums.refault_ns += wait_ns;
	machine->pressure_ns += wait_ns < length_ns ? wait_ns : length_ns;
	machine->page_ns += (unsigned __int128)(machine->nr_in[0] + machine->nr_in[1]) * length_ns;
	machine->t_ns = t_ns;
	for (i = 0; i < machine->nr_memories; i++) {
		stage = sim_stage_of(machine->memories[i].space, t_ns);
		if (stage->start_ns == t_ns)
			remap(&machine->memories[i], stage);
	}
	if (t_ns % SIM_STEP_NS)
		return;
	sim_reclaim(machine);
	if (resident(machine) > machine->peak)
		machine->peak = resident(machine);
	note_size(machine);
}

void sim_machine_run(struct sim_machine *machine, uint64_t t_ns)
{
	const struct sim_stage *stage;
	uint64_t next_ns;
	size_t i;

	while (machine->t_ns < t_ns) {
		next_ns = (machine->t_ns / SIM_STEP_NS + 1) * SIM_STEP_NS;
		for (i = 0; i < machine->nr_memories; i++) {
			stage = sim_stage_of(machine->memories[i].space, machine->t_ns);
			if (stage->end_ns > machine->t_ns && stage->end_ns < next_ns)
				next_ns = stage->end_ns;
		}
		run_part(machine, next_ns < t_ns ? next_ns : t_ns);
	}
}

/* What there is to know. */

uint64_t sim_machine_time(const struct sim_machine *machine)
{
	return machine->t_ns;
}

void sim_machine_stat(const struct sim_machine *machine, struct sim_machine_stat *stat)
{
	*stat = machine->sums;
	stat->t_ns = machine->t_ns;
	stat->resident = resident(machine);
	stat->far = machine->nr_in[1] * SIM_PAGE_SIZE;
	stat->peak = machine->peak > stat->resident ? machine->peak : stat->resident;
	if (machine->t_ns)
		stat->mean = (uint64_t)(machine->page_ns * SIM_PAGE_SIZE / machine->t_ns);
}

double sim_machine_slowdown(const struct sim_machine_stat *stat)
{
	double ns = (double)stat->refault_ns + (double)stat->far_ns - (double)stat->huge_ns;

	return stat->t_ns ? ns / (double)stat->t_ns : 0;
}

const struct sim_size *sim_machine_sizes(const struct sim_machine *machine, size_t *nr)
{
	*nr = machine->nr_sizes;
	return machine->sizes;
}

const struct sim_machine_config *sim_machine_config(const struct sim_machine *machine)
{
	return &machine->config;
}

bool sim_machine_has_node(const struct sim_machine *machine, int32_t nid)
{
	return nid == 0 || (nid == 1 && machine->config.far_memory);
}

/* Both from the hierarchy's root; the root itself may be written "/" or "". */
bool sim_same_memcg(const char *memcg, const char *path, bool below)
{
	size_t length;

	memcg += memcg[0] == '/';
	path += path[0] == '/';
	length = strlen(path);
	if (!below)
		return !strcmp(memcg, path);
	return !length ||
	       (!strncmp(memcg, path, length) && (!memcg[length] || memcg[length] == '/'));
}

static uint64_t share(uint64_t part_of, uint64_t of, uint64_t unit)
{
	uint64_t value = of ? (uint64_t)((unsigned __int128)part_of * unit / of) : 0;

	return value < unit ? value : unit;
}

/* Bytes a memory cgroup has on a node, its children included. */
static uint64_t memcg_bytes(const struct sim_machine *machine, int32_t nid, const char *path)
{
	const struct sim_pages *pages;
	uint64_t nr = 0;
	size_t i, j;

	for (i = 0; i < machine->nr_memories; i++) {
		for (j = 0; j < machine->memories[i].space->nr_areas; j++) {
			pages = &machine->memories[i].areas[j];
			if (!sim_same_memcg(pages->area->region->memcg ? pages->area->region->memcg
								       : "/",
					    path, true))
				continue;
			nr += nid ? pages->nr_far : pages->nr_in - pages->nr_far;
		}
	}
	return nr * SIM_PAGE_SIZE;
}

static uint64_t nr_active(const struct sim_machine *machine)
{
	uint64_t nr = 0;
	size_t i, j;

	for (i = 0; i < machine->nr_memories; i++) {
		for (j = 0; j < machine->memories[i].space->nr_areas; j++)
			nr += machine->memories[i].areas[j].nr_active;
	}
	return nr;
}

static int of_node(const struct sim_machine *machine, enum damon_metric metric, int32_t nid,
		   const char *memcg_path, uint64_t *value)
{
	uint64_t size = nid ? machine->config.far_memory : machine->config.memory, used;

	if (!sim_machine_has_node(machine, nid))
		return -ENODEV;
	if (metric == DAMON_METRIC_NODE_MEM_USED_BP || metric == DAMON_METRIC_NODE_MEM_FREE_BP)
		used = machine->nr_in[nid] * SIM_PAGE_SIZE;
	else if (memcg_path)
		used = memcg_bytes(machine, nid, memcg_path);
	else
		return -EINVAL;
	*value = share(used, size, BASIS_POINTS);
	if (metric == DAMON_METRIC_NODE_MEM_FREE_BP || metric == DAMON_METRIC_NODE_MEMCG_FREE_BP)
		*value = BASIS_POINTS - *value;
	return 0;
}

int sim_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
	       const char *memcg_path, uint64_t *value)
{
	const struct sim_env *env = port->metric_data;
	struct sim_machine *machine = env->machine;
	uint64_t pages;

	if (!machine)
		return -EOPNOTSUPP;
	sim_machine_run(machine, sim_env_time(env, port->now_ns(port)));
	pages = machine->nr_in[0] + machine->nr_in[1];
	switch (metric) {
	case DAMON_METRIC_SOME_MEM_PSI_US:
		*value = machine->pressure_ns / 1000;
		return 0;
	case DAMON_METRIC_FREE_MEM_RATE:
		*value = 1000 - share(resident(machine),
				      machine->config.memory + machine->config.far_memory, 1000);
		return 0;
	case DAMON_METRIC_ACTIVE_MEM_BP:
		*value = share(nr_active(machine), pages, BASIS_POINTS);
		return 0;
	case DAMON_METRIC_INACTIVE_MEM_BP:
		*value = share(pages - nr_active(machine), pages, BASIS_POINTS);
		return 0;
	default:
		return of_node(machine, metric, nid, memcg_path, value);
	}
}
