/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading workload files: masim's format, and our own keys in lines that start with "#!".
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_build.h"

#define MAX_FIELDS 6

/* What the next line that is not a comment has to be. */
enum expected { REGION, PHASE_NAME, PHASE_DURATION, PATTERN };

/* A "#!" line; it may name a phase that comes later, so it is looked at in the end. */
struct extension {
	unsigned int line;
	char *text;
};

struct parser {
	const char *file;
	unsigned int line;
	enum expected expected;
	unsigned int phase_line; /* of the present phase's name */
	struct sim_workload *workload;
	size_t nr_extensions;
	struct extension *extensions;
	struct damon_error *err;
};

/* The value of a field: its name and text, for messages. */
struct field {
	const char *name;
	const char *text;
};

static int bad_field(const struct parser *parser, struct field field, const char *why)
{
	return damon_error_set(parser->err, -EINVAL, "%s:%u: %s '%s': %s", parser->file,
			       parser->line, field.name, field.text, why);
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* Cut @text at its commas; how many fields there are, which may be more than there is room for. */
static unsigned int cut_fields(char *text, char *fields[MAX_FIELDS])
{
	unsigned int nr = 0;
	char *next;

	for (; text; text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (nr < MAX_FIELDS)
			fields[nr] = trim(text);
		nr++;
	}
	return nr;
}

static int check_nr_fields(const struct parser *parser, const char *what, unsigned int nr,
			   unsigned int min, unsigned int max, const char *form)
{
	if (nr >= min && nr <= max)
		return 0;
	return damon_error_set(parser->err, -EINVAL, "%s:%u: %s has %u field%s, needs '%s'",
			       parser->file, parser->line, what, nr, nr == 1 ? "" : "s", form);
}

/* A whole decimal number in [@min, @max]. */
static int parse_number(const struct parser *parser, struct field field, uint64_t min, uint64_t max,
			uint64_t *value)
{
	char why[96];
	char *end;

	snprintf(why, sizeof(why), "needs a whole number from %" PRIu64 " to %" PRIu64, min, max);
	if (!isdigit((unsigned char)field.text[0]))
		return bad_field(parser, field, why);
	errno = 0;
	*value = strtoull(field.text, &end, 10);
	if (errno || *end || *value < min || *value > max)
		return bad_field(parser, field, why);
	return 0;
}

static int parse_region_name(const struct parser *parser, const char *text, size_t *idx)
{
	int64_t found = sim_build_find_region(parser->workload, text);

	if (found < 0)
		return bad_field(parser, (struct field){"region", text},
				 "no region of that name in the first paragraph");
	*idx = (size_t)found;
	return 0;
}

static int parse_region(struct parser *parser, char *text)
{
	const char *fill = NULL;
	char *fields[MAX_FIELDS];
	unsigned int nr = cut_fields(text, fields);
	uint64_t size;
	int err;

	err = check_nr_fields(parser, "the region", nr, 2, 3, "name, bytes, fill file or none");
	if (err)
		return err;
	if (!fields[0][0])
		return bad_field(parser, (struct field){"name", fields[0]}, "is empty");
	if (sim_build_find_region(parser->workload, fields[0]) >= 0)
		return bad_field(parser, (struct field){"name", fields[0]}, "is already taken");
	err = parse_number(parser, (struct field){"size", fields[1]}, 1, SIM_MAX_BYTES, &size);
	if (err)
		return err;
	if (nr == 3 && !fields[2][0])
		return bad_field(parser, (struct field){"fill file", fields[2]},
				 "is empty, write 'none'");
	if (nr == 3 && strcmp(fields[2], "none"))
		fill = fields[2];
	return sim_build_region(parser->workload, fields[0], size, fill);
}

static int parse_duration(struct parser *parser, const char *text)
{
	struct sim_workload *workload = parser->workload;
	uint64_t duration, before = sim_workload_duration_ms(workload);
	int err;

	err = parse_number(parser, (struct field){"duration", text}, 1, SIM_MAX_DURATION_MS,
			   &duration);
	if (err)
		return err;
	if (duration > SIM_MAX_DURATION_MS - before)
		return bad_field(parser, (struct field){"duration", text},
				 "makes all phases together last longer than can be simulated");
	workload->phases[workload->nr_phases - 1].duration_ms = duration;
	return 0;
}

static int parse_mode(const struct parser *parser, const char *text, enum sim_mode *mode)
{
	if (!strcmp(text, "wo"))
		*mode = SIM_WRITE_ONLY;
	else if (!strcmp(text, "ro"))
		*mode = SIM_READ_ONLY;
	else if (!strcmp(text, "rw"))
		*mode = SIM_READ_WRITE;
	else
		return bad_field(parser, (struct field){"mode", text}, "needs ro, wo or rw");
	return 0;
}

static int parse_pattern(struct parser *parser, char *text)
{
	struct sim_pattern pattern = {.mode = SIM_WRITE_ONLY};
	char *fields[MAX_FIELDS];
	unsigned int nr = cut_fields(text, fields);
	uint64_t random, weight;
	size_t region = 0;
	int err;

	err = check_nr_fields(parser, "the pattern", nr, 4, 5,
			      "region, random, stride, weight[, mode]");
	if (!err)
		err = parse_region_name(parser, fields[0], &region);
	if (!err)
		err = parse_number(parser, (struct field){"random", fields[1]}, 0, 1, &random);
	if (!err)
		err = parse_number(parser, (struct field){"stride", fields[2]}, 1, SIM_MAX_BYTES,
				   &pattern.stride);
	if (!err)
		err = parse_number(parser, (struct field){"weight", fields[3]}, 1, SIM_MAX_WEIGHT,
				   &weight);
	if (!err && nr == 5)
		err = parse_mode(parser, fields[4], &pattern.mode);
	if (err)
		return err;
	pattern.region = (uint32_t)region;
	pattern.random = random;
	pattern.weight = (uint32_t)weight;
	return sim_build_pattern(parser->workload, &pattern);
}

static int keep_extension(struct parser *parser, const char *text)
{
	struct extension *bigger;

	bigger = reallocarray(parser->extensions, parser->nr_extensions + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	parser->extensions = bigger;
	bigger[parser->nr_extensions].line = parser->line;
	bigger[parser->nr_extensions].text = strdup(text);
	if (!bigger[parser->nr_extensions].text)
		return -ENOMEM;
	parser->nr_extensions++;
	return 0;
}

/* The end of a paragraph: an empty line, or the end of the file. */
static int end_paragraph(struct parser *parser)
{
	struct sim_workload *workload = parser->workload;
	const char *missing = NULL;

	if (parser->expected == REGION && workload->nr_regions)
		parser->expected = PHASE_NAME;
	else if (parser->expected == PHASE_DURATION)
		missing = "duration";
	else if (parser->expected == PATTERN &&
		 !workload->phases[workload->nr_phases - 1].nr_patterns)
		missing = "access pattern";
	else if (parser->expected == PATTERN)
		parser->expected = PHASE_NAME;
	if (!missing)
		return 0;
	return damon_error_set(parser->err, -EINVAL, "%s:%u: phase '%s' has no %s", parser->file,
			       parser->phase_line, workload->phases[workload->nr_phases - 1].name,
			       missing);
}

static int parse_line(struct parser *parser, char *text)
{
	int err;

	if (!strncmp(text, "#!", 2))
		return keep_extension(parser, text + 2);
	if (text[0] == '#')
		return 0;
	if (!text[0])
		return end_paragraph(parser);
	switch (parser->expected) {
	case REGION:
		return parse_region(parser, text);
	case PHASE_NAME:
		parser->expected = PHASE_DURATION;
		parser->phase_line = parser->line;
		return sim_build_phase(parser->workload, text, 0);
	case PHASE_DURATION:
		err = parse_duration(parser, text);
		parser->expected = PATTERN;
		return err;
	case PATTERN:
		return parse_pattern(parser, text);
	}
	return 0;
}

/* Our own keys. */

static int key_huge(struct parser *parser, char **fields, struct sim_region *region)
{
	region->huge = true;
	return 0;
}

static int key_file(struct parser *parser, char **fields, struct sim_region *region)
{
	return parse_number(parser, (struct field){"bytes", fields[1]}, 0, region->size,
			    &region->file_bytes);
}

static int key_memcg(struct parser *parser, char **fields, struct sim_region *region)
{
	if (fields[1][0] != '/')
		return bad_field(parser, (struct field){"memcg", fields[1]},
				 "needs a path from the hierarchy's root, such as '/a/b'");
	free(region->memcg);
	region->memcg = strdup(fields[1]);
	return region->memcg ? 0 : -ENOMEM;
}

static int key_gap(struct parser *parser, char **fields, struct sim_region *region)
{
	return parse_number(parser, (struct field){"bytes", fields[1]}, SIM_PAGE_SIZE,
			    SIM_MAX_BYTES, &region->gap);
}

static int key_size(struct parser *parser, char **fields, struct sim_region *region)
{
	struct sim_workload *workload = parser->workload;
	size_t region_idx = (size_t)(region - workload->regions);
	int64_t phase = sim_build_find_phase(workload, fields[1]);
	uint64_t size;
	size_t i;
	int err;

	if (phase < 0)
		return bad_field(parser, (struct field){"phase", fields[1]},
				 "no phase of that name");
	for (i = (size_t)phase + 1; i < workload->nr_phases; i++) {
		if (!strcmp(workload->phases[i].name, fields[1]))
			return bad_field(parser, (struct field){"phase", fields[1]},
					 "more than one phase has that name");
	}
	err = parse_number(parser, (struct field){"bytes", fields[2]}, 0, region->size, &size);
	if (err)
		return err;
	for (i = (size_t)phase; i < workload->nr_phases; i++)
		workload->phases[i].sizes[region_idx] = size;
	return 0;
}

static int key_threads(struct parser *parser, char **fields, struct sim_region *region)
{
	uint64_t threads;
	int err;

	err = parse_number(parser, (struct field){"threads", fields[0]}, 1, 1024, &threads);
	if (!err)
		parser->workload->threads = (uint32_t)threads;
	return err;
}

static const struct key {
	const char *name;
	bool of_region; /* the first field is a region */
	unsigned int nr_fields;
	const char *form;
	int (*parse)(struct parser *parser, char **fields, struct sim_region *region);
} keys[] = {
	{"huge", true, 1, "huge: region", key_huge},
	{"file", true, 2, "file: region, bytes", key_file},
	{"memcg", true, 2, "memcg: region, path", key_memcg},
	{"gap", true, 2, "gap: region, bytes", key_gap},
	{"size", true, 3, "size: region, phase, bytes", key_size},
	{"threads", false, 1, "threads: number", key_threads},
};

static int parse_extension(struct parser *parser, char *text)
{
	struct sim_region *region = NULL;
	char *fields[MAX_FIELDS];
	char *colon = strchr(text, ':');
	const char *name;
	unsigned int nr;
	size_t i, idx = 0;
	int err;

	if (colon)
		*colon = '\0';
	name = trim(text);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(keys[i].name, name))
			break;
	}
	if (i == sizeof(keys) / sizeof(keys[0]))
		return bad_field(parser, (struct field){"key", name},
				 "needs huge, file, memcg, gap, size or threads");
	nr = colon ? cut_fields(colon + 1, fields) : 0;
	err = check_nr_fields(parser, "the key's line", nr, keys[i].nr_fields, keys[i].nr_fields,
			      keys[i].form);
	if (err)
		return err;
	if (keys[i].of_region) {
		err = parse_region_name(parser, fields[0], &idx);
		if (err)
			return err;
		region = &parser->workload->regions[idx];
	}
	return keys[i].parse(parser, fields, region);
}

/* No pattern may touch what is not mapped. */
static int check_mapped(const struct parser *parser)
{
	const struct sim_workload *workload = parser->workload;
	const struct sim_phase *phase;
	size_t i, j;

	for (i = 0; i < workload->nr_phases; i++) {
		phase = &workload->phases[i];
		for (j = 0; j < phase->nr_patterns; j++) {
			if (phase->sizes[phase->patterns[j].region])
				continue;
			return damon_error_set(parser->err, -EINVAL,
					       "%s: phase '%s' touches region '%s', which a "
					       "'size' key makes 0 bytes large in it",
					       parser->file, phase->name,
					       workload->regions[phase->patterns[j].region].name);
		}
	}
	return 0;
}

static int parse_end(struct parser *parser)
{
	size_t i;
	int err;

	err = end_paragraph(parser);
	if (err)
		return err;
	if (!parser->workload->nr_regions)
		return damon_error_set(parser->err, -EINVAL, "%s: has no region", parser->file);
	if (!parser->workload->nr_phases)
		return damon_error_set(parser->err, -EINVAL, "%s: has no phase", parser->file);
	for (i = 0; i < parser->nr_extensions; i++) {
		parser->line = parser->extensions[i].line;
		err = parse_extension(parser, parser->extensions[i].text);
		if (err)
			return err;
	}
	return check_mapped(parser);
}

static int parse_lines(struct parser *parser, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0;

	for (;;) {
		errno = 0;
		len = getline(&line, &room, file);
		if (len < 0)
			break;
		parser->line++;
		if (memchr(line, '\0', (size_t)len)) {
			err = damon_error_set(parser->err, -EINVAL,
					      "%s:%u: holds a zero byte, so it is no workload file",
					      parser->file, parser->line);
			break;
		}
		err = parse_line(parser, trim(line));
		if (err)
			break;
	}
	if (!err && !feof(file)) {
		err = errno ? -errno : -EIO;
		damon_error_set(parser->err, err, "%s: can't be read: %s", parser->file,
				strerror(-err));
	}
	free(line);
	return err ? err : parse_end(parser);
}

int sim_workload_parse(FILE *file, const char *name, struct sim_workload **workload,
		       struct damon_error *err)
{
	struct parser parser = {.file = name, .err = err};
	size_t i;
	int ret;

	ret = sim_build_new(&parser.workload, name);
	if (!ret)
		ret = parse_lines(&parser, file);
	for (i = 0; i < parser.nr_extensions; i++)
		free(parser.extensions[i].text);
	free(parser.extensions);
	if (ret == -ENOMEM)
		damon_error_set(err, ret, "%s: not enough memory to read it", name);
	if (ret) {
		sim_workload_free(parser.workload);
		return ret;
	}
	*workload = parser.workload;
	return 0;
}

int sim_workload_load(const char *path, struct sim_workload **workload, struct damon_error *err)
{
	FILE *file;
	int ret;

	if (!strcmp(path, "-"))
		return sim_workload_parse(stdin, "standard input", workload, err);
	file = fopen(path, "re");
	if (!file) {
		ret = -errno;
		return damon_error_set(err, ret, "workload '%s': %s", path, strerror(-ret));
	}
	ret = sim_workload_parse(file, path, workload, err);
	fclose(file);
	return ret;
}
