/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The report as one HTML page that needs nothing else.
 *
 * What comes from the record goes through format_html(), or, for the script, through
 * put_json(), which leaves no character that could end the element it stands in.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/facts.h"
#include "report/format.h"
#include "report/schemes.h"
#include "report/text.h"

/* Fine enough to zoom into; the cells of all maps together stay near a megabyte of page. */
#define MAX_COLUMNS	   1000
#define COLUMNS_PER_WINDOW 4
#define MAX_ROWS	   360
#define LEAST_ROWS	   48

/* More regions than this make a table nobody reads and a page nobody can open. */
#define MAX_REGIONS 2000

/* page.css and page.js, made into strings when udamon is built. */
enum page_part { PAGE_STYLE, PAGE_SCRIPT, PAGE_PARTS };

static const char *const page[PAGE_PARTS] = {
#include "report/page.h"
};

/* JSON inside a script element: no '<', so no "</script>" and no "<!--". */
static int put_json(FILE *out, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	const char *c;

	if (!text)
		return -ENOMEM;
	for (c = text; *c; c++) {
		if (*c == '<' || *c == '>' || *c == '&')
			fprintf(out, "\\u%04x", (unsigned int)*c);
		else
			fputc(*c, out);
	}
	free(text);
	return 0;
}

static json_t *levels_json(void)
{
	json_t *levels = json_array();
	bool ok = levels;
	unsigned int i;
	char color[16];

	for (i = 0; i < HEAT_LEVELS; i++) {
		snprintf(color, sizeof(color), "#%06x", heat_rgb(i));
		json_append(&ok, levels,
			    json_pack("{s:s, s:f}", "color", color, "min", heat_threshold(i)));
	}
	return json_if(ok, levels);
}

/* Two hexadecimal digits a cell, row after row: half percents, or one of three marks. */
static json_t *cells_json(const struct grid *grid, enum report_heat heat)
{
	size_t row, column, n = 0;
	unsigned int cell, value;
	json_t *json;
	char *text;

	text = malloc(grid->nr_rows * grid->nr_columns * 2 + 1);
	if (!text)
		return NULL;
	for (row = 0; row < grid->nr_rows; row++) {
		for (column = 0; column < grid->nr_columns; column++) {
			cell = grid_cell(grid, row, column, heat);
			if (cell == HEAT_UNKNOWN) {
				value = 0xfe;
			} else if (cell == HEAT_PAUSED) {
				value = 0xfd;
			} else if (cell == HEAT_UNMAPPED) {
				value = 0xff;
			} else {
				value = (unsigned int)lround(grid_rate(grid, row, column, heat) *
							     200);
				value = cell && !value ? 1 : value > 200 ? 200 : value;
			}
			n += (size_t)sprintf(text + n, "%02x", value);
		}
	}
	text[n] = 0;
	json = json_string(text);
	free(text);
	return json;
}

static json_t *map_json(const struct gather_target *target, enum report_heat heat)
{
	const struct layout *layout = &target->layout;
	json_t *rows = json_array(), *groups = json_array();
	bool ok = true;
	size_t i, others;
	const char *name;
	char text[80];

	for (i = 0; i < layout->nr_groups; i++) {
		const struct layout_group *group = &layout->groups[i];

		json_append(&ok, groups,
			    json_pack("{s:I, s:I, s:f}", "first", (json_int_t)group->first_row,
				      "nr", (json_int_t)group->nr_rows, "gap",
				      i ? (double)(group->start - group[-1].end) : 0.0));
	}
	for (i = 0; i < layout->nr_rows; i++) {
		const struct layout_row *row = &layout->rows[i];

		name = layout_row_name(layout, i, &others);
		snprintf(text, sizeof(text), others ? "%s +%zu" : "%s", name, others);
		json_append(&ok, rows,
			    json_pack("{s:s, s:f, s:f, s:s}", "address",
				      format_address(row->address).s, "bytes",
				      (double)(row->to - row->from), "offset",
				      (double)(row->address - layout->groups[row->group].start),
				      "name", text));
	}
	return json_if(ok, json_pack("{s:o, s:o, s:o}", "groups", groups, "rows", rows, "cells",
				     cells_json(&target->grid, heat)));
}

static json_t *page_data(const struct gather *gather, const struct report_options *options,
			 size_t columns)
{
	json_t *targets = json_array(), *wss = json_array();
	double *means, most = 1;
	char color[16];
	bool ok;
	size_t i;

	means = calloc(columns * 2, sizeof(*means));
	ok = means;
	if (means)
		wss_columns(gather, means, columns);
	for (i = 0; means && i < columns; i++) {
		most = means[i] > most ? means[i] : most;
		json_append(&ok, wss, json_integer((json_int_t)means[i]));
	}
	free(means);
	for (i = 0; i < gather->nr_targets; i++) {
		if (gather->targets[i].wanted)
			json_append(&ok, targets, map_json(&gather->targets[i], options->heat));
	}
	snprintf(color, sizeof(color), "#%06x", heat_rgb(HEAT_UNKNOWN));
	return json_if(
		ok, json_pack("{s:f, s:f, s:I, s:o, s:s, s:o, s:f, s:o}", "start_s",
			      (double)(gather->t_start_ns - gather->t_first_ns) / 1e9, "length_s",
			      (double)(gather->t_end_ns - gather->t_start_ns) / 1e9, "columns",
			      (json_int_t)columns, "levels", levels_json(), "unknown_color", color,
			      "wss", wss, "wss_top", format_nice_size(most), "targets", targets));
}

static void put_fact(FILE *out, const char *value, const char *label)
{
	fputs("<div><b>", out);
	format_html(out, value);
	fputs("</b><span>", out);
	format_html(out, label);
	fputs("</span></div>\n", out);
}

static void put_facts(FILE *out, const struct gather *gather, const struct facts *facts)
{
	char text[160];

	fputs("<div class=\"facts\">\n", out);
	put_fact(out, format_duration(facts->duration_s * 1e9).s, "watched");
	snprintf(text, sizeof(text), "%s of %s", format_count(gather->nr_snapshots).s,
		 format_interval(gather->min_aggr_us, gather->max_aggr_us).s);
	put_fact(out, text, "windows");
	put_fact(out, gather->engine, "access engine");
	if (facts->cpu_pct >= 0)
		put_fact(out, format_percent(facts->cpu_pct).s, "of a CPU for the monitor");
	put_fact(out, format_rate(facts->clears_per_s).s, "Accessed bits cleared");
	if (facts->slowdown_pct >= 0)
		put_fact(out, format_percent(facts->slowdown_pct).s,
			 "slowdown of the target (estimate)");
	put_fact(out, format_size(facts->mapped).s, "mapped");
	if (facts->resident >= 0)
		put_fact(out, format_size(facts->resident).s, "resident");
	put_fact(out, format_size(gather->last.hot).s, "hot at the end");
	put_fact(out, format_size(gather->last.idle).s, "idle at the end");
	put_fact(out, format_size(gather->last.unknown).s, "unknown at the end");
	put_fact(out, format_size(facts->wss[2]).s, "working set, half of the time at most");
	fputs("</div>\n", out);
}

static void put_legend(FILE *out, const struct gather *gather)
{
	unsigned int i;

	(void)gather;
	fputs("<div class=\"legend\">\n", out);
	for (i = 0; i < HEAT_LEVELS; i++) {
		fprintf(out, "<span><i style=\"background:#%06x\"></i>", heat_rgb(i));
		if (i > 1)
			fprintf(out, "%.0f%%</span>\n", heat_threshold(i));
		else
			fprintf(out, "%s</span>\n", i ? "&gt;0" : "idle");
	}
	fprintf(out,
		"<span><i style=\"background:#%06x\"></i>unknown: can't be watched</span>\n"
		"<span><i style=\"background:#8884\"></i>not watched then</span>\n"
		"<span><i></i>not mapped then</span></div>\n",
		heat_rgb(HEAT_UNKNOWN));
}

static void put_maps(FILE *out, const struct gather *gather, const struct report_options *options)
{
	char name[96];
	size_t i, n = 0;

	fputs("<h2>Heat</h2>\n", out);
	fprintf(out,
		"<div class=\"faint\">Time across, addresses down. The colour is the share of the "
		"samples that found the memory accessed (%s of the cell). The wheel zooms, with Shift "
		"only time, with Alt only addresses; drag to move, double-click to see all.</div>\n",
		options->heat == REPORT_HEAT_MAX ? "hottest region" : "mean");
	put_legend(out, gather);
	for (i = 0; i < gather->nr_targets; i++) {
		const struct gather_target *target = &gather->targets[i];

		if (!target->wanted)
			continue;
		gather_target_name(target, name, sizeof(name));
		fputs("<div class=\"tools\"><b>", out);
		format_html(out, name);
		if (target->layout.nr_rows)
			fprintf(out,
				"</b> <span class=\"faint\">%s of addresses</span> "
				"<button id=\"in%zu\">+</button><button id=\"out%zu\">&minus;</button>"
				"<button id=\"all%zu\">all</button></div>\n"
				"<canvas class=\"map\" id=\"map%zu\"></canvas>\n",
				format_size((double)target->layout.bytes).s, n, n, n, n);
		else
			fputs("</b> <span class=\"faint\">nothing of it was watched</span></div>\n",
			      out);
		n++;
	}
}

static void put_region(FILE *out, const struct gather *gather, const struct gather_region *region)
{
	const struct gather_target *target = &gather->targets[region->target];
	const struct grid_piece *piece = &region->piece;
	double rate = piece->samples ? grid_piece_rate(piece) : -1;
	char name[96];

	fprintf(out, "<tr><td class=\"number\" data-key=\"%.6g\">", rate);
	if (rate < 0)
		fputs("unknown</td>", out);
	else
		fprintf(out, "<i class=\"bar\" style=\"width:%.0fpx;background:#%06x\"></i>%s</td>",
			rate * 60, heat_rgb(heat_level(rate)), format_percent(rate * 100).s);
	fprintf(out, "<td class=\"number\" data-key=\"%llu\">%s</td>",
		(unsigned long long)(piece->end - piece->start),
		format_size((double)(piece->end - piece->start)).s);
	fprintf(out, "<td class=\"number\" data-key=\"%u\">%s</td>",
		piece->samples ? piece->age : 0,
		piece->samples ? format_duration((double)piece->age * gather->last_ns).s : "");
	fprintf(out, "<td class=\"address\" data-key=\"x%016llx\">%s&ndash;%s</td><td data-key=\"x",
		(unsigned long long)piece->start, format_address(piece->start).s,
		format_address(piece->end).s);
	format_html(out, regions_name(target, piece));
	fputs("\">", out);
	format_html(out, regions_name(target, piece));
	gather_target_name(target, name, sizeof(name));
	fputs("</td><td data-key=\"x", out);
	format_html(out, name);
	fputs("\">", out);
	format_html(out, name);
	fputs("</td></tr>\n", out);
}

static void put_regions(FILE *out, const struct gather *gather, size_t limit)
{
	size_t i, nr = gather->last_regions.nr;

	limit = limit && limit < MAX_REGIONS ? limit : MAX_REGIONS;
	fprintf(out,
		"<h2>Regions of the last window</h2>\n<div class=\"scroll\"><table class=\"sort\">"
		"<thead><tr><th class=\"number\">access</th><th class=\"number\">size</th>"
		"<th class=\"number\">age</th><th>addresses</th><th>mapping</th><th>target</th></tr>"
		"</thead>\n<tbody>\n");
	for (i = 0; i < nr && i < limit; i++)
		put_region(out, gather, &gather->last_regions.array[i]);
	fputs("</tbody></table></div>\n", out);
	if (i < nr)
		fprintf(out,
			"<p class=\"faint\">The first %zu of %zu; <code>udamon report regions"
			"</code> prints all.</p>\n",
			i, nr);
}

static void put_scheme(FILE *out, const struct scheme_course *course)
{
	const struct record_scheme_stat *total = &course->total;

	fprintf(out, "<tr><td class=\"number\">%u</td><td>", total->scheme);
	format_html(out, course->words ? course->words : "(not described)");
	fprintf(out,
		"</td><td class=\"number\">%s</td><td class=\"number\">%s</td>"
		"<td class=\"number\">%s</td><td class=\"number\">%s</td></tr>\n",
		format_size((double)total->sz_tried).s, format_size((double)total->sz_applied).s,
		course->max_esz ? format_size((double)course->max_esz).s : "",
		format_count(total->qt_exceeds).s);
}

static int put_schemes(FILE *out, struct record_reader *record,
		       const struct report_options *options)
{
	struct schemes schemes = {0};
	int err = schemes_any(record, NULL);
	size_t i;

	if (err != 1)
		return err;
	err = schemes_gather(&schemes, record, options, 1, NULL);
	if (!err)
		fputs("<h2>Schemes</h2>\n<div class=\"scroll\"><table><thead><tr>"
		      "<th class=\"number\">number</th><th>what it does</th>"
		      "<th class=\"number\">tried</th><th class=\"number\">applied</th>"
		      "<th class=\"number\">quota, at most</th><th class=\"number\">used up</th>"
		      "</tr></thead>\n<tbody>\n",
		      out);
	for (i = 0; i < schemes.nr && !err; i++)
		put_scheme(out, &schemes.list[i]);
	if (!err)
		fputs("</tbody></table></div>\n", out);
	schemes_clear(&schemes);
	return err;
}

static int put_notes(FILE *out, const struct gather *gather)
{
	json_t *notes = summary_notes(gather), *note;
	size_t i;

	if (!notes)
		return -ENOMEM;
	if (json_array_size(notes))
		fputs("<h2>Notes and events</h2>\n<ul>\n", out);
	json_array_foreach(notes, i, note)
	{
		fputs("<li>", out);
		format_html(out, json_string_value(note));
		fputs("</li>\n", out);
	}
	if (json_array_size(notes))
		fputs("</ul>\n", out);
	json_decref(notes);
	return 0;
}

static void put_title(FILE *out, const struct gather *gather)
{
	char name[96];
	size_t i, n = 0;

	for (i = 0; i < gather->nr_targets; i++) {
		if (!gather->targets[i].wanted)
			continue;
		gather_target_name(&gather->targets[i], name, sizeof(name));
		if (!n++)
			format_html(out, name);
	}
	if (n > 1)
		fprintf(out, " and %zu more", n - 1);
}

static void put_head(FILE *out, const struct gather *gather, struct record_reader *record)
{
	const char *start = record_reader_meta(record, "start_time");
	size_t i;

	fputs(REPORT_HTML_HEAD
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
	      out);
	put_title(out, gather);
	fprintf(out, " - udamon</title>\n<style>\n%s</style></head><body>\n<h1>", page[PAGE_STYLE]);
	put_title(out, gather);
	fputs("</h1>\n<div class=\"faint\">", out);
	for (i = 0; i < gather->nr_targets; i++) {
		if (!gather->targets[i].wanted || !gather->targets[i].cmdline[0])
			continue;
		fputs("<code>", out);
		format_html(out, gather->targets[i].cmdline);
		fputs("</code> ", out);
		break;
	}
	format_html(out, start ? start : "");
	fputs("</div>\n", out);
}

static int put_page(FILE *out, struct gather *gather, const struct report_options *options,
		    struct record_reader *record, size_t columns)
{
	struct facts facts;
	json_t *data;
	int err;

	put_head(out, gather, record);
	if (!gather->nr_snapshots) {
		fputs("<p>The record has no window: watching ended before the first aggregation "
		      "interval did.</p>\n",
		      out);
		err = put_notes(out, gather);
		fputs("</body></html>\n", out);
		return err;
	}
	err = facts_collect(&facts, gather, record);
	if (err)
		return err;
	put_facts(out, gather, &facts);
	put_maps(out, gather, options);
	fputs("<h2>Working set</h2>\n<canvas id=\"wss\"></canvas>\n", out);
	err = put_schemes(out, record, options);
	if (!err)
		err = put_notes(out, gather);
	if (err)
		return err;
	regions_sort(gather, options);
	put_regions(out, gather, options->limit);
	data = page_data(gather, options, columns);
	if (!data)
		return -ENOMEM;
	fputs("<div id=\"tip\"></div>\n<script type=\"application/json\" id=\"data\">", out);
	err = put_json(out, data);
	json_decref(data);
	fprintf(out, "</script>\n<script>\n%s</script></body></html>\n", page[PAGE_SCRIPT]);
	return err;
}

int report_html(struct record_reader *record, const struct report_options *options, FILE *out,
		struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_MAP | GATHER_LAST, .per_line = 1};
	const struct record_target *targets;
	struct gather gathered;
	uint64_t nr_snapshots;
	size_t nr_targets;
	int err;

	err = record_reader_nr_snapshots(record, &nr_snapshots, error);
	err = err ? err : record_reader_targets(record, &targets, &nr_targets, error);
	if (err)
		return err;
	nr_targets = options->target >= 0 || !nr_targets ? 1 : nr_targets;
	request.lines = MAX_ROWS / nr_targets < LEAST_ROWS ? LEAST_ROWS : MAX_ROWS / nr_targets;
	request.columns = MAX_COLUMNS;
	/* Windows needn't be equally long: columns finer than they are keep their edges sharp. */
	if (nr_snapshots < MAX_COLUMNS / COLUMNS_PER_WINDOW)
		request.columns = nr_snapshots ? (size_t)nr_snapshots * COLUMNS_PER_WINDOW : 1;
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	err = put_page(out, &gathered, options, record, request.columns);
	gather_clear(&gathered);
	if (err)
		return err == -ENOMEM ? report_no_memory(error)
				      : damon_error_set(error, err, "the record can't be read");
	return text_finish(out, error);
}
