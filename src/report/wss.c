/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The working set: memory accessed at least at some rate, window by window.
 *
 * Percentiles are over time, not over windows: with intervals that are tuned, a
 * window may be a hundred times as long as another one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/text.h"

/* Height of the chart. */
#define CHART_LINES 8

const unsigned int wss_percents[WSS_PERCENTILES] = {0, 25, 50, 75, 95, 100};

static int compare_values(const void *a, const void *b)
{
	double x = ((const struct wss_value *)a)->value, y = ((const struct wss_value *)b)->value;

	return x < y ? -1 : x > y;
}

void wss_percentiles(struct wss_value *values, size_t nr, double result[WSS_PERCENTILES])
{
	double total = 0, sum = 0;
	size_t i, p = 0;

	qsort(values, nr, sizeof(*values), compare_values);
	for (i = 0; i < nr; i++)
		total += values[i].weight;
	for (i = 0; i < nr && p < WSS_PERCENTILES; i++) {
		sum += values[i].weight;
		/* Sums of many windows are exact to about 1 in 10^12 only. */
		while (p < WSS_PERCENTILES &&
		       (sum >= total * wss_percents[p] / 100 * (1 - 1e-9) || i + 1 == nr))
			result[p++] = values[i].value;
	}
	while (p < WSS_PERCENTILES)
		result[p++] = 0;
}

int wss_gathered(const struct gather *gather, double result[WSS_PERCENTILES])
{
	struct wss_value *values;
	size_t i;

	values = calloc(gather->nr_points + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; i < gather->nr_points; i++) {
		const struct gather_point *point = &gather->points[i];

		values[i].value = point->bytes;
		values[i].weight = point->t_end_ns > point->t_start_ns
					   ? (double)(point->t_end_ns - point->t_start_ns)
					   : 1;
	}
	wss_percentiles(values, gather->nr_points, result);
	free(values);
	return 0;
}

void wss_columns(const struct gather *gather, double *means, size_t nr)
{
	double length = (double)(gather->t_end_ns - gather->t_start_ns);
	double from, to, left, right, *covered = means + nr;
	size_t i, column;

	for (i = 0; i < 2 * nr; i++)
		means[i] = 0;
	for (i = 0; i < gather->nr_points; i++) {
		const struct gather_point *point = &gather->points[i];

		from = ((double)point->t_start_ns - (double)gather->t_start_ns) / length *
		       (double)nr;
		to = ((double)point->t_end_ns - (double)gather->t_start_ns) / length * (double)nr;
		from = from < 0 ? 0 : from;
		for (column = (size_t)from; column < nr && (double)column < to; column++) {
			left = from > (double)column ? from : (double)column;
			right = to < (double)column + 1 ? to : (double)column + 1;
			if (right <= left)
				continue;
			means[column] += point->bytes * (right - left);
			covered[column] += right - left;
		}
	}
	for (i = 0; i < nr; i++)
		means[i] = covered[i] >= (nr > 1 ? 0.5 : 1e-9) ? means[i] / covered[i] : -1;
}

/* One line of the chart: the part of each column that reaches into [floor, floor + step). */
static void chart_line(FILE *out, const struct text_plan *plan, const double *means, double floor,
		       double step)
{
	static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double part;
	size_t i;
	int n;

	fputs(text_frame(plan), out);
	for (i = 0; i < plan->columns; i++) {
		part = (means[i] - floor) / step;
		part = part < 0 ? 0 : part > 1 ? 1 : part;
		n = (int)(part * 8 + 0.5);
		/* The smallest working set is still something. */
		if (!n && means[i] > 0 && floor <= 0)
			n = 1;
		if (means[i] < 0)
			fputc('/', out);
		else if (plan->style.unicode)
			fputs(eighths[n], out);
		else
			fputc(n >= 6 ? '#' : n >= 3 ? ':' : n ? '.' : ' ', out);
	}
	fprintf(out, "%s", text_frame(plan));
}

int wss_chart(FILE *out, const struct gather *gather, const struct text_plan *plan, size_t lines)
{
	double *means, most = 1, top, step;
	char label[80];
	size_t i;

	means = calloc(plan->columns * 2, sizeof(*means));
	if (!means)
		return -ENOMEM;
	wss_columns(gather, means, plan->columns);
	for (i = 0; i < plan->columns; i++)
		most = means[i] > most ? means[i] : most;
	top = format_nice_size(most);
	step = top / (double)lines;
	if (!plan->left)
		text_wrap(out, plan->width, 2, "top: %s", format_size(top).s);
	text_border(out, plan);
	for (i = 0; i < lines; i++) {
		label[0] = 0;
		if (!i)
			snprintf(label, sizeof(label), "%s", format_size(top).s);
		else if (i == lines / 2)
			snprintf(label, sizeof(label), "%s", format_size(top - step * (double)i).s);
		if (plan->left)
			fprintf(out, "%*s ", (int)plan->left - 1, label);
		chart_line(out, plan, means, top - step * (double)(i + 1), step);
		fputc('\n', out);
	}
	free(means);
	text_time_axis(out, plan, (double)(gather->t_start_ns - gather->t_first_ns),
		       (double)(gather->t_end_ns - gather->t_first_ns));
	return 0;
}

static void print_percentiles(FILE *out, const struct text_plan *plan,
			      const double result[WSS_PERCENTILES])
{
	static const char *const names[WSS_PERCENTILES] = {"  least", "", "  half of the time",
							   "",	      "", "  most"};
	size_t i;

	for (i = 0; i < WSS_PERCENTILES; i++) {
		if (plan->width < 32)
			fprintf(out, "%4u%% %s\n", wss_percents[i], format_size(result[i]).s);
		else
			fprintf(out, "  %4u%%  %10s%s\n", wss_percents[i], format_size(result[i]).s,
				names[i]);
	}
}

int report_wss(struct record_reader *record, const struct report_options *options, FILE *out,
	       struct damon_error *error)
{
	struct gather_request request = {0};
	double result[WSS_PERCENTILES];
	struct gather gathered;
	struct text_plan plan;
	size_t lines;
	int err;

	text_plan(&plan, &options->style, 12);
	lines = options->style.height ? options->style.height : CHART_LINES;
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	if (!gathered.nr_snapshots) {
		text_no_windows(out, &gathered, plan.width);
	} else {
		if (options->min_access_pct > 0)
			text_wrap(
				out, plan.width, 2,
				"working set: memory accessed in at least %s of a window's samples",
				format_percent(options->min_access_pct).s);
		else
			text_wrap(out, plan.width, 2,
				  "working set: memory accessed at least once in a window (%s)",
				  format_interval(gathered.min_aggr_us, gathered.max_aggr_us).s);
		err = wss_gathered(&gathered, result);
		if (!err)
			text_wrap(out, plan.width, 2, "for so much of the time it was at most:");
		if (!err)
			print_percentiles(out, &plan, result);
		err = err ? err : wss_chart(out, &gathered, &plan, lines);
	}
	gather_clear(&gathered);
	if (err)
		return report_no_memory(error);
	return text_finish(out, error);
}

int report_wss_json(struct record_reader *record, const struct report_options *options,
		    json_t **json, struct damon_error *error)
{
	struct gather_request request = {0};
	double result[WSS_PERCENTILES];
	struct gather gathered;
	json_t *percentiles;
	bool ok = true;
	char key[8];
	size_t i;
	int err;

	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	err = wss_gathered(&gathered, result);
	percentiles = json_object();
	for (i = 0; !err && i < WSS_PERCENTILES; i++) {
		snprintf(key, sizeof(key), "%u", wss_percents[i]);
		json_set(&ok, percentiles, key,
			 gathered.nr_snapshots ? json_integer((json_int_t)result[i]) : json_null());
	}
	*json = json_pack("{s:o, s:f, s:I}", "percentiles", percentiles, "min_access_pct",
			  options->min_access_pct, "snapshots", (json_int_t)gathered.nr_snapshots);
	*json = json_if(ok && !err, *json);
	gather_clear(&gathered);
	return *json ? 0 : report_no_memory(error);
}
