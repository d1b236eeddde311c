/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Picks the page-table constants of the architecture that is built for.
 */
#ifndef UDAMON_ACCESS_ARCH_H
#define UDAMON_ACCESS_ARCH_H

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#include "access/arch_x86_64.h"
#else
#error "no page-table constants for this architecture: write arch_NAME.h and add it here"
#endif

#endif
