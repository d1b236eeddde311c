/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Trace points as static user-space probes; the "tracing" and "trace" of a live port. */
#ifndef UDAMON_PORT_PROBES_H
#define UDAMON_PORT_PROBES_H

#include <udamon/port.h>

bool probes_tracing(struct damon_port *port, enum damon_trace_point point);
void probes_trace(struct damon_port *port, enum damon_trace_point point, const uint64_t *f);

#endif
