// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The terminal: width, abilities, status line, single keys. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "params/values.h"

#define SAVE	   "\0337"
#define RESTORE	   "\0338"
#define LEAST_ROWS 6

static char status_text[512];
static unsigned int bottom_row; /* reserved for the status line; 0 when none is */
static bool status_shown;
static int key_fd = -1;
static struct termios saved_modes;

static unsigned int columns_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (columns && !parse_count(columns, &n) && n && n <= 10000)
		return (unsigned int)n;
	return 80;
}

static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || !strcmp(term, "dumb");
}

static void style_of(int fd, const struct options *opts, struct report_style *style)
{
	const char *truecolor = getenv("COLORTERM");
	const char *no_color = getenv("NO_COLOR");
	bool terminal = isatty(fd) && !is_dumb();
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");

	*style = (struct report_style){.width = columns_of(fd)};
	style->unicode = utf8 && (opts->colour == COLOUR_ALWAYS ||
				  (opts->colour == COLOUR_AUTO && terminal));
	if (opts->colour == COLOUR_NEVER ||
	    (opts->colour == COLOUR_AUTO && (!terminal || (no_color && *no_color))))
		style->color = REPORT_COLOR_NONE;
	else if (truecolor && (!strcmp(truecolor, "truecolor") || !strcmp(truecolor, "24bit")))
		style->color = REPORT_COLOR_TRUE;
	else
		style->color = REPORT_COLOR_256;
}

void terminal_style(const struct options *opts, struct report_style *style)
{
	style_of(STDOUT_FILENO, opts, style);
}

void terminal_style_stderr(const struct options *opts, struct report_style *style)
{
	style_of(STDERR_FILENO, opts, style);
}

/* Standard error may be gone; there is nobody left to tell. */
static void put(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static unsigned int rows_of(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_row;
}

unsigned int terminal_rows(void)
{
	return rows_of(STDOUT_FILENO);
}

static void draw_status(void)
{
	unsigned int columns = columns_of(STDERR_FILENO);
	char line[sizeof(status_text) + 32];

	/* The last column stays free: writing there makes some terminals wrap. */
	if (bottom_row)
		snprintf(line, sizeof(line), SAVE "\033[%u;1H\033[K%.*s" RESTORE, bottom_row,
			 (int)columns - 1, status_text);
	else
		snprintf(line, sizeof(line), "\r%.*s\033[K", (int)columns - 1, status_text);
	put(line);
	status_shown = true;
}

void terminal_line(const char *line)
{
	char text[REPORT_STRIP_SIZE + 1024];
	bool in_the_way = status_shown && !bottom_row;

	snprintf(text, sizeof(text), "%s%s\n", in_the_way ? "\r\033[K" : "", line);
	put(text);
	if (in_the_way)
		draw_status();
}

void terminal_reserve_bottom(void)
{
	unsigned int rows = rows_of(STDERR_FILENO);
	char text[64];

	if (!terminal_has_status() || rows < LEAST_ROWS)
		return;
	/* A line further and back, so that the cursor isn't in the last row; setting the margins moves it. */
	snprintf(text, sizeof(text), "\n" SAVE "\033[1;%ur" RESTORE "\033[1A", rows - 1);
	put(text);
	bottom_row = rows;
}

bool terminal_has_bottom(void)
{
	return bottom_row;
}

void terminal_resized(void)
{
	unsigned int rows = rows_of(STDERR_FILENO);
	char text[64];

	if (!bottom_row || rows == bottom_row)
		return;
	if (rows < LEAST_ROWS) {
		put(SAVE "\033[r" RESTORE);
		bottom_row = 0;
		status_shown = false;
		return;
	}
	bottom_row = rows;
	snprintf(text, sizeof(text), SAVE "\033[1;%ur" RESTORE, rows - 1);
	put(text);
}

static void release_bottom(void)
{
	char text[64];

	if (!bottom_row)
		return;
	snprintf(text, sizeof(text), SAVE "\033[r\033[%u;1H\033[K" RESTORE, bottom_row);
	put(text);
	bottom_row = 0;
	status_shown = false;
}

bool terminal_has_status(void)
{
	return isatty(STDERR_FILENO) && !is_dumb();
}

void terminal_status(const char *fmt, ...)
{
	va_list ap;

	if (!terminal_has_status())
		return;
	va_start(ap, fmt);
	vsnprintf(status_text, sizeof(status_text), fmt, ap);
	va_end(ap);
	draw_status();
}

void terminal_clear_status(void)
{
	char text[64];

	if (status_shown && bottom_row) {
		snprintf(text, sizeof(text), SAVE "\033[%u;1H\033[K" RESTORE, bottom_row);
		put(text);
	} else if (status_shown) {
		put("\r\033[K");
	}
	status_shown = false;
}

int terminal_keys_start(void)
{
	struct termios modes;

	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &saved_modes))
		return -1;
	modes = saved_modes;
	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &modes))
		return -1;
	key_fd = STDIN_FILENO;
	return key_fd;
}

int terminal_key(void)
{
	unsigned char key;

	if (key_fd < 0 || tcgetpgrp(key_fd) != getpgrp())
		return 0;
	return read(key_fd, &key, 1) == 1 ? key : 0;
}

void terminal_restore(void)
{
	terminal_clear_status();
	release_bottom();
	if (key_fd >= 0)
		tcsetattr(key_fd, TCSADRAIN, &saved_modes);
	key_fd = -1;
}
