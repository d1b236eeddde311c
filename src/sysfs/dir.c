// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Directories and values: made, copied, found by path, freed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/dir.h"
#include "sysfs/tried.h"

static const struct sysfs_node *dir_node(const struct sysfs_node *node, size_t *i)
{
	while (*i < node->nr_nodes)
		if (!node->nodes[(*i)++]->row)
			return node->nodes[*i - 1];
	return NULL;
}

/* Without what is in it. */
static struct sysfs_dir *dir_alloc(const struct sysfs_node *node, struct sysfs_dir *parent)
{
	struct sysfs_dir *dir;

	dir = calloc(1, sizeof(*dir) + node->nr_values * sizeof(*dir->values) +
				node->nr_dirs * sizeof(struct sysfs_dir *));
	if (!dir)
		return NULL;
	dir->node = node;
	dir->parent = parent;
	dir->values = (struct sysfs_value *)(dir + 1);
	dir->dirs = (struct sysfs_dir **)(dir->values + node->nr_values);
	return dir;
}

int sysfs_dir_new(struct sysfs_dir **dir, const struct sysfs_node *node, struct sysfs_dir *parent)
{
	struct sysfs_dir *new = dir_alloc(node, parent);
	const struct sysfs_node *below;
	size_t i;

	if (!new)
		return -ENOMEM;
	for (i = 0; i < node->nr_nodes; i++)
		if (node->nodes[i]->row)
			sysfs_value_default(node->nodes[i]->row,
					    &new->values[node->nodes[i]->slot]);
	for (i = 0; (below = dir_node(node, &i));) {
		if (!sysfs_dir_new(&new->dirs[below->slot], below, new))
			continue;
		sysfs_dir_free(new);
		return -ENOMEM;
	}
	*dir = new;
	return 0;
}

static void free_numbered(struct sysfs_dir **dirs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		sysfs_dir_free(dirs[i]);
	free(dirs);
}

void sysfs_dir_free(struct sysfs_dir *dir)
{
	size_t i;

	if (!dir)
		return;
	for (i = 0; i < dir->node->nr_values; i++)
		free(dir->values[i].string);
	for (i = 0; i < dir->node->nr_dirs; i++)
		sysfs_dir_free(dir->dirs[i]);
	free_numbered(dir->numbered, dir->nr_numbered);
	sysfs_tried_put(dir->tried);
	free(dir);
}

static int dir_copy(struct sysfs_dir **copy, const struct sysfs_dir *dir, struct sysfs_dir *parent)
{
	struct sysfs_dir *new = dir_alloc(dir->node, parent);
	size_t i;
	int err = new ? 0 : -ENOMEM;

	for (i = 0; !err && i < dir->node->nr_values; i++) {
		new->values[i].number = dir->values[i].number;
		if (!dir->values[i].string)
			continue;
		new->values[i].string = strdup(dir->values[i].string);
		if (!new->values[i].string)
			err = -ENOMEM;
	}
	for (i = 0; !err && i < dir->node->nr_dirs; i++)
		err = dir_copy(&new->dirs[i], dir->dirs[i], new);
	if (!err && dir->nr_numbered) {
		new->numbered = calloc(dir->nr_numbered, sizeof(struct sysfs_dir *));
		err = new->numbered ? 0 : -ENOMEM;
	}
	for (i = 0; !err && i < dir->nr_numbered; i++) {
		err = dir_copy(&new->numbered[i], dir->numbered[i], new);
		new->nr_numbered += !err;
	}
	if (err)
		sysfs_dir_free(new);
	else
		*copy = new;
	return err;
}

int sysfs_dir_copy(struct sysfs_dir **copy, const struct sysfs_dir *dir)
{
	return dir_copy(copy, dir, NULL);
}

int sysfs_dirs_new(struct sysfs_dirs *dirs, const struct sysfs_node *node, size_t nr)
{
	struct sysfs_dirs new = {0};

	if (nr) {
		new.dirs = calloc(nr, sizeof(struct sysfs_dir *));
		if (!new.dirs)
			return -ENOMEM;
	}
	for (; new.nr < nr; new.nr++) {
		if (!sysfs_dir_new(&new.dirs[new.nr], node, NULL))
			continue;
		sysfs_dirs_free(&new);
		return -ENOMEM;
	}
	*dirs = new;
	return 0;
}

void sysfs_dirs_free(struct sysfs_dirs *dirs)
{
	free_numbered(dirs->dirs, dirs->nr);
	*dirs = (struct sysfs_dirs){0};
}

void sysfs_dirs_swap(struct sysfs_dir *dir, struct sysfs_dirs *dirs)
{
	struct sysfs_dirs old = {dir->numbered, dir->nr_numbered};
	size_t i;

	dir->numbered = dirs->dirs;
	dir->nr_numbered = dirs->nr;
	for (i = 0; i < dir->nr_numbered; i++)
		dir->numbered[i]->parent = dir;
	for (i = 0; i < old.nr; i++)
		old.dirs[i]->parent = NULL;
	if (dir->node->count)
		dir->values[dir->node->count->slot].number = dir->nr_numbered;
	*dirs = old;
}

void sysfs_dir_remove(struct sysfs_dir *dir, size_t idx)
{
	sysfs_dir_free(dir->numbered[idx]);
	dir->nr_numbered--;
	memmove(&dir->numbered[idx], &dir->numbered[idx + 1],
		(dir->nr_numbered - idx) * sizeof(struct sysfs_dir *));
	dir->values[dir->node->count->slot].number = dir->nr_numbered;
}

size_t sysfs_node_weight(const struct sysfs_node *node)
{
	const struct sysfs_node *below;
	size_t i, weight = 1;

	for (i = 0; (below = dir_node(node, &i));)
		weight += sysfs_node_weight(below);
	return weight;
}

size_t sysfs_dir_weight(const struct sysfs_dir *dir)
{
	size_t i, weight = 1;

	for (i = 0; i < dir->node->nr_dirs; i++)
		weight += sysfs_dir_weight(dir->dirs[i]);
	for (i = 0; i < dir->nr_numbered; i++)
		weight += sysfs_dir_weight(dir->numbered[i]);
	return weight;
}

struct sysfs_dir *sysfs_dir_at(struct sysfs_dir *dir, const char *path)
{
	const struct sysfs_node *node;
	const char *end;
	size_t idx;

	for (; dir && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, '/');
		if (*path >= '0' && *path <= '9') {
			idx = strtoul(path, NULL, 10);
			dir = idx < dir->nr_numbered ? dir->numbered[idx] : NULL;
			continue;
		}
		node = sysfs_node_find(dir->node, path, (size_t)(end - path));
		dir = dir->dirs[node->slot];
	}
	return dir;
}

const struct sysfs_node *sysfs_file_node(const struct sysfs_dir *dir, const char *path,
					 struct sysfs_value **value)
{
	const char *name = strrchr(path, '/');
	const struct sysfs_node *node;
	char above[SYSFS_PATH_MAX];

	if (name) {
		snprintf(above, sizeof(above), "%.*s", (int)(name - path), path);
		dir = sysfs_dir_at((struct sysfs_dir *)dir, above);
		name++;
	} else {
		name = path;
	}
	node = sysfs_node_find(dir->node, name, strlen(name));
	*value = &dir->values[node->slot];
	return node;
}

uint64_t sysfs_number(struct sysfs_dir *dir, const char *path)
{
	struct sysfs_value *value;

	sysfs_file_node(dir, path, &value);
	return value->number;
}

void sysfs_set_number(struct sysfs_dir *dir, const char *path, uint64_t number)
{
	struct sysfs_value *value;

	sysfs_file_node(dir, path, &value);
	value->number = number;
}

const char *sysfs_keyword(struct sysfs_dir *dir, const char *path)
{
	struct sysfs_value *value;
	const struct sysfs_node *node = sysfs_file_node(dir, path, &value);

	return sysfs_value_keyword(node->row, value);
}

const char *sysfs_string(struct sysfs_dir *dir, const char *path, size_t *len)
{
	struct sysfs_value *value;
	const char *string;

	sysfs_file_node(dir, path, &value);
	string = value->string ? value->string : "";
	*len = strcspn(string, "\n");
	return string;
}
