#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the program knows, its manual pages and the completion know too.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

for command in run record report export verify sim doctor start stop pause resume tune status schemes top ns; do
	page=$UDAMON_SOURCE/man/udamon-$command.1
	missing=
	for option in $("$udamon" "$command" --help | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE '[a-z][a-z-]+$'); do
		grep -qE -- "Fl -${option}( |$)" "$page" "$UDAMON_SOURCE/man/udamon.1" ||
			missing="$missing --$option"
	done
	is "$command: each option is in its manual page" "" "$missing"
done

"$udamon" --completion >"$scratch/completion"
# complete_words WORD...: what bash would offer for the last word
complete_words() {
	(
		# shellcheck source=/dev/null
		. "$scratch/completion"
		compopt() { :; }
		COMP_WORDS=(udamon "$@")
		COMP_CWORD=$#
		COMPREPLY=()
		_udamon
		echo "${COMPREPLY[@]}"
	)
}
is "completion of commands" "run record report resume" "$(complete_words r)"
is "completion of options" "--sample --sort" "$(complete_words report --s | tr ' ' '\n' | cat - <(complete_words sim --s | tr ' ' '\n') | grep -E 'sample|sort' | sort -u | xargs)"
is "completion of an option's words" "always auto never" \
	"$(complete_words sim --color '' | tr ' ' '\n' | sort | xargs)"
is "completion of --option=word" "always" "$(complete_words sim --color = al)"
is "completion after a short option: a file" "1" "$(touch afile; complete_words run -o af | grep -c afile)"
is "completion of workloads" "hotcold" "$(complete_words sim hotc)"
is "completion of reports" "heatmap" "$(complete_words report heat)"
is "completion of a command to run" "1" "$(complete_words run -- tru | grep -cw true)"
finish
