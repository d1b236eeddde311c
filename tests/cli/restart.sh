#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A monitor is killed by SIGKILL, and the next one goes on with what it had learned.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"
need_engine

# In which window the hot part is found: by 95 % of its bytes (and, of what else is called hot, no more
# than a quarter of its size); 0: in none.
cat >"$scratch/judge.py" <<'PY'
import sqlite3, sys
parts = {}
for line in open(sys.argv[2]):
    words = line.split()
    if len(words) > 3 and words[0] in ("hot", "moving"):
        parts[words[0]] = tuple(int(x, 16) for x in words[3].split("-"))
def inside(rows, part):
    return sum(max(0, min(e, part[1]) - max(s, part[0])) for s, e in rows)
db = sqlite3.connect(sys.argv[1])
mask = 2**64 - 1
size = parts["hot"][1] - parts["hot"][0]
for nr, (window,) in enumerate(db.execute("select id from snapshot order by id"), 1):
    rows = [(s & mask, e & mask) for s, e in db.execute(
        "select start, end from region where snapshot = ? and samples > 0"
        " and nr_accesses * 2 >= samples", (window,))]
    hot = inside(rows, parts["hot"])
    other = sum(e - s for s, e in rows) - hot - inside(rows, parts["moving"])
    if hot >= 0.95 * size and other <= size / 4:
        print(nr)
        break
else:
    print(0)
PY

options="-q --no-autotune"
"$demo" 120 >"$scratch/parts" &
pid=$!
trap 'kill $pid; rm -rf "$scratch"' EXIT
sleep 1

# shellcheck disable=SC2086 # words
"$udamon" record $options -p $pid --save-training learned -o killed.udamon 2>"$scratch/err" &
monitor=$!
disown $monitor # no remark on how it ends
sleep 10
kill -KILL $monitor
killed=$(date +%s.%N)
tail --pid=$monitor -f /dev/null
age=$(awk -v now="$killed" -v saved="$(stat -c %.Y learned)" 'BEGIN { printf "%.1f", now - saved }')
is "when the monitor was killed, what it had saved was less than 5 s old ($age s)" yes \
	"$(awk -v age="$age" 'BEGIN { print age < 5 ? "yes" : "no" }')"
rm -f killed.udamon*

# Programs that are watched can be held up by others, so there are three tries.
for try in 1 2 3; do
	# shellcheck disable=SC2086
	"$udamon" record $options -p $pid --load-training learned --for 4s -o with.udamon 2>"$scratch/err"
	code=$?
	[ $code = 0 ] || break
	# shellcheck disable=SC2086
	"$udamon" record $options -p $pid --for 4s -o without.udamon
	with=$(python3 "$scratch/judge.py" with.udamon "$scratch/parts")
	without=$(python3 "$scratch/judge.py" without.udamon "$scratch/parts")
	echo "# try $try: windows until the hot part was found: $with with training, $without without (0: not in 40)"
	[ "$with" = 1 ] && [ "$without" != 1 ] && break
done
is "the next monitor starts" "0 " "$code $(cat "$scratch/err")"
is "with training it finds the hot part in the first window" 1 "${with-}"
[ "${without-1}" != 1 ]
result $? "without it takes longer" "found in window ${without-}"

"$demo" 60 >/dev/null &
other=$!
sleep 0.5
refuses "another process of that name has another layout" 1 "less than half of it" \
	"$udamon" record -q -p $other --load-training learned -o other.udamon
kill $other
refuses "a process of another name" 1 "learned of process $pid (udamon-demo)" \
	"$udamon" record -q -p $$ --load-training learned -o other.udamon
finish
