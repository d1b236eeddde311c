// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The regions a scheme was applied to, as the tree shows them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/tried.h"

static const char *const fields[] = {"start", "end", "nr_accesses", "age", "sz_filter_passed"};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Lines of numbers between tabs below a line of their names, of which ours come first. */
static int parse_piece(char *text, json_t *list)
{
	char *line, *rest = text;
	bool head = true;

	while ((line = strsep(&rest, "\n"))) {
		json_t *region;
		char *end = line;

		if (!*line)
			continue;
		if (head) {
			head = false;
			continue;
		}
		region = json_object();
		for (size_t i = 0; i < NR_FIELDS; i++) {
			char *from = end;
			unsigned long long number = strtoull(from, &end, 10);

			if (end == from) {
				json_decref(region);
				return -EPROTO;
			}
			json_object_set_new(region, fields[i], json_integer((json_int_t)number));
		}
		json_array_append_new(list, region);
	}
	return 0;
}

/* One folder's; -ENOENT when there is no such region. */
static int read_region(const struct tree *tree, const char *folder, unsigned int r, json_t **region)
{
	char path[TREE_PATH_SIZE], value[TREE_VALUE_SIZE];

	*region = json_object();
	for (size_t i = 0; i < NR_FIELDS; i++) {
		int ret = tree_get(tree, tree_path(path, "%s/%u/%s", folder, r, fields[i]), value);

		if (ret == -ENOENT && i) { /* kernels before 6.14 haven't the last */
			json_object_set_new(*region, fields[i], json_null());
			continue;
		}
		if (ret) {
			json_decref(*region);
			return ret;
		}
		json_object_set_new(*region, fields[i],
				    json_integer((json_int_t)strtoull(value, NULL, 10)));
	}
	return 0;
}

int tried_regions(const struct tree *tree, const struct context_address *address,
		  unsigned int scheme, json_t **list)
{
	char path[TREE_PATH_SIZE], *text;
	json_t *region;
	int ret;

	*list = json_array();
	ret = tree_get_own(tree, tree_path(path, "%u/regions/%u", address->kdamond, scheme), &text);
	if (!ret) {
		ret = parse_piece(text, *list);
		free(text);
	}
	if (ret && ret != -ENOENT) {
		json_decref(*list);
		return tree_failed_own(tree, path, NULL, ret);
	}
	if (!ret)
		return 0;
	tree_path(path, "%u/contexts/%u/schemes/%u/tried_regions", address->kdamond,
		  address->context, scheme);
	for (unsigned int r = 0; !(ret = read_region(tree, path, r, &region)); r++)
		json_array_append_new(*list, region);
	if (ret == -ENOENT)
		return 0;
	json_decref(*list);
	return tree_failed(tree, path, NULL, ret);
}
