/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Make a record of a program that never ran, and print a report of it: for looking at the
 * reports while working on them.
 *
 *	report-view make FILE KIND		KIND: server, processes, large, empty, one
 *	report-view show FILE REPORT [WIDTH [COLOR [UNICODE [HEIGHT]]]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/record.h"
#include "report/report.h"

#define MIB (1024ull * 1024)
#define GIB (1024 * MIB)

static uint64_t state = 88172645463325252ull;

static uint32_t random_below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return limit ? (uint32_t)(state >> 20) % limit : 0;
}

struct window {
	struct record_region regions[16384];
	size_t nr;
};

/* Regions of about @size, accessed in about @percent of 20 samples; below 0: unknown. */
static void add_area(struct window *window, uint32_t target, uint64_t start, uint64_t end,
		     uint64_t size, int percent, uint32_t age)
{
	uint64_t at, next;
	int accesses;

	for (at = start; at < end; at = next) {
		next = at + size / 2 + random_below((uint32_t)(size / 4096)) * 4096ull + 4096;
		next = next > end ? end : next;
		accesses = percent * 20 / 100;
		if (percent > 0 && percent < 100)
			accesses += (int)random_below(3) - 1;
		if (percent > 0 && percent < 5)
			accesses = random_below(100) < (uint32_t)percent * 20;
		accesses = accesses < 0 ? 0 : accesses > 20 ? 20 : accesses;
		window->regions[window->nr++] = (struct record_region){
			.target = target,
			.start = at,
			.end = next,
			.nr_accesses = percent < 0 ? 0 : (uint32_t)accesses,
			.age = age + random_below(4),
			.samples = percent < 0 ? 0 : 20,
		};
	}
}

static void server_window(struct window *window, uint32_t target, uint32_t w, uint64_t grown)
{
	const uint64_t heap = 0x55d0c8a00000, mmap = 0x7f31e0000000, stack = 0x7ffd8a1c0000;
	uint64_t moving = mmap + 32 * MIB + (w % 150) * MIB;

	add_area(window, target, heap, heap + 24 * MIB, 4 * MIB, 90, w);
	add_area(window, target, heap + 24 * MIB, heap + grown, 12 * MIB, 12, w);
	add_area(window, target, mmap, mmap + 8 * MIB, 2 * MIB, 100, w);
	add_area(window, target, mmap + 8 * MIB, moving, 16 * MIB, 0, w);
	add_area(window, target, moving, moving + 24 * MIB, 4 * MIB, 55, 2);
	add_area(window, target, moving + 24 * MIB, mmap + 256 * MIB, 16 * MIB, 3, w);
	add_area(window, target, mmap + 300 * MIB, mmap + 302 * MIB, MIB, -1, w);
	add_area(window, target, stack, stack + 132 * 1024, 64 * 1024, 45, w);
}

static void server_mappings(struct record *rec, uint32_t target, uint64_t grown)
{
	const uint64_t heap = 0x55d0c8a00000, mmap = 0x7f31e0000000, stack = 0x7ffd8a1c0000;
	const struct record_mapping mappings[] = {
		{heap, heap + grown, "rw-p", "[heap]"},
		{mmap, mmap + 256 * MIB, "rw-p", ""},
		{mmap + 300 * MIB, mmap + 301 * MIB, "r-xp", "/usr/lib/x86_64-linux-gnu/libc.so.6"},
		{mmap + 301 * MIB, mmap + 302 * MIB, "r-xp", "/usr/lib/libcrypto.so.3"},
		{stack, stack + 132 * 1024, "rw-p", "[stack]"},
	};

	record_set_mappings(rec, target, mappings, 5);
}

static void add_window(struct record *rec, struct window *window, uint64_t t, uint32_t n)
{
	struct damon_window w = {
		.t_start_ns = t,
		.t_end_ns = t + 100000000,
		.sample_us = 5000,
		.aggr_us = 100000,
		.nr_samples = 20,
		.cost = {.cpu_ns = n * 900000ull,
			 .clears = n * 130ull,
			 .unwatchable_bytes = 2 * MIB},
	};

	if (record_add_window(rec, &w, window->regions, window->nr))
		exit(1);
}

static void make_server(struct record *rec, uint32_t targets, uint32_t windows)
{
	static struct window window;
	uint64_t t = 5000000000ull, grown;
	char comm[64];
	uint32_t w, i;

	for (i = 0; i < targets; i++) {
		snprintf(comm, sizeof(comm), i ? "worker-%u</script>" : "redis-server", i);
		record_add_target(rec, &(struct record_target){.id = i,
							       .pid = 4242 + i,
							       .comm = comm,
							       .cmdline = "redis-server *:6379",
							       .kind = "vaddr"});
	}
	for (w = 0; w < windows; w++, t += 100000000) {
		window.nr = 0;
		grown = (64 + (w < windows / 2 ? w * 96 / (windows / 2 + 1) : 96)) * MIB;
		for (i = 0; i < targets && window.nr < 15000; i++) {
			if (i != 3 || w < windows / 3)
				server_window(&window, i, w, grown);
			if (w % 50 == 0)
				server_mappings(rec, i, grown + 5 * MIB);
		}
		if (w == windows / 2)
			record_event(rec, &(struct damon_event){t, -1, "pause", ""});
		if (w == windows / 2)
			t += windows * 10000000ull;
		if (w == windows / 2)
			record_event(rec, &(struct damon_event){t, -1, "resume", ""});
		if (w == windows / 4)
			record_event(rec, &(struct damon_event){t, 0, "fork", "child 4250"});
		if (w % 50 == 7)
			record_event(rec, &(struct damon_event){t, 0, "layout", "3 ranges"});
		if (w == windows / 3 && targets > 3)
			record_event(rec, &(struct damon_event){t, 3, "gone", "<b>x</b>"});
		add_window(rec, &window, t, w + 1);
	}
}

static void make_large(struct record *rec)
{
	static struct window window;
	uint32_t w, r;

	record_add_target(rec, &(struct record_target){0, 77, "large", "large --all", "vaddr"});
	for (w = 0; w < 36000; w++) {
		window.nr = 0;
		for (r = 0; r < 1000; r++)
			window.regions[window.nr++] = (struct record_region){
				.start = 0x7f0000000000ull + r * 8 * MIB,
				.end = 0x7f0000000000ull + (r + 1) * 8 * MIB,
				.nr_accesses = (r + w / 100) % 500 < 20 ? 20
									: random_below(40) / 39,
				.age = w % 100,
				.samples = 20,
			};
		add_window(rec, &window, w * 100000000ull, w + 1);
	}
}

static int make(const char *path, const char *kind)
{
	struct record_options options = {
		.engine = "point", .command = "report-view", .seed = 1, .clock = "monotonic"};
	struct damon_error error = {""};
	struct record *rec;
	int err;

	err = record_create(&rec, path, &options, &error);
	if (!err) {
		if (!strcmp(kind, "server"))
			make_server(rec, 1, 300);
		else if (!strcmp(kind, "processes"))
			make_server(rec, 5, 120);
		else if (!strcmp(kind, "one"))
			make_server(rec, 1, 1);
		else if (!strcmp(kind, "large"))
			make_large(rec);
		err = record_close(rec, &error);
	}
	if (err)
		fprintf(stderr, "report-view: %s\n", error.text);
	return err ? 1 : 0;
}

static int show(int argc, char **argv)
{
	struct report_options options;
	struct record_reader *reader;
	struct damon_error error = {""};
	const char *report = argv[3];
	json_t *json = NULL;
	int err;

	report_default_options(&options);
	options.style.width = argc > 4 ? (unsigned int)atoi(argv[4]) : 80;
	options.style.color = argc > 5 ? (enum report_color)atoi(argv[5]) : REPORT_COLOR_NONE;
	options.style.unicode = argc > 6 && atoi(argv[6]);
	options.style.height = argc > 7 ? (unsigned int)atoi(argv[7]) : 0;
	err = record_reader_open(&reader, argv[2], &error);
	if (!err && !strcmp(report, "summary"))
		err = report_summary(reader, &options, stdout, &error);
	else if (!err && !strcmp(report, "heatmap"))
		err = report_heatmap(reader, &options, stdout, &error);
	else if (!err && !strcmp(report, "wss"))
		err = report_wss(reader, &options, stdout, &error);
	else if (!err && !strcmp(report, "regions"))
		err = report_regions(reader, &options, stdout, &error);
	else if (!err && !strcmp(report, "html"))
		err = report_html(reader, &options, stdout, &error);
	else if (!err && !strcmp(report, "summary-json"))
		err = report_summary_json(reader, &options, &json, &error);
	else if (!err && !strcmp(report, "wss-json"))
		err = report_wss_json(reader, &options, &json, &error);
	else if (!err && !strcmp(report, "regions-json"))
		err = report_regions_json(reader, &options, &json, &error);
	if (json)
		json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	if (err)
		fprintf(stderr, "report-view: %s (%s)\n", error.text, strerror(-err));
	record_reader_close(reader);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "make"))
		return make(argv[2], argv[3]);
	if (argc >= 4 && !strcmp(argv[1], "show"))
		return show(argc, argv);
	fprintf(stderr, "usage: report-view make FILE KIND | show FILE REPORT [WIDTH [COLOR "
			"[UNICODE [HEIGHT]]]]\n");
	return 2;
}
