/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The interface of libfuse that is used here, in one version. */
#ifndef UDAMON_SYSFS_FUSE_SESSION_H
#define UDAMON_SYSFS_FUSE_SESSION_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#endif
