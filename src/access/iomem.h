/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The physical address map, as /proc/iomem shows it.
 */
#ifndef UDAMON_ACCESS_IOMEM_H
#define UDAMON_ACCESS_IOMEM_H

#include <stdint.h>

/**
 * iomem_ram_end() - end of the highest system memory
 *
 * Return: its physical address, or 0 when that can't be read (without
 * CAP_SYS_ADMIN the file shows zeroes).
 */
uint64_t iomem_ram_end(void);

#endif
