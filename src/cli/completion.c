// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The bash completion script, printed from the tables of commands and options. */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static const char head[] =
	"# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause\n"
	"# Completion of udamon's commands and options; made by the build from the program's tables.\n"
	"_udamon()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev= command=${COMP_WORDS[1]} i\n"
	"\tlocal options= values= operands= takes_command=\n"
	"\tCOMPREPLY=()\n"
	"\tif ((COMP_CWORD > 1)); then prev=${COMP_WORDS[COMP_CWORD - 1]}; fi\n"
	"\t# bash splits --name=value at the equals sign\n"
	"\tif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
	"\tif [[ $cur == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 1]} cur=; fi\n";

static const char tail[] =
	"\tcase $values in\n"
	"\t@file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n"
	"\t@folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return ;;\n"
	"\t@pid) mapfile -t COMPREPLY < <(compgen -W \"$(cd /proc && echo [0-9]*)\" -- \"$cur\"); return ;;\n"
	"\t@value) return ;;\n"
	"\t?*) mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\"); return ;;\n"
	"\tesac\n"
	"\tif [[ $takes_command ]]; then\n"
	"\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	"\t\t\t\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t\t\t\t_command_offset $((i + 1))\n"
	"\t\t\t\telif ((COMP_CWORD == i + 1)); then\n"
	"\t\t\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
	"\t\t\t\telse\n"
	"\t\t\t\t\tcompopt -o filenames\n"
	"\t\t\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\t\t\t\tfi\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\tdone\n"
	"\tfi\n"
	"\tif [[ $cur == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	"\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
	"\telif [[ $takes_command ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W -- -- \"$cur\")\n"
	"\telse\n"
	"\t\tcompopt -o filenames\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$operands\" -- \"$cur\"; compgen -f -- \"$cur\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _udamon udamon\n";

/* One branch of the case over commands. */
static void print_command(const struct command *command, FILE *out)
{
	char *text = NULL, *line, *rest, *options;
	size_t size;
	FILE *names = open_memstream(&text, &size);

	if (!names)
		return;
	options_names(command->bit, names);
	if (fclose(names) || !(options = calloc(1, size + 1))) {
		free(text);
		return;
	}
	fprintf(out, "\t%s)\n\t\ttakes_command=%s\n\t\toperands='", command->name,
		command->takes_command ? "1" : "");
	if (command->words)
		command->words(out);
	fputs("'\n\t\tcase $prev in\n", out);
	for (rest = text; (line = strsep(&rest, "\n")) && *line;) {
		size_t len = strcspn(line, " ");

		if (line[len])
			fprintf(out, "\t\t%.*s) values='%s' ;;\n", (int)len, line, line + len + 1);
		strncat(options, line, len);
		strcat(options, "|");
	}
	for (char *c = options; *c; c++)
		if (*c == '|')
			*c = ' ';
	fprintf(out, "\t\tesac\n\t\toptions='%s'\n\t\t;;\n", options);
	free(options);
	free(text);
}

void completion_print(FILE *out)
{
	fputs(head, out);
	fputs("\tif ((COMP_CWORD == 1)); then\n\t\tmapfile -t COMPREPLY < <(compgen -W '", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "%s ", command->name);
	fputs("--help --version' -- \"$cur\")\n\t\treturn\n\tfi\n\tcase $command in\n", out);
	for (const struct command *command = commands; command->name; command++)
		print_command(command, out);
	fputs("\t*) return ;;\n\tesac\n", out);
	fputs(tail, out);
}
