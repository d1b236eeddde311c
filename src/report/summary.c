/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The summary: everything in short.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/facts.h"
#include "report/format.h"
#include "report/schemes.h"
#include "report/text.h"

#define MAP_LINES    16
#define CHART_LINES  6
#define TABLE_LINES  8
#define LABEL_INDENT 13

/* Below so many columns there is no room for labels at the left. */
#define NARROW 44

/* Room for the table of percentiles. */
#define TABLE_WIDTH 76

static void print_fact(FILE *out, const struct text_plan *plan, const char *label, const char *text)
{
	if (plan->width < NARROW) {
		text_wrap(out, plan->width, 2, "%s: %s", label, text);
		return;
	}
	text_wrap(out, plan->width, LABEL_INDENT, "%-*s%s", LABEL_INDENT, label, text);
}

static void print_head(FILE *out, const struct text_plan *plan, const struct gather *gather)
{
	char name[96], clean[400];
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		const struct gather_target *target = &gather->targets[i];

		if (!target->wanted)
			continue;
		gather_target_name(target, name, sizeof(name));
		format_clean(clean, sizeof(clean), name, !plan->style.unicode);
		print_fact(out, plan, i ? "" : "target", clean);
		if (!target->cmdline[0] || !strcmp(target->cmdline, target->comm))
			continue;
		format_clean(clean, sizeof(clean), target->cmdline, !plan->style.unicode);
		if (gather->nr_targets == 1)
			print_fact(out, plan, "command", clean);
	}
}

static void print_watched(FILE *out, const struct text_plan *plan, const struct gather *gather,
			  const struct facts *facts, struct record_reader *record)
{
	const char *start = record_reader_meta(record, "start_time");
	char text[SUMMARY_TEXT], when[64];

	format_clean(when, sizeof(when), start, true);
	/* "2026-11-21T04:27:24.997Z" is for programs. */
	if (strlen(when) == 24 && when[10] == 'T' && when[19] == '.') {
		snprintf(when + 19, sizeof(when) - 19, " UTC");
		when[10] = ' ';
	}
	snprintf(text, sizeof(text), "%s in %s windows of %s, a look every %s, engine %s%s%s",
		 format_duration(facts->duration_s * 1e9).s, format_count(gather->nr_snapshots).s,
		 format_interval(gather->min_aggr_us, gather->max_aggr_us).s,
		 format_interval(gather->min_sample_us, gather->max_sample_us).s,
		 gather->engine[0] ? gather->engine : "not recorded", when[0] ? ", from " : "",
		 when);
	print_fact(out, plan, "watched", text);
}

static void print_cost(FILE *out, const struct text_plan *plan, const struct facts *facts)
{
	char text[SUMMARY_TEXT];
	int n = 0;

	if (facts->cpu_pct >= 0)
		n = snprintf(text, sizeof(text), "monitor %s of a CPU, ",
			     format_percent(facts->cpu_pct).s);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "%s bits cleared",
		      format_rate(facts->clears_per_s).s);
	if (facts->slowdown_pct >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n,
			 ", target slowed by about %s (estimate)",
			 format_percent(facts->slowdown_pct).s);
	print_fact(out, plan, "cost", text);
}

/* What was spent of what might be, and what came of that. */
static void print_budget(FILE *out, const struct text_plan *plan, const struct gather *gather,
			 const struct facts *facts)
{
	char text[SUMMARY_TEXT];
	int n = 0;

	if (facts->cpu_pct < 0 || facts->slowdown_pct < 0)
		return;
	n = snprintf(text, sizeof(text), "%s of a CPU in all, ",
		     format_percent(facts->cpu_pct + facts->slowdown_pct).s);
	if (facts->budget_pct < 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "without a budget");
	else
		n += snprintf(text + n, sizeof(text) - (size_t)n, "of a budget of %s",
			      format_percent(facts->budget_pct).s);
	if (gather->max_floor_us)
		snprintf(text + n, sizeof(text) - (size_t)n,
			 ", for which looks were up to %s apart in %s of the time",
			 format_duration((double)gather->max_floor_us * 1e3).s,
			 format_percent(facts->floored_pct).s);
	print_fact(out, plan, "overhead", text);
}

/* The sizes as parts of one line. */
static void print_bar(FILE *out, const struct text_plan *plan, const double parts[4])
{
	static const unsigned int cells[4] = {9, 5, 0, HEAT_UNKNOWN};
	size_t columns = plan->width - LABEL_INDENT, i, from = 0, to;
	struct heat_pen pen = HEAT_PEN_NEW;
	double total = 0, sum = 0;
	char buf[HEAT_DRAW_MAX];

	columns = columns > 64 ? 64 : columns;
	for (i = 0; i < 4; i++)
		total += parts[i];
	if (!(total > 0))
		return;
	text_repeat(out, " ", LABEL_INDENT);
	for (i = 0; i < 4; i++, from = to) {
		sum += parts[i];
		to = (size_t)(sum / total * (double)columns + 0.5);
		for (size_t c = from; c < to; c++) {
			heat_draw(buf, &plan->style, &pen, cells[i]);
			fputs(buf, out);
		}
	}
	heat_reset(buf, &pen);
	fprintf(out, "%s\n", buf);
}

static void print_memory(FILE *out, const struct text_plan *plan, const struct gather *gather,
			 const struct facts *facts)
{
	static const char *const names[4] = {"hot", "warm", "idle", "unknown"};
	static const char *const meanings[4] = {"accessed in at least half of the samples",
						"accessed less often", "not accessed in the window",
						"can't be watched"};
	const struct gather_sizes *last = &gather->last, *mean = &gather->mean;
	const double now[4] = {last->hot, last->watched - last->hot - last->idle - last->unknown,
			       last->idle, last->unknown};
	const double average[4] = {mean->hot,
				   mean->watched - mean->hot - mean->idle - mean->unknown,
				   mean->idle, mean->unknown};
	char text[SUMMARY_TEXT];
	size_t i;
	int n;

	n = snprintf(text, sizeof(text), "%s mapped", format_size(facts->mapped).s);
	if (facts->resident >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n, ", %s resident",
			 format_size(facts->resident).s);
	print_fact(out, plan, "memory", text);
	if (plan->width >= NARROW) {
		print_bar(out, plan, now);
		fprintf(out, "%*s%-8s %9s %9s\n", LABEL_INDENT, "", "", "at end", "average");
	}
	for (i = 0; i < 4; i++) {
		if (plan->width < NARROW)
			text_wrap(out, plan->width, 4, "  %s: %s", names[i], format_size(now[i]).s);
		else
			fprintf(out, "%*s%-8s %9s %9s%s%s\n", LABEL_INDENT, "", names[i],
				format_size(now[i]).s, format_size(average[i]).s,
				plan->width >= 86 ? "   " : "",
				plan->width >= 86 ? meanings[i] : "");
	}
}

/* One row of the table of percentiles, or, where that is too wide, a list. */
static void print_percentiles(FILE *out, const struct text_plan *plan, const char *label,
			      const double values[WSS_PERCENTILES],
			      struct format_text (*format)(double), const char *meaning)
{
	char text[SUMMARY_TEXT];
	size_t i;
	int n = 0;

	for (i = 0; i < WSS_PERCENTILES; i++) {
		if (plan->width >= TABLE_WIDTH)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%9s", i ? " " : "",
				      format(values[i]).s);
		else
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%u%%: %s",
				      i ? ", " : "", wss_percents[i], format(values[i]).s);
	}
	if (plan->width >= TABLE_WIDTH)
		fprintf(out, "%-*s%s%s\n", LABEL_INDENT, label, text,
			plan->width >= TABLE_WIDTH + 28 ? meaning : "");
	else
		print_fact(out, plan, label, text);
}

static void print_both_percentiles(FILE *out, const struct text_plan *plan,
				   const struct facts *facts)
{
	size_t i;

	if (plan->width >= TABLE_WIDTH) {
		fprintf(out, "%*s", LABEL_INDENT, "");
		for (i = 0; i < WSS_PERCENTILES; i++)
			fprintf(out, "%s%8u%%", i ? " " : "", wss_percents[i]);
		fputc('\n', out);
	}
	print_percentiles(out, plan, "working set", facts->wss, format_size,
			  "   of the time at most");
	print_percentiles(out, plan, "idle for", facts->idle_ns, format_duration,
			  "   of the memory at most");
}

static int print_notes(FILE *out, const struct text_plan *plan, const struct gather *gather)
{
	json_t *notes = summary_notes(gather), *note;
	char clean[SUMMARY_TEXT];
	size_t i;

	if (!notes)
		return -ENOMEM;
	json_array_foreach(notes, i, note)
	{
		if (!i)
			fprintf(out, "\nNotes\n");
		format_clean(clean, sizeof(clean), json_string_value(note), !plan->style.unicode);
		text_wrap(out, plan->width, 4, "  - %s", clean);
	}
	json_decref(notes);
	return 0;
}

static int print_schemes(FILE *out, const struct text_plan *plan,
			 const struct report_options *options, struct record_reader *record)
{
	struct schemes schemes;
	int err = schemes_any(record, NULL);

	if (err != 1)
		return err;
	err = schemes_gather(&schemes, record, options, 1, NULL);
	if (!err) {
		fprintf(out, "\nSchemes\n");
		schemes_brief(out, &schemes, plan);
	}
	schemes_clear(&schemes);
	return err;
}

static int print_summary(FILE *out, const struct text_plan *plan, struct gather *gather,
			 const struct report_options *options, struct record_reader *record)
{
	struct facts facts;
	int err;

	err = facts_collect(&facts, gather, record);
	if (err)
		return err;
	print_head(out, plan, gather);
	print_watched(out, plan, gather, &facts, record);
	print_cost(out, plan, &facts);
	print_budget(out, plan, gather, &facts);
	print_memory(out, plan, gather, &facts);
	print_both_percentiles(out, plan, &facts);
	fprintf(out, "\nHeat\n");
	heatmap_draw(out, gather, options, plan);
	fprintf(out, "\nWorking set\n");
	err = wss_chart(out, gather, plan, CHART_LINES);
	if (err)
		return err;
	fputc('\n', out);
	text_wrap(out, plan->width, 2, "Hottest regions of the last window");
	regions_sort(gather, options);
	regions_table(out, gather, plan, options->limit ? options->limit : TABLE_LINES);
	err = print_schemes(out, plan, options, record);
	return err ? err : print_notes(out, plan, gather);
}

int report_summary(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_MAP | GATHER_LAST};
	struct report_options hottest = *options;
	struct gather gathered;
	struct text_plan plan;
	size_t digits;
	int err;

	hottest.sort = REPORT_SORT_ACCESS;
	hottest.reverse = false;
	err = text_address_digits(record, &digits, error);
	if (err)
		return err;
	text_plan(&plan, &options->style, digits);
	request.columns = plan.columns;
	request.lines = plan.style.height ? plan.style.height : MAP_LINES;
	request.per_line = heat_pairs(&plan.style) ? 2 : 1;
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	if (gathered.nr_snapshots)
		err = print_summary(out, &plan, &gathered, &hottest, record);
	else
		text_no_windows(out, &gathered, plan.width);
	gather_clear(&gathered);
	if (err)
		return err == -ENOMEM ? report_no_memory(error)
				      : damon_error_set(error, err, "the record can't be read");
	return text_finish(out, error);
}

static json_t *number_or_null(double value, double scale)
{
	return value < 0 ? json_null() : json_real(round(value * scale) / scale);
}

static json_t *bytes_or_null(double value)
{
	return value < 0 ? json_null() : json_integer((json_int_t)value);
}

static json_t *percentiles_json(const double values[WSS_PERCENTILES], double divisor, bool whole)
{
	json_t *object = json_object();
	bool ok = object;
	char key[8];
	size_t i;

	for (i = 0; i < WSS_PERCENTILES; i++) {
		snprintf(key, sizeof(key), "%u", wss_percents[i]);
		json_set(&ok, object, key,
			 whole ? json_integer((json_int_t)values[i])
			       : json_real(values[i] / divisor));
	}
	return json_if(ok, object);
}

static json_t *targets_json(const struct gather *gather)
{
	json_t *targets = json_array();
	bool ok = targets;
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		const struct gather_target *target = &gather->targets[i];

		if (target->wanted)
			json_append(&ok, targets,
				    json_pack("{s:o, s:s, s:i, s:s}", "pid",
					      target->pid < 0 ? json_null()
							      : json_integer(target->pid),
					      "comm", target->comm, "target", (int)target->id,
					      "kind", target->kind));
	}
	return json_if(ok, targets);
}

static json_t *summary_json(const struct gather *gather, const struct facts *facts)
{
	const bool any = gather->nr_snapshots;
	json_t *object = json_object();
	bool ok = object;

	json_set(&ok, object, "duration_s", json_real(any ? facts->duration_s : 0));
	json_set(&ok, object, "engine",
		 gather->engine[0] ? json_string(gather->engine) : json_null());
	json_set(&ok, object, "targets", targets_json(gather));
	json_set(&ok, object, "snapshots", json_integer((json_int_t)gather->nr_snapshots));
	json_set(&ok, object, "monitor_cpu_pct", number_or_null(facts->cpu_pct, 1e4));
	json_set(&ok, object, "clears_per_s", number_or_null(facts->clears_per_s, 1e3));
	json_set(&ok, object, "target_slowdown_pct_est", number_or_null(facts->slowdown_pct, 1e4));
	json_set(&ok, object, "budget_pct", number_or_null(facts->budget_pct, 1e4));
	json_set(&ok, object, "overhead_pct",
		 number_or_null(facts->cpu_pct < 0 || facts->slowdown_pct < 0
					? -1
					: facts->cpu_pct + facts->slowdown_pct,
				1e4));
	json_set(&ok, object, "floored_pct", json_real(any ? facts->floored_pct : 0));
	json_set(&ok, object, "floor_us_max", json_integer((json_int_t)gather->max_floor_us));
	json_set(&ok, object, "mapped_bytes", bytes_or_null(any ? facts->mapped : -1));
	json_set(&ok, object, "resident_bytes", bytes_or_null(facts->resident));
	json_set(&ok, object, "hot_bytes", bytes_or_null(any ? gather->last.hot : -1));
	json_set(&ok, object, "idle_bytes", bytes_or_null(any ? gather->last.idle : -1));
	json_set(&ok, object, "unknown_bytes", bytes_or_null(any ? gather->last.unknown : -1));
	json_set(&ok, object, "unwatchable_bytes",
		 any ? json_integer((json_int_t)gather->unwatchable_bytes) : json_null());
	json_set(&ok, object, "hot_bytes_mean", bytes_or_null(any ? gather->mean.hot : -1));
	json_set(&ok, object, "idle_bytes_mean", bytes_or_null(any ? gather->mean.idle : -1));
	json_set(&ok, object, "unknown_bytes_mean", bytes_or_null(any ? gather->mean.unknown : -1));
	json_set(&ok, object, "lost_snapshots", json_integer((json_int_t)gather->lost));
	if (any) {
		json_set(&ok, object, "idle_s_percentiles",
			 percentiles_json(facts->idle_ns, 1e9, false));
		json_set(&ok, object, "wss_percentiles", percentiles_json(facts->wss, 1, true));
	}
	return json_if(ok, object);
}

int report_summary_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_LAST};
	struct gather gathered;
	struct facts facts;
	struct schemes schemes = {0};
	json_t *notes;
	int err;

	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	err = facts_collect(&facts, &gathered, record);
	*json = err ? NULL : summary_json(&gathered, &facts);
	notes = *json ? summary_notes(&gathered) : NULL;
	gather_clear(&gathered);
	if (!err)
		err = schemes_gather(&schemes, record, options, 1, error);
	if (!err && notes && !json_object_set_new(*json, "notes", notes) &&
	    !json_object_set_new(*json, "schemes", schemes_totals_json(&schemes))) {
		schemes_clear(&schemes);
		return 0;
	}
	if (err)
		json_decref(notes);
	schemes_clear(&schemes);
	json_decref(*json);
	*json = NULL;
	if (err && err != -ENOMEM)
		return err;
	return report_no_memory(error);
}
