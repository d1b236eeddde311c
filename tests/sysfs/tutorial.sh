#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: the tutorial of docs/daemon.md, its very lines, each of its blocks one test.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"

need_daemon
watch_something
# shellcheck disable=SC2034 # the tutorial uses it
PID=$watched

# The blocks follow each other in one shell, as they do in a reader's.
awk -v folder="$scratch" '/^```sh$/ { open = 1; n++; next } /^```$/ { open = 0 }
	open { print > (folder "/block" n) }' "$UDAMON_SOURCE/docs/daemon.md"
sed -i "s|/run/udamon/sys|$sys|g" "$scratch"/block*
blocks=$(find "$scratch" -name 'block*' | wc -l)
is "the tutorial has its ten steps" 10 "$blocks"
for i in $(seq "$blocks"); do
	set -e
	# shellcheck disable=SC1090 # made above
	. "$scratch/block$i" >"$scratch/said$i" 2>"$scratch/err$i"
	set +e
	expected=
	[ "$i" = 9 ] && expected="write error: Invalid argument"
	is "step $i: $(head -1 "$scratch/block$i")" "$expected" \
		"$(grep -o 'write error: .*' "$scratch/err$i" || head -3 "$scratch/err$i")"
done
is "it was on, with a thread" "on 1" "$(sed -n 1p "$scratch/said5") $(grep -c '^[1-9][0-9]*$' "$scratch/said5")"
result "$(awk 'NR == 1 { exit !($1 > 1048576) }' "$scratch/said6"; echo $?)" "regions are seen" "$(head -3 "$scratch/said6")"
result "$(awk -F'\t' '$3 > 0 && NF >= 4 { hot += $2 - $1 } END { exit !(hot > 0) }' "$scratch/said6"; echo $?)" \
	"and memory that is in use among them" "$(head -5 "$scratch/said6")"
is "the changed interval is in force" 1 "$(grep -c 200000 "$scratch/said8")"
is "a senseless commit says why" 1 "$(grep -c "sample_us: '300000'" "$scratch/said9")"
is "at the end it is off" off "$(tail -1 "$scratch/said10")"
cd "$scratch" || exit 1
stop_daemon
is "and the daemon ends well" 0 "$daemon_code"
finish
