// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Making and printing reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/reporting.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "record/record.h"

static const struct report_kind kinds[] = {
	{"summary", report_summary, report_summary_json},
	{"heatmap", report_heatmap, report_heatmap_json},
	{"wss", report_wss, report_wss_json},
	{"regions", report_regions, report_regions_json},
	{"pages", report_pages, report_pages_json},
	{"schemes", report_schemes, report_schemes_json},
};

const struct report_kind *report_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

void report_words(FILE *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		fprintf(out, " %s", kinds[i].name);
}

static int on_progress(double done, void *data)
{
	progress_show(data, done);
	return signals_end_asked() ? -EINTR : 0;
}

static void fill_options(const struct options *opts, struct report_options *options,
			 struct progress *progress)
{
	report_default_options(options);
	terminal_style(opts, &options->style);
	options->target = opts->target == UINT64_MAX ? -1 : (int64_t)opts->target;
	if (opts->nr_ranges) {
		options->addr_start = opts->ranges[0].start;
		options->addr_end = opts->ranges[0].end;
	}
	options->t_start_ns = opts->from_us * 1000;
	options->t_end_ns = opts->to_us * 1000;
	if (opts->from_us && !opts->to_us)
		options->t_end_ns = UINT64_MAX;
	options->heat = (enum report_heat)opts->heat;
	options->min_access_pct = (double)opts->min_access_bp / 100;
	options->sort = (enum report_sort)opts->sort;
	options->limit = opts->limit;
	options->progress = (struct report_progress){on_progress, progress};
}

static int report_failed(int code, const struct damon_error *err)
{
	terminal_clear_status();
	return give_up(code == -EINVAL ? EXIT_USAGE : EXIT_FAILED, "%s",
		       err->text[0] ? err->text : strerror(-code));
}

int json_print(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int ret;

	json_decref(json);
	if (!text)
		return give_up(EXIT_FAILED, "out of memory");
	ret = output_text(text, strlen(text));
	if (!ret)
		ret = output_text("\n", 1);
	free(text);
	return ret;
}

static int print_json(const struct report_kind *kind, struct record_reader *record,
		      const struct report_options *options, int (*add)(json_t *json, void *data),
		      void *data)
{
	struct damon_error err = {""};
	json_t *json = NULL;
	int ret = kind->json(record, options, &json, &err);

	if (ret)
		return report_failed(ret, &err);
	terminal_clear_status();
	if (add && add(json, data)) {
		json_decref(json);
		return give_up(EXIT_FAILED, "out of memory");
	}
	return json_print(json);
}

/* The report as text in memory: where it goes may fail, and that is another matter than making it. */
static int make_text(int (*make)(struct record_reader *record, const struct report_options *options,
				 FILE *out, struct damon_error *error),
		     struct record_reader *record, const struct report_options *options,
		     char **text, size_t *size)
{
	struct damon_error err = {""};
	FILE *out = open_memstream(text, size);
	int ret;

	if (!out)
		return give_up(EXIT_FAILED, "out of memory");
	ret = make(record, options, out, &err);
	if (fclose(out) && !ret)
		ret = -ENOMEM;
	return ret ? report_failed(ret, &err) : 0;
}

static int print_text(const struct report_kind *kind, struct record_reader *record,
		      const struct report_options *options)
{
	char *text = NULL;
	size_t size;
	int ret = make_text(kind->text, record, options, &text, &size);

	terminal_clear_status();
	if (!ret)
		ret = output_text(text, size);
	free(text);
	return ret;
}

static int write_html(const char *path, struct record_reader *record,
		      const struct report_options *options)
{
	char *text = NULL;
	size_t size;
	int ret = make_text(report_html, record, options, &text, &size);

	terminal_clear_status();
	if (!ret)
		ret = output_file(path, REPORT_HTML_HEAD, text, size);
	free(text);
	return ret;
}

int record_open(const struct options *opts, struct record_reader **record, const char *path)
{
	struct damon_error err = {""};
	uint64_t nr;

	if (record_reader_open(record, path, &err))
		return give_up(EXIT_FAILED, "%s", err.text);
	if (opts->verbose && !record_reader_nr_snapshots(*record, &nr, &err))
		note("reading '%s': %llu windows", path, (unsigned long long)nr);
	return 0;
}

/* Open the record and make of it what is asked for; @kind NULL makes the web page only. */
static int make_reports(const struct options *opts, const struct report_kind *kind,
			const char *path, int (*add)(json_t *json, void *data), void *data)
{
	struct record_reader *record;
	struct report_options options;
	struct progress progress;
	int ret;

	ret = record_open(opts, &record, path);
	if (ret)
		return ret;
	progress_start(&progress, opts, "reading the record");
	fill_options(opts, &options, &progress);
	if (kind)
		ret = opts->json ? print_json(kind, record, &options, add, data)
				 : print_text(kind, record, &options);
	if (!ret && opts->html)
		ret = write_html(opts->html, record, &options);
	record_reader_close(record);
	return ret;
}

int report_print(const struct options *opts, const struct report_kind *kind, const char *path,
		 int (*add)(json_t *json, void *data), void *data)
{
	return make_reports(opts, kind, path, add, data);
}

int report_write_html(const struct options *opts, const char *path)
{
	return make_reports(opts, NULL, path, NULL, NULL);
}
