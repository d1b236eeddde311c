#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The commands that control contexts, on a tree of plain files: what they write where, and what they
# say of a tree that isn't there or isn't what they need. Nothing here touches /sys.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

root=$scratch/tree
admin=$root/kernel/mm/damon/admin/kdamonds

# put FILE VALUE: a file of the plain tree
put() {
	mkdir -p "$(dirname "$1")"
	echo "$2" >"$1"
	chmod 600 "$1"
}

# make_context FOLDER: what a fresh context holds
make_context() {
	local attrs=$1/monitoring_attrs
	put "$1/operations" vaddr
	put "$1/pause" N
	put "$attrs/intervals/sample_us" 5000
	put "$attrs/intervals/aggr_us" 100000
	put "$attrs/intervals/update_us" 60000000
	for name in access_bp aggrs min_sample_us max_sample_us; do
		put "$attrs/intervals/intervals_goal/$name" 0
	done
	put "$attrs/nr_regions/min" 10
	put "$attrs/nr_regions/max" 1000
	put "$1/targets/nr_targets" 0
	put "$1/targets/0/pid_target" 0
	put "$1/targets/0/regions/nr_regions" 0
	put "$1/targets/0/regions/0/start" 0
	put "$1/targets/0/regions/0/end" 0
	put "$1/schemes/nr_schemes" 0
}

# make_tree KDAMONDS own|kernel: a tree of plain files, its kdamonds off and empty. Plain files don't make
# folders when a count is written: there is one of each from the start.
make_tree() {
	rm -rf "$root"
	put "$admin/nr_kdamonds" "$1"
	for ((k = 0; k < $1; k++)); do
		put "$admin/$k/state" off
		put "$admin/$k/pid" -1
		put "$admin/$k/contexts/nr_contexts" 0
		make_context "$admin/$k/contexts/0"
	done
	[ "$2" = kernel ] || mkdir -p "$root/udamon/kdamonds"
}

value() {
	cat "$admin/$1"
}

for command in start stop; do
	args=
	[ $command = start ] && args="-p $$"
	# shellcheck disable=SC2086 # two words
	refuses "$command: no daemon" 1 "'/nosuch/tree': no udamond serves it; start one (systemctl start udamond)" \
		"$udamon" $command --mount /nosuch/tree $args
	# shellcheck disable=SC2086
	refuses "$command: a kernel without DAMON" 77 "this kernel has no DAMON file tree" \
		"$udamon" $command --engine kernel --mount "$scratch" $args
done

make_tree 1 kernel
refuses "a kernel's tree isn't touched unless --engine kernel says so" 1 "no udamond serves it" \
	"$udamon" start --mount "$root" -p $$
is "and nothing was written" 0 "$(value 0/contexts/nr_contexts)"

make_tree 2 own
refuses "start: nothing to watch" 2 "what shall be watched?" "$udamon" start --mount "$root"
refuses "start: pid and physical memory" 2 "don't go together" \
	"$udamon" start --mount "$root" -p $$ --ops paddr
refuses "start: fvaddr without addresses" 2 "--ops fvaddr needs the addresses" \
	"$udamon" start --mount "$root" -p $$ --ops fvaddr
refuses "start: addresses, and all mappings" 2 "--range and --ops vaddr don't go together" \
	"$udamon" start --mount "$root" -p $$ --ops vaddr --range 1000-3000
refuses "start: no such process" 1 "--pid '2147483647': there is no process 2147483647" \
	"$udamon" start --mount "$root" -p 2147483647
refuses "start: a kernel thread" 1 "is a kernel thread" "$udamon" start --mount "$root" -p 2
make_zombie
refuses "start: a process that has exited" 1 "--pid '$zombie': process $zombie (python3) has exited" \
	"$udamon" start --mount "$root" -p "$zombie"
drop_zombie
refuses "start: bad address" 2 "'x/y': expected a context as 0/0" "$udamon" start --mount "$root" -p $$ x/y
refuses "start: no such kdamond" 1 "'7': there is no such kdamond" "$udamon" start --mount "$root" -p $$ 7
is "no refused start staged anything" "0 0" "$(value 0/contexts/nr_contexts) $(value 1/contexts/nr_contexts)"

try "$udamon" start --mount "$root" -p $$ --sample 10ms --aggr 200ms --min-regions 20 --range 1000-3000
is "start: status and context" "0 0/0" "$code $(cat "$scratch/out")"
context=0/contexts/0
attrs=$context/monitoring_attrs
is "start: what is staged" "fvaddr on 1 10000 200000 1000000 20 1000 1 $$ 1" "$(value $context/operations) $(value 0/state) $(value 0/contexts/nr_contexts) $(
	value $attrs/intervals/sample_us) $(value $attrs/intervals/aggr_us) $(value $attrs/intervals/update_us) $(
	value $attrs/nr_regions/min) $(value $attrs/nr_regions/max) $(value $context/targets/nr_targets) $(
	value $context/targets/0/pid_target) $(value $context/targets/0/regions/nr_regions)"

refuses "start: that kdamond runs" 1 "'0': it runs already; change it with: udamon tune 0" \
	"$udamon" start --mount "$root" -p $$ 0
try "$udamon" start -q --json --mount "$root" -p $$
is "start: the next takes the next free kdamond" '0 {"context": "1/0", "kdamond_pid": -1}' \
	"$code $(cat "$scratch/out")"
is "start: intervals are tuned unless given" "400 3 5000 10000000 5000" "$(
	value 1/contexts/0/monitoring_attrs/intervals/intervals_goal/access_bp) $(
	value 1/contexts/0/monitoring_attrs/intervals/intervals_goal/aggrs) $(
	value 1/contexts/0/monitoring_attrs/intervals/intervals_goal/min_sample_us) $(
	value 1/contexts/0/monitoring_attrs/intervals/intervals_goal/max_sample_us) $(
	value 1/contexts/0/monitoring_attrs/intervals/sample_us)"
refuses "start: none is free, and their number can't change while one runs" 1 \
	"no kdamond is free, and there can't be more than the 2 while one runs" \
	"$udamon" start --mount "$root" -p $$
refuses "stop: which one?" 2 "which context? there are 0/0, 1/0" "$udamon" stop --mount "$root"
succeeds "stop: by its address" "$udamon" stop --mount "$root" 0/0
is "stop: off, and its place empty" "off 0" "$(value 0/state) $(value 0/contexts/nr_contexts)"
succeeds "stop: the only one that runs, --keep" "$udamon" stop --keep --mount "$root"
is "stop --keep: off, and its parameters there" "off 1" "$(value 1/state) $(value 1/contexts/nr_contexts)"
refuses "start: something is staged there" 1 "'1': something is staged there; replace it with --force" \
	"$udamon" start --mount "$root" -p $$ 1
succeeds "start --force replaces it" "$udamon" start --force --mount "$root" -p $$ 1
succeeds "stop --all" "$udamon" stop --all --mount "$root"
is "stop --all: off and empty" "off 0" "$(value 1/state) $(value 1/contexts/nr_contexts)"
refuses "stop: nothing runs" 1 "no context runs" "$udamon" stop --mount "$root"
refuses "stop: an empty place" 1 "'1/0': there is nothing to stop" "$udamon" stop --mount "$root" 1
refuses "stop: --all and a name" 2 "don't go together" "$udamon" stop --all --mount "$root" 1

# The budget is udamon's own file.
make_tree 1 own
own=$root/udamon/kdamonds/0
put "$own/budget" 300
written=
for option in --quiet --budget=5% --quiet --no-budget --budget=max; do
	"$udamon" start -q --mount "$root" -p $$ $option >/dev/null 2>&1
	written="$written $(value 0/state) $(cat "$own/budget"),"
	"$udamon" stop -q --mount "$root"
done
is "start: the budget is as it is unless it is given" " on 300, on 500, on 500, on 0, on 0," "$written"
rm "$own/budget"
refuses "start: a udamond that has no budget" 1 "cannot write '500' to '$own/budget': there is no such file" \
	"$udamon" start --mount "$root" -p $$ --budget 5%
is "start: and nothing of it is left" "off 0" "$(value 0/state) $(value 0/contexts/nr_contexts)"
refuses "start: a kernel's DAMON has no budget" 2 "--budget and --engine kernel don't go together" \
	"$udamon" start --engine kernel --mount "$root" -p $$ --budget 5%

# What fails in the middle is taken back.
make_tree 2 own
rm "$admin/0/contexts/0/monitoring_attrs/nr_regions/max"
refuses "start: a file is missing" 1 "cannot write '1000' to '$admin/0/contexts/0/monitoring_attrs/nr_regions/max': there is no such file" \
	"$udamon" start --mount "$root" -p $$ 0
is "start: and the place is empty again" "off 0" "$(value 0/state) $(value 0/contexts/nr_contexts)"
make_tree 1 kernel
rm -r "$admin/0/contexts/0/monitoring_attrs/intervals/intervals_goal"
refuses "start --engine kernel: tuning, which that kernel hasn't" 1 "there is no such file: this kernel's DAMON doesn't have it" \
	"$udamon" start --engine kernel --mount "$root" --autotune -p $$
try "$udamon" start --engine kernel --mount "$root" -p $$
is "start --engine kernel: as a default, it is left out, and said so" "0 1" \
	"$code $(grep -c "this kernel's DAMON can't tune the intervals" "$scratch/err")"
is "start --engine kernel: it runs" "on" "$(value 0/state)"
make_tree 0 kernel
try "$udamon" start --engine kernel --mount "$root" -p $$
is "start --engine kernel: makes kdamonds when there are none, some to spare" 4 "$(value nr_kdamonds)"
make_tree 0 own
try "$udamon" start --mount "$root" -p $$
is "start: in a daemon's tree likewise" 4 "$(value nr_kdamonds)"

# What is staged, and what is in force.
in_force() {
	cat >"$root/udamon/kdamonds/0/in_force" <<END
{"kdamonds": [{"state": "on", "contexts": [{"ops": "vaddr", "targets": [{"pid": $$}],
 "intervals": {"sample_us": $1, "aggr_us": 100000, "ops_update_us": 1000000}, "nr_regions": {"min": 10, "max": 1000},
 "schemes": []}]}]}
END
}
make_tree 1 own
mkdir -p "$root/udamon/kdamonds/0"
put "$root/udamon/kdamonds/0/engine" auto
put "$root/udamon/kdamonds/0/error" ""
refuses "status: no such kdamond" 1 "'3/0': there is no such kdamond" "$udamon" status --mount "$root" 3
succeeds "status: nothing is there" "$udamon" status --mount "$root"
is "status: says so" "no context; start one with: udamon start" "$(cat "$scratch/out")"
succeeds "start, to be changed" "$udamon" start -q --no-autotune --engine scan --sample 5ms --aggr 100ms --mount "$root" -p $$
is "start: the engine is chosen" scan "$(cat "$root/udamon/kdamonds/0/engine")"
in_force 5000
succeeds "status" "$udamon" status --mount "$root"
is "status: one context, nothing else staged" "1 0" \
	"$(grep -c "^0/0  on, process $$ (" "$scratch/out") $(grep -c "not in force" "$scratch/out")"
succeeds "status --json" "$udamon" status --json --mount "$root"
is "status --json has the documented keys" "0/0 on 5000 10 True [] $$" "$(python3 -c '
import json, sys
c = json.load(open(sys.argv[1]))[0]
keys = "context state kdamond_pid operations engine budget_bp targets intervals last_window intervals_goal nr_regions overhead in_force_known not_in_force error schemes"
assert sorted(c) == sorted(keys.split()), sorted(c)
print(c["context"], c["state"], c["intervals"]["sample_us"], c["nr_regions"]["min"], c["in_force_known"],
      c["not_in_force"], c["targets"][0]["pid"])' "$scratch/out" 2>&1)"
printf 'window\t7\tnr_samples\t20\tsample_us\t13500\taggr_us\t270000\tfloor_us\t13500\tnr_regions\t0\nnames\n' \
	>"$root/udamon/kdamonds/0/windows"
try "$udamon" status --mount "$root"
is "status: intervals that were lengthened" "     in the last window: samples every 13.5 ms, windows of 270 ms; the budget allows a look every 13.5 ms" \
	"$(grep "in the last window" "$scratch/out")"
rm "$root/udamon/kdamonds/0/windows"
in_force 20000
try "$udamon" status --mount "$root"
is "status: what is staged and not in force" 1 \
	"$(grep -c "staged, not in force: monitoring_attrs/intervals/sample_us is '5000', in force '20000'" "$scratch/out")"
refuses "pause: something else is staged" 1 "'0/0': something else is staged and not in force: 'monitoring_attrs/intervals/sample_us' is '5000', in force is '20000'; bring it in force too with --force" \
	"$udamon" pause --mount "$root"
is "pause: refused, nothing is staged" N "$(value 0/contexts/0/pause)"
echo on >"$admin/0/state"
succeeds "tune: what it replaces may differ" "$udamon" tune -q --sample 7ms --mount "$root"
is "tune: staged and committed" "7000 commit" "$(value 0/contexts/0/monitoring_attrs/intervals/sample_us) $(value 0/state)"
echo on >"$admin/0/state"
succeeds "pause --force" "$udamon" pause -q --force --mount "$root"
is "pause --force: staged and committed" "Y commit" "$(value 0/contexts/0/pause) $(value 0/state)"
echo on >"$admin/0/state"
echo nonsense >"$root/udamon/kdamonds/0/in_force"
refuses "pause: what is in force can't be read" 1 "cannot read '$root/udamon/kdamonds/0/in_force'" \
	"$udamon" pause --mount "$root"
succeeds "resume --engine kernel" "$udamon" resume --engine kernel --mount "$root"
is "resume --engine kernel says that it can't know" 1 "$(grep -c "a kernel doesn't tell what is in force" "$scratch/err")"
echo on >"$admin/0/state"
refuses "tune: nothing to change" 2 "what shall be changed?" "$udamon" tune --mount "$root"
refuses "tune: schemes and none" 2 "don't go together" "$udamon" tune --no-schemes --scheme action=stat --mount "$root"
refuses "tune: a scheme that is none" 2 "--scheme 'action=frob'" "$udamon" tune --engine kernel -q --scheme action=frob --mount "$root"
succeeds "schemes: none" "$udamon" schemes --engine kernel --mount "$root"
is "schemes: says so" 1 "$(grep -c "^no scheme" "$scratch/out")"

# What the tuner "temporal" allows before its goal is reached.
make_tree 1 own
scheme=$admin/$context/schemes/0
put "$admin/0/contexts/nr_contexts" 1
put "$admin/$context/schemes/nr_schemes" 1
put "$scheme/action" pageout
put "$scheme/quotas/effective_bytes" 18446744073709551615
put "$scheme/stats/qt_exceeds" 3
succeeds "schemes: a quota without a limit" "$udamon" schemes --engine kernel --mount "$root"
is "schemes: says so of the quota" "  quota     no limit now, used up 3 times" "$(grep quota "$scratch/out")"
put "$scheme/quotas/effective_bytes" 1048576
succeeds "schemes: a quota with a limit" "$udamon" schemes --engine kernel --mount "$root"
is "schemes: says how much" "  quota     1.0 MiB now, used up 3 times" "$(grep quota "$scratch/out")"

# The namespace is for a daemon's tree only.
refuses "ns: no command" 2 "which command?" "$udamon" ns --mount "$root"
refuses "ns: a folder of plain files" 1 "no udamond serves it, it is some other folder" "$udamon" ns --mount "$root" -- true
refuses "ns: no daemon" 1 "'/nosuch/tree': no udamond serves it" "$udamon" ns --mount /nosuch/tree -- true
finish
