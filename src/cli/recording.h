/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Writing a record while a context runs: what its callbacks hand over. */
#ifndef UDAMON_CLI_RECORDING_H
#define UDAMON_CLI_RECORDING_H

#include <stdbool.h>
#include <sys/types.h>

#include "record/record.h"
#include "system/maps.h"

/**
 * struct recording - a record that is being written
 * @rec:	the record
 * @resident_pages: of all targets, when that was asked last
 * @maps, @rows, @capacity: mappings of the process that was read last
 */
struct recording {
	struct record *rec;
	uint64_t resident_pages;
	struct mapping_list maps;
	struct record_mapping *rows;
	size_t capacity;
};

/** recording_process() - add a target that is a process; 0 or -ENOMEM */
int recording_process(struct recording *recording, const struct damon_target *target,
		      const char *kind);

/**
 * recording_rename() - the process runs another program: write what it is called now
 *
 * One that has ended keeps the name it had. Return: 0 or -ENOMEM.
 */
int recording_rename(struct recording *recording, const struct damon_target *target,
		     const char *kind);

/**
 * recording_mappings() - write the mappings that a process has now
 *
 * One that has none (any more) keeps those it had. Return: 0 or -ENOMEM.
 */
int recording_mappings(struct recording *recording, const struct damon_target *target);

/** recording_resident() - what all targets have in memory now; 0, when they have ended, is no news */
void recording_resident(struct recording *recording, uint64_t pages);

/** recording_finish() - close the record; 0, or an exit code after the error was printed */
int recording_finish(struct recording *recording);

/** recording_discard() - remove the record, if there is one */
void recording_discard(struct recording *recording);

#endif
