// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The library object: what contexts share (port, registered operations sets). */
#include <errno.h>
#include <stddef.h>

#include <udamon/ops.h>

const char *damon_ops_name(enum damon_ops_id id)
{
	static const char *const names[DAMON_NR_OPS] = {
		[DAMON_OPS_VADDR] = "vaddr",
		[DAMON_OPS_FVADDR] = "fvaddr",
		[DAMON_OPS_PADDR] = "paddr",
		[DAMON_OPS_SIM] = "sim",
	};

	return (unsigned int)id < DAMON_NR_OPS ? names[id] : NULL;
}
