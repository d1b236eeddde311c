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
	free(live->regions);
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

	if (live->strips && report_strip_legend(&style, text, sizeof(text)) >= 0)
		terminal_line(text);
}

/* Room for @nr regions; without it there is no strip this time. */
static bool make_room(struct live *live, size_t nr)
{
	struct report_strip_region *regions;

	if (nr <= live->capacity)
		return true;
	regions = reallocarray(live->regions, nr * 2, sizeof(*regions));
	if (!regions)
		return false;
	live->regions = regions;
	live->capacity = nr * 2;
	return true;
}

static void make_strip(struct live *live, const struct damon_ctx *ctx,
		       const struct damon_window *window)
{
	const struct damon_target *target = ctx->targets[0];
	struct report_style style = live->style;
	size_t nr = damon_nr_regions(target);

	if (!make_room(live, nr))
		return;
	for (size_t i = 0; i < nr; i++) {
		struct damon_region region;
		uint32_t unknown;

		damon_get_region(ctx, target, i, &region);
		unknown = region.nr_unknown < window->nr_samples ? region.nr_unknown
								 : window->nr_samples;
		live->regions[i] = (struct report_strip_region){
			.start = region.ar.start,
			.end = region.ar.end,
			.nr_accesses = region.nr_accesses,
			.samples = window->nr_samples - unknown,
		};
	}
	style.width = strip_width(live);
	live->fresh = report_strip_render(live->regions, nr, &style, live->strip,
					  sizeof(live->strip)) >= 0;
}

static void count(struct live *live, const struct damon_ctx *ctx, const struct damon_window *window)
{
	if (!live->windows)
		live->t_first_ns = window->t_start_ns;
	live->windows++;
	live->t_last_ns = window->t_end_ns;
	live->aggr_us = window->aggr_us;
	live->accessed = 0;
	live->known = 0;
	for (uint32_t t = 0; t < ctx->nr_targets; t++) {
		size_t nr = damon_nr_regions(ctx->targets[t]);

		for (size_t i = 0; i < nr; i++) {
			struct damon_region region;

			damon_get_region(ctx, ctx->targets[t], i, &region);
			if (region.nr_unknown < window->nr_samples)
				live->known += region.ar.end - region.ar.start;
			if (region.nr_accesses)
				live->accessed += region.ar.end - region.ar.start;
		}
	}
}

void live_window(struct live *live, const struct damon_ctx *ctx, const struct damon_window *window)
{
	pthread_mutex_lock(&live->lock);
	count(live, ctx, window);
	if (live->strips && ctx->nr_targets &&
	    (!live->t_drawn_ns ||
	     window->t_end_ns - live->t_drawn_ns >= 1000000000 / STRIPS_PER_SECOND)) {
		live->t_drawn_ns = window->t_end_ns;
		make_strip(live, ctx, window);
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
