// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The options of udamond: one table for parsing and for help. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/options.h"

#define DEFAULT_CONFIG "/etc/udamon/udamond.json"
#define DEFAULT_MOUNT  "/run/udamon/sys"
#define DEFAULT_STATE  "/var/lib/udamon/state.db"

#define WRONG_USAGE 2

static const struct {
	const char *name;
	char letter;
	const char *value;
	const char *help;
} table[] = {
	{"config", 'c', "FILE", "kdamonds to run, as JSON (" DEFAULT_CONFIG ")"},
	{"mount", 'm', "DIR", "where the file tree is mounted (" DEFAULT_MOUNT ")"},
	{"state", 's', "FILE", "what survives a restart (" DEFAULT_STATE ")"},
	{"owner", 'o', "USER",
	 "whose the files are; root may use them in any case (who starts it)"},
	{"log", 'l', "WHERE", "journal or stderr (journal if that listens)"},
	{"verbose", 'v', NULL, "say more"},
	{"help", 'h', NULL, "this text"},
	{"version", 'V', NULL, "the version"},
};

#define NR_OPTIONS (sizeof(table) / sizeof(table[0]))

static int wrong(const char *what, const char *value, const char *why)
{
	fprintf(stderr, "udamond: %s '%s': %s; see 'udamond --help'\n", what, value, why);
	return WRONG_USAGE;
}

static int set_owner(struct daemon_options *options, const char *value)
{
	const struct passwd *user;
	unsigned long uid;
	char *end;

	user = getpwnam(value);
	if (user) {
		options->owner = user->pw_uid;
		return 0;
	}
	errno = 0;
	uid = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || uid > (uid_t)-2)
		return wrong("--owner", value, "no such user");
	options->owner = (uid_t)uid;
	return 0;
}

static int set(struct daemon_options *options, char letter, const char *value)
{
	switch (letter) {
	case 'c':
		options->config = value;
		options->config_named = true;
		return 0;
	case 'm':
		options->mount = value;
		return 0;
	case 's':
		options->state = value;
		return 0;
	case 'o':
		return set_owner(options, value);
	case 'l':
		options->journal = !strcmp(value, "journal");
		return options->journal || !strcmp(value, "stderr")
			       ? 0
			       : wrong("--log", value, "it is journal or stderr");
	case 'v':
		options->verbose = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	default:
		options->version = true;
		return 0;
	}
}

int daemon_options_parse(struct daemon_options *options, int argc, char **argv)
{
	struct option longs[NR_OPTIONS + 1] = {};
	int letter, ret = 0;

	*options = (struct daemon_options){
		.config = DEFAULT_CONFIG,
		.mount = DEFAULT_MOUNT,
		.state = DEFAULT_STATE,
		.owner = geteuid(),
		.journal = log_journal_listens(),
	};
	for (size_t i = 0; i < NR_OPTIONS; i++)
		longs[i] = (struct option){table[i].name,
					   table[i].value ? required_argument : no_argument, NULL,
					   table[i].letter};
	opterr = 0;
	/* Of the letters only those that are everybody's habit. */
	while (!ret && (letter = getopt_long(argc, argv, ":vh", longs, NULL)) != -1) {
		if (letter == ':')
			ret = wrong("option", argv[optind - 1], "its value is missing");
		else if (letter == '?')
			ret = wrong("option", argv[optind - 1], "there is no such option");
		else
			ret = set(options, (char)letter, optarg);
	}
	if (!ret && optind < argc)
		ret = wrong("argument", argv[optind], "it takes options only");
	return ret;
}

void daemon_options_help(void)
{
	printf("usage: udamond [OPTION...]\n\n"
	       "Serves the file tree by which monitoring is controlled, and monitors.\n\n");
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "--%s%s%s", table[i].name, table[i].value ? " " : "",
			 table[i].value ? table[i].value : "");
		printf("  %-16s %s\n", name, table[i].help);
	}
	printf("\nSIGHUP reads the configuration again, SIGTERM ends it. Exit status: 0 ended as asked,\n"
	       "1 failed, 2 wrong usage, 77 not possible on this machine. More: man udamond\n");
}
