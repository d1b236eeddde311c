// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The udamon program: finds the command that was named and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "report/report.h"

const struct command commands[] = {
	{"run", COMMAND_RUN, true, "[--] COMMAND [ARG...]", NULL,
	 "start a command, watch it until it ends, and report", run_command},
	{"record", COMMAND_RECORD, true, "[--] [COMMAND [ARG...]]", NULL,
	 "watch running processes, or a command, into a record", record_command},
	{"report", COMMAND_REPORT, false, "[heatmap|wss|regions|pages|schemes] [FILE]",
	 report_words, "answer questions from a record", report_command},
	{"export", COMMAND_EXPORT, false, "[FILE]", NULL,
	 "hand a record to other tools: damo, CSV, JSON", export_command},
	{"sim", COMMAND_SIM, false, "WORKLOAD", sim_words,
	 "watch a simulated program and compare with the truth", sim_command},
	{"verify", COMMAND_VERIFY, false, "", NULL,
	 "see how near the engine point comes to the exact one", verify_command},
	{"start", COMMAND_START, false, "[KDAMOND]", NULL,
	 "have the daemon watch processes, in the background", start_command},
	{"stop", COMMAND_STOP, false, "[CONTEXT...]", NULL, "end contexts of the daemon",
	 stop_command},
	{"pause", COMMAND_PAUSE, false, "[CONTEXT]", NULL,
	 "have a context of the daemon do nothing, and forget nothing", pause_command},
	{"resume", COMMAND_RESUME, false, "[CONTEXT]", NULL, "have a paused context go on",
	 resume_command},
	{"tune", COMMAND_TUNE, false, "[CONTEXT]", NULL, "change a running context of the daemon",
	 tune_command},
	{"status", COMMAND_STATUS, false, "[CONTEXT...]", NULL,
	 "what the daemon's contexts do, and what is staged but not in force", status_command},
	{"schemes", COMMAND_SCHEMES, false, "[CONTEXT...]", NULL,
	 "what the schemes of the daemon's contexts have done", schemes_command},
	{"top", COMMAND_TOP, false, "[CONTEXT...]", NULL, "a live view of the daemon's contexts",
	 top_command},
	{"ns", COMMAND_NS, true, "[--] COMMAND [ARG...]", NULL,
	 "start a DAMON client that sees the daemon in the kernel's place", ns_command},
	{"doctor", COMMAND_DOCTOR, false, "", NULL, "what this machine allows, and what is missing",
	 doctor_command},
	{NULL},
};

static void print_usage(FILE *out)
{
	fputs("usage: udamon COMMAND [OPTION...]\n\n", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "  %-8s %s\n", command->name, command->summary);
	fputs("\nTry: udamon run -- COMMAND\n"
	      "     udamon COMMAND --help\n"
	      "     man udamon\n",
	      out);
}

static void print_help(const struct command *command)
{
	printf("usage: udamon %s [OPTION...]%s%s\n\n%s\n\n", command->name,
	       *command->operands ? " " : "", command->operands, command->summary);
	options_help(command->bit, stdout);
	fputs("\nTimes take us, ms, s, m; shares a %. Exit status: 0 done, 1 failed, 2 wrong\n"
	      "usage, 77 not possible on this machine",
	      stdout);
	if (command->takes_command)
		fputs("; once a command runs, its own", stdout);
	printf(".\nMore: man udamon-%s\n", command->name);
}

static int run_named(const struct command *command, int argc, char **argv)
{
	struct options opts;
	int first, ret;

	message_set_command(command->name);
	options_init(&opts);
	ret = options_parse(&opts, command->bit, command->takes_command, argc, argv, &first);
	if (ret)
		goto out;
	message_set_quiet(opts.quiet);
	if (opts.help)
		print_help(command);
	else if (opts.html && (ret = output_check(opts.html, REPORT_HTML_HEAD)))
		goto out; /* rather than after the minutes that fill it */
	else
		ret = command->run(&opts, argc - first, argv + first);
out:
	options_clear(&opts);
	return ret;
}

static int dispatch(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--version")) {
		printf("udamon %s\n", UDAMON_VERSION);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--completion")) { /* for the build, which installs what it prints */
		completion_print(stdout);
		return EXIT_DONE;
	}
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return run_named(command, argc - 1, argv + 1);
	return give_up(EXIT_USAGE, "unknown %s '%s'; see 'udamon --help'",
		       *name == '-' ? "option" : "command", name);
}

/*
 * A file opened later must not get the number of a standard stream that the caller closed: what is
 * meant for the terminal would go into the record.
 */
static void open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	int ret, flushed;

	open_standard_streams();
	setlocale(LC_CTYPE, ""); /* only to learn whether the terminal shows UTF-8 */
	/* Nothing may kill the program before its record is finished. */
	signals_ignore_failures();
	ret = dispatch(argc, argv);
	/* Not killed by it only because there was something to put back first. */
	if (ret == EXIT_FAILED && signals_noted())
		ret = 128 + signals_noted();
	terminal_restore();
	flushed = output_flush();
	return ret ? ret : flushed;
}
