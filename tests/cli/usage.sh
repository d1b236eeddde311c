#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Wrong usage: one line that quotes what is wrong, status 2, nothing left behind.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

refuses "unknown command" 2 "unknown command 'frobnicate'" "$udamon" frobnicate
refuses "unknown option before the command" 2 "unknown option '--frob'" "$udamon" --frob
refuses "control characters can't break the line" 2 "unknown command 'a?b?c'" \
	"$udamon" "$(printf 'a\nb\033c')"

for command in run record sim; do
	set -- "$udamon" "$command"
	refuses "$command: unknown option" 2 "unknown option '--frobnicate'" "$@" --frobnicate -- true
	refuses "$command: --sample 0x" 2 "--sample '0x': expected a time" "$@" --sample 0x -- true
	refuses "$command: --sample without a unit" 2 "--sample '5': expected a time" "$@" --sample 5 -- true
	refuses "$command: negative time" 2 "--sample '-5ms': expected a time" "$@" --sample -5ms -- true
	refuses "$command: overflowing time" 2 "--aggr '99999999999999999999s'" \
		"$@" --aggr 99999999999999999999s -- true
	refuses "$command: empty time" 2 "--for '': expected a time" "$@" --for= -- true
	refuses "$command: --min-regions 2" 2 "--min-regions '2': expected" "$@" --min-regions 2 -- true
	refuses "$command: min above max" 2 "--min-regions '2000' is above --max-regions '10'" \
		"$@" --min-regions 2000 --max-regions 10 -- true
	refuses "$command: sample above aggr" 2 "longer than the window" "$@" --sample 1s --aggr 1ms -- true
	refuses "$command: bad --autotune" 2 "--autotune '1,2'" "$@" --autotune=1,2 -- true
	refuses "$command: option without value" 2 "'--sample' needs a value" "$@" --sample
done
refuses "run: an engine that is not there" 2 "--engine 'warp': expected one of" \
	"$udamon" run --engine warp -- true
refuses "run: no command" 2 "which command?" "$udamon" run
refuses "run: unknown user" 2 "--user" "$udamon" run --user=
refuses "record: nothing to watch" 2 "what shall be watched?" "$udamon" record
refuses "record: both pid and command" 2 "don't go together" "$udamon" record -p 1 -- true
refuses "record: pid that is none" 2 "--pid 'abc'" "$udamon" record -p abc
refuses "record: pid 0" 2 "--pid '0'" "$udamon" record -p 0
refuses "record: overflowing pid" 2 "--pid '4294967297'" "$udamon" record -p 4294967297
refuses "record: range without process" 2 "--range needs one process" "$udamon" record --range 0-1000 true
refuses "record: range backwards" 2 "--range '2000-1000'" "$udamon" record --range 2000-1000 -p 1
refuses "record: a context and a user" 2 "--user 'nobody' needs a command" \
	"$udamon" record --context 0/0 --user nobody
refuses "record: a context and addresses" 2 "--range needs one process" \
	"$udamon" record --context 0/0 --range 0-1000
refuses "record: a context and a scheme" 2 "schemes or training ('action=stat') don't go together" \
	"$udamon" record --context 0/0 --scheme action=stat
refuses "record: a context and training" 2 "schemes or training ('file') don't go together" \
	"$udamon" record --context 0/0 --save-training file
refuses "record: user without command" 2 "--user 'nobody' needs a command" \
	"$udamon" record --user nobody -p 1
refuses "sim: no workload" 2 "which workload?" "$udamon" sim
refuses "sim: unknown workload" 2 "udamon sim --list" "$udamon" sim nosuch
refuses "sim: two workloads" 2 "one workload at a time" "$udamon" sim hotcold stairs
refuses "report: unknown report" 2 "unknown report 'leaves'" "$udamon" report leaves x
refuses "report: two records" 2 "one record at a time" "$udamon" report wss a b
refuses "report: share over 100" 2 "--min-access '101%'" "$udamon" report --min-access 101%
refuses "report: time backwards" 2 "--from must be before --to" "$udamon" report --from 2s --to 1s
refuses "export: no format" 2 "which format?" "$udamon" export
refuses "export: unknown format" 2 "--format 'xml': expected one of damo, csv, json" \
	"$udamon" export --format xml
refuses "doctor: operand" 2 "'x': doctor takes no operand" "$udamon" doctor x
refuses "verify: no process" 2 "udamon verify -p PID" "$udamon" verify
refuses "verify: two processes" 2 "give one" "$udamon" verify -p 1,2
refuses "verify: operand" 2 "'7': verify takes no operand" "$udamon" verify 7
refuses "verify: a window shorter than a look" 2 "longer than the window" \
	"$udamon" verify -p 1 --sample 1s --aggr 10ms

succeeds "no argument: short help" "$udamon"
is "short help is short" 1 "$(($(wc -l <"$scratch/out") < 24))"
succeeds "--version" "$udamon" --version
for command in run record report export sim verify doctor; do
	succeeds "$command --help" "$udamon" "$command" --help
	is "$command --help fits 80 columns" 0 "$(awk 'length > 80' "$scratch/out" | wc -l)"
done
finish
