/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What this machine and these privileges allow, found out by trying it.
 */
#ifndef UDAMON_ACCESS_DOCTOR_H
#define UDAMON_ACCESS_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

/** enum doctor_engine_id - the ways to learn that a page was touched */
enum doctor_engine_id {
	DOCTOR_POINT, /* one page per region: BPF reader and MADV_COLD */
	DOCTOR_SCAN,  /* every page: BPF reader and a flush */
	DOCTOR_IDLE,  /* the kernel's idle page bitmap */
	DOCTOR_NR_ENGINES,
};

/**
 * struct doctor_engine - one access engine
 * @name:	"point", "scan", "idle"
 * @ok:		this version of udamon can use it here, now, with these privileges
 * @why:	one line: why not, and what to do; "" when @ok
 */
struct doctor_engine {
	const char *name;
	bool ok;
	char why[512];
};

/**
 * struct doctor_capability - a privilege udamon can use
 * @name:	"CAP_BPF", ...
 * @have:	it is effective in this process
 * @purpose:	what it is for, in a few words
 */
struct doctor_capability {
	const char *name;
	bool have;
	const char *purpose;
};

/** enum doctor_check_state - outcome of one probe */
enum doctor_check_state {
	DOCTOR_PASSED,
	DOCTOR_FAILED,
	DOCTOR_NOT_TRIED, /* a probe before it failed, or it isn't needed here */
};

/**
 * struct doctor_check - one thing that was tried
 * @name:	what, in a few words ("load the BPF reader")
 * @state:	how it went
 * @detail:	one line: what was found, or why it failed; may be ""
 */
struct doctor_check {
	char name[48];
	enum doctor_check_state state;
	char detail[256];
};

#define DOCTOR_MAX_CHECKS	24
#define DOCTOR_MAX_CAPABILITIES 8

/**
 * struct doctor - the whole answer
 * @engines:	indexed by enum doctor_engine_id
 * @nr_capabilities, @capabilities: the privileges, most needed first
 * @nr_checks, @checks: what was tried, in the order it was tried
 * @kernel:	release, as uname -r
 * @machine:	as uname -m
 * @page_table_levels: 4 or 5; 0 when it couldn't be found out
 * @flush_method: how a whole TLB could be flushed for scan: "clear_refs" (writing 4 to
 *		clear_refs, only on kernels without soft-dirty tracking), "madvise" (one MADV_COLD
 *		over 34 pages or more), or "none"
 * @pressure_readable: memory pressure (PSI) can be read, so the monitor can back off
 * @huge_pages:	transparent huge pages: "always", "madvise", "never"; "" when unknown
 */
struct doctor {
	struct doctor_engine engines[DOCTOR_NR_ENGINES];
	unsigned int nr_capabilities;
	struct doctor_capability capabilities[DOCTOR_MAX_CAPABILITIES];
	unsigned int nr_checks;
	struct doctor_check checks[DOCTOR_MAX_CHECKS];
	char kernel[128];
	char machine[80];
	unsigned int page_table_levels;
	char flush_method[16];
	bool pressure_readable;
	char huge_pages[16];
};

/**
 * doctor_examine() - try everything and fill @doctor
 *
 * Takes well under a second, touches only memory of the calling process, and
 * needs no privilege itself. What doesn't work is an answer, not an error.
 *
 * Return: 0, or -ENOMEM.
 */
int doctor_examine(struct doctor *doctor);

#endif
