// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Messages on standard error: one line each, with the program and command in front. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/message.h"
#include "cli/terminal.h"

static const char *command_name;
static bool be_quiet;

void message_set_command(const char *command)
{
	command_name = command;
}

void message_set_quiet(bool quiet)
{
	be_quiet = quiet;
}

static void say(const char *fmt, va_list ap)
{
	char text[2048];
	char line[2200];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	snprintf(line, sizeof(line), "udamon%s%s: %s", command_name ? " " : "",
		 command_name ? command_name : "", text);
	terminal_line(line);
}

int give_up(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return code;
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (be_quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}
