/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The ten levels of heat, and how each is drawn.
 *
 * The steps are finer at the cold end: most memory of most programs is touched
 * rarely, and the difference between 1 and 5 percent decides what may be reclaimed,
 * while that between 80 and 90 decides nothing. They are the same in every
 * report, so that two pictures can be compared.
 */
#include "report/heat.h"

#include <stdio.h>
#include <string.h>

static const double thresholds[HEAT_LEVELS] = {0, 0, 1, 2, 5, 10, 20, 35, 50, 75};

static const uint32_t rgb[HEAT_CELLS] = {
	0x1c1b33, 0x33195e, 0x541578, 0x781c7c, 0x9b2a73, 0xc13b5f, 0xe0553f,
	0xf27d1d, 0xfab02a, 0xfdee8a, 0x000000, 0x5b6770, 0x000000,
};

/* The nearest steps of the 256-colour cube whose lightness rises. */
static const int palette[HEAT_CELLS] = {17, 54, 90, 126, 161, 196, 202, 208, 214, 228, -1, 242, -1};

static const char ascii[HEAT_CELLS + 1] = ".:-=+xo%#@ ?/";

static const char *const blocks[HEAT_CELLS] = {"·", ":", "▁", "▂", "▃", "▄", "▅",
					       "▆", "▇", "█", " ", "?", "/"};

unsigned int heat_level(double rate)
{
	unsigned int level = HEAT_LEVELS - 1;

	if (!(rate > 0))
		return 0;
	/* Rates are quotients of small integers: 1/20 must be "at least 5 %". */
	while (level > 1 && rate * 100 + 1e-6 < thresholds[level])
		level--;
	return level;
}

double heat_threshold(unsigned int level)
{
	return level < HEAT_LEVELS ? thresholds[level] : 0;
}

uint32_t heat_rgb(unsigned int cell)
{
	return cell < HEAT_CELLS ? rgb[cell] : 0;
}

/* Colours are cell numbers here; HEAT_UNMAPPED is the terminal's own background. */
static size_t set_color(char *buf, const struct report_style *style, int *have, int cell, bool fg)
{
	if (*have == cell)
		return 0;
	*have = cell;
	if (palette[cell] < 0)
		return (size_t)sprintf(buf, "\033[%dm", fg ? 39 : 49);
	if (style->color == REPORT_COLOR_256)
		return (size_t)sprintf(buf, "\033[%d;5;%dm", fg ? 38 : 48, palette[cell]);
	return (size_t)sprintf(buf, "\033[%d;2;%d;%d;%dm", fg ? 38 : 48, (int)(rgb[cell] >> 16),
			       (int)(rgb[cell] >> 8 & 0xff), (int)(rgb[cell] & 0xff));
}

size_t heat_draw(char *buf, const struct report_style *style, struct heat_pen *pen,
		 unsigned int cell)
{
	size_t n = 0;

	if (style->color == REPORT_COLOR_NONE) {
		if (style->unicode)
			return (size_t)sprintf(buf, "%s", blocks[cell]);
		buf[0] = ascii[cell];
		buf[1] = 0;
		return 1;
	}
	if (cell == HEAT_UNKNOWN || cell == HEAT_PAUSED)
		n += set_color(buf + n, style, &pen->fg, HEAT_UNMAPPED, true);
	n += set_color(buf + n, style, &pen->bg,
		       (int)cell == HEAT_PAUSED ? HEAT_UNMAPPED : (int)cell, false);
	buf[n++] = cell < HEAT_LEVELS ? ' ' : ascii[cell];
	buf[n] = 0;
	return n;
}

size_t heat_draw_pair(char *buf, const struct report_style *style, struct heat_pen *pen,
		      unsigned int upper, unsigned int lower)
{
	size_t n = 0;

	if (upper == lower)
		return heat_draw(buf, style, pen, upper);
	/* The lower half of an empty upper one: a background can't be half a column. */
	if (palette[upper] < 0) {
		n += set_color(buf + n, style, &pen->bg, HEAT_UNMAPPED, false);
		n += set_color(buf + n, style, &pen->fg,
			       palette[lower] < 0 ? HEAT_UNMAPPED : (int)lower, true);
		return n + (size_t)sprintf(buf + n, "%s", palette[lower] < 0 ? "/" : "▄");
	}
	n += set_color(buf + n, style, &pen->fg, (int)upper, true);
	n += set_color(buf + n, style, &pen->bg, palette[lower] < 0 ? HEAT_UNMAPPED : (int)lower,
		       false);
	return n + (size_t)sprintf(buf + n, "▀");
}

size_t heat_reset(char *buf, struct heat_pen *pen)
{
	buf[0] = 0;
	if (pen->fg == -1 && pen->bg == -1)
		return 0;
	*pen = HEAT_PEN_NEW;
	return (size_t)sprintf(buf, "\033[0m");
}
