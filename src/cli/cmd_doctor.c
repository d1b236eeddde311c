// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon doctor: what this machine and these privileges allow. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/doctor.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/reporting.h"
#include "cli/terminal.h"

static bool any_engine(const struct doctor *doctor)
{
	for (int i = 0; i < DOCTOR_NR_ENGINES; i++)
		if (doctor->engines[i].ok)
			return true;
	return false;
}

static json_t *engines_json(const struct doctor *doctor)
{
	json_t *engines = json_object();

	for (int i = 0; i < DOCTOR_NR_ENGINES; i++)
		json_object_set_new(engines, doctor->engines[i].name,
				    json_pack("{s:b, s:s}", "ok", doctor->engines[i].ok, "why",
					      doctor->engines[i].why));
	return engines;
}

static json_t *capabilities_json(const struct doctor *doctor)
{
	json_t *capabilities = json_object();

	for (unsigned int i = 0; i < doctor->nr_capabilities; i++)
		json_object_set_new(capabilities, doctor->capabilities[i].name,
				    json_boolean(doctor->capabilities[i].have));
	return capabilities;
}

static json_t *checks_json(const struct doctor *doctor)
{
	static const char *const states[] = {"passed", "failed", "not tried"};
	json_t *checks = json_array();

	for (unsigned int i = 0; i < doctor->nr_checks; i++)
		json_array_append_new(checks,
				      json_pack("{s:s, s:s, s:s}", "name", doctor->checks[i].name,
						"state", states[doctor->checks[i].state], "detail",
						doctor->checks[i].detail));
	return checks;
}

static int print_json(const struct doctor *doctor)
{
	return json_print(json_pack(
		"{s:o, s:s, s:s, s:o, s:s, s:o, s:b, s:s, s:o}", "engines", engines_json(doctor),
		"kernel", doctor->kernel, "machine", doctor->machine, "page_table_levels",
		doctor->page_table_levels ? json_integer(doctor->page_table_levels) : json_null(),
		"flush_method", doctor->flush_method, "capabilities", capabilities_json(doctor),
		"pressure_readable", doctor->pressure_readable, "huge_pages", doctor->huge_pages,
		"checks", checks_json(doctor)));
}

struct marks {
	const char *good;
	const char *bad;
	const char *none;
	const char *end;
};

static void print_text(const struct doctor *doctor, const struct marks *marks, bool verbose)
{
	puts("engines (ways to learn that a page was touched)");
	for (int i = 0; i < DOCTOR_NR_ENGINES; i++)
		printf("  %s%-4s%s %-6s %s\n", doctor->engines[i].ok ? marks->good : marks->bad,
		       doctor->engines[i].ok ? "yes" : "no", marks->end, doctor->engines[i].name,
		       doctor->engines[i].why);
	puts("\nprivileges of this process");
	for (unsigned int i = 0; i < doctor->nr_capabilities; i++)
		printf("  %s%-4s%s %-18s %s\n",
		       doctor->capabilities[i].have ? marks->good : marks->bad,
		       doctor->capabilities[i].have ? "yes" : "no", marks->end,
		       doctor->capabilities[i].name, doctor->capabilities[i].purpose);
	puts("\nwhat was tried");
	for (unsigned int i = 0; i < doctor->nr_checks; i++) {
		const struct doctor_check *check = &doctor->checks[i];
		bool passed = check->state == DOCTOR_PASSED, failed = check->state == DOCTOR_FAILED;

		printf("  %s%-4s%s %s%s%s\n",
		       passed	? marks->good
		       : failed ? marks->bad
				: marks->none,
		       passed	? "ok"
		       : failed ? "fail"
				: "-",
		       marks->end, check->name, check->detail[0] ? ": " : "", check->detail);
	}
	printf("\nmachine\n  kernel %s on %s\n", doctor->kernel, doctor->machine);
	if (doctor->page_table_levels)
		printf("  page tables of %u levels\n", doctor->page_table_levels);
	printf("  flushing a whole TLB: %s\n", doctor->flush_method);
	printf("  transparent huge pages: %s\n",
	       doctor->huge_pages[0] ? doctor->huge_pages : "unknown");
	printf("  memory pressure %s be read\n", doctor->pressure_readable ? "can" : "can't");
}

int doctor_command(const struct options *opts, int argc, char **argv)
{
	static const struct marks plain = {"", "", "", ""};
	static const struct marks coloured = {"\033[32m", "\033[31m", "\033[33m", "\033[0m"};
	struct doctor *doctor;
	struct report_style style;
	int ret;

	if (argc)
		return give_up(EXIT_USAGE, "'%s': doctor takes no operand", argv[0]);
	doctor = calloc(1, sizeof(*doctor));
	if (!doctor || doctor_examine(doctor)) {
		free(doctor);
		return give_up(EXIT_FAILED, "out of memory");
	}
	terminal_style(opts, &style);
	ret = 0;
	if (opts->json)
		ret = print_json(doctor);
	else
		print_text(doctor, style.color ? &coloured : &plain, opts->verbose);
	if (!ret && !any_engine(doctor))
		ret = EXIT_CANNOT;
	free(doctor);
	return ret;
}
