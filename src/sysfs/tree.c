// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The tree as its clients see it: names listed, values read and written. What happens when a state
 * is written is in change.c.
 *
 * One lock protects all that is stored. It is held for a look or for the exchange of a pointer,
 * never while something is waited for, so reading doesn't depend on what kdamonds and
 * other clients do:
 *  - directories that a written number asks for are made before, and freed after, without it;
 *  - a change of state takes a copy of the values written so far, and works on that;
 *  - kdamonds leave what files show of them (windows, statistics, parameters in force) in the tree
 *    themselves, so no reader ever asks one.
 * A thread that has this lock may take a kdamond's (the core's); the core calls nobody with that held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/internal.h"
#include "sysfs/kdamond.h"

int sysfs_tree_new(struct sysfs_tree **tree, const struct sysfs_host *host)
{
	struct sysfs_tree *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	new->host = *host;
	new->port = damon_lib_port(host->lib);
	err = new->port->mutex_new(new->port, &new->lock);
	if (!err)
		err = new->port->cond_new(new->port, &new->changed);
	if (!err)
		err = sysfs_nodes_new(&new->nodes);
	if (!err)
		err = sysfs_dir_new(&new->root, new->nodes, NULL);
	if (err) {
		sysfs_tree_free(new);
		return err;
	}
	new->kdamonds = sysfs_dir_at(new->root, "kernel/mm/damon/admin/kdamonds");
	new->ours = sysfs_dir_at(new->root, "udamon/kdamonds");
	new->nr_dirs = sysfs_dir_weight(new->root);
	*tree = new;
	return 0;
}

void sysfs_tree_free(struct sysfs_tree *tree)
{
	if (!tree)
		return;
	if (tree->kdamonds)
		sysfs_kdamonds_end(tree);
	sysfs_dir_free(tree->root);
	sysfs_nodes_free(tree->nodes);
	tree->port->cond_free(tree->port, tree->changed);
	tree->port->mutex_free(tree->port, tree->lock);
	free(tree);
}

void sysfs_interrupt_raise(struct sysfs_tree *tree, struct sysfs_interrupt *interrupt)
{
	sysfs_lock(tree);
	interrupt->raised = true;
	tree->port->cond_wake_all(tree->port, tree->changed);
	sysfs_unlock(tree);
}

int sysfs_stat(struct sysfs_tree *tree, const char *path, struct sysfs_stat *st)
{
	struct sysfs_place place;
	int err;

	sysfs_lock(tree);
	err = sysfs_find(tree, path, &place);
	sysfs_unlock(tree);
	if (err)
		return err;
	*st = (struct sysfs_stat){.is_dir = !place.node->row, .mode = 0755};
	if (place.node->row) {
		st->mode = place.node->row->writable ? 0600 : 0400;
		st->size = 4096;
	}
	return 0;
}

int sysfs_list(struct sysfs_tree *tree, const char *path,
	       int (*fn)(void *data, const char *name, bool is_dir), void *data)
{
	struct sysfs_place place;
	char number[24];
	size_t i, nr = 0;
	int err;

	sysfs_lock(tree);
	err = sysfs_find(tree, path, &place);
	if (!err && place.node->row)
		err = -ENOTDIR;
	if (!err)
		nr = sysfs_place_count(&place);
	sysfs_unlock(tree);
	/* From here on only the table is looked at, which doesn't change. */
	for (i = 0; !err && i < place.node->nr_nodes; i++)
		err = fn(data, place.node->nodes[i]->name, !place.node->nodes[i]->row);
	for (i = 0; !err && i < nr; i++) {
		snprintf(number, sizeof(number), "%zu", i);
		err = fn(data, number, !place.node->numbered->row);
	}
	return err;
}

/* Reading. */

static int print_operations(struct sysfs_tree *tree, struct sysfs_text *text)
{
	unsigned int id;
	int err = 0;

	for (id = 0; !err && id < DAMON_NR_OPS; id++)
		if (damon_is_registered_ops(tree->host.lib, id))
			err = sysfs_text_printf(text, "%s\n", damon_ops_name(id));
	return err;
}

/* What a file shows that isn't stored as a value. Tree locked; *@tried is printed afterwards. */
static int print_made(struct sysfs_tree *tree, const struct sysfs_place *place,
		      struct sysfs_text *text, struct sysfs_made *made)
{
	enum sysfs_source source = place->node->row->source;
	const struct sysfs_tried *tried;

	switch (source) {
	case SYSFS_AVAIL:
		return print_operations(tree, text);
	case SYSFS_TRIED:
		made->tried = sysfs_tried_get(sysfs_place_scheme(place)->tried);
		made->wanted = source;
		return 0;
	case SYSFS_TRIED_BYTES:
		tried = sysfs_place_scheme(place)->tried;
		return sysfs_text_printf(text, "%llu\n",
					 tried ? (unsigned long long)tried->total_bytes : 0);
	case SYSFS_TRIED_START:
	case SYSFS_TRIED_END:
	case SYSFS_TRIED_ACCESSES:
	case SYSFS_TRIED_AGE:
	case SYSFS_TRIED_PASSED:
	case SYSFS_TRIED_HITS:
		tried = sysfs_place_scheme(place)->tried;
		return sysfs_text_printf(text, "%llu\n",
					 (unsigned long long)sysfs_tried_number(
						 tried, source, place->index[0], place->index[1]));
	default:
		return sysfs_kdamond_print(sysfs_place_kdamond(place), source, text, made);
	}
}

int sysfs_read(struct sysfs_tree *tree, const char *path, struct sysfs_text *text)
{
	struct sysfs_made made = {0};
	struct sysfs_place place;
	int err;

	*text = (struct sysfs_text){0};
	sysfs_lock(tree);
	err = sysfs_find(tree, path, &place);
	if (!err && !place.node->row)
		err = -EISDIR;
	if (!err && place.node->row->source == SYSFS_STORED)
		err = sysfs_value_print(place.node->row, &place.dir->values[place.node->slot],
					text);
	else if (!err)
		err = print_made(tree, &place, text, &made);
	sysfs_unlock(tree);
	/* What may be long is printed without the lock. */
	if (!err && made.wanted)
		err = sysfs_made_print(&made, text);
	sysfs_made_put(&made);
	if (!err && !text->data)
		err = sysfs_text_printf(text, "%s", "");
	if (err)
		sysfs_text_free(text);
	return err;
}

/* Writing. */

int sysfs_make_dirs(struct sysfs_tree *tree, const struct sysfs_node *numbered, size_t nr,
		    struct sysfs_dirs *dirs)
{
	size_t weight;
	int err = 0;

	if (__builtin_mul_overflow(nr, sysfs_node_weight(numbered), &weight))
		return -ENOMEM;
	sysfs_lock(tree);
	if (weight > SYSFS_MAX_DIRS || tree->nr_dirs > SYSFS_MAX_DIRS - weight)
		err = -ENOMEM;
	else
		tree->nr_dirs += weight;
	sysfs_unlock(tree);
	if (err)
		return err;
	err = sysfs_dirs_new(dirs, numbered, nr);
	if (err) {
		sysfs_lock(tree);
		tree->nr_dirs -= weight;
		sysfs_unlock(tree);
	}
	return err;
}

void sysfs_release_dirs(struct sysfs_tree *tree, struct sysfs_dirs *dirs)
{
	size_t i, weight = 0;

	for (i = 0; i < dirs->nr; i++)
		weight += sysfs_dir_weight(dirs->dirs[i]);
	sysfs_dirs_free(dirs);
	sysfs_lock(tree);
	tree->nr_dirs -= weight;
	sysfs_unlock(tree);
}

/* New directories with defaults in place of those there are, also when their number is the same. */
static int set_count(struct sysfs_tree *tree, const char *path, const struct sysfs_node *node,
		     size_t nr)
{
	struct sysfs_place place;
	struct sysfs_dirs dirs;
	int err;

	err = sysfs_make_dirs(tree, node->parent->numbered, nr, &dirs);
	if (err)
		return err;
	sysfs_lock(tree);
	/* What was found before may be gone. */
	err = sysfs_find(tree, path, &place);
	if (!err)
		sysfs_dirs_swap(place.dir, &dirs);
	sysfs_unlock(tree);
	sysfs_release_dirs(tree, &dirs);
	return err;
}

int sysfs_write(struct sysfs_tree *tree, const char *path, const char *buf, size_t len,
		struct sysfs_interrupt *interrupt)
{
	struct sysfs_kdamond *kdamond = NULL;
	struct sysfs_value value = {0};
	const struct sysfs_row *row = NULL;
	struct sysfs_place place;
	int err;

	sysfs_lock(tree);
	err = sysfs_find(tree, path, &place);
	if (!err) {
		row = place.node->row;
		err = !row ? -EISDIR : !row->writable ? -EACCES : 0;
	}
	if (!err)
		err = sysfs_value_parse(row, buf, len, &value);
	if (!err && row->source == SYSFS_STATE) {
		kdamond = sysfs_place_kdamond(&place);
		kdamond->refs++;
	} else if (!err && row->type != SYSFS_COUNT) {
		free(place.dir->values[place.node->slot].string);
		place.dir->values[place.node->slot] = value;
	}
	sysfs_unlock(tree);
	if (err)
		return err;
	if (kdamond)
		return sysfs_change_state(kdamond, (enum sysfs_change)value.number, interrupt);
	if (row->type == SYSFS_COUNT && place.node->parent == tree->kdamonds->node)
		return sysfs_set_kdamonds(tree, value.number, interrupt);
	if (row->type == SYSFS_COUNT)
		return set_count(tree, path, place.node, value.number);
	return 0;
}
