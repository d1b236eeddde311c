/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which privileges this process has.
 */
#ifndef UDAMON_ACCESS_CAPABILITY_H
#define UDAMON_ACCESS_CAPABILITY_H

#include <stdbool.h>

/** capability_have() - is capability number @capability (CAP_* of <linux/capability.h>) effective? */
bool capability_have(unsigned int capability);

#endif
