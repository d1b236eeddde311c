/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The heat map: time across, addresses down.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/text.h"

/* Lines of a target's map, with the marks of gaps, unless the caller chooses. */
#define DEFAULT_LINES 24

/* Every so many lines say how far they are from the group's begin. */
#define LABEL_LINES 4

struct drawing {
	FILE *out;
	const struct gather *gather;
	const struct report_options *options;
	const struct text_plan *plan;
	bool seen[HEAT_CELLS];
};

static size_t rows_per_line(const struct text_plan *plan)
{
	return heat_pairs(&plan->style) ? 2 : 1;
}

/* The cells of one line, between the frames. */
static void draw_cells(struct drawing *drawing, const struct grid *grid, size_t row)
{
	const struct report_style *style = &drawing->plan->style;
	enum report_heat heat = drawing->options->heat;
	struct heat_pen pen = HEAT_PEN_NEW;
	char buf[HEAT_DRAW_MAX];
	unsigned int upper, lower;
	size_t column;

	for (column = 0; column < grid->nr_columns; column++) {
		upper = grid_cell(grid, row, column, heat);
		drawing->seen[upper] = true;
		if (rows_per_line(drawing->plan) == 2) {
			lower = grid_cell(grid, row + 1, column, heat);
			drawing->seen[lower] = true;
			heat_draw_pair(buf, style, &pen, upper, lower);
		} else {
			heat_draw(buf, style, &pen, upper);
		}
		fputs(buf, drawing->out);
	}
	heat_reset(buf, &pen);
	fputs(buf, drawing->out);
}

/* What stands at the left of a line: the address where a group begins, then distances from it. */
static void draw_label(struct drawing *drawing, const struct layout *layout, size_t row)
{
	const struct layout_group *group = &layout->groups[layout->rows[row].group];
	size_t line = (row - group->first_row) / rows_per_line(drawing->plan);
	char label[80];

	label[0] = 0;
	if (!line)
		snprintf(label, sizeof(label), "%s", format_address(group->start).s);
	else if (line % LABEL_LINES == 0)
		snprintf(label, sizeof(label), "+%s",
			 format_size((double)(layout->rows[row].address - group->start)).s);
	fprintf(drawing->out, "%*s ", (int)drawing->plan->left - 1, label);
}

static void short_row_name(const struct layout *layout, size_t row, bool ascii, char *to,
			   size_t size)
{
	const char *name;
	char clean[48];
	size_t others;

	name = layout_row_name(layout, row, &others);
	format_clean(clean, sizeof(clean), name, ascii);
	if (others && clean[0])
		snprintf(to, size, "%s +%zu", clean, others);
	else
		snprintf(to, size, "%s", clean);
}

/* Without room at the sides: a group's begin and name above it. */
static void draw_heading(struct drawing *drawing, const struct layout *layout, size_t group)
{
	char name[80], text[256], fitted[512];

	short_row_name(layout, layout->groups[group].first_row, !drawing->plan->style.unicode, name,
		       sizeof(name));
	if (drawing->plan->width < 40)
		snprintf(text, sizeof(text), "%s %s", name,
			 format_size((double)layout->groups[group].bytes).s);
	else
		snprintf(text, sizeof(text), "%s %s %s",
			 format_address(layout->groups[group].start).s,
			 format_size((double)layout->groups[group].bytes).s, name);
	format_fit(fitted, sizeof(fitted), text,
		   format_columns(text) < drawing->plan->width ? format_columns(text)
							       : drawing->plan->width);
	fprintf(drawing->out, "%s\n", fitted);
}

static void draw_gap(struct drawing *drawing, const struct layout *layout, size_t group)
{
	const struct text_plan *plan = drawing->plan;
	char text[96];
	uint64_t gap = layout->groups[group].start - layout->groups[group - 1].end;
	size_t room = plan->columns + 2, len, before;

	snprintf(text, sizeof(text), " %s not mapped ", format_size((double)gap).s);
	if (strlen(text) > room)
		snprintf(text, sizeof(text), " %s ", format_size((double)gap).s);
	len = strlen(text);
	before = (room - len) / 2;
	text_repeat(drawing->out, " ", plan->left);
	text_repeat(drawing->out, plan->style.unicode ? "┄" : "~", before);
	fputs(text, drawing->out);
	text_repeat(drawing->out, plan->style.unicode ? "┄" : "~", room - len - before);
	fputs("\n", drawing->out);
}

static void draw_rows(struct drawing *drawing, const struct gather_target *target)
{
	const struct text_plan *plan = drawing->plan;
	const struct layout *layout = &target->layout;
	char name[80], last[80] = "", fitted[256];
	size_t row, group = SIZE_MAX;

	for (row = 0; row < layout->nr_rows; row += rows_per_line(plan)) {
		if (layout->rows[row].group != group) {
			group = layout->rows[row].group;
			if (group)
				draw_gap(drawing, layout, group);
			if (!plan->left)
				draw_heading(drawing, layout, group);
			last[0] = 0;
		}
		if (plan->left)
			draw_label(drawing, layout, row);
		fputs(text_frame(plan), drawing->out);
		draw_cells(drawing, &target->grid, row);
		fputs(text_frame(plan), drawing->out);
		if (plan->right) {
			short_row_name(layout, row, !plan->style.unicode, name, sizeof(name));
			if (strcmp(name, last) && name[0]) {
				format_fit(fitted, sizeof(fitted), name,
					   format_columns(name) < plan->right - 1
						   ? format_columns(name)
						   : plan->right - 1);
				fprintf(drawing->out, " %s", fitted);
			}
			snprintf(last, sizeof(last), "%s", name);
		}
		fputc('\n', drawing->out);
	}
}

static uint64_t longest_line(const struct layout *layout, size_t per_line)
{
	uint64_t bytes, most = 0;
	size_t row;

	for (row = 0; row + per_line <= layout->nr_rows; row += per_line) {
		bytes = layout->rows[row + per_line - 1].to - layout->rows[row].from;
		most = bytes > most ? bytes : most;
	}
	return most;
}

static void draw_target(struct drawing *drawing, const struct gather_target *target)
{
	const struct gather *gather = drawing->gather;
	const struct text_plan *plan = drawing->plan;
	const struct layout *layout = &target->layout;
	double length = (double)(gather->t_end_ns - gather->t_start_ns);
	char name[96], clean[96];

	gather_target_name(target, name, sizeof(name));
	format_clean(clean, sizeof(clean), name, !plan->style.unicode);
	if (!layout->nr_rows) {
		text_wrap(drawing->out, plan->width, 2, "%s: nothing of it was watched %s", clean,
			  drawing->options->addr_end || drawing->options->t_end_ns
				  ? "in this part of the record"
				  : "in the record");
		return;
	}
	text_wrap(drawing->out, plan->width, 2, "%s: %s of addresses over %s", clean,
		  format_size((double)layout->bytes).s, format_duration(length).s);
	text_border(drawing->out, plan);
	draw_rows(drawing, target);
	text_time_axis(drawing->out, plan, (double)(gather->t_start_ns - gather->t_first_ns),
		       (double)(gather->t_end_ns - gather->t_first_ns));
	text_wrap(drawing->out, plan->width, 2, "one column: %s; one line: %s%s",
		  format_duration(length / (double)plan->columns).s,
		  layout->nr_groups > 1 ? "at most " : "",
		  format_size((double)longest_line(layout, rows_per_line(plan))).s);
}

static size_t legend_entry(FILE *out, const struct text_plan *plan, size_t column,
			   unsigned int cell, const char *text)
{
	struct heat_pen pen = HEAT_PEN_NEW;
	char buf[HEAT_DRAW_MAX];
	size_t len = format_columns(text) + 4;

	if (plan->style.color == REPORT_COLOR_NONE)
		len--;
	if (column && column + len > plan->width) {
		fputs("\n", out);
		column = 0;
	}
	if (column)
		fputs(" ", out);
	else
		len--;
	heat_draw(buf, &plan->style, &pen, cell);
	fputs(buf, out);
	if (plan->style.color != REPORT_COLOR_NONE) {
		heat_draw(buf, &plan->style, &pen, cell);
		fputs(buf, out);
	}
	heat_reset(buf, &pen);
	fprintf(out, "%s %s", buf, text);
	return column + len;
}

static void draw_legend(struct drawing *drawing)
{
	size_t column = 0;
	unsigned int i;
	char text[32];

	for (i = 0; i < HEAT_LEVELS; i++) {
		if (i > 1)
			snprintf(text, sizeof(text), "%.0f%%", heat_threshold(i));
		else
			snprintf(text, sizeof(text), "%s", i ? ">0" : "idle");
		column = legend_entry(drawing->out, drawing->plan, column, i, text);
	}
	if (drawing->seen[HEAT_UNKNOWN])
		column = legend_entry(drawing->out, drawing->plan, column, HEAT_UNKNOWN,
				      drawing->plan->width < 32 ? "unknown"
								: "unknown: can't be watched");
	if (drawing->seen[HEAT_PAUSED])
		legend_entry(drawing->out, drawing->plan, column, HEAT_PAUSED, "not watched then");
	fputs("\n", drawing->out);
	text_wrap(
		drawing->out, drawing->plan->width, 2,
		drawing->options->heat == REPORT_HEAT_MAX
			? "heat: share of the samples that found the cell's hottest region accessed"
			: "heat: share of the samples that found the memory accessed, mean of the cell");
}

void heatmap_draw(FILE *out, const struct gather *gather, const struct report_options *options,
		  const struct text_plan *plan)
{
	struct drawing drawing = {
		.out = out,
		.gather = gather,
		.options = options,
		.plan = plan,
	};
	bool any = false;
	size_t i;

	for (i = 0; i < gather->nr_targets; i++) {
		if (!gather->targets[i].wanted)
			continue;
		if (i && any)
			fputc('\n', out);
		draw_target(&drawing, &gather->targets[i]);
		any |= gather->targets[i].layout.nr_rows > 0;
	}
	if (any)
		draw_legend(&drawing);
}

int report_heatmap(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_MAP};
	struct text_plan plan;
	struct gather gathered;
	size_t digits;
	int err;

	err = text_address_digits(record, &digits, error);
	if (err)
		return err;
	text_plan(&plan, &options->style, digits);
	request.columns = plan.columns;
	request.lines = plan.style.height ? plan.style.height : DEFAULT_LINES;
	request.per_line = rows_per_line(&plan);
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	if (gathered.nr_snapshots)
		heatmap_draw(out, &gathered, options, &plan);
	else
		text_no_windows(out, &gathered, plan.width);
	gather_clear(&gathered);
	return text_finish(out, error);
}

static json_t *target_json(const struct gather_target *target, enum report_heat heat)
{
	const struct layout *layout = &target->layout;
	json_t *rows = json_array(), *cells = json_array(), *line;
	size_t row, column;
	unsigned int cell;
	bool ok = true;

	for (row = 0; row < layout->nr_rows; row++) {
		json_append(&ok, rows,
			    json_pack("{s:o, s:I, s:s}", "start",
				      json_address(layout->rows[row].address), "bytes",
				      (json_int_t)(layout->rows[row].to - layout->rows[row].from),
				      "mapping", layout_row_name(layout, row, NULL)));
		line = json_array();
		for (column = 0; column < target->grid.nr_columns; column++) {
			cell = grid_cell(&target->grid, row, column, heat);
			json_append(&ok, line,
				    cell < HEAT_LEVELS
					    ? json_real(grid_rate(&target->grid, row, column, heat))
				    : cell == HEAT_UNKNOWN ? json_integer(-1)
							   : json_null());
		}
		json_append(&ok, cells, line);
	}
	return json_if(ok, json_pack("{s:i, s:I, s:s, s:o, s:o}", "target", (int)target->id, "pid",
				     (json_int_t)target->pid, "comm", target->comm, "rows", rows,
				     "cells", cells));
}

int report_heatmap_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_MAP, .per_line = 1};
	struct gather gathered;
	json_t *targets;
	bool ok = true;
	size_t i;
	int err;

	request.columns = options->style.width ? options->style.width : 80;
	request.columns = request.columns > 400 ? 400 : request.columns;
	request.lines = options->style.height ? options->style.height : DEFAULT_LINES;
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	targets = json_array();
	for (i = 0; i < gathered.nr_targets; i++) {
		if (gathered.targets[i].wanted)
			json_append(&ok, targets, target_json(&gathered.targets[i], options->heat));
	}
	*json = json_pack("{s:f, s:f, s:s, s:o}", "start_s",
			  (double)(gathered.t_start_ns - gathered.t_first_ns) / 1e9, "end_s",
			  (double)(gathered.t_end_ns - gathered.t_first_ns) / 1e9, "cell",
			  options->heat == REPORT_HEAT_MAX ? "max" : "mean", "targets", targets);
	*json = json_if(ok, *json);
	gather_clear(&gathered);
	return *json ? 0 : report_no_memory(error);
}
