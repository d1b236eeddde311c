// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Memory of a target's regions: make, grow, swap, free. */
#include <errno.h>
#include <string.h>

#include "core/region_table.h"

static void columns_free(struct damon_port *port, struct damon_region_columns *columns)
{
	port->free(port, columns->ranges);
	port->free(port, columns->nr_accesses);
	port->free(port, columns->rest);
	memset(columns, 0, sizeof(*columns));
}

static void *alloc_array(struct damon_port *port, size_t nr, size_t size)
{
	if (nr > SIZE_MAX / size)
		return NULL;
	return port->alloc(port, nr * size);
}

static int columns_new(struct damon_port *port, struct damon_region_columns *columns,
		       size_t capacity)
{
	memset(columns, 0, sizeof(*columns));
	columns->ranges = alloc_array(port, capacity, sizeof(*columns->ranges));
	columns->nr_accesses = alloc_array(port, capacity, sizeof(*columns->nr_accesses));
	columns->rest = alloc_array(port, capacity, sizeof(*columns->rest));
	columns->capacity = capacity;
	if (columns->ranges && columns->nr_accesses && columns->rest)
		return 0;
	columns_free(port, columns);
	return -ENOMEM;
}

/* Larger columns with the same regions. */
static int columns_grow(struct damon_port *port, struct damon_region_columns *columns,
			size_t capacity)
{
	struct damon_region_columns grown;
	size_t nr = columns->nr;
	int err;

	if (columns->capacity >= capacity)
		return 0;
	err = columns_new(port, &grown, capacity);
	if (err)
		return err;
	if (nr) {
		memcpy(grown.ranges, columns->ranges, nr * sizeof(*grown.ranges));
		memcpy(grown.nr_accesses, columns->nr_accesses, nr * sizeof(*grown.nr_accesses));
		memcpy(grown.rest, columns->rest, nr * sizeof(*grown.rest));
	}
	grown.nr = nr;
	columns_free(port, columns);
	*columns = grown;
	return 0;
}

static int sampling_grow(struct damon_port *port, struct damon_region_table *table, size_t capacity)
{
	uint64_t *sampling_addrs;
	uint32_t *access;
	uint8_t *hit;

	if (table->sampling_capacity >= capacity)
		return 0;
	sampling_addrs = alloc_array(port, capacity, sizeof(*sampling_addrs));
	access = alloc_array(port, capacity, sizeof(*access));
	hit = alloc_array(port, capacity, sizeof(*hit));
	if (!sampling_addrs || !access || !hit) {
		port->free(port, sampling_addrs);
		port->free(port, access);
		port->free(port, hit);
		return -ENOMEM;
	}
	port->free(port, table->sampling_addrs);
	port->free(port, table->access);
	port->free(port, table->hit);
	table->sampling_addrs = sampling_addrs;
	table->access = access;
	table->hit = hit;
	table->sampling_capacity = capacity;
	table->changed = true;
	return 0;
}

struct damon_region_table *damon_region_table_new(struct damon_port *port)
{
	return port->alloc(port, sizeof(struct damon_region_table));
}

void damon_region_table_free(struct damon_port *port, struct damon_region_table *table)
{
	if (!table)
		return;
	columns_free(port, &table->now);
	columns_free(port, &table->spare);
	port->free(port, table->sampling_addrs);
	port->free(port, table->access);
	port->free(port, table->hit);
	port->free(port, table);
}

int damon_region_table_reserve(struct damon_port *port, struct damon_region_table *table,
			       size_t capacity)
{
	size_t largest = table->now.capacity;
	int err;

	if (largest < table->spare.capacity)
		largest = table->spare.capacity;
	/* Grow by doubling, so that a layout that grows steadily costs little. */
	if (capacity > largest && largest && capacity < 2 * largest)
		capacity = 2 * largest;
	table->spare.nr = 0;
	err = sampling_grow(port, table, capacity);
	if (!err)
		err = columns_grow(port, &table->spare, capacity);
	if (!err)
		err = columns_grow(port, &table->now, capacity);
	return err;
}

void damon_region_table_swap(struct damon_region_table *table)
{
	struct damon_region_columns now = table->spare;

	table->spare = table->now;
	table->spare.nr = 0;
	table->now = now;
	table->changed = true;
}

void damon_region_table_swap_ranges(struct damon_region_table *table)
{
	const struct damon_region_columns *now = &table->now, *spare = &table->spare;

	if (now->nr == spare->nr &&
	    (!now->nr || !memcmp(now->ranges, spare->ranges, now->nr * sizeof(*now->ranges))))
		table->spare.nr = 0;
	else
		damon_region_table_swap(table);
}

uint64_t damon_region_table_bytes(const struct damon_region_table *table)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < table->now.nr; i++) {
		const struct damon_addr_range *ar = &table->now.ranges[i];

		if (__builtin_add_overflow(bytes, ar->end - ar->start, &bytes))
			return UINT64_MAX;
	}
	return bytes;
}
