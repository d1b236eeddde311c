/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sharing the terminal between the live view, which reads keys from it, and the command.
 *
 * The command gets a process group of its own, in the background. Most commands that are watched never
 * read from the terminal, and run on. One that does is stopped by the kernel (SIGTTIN, SIGTTOU): it is
 * then given the terminal, and the live view ends. So nobody steals a key from anybody.
 */
#ifndef UDAMON_CLI_FOREGROUND_H
#define UDAMON_CLI_FOREGROUND_H

#include <stdbool.h>

#include "cli/child.h"

/**
 * struct foreground - who has the terminal
 * @child:	the command; NULL when there is none
 * @keys:	keys are read by udamon
 * @given:	the command has the terminal
 */
struct foreground {
	struct child *child;
	bool keys;
	bool given;
};

/**
 * foreground_start() - read keys from the terminal, from now on
 * @child:	the command, which is held, and in a process group of its own; NULL for none
 */
void foreground_start(struct foreground *foreground, struct child *child);

/** foreground_possible() - whether there is a terminal to read keys from that is ours now */
bool foreground_possible(void);

/** foreground_fd() - to poll for keys, or -1 */
int foreground_fd(const struct foreground *foreground);

/**
 * foreground_signal() - deal with SIGTSTP (stop, and go on later) and SIGCHLD (the command was stopped)
 *
 * Return: true when the command has just been given the terminal.
 */
bool foreground_signal(struct foreground *foreground, int signo);

/** foreground_end() - the terminal is ours again, and as it was */
void foreground_end(struct foreground *foreground);

#endif
