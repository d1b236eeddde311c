/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Small records made for tests of the reports, and their reports as texts.
 */
#ifndef REPORT_FIXTURE_H
#define REPORT_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/record.h"
#include "report/report.h"

#define MIB	(1024ull * 1024)
#define MS	1000000ull
#define FROM(x) (x), sizeof(x) / sizeof((x)[0])

struct fixture {
	char directory[64];
	char path[80];
	struct record *rec;
	struct record_reader *reader;
	struct report_options options;
	struct damon_cost cost; /* of the next window; running totals */
};

static inline int fixture_setup(void **state)
{
	const struct record_options options = {
		.engine = "point", .command = "test", .seed = 1, .clock = "monotonic"};
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->directory, "/tmp/udamon-report-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/record", f->directory);
	assert_int_equal(record_create(&f->rec, f->path, &options, NULL), 0);
	report_default_options(&f->options);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	record_reader_close(f->reader);
	record_close(f->rec, NULL);
	unlink(f->path);
	rmdir(f->directory);
	free(f);
	return 0;
}

static inline void add_target(struct fixture *f, uint32_t id, int64_t pid, const char *comm)
{
	const struct record_target target = {
		.id = id, .pid = pid, .comm = comm, .cmdline = comm, .kind = "vaddr"};

	assert_int_equal(record_add_target(f->rec, &target), 0);
}

static inline void add_mapping(struct fixture *f, uint32_t id, uint64_t start, uint64_t end,
			       const char *path)
{
	const struct record_mapping mapping = {start, end, "rw-p", path};

	assert_int_equal(record_set_mappings(f->rec, id, &mapping, 1), 0);
}

/* A window of 20 samples from @ms on for @length_ms. */
static inline void add_window(struct fixture *f, uint64_t ms, uint64_t length_ms,
			      const struct record_region *regions, size_t nr)
{
	const struct damon_window window = {
		.t_start_ns = (1000 + ms) * MS,
		.t_end_ns = (1000 + ms + length_ms) * MS,
		.sample_us = length_ms * 1000 / 20,
		.aggr_us = length_ms * 1000,
		.nr_samples = 20,
		.cost = f->cost,
	};

	assert_int_equal(record_add_window(f->rec, &window, regions, nr), 0);
}

static inline void add_event(struct fixture *f, uint64_t ms, int64_t target, const char *what,
			     const char *detail)
{
	const struct damon_event event = {(1000 + ms) * MS, target, what, detail};

	assert_int_equal(record_event(f->rec, &event), 0);
}

/* End the record and open it for reading. */
static inline void finish(struct fixture *f)
{
	struct damon_error error = {""};
	int err = record_close(f->rec, &error);

	f->rec = NULL;
	if (err || record_reader_open(&f->reader, f->path, &error))
		fail_msg("%s", error.text);
}

typedef int (*text_report)(struct record_reader *record, const struct report_options *options,
			   FILE *out, struct damon_error *error);

/* The report's text, to be freed. */
static inline char *report_text(struct fixture *f, text_report report)
{
	struct damon_error error = {""};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (report(f->reader, &f->options, out, &error))
		fail_msg("%s", error.text);
	fclose(out);
	return text;
}

static inline void expect_text(struct fixture *f, text_report report, const char *expected)
{
	char *text = report_text(f, report);

	assert_string_equal(text, expected);
	free(text);
}

static inline void expect_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("expected '%s' in:\n%s", part, text);
}

static inline void expect_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("expected no '%s' in:\n%s", part, text);
}

/* No line may be wider than the terminal (texts here are ASCII). */
static inline void expect_width(const char *text, size_t width)
{
	const char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		if ((size_t)(end - line) > width)
			fail_msg("expected at most %zu columns, got %zu: %.*s", width,
				 (size_t)(end - line), (int)(end - line), line);
	}
}

#endif
