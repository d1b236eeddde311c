/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Results: to standard output, or to a file that is there completely or not at all. */
#ifndef UDAMON_CLI_OUTPUT_H
#define UDAMON_CLI_OUTPUT_H

#include <stddef.h>

/**
 * output_text() - write to standard output, now
 *
 * Return: 0 or an exit code. When the reader has gone away that is what a
 * program gets that SIGPIPE ends, and nothing is printed.
 */
int output_text(const char *text, size_t size);

/** output_flush() - what was printed to stdout otherwise; as output_text() */
int output_flush(void);

/**
 * output_check() - whether output_file() has a place to write to, before the work that fills it
 *
 * @head:	what files of this kind begin with: no other file, unless it is empty, is replaced
 *
 * Return: 0, or an exit code after the error was printed.
 */
int output_check(const char *path, const char *head);

/**
 * output_file() - make a file of mode 0600, or replace one that begins with @head or is empty
 *
 * Return: 0, or an exit code after the error was printed.
 */
int output_file(const char *path, const char *head, const char *text, size_t size);

#endif
