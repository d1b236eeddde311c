/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Numbers and texts as people read them: sizes, times, percentages, names.
 */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** struct format_text - a short text returned by value, so that it can stand in a printf() */
struct format_text {
	char s[64];
};

/** format_size() - bytes: "0 B", "132 KiB", "1.5 MiB"; a decimal below 100, none from there */
struct format_text format_size(double bytes);

/** format_duration() - nanoseconds: "850 ns", "12.5 us", "320 ms", "1.5 s", "2 min 05 s", "1 h 02 min" */
struct format_text format_duration(double ns);

/** format_interval() - microseconds: "100 ms", or "100 ms to 2 s" where it was tuned */
struct format_text format_interval(uint64_t least_us, uint64_t most_us);

/** format_percent() - 0..100: "0%", "0.05%", "4.2%", "42%"; what isn't 0 doesn't become "0%" */
struct format_text format_percent(double percent);

/** format_count() - a plain number with thousands apart: "36,000" */
struct format_text format_count(uint64_t number);

/** format_rate() - events per second: "0/s", "0.4/s", "1,200/s" */
struct format_text format_rate(double per_second);

/** format_address() - twelve hexadecimal digits or more, without a prefix */
struct format_text format_address(uint64_t address);

/**
 * format_clean() - copy a text from a record so that it can be shown
 * @to:	gets at most @size - 1 bytes and a terminating zero
 * @ascii: replace everything outside ASCII as well
 *
 * Control characters (also those of C1, which some terminals obey) and what isn't UTF-8
 * become '?'. A text that is too long is cut between characters.
 */
void format_clean(char *to, size_t size, const char *from, bool ascii);

/** format_columns() - columns a UTF-8 text takes, one per character */
size_t format_columns(const char *text);

/**
 * format_fit() - cut a clean text to @columns by leaving out its middle ("long-~name") and pad
 * it with blanks to exactly that many
 */
void format_fit(char *to, size_t size, const char *text, size_t columns);

/** format_html() - write a text with everything escaped that means something in HTML */
void format_html(FILE *out, const char *text);

/** format_utf8_length() - bytes of the character at @text, or 0 if it isn't valid UTF-8 */
size_t format_utf8_length(const char *text);

/**
 * struct format_axis - marks of a time axis
 * @step_ns:	distance of the marks; 1, 2 or 5 times a power of ten, or what is round in minutes
 * @unit_ns:	of the numbers at the marks
 * @unit:	its name: "ms", "s", "min", "h"
 */
struct format_axis {
	double step_ns;
	double unit_ns;
	const char *unit;
};

/** format_time_axis() - marks for @length_ns with at most @marks steps (at least 1) */
struct format_axis format_time_axis(double length_ns, unsigned int marks);

/** format_nice_size() - the smallest round size (as 250 or 300 MiB) not below @bytes, for a scale */
double format_nice_size(double bytes);

#endif
