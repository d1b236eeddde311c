/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Parts that several text reports are put together from.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/gather.h"

/** struct text_plan - how a terminal's columns are used by whatever has time across */
struct text_plan {
	struct report_style style; /* with its width and height brought into range */
	size_t width;
	size_t left;	/* for labels, with a blank; 0: no labels, headings instead */
	size_t columns; /* of the picture itself */
	size_t right;	/* for names, with a blank before them; 0: none */
};

/** text_plan() - @address_digits: of the highest address in the record */
void text_plan(struct text_plan *plan, const struct report_style *style, size_t address_digits);

/** text_address_digits() - 12, or 16 when the record has addresses of 2^48 and more */
int text_address_digits(struct record_reader *reader, size_t *digits, struct damon_error *error);

/** text_repeat() - @text @n times */
void text_repeat(FILE *out, const char *text, size_t n);

/** text_wrap() - a paragraph, broken at blanks, every line but the first after @indent blanks */
__attribute__((format(printf, 4, 5))) void text_wrap(FILE *out, size_t width, size_t indent,
						     const char *fmt, ...);

/** text_border() - the upper edge of a picture */
void text_border(FILE *out, const struct text_plan *plan);

/** text_time_axis() - the lower edge of a picture with marks, and their times below */
void text_time_axis(FILE *out, const struct text_plan *plan, double t_start_ns, double t_end_ns);

/** text_frame() - the left or right edge of a picture's line */
const char *text_frame(const struct text_plan *plan);

/** text_finish() - 0, or -EIO with a text if @out had an error */
int text_finish(FILE *out, struct damon_error *error);

/** text_no_windows() - what is said of a record without windows */
void text_no_windows(FILE *out, const struct gather *gather, size_t width);

/* The bodies of the reports, also used by the summary. */

/** heatmap_draw() - the maps of all wanted targets and the legend */
void heatmap_draw(FILE *out, const struct gather *gather, const struct report_options *options,
		  const struct text_plan *plan);

/** WSS_PERCENTILES - how many there are: 0, 25, 50, 75, 95, 100 */
#define WSS_PERCENTILES 6
extern const unsigned int wss_percents[WSS_PERCENTILES];

/**
 * struct wss_value - something that had a value for some time, or for some bytes
 */
struct wss_value {
	double value;
	double weight;
};

/** wss_percentiles() - sorts @values; the smallest value that at least so much weight doesn't exceed */
void wss_percentiles(struct wss_value *values, size_t nr, double result[WSS_PERCENTILES]);

/** wss_gathered() - percentiles of the working set over time; 0 or -ENOMEM */
int wss_gathered(const struct gather *gather, double result[WSS_PERCENTILES]);

/** wss_chart() - working set over time, @lines high; 0 or -ENOMEM */
int wss_chart(FILE *out, const struct gather *gather, const struct text_plan *plan, size_t lines);

/** wss_columns() - mean working set in each of @nr spans of time, -1 where nothing was watched */
void wss_columns(const struct gather *gather, double *means, size_t nr);

/** regions_sort() - sort the last window's regions as asked for */
void regions_sort(struct gather *gather, const struct report_options *options);

/** regions_table() - the first @limit (0: all) of the sorted regions */
void regions_table(FILE *out, const struct gather *gather, const struct text_plan *plan,
		   size_t limit);

/** regions_name() - whose memory a region is; regions also cover holes between mappings */
const char *regions_name(const struct gather_target *target, const struct grid_piece *piece);

/** regions_json() - the sorted regions; NULL when out of memory */
json_t *regions_json(const struct gather *gather, size_t limit);

/** summary_notes() - what should be known about the record, an array of texts; NULL: no memory */
json_t *summary_notes(const struct gather *gather);

/** SUMMARY_TEXT - room for one note */
#define SUMMARY_TEXT 400

/** json_append() - append a new value; @ok becomes false when there was no memory for it */
void json_append(bool *ok, json_t *array, json_t *value);

/** json_set() - the same for a key of an object */
void json_set(bool *ok, json_t *object, const char *key, json_t *value);

/** json_if() - @json if @ok, else NULL, and @json is given back */
json_t *json_if(bool ok, json_t *json);

/** json_address() - an integer, or a text of hexadecimal digits above 2^63 - 1 */
json_t *json_address(uint64_t address);

#endif
