#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# usage: probes.sh DOCS PROGRAM...: each probe that is documented is in each program, and no other.
docs=$1
shift
documented=$(sed -n 's/^| `\(damo[a-z_]*\)`.*/\1/p' "$docs" | sort)
number=0
for program in "$@"; do
	number=$((number + 1))
	found=$(readelf -n "$program" | sed -n 's/^ *Name: *\(damo[a-z_]*\)$/\1/p' | sort)
	if [ -n "$documented" ] && [ "$found" = "$documented" ]; then
		echo "ok $number - the probes of ${program##*/}"
	else
		echo "not ok $number - the probes of ${program##*/}"
		diff <(echo "$documented") <(echo "$found") | sed 's/^/# /'
	fi
done
echo "1..$number"
