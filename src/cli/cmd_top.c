// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon top: a live view of the daemon's contexts. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/contexts.h"
#include "cli/facts.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/window_file.h"
#include "report/format.h"
#include "report/report.h"

#define REFRESH_MS 1000
#define MOST	   64 /* contexts whose processor time is compared with the view before */
/* Of its own, without a cursor, and lines that are too long cut. */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define LEAVE_SCREEN "\033[?7h\033[?25h\033[?1049l"

/* What one context had used when it was looked at last. */
struct usage {
	uint64_t cpu_ns;
	uint64_t t_ns;
};

struct top {
	const struct tree *tree;
	struct report_style style;
	struct window_file window;
	struct usage before[MOST];
	unsigned int nr_contexts;
	FILE *out;
};

/* Sizes of the window's memory by heat, as the reports count it. */
static void print_sizes(struct top *top)
{
	double hot = 0, idle = 0, rest = 0, unknown = 0;

	for (size_t i = 0; i < top->window.nr; i++) {
		const struct record_region *region = &top->window.regions[i];
		double size = (double)(region->end - region->start);

		if (!region->samples)
			unknown += size;
		else if (!region->nr_accesses)
			idle += size;
		else if (2 * (uint64_t)region->nr_accesses >= region->samples)
			hot += size;
		else
			rest += size;
	}
	fprintf(top->out, "     hot %s, accessed %s, idle %s", format_size(hot).s,
		format_size(hot + rest).s, format_size(idle).s);
	if (unknown > 0)
		fprintf(top->out, ", unknown %s", format_size(unknown).s);
	fprintf(top->out, "; %zu regions\n", top->window.nr);
}

static void print_strip(struct top *top)
{
	struct report_strip_region *regions = calloc(top->window.nr + 1, sizeof(*regions));
	struct report_style style = top->style;
	size_t nr = 0;
	char strip[REPORT_STRIP_SIZE];

	if (!regions)
		return;
	/* A strip is of one target: the first. */
	for (size_t i = 0; i < top->window.nr; i++)
		if (top->window.regions[i].target == top->window.regions[0].target)
			nr = i + 1;
	for (size_t i = 0; i < nr; i++)
		regions[i] = (struct report_strip_region){
			.start = top->window.regions[i].start,
			.end = top->window.regions[i].end,
			.nr_accesses = top->window.regions[i].nr_accesses,
			.samples = top->window.regions[i].samples,
		};
	style.width = style.width > 12 ? style.width - 6 : 6;
	if (report_strip_render(regions, nr, &style, strip, sizeof(strip)) >= 0)
		fprintf(top->out, "     %s\n", strip);
	free(regions);
}

static void print_overhead(struct top *top, unsigned int kdamond)
{
	const struct damon_window *window = &top->window.window;
	struct usage *before = kdamond < MOST ? &top->before[kdamond] : NULL;

	fprintf(top->out, "     samples every %s, windows of %s",
		format_duration(1000.0 * (double)window->sample_us).s,
		format_duration(1000.0 * (double)window->aggr_us).s);
	if (before && before->t_ns && window->t_end_ns > before->t_ns &&
	    window->cost.cpu_ns >= before->cpu_ns)
		fprintf(top->out, "; costs %s of a processor",
			format_percent(100.0 * (double)(window->cost.cpu_ns - before->cpu_ns) /
				       (double)(window->t_end_ns - before->t_ns))
				.s);
	fputc('\n', top->out);
	if (before)
		*before = (struct usage){window->cost.cpu_ns, window->t_end_ns};
}

static void print_schemes(struct top *top, const struct context_address *address,
			  enum context_state state)
{
	json_t *schemes, *scheme;
	size_t i;

	if (schemes_refresh(top->tree, address, state) ||
	    schemes_facts(top->tree, address, &schemes))
		return;
	for (i = 0; (scheme = json_array_get(schemes, i)); i++) {
		fprintf(top->out, "     scheme %zu, %s: applied to %s", i,
			fact_text(scheme, "action"),
			format_size((double)fact_number(scheme, "sz_applied")).s);
		if (fact_number(scheme, "effective_bytes"))
			fprintf(top->out, "; quota %s, used up %lld times", fact_quota(scheme).s,
				fact_number(scheme, "qt_exceeds"));
		fputc('\n', top->out);
	}
	json_decref(schemes);
}

static int show_context(void *data, const struct context_address *address, enum context_state state)
{
	struct top *top = data;
	int ret;

	if (state == CONTEXT_NONE)
		return 0;
	top->nr_contexts++;
	ret = window_file_read(&top->window, top->tree, address->kdamond);
	fprintf(top->out, "%u/%u %s", address->kdamond, address->context,
		context_state_name(state));
	for (size_t t = 0; !ret && t < top->window.nr_targets; t++)
		if (top->window.targets[t].pid >= 0)
			fprintf(top->out, "%s process %lld", t ? "," : "",
				(long long)top->window.targets[t].pid);
	fputc('\n', top->out);
	if (!ret) {
		print_sizes(top);
		print_strip(top);
		print_overhead(top, address->kdamond);
	} else if (top->tree->kernel) {
		fputs("     a kernel doesn't show its windows; its schemes are all there is\n",
		      top->out);
	} else if (ret == -EAGAIN) {
		fputs("     no window yet\n", top->out);
	} else {
		fprintf(top->out, "     its window can't be read: %s\n", strerror(-ret));
	}
	print_schemes(top, address, state);
	return 0;
}

/* The length of the first @lines lines. */
static size_t first_lines(const char *text, unsigned int lines)
{
	const char *end = text;

	while (lines-- && *end)
		end += strcspn(end, "\n") + (strchr(end, '\n') != NULL);
	return (size_t)(end - text);
}

/* As much as the terminal has room for, made whole first, so that it doesn't flicker. */
static int show_on_screen(const char *text, size_t size)
{
	unsigned int rows = terminal_rows();
	size_t shown = rows > 2 ? first_lines(text, rows - 2) : size;
	char *screen = NULL;
	int ret, len;

	len = asprintf(&screen, "\033[H\033[J%.*s\n%s", (int)shown, text,
		       shown < size ? "q quits; there is more than fits here" : "q quits");
	if (len < 0)
		return give_up(EXIT_FAILED, "out of memory");
	ret = output_text(screen, (size_t)len);
	free(screen);
	return ret;
}

static int show(struct top *top, int argc, char **argv, bool screen)
{
	char *text = NULL;
	size_t size;
	int ret;

	top->out = open_memstream(&text, &size);
	if (!top->out)
		return give_up(EXIT_FAILED, "out of memory");
	top->nr_contexts = 0;
	ret = contexts_for_each(top->tree, argc, argv, show_context, top);
	if (!ret && !top->nr_contexts)
		fputs("no context; start one with: udamon start\n", top->out);
	if (fclose(top->out) && !ret)
		ret = give_up(EXIT_FAILED, "out of memory");
	if (!ret)
		ret = screen ? show_on_screen(text, size) : output_text(text, size);
	free(text);
	return ret;
}

/* Wait for the next view; true: it is to end. */
static bool wait_for_end(struct top *top, const struct options *opts, int key_fd)
{
	struct pollfd fds[] = {{signals_fd(), POLLIN, 0}, {key_fd, POLLIN, 0}};
	bool from_terminal, end = false;
	int signo;

	poll(fds, key_fd < 0 ? 1 : 2, REFRESH_MS);
	while ((signo = signals_next(&from_terminal))) {
		if (signo == SIGINT || signo == SIGTERM || signo == SIGHUP)
			end = true;
		if (signo == SIGWINCH)
			terminal_style(opts, &top->style);
	}
	if (key_fd >= 0 && terminal_key() == 'q')
		end = true;
	return end;
}

int top_command(const struct options *opts, int argc, char **argv)
{
	bool screen = !opts->count && isatty(STDOUT_FILENO) && terminal_has_status();
	uint64_t left = opts->count ? opts->count : screen ? UINT64_MAX : 1;
	struct top top = {0};
	struct tree tree;
	int key_fd = -1, ret = tree_open(&tree, opts);

	top.tree = &tree;
	if (!ret && signals_start(false))
		ret = give_up(EXIT_FAILED, "cannot queue signals: %s", strerror(errno));
	if (ret) {
		tree_close(&tree);
		return ret;
	}
	terminal_style(opts, &top.style);
	if (screen) {
		key_fd = terminal_keys_start();
		output_text(ENTER_SCREEN, strlen(ENTER_SCREEN));
	}
	while (!ret && left--) {
		ret = show(&top, argc, argv, screen);
		if (ret || !left || wait_for_end(&top, opts, key_fd))
			break;
	}
	if (screen)
		output_text(LEAVE_SCREEN, strlen(LEAVE_SCREEN));
	terminal_restore();
	if (ret && screen) /* the first message went with the screen */
		give_up(ret, "'%s' can't be read any more; see: udamon status", tree.root);
	window_file_clear(&top.window);
	tree_close(&tree);
	return ret;
}
