/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The cells of a map.
 */
#include "report/grid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int grid_init(struct grid *grid, size_t nr_rows, size_t nr_columns, uint64_t t_start_ns,
	      uint64_t t_end_ns)
{
	*grid = (struct grid){
		.nr_rows = nr_rows,
		.nr_columns = nr_columns,
		.t_start_ns = t_start_ns,
		.t_end_ns = t_end_ns > t_start_ns ? t_end_ns : t_start_ns + 1,
	};
	grid->cells = calloc(nr_rows * nr_columns + 1, sizeof(*grid->cells));
	grid->window = calloc(nr_rows + 1, sizeof(*grid->window));
	grid->watched = calloc(nr_columns + 1, sizeof(*grid->watched));
	if (grid->cells && grid->window && grid->watched)
		return 0;
	grid_clear(grid);
	return -ENOMEM;
}

void grid_clear(struct grid *grid)
{
	free(grid->cells);
	free(grid->window);
	free(grid->watched);
	memset(grid, 0, sizeof(*grid));
}

static void add_bytes(struct grid_cell *cell, const struct grid_piece *piece, float bytes)
{
	float rate;

	if (!piece->samples) {
		cell->unknown += bytes;
		return;
	}
	rate = (float)grid_piece_rate(piece);
	cell->known += bytes;
	cell->heat += bytes * rate;
	if (rate > cell->max)
		cell->max = rate;
}

/* One sweep over pieces, spans and rows, which are all in order of address. */
static void sum_window(struct grid *grid, const struct layout *layout,
		       const struct grid_piece *pieces, size_t nr)
{
	uint64_t start, end, from, to, stop;
	size_t i, s = 0, r = 0, at;

	memset(grid->window, 0, grid->nr_rows * sizeof(*grid->window));
	for (i = 0; i < nr; i++) {
		while (s < layout->nr_spans && layout->spans[s].end <= pieces[i].start)
			s++;
		for (at = s; at < layout->nr_spans && layout->spans[at].start < pieces[i].end;
		     at++) {
			const struct layout_span *span = &layout->spans[at];

			start = pieces[i].start > span->start ? pieces[i].start : span->start;
			end = pieces[i].end < span->end ? pieces[i].end : span->end;
			from = span->offset + (start - span->start);
			to = span->offset + (end - span->start);
			while (r < grid->nr_rows && layout->rows[r].to <= from)
				r++;
			while (r < grid->nr_rows && from < to) {
				stop = layout->rows[r].to < to ? layout->rows[r].to : to;
				add_bytes(&grid->window[r], &pieces[i], (float)(stop - from));
				from = stop;
				if (from < to)
					r++;
			}
		}
	}
}

static void add_window(struct grid *grid, size_t column, float share)
{
	struct grid_cell *cells = &grid->cells[column * grid->nr_rows];
	size_t r;

	for (r = 0; r < grid->nr_rows; r++) {
		cells[r].heat += grid->window[r].heat * share;
		cells[r].known += grid->window[r].known * share;
		cells[r].unknown += grid->window[r].unknown * share;
		if (grid->window[r].max > cells[r].max)
			cells[r].max = grid->window[r].max;
	}
	grid->watched[column] += share;
}

void grid_add(struct grid *grid, const struct layout *layout, const struct grid_piece *pieces,
	      size_t nr, uint64_t t_start_ns, uint64_t t_end_ns)
{
	double length = (double)(grid->t_end_ns - grid->t_start_ns);
	double from, to, left, right;
	size_t column;

	/* A window without a length still happened: give it a nanosecond. */
	if (t_end_ns <= t_start_ns)
		t_end_ns = t_start_ns + 1;
	if (t_end_ns <= grid->t_start_ns || t_start_ns >= grid->t_end_ns || !grid->nr_columns)
		return;
	sum_window(grid, layout, pieces, nr);
	from = t_start_ns > grid->t_start_ns ? (double)(t_start_ns - grid->t_start_ns) : 0;
	to = (double)(t_end_ns - grid->t_start_ns);
	from = from / length * (double)grid->nr_columns;
	to = to / length * (double)grid->nr_columns;
	for (column = (size_t)from; column < grid->nr_columns && (double)column < to; column++) {
		left = from > (double)column ? from : (double)column;
		right = to < (double)column + 1 ? to : (double)column + 1;
		if (right > left)
			add_window(grid, column, (float)(right - left));
	}
}

double grid_rate(const struct grid *grid, size_t row, size_t column, enum report_heat heat)
{
	const struct grid_cell *cell = &grid->cells[column * grid->nr_rows + row];

	if (!(cell->known > 0) || cell->unknown > cell->known)
		return -1;
	return heat == REPORT_HEAT_MAX ? (double)cell->max
				       : (double)cell->heat / (double)cell->known;
}

unsigned int grid_cell(const struct grid *grid, size_t row, size_t column, enum report_heat heat)
{
	const struct grid_cell *cell = &grid->cells[column * grid->nr_rows + row];
	double rate = grid_rate(grid, row, column, heat);

	/* A column is a gap when most of it wasn't watched, even if a window ends in it. */
	if (grid->watched[column] < 0.5f && grid->nr_columns > 1)
		return HEAT_PAUSED;
	if (rate >= 0)
		return heat_level(rate);
	return cell->unknown > 0 ? HEAT_UNKNOWN : HEAT_UNMAPPED;
}
