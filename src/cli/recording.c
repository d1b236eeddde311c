// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Writing a record while a context runs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/recording.h"
#include "system/process.h"

int recording_process(struct recording *recording, const struct damon_target *target,
		      const char *kind)
{
	char cmdline[4096] = "";
	struct process_info info = {0};
	struct record_target row = {
		.id = target->id,
		.pid = target->pid,
		.comm = info.comm,
		.cmdline = cmdline,
		.kind = kind,
	};

	/* Names are for people; a process that has just ended is recorded without. */
	if (process_info_read(&info, (pid_t)target->pid))
		info.comm[0] = '\0';
	if (process_cmdline((pid_t)target->pid, cmdline, sizeof(cmdline)))
		cmdline[0] = '\0';
	return record_add_target(recording->rec, &row);
}

int recording_rename(struct recording *recording, const struct damon_target *target,
		     const char *kind)
{
	char cmdline[4096] = "";

	/* Without arguments: it has ended, or they aren't set up yet. */
	if (process_cmdline((pid_t)target->pid, cmdline, sizeof(cmdline)) || !cmdline[0])
		return 0;
	return recording_process(recording, target, kind);
}

int recording_mappings(struct recording *recording, const struct damon_target *target)
{
	const struct mapping_list *maps = &recording->maps;
	int ret = maps_read(&recording->maps, (pid_t)target->pid);

	if (ret == -ENOMEM)
		return ret;
	if (ret || !maps->nr)
		return 0;
	if (maps->nr > recording->capacity) {
		size_t capacity = maps->nr + maps->nr / 2;
		struct record_mapping *rows =
			reallocarray(recording->rows, capacity, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		recording->rows = rows;
		recording->capacity = capacity;
	}
	for (size_t i = 0; i < maps->nr; i++)
		recording->rows[i] = (struct record_mapping){
			.start = maps->mappings[i].start,
			.end = maps->mappings[i].end,
			.perms = maps->mappings[i].perms,
			.path = maps->mappings[i].path,
		};
	return record_set_mappings(recording->rec, target->id, recording->rows, maps->nr);
}

void recording_resident(struct recording *recording, uint64_t pages)
{
	if (pages)
		recording->resident_pages = pages;
}

static int write_resident(struct recording *recording)
{
	char text[24];

	if (!recording->resident_pages)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64,
		 recording->resident_pages * (uint64_t)sysconf(_SC_PAGESIZE));
	return record_set_meta(recording->rec, "resident_bytes", text);
}

static void forget(struct recording *recording)
{
	maps_clear(&recording->maps);
	free(recording->rows);
	*recording = (struct recording){0};
}

int recording_finish(struct recording *recording)
{
	struct damon_error err = {""};
	int ret;

	/* Without memory for that the record only lacks it. */
	write_resident(recording);
	ret = record_close(recording->rec, &err);
	forget(recording);
	return ret ? give_up(EXIT_FAILED, "%s", err.text) : 0;
}

void recording_discard(struct recording *recording)
{
	record_discard(recording->rec);
	forget(recording);
}
