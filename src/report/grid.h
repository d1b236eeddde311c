/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The cells of a map: heat of addresses (rows of a layout) over time (columns).
 */
#ifndef REPORT_GRID_H
#define REPORT_GRID_H

#include "report/heat.h"
#include "report/layout.h"

/**
 * struct grid_piece - addresses of one region in one window, as far as they are mapped
 * @samples:	sampling intervals whose outcome is known
 */
struct grid_piece {
	uint64_t start;
	uint64_t end;
	uint32_t nr_accesses;
	uint32_t age;
	uint32_t samples;
};

/** grid_piece_rate() - access rate of a piece, 0..1; only where @samples isn't 0 */
static inline double grid_piece_rate(const struct grid_piece *piece)
{
	double rate = (double)piece->nr_accesses / piece->samples;

	return rate > 1 ? 1 : rate;
}

/* Sums of bytes x time, and the hottest rate. */
struct grid_cell {
	float heat;
	float known;
	float unknown;
	float max;
};

struct grid {
	size_t nr_rows;
	size_t nr_columns;
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	struct grid_cell *cells; /* column after column */
	struct grid_cell *window;
	float *watched; /* per column: share of its time that windows cover */
};

/** grid_init() - empty cells; 0 or -ENOMEM */
int grid_init(struct grid *grid, size_t nr_rows, size_t nr_columns, uint64_t t_start_ns,
	      uint64_t t_end_ns);
void grid_clear(struct grid *grid);

/** grid_add() - a window of one target: its pieces, sorted; may be none */
void grid_add(struct grid *grid, const struct layout *layout, const struct grid_piece *pieces,
	      size_t nr, uint64_t t_start_ns, uint64_t t_end_ns);

/** grid_rate() - access rate of a cell, or -1 where there is no level to show */
double grid_rate(const struct grid *grid, size_t row, size_t column, enum report_heat heat);

/** grid_cell() - what to draw: a level, or one of enum heat_cell */
unsigned int grid_cell(const struct grid *grid, size_t row, size_t column, enum report_heat heat);

#endif
