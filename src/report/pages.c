// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The pages of the last window, runs of equal heat.
 */
#include <errno.h>

#include "report/format.h"
#include "report/text.h"

static const char no_pages[] =
	"this record has no heat of single pages: only the engine scan knows it, and it is "
	"written when the record ends";

/* Cut @heat to the part that was asked for; false when nothing is left. */
static bool want(const struct report_options *options, struct record_heat *heat)
{
	if (options->target >= 0 && heat->target != (uint64_t)options->target)
		return false;
	if (options->addr_end && heat->start >= options->addr_end)
		return false;
	if (heat->end <= options->addr_start)
		return false;
	if (heat->start < options->addr_start)
		heat->start = options->addr_start;
	if (options->addr_end && heat->end > options->addr_end)
		heat->end = options->addr_end;
	return true;
}

static double share(const struct record_heat *heat)
{
	return heat->samples ? (double)heat->touched / heat->samples : 0;
}

int report_pages(struct record_reader *record, const struct report_options *options, FILE *out,
		 struct damon_error *error)
{
	const struct record_heat *all;
	struct record_heat heat;
	struct text_plan plan;
	size_t i, nr, shown = 0;
	int err;

	text_plan(&plan, &options->style, 12);
	err = record_reader_heat(record, &all, &nr, error);
	if (err)
		return err;
	if (!nr) {
		text_wrap(out, plan.width, 2, "%s", no_pages);
		return text_finish(out, error);
	}
	fprintf(out, "%6s %9s %9s  %-25s  %s\n", "heat", "size", "page", "addresses", "target");
	for (i = 0; i < nr && (!options->limit || shown < options->limit); i++) {
		heat = all[i];
		if (!want(options, &heat))
			continue;
		shown++;
		fprintf(out, "%6s %9s %9s  %s-%s  %u\n",
			heat.touched < 0 ? "?" : format_percent(share(&heat) * 100).s,
			format_size((double)(heat.end - heat.start)).s,
			format_size((double)heat.page_size).s, format_address(heat.start).s,
			format_address(heat.end).s, heat.target);
	}
	return text_finish(out, error);
}

int report_pages_json(struct record_reader *record, const struct report_options *options,
		      json_t **json, struct damon_error *error)
{
	const struct record_heat *all;
	json_t *array = json_array(), *one;
	struct record_heat heat;
	size_t i, nr;
	int err;

	*json = NULL;
	err = record_reader_heat(record, &all, &nr, error);
	for (i = 0; !err && array && i < nr; i++) {
		heat = all[i];
		if (options->limit && json_array_size(array) >= options->limit)
			break;
		if (!want(options, &heat))
			continue;
		one = json_pack("{s:i, s:o, s:o, s:I, s:o}", "target", (int)heat.target, "start",
				json_address(heat.start), "end", json_address(heat.end),
				"page_size", (json_int_t)heat.page_size, "heat",
				heat.touched < 0 ? json_null() : json_real(share(&heat)));
		if (!one || json_array_append_new(array, one)) {
			json_decref(array);
			array = NULL;
		}
	}
	if (err) {
		json_decref(array);
		return err;
	}
	*json = array;
	return array ? 0 : report_no_memory(error);
}
