// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon record --context: a record of the windows that a daemon's context publishes. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "cli/contexts.h"
#include "cli/message.h"
#include "cli/record_context.h"
#include "cli/recording.h"
#include "cli/reporting.h"
#include "cli/signals.h"
#include "cli/window_file.h"
#include "system/clock.h"
#include "system/process.h"

/* The file holds one window; it is read often enough to see each, and seldom enough to cost nothing. */
#define SHORTEST_WAIT_MS  5
#define LONGEST_WAIT_MS	  250
#define MAPPINGS_EVERY_NS UINT64_C(1000000000)

/**
 * struct watching - a context whose windows are being recorded
 * @last:	number of the window that was written last
 * @missed:	windows that were replaced before they could be read
 */
struct watching {
	const struct options *opts;
	struct tree tree;
	struct context_address address;
	struct recording recording;
	struct window_file file;
	const char *path;
	char operations[32];
	uint64_t first, last, missed;
	bool paused; /* when it was looked at last */
	uint64_t t_mappings_ns;
};

/* New processes get a name, and all of them their mappings now and then. */
static void describe_targets(struct watching *watching)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), resident = 0;

	if (watching->t_mappings_ns && now - watching->t_mappings_ns < MAPPINGS_EVERY_NS)
		return;
	for (size_t t = 0; t < watching->file.nr_targets; t++) {
		struct damon_target target = {.id = watching->file.targets[t].id,
					      .pid = watching->file.targets[t].pid};

		if (target.pid < 0)
			continue;
		recording_process(&watching->recording, &target, watching->operations);
		recording_mappings(&watching->recording, &target);
		resident += process_resident_pages((pid_t)target.pid);
	}
	recording_resident(&watching->recording, resident);
	watching->t_mappings_ns = now;
}

/* Made when the first window is there, so that a context without one leaves no record. */
static int create(struct watching *watching)
{
	char path[TREE_PATH_SIZE], engine[TREE_VALUE_SIZE] = "auto", *text;
	struct damon_error err = {""};
	struct record_options options = {
		.engine = engine, .clock = "monotonic", .now_ns = clock_ns(CLOCK_MONOTONIC)};
	int ret;

	if (!tree_get_own(&watching->tree, tree_path(path, "%u/engine", watching->address.kdamond),
			  &text)) {
		snprintf(engine, sizeof(engine), "%.*s", (int)strcspn(text, "\n"), text);
		free(text);
	}
	ret = record_create(&watching->recording.rec, watching->path, &options, &err);
	return ret ? give_up(EXIT_FAILED, "%s", err.text) : 0;
}

/* The window that is published now, unless it was written already. */
static int take_window(struct watching *watching)
{
	struct window_file *file = &watching->file;
	int ret = window_file_read(file, &watching->tree, watching->address.kdamond);
	char path[TREE_PATH_SIZE];

	if (ret == -EAGAIN)
		return 0;
	if (ret)
		return tree_failed_own(&watching->tree,
				       tree_path(path, "%u/windows", watching->address.kdamond),
				       NULL, ret);
	if (file->number == watching->last)
		return 0;
	/* Started anew: its numbers begin again, and it is another context. */
	if (file->number < watching->last)
		return give_up(EXIT_FAILED, "'%u/%u' was started anew; the record ends here",
			       watching->address.kdamond, watching->address.context);
	if (!watching->recording.rec) {
		ret = create(watching);
		if (ret)
			return ret;
		watching->first = file->number;
	} else {
		watching->missed += file->number - watching->last - 1;
	}
	watching->last = file->number;
	describe_targets(watching);
	/* What can't be written the record counts, and says at its end. */
	record_add_window(watching->recording.rec, &file->window, file->regions, file->nr);
	return 0;
}

static int wait_ms(const struct watching *watching)
{
	uint64_t ms = watching->file.window.aggr_us / 4000;

	return ms < SHORTEST_WAIT_MS  ? SHORTEST_WAIT_MS
	       : ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS
				      : (int)ms;
}

/* Until a signal, the end of --for, or the end of the context. */
static int watch(struct watching *watching)
{
	uint64_t end = watching->opts->for_us
			       ? clock_ns(CLOCK_MONOTONIC) + watching->opts->for_us * 1000
			       : UINT64_MAX;
	enum context_state state;
	int ret;

	/* What is there already is of before; what counts is published from now on. */
	if (!window_file_read(&watching->file, &watching->tree, watching->address.kdamond))
		watching->last = watching->file.number;
	do {
		ret = context_state(&watching->tree, &watching->address, &state);
		if (ret == -ENOENT || (!ret && state != CONTEXT_ON && state != CONTEXT_PAUSED)) {
			note("%u/%u has ended", watching->address.kdamond,
			     watching->address.context);
			return 0;
		}
		watching->paused = state == CONTEXT_PAUSED;
		ret = take_window(watching);
		if (ret)
			return ret;
		poll(NULL, 0, wait_ms(watching));
	} while (!signals_end_asked() && clock_ns(CLOCK_MONOTONIC) < end);
	return 0;
}

static int finish(struct watching *watching)
{
	uint64_t written = watching->last - watching->first + 1 - watching->missed;
	int ret;

	if (!watching->recording.rec)
		return give_up(EXIT_FAILED, "'%u/%u' %spublished no window; there is no record",
			       watching->address.kdamond, watching->address.context,
			       watching->paused ? "is paused and " : "");
	ret = recording_finish(&watching->recording);
	if (ret)
		return ret;
	note("%s: %" PRIu64 " windows; see it with: udamon report %s", watching->path, written,
	     watching->path);
	if (watching->missed)
		note("%" PRIu64 " windows were replaced before they could be read",
		     watching->missed);
	return 0;
}

int record_context(const struct options *opts, const char *path)
{
	struct watching watching = {.opts = opts, .path = path};
	char *argv[] = {(char *)opts->context, NULL};
	enum context_state state;
	char file[TREE_PATH_SIZE], value[TREE_VALUE_SIZE];
	int ret, finished;

	signals_note_end();
	ret = tree_open(&watching.tree, opts);
	if (!ret)
		ret = context_choose(&watching.tree, 1, argv, false, &watching.address, &state);
	if (!ret) {
		ret = tree_get(&watching.tree,
			       tree_path(file, "%u/contexts/%u/operations",
					 watching.address.kdamond, watching.address.context),
			       value);
		if (ret)
			ret = tree_failed(&watching.tree, file, NULL, ret);
	}
	if (!ret) {
		snprintf(watching.operations, sizeof(watching.operations), "%.31s", value);
		ret = watch(&watching);
		/* Where there is no record because of an error, that was said. */
		finished = ret && !watching.recording.rec ? ret : finish(&watching);
		if (!ret)
			ret = finished;
		if (!ret && (opts->json || opts->html))
			ret = opts->json ? report_print(opts, report_kind_find("summary"), path,
							NULL, NULL)
					 : report_write_html(opts, path);
	}
	window_file_clear(&watching.file);
	tree_close(&watching.tree);
	return ret;
}
