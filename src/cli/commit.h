/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Changing a running context: stage, commit, and put back what was staged if that is refused. */
#ifndef UDAMON_CLI_COMMIT_H
#define UDAMON_CLI_COMMIT_H

#include "cli/staging.h"

/**
 * context_commit() - put @settings in force in a running context
 * @force:	also what else is staged and not in force, which is refused otherwise
 *
 * All or nothing: after an error the running context is as it was, and so is what was staged, unless
 * a message says otherwise. Return: 0 or an exit code.
 */
int context_commit(const struct tree *tree, const struct context_address *address,
		   const struct settings *settings, bool force);

#endif
