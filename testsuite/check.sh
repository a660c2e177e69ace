#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh - all tests, two jobs at a time; the last line is the sum
#
#	usage: check.sh [--long] [WORD...]      only the jobs whose name contains one of the words
#
# `make check` builds and lints first, then calls this. A job is a program or script that prints
# "N passed, N failed, N skipped" last, or one whose exit status is all it has to say. What a job printed
# is kept in $O/check/NAME.log; what failed or was skipped is shown here.
#
# With --long (RKTBOX_LONG=1 for the scripts): every kernel and root file system, 200 crash points, long fuzzing.
set -u

cd "$(dirname "$0")/.." || exit 1
O=${RKTBOX_O:-${O:-build}}
case $O in /*) ;; *) O=$PWD/$O ;; esac
logs=$O/check

# These look at the tree, or run the static binary as it is shipped in a guest: once is enough.
only_static='build docs vm places eio crash actool-only holes'

sums='^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'

# ---- one job: check.sh --job SECONDS NAME COMMAND...

job() {
	limit=$1 name=$2
	shift 2
	log=$logs/$(echo "$name" | tr ' /' '--').log
	begin=$(date +%s)
	timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null
	status=$?
	seconds=$(($(date +%s) - begin))
	sum=$(grep -E "$sums" "$log" | tail -n 1)
	case $status:$sum in
	0:?*) ;;
	0:) sum='1 passed, 0 failed, 0 skipped' ;;
	*:*', 0 failed,'* | *:)
		why="status $status"
		[ $status != 124 ] || why="still running after $limit s"
		{ echo "not ok - $name # $why"; } >>"$log"
		sum=$(echo "${sum:-0 passed, 0 failed, 0 skipped}" | sed 's/, 0 failed/, 1 failed/')
		;;
	esac
	echo "$sum" >"$log.sum"
	shown=$(grep -E -A 60 '^not ok' "$log" | grep -Ev '^ok - |^--$' | grep -Ev "$sums"
		grep -E '^skip|^ok .* # SKIP' "$log")
	[ "$status" = 0 ] || [ -n "$shown" ] || shown=$(tail -n 20 "$log")
	printf '%-34s %s (%d s)%s\n' "$name" "$sum" "$seconds" "${shown:+
$(echo "$shown" | sed 's/^/    /')}"
}

if [ "${1:-}" = --job ]; then
	shift
	job "$@"
	exit 0
fi

# ---- the list of jobs: one per line, words without blanks

long=''
[ "${1:-}" != --long ] || { long=1; shift; }
words=$*
fuzz_s=8 script_s=900
if [ -n "$long" ]; then
	export RKTBOX_LONG=1
	fuzz_s=300 script_s=5400
fi
rm -rf "$logs"
mkdir -p "$logs"

asan='ASAN_OPTIONS=detect_leaks=0:exitcode=99:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99'

list_scripts() { # LABEL DIR
	# the slow ones first, so that both processors are busy to the end
	for s in real vm places eio kill crash inject $(ls testsuite/*.tests | sed 's,.*/\(.*\)\.tests,\1,'); do
		case " ${listed:-} " in *" $s "*) continue ;; esac
		listed="${listed:-} $s"
		[ -e "testsuite/$s.tests" ] || continue
		case "$1: $only_static " in asan:*" $s "*) continue ;; esac
		echo "$script_s $s.tests${1:+-$1} env RKTBOX_O=$2 sh testsuite/$s.tests"
	done
	listed=''
}

# Thousands of directories are made and removed: in memory that takes no second, on a slow disk minutes.
unit_tmp=${TMPDIR:-/tmp}
[ "$(stat -f -c %T /dev/shm 2>/dev/null)" != tmpfs ] || unit_tmp=/dev/shm

list_units() { # LABEL DIR
	for u in "$2"/unit/*; do
		[ ! -x "$u" ] || [ -d "$u" ] ||
			echo "300 unit/${u##*/}${1:+-$1} env TMPDIR=$unit_tmp RKTBOX_O=$2 $u"
	done
}

list_fuzzers() {
	for f in testsuite/fuzz/*.c; do
		n=$(basename "$f" .c)
		[ -x "$O/fuzz/$n" ] || continue
		corpus=$logs/corpus-$n
		mkdir "$corpus"
		dict='' seeds=''
		[ ! -e "testsuite/fuzz/$n.dict" ] || dict=-dict=testsuite/fuzz/$n.dict
		[ ! -d "testsuite/fuzz/corpus/$n" ] || seeds=testsuite/fuzz/corpus/$n
		echo "$((fuzz_s + 120)) fuzz/$n env $asan $O/fuzz/$n -max_total_time=$fuzz_s -rss_limit_mb=1024" \
			"-timeout=20 -max_len=65536 -print_final_stats=0 -verbosity=0" \
			"-artifact_prefix=$logs/fuzz-$n- $dict $corpus $seeds"
	done
}

{
	list_scripts '' "$O"
	[ ! -x "$O/asan/rktbox" ] || list_scripts asan "$O/asan"
	list_units '' "$O"
	list_units asan "$O/asan"
	list_units clang "$O/clang"
	list_fuzzers
} | awk -v words="$words" '
	BEGIN { n = split(words, w, " ") }
	{ for (i = 1; i <= n; i++) if (index($2, w[i])) break
	  if (!n || i <= n) print }' >"$logs/jobs"

missing=0
built() { # FILE TARGET: what make should have made is a failure when it is not there, never a silence
	[ -z "$words" ] && [ ! -e "$1" ] || return 0
	echo "not ok - ${1#"$O/"} was not built: make $2"
	missing=$((missing + 1))
}
built "$O/stage1.aci" stage1.aci
built "$O/asan/rktbox" asan
built "$O/asan/stage1.aci" asan
built "$O/clang/rktbox" clang
built "$O/actool-only/rktbox" actool-only
built "$O/holes/rktbox" holes
for u in testsuite/unit/*.c; do
	n=$(basename "$u" .c)
	built "$O/unit/$n" unit
	built "$O/asan/unit/$n" asan
	built "$O/clang/unit/$n" clang
done
for p in testsuite/progs/*.c; do
	n=$(basename "$p" .c)
	built "$O/progs/$n" unit
	built "$O/asan/progs/$n" asan
done
for f in testsuite/fuzz/*.c; do built "$O/fuzz/$(basename "$f" .c)" fuzz; done

xargs -P 2 -L 1 sh testsuite/check.sh --job <"$logs/jobs"

cat "$logs"/*.sum 2>/dev/null | awk -v missing=$missing '
	{ passed += $1; failed += $3; skipped += $5 }
	END {
		printf "%d passed, %d failed, %d skipped\n", passed, failed + missing, skipped
		exit failed + missing > 0
	}'
