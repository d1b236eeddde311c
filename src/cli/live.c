// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The live view: strips of heat, and the numbers of the status line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/live.h"
#include "cli/terminal.h"

/* More strips in a second than this nobody can read. */
#define STRIPS_PER_SECOND 4
/* "  12.3s " before a strip and " 1023.9 MiB" behind it; a terminal narrower than this has neither. */
#define TIME_WIDTH  8
#define BYTES_WIDTH 11
#define NARROW	    40
/* The legend fits into this. */
#define LEGEND_WIDTH 60
/* Bytes that are not mapped from which on they are shown as a gap. */
#define WIDE_GAP (1ULL << 30)

char *format_bytes(uint64_t bytes, char *text)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 16, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

void live_init(struct live *live, bool strips, const struct report_style *style)
{
	*live = (struct live){.strips = strips, .style = *style};
	pthread_mutex_init(&live->lock, NULL);
}

void live_clear(struct live *live)
{
	free(live->pieces);
	pthread_mutex_destroy(&live->lock);
}

static unsigned int strip_width(const struct live *live)
{
	if (live->style.width < NARROW)
		return live->style.width > 1 ? live->style.width - 1 : 1;
	return live->style.width - TIME_WIDTH - BYTES_WIDTH - 1;
}

void live_legend(struct live *live)
{
	struct report_style style = live->style;
	char text[REPORT_STRIP_SIZE];

	if (live->strips && live->style.width >= LEGEND_WIDTH &&
	    report_strip_legend(&style, text, sizeof(text)) >= 0)
		terminal_line(text);
}

/* Add a piece of a region; without memory for it, it isn't shown. */
static void add_piece(struct live *live, const struct report_strip_region *piece)
{
	struct report_strip_region *pieces;
	size_t capacity = live->capacity ? live->capacity * 2 : 256;

	if (piece->nr_accesses)
		live->accessed += piece->end - piece->start;
	if (live->nr == live->capacity) {
		pieces = reallocarray(live->pieces, capacity, sizeof(*pieces));
		if (!pieces)
			return;
		live->pieces = pieces;
		live->capacity = capacity;
	}
	live->pieces[live->nr++] = *piece;
}

/* Add what is mapped of a region. @at goes through the mappings from region to region. */
static void add_mapped(struct live *live, const struct report_strip_region *region,
		       const struct mapping_list *maps, size_t *at)
{
	while (*at < maps->nr && maps->mappings[*at].end <= region->start)
		(*at)++;
	for (size_t i = *at; i < maps->nr && maps->mappings[i].start < region->end; i++) {
		struct report_strip_region piece = *region;

		if (piece.start < maps->mappings[i].start)
			piece.start = maps->mappings[i].start;
		if (piece.end > maps->mappings[i].end)
			piece.end = maps->mappings[i].end;
		add_piece(live, &piece);
	}
}

static void add_target(struct live *live, const struct damon_ctx *ctx,
		       const struct damon_target *target, const struct damon_window *window,
		       const struct mapping_list *maps)
{
	size_t nr = damon_nr_regions(target), at = 0;

	for (size_t i = 0; i < nr; i++) {
		struct report_strip_region piece;
		struct damon_region region;
		uint32_t unknown;

		damon_get_region(ctx, target, i, &region);
		unknown = region.nr_unknown < window->nr_samples ? region.nr_unknown
								 : window->nr_samples;
		piece = (struct report_strip_region){
			.start = region.ar.start,
			.end = region.ar.end,
			.nr_accesses = region.nr_accesses,
			.samples = window->nr_samples - unknown,
		};
		if (maps && maps->nr)
			add_mapped(live, &piece, maps, &at);
		else
			add_piece(live, &piece);
	}
}

/*
 * A strip has room for few gaps, and programs have many small ones between their libraries: only
 * wide ones are left, and the rest of the addresses moves together.
 */
static void close_gaps(struct live *live)
{
	uint64_t end = 0, moved = 0;

	for (size_t i = 0; i < live->nr; i++) {
		struct report_strip_region *piece = &live->pieces[i];
		uint64_t gap = i ? piece->start - end : 0;

		end = piece->end;
		if (gap < WIDE_GAP)
			moved += gap;
		piece->start -= moved;
		piece->end -= moved;
	}
}

static void make_strip(struct live *live)
{
	struct report_style style = live->style;

	close_gaps(live);
	style.width = strip_width(live);
	live->fresh = report_strip_render(live->pieces, live->nr, &style, live->strip,
					  sizeof(live->strip)) >= 0;
}

static void note_cost(struct live *live, const struct damon_window *window)
{
	uint64_t since_ns = live->windows ? live->t_last_ns : window->t_start_ns;
	uint64_t spent_ns = window->cost.cpu_ns + window->cost.target_ns - live->cost.cpu_ns -
			    live->cost.target_ns;

	live->cost_bp = 0;
	if (window->t_end_ns > since_ns)
		live->cost_bp = 10000.0 * (double)spent_ns / (double)(window->t_end_ns - since_ns);
	live->cost = window->cost;
	live->floored = window->floor_us > 0;
	live->sample_us = live->floored ? window->floor_us : window->sample_us;
}

void live_cost(const struct live *live, uint64_t budget_bp, char *text, size_t size)
{
	int len;

	text[0] = '\0';
	if (!live->windows)
		return;
	len = snprintf(text, size, ", cost %.1f %%", live->cost_bp / 100);
	if (budget_bp)
		len += snprintf(text + len, size - (size_t)len, " of %g %%",
				(double)budget_bp / 100);
	if (live->floored)
		snprintf(text + len, size - (size_t)len, ", so a look every %.0f ms only",
			 (double)live->sample_us / 1000);
}

void live_window(struct live *live, const struct damon_ctx *ctx, const struct damon_window *window,
		 const struct mapping_list *maps)
{
	size_t first = 0;

	pthread_mutex_lock(&live->lock);
	if (!live->windows)
		live->t_first_ns = window->t_start_ns;
	note_cost(live, window);
	live->windows++;
	live->t_last_ns = window->t_end_ns;
	live->aggr_us = window->aggr_us;
	live->accessed = 0;
	live->nr = 0;
	for (uint32_t i = 0; i < ctx->nr_targets; i++) {
		add_target(live, ctx, ctx->targets[i], window, maps);
		if (!i)
			first = live->nr;
	}
	live->nr = first;
	if (live->strips && ctx->nr_targets &&
	    (!live->t_drawn_ns ||
	     window->t_end_ns - live->t_drawn_ns >= 1000000000 / STRIPS_PER_SECOND)) {
		live->t_drawn_ns = window->t_end_ns;
		make_strip(live);
	}
	pthread_mutex_unlock(&live->lock);
}

void live_draw(struct live *live)
{
	char line[REPORT_STRIP_SIZE + 64], bytes[16];
	bool fresh;

	pthread_mutex_lock(&live->lock);
	fresh = live->fresh;
	live->fresh = false;
	if (live->style.width < NARROW)
		snprintf(line, sizeof(line), "%s", live->strip);
	else
		snprintf(line, sizeof(line), "%6.1fs %s %*s",
			 (double)(live->t_last_ns - live->t_first_ns) / 1e9, live->strip,
			 BYTES_WIDTH - 1, format_bytes(live->accessed, bytes));
	pthread_mutex_unlock(&live->lock);
	if (fresh)
		terminal_line(line);
}

void live_hush(struct live *live)
{
	pthread_mutex_lock(&live->lock);
	live->strips = false;
	live->fresh = false;
	pthread_mutex_unlock(&live->lock);
}

void live_width(struct live *live, unsigned int width)
{
	pthread_mutex_lock(&live->lock);
	live->style.width = width;
	live->fresh = false;
	pthread_mutex_unlock(&live->lock);
}

double live_seconds(struct live *live)
{
	double seconds;

	pthread_mutex_lock(&live->lock);
	seconds = (double)(live->t_last_ns - live->t_first_ns) / 1e9;
	pthread_mutex_unlock(&live->lock);
	return seconds;
}
