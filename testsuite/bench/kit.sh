# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# kit.sh - what the scripts here share: rows of a table, and measure.c; read after lib.sh, with $bench set

row() { printf '%-46s %12s %12s %8s  %-8s %s\n' "$@"; }

# judged WHAT OURS PEER BOUND NOTE: a ratio of two times in microseconds
judged() {
	ratio=$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.2f", a / b }')
	verdict=$(awk -v r="$ratio" -v b="$4" 'BEGIN { print r <= b ? "ok" : "OVER" }')
	row "$1" "$(ms "$2")" "$(ms "$3")" "$ratio" "<= $4" "$verdict  $5"
}

# bounded WHAT VALUE UNIT BOUND: a plain number
bounded() {
	verdict=$(awk -v v="$2" -v b="$4" 'BEGIN { print v <= b ? "ok" : "OVER" }')
	row "$1" "$2 $3" '' '' "<= $4" "$verdict"
}

ms() { awk -v us="$1" 'BEGIN { printf "%.2f ms", us / 1000 }'; }

median() { # N: of measure's Nth line
	sed -n "${1}p" "$WORK/measured" | cut -d' ' -f1
}

measure() {
	"$WORK/measure" "$@" >"$WORK/measured" || exit 1
}

"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -s -o "$WORK/measure" "$bench/measure.c" || exit 1
