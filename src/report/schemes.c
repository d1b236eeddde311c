// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What schemes did.
 *
 * A record has running totals with each window. What happened between two windows is spread evenly
 * over the time between their ends.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/schemes.h"

/* Spans of time of the JSON. */
#define JSON_SPANS 100

#define LABEL_INDENT 13

static const char no_schemes[] =
	"this record has no schemes: nothing was done about what was seen; "
	"see --scheme in udamon-record(1)";

static const char not_then[] = "the record has no window in this part of the time";

void schemes_clear(struct schemes *schemes)
{
	size_t i;

	for (i = 0; i < schemes->nr; i++) {
		free(schemes->list[i].tried);
		free(schemes->list[i].applied);
	}
	free(schemes->list);
	memset(schemes, 0, sizeof(*schemes));
}

/* The time that is looked at. Return: 1; 0 when there is no window in it; -errno. */
static int find_time(struct schemes *schemes, struct record_reader *record,
		     const struct report_options *options, uint64_t *first_ns,
		     struct damon_error *error)
{
	struct record_snapshot first, last;
	int err;

	record_reader_rewind(record, INT64_MIN);
	err = record_reader_next(record, &first, error);
	if (err == 1)
		err = record_reader_last(record, &last, error);
	if (err != 1)
		return err;
	*first_ns = first.t_start_ns;
	schemes->t_start_ns = 0;
	schemes->t_end_ns = (double)(last.t_end_ns - first.t_start_ns);
	if (options->t_end_ns) {
		schemes->t_start_ns = (double)options->t_start_ns;
		if ((double)options->t_end_ns < schemes->t_end_ns)
			schemes->t_end_ns = (double)options->t_end_ns;
	}
	return schemes->t_start_ns < schemes->t_end_ns;
}

static struct scheme_course *find_course(struct schemes *schemes, struct record_reader *record,
					 uint32_t scheme)
{
	struct scheme_course *course;
	size_t i;

	for (i = 0; i < schemes->nr; i++)
		if (schemes->list[i].total.scheme == scheme)
			return &schemes->list[i];
	course = realloc(schemes->list, (schemes->nr + 1) * sizeof(*course));
	if (!course)
		return NULL;
	schemes->list = course;
	course += schemes->nr++;
	*course = (struct scheme_course){
		.total.scheme = scheme,
		.words = record_reader_scheme(record, scheme),
		.json = record_reader_scheme_json(record, scheme),
		.tried = calloc(schemes->columns, sizeof(double)),
		.applied = calloc(schemes->columns, sizeof(double)),
	};
	return course->tried && course->applied ? course : NULL;
}

/* @amount, which came about from @from to @to (nanoseconds), by columns. */
static void spread(const struct schemes *schemes, double *columns, double amount, double from,
		   double to)
{
	double span = (schemes->t_end_ns - schemes->t_start_ns) / (double)schemes->columns;
	double first = (from - schemes->t_start_ns) / span, end = (to - schemes->t_start_ns) / span;
	double length = end - first, left, right;
	size_t column;

	if (!(amount > 0) || !(length > 0))
		return;
	for (column = first > 0 ? (size_t)first : 0;
	     column < schemes->columns && (double)column < end; column++) {
		left = first > (double)column ? first : (double)column;
		right = end < (double)column + 1 ? end : (double)column + 1;
		if (right > left)
			columns[column] += amount * (right - left) / length;
	}
}

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* One window of a scheme, @before being its totals at the one before. */
static void add_window(const struct schemes *schemes, struct scheme_course *course,
		       const struct record_scheme_stat *now,
		       const struct record_scheme_stat *before, double from, double to)
{
	struct record_scheme_stat *total = &course->total;
	uint64_t tried = since(now->sz_tried, before->sz_tried);
	uint64_t applied = since(now->sz_applied, before->sz_applied);

	course->seen = true;
	total->nr_tried += since(now->nr_tried, before->nr_tried);
	total->sz_tried += tried;
	total->nr_applied += since(now->nr_applied, before->nr_applied);
	total->sz_applied += applied;
	total->sz_ops_filter_passed +=
		since(now->sz_ops_filter_passed, before->sz_ops_filter_passed);
	total->qt_exceeds += since(now->qt_exceeds, before->qt_exceeds);
	total->nr_snapshots += since(now->nr_snapshots, before->nr_snapshots);
	total->esz = now->esz;
	/* Without a limit the effective quota is 0, or the largest number. */
	if (now->esz && now->esz != UINT64_MAX) {
		if (!course->min_esz || now->esz < course->min_esz)
			course->min_esz = now->esz;
		if (now->esz > course->max_esz)
			course->max_esz = now->esz;
	}
	spread(schemes, course->tried, (double)tried, from, to);
	spread(schemes, course->applied, (double)applied, from, to);
}

/* The totals of all schemes at one window, kept for the next one. */
struct totals {
	struct record_scheme_stat *list;
	size_t nr;
	size_t max;
};

static const struct record_scheme_stat *totals_find(const struct totals *totals, uint32_t scheme)
{
	static const struct record_scheme_stat nothing;
	size_t i;

	for (i = 0; i < totals->nr; i++)
		if (totals->list[i].scheme == scheme)
			return &totals->list[i];
	return &nothing;
}

static int totals_keep(struct totals *totals, const struct record_scheme_stat *stats, size_t nr)
{
	struct record_scheme_stat *list = totals->list;

	if (nr > totals->max) {
		list = realloc(list, nr * sizeof(*list));
		if (!list)
			return -ENOMEM;
		totals->list = list;
		totals->max = nr;
	}
	if (nr)
		memcpy(list, stats, nr * sizeof(*list));
	totals->nr = nr;
	return 0;
}

static int add_snapshot(struct schemes *schemes, struct record_reader *record,
			struct totals *before, int64_t snapshot, double from, double to,
			struct damon_error *error)
{
	const struct record_scheme_stat *stats;
	size_t nr, i;
	int err = record_reader_scheme_stats(record, snapshot, &stats, &nr, error);

	if (err)
		return err;
	for (i = 0; i < nr && to > schemes->t_start_ns && from < schemes->t_end_ns; i++) {
		struct scheme_course *course = find_course(schemes, record, stats[i].scheme);

		if (!course)
			return report_no_memory(error);
		add_window(schemes, course, &stats[i], totals_find(before, stats[i].scheme), from,
			   to);
	}
	return totals_keep(before, stats, nr) ? report_no_memory(error) : 0;
}

int schemes_gather(struct schemes *schemes, struct record_reader *record,
		   const struct report_options *options, size_t columns, struct damon_error *error)
{
	struct record_snapshot snapshot;
	struct totals before = {0};
	uint64_t first_ns;
	double from = 0;
	int err;

	*schemes = (struct schemes){.columns = columns};
	err = find_time(schemes, record, options, &first_ns, error);
	if (err != 1)
		return err;
	record_reader_rewind(record, INT64_MIN);
	while ((err = record_reader_next(record, &snapshot, error)) == 1) {
		double to = (double)(snapshot.t_end_ns - first_ns);

		err = add_snapshot(schemes, record, &before, snapshot.id, from, to, error);
		if (!err && options->progress.fn)
			err = options->progress.fn(
				to / schemes->t_end_ns > 1 ? 1 : to / schemes->t_end_ns,
				options->progress.data);
		if (err || to >= schemes->t_end_ns)
			break;
		from = to;
	}
	free(before.list);
	return err < 0 ? err : 0;
}

int schemes_any(struct record_reader *record, struct damon_error *error)
{
	const struct record_scheme_stat *stats;
	struct record_snapshot last;
	size_t nr = 0;
	int err = record_reader_last(record, &last, error);

	if (err == 1)
		err = record_reader_scheme_stats(record, last.id, &stats, &nr, error);
	else if (!err)
		return 0;
	return err ? err : nr > 0;
}

/* As text. */

static void put_fact(FILE *out, const struct text_plan *plan, const char *label, const char *text)
{
	text_wrap(out, plan->width, LABEL_INDENT, "  %-*s%s", LABEL_INDENT - 2, label, text);
}

static void put_name(FILE *out, const struct text_plan *plan, const struct scheme_course *course)
{
	char clean[1000];

	format_clean(clean, sizeof(clean), course->words ? course->words : "(not described)",
		     !plan->style.unicode);
	text_wrap(out, plan->width, LABEL_INDENT, "Scheme %-*u%s", LABEL_INDENT - 7,
		  course->total.scheme, clean);
}

static void put_amount(FILE *out, const struct text_plan *plan, const char *label, uint64_t bytes,
		       uint64_t regions, const char *more)
{
	char text[SUMMARY_TEXT];

	snprintf(text, sizeof(text), "%s in %s region%s%s", format_size((double)bytes).s,
		 format_count(regions).s, regions == 1 ? "" : "s", more);
	put_fact(out, plan, label, text);
}

static void put_totals(FILE *out, const struct text_plan *plan, const struct scheme_course *course)
{
	const struct record_scheme_stat *total = &course->total;
	char more[96] = "";

	put_amount(out, plan, "tried", total->sz_tried, total->nr_tried, "");
	if (total->sz_tried)
		snprintf(more, sizeof(more), ", %s of what was tried",
			 format_percent(100.0 * (double)total->sz_applied / (double)total->sz_tried)
				 .s);
	put_amount(out, plan, "applied", total->sz_applied, total->nr_applied, more);
}

static void put_quota(FILE *out, const struct text_plan *plan, const struct scheme_course *course)
{
	char text[SUMMARY_TEXT], used[96];

	if (!course->max_esz && !course->total.qt_exceeds)
		return;
	snprintf(used, sizeof(used), "%s time%s", format_count(course->total.qt_exceeds).s,
		 course->total.qt_exceeds == 1 ? "" : "s");
	if (!course->max_esz)
		snprintf(text, sizeof(text), "used up %s", used);
	else if (course->min_esz == course->max_esz)
		snprintf(text, sizeof(text), "%s, used up %s",
			 format_size((double)course->max_esz).s, used);
	else
		snprintf(text, sizeof(text), "%s at the end, between %s and %s before; used up %s",
			 course->total.esz == UINT64_MAX ? "no limit"
							 : format_size((double)course->total.esz).s,
			 format_size((double)course->min_esz).s,
			 format_size((double)course->max_esz).s, used);
	put_fact(out, plan, "quota", text);
}

static void put_rest(FILE *out, const struct text_plan *plan, const struct scheme_course *course)
{
	const struct record_scheme_stat *total = &course->total;
	char text[SUMMARY_TEXT];

	if (total->sz_ops_filter_passed != total->sz_tried) {
		snprintf(text, sizeof(text), "let %s pass",
			 format_size((double)total->sz_ops_filter_passed).s);
		put_fact(out, plan, "filters", text);
	}
	put_fact(out, plan, "passes", format_count(total->nr_snapshots).s);
}

/* One line: how much was applied in each span of time. */
static void put_course(FILE *out, const struct text_plan *plan, const struct schemes *schemes,
		       const struct scheme_course *course)
{
	static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char ascii[] = " .:-=+*#@";
	double span_s = (schemes->t_end_ns - schemes->t_start_ns) / 1e9 / (double)schemes->columns;
	double most = 0;
	size_t i;

	for (i = 0; i < schemes->columns; i++)
		most = course->applied[i] > most ? course->applied[i] : most;
	if (!(most > 0))
		return;
	text_wrap(out, plan->width, 4, "  applied over time, at most %s/s",
		  format_size(most / span_s).s);
	text_border(out, plan);
	text_repeat(out, " ", plan->left);
	fputs(text_frame(plan), out);
	for (i = 0; i < schemes->columns; i++) {
		int level = (int)ceil(course->applied[i] / most * 8 - 1e-9);

		if (plan->style.unicode)
			fputs(eighths[level], out);
		else
			fputc(ascii[level], out);
	}
	fprintf(out, "%s\n", text_frame(plan));
	text_time_axis(out, plan, schemes->t_start_ns, schemes->t_end_ns);
}

void schemes_brief(FILE *out, const struct schemes *schemes, const struct text_plan *plan)
{
	size_t i;

	for (i = 0; i < schemes->nr; i++) {
		put_name(out, plan, &schemes->list[i]);
		put_totals(out, plan, &schemes->list[i]);
		put_quota(out, plan, &schemes->list[i]);
	}
}

int report_schemes(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error)
{
	struct schemes schemes;
	struct text_plan plan;
	size_t i;
	int err;

	text_plan(&plan, &options->style, 12);
	/* There are no addresses here: all the room is for time. */
	plan.columns += plan.left + plan.right;
	plan.left = plan.right = 0;
	err = schemes_gather(&schemes, record, options, plan.columns, error);
	if (!err && !schemes.nr) {
		err = schemes_any(record, error);
		if (err >= 0)
			text_wrap(out, plan.width, 2, "%s", err ? not_then : no_schemes);
		err = err < 0 ? err : 0;
	}
	for (i = 0; i < schemes.nr && !err; i++) {
		if (i)
			fputc('\n', out);
		put_name(out, &plan, &schemes.list[i]);
		put_totals(out, &plan, &schemes.list[i]);
		put_quota(out, &plan, &schemes.list[i]);
		put_rest(out, &plan, &schemes.list[i]);
		put_course(out, &plan, &schemes, &schemes.list[i]);
	}
	schemes_clear(&schemes);
	return err ? err : text_finish(out, error);
}

/* As JSON. */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *bytes_or_null(uint64_t bytes)
{
	return bytes && bytes != UINT64_MAX ? json_integer((json_int_t)bytes) : json_null();
}

static json_t *totals_json(const struct scheme_course *course)
{
	const struct record_scheme_stat *total = &course->total;
	json_t *object = json_pack(
		"{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "scheme",
		(json_int_t)total->scheme, "words", text_or_null(course->words), "nr_tried",
		(json_int_t)total->nr_tried, "sz_tried", (json_int_t)total->sz_tried, "nr_applied",
		(json_int_t)total->nr_applied, "sz_applied", (json_int_t)total->sz_applied,
		"sz_ops_filter_passed", (json_int_t)total->sz_ops_filter_passed, "qt_exceeds",
		(json_int_t)total->qt_exceeds, "nr_snapshots", (json_int_t)total->nr_snapshots);
	bool ok = object;

	json_set(&ok, object, "applied_pct",
		 total->sz_tried
			 ? json_real((double)total->sz_applied * 100 / (double)total->sz_tried)
			 : json_null());
	json_set(&ok, object, "esz_bytes", bytes_or_null(total->esz));
	json_set(&ok, object, "esz_bytes_min", bytes_or_null(course->min_esz));
	json_set(&ok, object, "esz_bytes_max", bytes_or_null(course->max_esz));
	return json_if(ok, object);
}

json_t *schemes_totals_json(const struct schemes *schemes)
{
	json_t *array = json_array();
	bool ok = array;
	size_t i;

	for (i = 0; i < schemes->nr; i++)
		json_append(&ok, array, totals_json(&schemes->list[i]));
	return json_if(ok, array);
}

static json_t *numbers_json(const double *numbers, size_t nr)
{
	json_t *array = json_array();
	bool ok = array;
	size_t i;

	for (i = 0; i < nr; i++)
		json_append(&ok, array, json_integer((json_int_t)(numbers[i] + 0.5)));
	return json_if(ok, array);
}

static json_t *scheme_json(const struct schemes *schemes, const struct scheme_course *course)
{
	json_t *object = totals_json(course);
	json_t *parameters = course->json ? json_loads(course->json, 0, NULL) : NULL;
	bool ok = object;

	json_set(&ok, object, "parameters", parameters ? parameters : json_null());
	json_set(&ok, object, "over_time",
		 json_pack("{s:f, s:f, s:o, s:o}", "start_s", schemes->t_start_ns / 1e9, "span_s",
			   (schemes->t_end_ns - schemes->t_start_ns) / 1e9 /
				   (double)schemes->columns,
			   "sz_tried", numbers_json(course->tried, schemes->columns), "sz_applied",
			   numbers_json(course->applied, schemes->columns)));
	return json_if(ok, object);
}

int report_schemes_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error)
{
	struct schemes schemes;
	json_t *array = json_array();
	bool ok = array;
	size_t i;
	int err = schemes_gather(&schemes, record, options, JSON_SPANS, error);

	for (i = 0; i < schemes.nr && !err; i++)
		json_append(&ok, array, scheme_json(&schemes, &schemes.list[i]));
	schemes_clear(&schemes);
	*json = json_if(ok && !err, array);
	if (err)
		return err;
	return *json ? 0 : report_no_memory(error);
}
