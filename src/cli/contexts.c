// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Contexts of the tree: how they are called on the command line, and which there are. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/contexts.h"
#include "cli/message.h"
#include "params/values.h"

int address_parse(const char *text, struct context_address *address)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char word[24];
	uint64_t kdamond, context = 0;

	if (len >= sizeof(word))
		goto bad;
	memcpy(word, text, len);
	word[len] = '\0';
	if (parse_count(word, &kdamond) || kdamond > INT_MAX)
		goto bad;
	if (slash && (parse_count(slash + 1, &context) || context > INT_MAX))
		goto bad;
	address->kdamond = (unsigned int)kdamond;
	address->context = (unsigned int)context;
	return 0;
bad:
	return give_up(EXIT_USAGE,
		       "'%s': expected a context as 0/0 (kdamond/context) or a kdamond as 0", text);
}

int nr_kdamonds(const struct tree *tree, unsigned int *nr)
{
	int64_t number;
	int ret = tree_get_number(tree, "nr_kdamonds", &number);

	if (!ret && (number < 0 || number > INT_MAX))
		ret = -EPROTO;
	if (ret)
		return tree_failed(tree, "nr_kdamonds", NULL, ret);
	*nr = (unsigned int)number;
	return 0;
}

int context_state(const struct tree *tree, const struct context_address *address,
		  enum context_state *state)
{
	char path[TREE_PATH_SIZE], value[TREE_VALUE_SIZE];
	int64_t nr;
	bool on;
	int ret;

	ret = tree_get(tree, tree_path(path, "%u/state", address->kdamond), value);
	if (ret)
		return ret;
	on = !strcmp(value, "on");
	ret = tree_get_number(tree, tree_path(path, "%u/contexts/nr_contexts", address->kdamond),
			      &nr);
	if (ret)
		return ret;
	if (!on) {
		*state = nr > address->context ? CONTEXT_OFF : CONTEXT_NONE;
		return 0;
	}
	/* Kernels before 7.2 can't pause. */
	ret = tree_get(tree,
		       tree_path(path, "%u/contexts/%u/pause", address->kdamond, address->context),
		       value);
	if (ret && ret != -ENOENT)
		return ret;
	*state = !ret && *value == 'Y' ? CONTEXT_PAUSED : CONTEXT_ON;
	return 0;
}

const char *context_state_name(enum context_state state)
{
	static const char *const names[] = {"none", "off", "paused", "on"};

	return names[state];
}

static int cannot_look(const struct tree *tree, const struct context_address *address, int err)
{
	char path[TREE_PATH_SIZE];

	if (err == -ENOENT)
		return give_up(EXIT_FAILED, "'%u/%u': there is no such kdamond; see: udamon status",
			       address->kdamond, address->context);
	return tree_failed(tree, tree_path(path, "%u/state", address->kdamond), NULL, err);
}

static int named_state(const struct tree *tree, const char *text, struct context_address *address,
		       enum context_state *state)
{
	int ret = address_parse(text, address);

	if (ret)
		return ret;
	ret = context_state(tree, address, state);
	if (!ret && address->context)
		return give_up(EXIT_FAILED, "'%s': a kdamond has one context, number 0", text);
	return ret ? cannot_look(tree, address, ret) : 0;
}

int contexts_for_each(const struct tree *tree, int argc, char **argv,
		      int (*fn)(void *data, const struct context_address *address,
				enum context_state state),
		      void *data)
{
	struct context_address address = {0};
	enum context_state state;
	unsigned int nr = 0;
	int ret = 0;

	for (int i = 0; i < argc && !ret; i++) {
		ret = named_state(tree, argv[i], &address, &state);
		if (!ret)
			ret = fn(data, &address, state);
	}
	if (argc)
		return ret;
	ret = nr_kdamonds(tree, &nr);
	for (unsigned int k = 0; k < nr && !ret; k++) {
		address.kdamond = k;
		ret = context_state(tree, &address, &state);
		if (ret == -ENOENT) /* their number was lowered meanwhile */
			return 0;
		if (ret)
			return cannot_look(tree, &address, ret);
		if (state != CONTEXT_NONE)
			ret = fn(data, &address, state);
	}
	return ret;
}

/* What context_choose() sees of the contexts. */
struct choice {
	bool stopped_too;
	unsigned int found;
	struct context_address address;
	enum context_state state;
	char names[256];
};

static int consider(void *data, const struct context_address *address, enum context_state state)
{
	struct choice *choice = data;
	size_t len = strlen(choice->names);

	if (state == CONTEXT_OFF && !choice->stopped_too)
		return 0;
	snprintf(choice->names + len, sizeof(choice->names) - len, "%s%u/%u",
		 choice->found ? ", " : "", address->kdamond, address->context);
	choice->found++;
	choice->address = *address;
	choice->state = state;
	return 0;
}

int context_choose(const struct tree *tree, int argc, char **argv, bool stopped_too,
		   struct context_address *address, enum context_state *state)
{
	struct choice choice = {.stopped_too = stopped_too};
	int ret;

	if (argc > 1)
		return give_up(EXIT_USAGE, "'%s': one context at a time", argv[1]);
	if (argc) {
		ret = named_state(tree, argv[0], address, state);
		if (ret)
			return ret;
		if (*state == CONTEXT_NONE)
			return give_up(EXIT_FAILED,
				       "'%u/%u': there is no context; start one with: udamon start",
				       address->kdamond, address->context);
		if (*state == CONTEXT_OFF && !stopped_too)
			return give_up(EXIT_FAILED, "'%u/%u': it isn't running", address->kdamond,
				       address->context);
		return 0;
	}
	ret = contexts_for_each(tree, 0, NULL, consider, &choice);
	if (ret)
		return ret;
	if (!choice.found)
		return give_up(EXIT_FAILED, "no context %s; start one with: udamon start",
			       stopped_too ? "is there" : "runs");
	if (choice.found > 1)
		return give_up(EXIT_USAGE, "which context? there are %s", choice.names);
	*address = choice.address;
	*state = choice.state;
	return 0;
}
