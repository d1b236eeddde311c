/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Memory pressure of the machine (PSI): how much of the time tasks waited for memory.
 */
#ifndef UDAMON_SYSTEM_PSI_H
#define UDAMON_SYSTEM_PSI_H

#include <stdint.h>

/**
 * psi_memory_stalled_us() - total time in which at least one task waited for memory, since boot
 * Return: 0; -EOPNOTSUPP when the kernel doesn't keep it; another -errno.
 */
int psi_memory_stalled_us(uint64_t *stalled_us);

/** psi_parse() - "total" of the "some" line of such a file; 0 or -EINVAL */
int psi_parse(const char *text, uint64_t *stalled_us);

#endif
