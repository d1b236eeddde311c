/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Learning how page tables are walked on the running kernel, and verifying it.
 *
 * The kernel doesn't tell where it maps physical memory. But it tells privileged
 * programs the frame behind each of their own pages, so a walk of one's own page
 * table can be checked against that: first to find the way (search.c), then, on
 * pages of all kinds, to make sure of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access/arch.h"
#include "access/iomem.h"
#include "access/pagemap.h"
#include "access/reader.h"
#include "access/search.h"

#define PAGE_BYTES 4096

/* Where /proc/iomem is hidden: what x86-64 with 4 levels can have at most. */
#define UNKNOWN_MEMORY_END (1ULL << 46)

/* Spread wide enough that the pages lie in different tables. */
#define NR_PROBES    8
#define PROBE_STRIDE ((1ULL << 30) + PAGE_BYTES)
#define PROBES_SIZE  (NR_PROBES * PROBE_STRIDE)

struct calibration_run {
	struct page_reader *reader;
	struct page_link *link;
	int pidfd;
	int pagemap_fd;
	char *probes[NR_PROBES];
	struct damon_error *err;
};

static int read_with(void *data, const struct page_calibration *calibration, uint64_t addr,
		     struct page_state *state)
{
	struct calibration_run *run = data;

	page_reader_set_calibration(run->reader, calibration);
	return page_link_read(run->link, &addr, 1, state, NULL);
}

/*
 * One page at each multiple of the stride in an area of reserved address space.
 * Written, so that each is memory of its own; one is made inaccessible again.
 */
static int map_probes(struct calibration_run *run)
{
	size_t i;
	char *area = mmap(NULL, PROBES_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	for (i = 0; i < NR_PROBES; i++) {
		run->probes[i] = area + i * PROBE_STRIDE;
		if (mprotect(run->probes[i], PAGE_BYTES, PROT_READ | PROT_WRITE))
			return -errno;
		*run->probes[i] = (char)(i + 1);
	}
	if (mprotect(run->probes[NR_PROBES - 1], PAGE_BYTES, PROT_NONE))
		return -errno;
	return 0;
}

static void unmap_probes(struct calibration_run *run)
{
	if (run->probes[0])
		munmap(run->probes[0], PROBES_SIZE);
}

static int search(struct calibration_run *run, struct page_calibration *calibration)
{
	struct page_search search = {.read = read_with, .data = run};
	struct page_process process;
	struct page_state state;
	uint64_t entry;
	int ret;

	search.addr = (uintptr_t)run->probes[0];
	ret = pagemap_read(run->pagemap_fd, search.addr, &entry, 1);
	if (ret)
		return damon_error_set(run->err, ret, "can't read /proc/self/pagemap: %s",
				       strerror(-ret));
	search.frame = entry & PAGEMAP_FRAME;
	if (!search.frame)
		return damon_error_set(
			run->err, -EPERM,
			"the kernel hides frame numbers, which finding its page tables "
			"needs: CAP_SYS_ADMIN is missing (run as root)");
	ret = page_link_read(run->link, &search.addr, 1, &state, &process);
	if (ret)
		return damon_error_set(run->err, ret, "the page-table reader gives no answer: %s",
				       strerror(-ret));
	search.top = process.top;
	search.memory_end = iomem_ram_end();
	if (!search.memory_end)
		search.memory_end = UNKNOWN_MEMORY_END;
	ret = page_search_run(&search, calibration);
	if (ret)
		return damon_error_set(
			run->err, ret,
			"can't find where the kernel maps physical memory: page tables "
			"can't be read on this machine");
	return 0;
}

/*
 * Does the walk agree with the kernel about the page at @addr? The kernel may
 * move a page at any time, so its answer must be the same before and after.
 */
static int verify_page(struct calibration_run *run, uint64_t addr)
{
	uint64_t before, after;
	struct page_state state;
	int tries, ret;
	bool mapped;

	for (tries = 0; tries < 10; tries++) {
		ret = pagemap_read(run->pagemap_fd, addr, &before, 1);
		if (!ret)
			ret = page_link_read(run->link, &addr, 1, &state, NULL);
		if (!ret)
			ret = pagemap_read(run->pagemap_fd, addr, &after, 1);
		if (ret)
			return ret;
		if (before != after)
			continue;
		mapped = before & PAGEMAP_PRESENT;
		if (mapped != !!(state.flags & PAGE_MAPPED) ||
		    (mapped && state.frame != (before & PAGEMAP_FRAME)))
			return -ENXIO;
		return 0;
	}
	return -EAGAIN;
}

static int verify(struct calibration_run *run)
{
	uint64_t addrs[NR_PROBES * 2 + 2];
	size_t i, nr = 0;
	int ret;

	for (i = 0; i < NR_PROBES; i++)
		addrs[nr++] = (uintptr_t)run->probes[i];
	/* Never touched: nothing is there.  */
	for (i = 0; i < NR_PROBES - 1; i++)
		addrs[nr++] = (uintptr_t)run->probes[i] + 2 * PAGE_BYTES;
	addrs[nr++] = (uintptr_t)page_calibrate; /* a file's page */
	addrs[nr++] = (uintptr_t)addrs;		 /* the stack */
	addrs[nr++] = (uintptr_t)run;
	for (i = 0; i < nr; i++) {
		ret = verify_page(run, addrs[i]);
		if (ret)
			return damon_error_set(
				run->err, ret == -EAGAIN ? -ENXIO : ret,
				"the page-table walk disagrees with the kernel about "
				"its own page 0x%" PRIx64 ": refusing to read page tables",
				addrs[i]);
	}
	return 0;
}

static int calibrate(struct calibration_run *run, struct page_calibration *calibration)
{
	int ret = map_probes(run);

	if (ret)
		return damon_error_set(run->err, ret, "can't map memory to calibrate with: %s",
				       strerror(-ret));
	ret = search(run, calibration);
	if (ret)
		return ret;
	page_reader_set_calibration(run->reader, calibration);
	return verify(run);
}

static int open_run(struct calibration_run *run)
{
	struct page_calibration none = {.levels = ARCH_MIN_LEVELS};
	int ret = page_reader_new(&run->reader, &none, run->err);

	if (ret)
		return ret;
	run->pagemap_fd = pagemap_open(0);
	if (run->pagemap_fd < 0)
		return damon_error_set(run->err, run->pagemap_fd,
				       "can't open /proc/self/pagemap: %s",
				       strerror(-run->pagemap_fd));
	run->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (run->pidfd < 0)
		return damon_error_set(run->err, -errno, "can't open a pidfd: %s", strerror(errno));
	return page_link_new(&run->link, run->reader, run->pidfd, getpid(), PAGE_LINK_AUTO,
			     run->err);
}

static void close_run(struct calibration_run *run)
{
	unmap_probes(run);
	page_link_free(run->link);
	page_reader_free(run->reader);
	if (run->pidfd >= 0)
		close(run->pidfd);
	if (run->pagemap_fd >= 0)
		close(run->pagemap_fd);
}

int page_calibrate(struct page_calibration *calibration, struct damon_error *err)
{
	struct calibration_run run = {.pidfd = -1, .pagemap_fd = -1, .err = err};
	int ret = open_run(&run);

	if (!ret)
		ret = calibrate(&run, calibration);
	close_run(&run);
	return ret;
}
