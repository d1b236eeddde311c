/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A list of ranges of another process for process_madvise(): to make their pages old, or
 * to give other advice.
 */
#ifndef UDAMON_ACCESS_CLEAR_H
#define UDAMON_ACCESS_CLEAR_H

#include <stddef.h>
#include <stdint.h>

struct clear_list;

/** clear_list_new() - an empty list; NULL when memory ran out */
struct clear_list *clear_list_new(void);
void clear_list_free(struct clear_list *list);

/** clear_list_reset() - empty it, keeping its memory */
void clear_list_reset(struct clear_list *list);

/** clear_list_add() - add a range, a very large one in parts; @tag is given back to the callbacks; 0 or -ENOMEM */
int clear_list_add(struct clear_list *list, uint64_t start, uint64_t end, size_t tag);

/** struct clear_result - what a run did */
struct clear_result {
	uint64_t nr_cleared; /* ranges */
	uint64_t nr_busy;    /* passed over: the kernel was too busy for them */
	uint64_t nr_calls;
};

typedef void clear_callback(void *data, uint64_t start, uint64_t end, size_t tag);

/**
 * clear_list_on_busy() - who is told of each range that couldn't be cleared now, but may be the next time
 *
 * clear_list_run() tries long, and goes on with the next range. NULL: nobody.
 */
void clear_list_on_busy(struct clear_list *list, clear_callback *busy);

/**
 * clear_list_run() - clear all ranges, in as few calls as possible
 * @refused:	called for each range that lies in a mapping the kernel doesn't clear; a
 *		range that is no longer mapped is passed over silently
 * @accepted:	called for each range that worked; may be NULL
 *
 * Return: 0; -ESRCH (the process has exited); -EPERM; another -errno. *@result is
 * filled in any case.
 */
int clear_list_run(struct clear_list *list, int pidfd, clear_callback *refused,
		   clear_callback *accepted, void *data, struct clear_result *result);

/**
 * clear_list_advise() - the same with another advice than %MADV_COLD
 * @advice:	%MADV_PAGEOUT, %MADV_WILLNEED, %MADV_COLLAPSE, ...
 *
 * A range that can't take it is refused, whatever the reason, and the next ones are tried.
 * Return: as clear_list_run(), but only -ESRCH, -EPERM, -EACCES and -ENOSYS end it.
 */
int clear_list_advise(struct clear_list *list, int pidfd, int advice, clear_callback *refused,
		      clear_callback *accepted, void *data, struct clear_result *result);

#endif
