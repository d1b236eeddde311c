#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# udamon verify as a user calls it: what is refused, what it prints, how it ends.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
need_engine

refuses "a process that doesn't exist" 1 "4194303" "$udamon" verify -p 4194303
sleep 0.01 &
gone=$!
wait $gone
refuses "a process that has ended" 1 "$gone" "$udamon" verify -p $gone

# start a target: $target, and what it says of its memory in "said"
start() {
	mkfifo "$scratch/orders"
	"$UDAMON_BUILD/tests/live/patterns" "$@" <"$scratch/orders" >"$scratch/said" &
	target=$!
	exec 9>"$scratch/orders"
	while ! grep -q ready "$scratch/said"; do sleep 0.05; done
}
end() {
	exec 9>&-
	kill -9 "$target" 2>/dev/null
	wait "$target" 2>/dev/null
	rm -f "$scratch/orders"
}
# get KEY...: of the JSON on standard output
get() {
	python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[int(key) if key.isdigit() else key]
print(value)' "$@" <"$scratch/out"
}

start --cold 48 --hot 16
refuses "a time too short for one judged window" 1 "the first 5 are not judged" \
	"$udamon" verify -p $target --for 300ms
fast="--sample 10ms --aggr 100ms --min-regions 50"
# shellcheck disable=SC2086 # words
try "$udamon" verify -q -p $target $fast --for 3s --json
is "status" 0 "$code"
is "the documented keys" True "$(python3 -c '
import json, sys
d = json.load(sys.stdin)
print(set(d) >= {"windows", "thresholds", "wss_error_pct", "point", "scan"}
      and all(set(t) >= {"access_pct", "precision", "recall"} for t in d["thresholds"])
      and set(d["point"]) >= {"cpu_pct", "clears_per_s"} and "cpu_pct" in d["scan"])' <"$scratch/out")"
# Half of the looks: what a busy machine keeps the target from is less than that.
hot=$(get thresholds 3 scan_bytes)
is "scan knows the hot part: 16 MiB, within 2 %" True \
	"$(python3 -c "print(0.98 < $hot / (16 << 20) < 1.02)")"
# shellcheck disable=SC2086
try "$udamon" verify -p $target $fast --for 2s
is "as text, with a heading for each part" 4 \
	"$(grep -cE '^(hot memory|working set|cost|largest disagreements)' "$scratch/out")"

# In the background; returns when it watches the target, which its lock says.
export UDAMON_LOCK_DIR=$scratch/locks
mkdir "$UDAMON_LOCK_DIR"
in_background() {
	env --default-signal=INT "$udamon" "$@" >"$scratch/first" 2>"$scratch/first.err" &
	first=$!
	for _ in $(seq 600); do
		[ -n "$(cat "$UDAMON_LOCK_DIR/$target"-* 2>/dev/null)" ] && return
		sleep 0.1
	done
}
interrupt() {
	kill -INT $first
}
# ended_by COMMAND: watch the target until COMMAND has ended that; $code. A busy machine needs longer for a
# window that is judged, so there are three tries.
ended_by() {
	for seconds in 2 10 40; do
		[ -e "$scratch/orders" ] || start --cold 48 --hot 16
		# shellcheck disable=SC2086 # words
		in_background verify -q -p $target $fast --for 10m --json
		sleep $seconds
		"$1"
		wait $first
		code=$?
		[ $code = 0 ] && break
		echo "# after $seconds s: status $code, $(cat "$scratch/first.err")"
	done
}
windows() {
	python3 -c 'import json, sys; print(json.load(sys.stdin)["windows"] > 0)' <"$scratch/first" 2>/dev/null
}

# shellcheck disable=SC2086 # words
in_background verify -q -p $target $fast --for 10m --json
refuses "somebody watches it already: says who" 1 "process $first (udamon)" \
	"$udamon" verify -p $target --for 1s
refuses "so it does when scan asks" 1 "process $first (udamon)" \
	"$udamon" record --engine scan -p $target --for 1s
interrupt
wait $first
in_background record -q --engine scan --sample 100ms -o "$scratch/scan.udamon" -p $target --for 10m
refuses "scan watches it already: says who" 1 "process $first (udamon)" \
	"$udamon" record --engine scan -p $target --for 1s
interrupt
wait $first

ended_by interrupt
is "Ctrl-C: status 0" 0 $code
is "Ctrl-C: prints what it has" True "$(windows)"
ended_by end
is "the process is killed: status 0" 0 $code
is "the process is killed: prints what it has" True "$(windows)"
finish
