/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the rest of the core must know of probes. */
#ifndef UDAMON_CORE_SAMPLING_H
#define UDAMON_CORE_SAMPLING_H

#include "core/core.h"

/* Whether hits of probes stand in for accesses. */
bool damon_probes_weighted(const struct damon_ctx *ctx);

/* 0; -EINVAL where a count could overflow; -EOPNOTSUPP where @ops (may be NULL) has no probes. */
int damon_check_probes(const struct damon_operations *ops, const struct damon_attrs *attrs,
		       const struct damon_probe *probes, uint32_t nr);

#endif
