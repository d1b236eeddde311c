// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sharing the terminal between the live view and the command. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/foreground.h"
#include "cli/terminal.h"

bool foreground_possible(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void foreground_start(struct foreground *foreground, struct child *child)
{
	*foreground = (struct foreground){.child = child};
	foreground->keys = foreground_possible() && terminal_keys_start() >= 0;
}

int foreground_fd(const struct foreground *foreground)
{
	return foreground->keys ? STDIN_FILENO : -1;
}

static void tell_command(const struct foreground *foreground, int signo)
{
	const struct child *child = foreground->child;

	if (child && child->own_group && !child->ended)
		kill(-child->pid, signo);
}

static void give_terminal(struct foreground *foreground)
{
	terminal_restore();
	foreground->keys = false;
	foreground->given = true;
	tcsetpgrp(STDIN_FILENO, foreground->child->pid);
	tell_command(foreground, SIGCONT);
}

/* Stop as Ctrl-Z asks, the command as well, until the shell lets us go on. */
static void stop_for_a_while(struct foreground *foreground)
{
	bool keys = foreground->keys, bottom = terminal_has_bottom();

	terminal_restore();
	foreground->keys = false;
	tell_command(foreground, SIGSTOP);
	if (foreground->given)
		tcsetpgrp(STDIN_FILENO, getpgrp());
	kill(getpid(), SIGSTOP);
	/* Here again: in the foreground, or not, when the shell was asked to go on in the background. */
	if (foreground_possible()) {
		if (foreground->given)
			tcsetpgrp(STDIN_FILENO, foreground->child->pid);
		else if (keys)
			foreground->keys = terminal_keys_start() >= 0;
		if (bottom)
			terminal_reserve_bottom();
	}
	tell_command(foreground, SIGCONT);
}

bool foreground_signal(struct foreground *foreground, int signo)
{
	siginfo_t info = {0};

	if (signo == SIGTSTP)
		stop_for_a_while(foreground);
	if (signo != SIGCHLD || !foreground->child || !foreground->child->own_group ||
	    foreground->child->ended)
		return false;
	if (waitid(P_PID, (id_t)foreground->child->pid, &info, WSTOPPED | WNOHANG) || !info.si_pid)
		return false;
	switch (info.si_status) {
	case SIGTTIN:
	case SIGTTOU:
		if (foreground->given || !foreground_possible())
			return false;
		give_terminal(foreground);
		return true;
	case SIGTSTP:
		stop_for_a_while(foreground);
	}
	return false;
}

void foreground_end(struct foreground *foreground)
{
	terminal_restore();
	/* SIGTTOU is blocked, so this works from the background too. */
	if (foreground->given)
		tcsetpgrp(STDIN_FILENO, getpgrp());
	foreground->given = false;
	foreground->keys = false;
}
