/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reports: what a record says about a program's memory, as text, JSON and one HTML page.
 *
 * Every function reads the record once from front to back (rarely twice, see
 * &struct report_progress) and keeps only sums, so an hour's record needs no more
 * memory than a minute's. Nothing here prints anywhere but into the given FILE.
 *
 * Words used in all reports:
 *  - access rate of a region: nr_accesses / samples of its window, 0..1; *unknown*
 *    where samples is 0, because the memory couldn't be watched. Unknown memory is
 *    never counted as hot, idle, or part of the working set.
 *  - hot: rate of at least 1/2. Idle: known, and not accessed in the window at all.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <udamon/error.h>

struct record_reader;

/** enum report_color - what the terminal can show */
enum report_color {
	REPORT_COLOR_NONE,
	REPORT_COLOR_256,
	REPORT_COLOR_TRUE,
};

/**
 * struct report_style - how text reports look
 * @color:	escape sequences to use; REPORT_COLOR_NONE for anything but a terminal
 * @unicode:	block characters may be used; else plain ASCII
 * @width:	columns of the terminal, 20..400; 0 is 80. Other values are brought into that range.
 * @height:	lines for one target's map without its frame; 0 chooses
 */
struct report_style {
	enum report_color color;
	bool unicode;
	unsigned int width;
	unsigned int height;
};

/** enum report_heat - how a map cell sums up the regions in it */
enum report_heat {
	REPORT_HEAT_MEAN, /* mean access rate, by bytes and time */
	REPORT_HEAT_MAX,  /* the hottest region in it: shows hot parts smaller than a cell */
};

/** enum report_sort - order of the region table */
enum report_sort {
	REPORT_SORT_ACCESS, /* hottest first, then oldest first; unknown last */
	REPORT_SORT_SIZE,   /* largest first */
	REPORT_SORT_AGE,    /* oldest first */
	REPORT_SORT_ADDRESS /* lowest first */
};

/**
 * struct report_progress - a caller who wants to know how far a long report is
 * @fn:		gets the share of the record that was read, 0..1, now and then; it falls
 *		back to 0 when a second reading is needed (a program whose layout
 *		changes too often to be seen in the first look). Non-zero (-errno) ends the
 *		report with that result. May be NULL.
 * @data:	passed to @fn
 */
struct report_progress {
	int (*fn)(double done, void *data);
	void *data;
};

/**
 * struct report_options - what to show; report_default_options() fills it
 * @style:	how text looks
 * @target:	id of the one target to show, or -1 for all
 * @addr_start: with @addr_end, only these addresses (a zoom); both 0: all
 * @addr_end:	exclusive
 * @t_start_ns: with @t_end_ns, only this time, counted from the record's first window;
 *		both 0: all
 * @t_end_ns:	exclusive
 * @heat:	what a map cell means
 * @min_access_pct: working set: lowest access rate that counts, percent, 0..100; 0 (the
 *		default) is "at least one access in the window"
 * @sort:	order of the region table
 * @reverse:	turn that order round
 * @limit:	most regions to print as text; 0 is all
 * @progress:	told how far it is
 */
struct report_options {
	struct report_style style;
	int64_t target;
	uint64_t addr_start;
	uint64_t addr_end;
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	enum report_heat heat;
	double min_access_pct;
	enum report_sort sort;
	bool reverse;
	size_t limit;
	struct report_progress progress;
};

/** report_default_options() - plain text, 80 columns, everything, mean heat, hottest first, no limit */
void report_default_options(struct report_options *options);

/*
 * The text reports. @out gets the whole text, which ends in a newline; a record
 * without a window gives a text that says so and 0. The caller looks at ferror(@out) and
 * closes it.
 *
 * Return: 0; -EINVAL (an option out of its range, or a target that isn't in the
 * record); -ENOMEM; -EIO (writing to @out failed); what the reader or progress
 * returned. @error (may be NULL) then says what failed on what.
 */

/** report_summary() - everything in short: facts, small map, working set, hottest regions, events */
int report_summary(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error);

/** report_heatmap() - time across, addresses down, one map per target */
int report_heatmap(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error);

/** report_wss() - working-set size: percentiles over time, and its course */
int report_wss(struct record_reader *record, const struct report_options *options, FILE *out,
	       struct damon_error *error);

/** report_pages() - the pages of the last window by equal heat; needs the engine scan */
int report_pages(struct record_reader *record, const struct report_options *options, FILE *out,
		 struct damon_error *error);
/** report_pages_json() - array; @limit counts here too */
int report_pages_json(struct record_reader *record, const struct report_options *options,
		      json_t **json, struct damon_error *error);

/** report_schemes() - what each scheme did: totals, quota, and its course over time */
int report_schemes(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error);
/** report_schemes_json() - array */
int report_schemes_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error);

/** report_regions() - the regions of the last window */
int report_regions(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error);

/** REPORT_HTML_HEAD - how every page of report_html() begins, and no other */
#define REPORT_HTML_HEAD                                                                           \
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"                      \
	"<meta name=\"generator\" content=\"udamon\">\n"

/** report_html() - one self-contained page: map to zoom into, working set, regions, events */
int report_html(struct record_reader *record, const struct report_options *options, FILE *out,
		struct damon_error *error);

/*
 * The JSON reports: a new reference in *@json, whose keys the man page udamon-report(1)
 * lists. Sizes are integers in bytes, except that an address above 2^63-1, which JSON integers can't
 * hold, is a string of its hexadecimal form ("0xffff..."). What isn't known is null.
 * A record without a window gives nulls and a note, or an empty array.
 * Returns as the text reports do.
 */

/** report_summary_json() - object; `udamon sim` adds its own keys to it */
int report_summary_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error);

/** report_wss_json() - object */
int report_wss_json(struct record_reader *record, const struct report_options *options,
		    json_t **json, struct damon_error *error);

/** report_regions_json() - array; @limit counts here too */
int report_regions_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error);

/** report_heatmap_json() - object: the map's cells as numbers, for other drawing programs */
int report_heatmap_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error);

/**
 * struct report_strip_region - one region of the window report_strip_render() shows
 * @start:	its first address
 * @end:	first address after it
 * @nr_accesses: sampling intervals in which it was found accessed
 * @samples:	sampling intervals whose outcome is known; 0: unknown
 */
struct report_strip_region {
	uint64_t start;
	uint64_t end;
	uint32_t nr_accesses;
	uint32_t samples;
};

/**
 * report_strip_render() - one window's heat as one line, for a live view
 * @regions:	sorted by address, not overlapping; one target's
 * @nr:		how many; 0 gives a blank strip
 * @style:	@width is the exact number of columns the strip fills (1..400); @height is not used
 * @buf:	gets the text: no newline, colours reset at its end, always terminated
 * @size:	room in @buf; REPORT_STRIP_SIZE is enough for any strip
 *
 * Addresses run from left to right in proportion to size; unmapped gaps of
 * any size take one column. No allocation, no state: may be called from a window callback.
 * Return: length of the text, or -ENOBUFS.
 */
int report_strip_render(const struct report_strip_region *regions, size_t nr,
			const struct report_style *style, char *buf, size_t size);

/** REPORT_STRIP_SIZE - bytes that hold any strip of 400 columns */
#define REPORT_STRIP_SIZE (400 * 48 + 16)

/** report_strip_legend() - the ten levels and what they mean, one line, as report_strip_render() */
int report_strip_legend(const struct report_style *style, char *buf, size_t size);

#endif
