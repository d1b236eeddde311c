/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Watching live processes from start to end: the context, the record, the signals, the view.
 *
 *	session_open();  session_add() for each process;  session_start();
 *	session_watch();  session_finish();  session_close().
 */
#ifndef UDAMON_CLI_SESSION_H
#define UDAMON_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <udamon/damon.h>

#include "cli/child.h"
#include "cli/foreground.h"
#include "cli/live.h"
#include "cli/options.h"
#include "cli/pausing.h"
#include "cli/recording.h"
#include "cli/training.h"
#include "params/scheme.h"

struct damon_vaddr_env;

/**
 * struct watched - a process that is watched
 * @pidfd:	readable when it has ended; -1 afterwards
 * @start_time: of the process; with its number it is its name
 * @target:	its target; the context's
 */
struct watched {
	int pidfd;
	uint64_t start_time;
	struct damon_target *target;
};

/** enum session_end - why session_watch() returned */
enum session_end {
	SESSION_TARGETS_GONE,
	SESSION_TIME_UP,
	SESSION_SIGNAL,
	SESSION_FAILED,
};

/**
 * struct session - one run of the monitor
 * @opts:	what was asked for
 * @path:	of the record
 * @signal:	the signal that ended it, or 0
 * @signal_from_terminal: the terminal sent it to the command as well
 * The rest is private.
 */
struct session {
	const struct options *opts;
	const char *path;
	int signal;
	bool signal_from_terminal;
	struct damon_port *port;
	struct damon_vaddr_env *env;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct watched *watched;
	size_t nr_watched;
	struct recording recording;
	struct training training;
	struct params_schemes schemes;
	struct live live;
	struct foreground foreground;
	int kick_fd;
	uint64_t t_start_ns;
	struct damon_attrs first; /* in force at the start */
	uint64_t t_mappings_ns;
	bool starting;
	bool exec_seen; /* the record may have an old name; the kdamond's */
	int start_code;
	bool started;
	struct pausing pausing;
	int result;
	char lost[512];
	bool lost_said;
	uint64_t nr_lost;
	bool hushed; /* the command has the terminal */
};

/** session_cannot() - why a process can't be watched (@code is -errno); prints it, returns an exit code */
int session_cannot(int code, const char *why);

/** session_open() - load the engine, make a context; 0, or an exit code after the error was printed */
int session_open(struct session *session, const struct options *opts);

/**
 * session_add() - watch a process
 * @may_be_gone: it is no error when there is no such process any more
 * Return: as session_open().
 */
int session_add(struct session *session, pid_t pid, bool may_be_gone);

/**
 * session_start() - make the record and start watching; as session_open()
 * @starting:	the program is about to start: look for new mappings more often at first
 */
int session_start(struct session *session, const char *path, bool starting);

/** session_watch() - until something ends it. @what names in the status line what is watched. */
enum session_end session_watch(struct session *session, const char *what);

/** session_finish() - stop watching and complete the record; as session_open() */
int session_finish(struct session *session);

/** session_close() - free everything; removes a record that nothing was written to yet */
void session_close(struct session *session);

#endif
