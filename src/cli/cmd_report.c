// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon report and udamon export: what a record says, and handing it to other tools. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/reporting.h"
#include "record/export.h"

int report_command(const struct options *opts, int argc, char **argv)
{
	const struct report_kind *kind = report_kind_find("summary");
	const char *path = DEFAULT_RECORD;

	if (opts->nr_ranges > 1)
		return give_up(EXIT_USAGE, "--range can be given once");
	if (opts->to_us && opts->from_us >= opts->to_us)
		return give_up(EXIT_USAGE, "--from must be before --to");
	if (argc && report_kind_find(argv[0])) {
		kind = report_kind_find(argv[0]);
		argc--;
		argv++;
	} else if (argc > 1) {
		return give_up(
			EXIT_USAGE,
			"unknown report '%s'; expected summary, heatmap, wss, regions, pages or schemes",
			argv[0]);
	}
	if (argc > 1)
		return give_up(EXIT_USAGE, "'%s': one record at a time", argv[1]);
	if (argc)
		path = argv[0];
	return report_print(opts, kind, path, NULL, NULL);
}

static int export_to_stdout(struct record_reader *reader, enum record_format format,
			    struct damon_error *err)
{
	int ret;

	if (format == RECORD_FORMAT_DAMO && isatty(STDOUT_FILENO))
		return give_up(EXIT_USAGE,
			       "--format 'damo' is not for a terminal; name a file with -o");
	ret = record_export(reader, format, stdout, "standard output", err);
	if (ret == -EPIPE)
		return 128 + SIGPIPE;
	return ret ? give_up(EXIT_FAILED, "%s", err->text) : 0;
}

int export_command(const struct options *opts, int argc, char **argv)
{
	struct record_reader *reader;
	enum record_format format;
	struct damon_error err = {""};
	int ret;

	if (!opts->format)
		return give_up(EXIT_USAGE, "which format? --format damo, csv or json");
	if (record_format_parse(opts->format, &format))
		return give_up(EXIT_USAGE, "--format '%s': expected one of damo, csv, json",
			       opts->format);
	if (argc > 1)
		return give_up(EXIT_USAGE, "'%s': one record at a time", argv[1]);
	ret = record_open(opts, &reader, argc ? argv[0] : DEFAULT_RECORD);
	if (ret)
		return ret;
	if (!opts->output) {
		ret = export_to_stdout(reader, format, &err);
	} else {
		ret = record_export_file(reader, format, opts->output, &err);
		if (ret)
			ret = give_up(EXIT_FAILED, "%s", err.text);
	}
	record_reader_close(reader);
	return ret;
}
