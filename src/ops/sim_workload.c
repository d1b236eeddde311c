/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Workloads in memory: putting together, writing out, freeing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_build.h"

/* Room for one more element in an array of @nr; arrays grow to powers of two. */
static int grow(void **array, size_t nr, size_t size)
{
	size_t room = nr ? nr * 2 : 1;
	void *bigger;

	if (nr & (nr - 1))
		return 0;
	if (room > SIZE_MAX / size)
		return -ENOMEM;
	bigger = realloc(*array, room * size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	return 0;
}

int sim_build_new(struct sim_workload **workload, const char *name)
{
	struct sim_workload *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->threads = 1;
	made->name = strdup(name);
	if (!made->name) {
		free(made);
		return -ENOMEM;
	}
	*workload = made;
	return 0;
}

int sim_build_region(struct sim_workload *workload, const char *name, uint64_t size,
		     const char *fill)
{
	struct sim_region region = {.size = size, .gap = SIM_PAGE_SIZE};
	void *array = workload->regions;
	int err;

	err = grow(&array, workload->nr_regions, sizeof(region));
	if (err)
		return err;
	workload->regions = array;
	region.name = strdup(name);
	if (!region.name)
		return -ENOMEM;
	if (fill) {
		region.file_bytes = size;
		region.fill = strdup(fill);
		if (!region.fill) {
			free(region.name);
			return -ENOMEM;
		}
	}
	workload->regions[workload->nr_regions++] = region;
	return 0;
}

int sim_build_phase(struct sim_workload *workload, const char *name, uint64_t duration_ms)
{
	struct sim_phase phase = {.duration_ms = duration_ms};
	void *array = workload->phases;
	size_t i;
	int err;

	err = grow(&array, workload->nr_phases, sizeof(phase));
	if (err)
		return err;
	workload->phases = array;
	phase.name = strdup(name);
	phase.sizes = calloc(workload->nr_regions, sizeof(*phase.sizes));
	if (!phase.name || !phase.sizes) {
		free(phase.name);
		free(phase.sizes);
		return -ENOMEM;
	}
	for (i = 0; i < workload->nr_regions; i++)
		phase.sizes[i] = workload->regions[i].size;
	workload->phases[workload->nr_phases++] = phase;
	return 0;
}

int sim_build_pattern(struct sim_workload *workload, const struct sim_pattern *pattern)
{
	struct sim_phase *phase = &workload->phases[workload->nr_phases - 1];
	void *array = phase->patterns;
	int err;

	err = grow(&array, phase->nr_patterns, sizeof(*pattern));
	if (err)
		return err;
	phase->patterns = array;
	phase->patterns[phase->nr_patterns++] = *pattern;
	return 0;
}

int64_t sim_build_find_region(const struct sim_workload *workload, const char *name)
{
	size_t i;

	for (i = 0; i < workload->nr_regions; i++) {
		if (!strcmp(workload->regions[i].name, name))
			return (int64_t)i;
	}
	return -ENOENT;
}

int64_t sim_build_find_phase(const struct sim_workload *workload, const char *name)
{
	size_t i;

	for (i = 0; i < workload->nr_phases; i++) {
		if (!strcmp(workload->phases[i].name, name))
			return (int64_t)i;
	}
	return -ENOENT;
}

int sim_workload_get(const char *name_or_path, struct sim_workload **workload,
		     struct damon_error *err)
{
	int ret = sim_workload_builtin(name_or_path, workload, err);

	return ret == -ENOENT ? sim_workload_load(name_or_path, workload, err) : ret;
}

uint64_t sim_workload_duration_ms(const struct sim_workload *workload)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < workload->nr_phases; i++)
		sum += workload->phases[i].duration_ms;
	return sum;
}

static void print_region_keys(const struct sim_region *region, FILE *out)
{
	if (region->huge)
		fprintf(out, "#! huge: %s\n", region->name);
	if (region->file_bytes != (region->fill ? region->size : 0))
		fprintf(out, "#! file: %s, %" PRIu64 "\n", region->name, region->file_bytes);
	if (region->memcg)
		fprintf(out, "#! memcg: %s, %s\n", region->name, region->memcg);
	if (region->gap != SIM_PAGE_SIZE)
		fprintf(out, "#! gap: %s, %" PRIu64 "\n", region->name, region->gap);
}

/* A "size" line where a region's mapped size differs from that in the phase before. */
static void print_sizes(const struct sim_workload *workload, size_t idx, FILE *out)
{
	const struct sim_phase *phase = &workload->phases[idx];
	uint64_t before;
	size_t i;

	for (i = 0; i < workload->nr_regions; i++) {
		before = idx ? workload->phases[idx - 1].sizes[i] : workload->regions[i].size;
		if (phase->sizes[i] != before)
			fprintf(out, "#! size: %s, %s, %" PRIu64 "\n", workload->regions[i].name,
				phase->name, phase->sizes[i]);
	}
}

int sim_workload_print(const struct sim_workload *workload, FILE *out)
{
	static const char *const modes[] = {
		[SIM_WRITE_ONLY] = "wo", [SIM_READ_ONLY] = "ro", [SIM_READ_WRITE] = "rw"};
	const struct sim_pattern *pattern;
	const struct sim_region *region;
	size_t i, j;

	fprintf(out, "# regions: name, bytes, file to fill it from\n");
	if (workload->threads != 1)
		fprintf(out, "#! threads: %" PRIu32 "\n", workload->threads);
	for (i = 0; i < workload->nr_regions; i++) {
		region = &workload->regions[i];
		fprintf(out, "%s, %" PRIu64 ", %s\n", region->name, region->size,
			region->fill ? region->fill : "none");
		print_region_keys(region, out);
	}
	fprintf(out, "\n# phases: name; milliseconds; then region, random, stride, weight, mode\n");
	for (i = 0; i < workload->nr_phases; i++) {
		fprintf(out, "%s%s\n", i ? "\n" : "", workload->phases[i].name);
		fprintf(out, "%" PRIu64 "\n", workload->phases[i].duration_ms);
		print_sizes(workload, i, out);
		for (j = 0; j < workload->phases[i].nr_patterns; j++) {
			pattern = &workload->phases[i].patterns[j];
			fprintf(out, "%s, %d, %" PRIu64 ", %" PRIu32 ", %s\n",
				workload->regions[pattern->region].name, pattern->random,
				pattern->stride, pattern->weight, modes[pattern->mode]);
		}
	}
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

void sim_workload_free(struct sim_workload *workload)
{
	size_t i;

	if (!workload)
		return;
	for (i = 0; i < workload->nr_regions; i++) {
		free(workload->regions[i].name);
		free(workload->regions[i].fill);
		free(workload->regions[i].memcg);
	}
	for (i = 0; i < workload->nr_phases; i++) {
		free(workload->phases[i].name);
		free(workload->phases[i].patterns);
		free(workload->phases[i].sizes);
	}
	free(workload->regions);
	free(workload->phases);
	free(workload->name);
	free(workload);
}
