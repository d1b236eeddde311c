#!/ bin / bash
#SPDX - License - Identifier : LGPL - 2.1 - only OR BSD - 2 - Clause
#udamon sim-- scheme and --vs : what is compared, what comes out, what is refused.
#shellcheck source = tests / cli / lib.sh disable = SC2154 #lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

idle=action=pageout,access=0%,age=5s..max
eager=action=pageout,access=0%
slow=$idle,quota_sz=1M,quota_reset=1s

#value TEXT KEY... : one value of the JSON that was printed, by a Python expression on d
value() {
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($1)" "$scratch/out"
}

succeeds "sim --scheme" "$udamon" sim hotcold --for 30s --scheme "$idle" --no-autotune -o one.udamon
is "the report tells once what it did" 1 "$(grep -c 'page out memory not accessed for at least 5 s$' "$scratch/out")"
is "and what was left" "50.0 MiB" "$(sed -n 's/^    at the end  *400 MiB  *//p' "$scratch/out" | head -1)"
cp one.udamon first.udamon
succeeds "the same again" "$udamon" sim hotcold --for 30s --scheme "$idle" --no-autotune -o one.udamon
cmp -s first.udamon one.udamon
result $? "equal runs give equal records" "they differ"
rm -f first.udamon one.udamon

succeeds "with --json" "$udamon" sim hotcold --for 30s --scheme "$idle" --no-autotune --json
is "one scheme" "1" "$(value 'len(d["schemes"])')"
is "what it was applied to left memory or came back" "True" \
	"$(value 'd["schemes"][0]["sz_applied"] == d["machine"]["saved_end_bytes"] + 4096 * d["machine"]["refaults"]')"
is "the most that was in memory" "419430400" "$(value 'd["machine"]["resident_peak_bytes"]')"
is "and without schemes in the end" "419430400" "$(value 'd["machine_without_schemes"]["resident_end_bytes"]')"
is "no quota, so nothing used of it" "None" "$(value 'd["schemes"][0]["quota_used_pct"]')"
is "sizes over time" "150" "$(value 'len(d["machine"]["resident"])')"

succeeds "without schemes nothing is new" "$udamon" sim hotcold --for 5s --json
is "no machine" "[] False" "$(value 'd["schemes"], "machine" in d' | tr -d '(),')"

succeeds "times stay times while the intervals are tuned" "$udamon" sim hotcold \
	--for 40s --autotune=400,3,5ms,1s --scheme "$idle" --json
is "idle memory left, what is in use is still there" "True" \
	"$(value '50 << 20 <= d["machine"]["resident_end_bytes"] <= 90 << 20')"

succeeds "--vs" "$udamon" sim zigzag --no-autotune --for 10s --scheme "$eager" --vs --scheme "$slow"
is "three sides" "no scheme A B" "$(sed -n 3p "$scratch/out" | xargs)"
is "no line is longer than 80 columns" "" "$(awk 'length > 80' "$scratch/out")"
cp "$scratch/out" first
succeeds "the same again" "$udamon" sim zigzag --no-autotune --for 10s --scheme "$eager" --vs --scheme "$slow"
is "prints the same" "$(cat first)" "$(cat "$scratch/out")"
rm first

succeeds "--vs with --json" "$udamon" sim zigzag --no-autotune --for 10s --json \
	--scheme "$eager" --scheme action=stat --vs --scheme "$slow"
is "sides" "none A B" "$(value '" ".join(s["name"] for s in d["sides"])')"
is "schemes of each" "0 2 1" "$(value '" ".join(str(len(s.get("schemes", []))) for s in d["sides"])')"
is "the eager one saves more and hurts more" "True" "$(value 'd["sides"][1]["machine"]["saved_mean_bytes"] >
	d["sides"][2]["machine"]["saved_mean_bytes"] and d["sides"][1]["machine"]["refaults"] > d["sides"][2]["machine"]["refaults"]' |
	tr -d '\n')"
is "1 MiB a second is kept" "True" "$(value 'd["sides"][2]["schemes"][0]["sz_tried"] <= 10 << 20')"
is "and the share used of it is told" "True" "$(value '0 < d["sides"][2]["schemes"][0]["quota_used_pct"] <= 101')"

succeeds "both sides the same" "$udamon" sim stairs --for 20s --json --scheme "$idle" --vs --scheme "$idle"
is "give the same" "True" "$(value 'd["sides"][1]["machine"] == d["sides"][2]["machine"]')"

succeeds "a small memory" "$udamon" sim stairs --for 20s --memory 100M --json
is "is not exceeded" "104857600" "$(value 'd["machine"]["resident_peak_bytes"]')"
succeeds "a second node" "$udamon" sim hotcold --for 20s --far-memory 1G --json \
	--scheme action=migrate_cold,nid=1,access=0%,age=5s..max
is "takes what is idle" "True" "$(value '300 << 20 <= d["machine"]["far_end_bytes"] <= 351 << 20')"
is "which stays in memory" "0" "$(value 'd["machine"]["saved_end_bytes"]')"

refuses "a side is missing" 2 "--vs stands between two sides" "$udamon" sim hotcold --scheme "$idle" --vs
refuses "the other side is missing" 2 "--vs stands between two sides" "$udamon" sim hotcold --vs --scheme "$idle"
refuses "three sides" 2 "--vs given twice" "$udamon" sim hotcold --scheme "$idle" --vs --vs --scheme "$idle"
refuses "--vs with a record" 2 "--vs writes no record" "$udamon" sim hotcold -o x --scheme "$idle" --vs --scheme "$idle"
refuses "not a scheme" 2 "'action=fly'" "$udamon" sim hotcold --scheme action=fly
refuses "what isn't modelled" 2 "scheme 1: filter 'unmapped'" "$udamon" sim hotcold --scheme "$idle,filter=unmapped:reject"
refuses "on side B" 2 "scheme 2: filter 'unmapped'" "$udamon" sim hotcold --for 1s \
	--scheme "$idle" --vs --scheme "$idle,filter=unmapped:reject"
refuses "no such node" 2 "node '1' isn't there" "$udamon" sim hotcold --scheme action=migrate_hot,nid=1
refuses "no memory at all" 2 "--memory '1'" "$udamon" sim hotcold --memory 1
finish
