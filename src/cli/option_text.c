// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the table of options is shown as: --help, and the words for completion. */
#include <getopt.h>
#include <string.h>

#include "cli/option_table.h"

/* Print @text from column @indent on, broken at spaces to stay inside 80 columns. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > 79) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len;
		while (*text == ' ')
			text++;
	}
	fputc('\n', out);
}

void options_help(enum command_bit command, FILE *out)
{
	enum { INDENT = 30 };

	for (size_t i = 0; i < nr_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];
		int argument = option_argument(spec);
		char left[64], letter[8] = "    ";
		int len;

		if (!(spec->commands & command))
			continue;
		if (spec->letter)
			snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
		len = snprintf(left, sizeof(left), "  %s--%s%s%s%s", letter, spec->name,
			       argument == optional_argument   ? "[="
			       : argument == required_argument ? " "
							       : "",
			       argument == no_argument ? "" : spec->value,
			       argument == optional_argument ? "]" : "");
		fputs(left, out);
		if (len >= INDENT)
			fprintf(out, "\n%*s", INDENT, "");
		else
			fprintf(out, "%*s", INDENT - len, "");
		print_wrapped(out, spec->help, INDENT);
	}
}

void options_names(enum command_bit command, FILE *out)
{
	for (size_t i = 0; i < nr_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!(spec->commands & command))
			continue;
		fprintf(out, "--%s", spec->name);
		if (spec->letter)
			fprintf(out, "|-%c", spec->letter);
		if (option_argument(spec) == optional_argument)
			fputc('=', out);
		switch (spec->kind) {
		case OPTION_FLAG:
		case OPTION_CHOOSE:
		case OPTION_TUNE:
		case OPTION_VS:
			break;
		case OPTION_FILE:
		case OPTION_SCHEMES:
			fputs(" @file", out);
			break;
		case OPTION_FOLDER:
			fputs(" @folder", out);
			break;
		case OPTION_PIDS:
			fputs(" @pid", out);
			break;
		case OPTION_WORD:
		case OPTION_NAME:
			for (int w = 0; spec->words[w]; w++)
				fprintf(out, " %s", spec->words[w]);
			break;
		default:
			fputs(" @value", out);
		}
		fputc('\n', out);
	}
}
