/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Making reports of a record as the options ask for, with progress shown when it takes long. */
#ifndef UDAMON_CLI_REPORTING_H
#define UDAMON_CLI_REPORTING_H

#include <jansson.h>

#include "cli/options.h"
#include "report/report.h"

/** struct report_kind - one report, in each form it has */
struct report_kind {
	const char *name;
	int (*text)(struct record_reader *record, const struct report_options *options, FILE *out,
		    struct damon_error *error);
	int (*json)(struct record_reader *record, const struct report_options *options,
		    json_t **json, struct damon_error *error);
};

/** report_kind_find() - the report of that name, or NULL */
const struct report_kind *report_kind_find(const char *name);

/**
 * report_print() - make a report of a record, and print it; also the web page when that was asked for
 * @add:	may add to the JSON object before it is printed; NULL for nothing to add
 *
 * Return: 0, or an exit code after the error was printed.
 */
int report_print(const struct options *opts, const struct report_kind *kind, const char *path,
		 int (*add)(json_t *json, void *data), void *data);

/** report_write_html() - only the web page; as report_print() */
int report_write_html(const struct options *opts, const char *path);

/** record_open() - open a record to read; as report_print() */
int record_open(const struct options *opts, struct record_reader **record, const char *path);

/** json_print() - print it to standard output with a newline; takes the reference. As report_print(). */
int json_print(json_t *json);

#endif
