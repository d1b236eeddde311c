#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the examples do what the documentation shows of them. Argument: cache_slots
set -u

echo 1..3
out=$("$1") && echo "ok 1 - cache_slots ends well" || echo "not ok 1 - cache_slots ends well"

# Its lookups go to 16384..24576: all that is used must lie there, give or take one region's edge.
echo "$out" | awk '
	{ split($2, range, "[.][.]"); sub(":", "", $0) }
	{ line = $0; gsub(/[^0-9]+/, " ", line); split(line, n, " ") }
	n[3] >= 10 { hot += n[2] - n[1]; if (n[1] >= 16000 && n[2] <= 25000) inside += n[2] - n[1] }
	END { exit !(hot == inside && hot > 7000 && hot < 9000) }' &&
	echo "ok 2 - cache_slots finds the used slots" ||
	{ echo "$out" | sed 's/^/# /'; echo "not ok 2 - cache_slots finds the used slots"; }

shown=$(sed -n '/^slots .*: used in/p' "$UDAMON_SOURCE/docs/operations-set.md")
if [ "$shown" = "$out" ]; then
	echo "ok 3 - docs/operations-set.md shows its output"
else
	echo "# expected (printed now):"
	echo "$out" | sed 's/^/# /'
	echo "not ok 3 - docs/operations-set.md shows its output"
fi
