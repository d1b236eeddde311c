// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* From a path to what it stands for. All with the tree's lock held. */
#include <errno.h>
#include <string.h>

#include "sysfs/internal.h"

struct sysfs_kdamond *sysfs_place_kdamond(const struct sysfs_place *place)
{
	const struct sysfs_dir *dir;

	for (dir = place->dir; dir; dir = dir->parent)
		if (dir->kdamond)
			return dir->kdamond;
	return NULL;
}

static struct sysfs_dir *schemes_dir(const struct sysfs_kdamond *kdamond)
{
	struct sysfs_dir *context = sysfs_dir_at(kdamond->dir, "contexts/0");

	return context ? sysfs_dir_at(context, "schemes") : NULL;
}

struct sysfs_dir *sysfs_place_scheme(const struct sysfs_place *place)
{
	struct sysfs_dir *schemes;

	if (place->node->row && place->node->row->source == SYSFS_TRIED) {
		schemes = schemes_dir(sysfs_place_kdamond(place));
		return schemes->numbered[place->index[0]];
	}
	return place->dir->parent; /* of "tried_regions" */
}

/* What is in a directory whose numbered entries aren't stored: the first file in one of them. */
static enum sysfs_source numbered_source(const struct sysfs_node *node)
{
	const struct sysfs_node *below = node->numbered;

	return below->row ? below->row->source : below->nodes[0]->row->source;
}

size_t sysfs_place_count(const struct sysfs_place *place)
{
	const struct sysfs_node *node = place->node;
	const struct sysfs_tried *tried;
	const struct sysfs_dir *schemes;

	if (!node->numbered)
		return 0;
	if (place->dir->node == node && place->dir->nr_numbered)
		return place->dir->nr_numbered;
	switch (numbered_source(node)) {
	case SYSFS_TRIED:
		schemes = schemes_dir(sysfs_place_kdamond(place));
		return schemes ? schemes->nr_numbered : 0;
	case SYSFS_TRIED_START:
		tried = sysfs_place_scheme(place)->tried;
		return tried ? tried->nr : 0;
	case SYSFS_TRIED_HITS:
		return sysfs_place_scheme(place)->tried->nr_probes;
	default:
		return 0;
	}
}

/* A number as it is shown: no sign, no leading zero. */
static bool parse_index(const char *name, size_t len, size_t *idx)
{
	size_t i;

	if (!len || len > 9 || (len > 1 && *name == '0'))
		return false;
	for (*idx = i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		*idx = *idx * 10 + (size_t)(name[i] - '0');
	}
	return true;
}

/* One step. @depth: how many numbers there were that aren't stored */
static int step(struct sysfs_place *place, const char *name, size_t len, size_t *depth)
{
	bool stored = place->dir->node == place->node;
	const struct sysfs_node *next;
	size_t idx;

	if (place->node->row)
		return -ENOTDIR;
	next = sysfs_node_find(place->node, name, len);
	if (next) {
		place->node = next;
		if (stored && !next->row)
			place->dir = place->dir->dirs[next->slot];
		return 0;
	}
	if (!parse_index(name, len, &idx) || idx >= sysfs_place_count(place))
		return -ENOENT;
	place->node = place->node->numbered;
	if (stored && idx < place->dir->nr_numbered)
		place->dir = place->dir->numbered[idx];
	else
		place->index[(*depth)++] = idx;
	return 0;
}

int sysfs_find(struct sysfs_tree *tree, const char *path, struct sysfs_place *place)
{
	size_t depth = 0;
	const char *end;
	int err = 0;

	*place = (struct sysfs_place){.node = tree->nodes, .dir = tree->root};
	if (strlen(path) >= SYSFS_PATH_MAX)
		return -ENOENT;
	for (; *path && !err; path = end) {
		end = strchrnul(path, '/');
		if (end > path)
			err = step(place, path, (size_t)(end - path), &depth);
		end += *end == '/';
	}
	return err;
}
