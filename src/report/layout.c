/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The address axis of a map.
 */
#include "report/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"

void layout_clear(struct layout *layout)
{
	free(layout->spans);
	free(layout->groups);
	free(layout->rows);
	free(layout->names);
	memset(layout, 0, sizeof(*layout));
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The gap from which on gaps are kept, if at most @keep of them may be; equal ones
 * count as one less, so the result never keeps more.
 */
static int smallest_kept_gap(const struct layout_span *spans, size_t nr, size_t keep, uint64_t *gap)
{
	uint64_t *gaps;
	size_t i;

	*gap = 0;
	if (nr < 2 || nr - 1 <= keep)
		return 0;
	gaps = malloc((nr - 1) * sizeof(*gaps));
	if (!gaps)
		return -ENOMEM;
	for (i = 1; i < nr; i++)
		gaps[i - 1] = spans[i].start - spans[i - 1].end;
	qsort(gaps, nr - 1, sizeof(*gaps), compare_u64);
	*gap = gaps[nr - 2 - keep] + 1;
	free(gaps);
	return 0;
}

static int limit_spans(struct layout *layout)
{
	uint64_t gap;
	size_t i, n = 0;
	int err;

	if (layout->nr_spans <= LAYOUT_MAX_SPANS)
		return 0;
	/* Half, so that this isn't needed again for the very next range. */
	err = smallest_kept_gap(layout->spans, layout->nr_spans, LAYOUT_MAX_SPANS / 2, &gap);
	if (err)
		return err;
	for (i = 1; i < layout->nr_spans; i++) {
		if (layout->spans[i].start - layout->spans[n].end < gap)
			layout->spans[n].end = layout->spans[i].end;
		else
			layout->spans[++n] = layout->spans[i];
	}
	layout->nr_spans = n + 1;
	return 0;
}

bool layout_missing(const struct layout *layout, const struct layout_range *ranges, size_t nr)
{
	size_t i, s = 0;

	for (i = 0; i < nr; i++) {
		while (s < layout->nr_spans && layout->spans[s].end <= ranges[i].start)
			s++;
		if (s == layout->nr_spans || ranges[i].start < layout->spans[s].start ||
		    ranges[i].end > layout->spans[s].end)
			return true;
	}
	return false;
}

int layout_add(struct layout *layout, const struct layout_range *ranges, size_t nr)
{
	struct layout_span *merged, *last = NULL;
	size_t s = 0, r = 0, n = 0;
	uint64_t start, end;

	if (!layout_missing(layout, ranges, nr))
		return 0;
	merged = malloc((layout->nr_spans + nr) * sizeof(*merged));
	if (!merged)
		return -ENOMEM;
	while (s < layout->nr_spans || r < nr) {
		if (r == nr ||
		    (s < layout->nr_spans && layout->spans[s].start <= ranges[r].start)) {
			start = layout->spans[s].start;
			end = layout->spans[s++].end;
		} else {
			start = ranges[r].start;
			end = ranges[r++].end;
		}
		if (last && start <= last->end) {
			if (end > last->end)
				last->end = end;
			continue;
		}
		last = &merged[n++];
		*last = (struct layout_span){.start = start, .end = end};
	}
	free(layout->spans);
	layout->spans = merged;
	layout->nr_spans = n;
	return limit_spans(layout);
}

void layout_short_name(char *to, size_t size, const char *path)
{
	const char *slash;
	size_t len;

	if (!path || !*path) {
		format_clean(to, size, "anonymous", false);
		return;
	}
	slash = *path == '/' ? strrchr(path, '/') : NULL;
	if (slash && slash[1])
		path = slash + 1;
	if (*path == '[') {
		format_clean(to, size, path + 1, false);
		len = strlen(to);
		if (len && to[len - 1] == ']')
			to[len - 1] = 0;
		return;
	}
	format_clean(to, size, path, false);
}

int layout_add_names(struct layout *layout, const struct record_mapping *mappings, size_t nr)
{
	struct layout_name name, *names;
	size_t i, at = 0, max;

	for (i = 0; i < nr && layout->nr_names < LAYOUT_MAX_NAMES; i++) {
		name = (struct layout_name){.start = mappings[i].start, .end = mappings[i].end};
		layout_short_name(name.name, sizeof(name.name), mappings[i].path);
		while (at < layout->nr_names && layout->names[at].start < name.start)
			at++;
		/* The same mapping, perhaps grown: keep its larger form. */
		if (at < layout->nr_names && layout->names[at].start == name.start &&
		    !strcmp(layout->names[at].name, name.name)) {
			if (name.end > layout->names[at].end)
				layout->names[at].end = name.end;
			continue;
		}
		if (layout->nr_names == layout->max_names) {
			max = layout->max_names ? layout->max_names * 2 : 64;
			names = realloc(layout->names, max * sizeof(*names));
			if (!names)
				return -ENOMEM;
			layout->names = names;
			layout->max_names = max;
		}
		memmove(&layout->names[at + 1], &layout->names[at],
			(layout->nr_names - at) * sizeof(name));
		layout->names[at] = name;
		layout->nr_names++;
	}
	return 0;
}

/* Number the groups; @gap is the smallest that is marked. */
static size_t number_groups(struct layout *layout, uint64_t gap)
{
	size_t i, group = 0;

	layout->bytes = 0;
	for (i = 0; i < layout->nr_spans; i++) {
		struct layout_span *span = &layout->spans[i];

		if (i && span->start - span[-1].end >= gap)
			group++;
		span->group = group;
		span->offset = layout->bytes;
		layout->bytes += span->end - span->start;
	}
	return layout->nr_spans ? group + 1 : 0;
}

static int make_groups(struct layout *layout, size_t lines)
{
	uint64_t gap, kept;
	size_t i;
	int err;

	number_groups(layout, 1);
	err = smallest_kept_gap(layout->spans, layout->nr_spans, (lines - 1) / 3, &kept);
	if (err)
		return err;
	gap = layout->bytes / lines / 2 + 1;
	layout->nr_groups = number_groups(layout, gap > kept ? gap : kept);
	free(layout->groups);
	layout->groups = calloc(layout->nr_groups + 1, sizeof(*layout->groups));
	if (!layout->groups)
		return -ENOMEM;
	for (i = 0; i < layout->nr_spans; i++) {
		const struct layout_span *span = &layout->spans[i];
		struct layout_group *group = &layout->groups[span->group];

		if (!group->bytes)
			group->start = span->start;
		group->end = span->end;
		group->bytes += span->end - span->start;
	}
	return 0;
}

/* Give every group a line, and each further line to the group whose lines are longest. */
static void share_lines(struct layout *layout, size_t lines, size_t per_line)
{
	size_t i, used, most;

	for (i = 0; i < layout->nr_groups; i++)
		layout->groups[i].nr_rows = 1;
	used = layout->nr_groups * 2 - 1;
	for (; used < lines; used++) {
		for (most = 0, i = 1; i < layout->nr_groups; i++) {
			if (layout->groups[i].bytes / layout->groups[i].nr_rows >
			    layout->groups[most].bytes / layout->groups[most].nr_rows)
				most = i;
		}
		/* Nothing is smaller than a page. */
		if (layout->groups[most].bytes / layout->groups[most].nr_rows <= 4096 * per_line)
			break;
		layout->groups[most].nr_rows++;
	}
	for (i = 0; i < layout->nr_groups; i++)
		layout->groups[i].nr_rows *= per_line;
}

static uint64_t offset_address(const struct layout *layout, uint64_t offset)
{
	size_t i = 0;

	while (i + 1 < layout->nr_spans && layout->spans[i + 1].offset <= offset)
		i++;
	return layout->spans[i].start + (offset - layout->spans[i].offset);
}

int layout_make_rows(struct layout *layout, size_t lines, size_t per_line)
{
	uint64_t base = 0, edge;
	size_t i, r, n = 0;
	int err;

	err = make_groups(layout, lines);
	if (err)
		return err;
	layout->nr_rows = 0;
	free(layout->rows);
	layout->rows = NULL;
	if (!layout->nr_groups)
		return 0;
	share_lines(layout, lines, per_line);
	for (i = 0; i < layout->nr_groups; i++)
		layout->nr_rows += layout->groups[i].nr_rows;
	layout->rows = calloc(layout->nr_rows, sizeof(*layout->rows));
	if (!layout->rows)
		return -ENOMEM;
	for (i = 0; i < layout->nr_groups; base += layout->groups[i].bytes, i++) {
		struct layout_group *group = &layout->groups[i];

		group->first_row = n;
		for (r = 0; r < group->nr_rows; r++, n++) {
			/* Whole pages; 128 bits, as bytes may be near 2^64. */
			edge = (uint64_t)((unsigned __int128)group->bytes * (r + 1) /
					  group->nr_rows);
			if (r + 1 < group->nr_rows && group->bytes / group->nr_rows >= 4096)
				edge &= ~4095ull;
			layout->rows[n].group = i;
			layout->rows[n].from = r ? layout->rows[n - 1].to : base;
			layout->rows[n].to = base + edge;
			layout->rows[n].address = offset_address(layout, layout->rows[n].from);
		}
	}
	return 0;
}

/* Bytes that @name and row @row have in common. */
static uint64_t common_bytes(const struct layout *layout, const struct layout_name *name,
			     const struct layout_row *row, size_t first_span)
{
	uint64_t from, to, start, end, sum = 0;
	size_t i;

	for (i = first_span; i < layout->nr_spans && layout->spans[i].offset < row->to; i++) {
		const struct layout_span *span = &layout->spans[i];

		from = row->from > span->offset ? row->from - span->offset : 0;
		to = row->to - span->offset;
		if (to > span->end - span->start)
			to = span->end - span->start;
		start = span->start + from > name->start ? span->start + from : name->start;
		end = span->start + to < name->end ? span->start + to : name->end;
		if (start < end)
			sum += end - start;
	}
	return sum;
}

const char *layout_row_name(const struct layout *layout, size_t row, size_t *others)
{
	const struct layout_row *r = &layout->rows[row];
	const char *best = "", *last = "";
	uint64_t most = 0, bytes;
	size_t i, span = 0, names = 0;

	while (span + 1 < layout->nr_spans && layout->spans[span + 1].offset <= r->from)
		span++;
	for (i = 0; i < layout->nr_names; i++) {
		bytes = common_bytes(layout, &layout->names[i], r, span);
		if (!bytes)
			continue;
		/* The parts of a file (text, data) are neighbours and count as one. */
		if (strcmp(last, layout->names[i].name))
			names++;
		last = layout->names[i].name;
		if (bytes > most) {
			most = bytes;
			best = last;
		}
	}
	if (others)
		*others = names > 1 ? names - 1 : 0;
	return best;
}

const char *layout_name_in(const struct layout *layout, uint64_t start, uint64_t end)
{
	uint64_t from, to, most = 0;
	const char *name = "";
	size_t i;

	for (i = 0; i < layout->nr_names && layout->names[i].start < end; i++) {
		from = layout->names[i].start > start ? layout->names[i].start : start;
		to = layout->names[i].end < end ? layout->names[i].end : end;
		if (from < to && to - from > most) {
			most = to - from;
			name = layout->names[i].name;
		}
	}
	return name;
}
