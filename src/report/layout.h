/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The address axis of a map: which addresses a target used, without the gaps, cut into rows.
 */
#ifndef REPORT_LAYOUT_H
#define REPORT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

/** struct layout_span - addresses in use at some time; @group says which stretch of rows it is in */
struct layout_span {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* bytes in use below it: its place on the axis without gaps */
	size_t group;
};

/** struct layout_group - spans that share rows; a gap is marked between two groups */
struct layout_group {
	uint64_t start;
	uint64_t end;
	uint64_t bytes;
	size_t first_row;
	size_t nr_rows;
};

/** struct layout_row - one row: bytes [@from, @to) of the axis without gaps */
struct layout_row {
	uint64_t from;
	uint64_t to;
	uint64_t address; /* of its first byte */
	size_t group;
};

/** struct layout_name - a mapping that was seen, under its short name */
struct layout_name {
	uint64_t start;
	uint64_t end;
	char name[48];
};

/**
 * struct layout - all of it
 * @spans:	sorted, apart from each other
 * @bytes:	in all spans
 * @names:	sorted by start; may overlap (layouts change)
 */
struct layout {
	struct layout_span *spans;
	size_t nr_spans;
	size_t max_spans;
	uint64_t bytes;
	struct layout_group *groups;
	size_t nr_groups;
	struct layout_row *rows;
	size_t nr_rows;
	struct layout_name *names;
	size_t nr_names;
	size_t max_names;
};

/** LAYOUT_MAX_SPANS - more are joined at their smallest gaps, so that memory stays bounded */
#define LAYOUT_MAX_SPANS 4096

/** LAYOUT_MAX_NAMES - mappings remembered for their names; later ones go without */
#define LAYOUT_MAX_NAMES 16384

void layout_clear(struct layout *layout);

/** struct layout_range - addresses to add */
struct layout_range {
	uint64_t start;
	uint64_t end;
};

/** layout_add() - these addresses were in use; sorted, may touch; 0 or -ENOMEM */
int layout_add(struct layout *layout, const struct layout_range *ranges, size_t nr);

/** layout_add_names() - remember what is mapped where; 0 or -ENOMEM */
int layout_add_names(struct layout *layout, const struct record_mapping *mappings, size_t nr);

/** layout_missing() - whether some of the sorted @ranges aren't in the spans yet */
bool layout_missing(const struct layout *layout, const struct layout_range *ranges, size_t nr);

/**
 * layout_make_rows() - divide what was added into groups and rows
 * @lines:	room for rows and the marks of gaps between groups; at least 1
 * @per_line:	rows in a line: 1, or 2 where a line shows two
 *
 * Gaps smaller than a row aren't worth a mark; if still more than a third of the lines would be marks,
 * the smallest gaps go unmarked. Each group has at least one line. 0 or -ENOMEM.
 */
int layout_make_rows(struct layout *layout, size_t lines, size_t per_line);

/**
 * layout_row_name() - what most bytes of row @row belong to, or "" where nothing is known
 * @others:	how many more names there are in the row; may be NULL
 */
const char *layout_row_name(const struct layout *layout, size_t row, size_t *others);

/** layout_name_in() - name of the mapping that most of these addresses belong to, or "" */
const char *layout_name_in(const struct layout *layout, uint64_t start, uint64_t end);

/** layout_short_name() - "heap", "stack", a file's last component, "anonymous" */
void layout_short_name(char *to, size_t size, const char *path);

#endif
