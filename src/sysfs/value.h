/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* One value of a file: parsed, printed, by its row of the table alone. */
#ifndef UDAMON_SYSFS_VALUE_H
#define UDAMON_SYSFS_VALUE_H

#include "sysfs/table.h"
#include "sysfs/tree.h"

/**
 * struct sysfs_value - what a file holds
 * @number:	numbers; 0 or 1 of a bool; the place of a keyword among the row's, or SYSFS_NO_KEYWORD
 * @string:	of SYSFS_STRING, from malloc(); NULL stands for ""
 */
struct sysfs_value {
	uint64_t number;
	char *string;
};

/** SYSFS_NO_KEYWORD - the default of a file for which it couldn't be written */
#define SYSFS_NO_KEYWORD UINT64_MAX

/**
 * sysfs_value_parse() - what was written to a file of @row
 * Return: 0; -EINVAL; -ERANGE; -ENOMEM. After an error *@value is as it was.
 */
int sysfs_value_parse(const struct sysfs_row *row, const char *buf, size_t len,
		      struct sysfs_value *value);

/** sysfs_value_default() - @row's; *@value is overwritten */
void sysfs_value_default(const struct sysfs_row *row, struct sysfs_value *value);

/** sysfs_value_print() - as it is read, newline included; 0 or -ENOMEM */
int sysfs_value_print(const struct sysfs_row *row, const struct sysfs_value *value,
		      struct sysfs_text *text);

/** sysfs_value_keyword() - the text of a keyword */
const char *sysfs_value_keyword(const struct sysfs_row *row, const struct sysfs_value *value);

/** sysfs_text_printf() - append to @text; 0 or -ENOMEM (@text is as it was) */
__attribute__((format(printf, 2, 3))) int sysfs_text_printf(struct sysfs_text *text,
							    const char *fmt, ...);

#endif
