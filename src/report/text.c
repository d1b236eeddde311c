/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Parts that several text reports are put together from.
 */
#include "report/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"

void report_default_options(struct report_options *options)
{
	*options = (struct report_options){
		.style = {.width = 80},
		.target = -1,
	};
}

void text_plan(struct text_plan *plan, const struct report_style *style, size_t address_digits)
{
	size_t width = style->width ? style->width : 80;

	width = width < 20 ? 20 : width > 400 ? 400 : width;
	*plan = (struct text_plan){.style = *style, .width = width};
	/* Below 56 columns labels would take more room than the picture. */
	if (width >= 56) {
		plan->left = address_digits + 1;
		plan->right = width / 6 < 10 ? 11 : width / 6 > 22 ? 23 : width / 6 + 1;
	}
	plan->columns = width - plan->left - plan->right - 2;
}

int text_address_digits(struct record_reader *reader, size_t *digits, struct damon_error *error)
{
	const struct record_region *regions;
	struct record_snapshot last;
	size_t i, nr;
	int err;

	*digits = 12;
	err = record_reader_last(reader, &last, error);
	if (err <= 0)
		return err;
	err = record_reader_regions(reader, last.id, &regions, &nr, error);
	for (i = 0; !err && i < nr; i++) {
		if (regions[i].end > 1ull << 48)
			*digits = 16;
	}
	return err;
}

void text_repeat(FILE *out, const char *text, size_t n)
{
	while (n--)
		fputs(text, out);
}

void text_wrap(FILE *out, size_t width, size_t indent, const char *fmt, ...)
{
	size_t column = 0, blanks, len, columns;
	char text[1024], word[1024];
	const char *at;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (indent > width / 2)
		indent = width / 8;
	/* Blanks at the very beginning are an indentation of the first line. */
	for (at = text; *at == ' '; at++, column++)
		fputc(' ', out);
	for (; *at; at += len) {
		blanks = strspn(at, " ");
		at += blanks;
		len = strcspn(at, " ");
		/* A number stays with its unit. */
		while (len && at[len] == ' ' && isdigit((unsigned char)at[len - 1]) &&
		       isalpha((unsigned char)at[len + 1]))
			len += 1 + strcspn(at + len + 1, " ");
		memcpy(word, at, len);
		word[len] = 0;
		columns = format_columns(word);
		if (column + blanks + columns > width && column > indent && len) {
			fputc('\n', out);
			text_repeat(out, " ", indent);
			column = indent;
			blanks = 0;
		}
		text_repeat(out, " ", len ? blanks : 0);
		fputs(word, out);
		column += blanks + columns;
	}
	fputc('\n', out);
}

const char *text_frame(const struct text_plan *plan)
{
	return plan->style.unicode ? "│" : "|";
}

void text_border(FILE *out, const struct text_plan *plan)
{
	text_repeat(out, " ", plan->left);
	fputs(plan->style.unicode ? "┌" : "+", out);
	text_repeat(out, plan->style.unicode ? "─" : "-", plan->columns);
	fputs(plan->style.unicode ? "┐\n" : "+\n", out);
}

/* Marks no closer than a label and a half. */
#define MARK_COLUMNS 9

void text_time_axis(FILE *out, const struct text_plan *plan, double t_start_ns, double t_end_ns)
{
	double length = t_end_ns - t_start_ns, at;
	struct format_axis axis;
	char labels[512], label[32];
	size_t column, next, used = 0, len;
	int n;

	axis = format_time_axis(length, (unsigned int)(plan->columns / MARK_COLUMNS + 1));
	memset(labels, ' ', sizeof(labels));
	text_repeat(out, " ", plan->left);
	fputs(plan->style.unicode ? "└" : "+", out);
	at = ceil(t_start_ns / axis.step_ns - 1e-9) * axis.step_ns;
	for (column = 0; column < plan->columns; column = next) {
		next = (size_t)((at - t_start_ns) / length * (double)plan->columns + 1e-6);
		next = next < plan->columns ? next : plan->columns;
		text_repeat(out, plan->style.unicode ? "─" : "-", next - column);
		if (next == plan->columns)
			break;
		fputs(plan->style.unicode ? "┬" : "+", out);
		at += axis.step_ns;
		n = snprintf(label, sizeof(label), "%g", (at - axis.step_ns) / axis.unit_ns);
		/* The last one carries the unit. */
		if (at + 1e-6 * axis.step_ns >= t_end_ns)
			n = snprintf(label, sizeof(label), "%g %s",
				     (at - axis.step_ns) / axis.unit_ns, axis.unit);
		len = (size_t)n;
		if (next >= used && next + 1 + len <= plan->columns + 2 + plan->right) {
			memcpy(labels + next, label, len);
			used = next + len + 1;
		}
		next++;
	}
	fputs(plan->style.unicode ? "┘\n" : "+\n", out);
	labels[used ? used - 1 : 0] = 0;
	text_repeat(out, " ", plan->left + 1);
	fprintf(out, "%s\n", labels);
}

int text_finish(FILE *out, struct damon_error *error)
{
	if (!fflush(out) && !ferror(out))
		return 0;
	return damon_error_set(error, -EIO, "cannot write the report");
}

void text_no_windows(FILE *out, const struct gather *gather, size_t width)
{
	char name[96];
	size_t i;

	text_wrap(
		out, width, 0,
		"The record has no window: watching ended before the first aggregation interval did.");
	for (i = 0; i < gather->nr_targets; i++) {
		gather_target_name(&gather->targets[i], name, sizeof(name));
		text_wrap(out, width, 2, "target %u: %s", gather->targets[i].id, name);
	}
	for (i = 0; i < gather->nr_events; i++)
		text_wrap(out, width, 2, "%s: %s", gather->events[i].what,
			  gather->events[i].detail);
}

void json_append(bool *ok, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		*ok = false;
}

void json_set(bool *ok, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		*ok = false;
}

json_t *json_if(bool ok, json_t *json)
{
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

json_t *json_address(uint64_t address)
{
	char text[24];

	if (address <= INT64_MAX)
		return json_integer((json_int_t)address);
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	return json_string(text);
}
