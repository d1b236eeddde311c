/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A command that is started, held before its first instruction, and let go when it is watched. */
#ifndef UDAMON_CLI_CHILD_H
#define UDAMON_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct child - a started command
 * @pid:	its process id; 0 when there is none
 * @pidfd:	readable when it has ended; -1 when there is none
 * @own_group:	it leads a process group of its own, in the background of the terminal
 * @held:	it has not run yet
 * @ended:	it was waited for; @status is its wait status
 */
struct child {
	pid_t pid;
	int pidfd;
	bool own_group;
	bool held;
	bool ended;
	int status;
};

/**
 * child_start() - start @argv, and hold it where its program is loaded and nothing of it has run
 * @user:	name of the user to become, or NULL
 * @own_group:	in a process group of its own, which a terminal sees as in the background
 *
 * After signals_start(). Return: 0, or an exit code after the error was printed: 127 when there is no
 * such program, 126 when it can't be run.
 */
int child_start(struct child *child, char **argv, const char *user, bool own_group);

/** child_release() - let it run; 0 or -errno */
int child_release(struct child *child);

/** child_reap() - whether it has ended; doesn't wait */
bool child_reap(struct child *child);

/** child_signal() - send it a signal, and to its group when that is its own */
void child_signal(const struct child *child, int signo);

/** child_kill() - end a command that is still held, as if it had never been; else do nothing */
void child_kill(struct child *child);

/** child_exit_code() - what the shell would say: its exit status, or 128 + the signal that ended it */
int child_exit_code(const struct child *child);

/** child_clear() - close what is open; the command is left alone */
void child_clear(struct child *child);

#endif
