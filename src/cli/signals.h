/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Signals as something to poll: they are blocked, and read from a file descriptor when the main
 * loop gets there. Nothing runs in a handler, so nothing can be interrupted half done.
 */
#ifndef UDAMON_CLI_SIGNALS_H
#define UDAMON_CLI_SIGNALS_H

#include <stdbool.h>

/**
 * signals_ignore_failures() - first of all: what can't be written is an error, and not the end
 *
 * SIGPIPE (the reader has gone away) and SIGXFSZ (the file size limit is reached).
 */
void signals_ignore_failures(void);

/**
 * signals_start() - from now on SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH are queued
 * @job_control: SIGTSTP (Ctrl-Z) as well; the caller then has to stop by itself
 *
 * Call it before the first thread is made: threads inherit the mask. Return: 0 or -errno.
 */
int signals_start(bool job_control);

/** signals_fd() - readable when a signal is queued */
int signals_fd(void);

/**
 * signals_next() - take the next signal from the queue, or 0
 * @from_terminal: set to whether the terminal sent it, to the whole process group
 */
int signals_next(bool *from_terminal);

/**
 * signals_note_end() - instead of a queue: SIGINT, SIGTERM, SIGHUP interrupt what waits, and are remembered
 *
 * For commands that have something to put back and wait in single system calls.
 */
void signals_note_end(void);

/** signals_noted() - the last one that was noted, or 0 */
int signals_noted(void);

/** signals_end_asked() - whether SIGINT, SIGTERM or SIGHUP is queued, where it stays, or was noted */
bool signals_end_asked(void);

/** signals_restore() - in a child, before exec: everything as it was when the program started */
void signals_restore(void);

#endif
