/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The built-in workloads.
 *
 * | name          | memory            | what it does                       | expected picture        |
 * |---------------|-------------------|------------------------------------|-------------------------|
 * | hotcold       | 400 MiB: 50 hot   | loads all of it once, then touches | one level band, the rest|
 * |               | between 150 + 200 | the hot part at random, 60 s       | dark; 50 MiB in use     |
 * | stairs        | 236 MiB: 36 idle, | loads all for 1 s, then one step   | a staircase upwards;    |
 * |               | 10 steps of 20    | after the other, 5 s each          | 20 MiB in use           |
 * | zigzag        | 236 MiB: 36 idle, | one part after the other, up, down,| three zigs of a line;   |
 * |               | 10 parts of 20    | and up again, 2 s each             | 20 MiB in use           |
 * | moving-window | 320 MiB: 40 parts | the 8 parts of a window, which     | a slanted band, 64 MiB  |
 * |               | of 8              | moves on by one part each second   | high                    |
 * | zipf          | 512 MiB: 64 parts | each part as often as 1/its rank;  | stripes of all heats;   |
 * |               | of 8              | ranks are scattered; 60 s          | about 480 MiB in use    |
 * | sparse        | 400 MiB           | one page in 16, in turn, 60 s      | all looks warm, in      |
 * |               |                   |                                    | truth 25 MiB are in use |
 *
 * Parts are no multiple of a tenth of the whole, where regions are cut by default: a monitor must
 * find their borders, not meet them by luck.
 *
 * At the default rate of 10 million accesses per second, 50 MiB at random means four accesses per
 * page in 5 ms: 98 % of the pages are touched in one default sampling interval.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_build.h"

#define MIB	  (1ULL << 20)
#define NAME_SIZE 32

/* @nr parts, behind memory that has other uses or none. */
static int add_parts(struct sim_workload *workload, uint64_t idle, unsigned int nr, uint64_t size)
{
	char name[NAME_SIZE];
	unsigned int i;
	int err = 0;

	if (idle)
		err = sim_build_region(workload, "idle", idle, NULL);

	for (i = 0; i < nr && !err; i++) {
		snprintf(name, sizeof(name), "part%u", i);
		err = sim_build_region(workload, name, size, NULL);
	}
	return err;
}

static int add_pattern(struct sim_workload *workload, unsigned int region, bool random,
		       uint64_t stride, unsigned int weight)
{
	struct sim_pattern pattern = {
		.region = region, .random = random, .stride = stride, .weight = weight};

	return sim_build_pattern(workload, &pattern);
}

/* A phase that runs through all there is, as a program does that reads its data in. */
static int add_load(struct sim_workload *workload, uint64_t duration_ms)
{
	unsigned int i;
	int err;

	err = sim_build_phase(workload, "load", duration_ms);
	for (i = 0; i < workload->nr_regions && !err; i++)
		err = add_pattern(workload, i, false, SIM_PAGE_SIZE,
				  (unsigned int)(workload->regions[i].size / MIB));
	return err;
}

/* A phase that touches regions [@first, @first + @nr) at random. */
static int add_step(struct sim_workload *workload, unsigned int step, uint64_t duration_ms,
		    unsigned int first, unsigned int nr)
{
	char name[NAME_SIZE];
	unsigned int i;
	int err;

	snprintf(name, sizeof(name), "step%u", step);
	err = sim_build_phase(workload, name, duration_ms);
	for (i = first; i < first + nr && !err; i++)
		err = add_pattern(workload, i, true, 64, 1);
	return err;
}

static int build_hotcold(struct sim_workload *workload)
{
	int err;

	err = sim_build_region(workload, "cold-low", 150 * MIB, NULL);
	if (!err)
		err = sim_build_region(workload, "hot", 50 * MIB, NULL);
	if (!err)
		err = sim_build_region(workload, "cold-high", 200 * MIB, NULL);
	if (!err)
		err = add_load(workload, 500);
	if (!err)
		err = sim_build_phase(workload, "run", 59500);
	return err ? err : add_pattern(workload, 1, true, 64, 1);
}

static int build_stairs(struct sim_workload *workload)
{
	unsigned int i;
	int err;

	err = add_parts(workload, 36 * MIB, 10, 20 * MIB);
	if (!err)
		err = add_load(workload, 1000);
	for (i = 0; i < 10 && !err; i++)
		err = add_step(workload, i, 5000, 1 + i, 1);
	return err;
}

static int build_zigzag(struct sim_workload *workload)
{
	unsigned int i, along;
	int err;

	err = add_parts(workload, 36 * MIB, 10, 20 * MIB);
	for (i = 0; i < 28 && !err; i++) {
		along = i % 18;
		err = add_step(workload, i, 2000, 1 + (along < 10 ? along : 18 - along), 1);
	}
	return err;
}

static int build_moving_window(struct sim_workload *workload)
{
	unsigned int i;
	int err;

	err = add_parts(workload, 0, 40, 8 * MIB);
	for (i = 0; i + 8 <= 40 && !err; i++)
		err = add_step(workload, i, 1000, i, 8);
	return err;
}

static int build_zipf(struct sim_workload *workload)
{
	unsigned int i;
	int err;

	err = add_parts(workload, 0, 64, 8 * MIB);
	if (!err)
		err = sim_build_phase(workload, "run", 60000);
	/* 37 is prime to 64, so each rank 1..64 comes once; neighbours differ widely in rank. */
	for (i = 0; i < 64 && !err; i++)
		err = add_pattern(workload, i, true, 64, 1000000 / (1 + i * 37 % 64));
	return err;
}

static int build_sparse(struct sim_workload *workload)
{
	int err;

	err = sim_build_region(workload, "table", 400 * MIB, NULL);
	if (!err)
		err = sim_build_phase(workload, "run", 60000);
	return err ? err : add_pattern(workload, 0, false, 16 * SIM_PAGE_SIZE, 1);
}

static const struct sim_builtin builtins[] = {
	{"hotcold", "50 MiB in steady use between 350 MiB that were used once"},
	{"stairs", "ten steps of 20 MiB, each in use for 5 s, one after the other"},
	{"zigzag", "20 MiB in use that wander up, down and up again through 200 of 236 MiB"},
	{"moving-window", "64 MiB in use that slide through 320 MiB, 8 MiB each second"},
	{"zipf", "64 parts of 8 MiB, used as often as 1/rank, ranks scattered"},
	{"sparse", "every 16th page of 400 MiB in use, which sampled regions can't tell apart"},
};

static int (*const builders[])(struct sim_workload *workload) = {
	build_hotcold, build_stairs, build_zigzag, build_moving_window, build_zipf, build_sparse,
};

const struct sim_builtin *sim_builtins(size_t *nr)
{
	*nr = sizeof(builtins) / sizeof(builtins[0]);
	return builtins;
}

int sim_workload_builtin(const char *name, struct sim_workload **workload, struct damon_error *err)
{
	struct sim_workload *made;
	size_t i, nr;
	int ret;

	sim_builtins(&nr);
	for (i = 0; i < nr; i++) {
		if (!strcmp(builtins[i].name, name))
			break;
	}
	if (i == nr)
		return damon_error_set(err, -ENOENT, "no built-in workload '%s'", name);
	ret = sim_build_new(&made, name);
	if (ret)
		return damon_error_set(err, ret, "not enough memory for workload '%s'", name);
	ret = builders[i](made);
	if (ret) {
		sim_workload_free(made);
		return damon_error_set(err, ret, "not enough memory for workload '%s'", name);
	}
	*workload = made;
	return 0;
}
