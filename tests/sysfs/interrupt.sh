#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Description: commands that are interrupted at any moment: a file is whole or not there, what is staged is what
# is in force, and the exit status says which signal it was.
# shellcheck source=tests/sysfs/daemon.sh disable=SC2154 # daemon.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/sysfs/daemon.sh"
repetitions=${UDAMON_REPETITIONS:-8}

# in_background COMMAND...: a signal counts from when udamon runs; $pid
in_background() {
	# Shells start background commands with SIGINT ignored.
	env --default-signal=INT,HUP,TERM "$@" </dev/null >"$scratch/out" 2>"$scratch/err" &
	pid=$!
	for _ in $(seq 1000); do
		[ "$(cat /proc/$pid/comm 2>/dev/null)" = udamon ] && return
		sleep 0.002
	done
}

# signalled SIGNAL COMMAND...: run it, and send it SIGNAL up to 20 ms later; $code, $scratch/err
signalled() {
	local signal=$1
	shift
	in_background "$@"
	sleep "0.0$(printf %02d $((RANDOM % 20)))"
	kill "-$signal" $pid 2>/dev/null
	wait $pid 2>/dev/null
	code=$?
}

# status_of SIGNAL: 128 and its number
status_of() { echo $((128 + $(kill -l "$1"))); }

need_daemon
watch_something
stage_watched
put on "$kdamonds/0/state"
is "a process is watched" ok "$answer"
staged=$kdamonds/0/contexts/0/monitoring_attrs/intervals/aggr_us

# tune: in force, or as it was before.
wrong=
done=0
for i in $(seq "$repetitions"); do
	for signal in INT TERM HUP; do
		before=$(in_force)
		wanted=$((100000 + RANDOM % 100 * 1000))
		signalled $signal "$udamon" tune -q --mount "$sys" --sample 5ms --aggr ${wanted}us 0/0
		now="$(in_force) $(cat "$staged")"
		case $code in
		0) [ "$now" = "$wanted $wanted" ] || wrong+="$i $signal: status 0, but $now instead of $wanted; " ;;
		"$(status_of $signal)") [ "$now" = "$before $before" ] || wrong+="$i $signal: status $code, but $now instead of $before; " ;;
		*) wrong+="$i $signal: status $code, $(cat "$scratch/err"); " ;;
		esac
		[ $code = 0 ] || done=$((done + 1))
	done
done
is "tune, interrupted, is done or undone, and its status says which" "" "$wrong"
echo "# $done of $((3 * repetitions)) were undone"

# And for certain while it waits for the daemon.
before=$(in_force)
kill -STOP "$daemon"
in_background "$udamon" tune -q --mount "$sys" --sample 5ms --aggr 777ms 0/0
sleep 0.5
kill -INT $pid
kill -CONT "$daemon"
wait $pid
is "tune, interrupted while the daemon doesn't answer" "130 $before $before" "$? $(in_force) $(cat "$staged")"
is "says so in one line" 1 "$(wc -l <"$scratch/err")"

# start: it runs, or nothing is left. Its place is the second kdamond.
put off "$kdamonds/0/state"
echo 2 >"$kdamonds/nr_kdamonds"
wrong=
for i in $(seq "$repetitions"); do
	for signal in INT TERM HUP; do
		signalled $signal "$udamon" start -q --mount "$sys" -p "$watched" 1
		now="$(cat "$kdamonds/1/state" "$kdamonds/1/contexts/nr_contexts" | paste -sd' ')"
		case "$code $now" in
		"0 on 1" | "$(status_of $signal) off 0") ;;
		*) wrong+="$i $signal: status $code, $now, $(cat "$scratch/err"); " ;;
		esac
		echo off >"$kdamonds/1/state" 2>/dev/null
		echo 0 >"$kdamonds/1/contexts/nr_contexts"
	done
done
is "start, interrupted: it runs, or nothing is left" "" "$wrong"

# Records of a context, and pages made of them.
"$udamon" start -q --mount "$sys" -p "$watched" 1 >/dev/null
sleep 1
wrong=
for i in $(seq "$repetitions"); do
	for signal in INT TERM HUP; do
		rm -f c.udamon*
		signalled $signal "$udamon" record -q --mount "$sys" --context 1/0 -o c.udamon
		if [ -e c.udamon ]; then
			what=$(whole c.udamon) || wrong+="$i $signal: $what; "
			[ $code = 0 ] || wrong+="$i $signal: status $code, $(cat "$scratch/err"); "
		else
			[ "$code$(ls -A)" = "$(status_of $signal)" ] || wrong+="$i $signal: status $code, $(ls -A); "
		fi
	done
done
is "record --context, interrupted: a whole record, or none" "" "$wrong"

rm -f c.udamon*
"$udamon" record -q --mount "$sys" --context 1/0 --for 1s -o page.udamon
wrong=
for i in $(seq "$repetitions"); do
	for signal in INT TERM HUP; do
		rm -f p.html
		signalled $signal "$udamon" report -q --html p.html page.udamon
		[ $code = 0 ] || [ $code = "$(status_of $signal)" ] || wrong+="$i $signal: status $code; "
		[ ! -e p.html ] || tail -c 20 p.html | grep -q '</html>' || wrong+="$i $signal: half a page; "
		# SQLite's files beside a record that is read are removed by the next reader.
		left=$(find . -type f ! -name 'page.udamon*' ! -name p.html)
		[ -z "$left" ] || wrong+="$i $signal: $left is left; "
	done
done
is "report --html, interrupted: a whole page, or none, and nothing beside it" "" "$wrong"
bash -c '"$1" report page.udamon | true; exit ${PIPESTATUS[0]}' bash "$udamon" 2>"$scratch/err"
code=$?
result $((code != 0 && code != 141)) "a reader that goes is no error worth a word" "status $code"
is "and none is said" "" "$(cat "$scratch/err")"
finish
