/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Numbers and texts as people read them.
 */
#include "report/format.h"

#include <math.h>
#include <string.h>

/* One decimal below 100, unless @whole and it would be 0; false if it rounds up to @roll. */
static bool put_scaled(struct format_text *text, double value, const char *unit, double roll,
		       bool whole)
{
	bool decimal = value < 99.95;
	double rounded = decimal ? round(value * 10) / 10 : round(value);

	if (roll > 0 && rounded >= roll)
		return false;
	if (whole && rounded == floor(rounded))
		decimal = false;
	snprintf(text->s, sizeof(text->s), "%.*f %s", decimal ? 1 : 0, rounded, unit);
	return true;
}

struct format_text format_size(double bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	struct format_text text;
	size_t i;

	if (bytes < 1023.5) {
		snprintf(text.s, sizeof(text.s), "%.0f B", bytes < 0 ? 0 : bytes);
		return text;
	}
	bytes /= 1024;
	for (i = 0; i < 5 && !put_scaled(&text, bytes, units[i], 1024, false); i++)
		bytes /= 1024;
	if (i == 5)
		put_scaled(&text, bytes, units[i], 0, false);
	return text;
}

struct format_text format_duration(double ns)
{
	struct format_text text;
	uint64_t s;

	if (!(ns > 0))
		snprintf(text.s, sizeof(text.s), "0 s");
	else if (ns < 999.5)
		snprintf(text.s, sizeof(text.s), "%.0f ns", ns);
	else if (!put_scaled(&text, ns / 1e3, "us", 1000, true) &&
		 !put_scaled(&text, ns / 1e6, "ms", 1000, true) &&
		 !(ns < 99.95e9 && put_scaled(&text, ns / 1e9, "s", 1000, true))) {
		s = (uint64_t)llround(ns / 1e9);
		if (s < 3600)
			snprintf(text.s, sizeof(text.s), "%u min %02u s", (unsigned int)(s / 60),
				 (unsigned int)(s % 60));
		else
			snprintf(text.s, sizeof(text.s), "%llu h %02u min",
				 (unsigned long long)((s + 30) / 3600),
				 (unsigned int)((s + 30) / 60 % 60));
	}
	return text;
}

struct format_text format_interval(uint64_t least_us, uint64_t most_us)
{
	struct format_text text = format_duration((double)least_us * 1e3);
	size_t len = strlen(text.s);

	if (most_us > least_us)
		snprintf(text.s + len, sizeof(text.s) - len, " to %.32s",
			 format_duration((double)most_us * 1e3).s);
	return text;
}

struct format_text format_percent(double percent)
{
	struct format_text text;

	if (percent <= 0)
		snprintf(text.s, sizeof(text.s), "0%%");
	else if (percent < 0.005)
		snprintf(text.s, sizeof(text.s), "<0.01%%");
	else if (percent < 0.0995)
		snprintf(text.s, sizeof(text.s), "%.2f%%", percent);
	else if (percent < 9.95)
		snprintf(text.s, sizeof(text.s), "%.1f%%", percent);
	else
		snprintf(text.s, sizeof(text.s), "%.0f%%", percent);
	return text;
}

struct format_text format_count(uint64_t number)
{
	struct format_text text;
	char digits[32];
	size_t len, i, n = 0;

	len = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text.s[n++] = ',';
		text.s[n++] = digits[i];
	}
	text.s[n] = 0;
	return text;
}

struct format_text format_rate(double per_second)
{
	struct format_text text;

	if (per_second <= 0)
		snprintf(text.s, sizeof(text.s), "0/s");
	else if (per_second < 0.05)
		snprintf(text.s, sizeof(text.s), "<0.1/s");
	else if (per_second < 9.95)
		snprintf(text.s, sizeof(text.s), "%.1f/s", per_second);
	else
		snprintf(text.s, sizeof(text.s), "%.31s/s",
			 format_count((uint64_t)llround(per_second)).s);
	return text;
}

struct format_text format_address(uint64_t address)
{
	struct format_text text;

	snprintf(text.s, sizeof(text.s), "%012llx", (unsigned long long)address);
	return text;
}

size_t format_utf8_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t code;
	size_t len, i;

	if (c[0] < 0x80)
		return 1;
	len = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	code = c[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3f);
	}
	/* Overlong forms, surrogates, and beyond the last plane. */
	if ((len == 3 && code < 0x800) || (len == 4 && (code < 0x10000 || code > 0x10ffff)) ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

void format_clean(char *to, size_t size, const char *from, bool ascii)
{
	size_t n = 0, len;
	bool bad;

	while (from && *from) {
		const unsigned char *c = (const unsigned char *)from;

		len = format_utf8_length(from);
		/* U+0080..U+009f are control characters as well. */
		bad = !len || c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0) ||
		      (ascii && len > 1);
		if (n + (bad ? 1 : len) >= size)
			break;
		if (bad)
			to[n++] = '?';
		else
			memcpy(to + n, from, len), n += len;
		from += len ? len : 1;
	}
	if (size)
		to[n] = 0;
}

size_t format_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Copy characters @from up to, not including, @to of @text; returns bytes. */
static size_t copy_columns(char *out, size_t size, const char *text, size_t from, size_t to)
{
	size_t column = 0, n = 0, len;

	for (; *text && column < to; text += len, column++) {
		len = format_utf8_length(text);
		len = len ? len : 1;
		if (column < from)
			continue;
		if (n + len >= size)
			break;
		memcpy(out + n, text, len);
		n += len;
	}
	return n;
}

void format_fit(char *to, size_t size, const char *text, size_t columns)
{
	size_t have = format_columns(text), left, n, i;

	if (have <= columns) {
		n = copy_columns(to, size, text, 0, have);
		for (i = have; i < columns && n + 1 < size; i++)
			to[n++] = ' ';
	} else if (columns < 4) {
		n = copy_columns(to, size, text, 0, columns);
	} else {
		/* The ends of a name tell more than its middle: "lib~.so.6". */
		left = (columns - 1) / 2;
		n = copy_columns(to, size, text, 0, left);
		if (n + 1 < size)
			to[n++] = '~';
		n += copy_columns(to + n, size - n, text, have - (columns - 1 - left), have);
	}
	to[n] = 0;
}

void format_html(FILE *out, const char *text)
{
	size_t len;

	for (; text && *text; text += len ? len : 1) {
		len = format_utf8_length(text);
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if (*text == '\'')
			fputs("&#39;", out);
		else if (!len || (unsigned char)*text < 0x20 || *text == 0x7f)
			fputc('?', out);
		else
			fwrite(text, 1, len, out);
	}
}

struct format_axis format_time_axis(double length_ns, unsigned int marks)
{
	static const double minutes[] = {1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440};
	struct format_axis axis = {.unit_ns = 1e9, .unit = "s"};
	double least, decade;
	size_t i;

	least = length_ns / (marks ? marks : 1);
	if (length_ns < 2e9) {
		axis.unit_ns = length_ns < 2e6 ? 1e3 : 1e6;
		axis.unit = length_ns < 2e6 ? "us" : "ms";
	} else if (length_ns >= 180e9 && least <= 1440 * 60e9) {
		for (i = 0; minutes[i] * 60e9 < least; i++)
			;
		axis.step_ns = minutes[i] * 60e9;
		axis.unit_ns = minutes[i] >= 60 ? 3600e9 : 60e9;
		axis.unit = minutes[i] >= 60 ? "h" : "min";
		return axis;
	} else if (length_ns >= 180e9) {
		axis.unit_ns = 3600e9;
		axis.unit = "h";
	}
	least /= axis.unit_ns;
	decade = pow(10, floor(log10(least > 1e-9 ? least : 1e-9)));
	axis.step_ns = (least <= decade	      ? decade
			: least <= 2 * decade ? 2 * decade
			: least <= 5 * decade ? 5 * decade
					      : 10 * decade) *
		       axis.unit_ns;
	return axis;
}

double format_nice_size(double bytes)
{
	static const double steps[] = {1,   2,	 3,   4,   5,	6,   8,	  10,  12,
				       15,  20,	 25,  30,  40,	50,  60,  80,  100,
				       120, 150, 200, 250, 300, 400, 500, 600, 800};
	double unit = 1;
	size_t i;

	for (;; unit *= 1024) {
		for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			if (steps[i] * unit >= bytes)
				return steps[i] * unit;
		}
	}
}
