// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon ns: run a DAMON client in a private mount namespace in which udamond's tree is the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/cover.h"
#include "cli/message.h"
#include "cli/signals.h"
#include "cli/tree_client.h"

/* Modules that do monitoring of their own, whose parameters clients look for below /sys/module. */
static const char *const modules[] = {"damon_reclaim", "damon_lru_sort", "damon_stat", NULL};

static int enter_private_namespace(void)
{
	if (unshare(CLONE_NEWNS)) {
		if (errno == EPERM)
			return give_up(
				EXIT_CANNOT,
				"cannot make a mount namespace: not permitted; only root may");
		return give_up(EXIT_FAILED, "cannot make a mount namespace: %s", strerror(errno));
	}
	return cover_make_private();
}

/*
 * The tree, and the parameters of the modules; where the daemon serves none of these, an empty folder in the
 * place of the machine's. Old clients look below debugfs, where nothing of ours is.
 */
static int cover_all(const struct tree *tree)
{
	static const char *const damon[] = {"damon", NULL};
	char folder[64], source[64];
	int ret = cover_with(tree, "kernel/mm", "/sys/kernel/mm", damon);

	if (!ret)
		ret = cover_with(tree, "module", "/sys/module", modules);
	for (size_t i = 0; modules[i] && !ret; i++) {
		snprintf(source, sizeof(source), "module/%s", modules[i]);
		snprintf(folder, sizeof(folder), "/sys/module/%s", modules[i]);
		if (faccessat(tree->root_fd, source, F_OK, 0))
			ret = cover_with_nothing(folder);
	}
	if (!ret)
		ret = cover_with_nothing("/sys/kernel/debug/damon");
	return ret ? ret : cover_check(tree, "kernel/mm/damon", "/sys/kernel/mm/damon");
}

static int start_command_there(char **argv)
{
	int ret;

	signals_restore();
	execvp(argv[0], argv);
	ret = errno;
	signals_ignore_failures();
	return give_up(ret == ENOENT || ret == ENOTDIR ? 127 : 126, "cannot start '%s': %s",
		       argv[0], strerror(ret));
}

int ns_command(const struct options *opts, int argc, char **argv)
{
	struct tree tree;
	int ret;

	if (!argc)
		return give_up(EXIT_USAGE, "which command? as: udamon ns -- damo status");
	ret = tree_open(&tree, opts);
	if (!ret)
		ret = cover_check_tree(&tree);
	tree_close(&tree);
	if (ret)
		return ret;
	ret = enter_private_namespace();
	if (ret)
		return ret;
	/* Once more: what was open belongs to the mounts outside, which can't be bound in here. */
	ret = tree_open(&tree, opts);
	if (!ret)
		ret = cover_all(&tree);
	tree_close(&tree);
	return ret ? ret : start_command_there(argv);
}
