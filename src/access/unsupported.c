/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Stands in for the page-table reader where it wasn't built, and says so.
 */
#include <errno.h>

#include "access/doctor_probe.h"
#include "access/folio.h"
#include "access/point.h"
#include "access/reader.h"
#include "access/scan.h"
#include "access/toll.h"

void toll_measure(struct toll *toll)
{
	*toll = (struct toll){};
}

int page_calibrate(struct page_calibration *calibration, struct damon_error *err)
{
#ifdef __x86_64__
	return damon_error_set(
		err, -EOPNOTSUPP,
		"this udamon was built without the BPF page-table reader: clang, bpftool "
		"or libbpf-dev was missing when it was built");
#else
	return damon_error_set(
		err, -EOPNOTSUPP,
		"this udamon has no page-table reader for this kind of processor: only "
		"x86-64 is supported");
#endif
}

int point_engine_new(struct point_engine **engine, const struct page_calibration *calibration,
		     struct damon_error *err)
{
	struct page_calibration none;

	*engine = NULL;
	return page_calibrate(&none, err);
}

void point_engine_free(struct point_engine *engine)
{
}

const struct point_stat *point_engine_stat(const struct point_engine *engine)
{
	static const struct point_stat none;

	return &none;
}

int point_target_new(struct point_target **target, struct point_engine *engine, int pidfd,
		     pid_t pid, struct watch_map *map, struct damon_error *err)
{
	struct page_calibration none;

	*target = NULL;
	return page_calibrate(&none, err);
}

void point_target_set_shadow(struct point_target *target, const struct point_shadow *shadow,
			     void *data)
{
}

void point_target_free(struct point_target *target)
{
}

void point_target_remember(struct point_target *target, struct page_set *set)
{
}

int point_prepare(struct point_target *target, const uint64_t *addrs, size_t nr, bool may_clear,
		  struct page_process *process)
{
	return -EOPNOTSUPP;
}

int point_check(struct point_target *target, const uint64_t *addrs, size_t nr, uint32_t *access,
		struct page_process *process)
{
	return -EOPNOTSUPP;
}

int point_look(struct point_target *target, const uint64_t *addrs, size_t nr,
	       const struct page_state **states)
{
	return -EOPNOTSUPP;
}

int point_look_range(struct point_target *target, uint64_t start, uint64_t end,
		     point_pages_callback *callback, void *data, struct page_process *process)
{
	return -EOPNOTSUPP;
}

const struct frame_files *point_engine_frames(const struct point_engine *engine)
{
	static const struct frame_files none = {-1, -1, -1};

	return &none;
}

int scan_engine_new(struct scan_engine **engine, const struct page_calibration *calibration,
		    const struct scan_options *options, struct damon_error *err)
{
	struct page_calibration none;

	*engine = NULL;
	return page_calibrate(&none, err);
}

void scan_engine_free(struct scan_engine *engine)
{
}

const struct scan_stat *scan_engine_stat(const struct scan_engine *engine)
{
	static const struct scan_stat none;

	return &none;
}

const struct scan_prices *scan_engine_prices(const struct scan_engine *engine)
{
	static const struct scan_prices none;

	return &none;
}

enum scan_flush scan_engine_flush(const struct scan_engine *engine)
{
	return SCAN_FLUSH_NONE;
}

const char *scan_flush_name(enum scan_flush flush)
{
	return "none";
}

int scan_target_new(struct scan_target **target, struct scan_engine *engine, int pidfd, pid_t pid,
		    struct watch_map *map, struct damon_error *err)
{
	struct page_calibration none;

	*target = NULL;
	return page_calibrate(&none, err);
}

void scan_target_free(struct scan_target *target)
{
}

void scan_target_changed(struct scan_target *target)
{
}

int scan_look(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr)
{
	return -EOPNOTSUPP;
}

int scan_prepare(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
		 bool may_clear, struct page_process *process)
{
	return -EOPNOTSUPP;
}

int scan_check(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
	       uint32_t *access, struct page_process *process)
{
	return -EOPNOTSUPP;
}

void scan_end_window(struct scan_target *target)
{
}

int scan_target_runs(const struct scan_target *target, scan_run_callback *callback, void *data)
{
	return -EOPNOTSUPP;
}

void scan_target_keep(struct scan_target *target)
{
}

bool scan_target_kept(const struct scan_target *target, uint64_t addr)
{
	return false;
}

void scan_target_forget(struct scan_target *target, uint64_t start, uint64_t end)
{
}

const struct scan_blocks *scan_target_blocks(const struct scan_target *target)
{
	static const struct scan_blocks none;

	return &none;
}

int doctor_probe_reader(struct doctor *doctor, struct damon_error *err)
{
	struct page_calibration none;

	return page_calibrate(&none, err);
}

void scan_target_touched(const struct scan_target *target, uint64_t addr, uint32_t samples,
			 uint64_t *touched)
{
}

bool folio_kernel_splits(void)
{
	return true;
}

int folio_extent(const struct frame_files *frames, uint64_t frame, uint64_t *flags, uint64_t *first,
		 size_t *nr, uint64_t *head)
{
	return -EOPNOTSUPP;
}
