/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the program says on standard error, and the exit codes it says it with. */
#ifndef UDAMON_CLI_MESSAGE_H
#define UDAMON_CLI_MESSAGE_H

#include <stdbool.h>

/**
 * enum exit_code - how a command ends
 * @EXIT_DONE:	it did what was asked
 * @EXIT_FAILED: it tried and failed
 * @EXIT_USAGE:	it was asked for something it doesn't understand
 * @EXIT_CANNOT: this machine, or this user on it, can't do it
 */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CANNOT = 77,
};

/** message_set_command() - the command whose name stands in front of every message; NULL for none */
void message_set_command(const char *command);

/** message_set_quiet() - whether note() says nothing */
void message_set_quiet(bool quiet);

/**
 * give_up() - say in one line what went wrong
 * @code:	exit code, passed through
 *
 * Control characters in the text (from a quoted value) are shown as '?', so that
 * the message stays one line and can't play with the terminal.
 */
__attribute__((format(printf, 2, 3))) int give_up(int code, const char *fmt, ...);

/** note() - say something that isn't an error; nothing with -q */
__attribute__((format(printf, 1, 2))) void note(const char *fmt, ...);

#endif
