/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Making pages of another process count as used, for the kernel's reclaim.
 */
#ifndef UDAMON_SYSTEM_TOUCH_H
#define UDAMON_SYSTEM_TOUCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** TOUCH_MAX - most pages of one call */
#define TOUCH_MAX 512

/**
 * touch_pages() - read a byte of each page, twice
 * @pid:	the process; nothing is done once @pidfd, which is its own, says that it has ended
 * @addrs:	addresses of resident pages (absent ones would be brought in); @nr is at most %TOUCH_MAX
 *
 * A page that was read through the kernel is marked as referenced, and becomes active the second time;
 * the process's own Accessed bits stay as they are, except those of huge pages.
 *
 * Return: how many were read both times; pages that can't be read are passed over; -ESRCH; -EPERM.
 */
ssize_t touch_pages(pid_t pid, int pidfd, const uint64_t *addrs, size_t nr);

#endif
