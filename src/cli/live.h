/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The live view: one strip of heat per window scrolls by on standard error, above a status line.
 *
 * Strips are made on the kdamond, and printed by the main thread: a terminal that
 * is held (Ctrl-S) must not hold up monitoring. A strip nobody printed in time is replaced by the next.
 */
#ifndef UDAMON_CLI_LIVE_H
#define UDAMON_CLI_LIVE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <udamon/damon.h>

#include "report/report.h"
#include "system/maps.h"

/**
 * struct live - what was seen so far, for the view and the status line
 * @lock:	of all the rest
 * @strips:	strips are wanted
 * @windows, @t_first_ns, @t_last_ns: how many windows there were, when the first began, when the last
 *		ended
 * @aggr_us:	length of the last
 * @accessed:	bytes that were accessed in the last window
 * @cost:	as of the last window's end; @cost_bp: in that window, basis points of a processor
 * @sample_us:	sampling interval now; @floored: the budget made it so long
 */
struct live {
	pthread_mutex_t lock;
	bool strips;
	struct report_style style;
	uint64_t windows;
	uint64_t t_first_ns;
	uint64_t t_last_ns;
	uint64_t aggr_us;
	uint64_t accessed;
	struct damon_cost cost;
	double cost_bp;
	uint64_t sample_us;
	bool floored;
	/* private: */
	bool fresh;
	uint64_t t_drawn_ns;
	struct report_strip_region *pieces;
	size_t nr;
	size_t capacity;
	char strip[REPORT_STRIP_SIZE];
};

/** live_init() - @strips: whether to show them, as @style says */
void live_init(struct live *live, bool strips, const struct report_style *style);
void live_clear(struct live *live);

/**
 * live_cost() - ", cost 1.2 % of 2 %, looking every 52 ms" for the status line; with the lock held
 * @budget_bp:	0 for none
 */
void live_cost(const struct live *live, uint64_t budget_bp, char *text, size_t size);

/** live_legend() - print what the strips' levels mean */
void live_legend(struct live *live);

/**
 * live_window() - a window of @ctx was published; on its kdamond. Shows its first target.
 * @maps:	its mappings, when it is the only one, so that what isn't mapped isn't shown; or NULL
 */
void live_window(struct live *live, const struct damon_ctx *ctx, const struct damon_window *window,
		 const struct mapping_list *maps);

/** live_draw() - print a strip that was made since the last call */
void live_draw(struct live *live);

/** live_hush() - no strips any more */
void live_hush(struct live *live);

/** live_width() - the terminal has another size now */
void live_width(struct live *live, unsigned int width);

/** live_seconds() - how long it has been watching, seconds of windows */
double live_seconds(struct live *live);

/** format_bytes() - "12.3 MiB" into @text of at least 16 bytes; returns it */
char *format_bytes(uint64_t bytes, char *text);

#endif
