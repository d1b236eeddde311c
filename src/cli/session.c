// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Watching live processes: set up, main loop, and the way out. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <udamon/ops.h>

#include "access/doctor.h"
#include "cli/engine.h"
#include "cli/message.h"
#include "cli/schemes.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "system/metric.h"
#include "system/process.h"
#include <udamon/vaddr.h>

/* A status line for what takes longer than this; it is renewed a few times a second. */
#define PATIENCE_NS	2000000000ULL
#define REFRESH_NS	250000000ULL
#define LONGEST_WAIT_NS 3600000000000ULL
/* A program that starts makes most of its mappings in this time; they are looked for this often. */
#define START_UP_NS	   2000000000ULL
#define START_UP_UPDATE_US 50000

static int out_of_memory(void)
{
	return give_up(EXIT_FAILED, "out of memory");
}

/* Callbacks of the context: on the kdamond. */

static void kick(void *data)
{
	struct session *session = data;
	uint64_t one = 1;

	(void)!write(session->kick_fd, &one, sizeof(one));
}

/* A number may be another process's by now: what is read by it belongs to the target only if not. */
static bool is_there(const struct session *session, const struct damon_target *target)
{
	struct process_info info;

	for (size_t i = 0; i < session->nr_watched; i++)
		if (session->watched[i].target == target)
			return !process_info_read(&info, (pid_t)target->pid) &&
			       info.start_time == session->watched[i].start_time;
	return false;
}

/*
 * Write what a target (all for -1) has mapped now, and what it is called. Without
 * memory for that the record only lacks names.
 */
static void read_mappings(struct session *session, const struct damon_ctx *ctx, int64_t id)
{
	for (uint32_t i = 0; i < ctx->nr_targets; i++)
		if ((id < 0 || ctx->targets[i]->id == id) && is_there(session, ctx->targets[i]))
			recording_mappings(&session->recording, ctx->targets[i]);
}

static void read_resident(struct session *session, const struct damon_ctx *ctx)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < ctx->nr_targets; i++)
		if (is_there(session, ctx->targets[i]))
			pages += process_resident_pages((pid_t)ctx->targets[i]->pid);
	recording_resident(&session->recording, pages);
}

static void read_names(struct session *session, const struct damon_ctx *ctx)
{
	for (uint32_t i = 0; i < ctx->nr_targets; i++)
		if (is_there(session, ctx->targets[i]))
			recording_rename(&session->recording, ctx->targets[i],
					 damon_ops_name(ctx->ops->id));
}

/* How often the layout is read. */
static void set_update(struct damon_ctx *ctx, uint64_t update_us)
{
	struct damon_attrs attrs = ctx->attrs;

	attrs.ops_update_interval = update_us;
	damon_set_attrs(ctx, &attrs);
}

static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct session *session = data;

	if (window->t_end_ns - session->t_mappings_ns >= ctx->attrs.ops_update_interval * 1000) {
		session->t_mappings_ns = window->t_end_ns;
		read_mappings(session, ctx, -1);
		read_resident(session, ctx);
	}
	if (session->exec_seen) {
		session->exec_seen = false;
		read_names(session, ctx);
	}
	schemes_follow(&session->schemes, ctx);
	/* What can't be written is counted, and is no reason to stop. */
	if (record_window(session->recording.rec, ctx, window))
		session->nr_lost++;
	live_window(&session->live, ctx, window,
		    ctx->nr_targets == 1 ? &session->recording.maps : NULL);
	if (session->starting && window->t_end_ns - session->t_start_ns >= START_UP_NS) {
		session->starting = false;
		set_update(ctx, options_update_us(session->opts));
	}
	kick(session);
	return 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct session *session = data;

	if (!strcmp(event->what, "tune"))
		schemes_follow(&session->schemes, ctx);
	if (!session->recording.rec)
		return;
	if (!strcmp(event->what, "layout") || !strcmp(event->what, "exec"))
		read_mappings(session, ctx, event->target);
	/* Again with the next window: in the middle of an exec there are no arguments yet. */
	if (!strcmp(event->what, "exec")) {
		session->exec_seen = true;
		read_names(session, ctx);
	}
	record_event(session->recording.rec, event);
}

static void on_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct session *session = data;

	engine_record_end(session->recording.rec, ctx);
	pthread_mutex_lock(&session->live.lock);
	session->result = result;
	pthread_mutex_unlock(&session->live.lock);
	kick(session);
}

static void on_lost(void *data, int code, const char *text)
{
	struct session *session = data;

	pthread_mutex_lock(&session->live.lock);
	snprintf(session->lost, sizeof(session->lost), "%s", text);
	pthread_mutex_unlock(&session->live.lock);
	kick(session);
}

/* Setting up. */

/* Which privileges are missing and what for, as "CAP_X (to ...), CAP_Y (to ...)"; "" for none. */
static void missing_capabilities(char *text, size_t size)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));

	text[0] = '\0';
	if (!doctor || doctor_examine(doctor))
		goto out;
	for (unsigned int i = 0; i < doctor->nr_capabilities; i++) {
		const struct doctor_capability *capability = &doctor->capabilities[i];
		size_t len = strlen(text);

		if (!capability->have)
			snprintf(text + len, size - len, "%s%s (%s)", len ? ", " : "",
				 capability->name, capability->purpose);
	}
out:
	free(doctor);
}

int session_cannot(int code, const char *why)
{
	char missing[1024];

	if (code == -EINVAL)
		return give_up(EXIT_USAGE, "%s", why);
	if (code != -EPERM && code != -EACCES && code != -EOPNOTSUPP)
		return give_up(EXIT_FAILED, "%s", why);
	missing_capabilities(missing, sizeof(missing));
	if (missing[0])
		return give_up(EXIT_CANNOT,
			       "%s; missing here: %s; run it as root (sudo), or watch a simulated "
			       "program instead: udamon sim hotcold",
			       why, missing);
	return give_up(EXIT_CANNOT,
		       "%s; 'udamon doctor' says more; or watch a simulated program instead: "
		       "udamon sim hotcold",
		       why);
}

static int on_started(struct damon_ctx *ctx, void *data);

int session_open(struct session *session, const struct options *opts)
{
	const struct damon_vaddr_options vaddr = engine_options(opts);
	struct report_style style;
	struct damon_error err = {""};
	struct damon_attrs attrs;
	int ret;

	*session = (struct session){.opts = opts, .kick_fd = -1};
	terminal_style_stderr(opts, &style);
	live_init(&session->live, false, &style);
	pausing_init(&session->pausing, kick, session);
	ret = options_attrs(opts, &attrs);
	if (ret)
		return ret;
	if (signals_start(true) || (session->kick_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		return give_up(EXIT_FAILED, "cannot wait for signals: %s", strerror(errno));
	ret = damon_vaddr_env_new(&session->env, &vaddr, &err);
	if (ret)
		return session_cannot(ret, err.text);
	session->port = damon_port_posix_new();
	if (!session->port || damon_lib_new(&session->lib, session->port) ||
	    damon_vaddr_register(session->lib, session->env) ||
	    damon_new_ctx(&session->ctx, session->lib) ||
	    damon_select_ops(session->ctx, opts->nr_ranges ? DAMON_OPS_FVADDR : DAMON_OPS_VADDR))
		return out_of_memory();
	session->port->metric = system_metric;
	session->ctx->seed = opts->seed ? opts->seed : session->port->seed(session->port);
	session->ctx->callbacks = (struct damon_callbacks){
		.started = on_started,
		.window = on_window,
		.event = on_event,
		.stopped = on_stopped,
		.data = session,
	};
	if (damon_set_attrs(session->ctx, &attrs))
		return give_up(EXIT_USAGE,
			       "these intervals and numbers of regions don't go together");
	return schemes_begin(&session->schemes, opts, session->ctx);
}

int session_add(struct session *session, pid_t pid, bool may_be_gone)
{
	const struct options *opts = session->opts;
	struct damon_error err = {""};
	struct damon_target *target;
	struct process_info info;
	struct watched *watched;
	int pidfd, ret;

	watched = reallocarray(session->watched, session->nr_watched + 1, sizeof(*watched));
	if (!watched)
		return out_of_memory();
	session->watched = watched;
	ret = process_open(pid, &pidfd, &info, &err);
	if (ret == -ESRCH && may_be_gone)
		return 0;
	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	ret = damon_vaddr_target_new(&target, session->lib, session->env, pid, &err);
	if (ret) {
		close(pidfd);
		if (ret == -ESRCH && may_be_gone)
			return 0;
		return ret == -EINVAL ? give_up(EXIT_FAILED, "%s", err.text)
				      : session_cannot(ret, err.text);
	}
	if (opts->nr_ranges)
		ret = damon_set_regions(target, opts->ranges, opts->nr_ranges,
					session->ctx->attrs.min_region_sz);
	if (!ret)
		ret = damon_add_target(session->ctx, target);
	if (ret) {
		damon_free_target(target);
		close(pidfd);
		return ret == -ENOMEM ? out_of_memory()
				      : give_up(EXIT_USAGE,
						"the ranges can't be watched: %s; once "
						"aligned to pages they must not overlap",
						strerror(-ret));
	}
	watched[session->nr_watched++] = (struct watched){pidfd, info.start_time, target};
	return 0;
}

/* The command line, as the record keeps it. Return: a text to free, or NULL. */
static char *own_command_line(void)
{
	char text[4096];

	return process_cmdline(getpid(), text, sizeof(text)) ? NULL : strdup(text);
}

static int make_record(struct session *session, const char *path)
{
	char *command = own_command_line();
	struct damon_ctx *ctx = session->ctx;
	const struct record_options options = {
		.engine = damon_vaddr_env_engine(session->env),
		.command = command,
		.seed = ctx->seed,
		.clock = "monotonic",
		.now_ns = session->port->now_ns(session->port),
		.attrs = &ctx->attrs,
		.failed = on_lost,
		.data = session,
	};
	struct damon_error err = {""};
	int ret;

	ret = record_create(&session->recording.rec, path, &options, &err);
	free(command);
	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	engine_record_start(session->recording.rec, ctx, session->opts);
	for (size_t i = 0; i < session->nr_watched && !ret; i++) {
		ret = recording_process(&session->recording, session->watched[i].target,
					damon_ops_name(ctx->ops->id));
		if (!ret)
			ret = recording_mappings(&session->recording, session->watched[i].target);
	}
	read_resident(session, ctx);
	schemes_follow(&session->schemes, ctx); /* training may have brought other intervals */
	if (ret || schemes_describe(session->recording.rec, ctx))
		return out_of_memory();
	if (session->starting && ctx->attrs.ops_update_interval > START_UP_UPDATE_US)
		set_update(ctx, START_UP_UPDATE_US);
	return 0;
}

static void tell_settings(const struct session *session)
{
	const struct damon_attrs *attrs = &session->ctx->attrs;
	const struct damon_intervals_goal *goal = &attrs->intervals_goal;

	note("engine %s, seed %" PRIu64 ", a look every %" PRIu64 " us, windows of %" PRIu64
	     " us, %" PRIu64 " to %" PRIu64 " regions",
	     damon_vaddr_env_engine(session->env), session->ctx->seed, attrs->sample_interval,
	     attrs->aggr_interval, attrs->min_nr_regions, attrs->max_nr_regions);
	if (goal->aggrs)
		note("the intervals are tuned to see %" PRIu64
		     " bp of the possible accesses, every "
		     "%" PRIu64 " windows, looking every %" PRIu64 " to %" PRIu64 " us",
		     goal->access_bp, goal->aggrs, goal->min_sample_us, goal->max_sample_us);
}

/*
 * Everything is set up and nothing can refuse the run any more, except the record itself: only now may
 * an older one be replaced.
 */
static int on_started(struct damon_ctx *ctx, void *data)
{
	struct session *session = data;

	session->start_code = make_record(session, session->path);
	return session->start_code ? -ECANCELED : 0;
}

static int nothing(struct damon_ctx *ctx, void *data)
{
	return 0;
}

int session_start(struct session *session, const char *path, bool starting)
{
	struct damon_call_control served = {.fn = nothing};
	struct damon_error err = {""};
	int ret;

	ret = engine_choose(session->env, session->ctx, session->opts, starting);
	if (!ret)
		ret = training_begin(&session->training, session->opts, session->ctx, NULL);
	if (ret)
		return ret;
	session->path = path;
	session->starting = starting;
	session->first = session->ctx->attrs;
	session->t_start_ns = session->port->now_ns(session->port);
	session->t_mappings_ns = session->t_start_ns;
	ret = damon_start(&session->ctx, 1, false);
	if (ret == -ESTALE)
		return training_refused(&session->training);
	if (ret) {
		if (!damon_vaddr_env_error(session->env, &err))
			snprintf(err.text, sizeof(err.text), "cannot start watching: %s",
				 strerror(-ret));
		return ret == -EINVAL ? give_up(EXIT_FAILED, "%s", err.text)
				      : session_cannot(ret, err.text);
	}
	if (session->opts->for_us && session->opts->for_us < session->first.aggr_interval)
		give_up(0,
			"watching for %.3g s is shorter than a window of %.3g s: nothing will be "
			"recorded; watch for longer, or with shorter windows (--aggr)",
			(double)session->opts->for_us / 1e6,
			(double)session->first.aggr_interval / 1e6);
	/* A request is served after on_started(), or cancelled because that failed. */
	damon_call(session->ctx, &served);
	if (session->start_code) {
		damon_stop(&session->ctx, 1);
		return session->start_code;
	}
	session->started = true;
	if (session->opts->verbose)
		tell_settings(session);
	return 0;
}

/* The main loop. */

/* See to it that what the user wants comes to be, and say what has come of it. */
static void follow_pause(struct session *session)
{
	if (!pausing_follow(&session->pausing, session->ctx))
		return;
	if (!session->pausing.paused)
		note("resumed");
	else
		note(session->foreground.keys ? "paused; p goes on" : "paused; SIGUSR2 goes on");
}

static void set_paused(struct session *session, bool paused)
{
	session->pausing.wanted = paused;
	follow_pause(session);
}

/* Take in what the signals ask for; true when one of them ends the session. */
static bool take_signals(struct session *session)
{
	struct report_style style;
	bool from_terminal;
	int signo;

	while ((signo = signals_next(&from_terminal))) {
		switch (signo) {
		case SIGUSR1:
			set_paused(session, true);
			break;
		case SIGUSR2:
			set_paused(session, false);
			break;
		case SIGWINCH:
			terminal_resized();
			terminal_style_stderr(session->opts, &style);
			live_width(&session->live, style.width);
			break;
		case SIGTSTP:
		case SIGCHLD:
			if (foreground_signal(&session->foreground, signo)) {
				session->hushed = true;
				live_hush(&session->live);
			}
			break;
		case SIGINT:
		case SIGTERM:
		case SIGHUP:
			session->signal = signo;
			session->signal_from_terminal = from_terminal;
			return true;
		}
	}
	return false;
}

static void take_keys(struct session *session)
{
	int key;

	while ((key = terminal_key()))
		if (key == 'p')
			set_paused(session, !session->pausing.wanted);
}

static void take_kick(struct session *session)
{
	char lost[sizeof(session->lost)];
	uint64_t count;

	(void)!read(session->kick_fd, &count, sizeof(count));
	pthread_mutex_lock(&session->live.lock);
	snprintf(lost, sizeof(lost), "%s", session->lost);
	pthread_mutex_unlock(&session->live.lock);
	if (lost[0] && !session->lost_said) {
		session->lost_said = true;
		give_up(0, "%s; watching goes on, what is lost is counted", lost);
	}
	if (damon_is_running(session->ctx))
		follow_pause(session);
	live_draw(&session->live);
}

static void show_status(struct session *session, const char *what, uint64_t now_ns)
{
	uint64_t windows, accessed;
	char bytes[16], cost[80];

	if (session->opts->quiet || session->hushed || now_ns - session->t_start_ns < PATIENCE_NS)
		return;
	pthread_mutex_lock(&session->live.lock);
	windows = session->live.windows;
	accessed = session->live.accessed;
	live_cost(&session->live, session->opts->no_budget ? 0 : session->opts->budget_bp, cost,
		  sizeof(cost));
	pthread_mutex_unlock(&session->live.lock);
	terminal_status("%s %s for %.0f s: %" PRIu64 " windows, %s in use%s; Ctrl-C ends%s",
			session->pausing.paused	  ? "paused"
			: session->pausing.wanted ? "pausing"
						  : "watching",
			what, (double)(now_ns - session->t_start_ns) / 1e9, windows,
			format_bytes(accessed, bytes), cost,
			!session->foreground.keys ? ""
			: session->pausing.wanted ? ", p goes on"
						  : ", p pauses");
}

/* How long poll() may wait, in milliseconds: until the time is up, or something is to be done. */
static int patience(const struct session *session, uint64_t now_ns, uint64_t end_ns)
{
	uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	uint64_t due_ns = training_due_ns(&session->training);

	if (!session->opts->quiet && terminal_has_status() && due_ns > REFRESH_NS)
		due_ns = REFRESH_NS;
	if (left_ns > due_ns)
		left_ns = due_ns;
	if (left_ns > LONGEST_WAIT_NS)
		left_ns = LONGEST_WAIT_NS;
	/* Up, so that it isn't asked again and again in the last millisecond. */
	return (int)((left_ns + 999999) / 1000000);
}

/* Forget the processes that have ended; returns how many are left. */
static size_t take_endings(struct session *session, const struct pollfd *fds)
{
	size_t left = 0;

	for (size_t i = 0; i < session->nr_watched; i++) {
		struct watched *watched = &session->watched[i];

		if (watched->pidfd >= 0 && fds[i].revents) {
			close(watched->pidfd);
			watched->pidfd = -1;
		}
		left += watched->pidfd >= 0;
	}
	return left;
}

/*
 * When to stop looking, for a time that is up at @end_ns: a window that ends about then, by less than a
 * sampling interval and a tenth of the time, is waited for, with as much patience again. *@windows: how
 * many there are so far.
 */
static uint64_t last_chance_ns(struct session *session, uint64_t end_ns, uint64_t *windows)
{
	struct live *live = &session->live;
	uint64_t due_ns, slack_ns = (end_ns - session->t_start_ns) / 10, sample_ns;

	pthread_mutex_lock(&live->lock);
	*windows = live->windows;
	due_ns = live->windows ? live->t_last_ns + live->aggr_us * 1000
			       : session->t_start_ns + session->first.aggr_interval * 1000;
	sample_ns = 1000 * (live->windows ? live->sample_us : session->first.sample_interval);
	pthread_mutex_unlock(&live->lock);
	if (slack_ns > sample_ns)
		slack_ns = sample_ns;
	if (session->pausing.wanted || due_ns + slack_ns < end_ns || due_ns > end_ns + slack_ns)
		return end_ns;
	return end_ns + 2 * slack_ns;
}

static bool has_more_windows(struct session *session, uint64_t than)
{
	bool more;

	pthread_mutex_lock(&session->live.lock);
	more = session->live.windows > than;
	pthread_mutex_unlock(&session->live.lock);
	return more;
}

enum session_end session_watch(struct session *session, const char *what)
{
	size_t nr = session->nr_watched;
	struct pollfd *fds = calloc(nr + 3, sizeof(*fds));
	uint64_t end_ns = UINT64_MAX, windows = UINT64_MAX;
	enum session_end end = SESSION_FAILED;
	bool late = false;

	if (!fds) {
		session->result = -ENOMEM;
		return end;
	}
	if (session->opts->for_us)
		end_ns = session->t_start_ns + session->opts->for_us * 1000;
	for (;;) {
		uint64_t now_ns = session->port->now_ns(session->port);

		if (now_ns >= end_ns && !late) {
			late = true;
			end_ns = last_chance_ns(session, end_ns, &windows);
		}
		if (now_ns >= end_ns || (late && has_more_windows(session, windows))) {
			end = SESSION_TIME_UP;
			break;
		}
		training_tick(&session->training, session->ctx);
		show_status(session, what, now_ns);
		for (size_t i = 0; i < nr; i++)
			fds[i] = (struct pollfd){session->watched[i].pidfd, POLLIN, 0};
		fds[nr] = (struct pollfd){signals_fd(), POLLIN, 0};
		fds[nr + 1] = (struct pollfd){session->kick_fd, POLLIN, 0};
		fds[nr + 2] = (struct pollfd){foreground_fd(&session->foreground), POLLIN, 0};
		if (poll(fds, nr + 3, patience(session, now_ns, end_ns)) < 0)
			continue;
		if (fds[nr + 1].revents)
			take_kick(session);
		if (fds[nr + 2].revents & POLLIN)
			take_keys(session);
		else if (fds[nr + 2].revents) /* hung up */
			session->foreground.keys = false;
		if (fds[nr].revents && take_signals(session)) {
			end = SESSION_SIGNAL;
			break;
		}
		if (!take_endings(session, fds)) {
			end = SESSION_TARGETS_GONE;
			break;
		}
		if (!damon_is_running(session->ctx)) {
			end = session->result ? SESSION_FAILED : SESSION_TARGETS_GONE;
			break;
		}
	}
	free(fds);
	return end;
}

/* The way out. */

int session_finish(struct session *session)
{
	int result, saved, ret;

	if (!session->started)
		return 0;
	session->started = false;
	damon_stop(&session->ctx, 1);
	take_kick(session);
	terminal_clear_status();
	ret = recording_finish(&session->recording);
	saved = training_end(&session->training, session->ctx);
	if (!ret)
		ret = saved;
	result = session->result;
	if (result && !ret) {
		struct damon_error err = {""};

		if (!damon_vaddr_env_error(session->env, &err))
			snprintf(err.text, sizeof(err.text), "watching ended: %s",
				 strerror(-result));
		ret = give_up(EXIT_FAILED, "%s", err.text);
	}
	return ret;
}

void session_close(struct session *session)
{
	if (session->started)
		session_finish(session);
	recording_discard(&session->recording);
	training_clear(&session->training);
	damon_destroy_ctx(session->ctx);
	params_schemes_free(&session->schemes);
	if (session->lib)
		damon_lib_free(session->lib);
	damon_vaddr_env_free(session->env);
	if (session->port)
		damon_port_posix_free(session->port);
	for (size_t i = 0; i < session->nr_watched; i++)
		if (session->watched[i].pidfd >= 0)
			close(session->watched[i].pidfd);
	free(session->watched);
	if (session->kick_fd >= 0)
		close(session->kick_fd);
	live_clear(&session->live);
	pausing_clear(&session->pausing);
}
