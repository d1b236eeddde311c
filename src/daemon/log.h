/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the daemon says: one line each, on standard error, for people or for the journal.
 */
#ifndef UDAMON_DAEMON_LOG_H
#define UDAMON_DAEMON_LOG_H

#include <stdbool.h>

/** enum log_level - how much a line matters; the journal's priorities */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/**
 * log_begin() - before anything is said and before there are threads
 * @journal:	lines begin with "<PRIORITY>", which the journal understands
 * @verbose:	info and debug lines, too
 */
void log_begin(bool journal, bool verbose);

/** log_journal_listens() - whether standard error is connected to the journal */
bool log_journal_listens(void);

/**
 * log_say() - one line; from any thread. Control characters in it are shown as "?".
 *
 * "udamond: error: TEXT", "udamond: warning: TEXT", "udamond: TEXT".
 */
__attribute__((format(printf, 2, 3))) void log_say(enum log_level level, const char *fmt, ...);

#endif
