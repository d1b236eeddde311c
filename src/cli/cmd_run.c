// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon run and udamon record: watch a command, or processes that run already, into a record. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/record_context.h"
#include "cli/reporting.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/targets.h"
#include "cli/terminal.h"

/* A command that was told to end by SIGINT, which some ignore, has this long before SIGTERM. */
#define GRACE_MS 2000

static const char *record_path(const struct options *opts)
{
	return opts->output ? opts->output : DEFAULT_RECORD;
}

/* Pass a signal on to the command, unless the terminal has given it to the whole group already. */
static void pass_on(const struct child *child, int signo, bool from_terminal)
{
	if (!from_terminal || child->own_group)
		child_signal(child, signo);
}

/*
 * Wait until the command has ended. A first signal (@told, when there was one already) is passed on
 * to it; the next one leaves it alone. Returns the signal that made it be left, or 0.
 */
static int wait_for(struct child *child, struct foreground *foreground, int told)
{
	int timeout = told == SIGINT ? GRACE_MS : -1;

	while (!child_reap(child)) {
		struct pollfd fds[] = {{signals_fd(), POLLIN, 0}, {child->pidfd, POLLIN, 0}};
		bool from_terminal;
		int signo, nr = poll(fds, 2, timeout);

		if (!nr) {
			child_signal(child, SIGTERM);
			timeout = -1;
		}
		while ((signo = signals_next(&from_terminal))) {
			foreground_signal(foreground, signo);
			if (signo != SIGINT && signo != SIGTERM && signo != SIGHUP)
				continue;
			if (told)
				return signo;
			told = signo;
			timeout = told == SIGINT ? GRACE_MS : -1;
			pass_on(child, signo, from_terminal);
		}
	}
	return 0;
}

/* What came of it, for people: on standard error. */
static void tell_record(struct session *session)
{
	struct live *live = &session->live;
	uint64_t written = live->windows - session->nr_lost;
	char lost[64] = "";

	if (!live->windows) {
		note("%s: no window: watching ended before the first one did, after %.3g s",
		     session->path, (double)session->first.aggr_interval / 1e6);
		return;
	}
	if (session->nr_lost)
		snprintf(lost, sizeof(lost), ", %" PRIu64 " more could not be written",
			 session->nr_lost);
	note("%s: %" PRIu64 " windows in %.1f s%s; see it with: udamon report %s", session->path,
	     written, live_seconds(live), lost, session->path);
}

/* Print the summary, when it is wanted, and write the web page. */
static int report_record(struct session *session, bool summary)
{
	const struct options *opts = session->opts;

	if (summary)
		return report_print(opts, report_kind_find("summary"), session->path, NULL, NULL);
	return opts->html ? report_write_html(opts, session->path) : 0;
}

/* Everything from the command's first instruction on. Returns the exit code. */
static int watch_child(struct session *session, struct child *child, const char *name, bool report)
{
	enum session_end end;
	int left = 0, ret;

	if (child_release(child))
		return give_up(EXIT_FAILED, "cannot let '%s' go on", name);
	end = session_watch(session, name);
	if (end == SESSION_SIGNAL)
		pass_on(child, session->signal, session->signal_from_terminal);
	ret = session_finish(session);
	terminal_restore();
	if (end == SESSION_SIGNAL)
		left = wait_for(child, &session->foreground, session->signal);
	if (!ret)
		ret = report_record(session, report);
	tell_record(session);
	if (end != SESSION_SIGNAL && !child_reap(child)) {
		if (end == SESSION_TIME_UP)
			note("waiting for '%s' to end; Ctrl-C ends it", name);
		left = wait_for(child, &session->foreground, 0);
	}
	if (left) {
		note("'%s' (process %d) goes on running", name, (int)child->pid);
		return 128 + left;
	}
	return child_exit_code(child) ? child_exit_code(child) : ret;
}

static int watch_command(const struct options *opts, char **argv, bool live, bool report)
{
	struct child child = {.pidfd = -1};
	struct session session;
	bool keys;
	int ret;

	live = live && !opts->quiet && terminal_has_status();
	keys = live && foreground_possible();
	ret = session_open(&session, opts);
	if (!ret)
		ret = child_start(&child, argv, opts->user, keys);
	if (!ret)
		ret = session_add(&session, child.pid, false);
	if (!ret)
		ret = session_start(&session, record_path(opts), true);
	if (!ret) {
		session.live.strips = live;
		if (live)
			terminal_reserve_bottom();
		live_legend(&session.live);
		if (keys)
			foreground_start(&session.foreground, &child);
		ret = watch_child(&session, &child, basename(argv[0]), report);
	}
	child_kill(&child);
	session_close(&session);
	child_clear(&child);
	return ret;
}

static int watch_processes(const struct options *opts)
{
	struct pid_list list = {0};
	struct session session;
	char what[64];
	int ret;

	ret = session_open(&session, opts);
	if (!ret && opts->cgroup)
		ret = cgroup_processes(&list, opts->cgroup);
	for (size_t i = 0; i < opts->nr_pids && !ret; i++)
		ret = session_add(&session, opts->pids[i], false);
	for (size_t i = 0; i < list.nr && !ret; i++)
		ret = session_add(&session, list.pids[i], true);
	if (!ret && !session.nr_watched)
		ret = give_up(EXIT_FAILED, "the processes of '%s' have all ended", opts->cgroup);
	if (!ret)
		ret = session_start(&session, record_path(opts), false);
	if (!ret) {
		if (session.nr_watched == 1)
			snprintf(what, sizeof(what), "process %d",
				 (int)session.watched[0].target->pid);
		else
			snprintf(what, sizeof(what), "%zu processes", session.nr_watched);
		session_watch(&session, what);
		ret = session_finish(&session);
		if (!ret)
			ret = report_record(&session, opts->json);
		tell_record(&session);
	}
	session_close(&session);
	pid_list_clear(&list);
	return ret;
}

int run_command(const struct options *opts, int argc, char **argv)
{
	if (!argc)
		return give_up(EXIT_USAGE, "which command? as: udamon run -- COMMAND");
	return watch_command(opts, argv, true, true);
}

/* It has its schemes and keeps what it learns by itself: neither can be asked of it here. */
static int watch_context(const struct options *opts)
{
	const char *asked = opts->nr_schemes	  ? opts->schemes[0].text
			    : opts->save_training ? opts->save_training
						  : opts->load_training;

	if (asked)
		return give_up(EXIT_USAGE,
			       "--context '%s' and schemes or training ('%s') don't go together: a "
			       "context of the daemon is only looked at",
			       opts->context, asked);
	return record_context(opts, record_path(opts));
}

int record_command(const struct options *opts, int argc, char **argv)
{
	int ways =
		(opts->nr_pids > 0) + (opts->cgroup != NULL) + (opts->context != NULL) + (argc > 0);

	if (!ways)
		return give_up(EXIT_USAGE, "what shall be watched? give -p PID, --cgroup PATH, "
					   "--context K/C or -- COMMAND");
	if (ways > 1)
		return give_up(EXIT_USAGE,
			       "-p, --cgroup, --context and a command ('%s') don't go together",
			       argc	       ? argv[0]
			       : opts->context ? opts->context
					       : opts->cgroup);
	if (opts->user && !argc)
		return give_up(EXIT_USAGE, "--user '%s' needs a command to start", opts->user);
	if (opts->nr_ranges && opts->nr_pids != 1)
		return give_up(EXIT_USAGE,
			       "--range needs one process, given with -p: addresses are "
			       "another process's, and a new command's are not known");
	if (opts->context)
		return watch_context(opts);
	if (opts->load_training && argc)
		return give_up(
			EXIT_USAGE,
			"--load-training '%s' needs processes that run already (-p, --cgroup): "
			"a new command has its memory at other addresses",
			opts->load_training);
	return argc ? watch_command(opts, argv, false, opts->json) : watch_processes(opts);
}
