/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the daemon may do: only what it needs.
 */
#ifndef UDAMON_DAEMON_PRIVILEGES_H
#define UDAMON_DAEMON_PRIVILEGES_H

#include <udamon/error.h>

/**
 * privileges_drop() - keep the capabilities the daemon needs, give up all others for good
 *
 * Before there are other threads: each has its own. Also sets no_new_privs. Capabilities of those
 * needed that aren't there are no error here; privileges_missing() names them.
 * Return: 0 or -errno with a text.
 */
int privileges_drop(struct damon_error *err);

/**
 * privileges_missing() - which are missing and what for: "CAP_X (...), CAP_Y (...)", "" for none
 * Return: @text
 */
char *privileges_missing(char *text, size_t size);

#endif
