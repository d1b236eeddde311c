/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The doctor's examination of the page-table reader: the point engine's steps on our own memory.
 */
#include "access/doctor_probe.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access/capability.h"
#include "access/clear.h"
#include "access/pagemap.h"
#include "access/reader.h"

#define PAGE_BYTES 4096
#define NR_PAGES   64
#define HUGE_BYTES (2u << 20)

/* Few enough that all their translations stay in the TLB: what isn't flushed isn't seen again. */
#define NR_TOUCHED 16

struct probe {
	struct doctor *doctor;
	struct damon_error *err;
	struct page_calibration calibration;
	struct page_reader *reader;
	struct page_link *link;
	struct clear_list *clears;
	int pidfd;
	volatile char *pages;
};

static int failed(struct probe *probe, const char *name, int code)
{
	doctor_note(probe->doctor, name, DOCTOR_FAILED, "%.255s", probe->err->text);
	return code;
}

static int open_probe(struct probe *probe)
{
	int ret;

	ret = page_calibrate(&probe->calibration, probe->err);
	if (ret)
		return failed(probe, "page-table reader", ret);
	probe->doctor->page_table_levels = probe->calibration.levels;
	doctor_note(probe->doctor, "page-table reader", DOCTOR_PASSED,
		    "loaded, calibrated and verified: %u levels%s", probe->calibration.levels,
		    probe->calibration.encryption_mask ? ", encrypted memory" : "");
	probe->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (probe->pidfd < 0)
		return damon_error_set(probe->err, -errno, "can't open a pidfd: %s",
				       strerror(errno));
	ret = page_reader_new(&probe->reader, &probe->calibration, probe->err);
	if (!ret)
		ret = page_link_new(&probe->link, probe->reader, probe->pidfd, getpid(),
				    PAGE_LINK_AUTO, probe->err);
	probe->clears = clear_list_new();
	if (!ret && !probe->clears)
		ret = -ENOMEM;
	return ret;
}

static void close_probe(struct probe *probe)
{
	clear_list_free(probe->clears);
	page_link_free(probe->link);
	page_reader_free(probe->reader);
	if (probe->pidfd >= 0)
		close(probe->pidfd);
}

static void touch(struct probe *probe)
{
	size_t i;

	for (i = 0; i < NR_TOUCHED; i++)
		probe->pages[i * PAGE_BYTES]++;
}

/* How many of the touched pages have their bit set now; -errno. */
static int count_accessed(struct probe *probe)
{
	struct page_state states[NR_TOUCHED];
	uint64_t addrs[NR_TOUCHED];
	int ret, i, count = 0;

	for (i = 0; i < NR_TOUCHED; i++)
		addrs[i] = (uintptr_t)probe->pages + (uint64_t)i * PAGE_BYTES;
	ret = page_link_read(probe->link, addrs, NR_TOUCHED, states, NULL);
	if (ret)
		return damon_error_set(probe->err, ret, "can't read page tables: %s",
				       strerror(-ret));
	for (i = 0; i < NR_TOUCHED; i++)
		count += !!(states[i].flags & PAGE_ACCESSED);
	return count;
}

static int clear_pages(struct probe *probe)
{
	struct clear_result result;
	uint64_t start;
	size_t i;
	int ret = 0;

	clear_list_reset(probe->clears);
	for (i = 0; !ret && i < NR_TOUCHED; i++) {
		start = (uintptr_t)probe->pages + i * PAGE_BYTES;
		ret = clear_list_add(probe->clears, start, start + PAGE_BYTES, i);
	}
	if (!ret)
		ret = clear_list_run(probe->clears, probe->pidfd, NULL, NULL, NULL, &result);
	if (ret == -EPERM)
		return damon_error_set(
			probe->err, ret,
			"may not make pages old with process_madvise: CAP_SYS_NICE and "
			"CAP_SYS_PTRACE are needed (run as root)");
	if (ret)
		return damon_error_set(probe->err, ret, "process_madvise(MADV_COLD) fails: %s",
				       strerror(-ret));
	return 0;
}

/*
 * Touch, clear, look, touch again, look. The last look tells whether clearing
 * flushes: a translation still in the TLB would keep the bit from being set.
 */
static int try_clearing(struct probe *probe)
{
	int set, cleared, again, ret;

	/* Not needed for our own memory, but for everybody else's. */
	if (!capability_have(CAP_SYS_NICE)) {
		damon_error_set(
			probe->err, -EPERM,
			"may not make pages of other processes old: CAP_SYS_NICE is missing "
			"(run as root)");
		return failed(probe, "clear Accessed bits", -EPERM);
	}
	touch(probe);
	set = count_accessed(probe);
	if (set < 0)
		return set;
	ret = clear_pages(probe);
	if (ret)
		return failed(probe, "clear Accessed bits", ret);
	cleared = count_accessed(probe);
	touch(probe);
	again = count_accessed(probe);
	if (cleared < 0 || again < 0)
		return cleared < 0 ? cleared : again;
	doctor_note(probe->doctor, "clear Accessed bits",
		    set == NR_TOUCHED && cleared == 0 ? DOCTOR_PASSED : DOCTOR_FAILED,
		    "%d of %d set after use, %d after clearing", set, NR_TOUCHED, cleared);
	doctor_note(probe->doctor, "clearing flushes the TLB",
		    again == NR_TOUCHED ? DOCTOR_PASSED : DOCTOR_FAILED,
		    "%d of %d set after being used again", again, NR_TOUCHED);
	if (set != NR_TOUCHED || cleared || again != NR_TOUCHED)
		return damon_error_set(
			probe->err, -ENXIO,
			"Accessed bits don't behave here: of %d pages %d were set after use, "
			"%d after clearing, %d after being used again",
			NR_TOUCHED, set, cleared, again);
	return 0;
}

static int try_frame_files(struct probe *probe)
{
	struct frame_files files;
	int ret = frame_files_open(&files);

	if (ret) {
		damon_error_set(
			probe->err, ret,
			"can't open /proc/kpageflags and /proc/kpagecount: %s (they tell shared "
			"and large pages apart; needs root or CAP_DAC_OVERRIDE)",
			strerror(-ret));
		return failed(probe, "page flags and counts", ret);
	}
	frame_files_close(&files);
	doctor_note(probe->doctor, "page flags and counts", DOCTOR_PASSED, "readable");
	return 0;
}

/* A huge page is no must, and there may be none to be had now. */
static void try_huge_page(struct probe *probe)
{
	size_t size = 2 * HUGE_BYTES;
	struct page_state state = {};
	volatile char *huge;
	uint64_t addr;
	void *area;

	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return;
	addr = ((uintptr_t)area + HUGE_BYTES - 1) & ~(uint64_t)(HUGE_BYTES - 1);
	huge = (volatile char *)(uintptr_t)addr;
	madvise((void *)(uintptr_t)addr, HUGE_BYTES, MADV_HUGEPAGE);
	*huge = 1;
	addr += 5 * PAGE_BYTES;
	if (page_link_read(probe->link, &addr, 1, &state, NULL))
		doctor_note(probe->doctor, "huge page", DOCTOR_FAILED, "can't be read");
	else if (state.leaf_shift == 21)
		doctor_note(probe->doctor, "huge page", DOCTOR_PASSED,
			    "seen as one entry of 2 MiB");
	else
		doctor_note(probe->doctor, "huge page", DOCTOR_NOT_TRIED,
			    "the kernel gave none (transparent huge pages: %s)",
			    *probe->doctor->huge_pages ? probe->doctor->huge_pages : "unknown");
	munmap(area, size);
}

static void not_tried(struct doctor *doctor)
{
	doctor_note(doctor, "page flags and counts", DOCTOR_NOT_TRIED, "the reader doesn't work");
	doctor_note(doctor, "clear Accessed bits", DOCTOR_NOT_TRIED, "the reader doesn't work");
}

static int try_all(struct probe *probe)
{
	int ret = open_probe(probe);

	if (ret) {
		not_tried(probe->doctor);
		return ret;
	}
	ret = try_frame_files(probe);
	if (!ret)
		ret = try_clearing(probe);
	try_huge_page(probe);
	return ret;
}

int doctor_probe_reader(struct doctor *doctor, struct damon_error *err)
{
	struct probe probe = {.doctor = doctor, .err = err, .pidfd = -1};
	void *area;
	int ret;

	area = mmap(NULL, NR_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return damon_error_set(err, -ENOMEM, "out of memory");
	madvise(area, NR_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
	probe.pages = area;
	ret = try_all(&probe);
	close_probe(&probe);
	munmap(area, NR_PAGES * PAGE_BYTES);
	return ret;
}
