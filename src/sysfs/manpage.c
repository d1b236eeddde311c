// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Makes udamon-sysfs(5) while udamon is built: prints the given template with the table of files
 * in place of the line "@FILES@". Not part of the library.
 */
#include <stdio.h>
#include <string.h>

#include "sysfs/table.h"

#define KERNEL "kernel/mm/damon/admin/"

static const char *type_name(enum sysfs_type type)
{
	switch (type) {
	case SYSFS_ULONG:
		return "number of 64 bits";
	case SYSFS_UINT:
		return "number of 32 bits";
	case SYSFS_INT:
		return "number of 32 bits with a sign";
	case SYSFS_COUNT:
		return "number of directories";
	case SYSFS_BOOL:
		return "bool";
	case SYSFS_KEYWORD:
		return "keyword";
	case SYSFS_STRING:
		return "string";
	default:
		return "text";
	}
}

/* A path as people read it. */
static void print_path(const char *path)
{
	for (; *path; path++)
		putchar(*path == '#' ? 'N' : *path);
}

/* Each on a line of its own, as the macros want it. */
static void print_sentences(const char *text)
{
	for (; *text; text++) {
		putchar(*text);
		if (*text == '.' && text[1] == ' ') {
			putchar('\n');
			text++;
		}
	}
	putchar('\n');
}

static void print_keywords(const struct sysfs_row *row)
{
	const char *const *keyword;

	printf("One of\n");
	for (keyword = row->keywords; *keyword; keyword++)
		printf(".Cm %s%s\n", *keyword, keyword[1] ? " ," : " .");
}

static void print_row(const struct sysfs_row *row)
{
	const char *path = row->path;

	if (!strncmp(path, KERNEL, strlen(KERNEL)))
		path += strlen(KERNEL);
	printf(".It Pa ");
	print_path(path);
	printf("\n%s, %s", row->writable ? "Read and write" : "Read only", type_name(row->type));
	if (row->min || row->max)
		printf(", from %llu", (unsigned long long)row->min);
	if (row->max)
		printf(" to %llu", (unsigned long long)row->max);
	if (row->initial && *row->initial)
		printf("; at first %s", row->initial);
	printf(".\n");
	print_sentences(row->doc);
	if (row->lax)
		printf("A number that is too large is refused with\n.Er EINVAL .\n");
	if (row->keywords && row->source == SYSFS_STORED)
		print_keywords(row);
}

static void print_list(const char *title, bool kernel)
{
	size_t i;

	printf(".Ss %s\n.Bl -tag -width Ds\n", title);
	for (i = 0; i < sysfs_nr_rows; i++)
		if (!strncmp(sysfs_rows[i].path, KERNEL, strlen(KERNEL)) == kernel)
			print_row(&sysfs_rows[i]);
	printf(".El\n");
}

int main(int argc, char **argv)
{
	FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[1024];

	if (!template) {
		fprintf(stderr, "manpage: can't open the template\n");
		return 1;
	}
	while (fgets(line, sizeof(line), template)) {
		if (strcmp(line, "@FILES@\n")) {
			fputs(line, stdout);
			continue;
		}
		print_list("Below kernel/mm/damon/admin", true);
		print_list("Beside it", false);
	}
	fclose(template);
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
