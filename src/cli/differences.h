/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What is staged for a running context and not in force: the next commit, whoever makes it, brings it. */
#ifndef UDAMON_CLI_DIFFERENCES_H
#define UDAMON_CLI_DIFFERENCES_H

#include "cli/staging.h"
#include "params/kdamonds_json.h"

/** struct difference - one file whose value isn't what the running context uses */
struct difference {
	char *path;
	char *staged;
	char *in_force;
};

/**
 * struct differences - all of them; zero-initialise it
 * @known:	the tree tells what is in force; kernels don't
 */
struct differences {
	bool known;
	struct difference *list;
	size_t nr;
};

/**
 * parameters_in_force() - what the running context uses
 * @kdamonds:	its first; params_kdamonds_free() it afterwards, also after an error
 * Return: 0; -ENOENT: it doesn't run, or nobody tells (a kernel); -EPROTO, -errno, -ENOMEM.
 */
int parameters_in_force(const struct tree *tree, const struct context_address *address,
			struct params_kdamonds *kdamonds);

/** differences_read() - 0; -errno of the tree, -EPROTO (what it says is in force isn't understood), -ENOMEM */
int differences_read(struct differences *differences, const struct tree *tree,
		     const struct context_address *address);
void differences_clear(struct differences *differences);

/**
 * commit_allowed() - refuse to commit when that would put in force what others have staged
 * @own:	what the caller is about to stage: it may differ
 * @force:	do it all the same
 * Return: 0 or an exit code.
 */
int commit_allowed(const struct tree *tree, const struct context_address *address,
		   const struct settings *own, bool force);

#endif
