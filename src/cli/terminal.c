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
#include "cli/values.h"

static char status_text[512];
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

static void draw_status(void)
{
	unsigned int columns = columns_of(STDERR_FILENO);
	char line[sizeof(status_text) + 8];

	/* The last column stays free: writing there makes some terminals wrap. */
	snprintf(line, sizeof(line), "\r%.*s\033[K", (int)columns - 1, status_text);
	put(line);
	status_shown = true;
}

void terminal_line(const char *line)
{
	char text[REPORT_STRIP_SIZE + 1024];
	bool shown = status_shown;

	snprintf(text, sizeof(text), "%s%s\n", shown ? "\r\033[K" : "", line);
	put(text);
	if (shown)
		draw_status();
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
	if (status_shown)
		put("\r\033[K");
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
	if (key_fd >= 0)
		tcsetattr(key_fd, TCSADRAIN, &saved_modes);
	key_fd = -1;
}
