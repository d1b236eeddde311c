/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Contexts of the tree: how they are called on the command line, and which there are. */
#ifndef UDAMON_CLI_CONTEXTS_H
#define UDAMON_CLI_CONTEXTS_H

#include "cli/tree_client.h"

/**
 * struct context_address - "K/C": which context of which kdamond
 *
 * A kdamond has at most one context so far, and "K" alone means "K/0".
 */
struct context_address {
	unsigned int kdamond;
	unsigned int context;
};

/** enum context_state - what a place for a context is in */
enum context_state {
	CONTEXT_NONE, /* the kdamond is there, but nothing is staged */
	CONTEXT_OFF,  /* staged, not running: not started, stopped, or ended by itself */
	CONTEXT_PAUSED, /* running, with the pause parameter staged (and in force, unless it changed) */
	CONTEXT_ON,
};

/** address_parse() - "3" or "3/0"; 0 or an exit code */
int address_parse(const char *text, struct context_address *address);

/** nr_kdamonds() - how many there are; 0 or an exit code */
int nr_kdamonds(const struct tree *tree, unsigned int *nr);

/** context_state() - 0 or -errno; -ENOENT when there is no such kdamond */
int context_state(const struct tree *tree, const struct context_address *address,
		  enum context_state *state);

/** context_state_name() - "none", "off", "paused", "on" */
const char *context_state_name(enum context_state state);

/**
 * contexts_for_each() - call @fn for the contexts that are named, or for all that are staged or run
 * @argc, @argv: addresses
 * Return: 0, or the exit code that a call or a wrong address gave; the rest is then left out.
 */
int contexts_for_each(const struct tree *tree, int argc, char **argv,
		      int (*fn)(void *data, const struct context_address *address,
				enum context_state state),
		      void *data);

/**
 * context_choose() - the one context a command is for: the one named, else the only one that runs
 * @stopped_too: one that is only staged will do as well
 * Return: 0 or an exit code.
 */
int context_choose(const struct tree *tree, int argc, char **argv, bool stopped_too,
		   struct context_address *address, enum context_state *state);

#endif
