/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The ten levels of heat, and how each is drawn: the same everywhere.
 */
#ifndef REPORT_HEAT_H
#define REPORT_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/report.h"

/** HEAT_LEVELS - 0 is "not accessed at all", 9 "in three quarters of the samples or more" */
#define HEAT_LEVELS 10

/* What a cell can be besides a level. */
enum heat_cell {
	HEAT_UNMAPPED = HEAT_LEVELS, /* nothing was mapped or watched there then */
	HEAT_UNKNOWN,		     /* mapped, but couldn't be watched */
	HEAT_PAUSED,		     /* nobody looked */
	HEAT_CELLS
};

/** heat_level() - level of an access rate, 0..1; whatever isn't 0 is at least level 1 */
unsigned int heat_level(double rate);

/** heat_threshold() - lowest access rate of a level, percent; of level 1: 0 ("more than 0") */
double heat_threshold(unsigned int level);

/** heat_rgb() - colour of a level, 0xrrggbb, also used by the HTML page */
uint32_t heat_rgb(unsigned int cell);

/** struct heat_pen - colours the terminal has now, so that only changes are written */
struct heat_pen {
	int fg;
	int bg;
};

/** HEAT_PEN_NEW - nothing was set yet */
#define HEAT_PEN_NEW ((struct heat_pen){-1, -1})

/** HEAT_DRAW_MAX - bytes heat_draw() writes at most, with the terminating zero */
#define HEAT_DRAW_MAX 48

/** heat_draw() - one column showing one cell; returns the length of the text in @buf */
size_t heat_draw(char *buf, const struct report_style *style, struct heat_pen *pen,
		 unsigned int cell);

/** heat_draw_pair() - one column showing two cells, one above the other; needs colour and Unicode */
size_t heat_draw_pair(char *buf, const struct report_style *style, struct heat_pen *pen,
		      unsigned int upper, unsigned int lower);

/** heat_reset() - back to the terminal's own colours, if anything was set */
size_t heat_reset(char *buf, struct heat_pen *pen);

/** heat_pairs() - whether this style shows two rows of cells in one line */
static inline bool heat_pairs(const struct report_style *style)
{
	return style->unicode && style->color != REPORT_COLOR_NONE;
}

#endif
