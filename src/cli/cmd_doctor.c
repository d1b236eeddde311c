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

static void print_line(const char *mark, const char *word, const struct marks *marks,
		       const char *name, const char *text)
{
	printf("  %s%-4s%s %-18s %s\n", mark, word, marks->end, name, text);
}

static void print_checks(const struct doctor *doctor, const struct marks *marks)
{
	const char *const mark[] = {marks->good, marks->bad, marks->none};
	static const char *const words[] = {"ok", "fail", "-"};

	puts("\nwhat was tried");
	for (unsigned int i = 0; i < doctor->nr_checks; i++) {
		const struct doctor_check *check = &doctor->checks[i];

		printf("  %s%-4s%s %s%s%s\n", mark[check->state], words[check->state], marks->end,
		       check->name, check->detail[0] ? ": " : "", check->detail);
	}
}

static void print_machine(const struct doctor *doctor)
{
	printf("\nmachine\n  kernel %s on %s\n", doctor->kernel, doctor->machine);
	if (doctor->page_table_levels)
		printf("  page tables of %u levels\n", doctor->page_table_levels);
	printf("  flushing a whole TLB: %s\n", doctor->flush_method);
	printf("  transparent huge pages: %s\n",
	       doctor->huge_pages[0] ? doctor->huge_pages : "unknown");
	printf("  memory pressure %s be read\n", doctor->pressure_readable ? "can" : "can't");
}

/* What was tried is for those who ask, and for where it isn't enough. */
static void print_text(const struct doctor *doctor, const struct marks *marks, bool verbose)
{
	puts("engines (ways to learn that a page was touched)");
	for (int i = 0; i < DOCTOR_NR_ENGINES; i++) {
		const struct doctor_engine *engine = &doctor->engines[i];

		print_line(engine->ok ? marks->good : marks->bad, engine->ok ? "yes" : "no", marks,
			   engine->name, engine->ok ? "works here" : engine->why);
	}
	puts("\nprivileges of this process");
	for (unsigned int i = 0; i < doctor->nr_capabilities; i++) {
		const struct doctor_capability *capability = &doctor->capabilities[i];

		print_line(capability->have ? marks->good : marks->bad,
			   capability->have ? "yes" : "no", marks, capability->name,
			   capability->purpose);
	}
	if (verbose || !any_engine(doctor))
		print_checks(doctor, marks);
	print_machine(doctor);
	if (!any_engine(doctor))
		puts("\nLive programs can't be watched here. Simulated ones can: udamon sim hotcold");
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
