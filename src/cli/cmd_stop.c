// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon stop: stop contexts and empty their places. */
#include <string.h>

#include "cli/command.h"
#include "cli/contexts.h"
#include "cli/message.h"
#include "cli/signals.h"

struct stopping {
	const struct tree *tree;
	const struct options *opts;
	unsigned int stopped;
};

static int stop_one(void *data, const struct context_address *address, enum context_state state)
{
	struct stopping *stopping = data;
	char path[TREE_PATH_SIZE];
	unsigned int k = address->kdamond;
	int ret = 0;

	if (state == CONTEXT_NONE)
		return give_up(EXIT_FAILED, "'%u/%u': there is nothing to stop", k,
			       address->context);
	/* One that doesn't run, stopped by others or ended by itself, only holds its place. */
	if (state != CONTEXT_OFF)
		ret = tree_state(stopping->tree, k, "off");
	else if (!stopping->opts->keep)
		note("%u/%u didn't run any more; its place is emptied", k, address->context);
	else
		note("%u/%u didn't run any more", k, address->context);
	if (ret)
		return ret;
	stopping->stopped++;
	if (stopping->opts->keep)
		return 0;
	ret = tree_put(stopping->tree, tree_path(path, "%u/contexts/nr_contexts", k), "0");
	return ret ? tree_failed(stopping->tree, path, "0", ret) : 0;
}

int stop_command(const struct options *opts, int argc, char **argv)
{
	struct stopping stopping = {.opts = opts};
	struct context_address address;
	enum context_state state;
	struct tree tree;
	int ret;

	if (opts->all && argc)
		return give_up(EXIT_USAGE, "'%s' and --all don't go together", argv[0]);
	signals_note_end();
	ret = tree_open(&tree, opts);
	stopping.tree = &tree;
	if (!ret)
		ret = tree_lock(&tree);
	if (ret)
		goto out;
	if (argc || opts->all) {
		ret = contexts_for_each(&tree, argc, argv, stop_one, &stopping);
		if (!ret && !stopping.stopped)
			note("no context is there");
	} else {
		ret = context_choose(&tree, 0, NULL, false, &address, &state);
		if (!ret)
			ret = stop_one(&stopping, &address, state);
	}
out:
	tree_close(&tree);
	return ret;
}
