/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The terminal: how wide it is, what it can show, the status line on standard error, and
 * reading single keys. What is changed is put back by terminal_restore() on every way out.
 */
#ifndef UDAMON_CLI_TERMINAL_H
#define UDAMON_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "report/report.h"

/** terminal_style() - how a report on standard output should look */
void terminal_style(const struct options *opts, struct report_style *style);

/** terminal_style_stderr() - the same for the live view on standard error */
void terminal_style_stderr(const struct options *opts, struct report_style *style);

/** terminal_rows() - of the terminal that is standard output; 0: it is none */
unsigned int terminal_rows(void);

/** terminal_line() - write a line to standard error, above the status line if there is one */
void terminal_line(const char *line);

/** terminal_has_status() - whether standard error is a terminal that can show a status line */
bool terminal_has_status(void);

/** terminal_status() - show or replace the status line; nothing when there can't be one */
__attribute__((format(printf, 1, 2))) void terminal_status(const char *fmt, ...);

/**
 * terminal_reserve_bottom() - keep the last row of the terminal for the status line
 *
 * For when others (a command that was started) write to the same terminal: what they write scrolls in the
 * rows above and can't mix with the status. Nothing where there is no room.
 */
void terminal_reserve_bottom(void);

/** terminal_has_bottom() - whether the last row is reserved */
bool terminal_has_bottom(void);

/** terminal_resized() - the terminal has another size now */
void terminal_resized(void);

/** terminal_clear_status() - take the status line away */
void terminal_clear_status(void);

/**
 * terminal_keys_start() - read keys from the terminal one by one, without echo
 *
 * Ctrl-C and Ctrl-Z keep their meaning. Return: the file descriptor to poll, or -1 when there is no
 * terminal or another process group owns it.
 */
int terminal_keys_start(void);

/** terminal_key() - a key that was pressed, or 0 */
int terminal_key(void);

/** terminal_restore() - put everything back; may be called at any time, also twice */
void terminal_restore(void);

#endif
