// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Changing a running context: stage, commit, and put back what was staged if that is refused. */
#include <errno.h>
#include <string.h>

#include "cli/commit.h"
#include "cli/differences.h"
#include "cli/message.h"
#include "cli/signals.h"

/*
 * Tuned intervals are staged before a commit: it would set the context back to those it began with
 * otherwise. Whoever stages others puts them in the list of settings, which comes later.
 */
static int stage_tuned_intervals(const struct tree *tree, const struct context_address *address)
{
	char path[TREE_PATH_SIZE];
	int64_t aggrs;
	int ret = tree_get_number(
		tree,
		tree_path(path, "%u/contexts/%u/monitoring_attrs/intervals/intervals_goal/aggrs",
			  address->kdamond, address->context),
		&aggrs);

	if (ret == -ENOENT)
		return 0;
	if (ret)
		return tree_failed(tree, path, NULL, ret);
	return aggrs ? tree_state(tree, address->kdamond, "update_tuned_intervals") : 0;
}

int context_commit(const struct tree *tree, const struct context_address *address,
		   const struct settings *settings, bool force)
{
	struct settings undo = {0};
	bool interrupted = false;
	int ret = commit_allowed(tree, address, settings, force);

	if (ret)
		return ret;
	ret = stage_tuned_intervals(tree, address);
	if (ret)
		return ret;
	ret = settings_write(settings, tree, address, &undo);
	if (!ret && signals_end_asked())
		ret = give_up(EXIT_FAILED, "interrupted; nothing was put in force");
	if (!ret) {
		ret = tree_state(tree, address->kdamond, "commit");
		interrupted = ret && signals_end_asked();
	}
	if (ret)
		settings_undo(&undo, tree, address);
	/* A commit that had begun went on; what was in force before is committed after it. */
	if (interrupted)
		tree_state(tree, address->kdamond, "commit");
	settings_clear(&undo);
	return ret;
}
