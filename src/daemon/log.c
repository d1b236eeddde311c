// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the daemon says, a line at a time. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

static bool for_journal;
static enum log_level least = LOG_LEVEL_NOTICE;

void log_begin(bool journal, bool verbose)
{
	for_journal = journal;
	least = verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE;
}

/* The journal says which file it listens on, as a redirection may have come between. */
bool log_journal_listens(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uint64_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

void log_say(enum log_level level, const char *fmt, ...)
{
	char text[2048], line[2200], priority[8] = "";
	va_list ap;
	int len;

	if (level > least)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (for_journal)
		snprintf(priority, sizeof(priority), "<%d>", (int)level);
	len = snprintf(line, sizeof(line), "%sudamond: %s%s\n", priority,
		       level == LOG_LEVEL_ERROR	    ? "error: "
		       : level == LOG_LEVEL_WARNING ? "warning: "
						    : "",
		       text);
	/* In one piece, so that lines of several threads don't mix. Where it is lost, there is nobody to tell. */
	(void)!write(STDERR_FILENO, line, (size_t)len);
}
