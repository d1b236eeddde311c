/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Covering folders of /sys in a mount namespace of our own.
 *
 * Nothing here looks into what is covered: it may be in use by others. All return 0 or an exit code
 * after the error was printed.
 */
#ifndef UDAMON_CLI_COVER_H
#define UDAMON_CLI_COVER_H

#include "cli/tree_client.h"

/**
 * cover_check_tree() - before anything else: that a file system in user space serves the tree
 *
 * A folder of plain files in the place of it, or a kernel's, must not come where clients write.
 */
int cover_check_tree(const struct tree *tree);

/** cover_make_private() - next: no mount made from now on is seen outside the namespace */
int cover_make_private(void);

/**
 * cover_with() - mount folders of the tree over those of the same names
 * @source:	where they are, below the tree's root; those that aren't there are left out
 * @folder:	where the others are, or would be
 * @names:	ended by NULL
 *
 * sysfs can't make the ones that are missing: @folder is then replaced by a copy that has the same in it,
 * and room for these.
 */
int cover_with(const struct tree *tree, const char *source, const char *folder,
	       const char *const *names);

/** cover_with_nothing() - an empty folder that can't be written, over @folder if there is one */
int cover_with_nothing(const char *folder);

/** cover_check() - that @folder really is the tree's @source now */
int cover_check(const struct tree *tree, const char *source, const char *folder);

#endif
