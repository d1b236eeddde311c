/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a process, as /proc/PID/maps shows them.
 */
#ifndef UDAMON_SYSTEM_MAPS_H
#define UDAMON_SYSTEM_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct mapping - one mapping of a process
 * @start, @end: its addresses, bytes; @end is outside
 * @perms:	as in the file: "rw-p", "r-xs", ...
 * @offset:	into the file behind it, bytes
 * @inode:	of that file; 0 for anonymous memory
 * @path:	file, or "[heap]", "[stack]", "[anon:NAME]", ...; "" for nameless memory. Never NULL.
 */
struct mapping {
	uint64_t start;
	uint64_t end;
	char perms[5];
	uint64_t offset;
	uint64_t inode;
	const char *path;
};

/**
 * struct mapping_list - all mappings of a process, by address
 * @nr, @mappings: the mappings
 *
 * Zero-initialise it. maps_read() reuses its memory, so a list that is read
 * again and again stops allocating.
 */
struct mapping_list {
	size_t nr;
	struct mapping *mappings;
	/* private: */
	size_t capacity;
	char *text;
	size_t text_capacity;
};

/**
 * maps_read() - read the mappings of process @pid
 *
 * [vsyscall] is left out: it isn't memory of the process. A zombie or a kernel
 * thread has none (@list->nr is 0, no error). What @list held before is gone.
 *
 * Return: 0; -ESRCH when there is no such process; -EACCES or -EPERM when it
 * may not be looked at; -ENOMEM; -EIO.
 */
int maps_read(struct mapping_list *list, pid_t pid);

/**
 * maps_parse() - the same from text in the format of /proc/PID/maps
 * @text:	copied
 * Return: 0; -EINVAL for a line that isn't a mapping; -ENOMEM.
 */
int maps_parse(struct mapping_list *list, const char *text);

/** maps_find() - the mapping that holds @addr, or NULL */
const struct mapping *maps_find(const struct mapping_list *list, uint64_t addr);

/** maps_clear() - free what the list holds; it may be used again */
void maps_clear(struct mapping_list *list);

#endif
