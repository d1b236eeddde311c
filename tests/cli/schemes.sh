#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# --scheme and --schemes: what is refused and how; files in all forms; what the reports tell.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

# value EXPRESSION: a Python expression on the JSON d that was printed
value() {
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($1)" "$scratch/out"
}

sim="$udamon sim hotcold --for 5s --no-autotune"

# refused NAME CODE TEXT OPTION...: nothing on stdout, one line on stderr, this one
refused() {
	local name=$1 want=$2 text=$3
	shift 3
	# shellcheck disable=SC2086 # the command is words
	try $sim "$@"
	is "$name: exit code" "$want" "$code"
	is "$name: the line" "udamon sim: $text" "$(cat "$scratch/err")"
	is "$name: no result" "" "$(cat "$scratch/out")"
}

refused "no action" 2 "--scheme 'sz=4K': expected action=..., for instance action=stat" --scheme sz=4K
refused "an unknown key" 2 "--scheme 'action=stat,size=4K': unknown key 'size': expected one of action, sz, access, nr_accesses, age, apply, quota_sz, quota_ms, quota_reset, goal, tuner, weights, fail_charge, wmarks, filter, nid, dests, max_snapshots" \
	--scheme action=stat,size=4K
refused "an unknown action" 2 "--scheme 'action=fly': action 'fly': expected one of stat, pageout, cold, willneed, hugepage, nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, migrate_cold" \
	--scheme action=fly
refused "a bad age" 2 "--scheme 'action=stat,age=5..max': age '5..max': expected a range of times such as 5s..max" \
	--scheme action=stat,age=5..max
refused "a bad share" 2 "--scheme 'action=stat,access=120%': access '120%': expected a range of percentages such as 0%..20%" \
	--scheme action=stat,access=120%
refused "a bad filter" 2 "--scheme 'action=stat,filter=anon': filter 'anon': expected [!]TYPE[:ARG]:allow or ...:reject" \
	--scheme action=stat,filter=anon
refused "bounds the wrong way round" 2 "--scheme 'action=stat,sz=2M..4K': sz '2M..4K': expected a lower bound that isn't above the upper one" \
	--scheme action=stat,sz=2M..4K
refused "nowhere to migrate to" 2 "--scheme 'action=migrate_hot': action 'migrate_hot' needs a node to move memory to: nid or dests" \
	--scheme action=migrate_hot
refused "the second of two" 2 "--scheme 'action=': action '': expected one of stat, pageout, cold, willneed, hugepage, nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, migrate_cold" \
	--scheme action=stat --scheme action=
refused "a goal of physical memory" 2 "scheme 1: goal 'node_eligible_mem_bp': only 'paddr' has it" \
	--scheme action=pageout,goal=node_eligible_mem_bp:5%

refused "no such file" 1 "--schemes 'none.json' can't be read: No such file or directory" --schemes none.json
echo '[{"action": "fly"}]' >bad.json
refused "a bad file" 2 "--schemes 'bad.json': [0].action: 'fly': expected one of stat, pageout, cold, willneed, hugepage, nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, migrate_cold" \
	--schemes bad.json
echo '{"schemes": [{"quotas": {"byts": 1}}]}' >bad.json
refused "an unknown key in a file" 2 "--schemes 'bad.json': schemes[0].quotas: unknown key 'byts': expected one of time_ms, ms, sz_bytes, bytes, reset_interval_ms, fail_charge_num, fail_charge_denom, goals, goal_tuner, weights" \
	--schemes bad.json
echo '[]' >bad.json
refused "a file without schemes" 2 "--schemes 'bad.json': there is no scheme in it" --schemes bad.json

# Text, the kernel's names and damo's say the same.
cat >kernel.json <<'EOF'
[{"action": "pageout", "access_pattern": {"sz": {"min": 0, "max": "max"}, "nr_accesses": {"min": 0, "max": 0},
  "age": {"min": 10, "max": "max"}}, "quotas": {"bytes": 10485760, "reset_interval_ms": 1000,
  "weights": {"sz_permil": 1, "nr_accesses_permil": 1, "age_permil": 1}}}]
EOF
cat >damo.json <<'EOF'
{"schemes": [{"action": "pageout", "access_pattern": {"sz_bytes": {"min": "0 B", "max": "max"},
  "nr_accesses": {"min": "0 %", "max": "0 %"}, "age": {"min": "1 s", "max": "max"}},
  "quotas": {"sz_bytes": "10 MiB", "reset_interval_ms": "1 s",
  "weights": {"sz_permil": "0.1 %", "nr_accesses_permil": "0.1 %", "age_permil": "0.1 %"}}}]}
EOF
# shellcheck disable=SC2086 # the command is words
{
	succeeds "a scheme as text" $sim --scheme action=pageout,access=0%,age=1s..max,quota_sz=10M -o text.udamon
	succeeds "with the kernel's names" $sim --schemes kernel.json -o kernel.udamon
	succeeds "with damo's names" $sim --schemes damo.json -o damo.udamon
}
cmp -s text.udamon kernel.udamon
result $? "the kernel's names give the same record" "they differ"
cmp -s text.udamon damo.udamon
result $? "damo's names give the same record" "they differ"

succeeds "report schemes" "$udamon" report schemes text.udamon
is "the scheme in words" "Scheme 0     page out memory not accessed for at least 1 s, at most 10 MiB every" "$(head -1 "$scratch/out")"
is "its quota" "quota 10.0 MiB" "$(sed -n 's/^  quota  *\([^,]*\),.*/quota \1/p' "$scratch/out")"
is "its course" "1" "$(grep -c 'applied over time, at most .*/s$' "$scratch/out")"
succeeds "report schemes --json" "$udamon" report schemes --json text.udamon
is "one scheme" 1 "$(value 'len(d)')"
is "the spans add up" "True" "$(value 'abs(sum(d[0]["over_time"]["sz_applied"]) - d[0]["sz_applied"]) <= 50')"
is "the quota" "10485760 10485760" "$(value 'str(d[0]["esz_bytes_min"]) + " " + str(d[0]["esz_bytes_max"])')"
is "the last total of the record" "True" \
	"$(value "d[0]['sz_applied'] == __import__('sqlite3').connect('text.udamon').execute('SELECT sz_applied FROM scheme_stat ORDER BY snapshot DESC LIMIT 1').fetchone()[0]")"
value 'json.dumps([d[0]["parameters"]])' >again.json
# shellcheck disable=SC2086 # the command is words
succeeds "the parameters it tells can be used again" $sim --schemes again.json -o again.udamon
cmp -s text.udamon again.udamon
result $? "and give the same record" "they differ"
succeeds "a time after the end" "$udamon" report schemes --from 200s text.udamon
is "has no window" "the record has no window in this part of the time" "$(cat "$scratch/out")"
succeeds "a part of the time" "$udamon" report schemes --json --from 1s --to 2s text.udamon
is "has less in it" "True" "$(value '0 < d[0]["nr_snapshots"] < 12')"

succeeds "the summary" "$udamon" report text.udamon
is "names the schemes" "1" "$(grep -c '^Schemes$' "$scratch/out")"
succeeds "the summary as JSON" "$udamon" report --json text.udamon
is "has them, too" "pageout" "$(value '"pageout" if d["schemes"][0]["words"].startswith("page out") else d["schemes"]')"

succeeds "the web page" "$udamon" report --html page.html text.udamon
is "has a table of them" "1" "$(grep -c '<td>page out memory not accessed for at least 1 s' page.html)"

# shellcheck disable=SC2086 # the command is words
succeeds "a run without schemes" $sim -o none.udamon
succeeds "report schemes of none" "$udamon" report schemes none.udamon
is "says so" "1" "$(grep -c '^this record has no schemes' "$scratch/out")"
succeeds "and as JSON" "$udamon" report schemes --json none.udamon
is "an empty list" "[]" "$(value d)"
finish
