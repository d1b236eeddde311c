/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One window as one line, for a live view.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/format.h"
#include "report/heat.h"

/* Gaps that are marked at most: a quarter of the line, and not of a line of 400. */
#define MAX_GAPS 24

/* Columns [@first, @first + @nr) show the regions [@from, @to), @bytes of memory. */
struct strip_part {
	size_t from;
	size_t to;
	double bytes;
	size_t nr;
};

static double region_bytes(const struct report_strip_region *region)
{
	return region->end > region->start ? (double)(region->end - region->start) : 0;
}

/* Cut at the largest gaps; returns the number of parts. */
static size_t cut_parts(const struct report_strip_region *regions, size_t nr, size_t gaps,
			struct strip_part *parts)
{
	uint64_t largest[MAX_GAPS] = {0}, gap;
	size_t i, at, n = 0;

	for (i = 1; i < nr && gaps; i++) {
		gap = regions[i].start - regions[i - 1].end;
		if (regions[i].start <= regions[i - 1].end || gap <= largest[gaps - 1])
			continue;
		for (at = gaps - 1; at && largest[at - 1] < gap; at--)
			largest[at] = largest[at - 1];
		largest[at] = gap;
	}
	parts[0] = (struct strip_part){0};
	for (i = 0; i < nr; i++) {
		gap = i && regions[i].start > regions[i - 1].end
			      ? regions[i].start - regions[i - 1].end
			      : 0;
		/* Equal gaps may be more than were counted. */
		if (gap && gaps && n < gaps && gap >= largest[gaps - 1]) {
			parts[n++].to = i;
			parts[n] = (struct strip_part){.from = i};
		}
		parts[n].bytes += region_bytes(&regions[i]);
	}
	parts[n].to = nr;
	return n + 1;
}

/* Every part has a column; each further one goes to the part whose columns hold most. */
static void share_columns(struct strip_part *parts, size_t nr, size_t columns)
{
	size_t i, most, used;

	for (i = 0; i < nr; i++)
		parts[i].nr = 1;
	for (used = nr * 2 - 1; used < columns; used++) {
		for (most = 0, i = 1; i < nr; i++) {
			if (parts[i].bytes / (double)parts[i].nr >
			    parts[most].bytes / (double)parts[most].nr)
				most = i;
		}
		parts[most].nr++;
	}
}

/* The mean of bytes [@from, @to) of a part; @at remembers where the last column ended. */
static unsigned int strip_cell(const struct report_strip_region *regions,
			       const struct strip_part *part, double from, double to, size_t *at,
			       double *base)
{
	double heat = 0, known = 0, unknown = 0, left, right, bytes, rate;
	size_t i;

	for (i = *at; i < part->to; i++) {
		bytes = region_bytes(&regions[i]);
		left = from > *base ? from - *base : 0;
		right = to - *base < bytes ? to - *base : bytes;
		if (right > left && regions[i].samples) {
			rate = (double)regions[i].nr_accesses / regions[i].samples;
			heat += (rate > 1 ? 1 : rate) * (right - left);
			known += right - left;
		} else if (right > left) {
			unknown += right - left;
		}
		if (*base + bytes > to)
			break;
		*base += bytes;
	}
	*at = i;
	if (known > 0 && known >= unknown)
		return heat_level(heat / known);
	return unknown > 0 ? HEAT_UNKNOWN : HEAT_UNMAPPED;
}

static size_t put_gap(char *buf, const struct report_style *style, struct heat_pen *pen)
{
	size_t n = heat_reset(buf, pen);

	return n + (size_t)sprintf(buf + n, "%s", style->unicode ? "┊" : "|");
}

int report_strip_render(const struct report_strip_region *regions, size_t nr,
			const struct report_style *style, char *buf, size_t size)
{
	size_t width = style->width, gaps, nr_parts, p, c, at, n = 0;
	struct strip_part parts[MAX_GAPS + 1];
	struct heat_pen pen = HEAT_PEN_NEW;
	unsigned int cell;
	double base;

	width = width < 1 ? 1 : width > 400 ? 400 : width;
	if (size < width * HEAT_DRAW_MAX + 16)
		return -ENOBUFS;
	gaps = width / 4 < MAX_GAPS ? width / 4 : MAX_GAPS;
	if (!nr)
		return sprintf(buf, "%*s", (int)width, "");
	nr_parts = cut_parts(regions, nr, gaps, parts);
	share_columns(parts, nr_parts, width);
	for (p = 0; p < nr_parts; p++) {
		if (p)
			n += put_gap(buf + n, style, &pen);
		at = parts[p].from;
		base = 0;
		for (c = 0; c < parts[p].nr; c++) {
			cell = strip_cell(regions, &parts[p],
					  parts[p].bytes * (double)c / (double)parts[p].nr,
					  parts[p].bytes * (double)(c + 1) / (double)parts[p].nr,
					  &at, &base);
			n += heat_draw(buf + n, style, &pen, cell);
		}
	}
	n += heat_reset(buf + n, &pen);
	return (int)n;
}

int report_strip_legend(const struct report_style *style, char *buf, size_t size)
{
	struct heat_pen pen = HEAT_PEN_NEW;
	char one[HEAT_DRAW_MAX], reset[16];
	size_t n = 0;
	unsigned int i;
	int len;

	for (i = 0; i < HEAT_LEVELS; i++) {
		heat_draw(one, style, &pen, i);
		heat_reset(reset, &pen);
		if (i < 2)
			len = snprintf(buf + n, size - n, "%s%s %s", one, reset,
				       i ? ">0 " : "idle ");
		else
			len = snprintf(buf + n, size - n, "%s%s %.0f%%%s", one, reset,
				       heat_threshold(i), i + 1 < HEAT_LEVELS ? " " : "");
		if (len < 0 || (size_t)len >= size - n)
			return -ENOBUFS;
		n += (size_t)len;
	}
	return (int)n;
}
