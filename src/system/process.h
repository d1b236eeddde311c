/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Processes: who they are, whether they are still the same, holding on to one by its pidfd.
 */
#ifndef UDAMON_SYSTEM_PROCESS_H
#define UDAMON_SYSTEM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <udamon/error.h>

/**
 * struct process_info - from /proc/PID/stat
 * @pid:	its number
 * @comm:	short name
 * @state:	'R', 'S', 'Z', ...
 * @kernel_thread: it has no memory of its own
 * @start_time:	clock ticks since boot; with @pid it names the process for as long as
 *		the machine is up, and with process_boot_id() beyond that
 * @nr_threads: how many
 */
struct process_info {
	pid_t pid;
	char comm[64];
	char state;
	bool kernel_thread;
	uint64_t start_time;
	unsigned int nr_threads;
};

/** process_info_read() - 0; -ESRCH; -EACCES; -EIO (not the known format) */
int process_info_read(struct process_info *info, pid_t pid);

/** process_info_parse() - the same from the text of such a file; 0 or -EINVAL */
int process_info_parse(struct process_info *info, const char *text);

/** process_boot_id() - which start of the machine this is; "" where the kernel doesn't tell */
void process_boot_id(char *id, size_t size);

/**
 * process_open() - hold on to the process that has @pid now
 * @pidfd:	set to a descriptor of it
 * @info:	what it is; may be NULL
 *
 * The descriptor and @info are of the same process for certain.
 * Return: 0; -ESRCH; -EINVAL (a kernel thread, or the number of a thread that is not a
 * process); -EMFILE, -ENOMEM; @err says it in words.
 */
int process_open(pid_t pid, int *pidfd, struct process_info *info, struct damon_error *err);

/** enum process_state - what a pidfd still stands for */
enum process_state {
	PROCESS_ALIVE,
	PROCESS_EXITED, /* a zombie: not yet reaped by its parent */
	PROCESS_GONE,	/* the number may belong to another process now */
};

enum process_state process_state(int pidfd);

/** process_resident_pages() - how much of it is in memory, by the kernel's rough count; 0 when it is gone */
uint64_t process_resident_pages(pid_t pid);

/** process_cmdline() - arguments, separated by spaces, cut to @size; 0 or -errno */
int process_cmdline(pid_t pid, char *text, size_t size);

/**
 * process_children() - living children of a process
 * @children:	filled with at most @max of them, ascending
 * @first_thread: the children of up to %PROCESS_CHILDREN_THREADS of its threads are read, from
 *		this one on; advanced, so that repeated calls get round
 *
 * Return: how many; -ESRCH; -EOPNOTSUPP when the kernel doesn't tell.
 */
#define PROCESS_CHILDREN_THREADS 32
int process_children(pid_t pid, pid_t *children, size_t max, size_t *first_thread);

#endif
