#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Ended at any moment by SIGINT, SIGTERM, SIGKILL: the record is whole, and nobody is left behind.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
need_engine
repetitions=${UDAMON_REPETITIONS:-20}

random_sleep() { # up to 0.6 s, most often early
	local t=$((RANDOM % 600))
	[ $((RANDOM % 2)) = 0 ] && t=$((t / 6))
	sleep "0.$(printf %03d $t)"
}

# Shells start background commands with SIGINT ignored. A signal counts from when udamon runs.
in_background() {
	env --default-signal=INT "$@" </dev/null >"$scratch/out" 2>"$scratch/err" &
	pid=$!
	for _ in $(seq 10000); do
		[ "$(cat /proc/$pid/comm 2>/dev/null)" = udamon ] && return
		sleep 0.002
	done
}

"$demo" 250 >/dev/null &
target=$!
bad=
for i in $(seq "$repetitions"); do
	for signal in INT TERM; do
		rm -f p.udamon*
		in_background "$udamon" record -q --sample 1ms --aggr 10ms -p $target -o p.udamon
		random_sleep
		kill -$signal $pid
		# A second one must do no harm.
		[ $((RANDOM % 2)) = 0 ] && kill -$signal $pid 2>/dev/null
		wait $pid
		code=$?
		if [ ! -e p.udamon ]; then
			# It had not got so far; nothing may be there at all.
			[ -z "$(ls -A)" ] && [ ! -s "$scratch/err" ] || bad="$bad $signal $i: $(ls -A) $(cat "$scratch/err")"
			continue
		fi
		[ $code = 0 ] && [ ! -s "$scratch/err" ] || bad="$bad $signal $i: status $code $(cat "$scratch/err")"
		what=$(whole p.udamon) || bad="$bad $signal $i: $what"
	done
done
is "record -p ended by SIGINT and SIGTERM: whole records" "" "$bad"

unique=77.$$ # no other run of this test has it
bad=
for i in $(seq "$repetitions"); do
	for signal in INT TERM; do
		rm -f r.udamon*
		in_background "$udamon" run -q --sample 1ms --aggr 10ms -o r.udamon -- sleep $unique
		random_sleep
		kill -$signal $pid
		wait $pid
		code=$?
		expected=$([ $signal = INT ] && echo 130 || echo 143)
		[ $code = "$expected" ] && [ ! -s "$scratch/err" ] ||
			bad="$bad $signal $i: status $code $(cat "$scratch/err")"
		[ -e r.udamon ] || continue
		what=$(whole r.udamon) || bad="$bad $signal $i: $what"
	done
done
is "run ended by SIGINT and SIGTERM: whole records, the command's status" "" "$bad"
is "no command is left behind" "" "$(pgrep -f "sleep $unique")"

bad=
for i in $(seq "$repetitions"); do
	rm -f k.udamon*
	in_background "$udamon" record -q --sample 1ms --aggr 10ms -p $target -o k.udamon
	random_sleep
	kill -KILL $pid
	wait $pid 2>/dev/null
	[ -e k.udamon ] || continue
	check=$(sqlite3 k.udamon 'pragma integrity_check' 2>&1)
	[ "$check" = ok ] || bad="$bad $i: $check"
	"$udamon" report k.udamon >/dev/null 2>"$scratch/err" || bad="$bad $i: $(cat "$scratch/err")"
done
is "record -p ended by SIGKILL: integrity_check ok, readable" "" "$bad"
"$udamon" record -q -p $target --for 1s -o k.udamon 2>"$scratch/err"
is "the process can be watched again afterwards" 0 $?
kill $target

in_background "$udamon" run -q -o stubborn.udamon -- sh -c 'trap "" INT; touch started; while :; do sleep 0.1; done'
for _ in $(seq 1200); do [ -e started ] && break; sleep 0.05; done
kill -INT $pid
wait $pid
is "a command that ignores SIGINT gets SIGTERM" 143 $?
rm -f started
in_background "$udamon" run -q -o stubborn.udamon -- \
	sh -c 'trap "" INT TERM; echo $$ >pid; touch started; while :; do sleep 0.1; done'
for _ in $(seq 1200); do [ -e started ] && break; sleep 0.05; done
kill -TERM $pid
# Two that come before either is seen are one; so it gets another one now and then.
for _ in $(seq 60); do
	sleep 0.5
	kill -TERM $pid 2>/dev/null || break
done
wait $pid
is "a second signal leaves a command that ignores both" 143 $?
kill -0 "$(cat pid)"
is "which goes on running" 0 $?
kill -KILL "$(cat pid)"
what=$(whole stubborn.udamon)
result $? "the record is whole all the same" "$what"

in_background "$udamon" run -q --for 300ms -o time.udamon -- sh -c 'sleep 1; exit 5'
wait $pid
is "--for ends the watching, not the command" 5 $?
finish
