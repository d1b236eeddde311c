/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The options of udamond.
 */
#ifndef UDAMON_DAEMON_OPTIONS_H
#define UDAMON_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct daemon_options - what was asked for
 * @config:	configuration file; where it wasn't named, it need not be there
 * @mount:	where the tree is mounted
 * @state:	file that survives the daemon
 * @owner:	whose the tree is
 * @journal:	log for the journal
 */
struct daemon_options {
	const char *config;
	bool config_named;
	const char *mount;
	const char *state;
	uid_t owner;
	bool journal;
	bool verbose;
	bool help;
	bool version;
};

/** daemon_options_parse() - 0, or 2 (wrong usage) after it was said */
int daemon_options_parse(struct daemon_options *options, int argc, char **argv);

/** daemon_options_help() - on standard output */
void daemon_options_help(void);

#endif
