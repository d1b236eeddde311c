/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What this machine and these privileges allow, engine by engine.
 */
#include "access/doctor.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "access/capability.h"
#include "access/doctor_probe.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#define IDLE_BITMAP "/sys/kernel/mm/page_idle/bitmap"

static const struct {
	unsigned int number;
	const char *name;
	const char *purpose;
} capabilities[] = {
	{CAP_BPF, "CAP_BPF", "load the page-table reader"},
	{CAP_PERFMON, "CAP_PERFMON", "let it read kernel memory"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "frame numbers, to find and verify page tables"},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "look at processes of other users"},
	{CAP_SYS_NICE, "CAP_SYS_NICE", "make other processes' pages old (process_madvise)"},
	{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE",
	 "open /proc/kpageflags, and files of other users' processes"},
};

void doctor_note(struct doctor *doctor, const char *name, enum doctor_check_state state,
		 const char *format, ...)
{
	struct doctor_check *check;
	va_list args;

	if (doctor->nr_checks == DOCTOR_MAX_CHECKS)
		return;
	check = &doctor->checks[doctor->nr_checks++];
	snprintf(check->name, sizeof(check->name), "%s", name);
	check->state = state;
	va_start(args, format);
	vsnprintf(check->detail, sizeof(check->detail), format, args);
	va_end(args);
}

static void look_at_capabilities(struct doctor *doctor)
{
	size_t i;

	_Static_assert(sizeof(capabilities) / sizeof(*capabilities) <= DOCTOR_MAX_CAPABILITIES,
		       "all of them fit");
	for (i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
		doctor->capabilities[i].name = capabilities[i].name;
		doctor->capabilities[i].purpose = capabilities[i].purpose;
		doctor->capabilities[i].have = capability_have(capabilities[i].number);
	}
	doctor->nr_capabilities = (unsigned int)i;
}

static void look_at_kernel(struct doctor *doctor)
{
	struct utsname name;

	if (uname(&name))
		return;
	snprintf(doctor->kernel, sizeof(doctor->kernel), "%s", name.release);
	snprintf(doctor->machine, sizeof(doctor->machine), "%s", name.machine);
}

/* The word in brackets. */
static void look_at_huge_pages(struct doctor *doctor)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char text[64] = "", *open, *close;

	if (!file)
		return;
	if (fgets(text, sizeof(text), file) && (open = strchr(text, '[')) &&
	    (close = strchr(open, ']'))) {
		*close = '\0';
		snprintf(doctor->huge_pages, sizeof(doctor->huge_pages), "%.15s", open + 1);
	}
	fclose(file);
}

/*
 * Writing 4 to clear_refs flushes the TLB in passing, but where the kernel tracks soft-dirty pages it
 * write-protects everything besides. A page is soft-dirty after it was first
 * written, if that is tracked at all: bit 55 of its pagemap entry.
 */
static bool tracks_soft_dirty(bool *known)
{
	FILE *file = fopen("/proc/self/pagemap", "re");
	long page_size = sysconf(_SC_PAGESIZE);
	uint64_t entry = 0;
	char *page;

	*known = false;
	page = mmap(NULL, (size_t)page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (page == MAP_FAILED)
		page = NULL;
	if (page)
		*page = 1;
	if (file && page &&
	    !fseeko(file, (off_t)((uintptr_t)page / (size_t)page_size * sizeof(entry)), SEEK_SET) &&
	    fread(&entry, sizeof(entry), 1, file) == 1)
		*known = true;
	if (page)
		munmap(page, (size_t)page_size);
	if (file)
		fclose(file);
	return entry & (1ULL << 55);
}

static void look_at_flush(struct doctor *doctor, bool madvise_works)
{
	bool known, soft_dirty = tracks_soft_dirty(&known);

	if (known && !soft_dirty) {
		strcpy(doctor->flush_method, "clear_refs");
		doctor_note(doctor, "whole-TLB flush", DOCTOR_PASSED,
			    "no soft-dirty tracking: writing 4 to clear_refs only flushes");
	} else if (madvise_works) {
		strcpy(doctor->flush_method, "madvise");
		doctor_note(doctor, "whole-TLB flush", DOCTOR_PASSED,
			    "%s: one MADV_COLD over a wide range is used instead of clear_refs",
			    known ? "soft-dirty tracking" : "soft-dirty tracking is unknown");
	} else {
		strcpy(doctor->flush_method, "none");
		doctor_note(doctor, "whole-TLB flush", DOCTOR_FAILED, "no way found");
	}
}

static void look_at_pressure(struct doctor *doctor)
{
	FILE *file = fopen("/proc/pressure/memory", "re");

	/* With "psi=0" the file is there and can't be read. */
	doctor->pressure_readable = file && fgetc(file) != EOF;
	if (file)
		fclose(file);
	if (doctor->pressure_readable)
		doctor_note(doctor, "memory pressure", DOCTOR_PASSED,
			    "readable: the monitor backs off while it is high");
	else
		doctor_note(doctor, "memory pressure", DOCTOR_FAILED,
			    "/proc/pressure/memory can't be read: the monitor can't back off");
}

static void set_engine(struct doctor *doctor, enum doctor_engine_id id, const char *name,
		       const char *why)
{
	doctor->engines[id].name = name;
	doctor->engines[id].ok = !why;
	snprintf(doctor->engines[id].why, sizeof(doctor->engines[id].why), "%s", why ? why : "");
}

static void look_at_idle(struct doctor *doctor)
{
	bool there = access(IDLE_BITMAP, F_OK) == 0;

	doctor_note(doctor, "idle page bitmap", there ? DOCTOR_PASSED : DOCTOR_FAILED, "%s",
		    there ? "present" : "the kernel has none (CONFIG_IDLE_PAGE_TRACKING)");
	set_engine(doctor, DOCTOR_IDLE, "idle",
		   there ? "the kernel offers " IDLE_BITMAP
			   ", but this version of udamon has no idle engine yet"
			 : "the kernel has no " IDLE_BITMAP
			   " (CONFIG_IDLE_PAGE_TRACKING), and this version of udamon has no "
			   "idle engine yet");
}

int doctor_examine(struct doctor *doctor)
{
	struct damon_error err = {};
	int ret;

	*doctor = (struct doctor){};
	look_at_kernel(doctor);
	look_at_capabilities(doctor);
	look_at_huge_pages(doctor);
	ret = doctor_probe_reader(doctor, &err);
	if (ret == -ENOMEM)
		return ret;
	look_at_flush(doctor, !ret);
	look_at_pressure(doctor);
	set_engine(doctor, DOCTOR_POINT, "point", ret ? err.text : NULL);
	/* The same reader and privileges; clear_refs comes with pagemap (CONFIG_PROC_PAGE_MONITOR). */
	set_engine(doctor, DOCTOR_SCAN, "scan", ret ? err.text : NULL);
	look_at_idle(doctor);
	return 0;
}
