// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The last published window of a daemon's context, as its file shows it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/window_file.h"

/* The first line: names and numbers in turn, between tabs. */
static int parse_head(struct window_file *file, char *line, size_t *nr_regions)
{
	uint64_t samples = 0, regions = 0;
	const struct {
		const char *name;
		uint64_t *to;
	} numbers[] = {
		{"window", &file->number},
		{"t_start_ns", &file->window.t_start_ns},
		{"t_end_ns", &file->window.t_end_ns},
		{"sample_us", &file->window.sample_us},
		{"aggr_us", &file->window.aggr_us},
		{"nr_samples", &samples},
		{"nr_regions", &regions},
		{"cpu_ns", &file->window.cost.cpu_ns},
		{"clears", &file->window.cost.clears},
		{"flushes", &file->window.cost.flushes},
		{"unwatchable_bytes", &file->window.cost.unwatchable_bytes},
		{"target_ns", &file->window.cost.target_ns},
		{"floor_us", &file->window.floor_us},
	};
	char *name, *value, *end;

	file->number = 0;
	file->window = (struct damon_window){0};
	while ((name = strsep(&line, "\t"))) {
		value = strsep(&line, "\t");
		if (!value)
			return -EPROTO;
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (!strcmp(name, numbers[i].name))
				*numbers[i].to = strtoull(value, &end, 10);
	}
	file->window.nr_samples = (uint32_t)samples;
	*nr_regions = regions;
	return file->number && samples ? 0 : -EPROTO;
}

static void add_target(struct window_file *file, uint32_t id, int64_t pid)
{
	if (file->nr_targets && file->targets[file->nr_targets - 1].id == id)
		return;
	if (file->nr_targets < WINDOW_MAX_TARGETS)
		file->targets[file->nr_targets++] = (struct window_target){id, pid};
}

static int parse_region(struct window_file *file, const char *line)
{
	struct record_region *region = &file->regions[file->nr];
	uint32_t unknown;
	int64_t pid;

	if (sscanf(line,
		   "%" SCNu32 "\t%" SCNd64 "\t%" SCNu64 "\t%" SCNu64 "\t%" SCNu32 "\t%" SCNu32
		   "\t%" SCNu32,
		   &region->target, &pid, &region->start, &region->end, &region->nr_accesses,
		   &unknown, &region->age) != 7)
		return -EPROTO;
	region->samples = unknown < file->window.nr_samples ? file->window.nr_samples - unknown : 0;
	add_target(file, region->target, pid);
	file->nr++;
	return 0;
}

static int parse(struct window_file *file, char *text)
{
	char *line = strsep(&text, "\n");
	size_t nr_regions;
	int ret = parse_head(file, line, &nr_regions);

	if (ret)
		return ret;
	if (nr_regions > file->capacity) {
		struct record_region *regions =
			reallocarray(file->regions, nr_regions, sizeof(*regions));

		if (!regions)
			return -ENOMEM;
		file->regions = regions;
		file->capacity = nr_regions;
	}
	file->nr = file->nr_targets = 0;
	strsep(&text, "\n"); /* names of the columns */
	while (!ret && (line = strsep(&text, "\n")) && *line)
		ret = file->nr < nr_regions ? parse_region(file, line) : -EPROTO;
	return !ret && file->nr != nr_regions ? -EPROTO : ret;
}

int window_file_read(struct window_file *file, const struct tree *tree, unsigned int kdamond)
{
	char path[TREE_PATH_SIZE], *text;
	int ret = tree_get_own(tree, tree_path(path, "%u/windows", kdamond), &text);

	if (ret)
		return ret;
	ret = *text ? parse(file, text) : -EAGAIN;
	free(text);
	return ret;
}

void window_file_clear(struct window_file *file)
{
	free(file->regions);
	*file = (struct window_file){0};
}
