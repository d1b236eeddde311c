#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Files that are missing, foreign, cut off, or can't be written; pipes that close; narrow terminals.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

refuses "report: no such record" 1 "'nosuch': No such file or directory" "$udamon" report nosuch
refuses "report: no record of the default name" 1 "'record.udamon': No such file" "$udamon" report
refuses "export: no such record" 1 "'nosuch'" "$udamon" export --format csv nosuch
refuses "sim: directory of the record is missing" 1 "'/nosuch/x'" "$udamon" sim hotcold -o /nosuch/x
refuses "sim: the record would be a folder" 1 "'.'" "$udamon" sim hotcold -o .
echo "not a record" >foreign
refuses "sim: a foreign file isn't replaced" 1 "'foreign'" "$udamon" sim hotcold -o foreign
is "the foreign file is as it was" "not a record" "$(cat foreign)"
refuses "report: a foreign file" 1 "'foreign'" "$udamon" report foreign
head -c 100000 /dev/urandom >noise
refuses "report: noise" 1 "'noise'" "$udamon" report noise
: >empty
refuses "report: an empty file" 1 "'empty'" "$udamon" report empty
refuses "report: a folder" 1 "'.'" "$udamon" report .
sqlite3 database 'create table t(x)'
refuses "report: a database that is no record" 1 "'database'" "$udamon" report database
printf 'word, 10, none\n\nphase\n' >broken.cfg
refuses "sim: a broken workload file" 2 "broken.cfg" "$udamon" sim ./broken.cfg
rm -f foreign noise empty database broken.cfg

succeeds "sim writes a record" "$udamon" sim hotcold --for 10s -o sim.udamon
what=$(whole sim.udamon 50)
result $? "the record is whole" "$what"
is "the record is its owner's only" 600 "$(stat -c %a sim.udamon)"
is "nothing but the record is left" "./sim.udamon" "$(find . "$TMPDIR" -type f)"
cp sim.udamon first.udamon
succeeds "sim again, over the record it wrote" "$udamon" sim hotcold --for 10s -o sim.udamon
cmp -s first.udamon sim.udamon
result $? "equal runs give equal records"
succeeds "sim with another seed" "$udamon" sim hotcold --for 10s --seed 2 -o sim.udamon
cmp -s first.udamon sim.udamon
is "and that gives another record" 1 "$?"
size=$(stat -c %s first.udamon)
for part in 100 $((size / 2)) $((size - 4096)); do
	head -c "$part" first.udamon >cut.udamon
	refuses "report: a record cut to $part bytes" 1 "'cut.udamon'" "$udamon" report cut.udamon
done
rm -f cut.udamon

for report in summary heatmap wss regions; do
	succeeds "report $report" "$udamon" report "$report" first.udamon
	is "report $report is plain text when it isn't for a terminal" 0 \
		"$(LC_ALL=C grep -c '[^[:print:]	]' "$scratch/out")"
	succeeds "report $report --json" "$udamon" report "$report" --json first.udamon
	python3 -m json.tool "$scratch/out" >/dev/null 2>&1
	result $? "report $report --json is JSON"
	COLUMNS=20 try "$udamon" report "$report" first.udamon
	is "report $report in 20 columns" "0 0" "$code $(awk 'length > 20' "$scratch/out" | wc -l)"
	try bash -c "trap - PIPE; '$udamon' report $report first.udamon | true; echo \${PIPESTATUS[0]} >'$scratch/status'"
	status=$(cat "$scratch/status")
	if { [ "$status" = 141 ] || [ "$status" = 0 ]; } && [ ! -s "$scratch/err" ]; then
		result 0 "report $report into a closed pipe is quiet"
	else
		result 1 "report $report into a closed pipe is quiet" "status $status
$(what_was)"
	fi
done
# A pipe whose reader is gone for certain before anything is written.
mkfifo pipe
(exec 3<>pipe 4>pipe 3<&-; "$udamon" report first.udamon >&4 2>"$scratch/err" 3<&-; echo $? >"$scratch/status")
is "a pipe nobody reads: status of SIGPIPE, and silence" "141 0" \
	"$(cat "$scratch/status") $(wc -c <"$scratch/err")"
rm pipe
refuses_full() {
	"$@" >/dev/full 2>"$scratch/err" </dev/null
	echo "$? $(grep -c 'No space left on device' "$scratch/err") $(wc -l <"$scratch/err")"
}
is "standard output is full: one line, status 1" "1 1 1" "$(refuses_full "$udamon" report first.udamon)"
is "help to a full device" "1 1 1" "$(refuses_full "$udamon" sim --help)"

for format in csv json damo; do
	succeeds "export --format $format" "$udamon" export --format $format -o "out.$format" first.udamon
	is "out.$format is its owner's only" 600 "$(stat -c %a out.$format)"
done
refuses "export: directory missing" 1 "'/nosuch/x'" "$udamon" export --format csv -o /nosuch/x first.udamon
succeeds "report --html" "$udamon" report --html page.html first.udamon
is "the page is its owner's only" 600 "$(stat -c %a page.html)"
refuses_html() {
	"$udamon" report --html /nosuch/page first.udamon >/dev/null 2>"$scratch/err"
	echo "$? $(wc -l <"$scratch/err")"
}
is "report --html: directory missing" "1 1" "$(refuses_html)"
refuses "sim --html: directory missing, said before anything is simulated" 1 "'/nosuch/page'" \
	"$udamon" sim --html /nosuch/page -o early.udamon stairs
is "and nothing was recorded" no "$([ -e early.udamon ] && echo yes || echo no)"
succeeds "report --html replaces an older page" "$udamon" report --html page.html first.udamon
echo mine >notes
refuses "report --html doesn't replace anything else" 1 "'notes' is a file that udamon didn't write" \
	"$udamon" report --html notes first.udamon
is "which is as it was" mine "$(cat notes)"
rm -f out.* page.html notes

# "Disk full" without filling a disk: a small tmpfs that only this command sees.
full='mount -t tmpfs -o size=96k none /mnt && cd /mnt && "$@" && :; code=$?; ls -A /mnt | sed "s/^/left: /"; exit $code'
if unshare -m true 2>/dev/null; then
	try unshare -m sh -c "$full" - "$udamon" sim hotcold -o full.udamon
	if [ "$code" = 1 ] && [ "$(wc -l <"$scratch/err")" = 1 ]; then
		result 0 "sim: disk full is one line and status 1"
	else
		result 1 "sim: disk full is one line and status 1" "$(what_was)"
	fi
	try unshare -m sh -c "${full/96k/4k}" - "$udamon" sim hotcold -o full.udamon
	if [ "$code" = 1 ] && [ "$(wc -l <"$scratch/err")" = 1 ] && [ ! -s "$scratch/out" ]; then
		result 0 "sim: no room even for an empty record, nothing left"
	else
		result 1 "sim: no room even for an empty record, nothing left" "$(what_was)"
	fi
else
	skip "sim: disk full is one line and status 1" "no private mount namespace"
	skip "sim: no room even for an empty record, nothing left" "no private mount namespace"
fi

# Interrupted at any moment: a whole record, status 0, no temporary folder.
bad=
for i in $(seq 20); do
	rm -f cut.udamon
	# The shell has what it starts in the background ignore SIGINT, which is lost until udamon is there.
	env --default-signal=INT "$udamon" sim zipf --sample 1ms --aggr 20ms -o cut.udamon \
		>/dev/null 2>"$scratch/err" &
	pid=$!
	until [ "$(cat /proc/$pid/comm)" = udamon ]; do sleep 0.001; done
	sleep "0.0$((RANDOM % 100))$((RANDOM % 10))"
	signals=(INT TERM)
	kill "-${signals[i % 2]}" $pid 2>/dev/null
	wait $pid
	code=$?
	# In its first moments, before it does anything, the signal simply ends it.
	if [ ! -e cut.udamon ] && [ $code -gt 128 ] && [ ! -s "$scratch/err" ]; then
		continue
	fi
	what=$(whole cut.udamon) || bad="$bad $i: status $code $what"
	[ $code = 0 ] || bad="$bad $i: status $code $(cat "$scratch/err")"
done
is "sim ended by SIGINT and SIGTERM 20 times: whole records" "" "$bad"
is "no temporary folder is left" "" "$(ls -A "$TMPDIR")"
finish
