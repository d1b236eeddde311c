#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# --save-training and --load-training on simulated programs: what is kept, what is refused.
# shellcheck source=tests/cli/lib.sh disable=SC2154 # lib.sh sets what is used here
. "${UDAMON_SOURCE:?}/tests/cli/lib.sh"

succeeds "sim --save-training" "$udamon" sim hotcold --for 10s --no-autotune --save-training learned
is "it is its owner's only" 600 "$(stat -c %a learned)"
is "nothing but the file is left" "./learned" "$(find . "$TMPDIR" -type f)"
succeeds "sim --load-training" "$udamon" sim hotcold --for 10s --no-autotune --load-training learned -o with.udamon
what=$(whole with.udamon 50)
result $? "the record is whole" "$what"
succeeds "the same without" "$udamon" sim hotcold --for 10s --no-autotune -o without.udamon
first="select count(*) from region where snapshot = (select min(id) from snapshot)"
with=$(sqlite3 with.udamon "$first") without=$(sqlite3 without.udamon "$first")
what="regions in the first window: $with with training, $without without"
echo "# $what"
[ "$with" != "$without" ]
result $? "with training the first window has other regions" "$what"
cp learned before
succeeds "both at once" "$udamon" sim hotcold --for 10s --load-training learned --save-training learned
! cmp -s before learned
result $? "and the file is a newer one" "it is as it was"
rm -f before with.udamon without.udamon

refuses "another workload's" 1 "learned of 'hotcold', not of 'stairs'" "$udamon" sim stairs --load-training learned
refuses "no such file" 1 "'nosuch': No such file" "$udamon" sim hotcold --load-training nosuch
refuses "a refused run leaves no record" 1 "'nosuch'" "$udamon" sim hotcold --load-training nosuch -o x.udamon
size=$(stat -c %s learned)
head -c $((size - 1)) learned >"cut"
refuses "a file cut off" 1 "'cut': the file is damaged" "$udamon" sim hotcold --load-training cut
{ head -c 100 learned; printf '\377'; tail -c +102 learned; } >changed
refuses "a byte changed" 1 "'changed': the file is damaged" "$udamon" sim hotcold --load-training changed
echo "no training" >foreign
refuses "something else" 1 "'foreign': this is not a saved training" "$udamon" sim hotcold --load-training foreign
refuses "something else isn't replaced" 1 "'foreign'" "$udamon" sim hotcold --save-training foreign
is "it is as it was" "no training" "$(cat foreign)"
refuses "no such folder" 1 "'/nosuch/x'" "$udamon" sim hotcold --save-training /nosuch/x
refuses "a new command has no old addresses" 2 "--load-training 'learned'" \
	"$udamon" record --load-training learned -- true
finish
