/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The summary: everything in short.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/text.h"

#define MAP_LINES    12
#define CHART_LINES  5
#define TABLE_LINES  8
#define LABEL_INDENT 13

/*
 * What a clear and a flush cost a target that is running, as measured on a 2-core virtual
 * machine with 4 KiB pages: 100 clears every 5 ms slowed a busy thread by about 5 %,
 * and a flush of the whole TLB took about 50 us. A record may say it better in its properties.
 */
#define CLEAR_COST_NS 2500.0
#define FLUSH_COST_NS 50000.0

/* Costs and what else the summary knows beyond &struct gather. */
struct facts {
	double duration_s;
	double watched_s;
	double cpu_pct;	     /* -1: not recorded */
	double clears_per_s; /* -1: nothing was watched */
	double slowdown_pct; /* -1: no real target */
	double mapped;
	double resident; /* -1: not recorded */
	double idle_ns[WSS_PERCENTILES];
	double wss[WSS_PERCENTILES];
};

static double meta_number(struct record_reader *record, const char *key, double otherwise)
{
	const char *text = record_reader_meta(record, key);
	char *end;
	double value;

	if (!text || !*text)
		return otherwise;
	value = strtod(text, &end);
	return *end || !(value >= 0) || !isfinite(value) ? otherwise : value;
}

/* How long memory has not been accessed, over the bytes of which that is known. */
static int idle_percentiles(const struct gather *gather, double result[WSS_PERCENTILES])
{
	struct wss_value *values;
	size_t i, n = 0;

	values = calloc(gather->last_pieces.nr + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; i < gather->last_pieces.nr; i++) {
		const struct grid_piece *piece = &gather->last_pieces.array[i].piece;

		if (!piece->samples)
			continue;
		values[n].value = piece->nr_accesses ? 0 : (double)piece->age * gather->last_ns;
		values[n++].weight = (double)(piece->end - piece->start);
	}
	wss_percentiles(values, n, result);
	free(values);
	return 0;
}

static int collect_facts(struct facts *facts, const struct gather *gather,
			 struct record_reader *record)
{
	double costs;
	size_t i;
	int err;

	*facts = (struct facts){.cpu_pct = -1, .clears_per_s = -1, .slowdown_pct = -1};
	facts->duration_s = (double)(gather->t_end_ns - gather->t_start_ns) / 1e9;
	facts->watched_s = (double)gather->watched_ns / 1e9;
	facts->resident = meta_number(record, "resident_bytes", -1);
	if (facts->watched_s > 0) {
		facts->clears_per_s = gather->clears / facts->watched_s;
		if (gather->cpu_known)
			facts->cpu_pct = gather->cpu_ns / 1e7 / facts->watched_s;
		costs = gather->clears * meta_number(record, "clear_cost_ns", CLEAR_COST_NS) +
			gather->flushes * meta_number(record, "flush_cost_ns", FLUSH_COST_NS);
		if (!gather->virtual_time)
			facts->slowdown_pct = costs / 1e7 / facts->watched_s;
	}
	for (i = 0; i < gather->nr_targets; i++)
		facts->mapped += (double)gather->targets[i].mapped_bytes;
	err = idle_percentiles(gather, facts->idle_ns);
	return err ? err : wss_gathered(gather, facts->wss);
}

static void print_fact(FILE *out, const struct text_plan *plan, const char *label, const char *text)
{
	if (plan->width < 40) {
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
	snprintf(text, sizeof(text), "%s in %s windows of %s, a look every %s, engine %s%s%s",
		 format_duration(facts->duration_s * 1e9).s, format_count(gather->nr_snapshots).s,
		 format_duration((double)gather->aggr_us * 1e3).s,
		 format_duration((double)gather->sample_us * 1e3).s,
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

static void print_memory(FILE *out, const struct text_plan *plan, const struct gather *gather,
			 const struct facts *facts)
{
	const struct gather_sizes *last = &gather->last, *mean = &gather->mean;
	double warm = last->watched - last->hot - last->idle - last->unknown;
	double mean_warm = mean->watched - mean->hot - mean->idle - mean->unknown;
	struct {
		const char *name;
		double last, mean;
		const char *meaning;
	} rows[] = {
		{"hot", last->hot, mean->hot, "accessed in at least half of the samples"},
		{"warm", warm, mean_warm, "accessed less often"},
		{"idle", last->idle, mean->idle, "not accessed in the window"},
		{"unknown", last->unknown, mean->unknown, "can't be watched"},
	};
	char text[SUMMARY_TEXT];
	size_t i;
	int n;

	n = snprintf(text, sizeof(text), "%s mapped", format_size(facts->mapped).s);
	if (facts->resident >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %s resident",
			      format_size(facts->resident).s);
	snprintf(text + n, sizeof(text) - (size_t)n, "; in the last window, and on average:");
	print_fact(out, plan, "memory", text);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (plan->width < 40)
			text_wrap(out, plan->width, 4, "  %s %s (%s)", rows[i].name,
				  format_size(rows[i].last).s, format_size(rows[i].mean).s);
		else
			text_wrap(out, plan->width, LABEL_INDENT + 2, "%*s%-8s %9s %9s%s%s",
				  LABEL_INDENT, "", rows[i].name, format_size(rows[i].last).s,
				  format_size(rows[i].mean).s, plan->width >= 76 ? "   " : "",
				  plan->width >= 76 ? rows[i].meaning : "");
	}
}

static void print_percentiles(FILE *out, const struct text_plan *plan, const char *label,
			      const double values[WSS_PERCENTILES],
			      struct format_text (*format)(double), const char *what)
{
	char text[SUMMARY_TEXT];
	size_t i;
	int n = 0;

	for (i = 0; i < WSS_PERCENTILES; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%u%% %s", i ? ", " : "",
			      wss_percents[i], format(values[i]).s);
	snprintf(text + n, sizeof(text) - (size_t)n, " %s", what);
	print_fact(out, plan, label, text);
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

static int print_summary(FILE *out, const struct text_plan *plan, struct gather *gather,
			 const struct report_options *options, struct record_reader *record)
{
	struct facts facts;
	int err;

	err = collect_facts(&facts, gather, record);
	if (err)
		return err;
	print_head(out, plan, gather);
	print_watched(out, plan, gather, &facts, record);
	print_cost(out, plan, &facts);
	print_memory(out, plan, gather, &facts);
	print_percentiles(out, plan, "idle since", facts.idle_ns, format_duration,
			  "(so much of the memory for at most so long)");
	print_percentiles(out, plan, "working set", facts.wss, format_size,
			  "(so much of the time at most so large)");
	fprintf(out, "\nHeat\n");
	heatmap_draw(out, gather, options, plan);
	fprintf(out, "\nWorking set\n");
	err = wss_chart(out, gather, plan, CHART_LINES);
	if (err)
		return err;
	fprintf(out, "\nHottest regions of the last window\n");
	regions_sort(gather, options);
	regions_table(out, gather, plan, options->limit ? options->limit : TABLE_LINES);
	return print_notes(out, plan, gather);
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
		return damon_error_set(error, err, "not enough memory for the report");
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
	char key[8];
	size_t i;

	for (i = 0; i < WSS_PERCENTILES; i++) {
		snprintf(key, sizeof(key), "%u", wss_percents[i]);
		json_object_set_new(object, key,
				    whole ? json_integer((json_int_t)values[i])
					  : json_real(values[i] / divisor));
	}
	return object;
}

static json_t *targets_json(const struct gather *gather)
{
	json_t *targets = json_array();
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		const struct gather_target *target = &gather->targets[i];

		if (target->wanted)
			json_array_append_new(targets,
					      json_pack("{s:o, s:s, s:i, s:s}", "pid",
							target->pid < 0 ? json_null()
									: json_integer(target->pid),
							"comm", target->comm, "target",
							(int)target->id, "kind", target->kind));
	}
	return targets;
}

static json_t *summary_json(const struct gather *gather, const struct facts *facts)
{
	const bool any = gather->nr_snapshots;
	json_t *object = json_object();

	json_object_set_new(object, "duration_s", json_real(any ? facts->duration_s : 0));
	json_object_set_new(object, "engine",
			    gather->engine[0] ? json_string(gather->engine) : json_null());
	json_object_set_new(object, "targets", targets_json(gather));
	json_object_set_new(object, "snapshots", json_integer((json_int_t)gather->nr_snapshots));
	json_object_set_new(object, "monitor_cpu_pct", number_or_null(facts->cpu_pct, 1e4));
	json_object_set_new(object, "clears_per_s", number_or_null(facts->clears_per_s, 1e3));
	json_object_set_new(object, "target_slowdown_pct_est",
			    number_or_null(facts->slowdown_pct, 1e4));
	json_object_set_new(object, "mapped_bytes", bytes_or_null(any ? facts->mapped : -1));
	json_object_set_new(object, "resident_bytes", bytes_or_null(facts->resident));
	json_object_set_new(object, "hot_bytes", bytes_or_null(any ? gather->last.hot : -1));
	json_object_set_new(object, "idle_bytes", bytes_or_null(any ? gather->last.idle : -1));
	json_object_set_new(object, "unknown_bytes",
			    bytes_or_null(any ? gather->last.unknown : -1));
	json_object_set_new(object, "unwatchable_bytes",
			    any ? json_integer((json_int_t)gather->unwatchable_bytes)
				: json_null());
	json_object_set_new(object, "hot_bytes_mean", bytes_or_null(any ? gather->mean.hot : -1));
	json_object_set_new(object, "idle_bytes_mean", bytes_or_null(any ? gather->mean.idle : -1));
	json_object_set_new(object, "unknown_bytes_mean",
			    bytes_or_null(any ? gather->mean.unknown : -1));
	json_object_set_new(object, "lost_snapshots", json_integer((json_int_t)gather->lost));
	if (any) {
		json_object_set_new(object, "idle_s_percentiles",
				    percentiles_json(facts->idle_ns, 1e9, false));
		json_object_set_new(object, "wss_percentiles",
				    percentiles_json(facts->wss, 1, true));
	}
	return object;
}

int report_summary_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_LAST};
	struct gather gathered;
	struct facts facts;
	json_t *notes;
	int err;

	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	err = collect_facts(&facts, &gathered, record);
	*json = err ? NULL : summary_json(&gathered, &facts);
	notes = *json ? summary_notes(&gathered) : NULL;
	gather_clear(&gathered);
	if (notes && !json_object_set_new(*json, "notes", notes))
		return 0;
	json_decref(*json);
	*json = NULL;
	return damon_error_set(error, -ENOMEM, "not enough memory for the report");
}
