/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How much of a mapped file is in memory.
 */
#ifndef UDAMON_SYSTEM_PAGE_CACHE_H
#define UDAMON_SYSTEM_PAGE_CACHE_H

#include <stdint.h>
#include <sys/types.h>

#include "system/maps.h"

/**
 * page_cache_open() - the file behind a mapping of process @pid
 *
 * Return: a descriptor; -ENOENT (the mapping isn't there any more, or no regular file is behind
 * it); -EPERM or -EACCES; another -errno.
 */
int page_cache_open(pid_t pid, const struct mapping *mapping);

/**
 * page_cache_bytes() - bytes of the file from @offset on that are in memory, of @size
 * @fd:		from page_cache_open()
 * Return: 0 or -errno.
 */
int page_cache_bytes(int fd, uint64_t offset, uint64_t size, uint64_t *bytes);

#endif
