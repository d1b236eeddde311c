/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* udamon record --context: a record of the windows that a daemon's context publishes. */
#ifndef UDAMON_CLI_RECORD_CONTEXT_H
#define UDAMON_CLI_RECORD_CONTEXT_H

#include "cli/options.h"

/**
 * record_context() - write the record of --context, until it ends, --for is over, or a signal comes
 *
 * It only reads a file of the daemon: neither the context nor what is staged is touched.
 * Return: an exit code.
 */
int record_context(const struct options *opts, const char *path);

#endif
