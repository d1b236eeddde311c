/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The regions a scheme was applied to, as the tree shows them. */
#ifndef UDAMON_CLI_TRIED_H
#define UDAMON_CLI_TRIED_H

#include <jansson.h>

#include "cli/contexts.h"

/**
 * tried_regions() - read those that the last update_schemes_tried_regions has found
 * @list:	set to a new reference: [{start, end, nr_accesses, age, sz_filter_passed}]
 *
 * A udamond gives them in one piece; a kernel's are files in a folder for each region.
 * Return: 0 or an exit code.
 */
int tried_regions(const struct tree *tree, const struct context_address *address,
		  unsigned int scheme, json_t **list);

#endif
