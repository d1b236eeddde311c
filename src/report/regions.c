/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The regions of the last window, as a table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/text.h"

/* Unknown regions come after the idle ones. */
static double sort_rate(const struct gather_region *region)
{
	return region->piece.samples ? grid_piece_rate(&region->piece) : -1;
}

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int compare_addresses(const struct gather_region *a, const struct gather_region *b)
{
	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return a->piece.start < b->piece.start ? -1 : a->piece.start > b->piece.start;
}

static int compare_regions(const void *one, const void *two, void *data)
{
	const struct gather_region *a = one, *b = two;
	const struct report_options *options = data;
	int order = 0;

	if (options->sort == REPORT_SORT_ACCESS) {
		order = compare_numbers(sort_rate(b), sort_rate(a));
		order = order ? order : compare_numbers(b->piece.age, a->piece.age);
	} else if (options->sort == REPORT_SORT_SIZE) {
		order = compare_numbers((double)(b->piece.end - b->piece.start),
					(double)(a->piece.end - a->piece.start));
	} else if (options->sort == REPORT_SORT_AGE) {
		order = compare_numbers(b->piece.age, a->piece.age);
	}
	order = order ? order : compare_addresses(a, b);
	return options->reverse ? -order : order;
}

void regions_sort(struct gather *gather, const struct report_options *options)
{
	qsort_r(gather->last_regions.array, gather->last_regions.nr,
		sizeof(*gather->last_regions.array), compare_regions, (void *)options);
}

static size_t wanted_targets(const struct gather *gather)
{
	size_t i, n = 0;

	for (i = 0; i < gather->nr_targets; i++)
		n += gather->targets[i].wanted;
	return n;
}

const char *regions_name(const struct gather_target *target, const struct grid_piece *piece)
{
	const char *name = layout_name_in(&target->layout, piece->start, piece->end);

	return *name || !target->layout.nr_names ? name : "(not mapped)";
}

static void print_region(FILE *out, const struct gather *gather, const struct text_plan *plan,
			 const struct gather_region *region)
{
	const struct gather_target *target = &gather->targets[region->target];
	const struct grid_piece *piece = &region->piece;
	char name[48], fitted[256], age[64];
	size_t used;

	format_clean(name, sizeof(name), regions_name(target, piece), !plan->style.unicode);
	snprintf(age, sizeof(age), "%s",
		 piece->samples ? format_duration((double)piece->age * gather->last_ns).s : "-");
	used = (size_t)fprintf(out, "%6s %9s",
			       piece->samples ? format_percent(grid_piece_rate(piece) * 100).s
					      : "?",
			       format_size((double)(piece->end - piece->start)).s);
	if (plan->width >= 30)
		used += (size_t)fprintf(out, " %9s", age);
	if (plan->width >= 56)
		used += (size_t)fprintf(out, "  %s", format_address(piece->start).s);
	if (plan->width >= 72)
		used += (size_t)fprintf(out, "-%s", format_address(piece->end).s);
	if (wanted_targets(gather) > 1 && plan->width >= 40)
		used += (size_t)fprintf(out, "  %5lld",
					(long long)(target->pid >= 0 ? target->pid : target->id));
	if (used + 6 <= plan->width && name[0]) {
		used = plan->width - used - 2;
		format_fit(fitted, sizeof(fitted), name,
			   format_columns(name) < used ? format_columns(name) : used);
		fprintf(out, "  %s", fitted);
	}
	fputc('\n', out);
}

void regions_table(FILE *out, const struct gather *gather, const struct text_plan *plan,
		   size_t limit)
{
	size_t i, nr = gather->last_regions.nr;

	fprintf(out, "%6s %9s", "access", "size");
	if (plan->width >= 30)
		fprintf(out, " %9s", "age");
	if (plan->width >= 72)
		fprintf(out, "  %-25s", "addresses");
	else if (plan->width >= 56)
		fprintf(out, "  %-12s", "address");
	if (wanted_targets(gather) > 1 && plan->width >= 40)
		fprintf(out, "  %5s", "pid");
	if (plan->width >= 40)
		fprintf(out, "  mapping");
	fputc('\n', out);
	for (i = 0; i < nr && (!limit || i < limit); i++)
		print_region(out, gather, plan, &gather->last_regions.array[i]);
	if (i < nr)
		text_wrap(out, plan->width, 0, "(%zu more)", nr - i);
}

json_t *regions_json(const struct gather *gather, size_t limit)
{
	json_t *array = json_array(), *one;
	size_t i;

	for (i = 0; array && i < gather->last_regions.nr && (!limit || i < limit); i++) {
		const struct gather_region *region = &gather->last_regions.array[i];
		const struct gather_target *target = &gather->targets[region->target];
		const struct grid_piece *piece = &region->piece;

		one = json_pack("{s:i, s:o, s:o, s:o, s:I, s:f, s:s, s:I}", "target",
				(int)target->id, "start", json_address(piece->start), "end",
				json_address(piece->end), "access_pct",
				piece->samples ? json_real(grid_piece_rate(piece) * 100)
					       : json_null(),
				"nr_accesses", (json_int_t)piece->nr_accesses, "age_s",
				(double)piece->age * gather->last_ns / 1e9, "mapping",
				layout_name_in(&target->layout, piece->start, piece->end),
				"samples", (json_int_t)piece->samples);
		if (!one || json_array_append_new(array, one)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

int report_regions(struct record_reader *record, const struct report_options *options, FILE *out,
		   struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_LAST};
	struct gather gathered;
	struct text_plan plan;
	int err;

	text_plan(&plan, &options->style, 12);
	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	if (!gathered.nr_snapshots) {
		text_no_windows(out, &gathered, plan.width);
	} else if (!gathered.last_regions.nr) {
		text_wrap(out, plan.width, 2, "no regions in this part of the record");
	} else {
		regions_sort(&gathered, options);
		text_wrap(
			out, plan.width, 2, "%zu regions of the window that ended at %s",
			gathered.last_regions.nr,
			format_duration((double)(gathered.last_t_end_ns - gathered.t_first_ns)).s);
		regions_table(out, &gathered, &plan, options->limit);
	}
	gather_clear(&gathered);
	return text_finish(out, error);
}

int report_regions_json(struct record_reader *record, const struct report_options *options,
			json_t **json, struct damon_error *error)
{
	struct gather_request request = {.what = GATHER_LAST};
	struct gather gathered;
	int err;

	err = gather(&gathered, record, options, &request, error);
	if (err)
		return err;
	regions_sort(&gathered, options);
	*json = regions_json(&gathered, options->limit);
	gather_clear(&gathered);
	return *json ? 0 : report_no_memory(error);
}
