/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the system says of its memory, for goals and watermarks of schemes. */
#ifndef UDAMON_SYSTEM_METRIC_H
#define UDAMON_SYSTEM_METRIC_H

#include <udamon/port.h>

/**
 * system_metric() - read a metric of this machine; for &damon_port.metric
 * @port:	its @metric_data is the directory under which /proc and /sys are looked for, NULL for
 *		the root
 *
 * Return: 0; -ENOTSUP where the kernel doesn't account for memory pressure (it needs CONFIG_PSI, and
 * "psi=1" on some); -ENODEV: no such node; -ENOENT: no such memory cgroup; -EIO: a file
 * doesn't say what it should; -errno of reading it.
 */
int system_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
		  const char *memcg_path, uint64_t *value);

#endif
