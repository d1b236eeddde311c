// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The directories and files that the table's rows describe, as a tree. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/table.h"

struct sysfs_node *sysfs_node_find(const struct sysfs_node *node, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < node->nr_nodes; i++)
		if (!strncmp(node->nodes[i]->name, name, len) && !node->nodes[i]->name[len])
			return node->nodes[i];
	return NULL;
}

static struct sysfs_node *node_new(struct sysfs_node *parent, const char *name, size_t len,
				   const struct sysfs_row *row)
{
	struct sysfs_node *node = calloc(1, sizeof(*node)), **nodes;

	if (!node || len >= sizeof(node->name))
		goto fail;
	memcpy(node->name, name, len);
	node->row = row;
	node->parent = parent;
	if (!strcmp(node->name, "#")) {
		parent->numbered = node;
		return node;
	}
	nodes = reallocarray(parent->nodes, parent->nr_nodes + 1, sizeof(struct sysfs_node *));
	if (!nodes)
		goto fail;
	parent->nodes = nodes;
	parent->nodes[parent->nr_nodes++] = node;
	node->slot = row ? parent->nr_values++ : parent->nr_dirs++;
	if (row && row->type == SYSFS_COUNT)
		parent->count = node;
	return node;
fail:
	free(node);
	return NULL;
}

/* One file, whose path has no alternatives any more. */
static int add_file(struct sysfs_node *root, const char *path, const struct sysfs_row *row)
{
	struct sysfs_node *node = root, *next;
	const char *end;

	for (;; path = end + 1) {
		end = strchrnul(path, '/');
		if (end == path + 1 && *path == '#')
			next = node->numbered;
		else
			next = sysfs_node_find(node, path, (size_t)(end - path));
		if (!next)
			next = node_new(node, path, (size_t)(end - path), *end ? NULL : row);
		if (!next)
			return -ENOMEM;
		if (!*end)
			return 0;
		node = next;
	}
}

/* All files of a row: the first {a,b} is replaced by each of its alternatives. */
static int add_row(struct sysfs_node *root, const char *path, const struct sysfs_row *row)
{
	const char *open = strchr(path, '{'), *close, *from, *to;
	char one[256];
	int err = 0;

	if (!open)
		return add_file(root, path, row);
	close = strchr(open, '}');
	for (from = open + 1; from <= close && !err; from = to + 1) {
		to = from + strcspn(from, ",}");
		snprintf(one, sizeof(one), "%.*s%.*s%s", (int)(open - path), path, (int)(to - from),
			 from, close + 1);
		err = add_row(root, one, row);
	}
	return err;
}

int sysfs_nodes_new(struct sysfs_node **root)
{
	struct sysfs_node *new = calloc(1, sizeof(*new));
	size_t i;
	int err = new ? 0 : -ENOMEM;

	for (i = 0; i < sysfs_nr_rows && !err; i++)
		err = add_row(new, sysfs_rows[i].path, &sysfs_rows[i]);
	if (err)
		sysfs_nodes_free(new);
	else
		*root = new;
	return err;
}

void sysfs_nodes_free(struct sysfs_node *root)
{
	size_t i;

	if (!root)
		return;
	for (i = 0; i < root->nr_nodes; i++)
		sysfs_nodes_free(root->nodes[i]);
	sysfs_nodes_free(root->numbered);
	free(root->nodes);
	free(root);
}
