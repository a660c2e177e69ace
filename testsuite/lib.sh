# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# lib.sh - what every testsuite/NAME.tests sources first; POSIX sh
#
#	. "$(dirname "$0")/lib.sh"
#	keeps_young() { ... }
#	t "gc: keeps a pod inside its grace period" keeps_young
#	finish
#
# As root a script runs in a PID and a mount namespace and in cgroups of its own, on a tmpfs of its own:
# whatever a failing case leaves behind goes when the script ends, and two scripts never meet.
# (RKTBOX_TEST_DIR=DIR puts the files on another file system; a script that sets OWN_NET before it sources this
# has a network of its own as well, with nothing but loopback, so that its ports are free. RKTBOX_RENDER=erofs, loop
# or tree forces a way of rendering; otherwise it is the one that works there: on a tmpfs, loop.)
#
# Set here:
#   TOP BIN            the source tree; where the program was built ($RKTBOX_O, else $O, else build)
#   RKTBOX RKTBIN ACTOOL RKT_GC RKT_TRUST STAGE1_INIT   the programs
#   RKT                rkt with a data directory of this script and empty configuration: use it unquoted
#   WORK DATA CONF     this script's scratch and data directory; its configuration (CONF/{system,local,user})
#                      in CONF/local, whose network `default` takes the place of the real one: it has no interface
#                      but lo, so that pods can be started anywhere; real_network gives it back
#   C                  inside a case: an empty directory of the case, where it also starts
#   BUSYBOX            a static busybox (make_layout and busybox_image use it)
#
# A case is a function or command that t runs in a subshell with set -e, so the first command that fails
# ends it; what it printed is shown then. Nothing that it sets is seen by the next case. After CASE_LIMIT
# seconds (240) a case is killed with everything that it started, and has failed.
#   t "area: behaviour" FUNCTION [ARG...]
#   fail "why"         ends the case
#   skip "why"         ends the case, counted as skipped; outside a case: the whole script
#   need CMD...        skips unless all these commands are there
#   need_root          skips unless root
#   need_file F...     skips unless all these files are there
#   ok "name", not_ok "name" ["why"]   count a case that was judged without t
#   finish             prints "N passed, N failed, N skipped"; exits 1 when one failed
# Commands and what they print:
#   run CMD...         stdout into $C/out, stderr into $C/err, status into $status; never fails
#   expect_status N CMD...    run, and the status must be N
#   expect_out ERE, expect_err ERE, expect_no_out ERE, expect_no_err ERE   on the last run
#   expect_out_is TEXT        stdout was exactly TEXT and a newline
#   expect_silent             nothing on stdout and stderr
#   not CMD...         CMD must fail; "! CMD" would not end a case, since set -e looks past it
#   is GOT WANT [WHAT]        two texts are equal
#   spawn NAME CMD...  in the background, with SIGINT and SIGQUIT as in the foreground; stdout and stderr
#                      into $C/NAME.out and $C/NAME.err; $pid is its process. All die when the case ends.
#   at_end 'COMMANDS'  when the case ends, however it ends, after what was spawned
#   wait_for SECONDS CMD...   until CMD succeeds; fails after SECONDS, but never before PATIENCE (40) are over:
#                      on a crowded machine anything takes long, and only a failure takes that long here
#   wait_gone PID SECONDS     until the process is gone; its status, if it is a child, into $status
#   freeze PID         stops the process, and returns when it stands still
#   quickest CMD...    prints the processor time of CMD in ms: the least of 20 runs, so that what else the
#                      machine does counts for nothing
#   as_nobody CMD...   as user and group 65534
# Images:
#   make_layout DIR [NAME [APP]]      DIR/manifest and an empty DIR/rootfs; APP: members of "app", JSON
#   busybox_layout DIR [NAME [APP]]   the same with busybox and some /etc in rootfs
#   busybox_image FILE [NAME [APP]]   an ACI of that, FILE must not be there
#   busybox_in_store                  once per script: example.com/busybox is in the store, $BUSYBOX_ID its ID
#   fresh_data         inside a case: an empty data directory of its own; RKT and DATA change
#   real_network       from here on a pod without --net joins rkt's default network; for scripts with OWN_NET
# Pods:
#   pod_uuid NAME      of a pod that spawn NAME started with --uuid-file-save=$C/NAME.uuid; waits for it
#   pod_ready NAME     waits until it runs as well
#   render_mode        the way of rendering that $RKT takes: erofs, loop or tree; drop_images DATA unmounts its images
#   mounts_below DIR, cgroups_left, processes_left    what is there, one per line
#   nothing_left       fails if one of them shows anything (mounts below $WORK)

# ---- where things are

TOP=$(cd "$(dirname "$0")" && while [ ! -e GNUmakefile ] && [ "$PWD" != / ]; do cd ..; done && pwd)
BIN=${RKTBOX_O:-${O:-build}}
case $BIN in /*) ;; *) BIN=$TOP/$BIN ;; esac
RKTBOX=$BIN/rktbox RKTBIN=$BIN/rkt ACTOOL=$BIN/actool RKT_GC=$BIN/rkt-gc
RKT_TRUST=$BIN/rkt-trust STAGE1_INIT=$BIN/stage1-init
SCRIPT=$(basename "$0")
export LC_ALL=C TZ=UTC
export PYTHONDONTWRITEBYTECODE=1 # else modules that programs here import leave __pycache__ beside them, in the tree
# The sanitizers' build: stage 1 leaves by _exit, and commands leave their memory to the kernel.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0:abort_on_error=0:exitcode=99:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1:exitcode=99}"

# ---- outside: make the script's own world, run it there, take the world away

_cgroup_dirs() { # the group of the calling process in every hierarchy that is mounted with one
	while IFS=: read -r _id names path; do
		[ -n "$_id" ] || continue
		case $names in
		'') set -- unified '' ;;
		name=*) set -- "${names#name=}" ;;
		*) set -- "$names" ;;
		esac
		for sub; do
			dir=/sys/fs/cgroup${sub:+/$sub}
			# pure v2 is left alone: a group with processes cannot pass its controllers on
			if [ -z "$sub" ] && [ -s "$dir/cgroup.controllers" ]; then continue; fi
			[ -e "$dir/cgroup.procs" ] || continue
			[ ! -d "$dir$path" ] || echo "$dir${path%/}"
		done
	done </proc/self/cgroup
}

_outside_end() {
	trap '' INT TERM HUP
	for g in $_groups; do # deepest first; a dying process may hold a group for a moment
		i=0
		while [ -d "$g" ] && [ $i -lt 50 ]; do
			find "$g" -depth -type d -exec rmdir {} \; 2>/dev/null
			[ ! -d "$g" ] || sleep 0.1
			i=$((i + 1))
		done
	done
	rm -rf --one-file-system "$WORK"
}

_outside() {
	WORK=$(mktemp -d "${RKTBOX_TEST_DIR:-${TMPDIR:-/tmp}}/rktbox-test.XXXXXX") || exit 1
	_groups=''
	trap _outside_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	export RKTBOX_TEST_INSIDE="$WORK"
	if [ "$(id -u)" != 0 ]; then
		sh "$0" "$@"
		exit $?
	fi
	for dir in $(_cgroup_dirs); do
		g=$dir/${WORK##*/}
		mkdir "$g" 2>/dev/null || continue
		# v1 cpusets start without processors and memory, and nothing can join such a group
		for f in cpuset.cpus cpuset.mems; do
			[ ! -e "$g/$f" ] || cat "$dir/$f" >"$g/$f"
		done
		_groups="$_groups $g"
	done
	export RKTBOX_TEST_GROUPS="$_groups"
	# PID 1 is a shell that only waits: so orphans are reaped, and SIGTERM is nobody's special case.
	# shellcheck disable=SC2016
	unshare --mount --pid ${OWN_NET:+--net} --fork --kill-child --propagation private sh -c '
		trap "exit 143" TERM HUP
		trap "exit 130" INT
		mount -t proc -o nosuid,nodev,noexec proc /proc || exit 1
		[ -n "$RKTBOX_TEST_DIR" ] ||
			mount -t tmpfs -o size=2g,mode=755 "${RKTBOX_TEST_INSIDE##*/}" "$RKTBOX_TEST_INSIDE" || exit 1
		sh "$0" "$@"
		exit $?' "$0" "$@"
	exit $?
}

[ -n "${RKTBOX_TEST_INSIDE:-}" ] || _outside "$@"

# ---- inside

WORK=$RKTBOX_TEST_INSIDE
TEST_GROUPS=${RKTBOX_TEST_GROUPS:-}
unset RKTBOX_TEST_INSIDE RKTBOX_TEST_GROUPS
for g in $TEST_GROUPS; do echo 0 >"$g/cgroup.procs" || exit 1; done
unset g
PASSED=0 FAILED=0 SKIPPED=0 CASE='' N_CASE=0 BUSYBOX_ID=''
CONF=$WORK/conf
mkdir -p "$CONF/system" "$CONF/local/net.d" "$CONF/user" "$WORK/cases" "$WORK/tmp"
echo '{"name": "default", "type": "loopback"}' >"$CONF/local/net.d/default.conf"
export TMPDIR="$WORK/tmp"
cd "$WORK" || exit 1

_use_data() {
	DATA=$1
	RKT="$RKTBIN --dir=$DATA --insecure-options=image"
	[ -z "${RKTBOX_RENDER:-}" ] || RKT="$RKT --render=$RKTBOX_RENDER"
	RKT="$RKT --system-config=$CONF/system --local-config=$CONF/local --user-config=$CONF/user"
}
_use_data "$WORK/data"

ok() {
	PASSED=$((PASSED + 1))
	echo "ok - $1"
}

not_ok() {
	FAILED=$((FAILED + 1))
	echo "not ok - $1${2:+ # $2}"
}

_skipped() {
	SKIPPED=$((SKIPPED + 1))
	echo "skip - $1 # $2"
}

finish() {
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ "$FAILED" = 0 ]
	exit
}

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	if [ -z "$CASE" ]; then
		_skipped "$SCRIPT" "$*"
		finish
	fi
	echo "$*" >"$WORK/skipped"
	exit 77
}

need() {
	for c; do
		command -v "$c" >/dev/null 2>&1 || skip "needs the command $c"
	done
}

need_file() {
	for c; do
		[ -e "$c" ] || skip "needs $c"
	done
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "needs root"
}

_children() { # of PID, all generations, youngest last
	for c in $(cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"); do
		echo "$c"
		_children "$c"
	done
}

# What stands between the stop and the kill cannot start anything new.
_kill_tree() {
	for p in $1 $(_children "$1"); do kill -STOP "$p"; done 2>/dev/null
	for p in $1 $(_children "$1"); do kill -KILL "$p"; done 2>/dev/null
}

_watch() {
	sleep "${CASE_LIMIT:-240}"
	echo "still running after ${CASE_LIMIT:-240} s" >"$WORK/hung"
	_kill_tree "$1"
}

t() {
	CASE=$1
	shift
	N_CASE=$((N_CASE + 1))
	C=$WORK/cases/$N_CASE
	mkdir "$C"
	rm -f "$WORK/skipped" "$WORK/hung"
	(
		trap '_end_spawned' EXIT
		cd "$C" || exit 1
		[ -z "${RKTBOX_TEST_TRACE:-}" ] || set -x
		set -e
		"$@"
	) >"$WORK/log" 2>&1 </dev/null &
	_case_pid=$!
	_watch "$_case_pid" >/dev/null 2>&1 &
	_watch_pid=$!
	wait "$_case_pid" 2>/dev/null
	_case_status=$?
	kill "$_watch_pid" $(_children "$_watch_pid") 2>/dev/null
	wait "$_watch_pid" 2>/dev/null
	if [ -e "$WORK/hung" ]; then
		_case_status=1
		cat "$WORK/hung" >>"$WORK/log"
	fi
	case $_case_status in
	0) ok "$CASE" ;;
	77)
		if [ -e "$WORK/skipped" ]; then
			_skipped "$CASE" "$(cat "$WORK/skipped")"
		else
			not_ok "$CASE" "a command ended with status 77"
		fi
		;;
	*)
		not_ok "$CASE" "status $_case_status"
		tail -n 60 "$WORK/log" | cut -c1-400 | sed 's/^/  | /'
		;;
	esac
	[ -z "${RKTBOX_TEST_TRACE:-}" ] || sed 's/^/  + /' "$WORK/log"
	CASE=''
	rm -rf --one-file-system "$C" 2>/dev/null
}

# ---- commands

status=''
run() {
	status=0
	"$@" >"$C/out" 2>"$C/err" || status=$?
}

_show() {
	for f in out err; do
		[ ! -s "$C/$f" ] || tail -n 30 "$C/$f" | sed "s/^/$f: /"
	done
}

expect_status() {
	_want=$1
	shift
	run "$@"
	[ "$status" = "$_want" ] && return
	echo "status $status, not $_want: $*"
	_show
	return 1
}

_expect() { # FILE want|no ERE
	if grep -Eq -e "$3" "$C/$1"; then _got=want; else _got=no; fi
	[ $_got = "$2" ] && return
	echo "std$1: $2 match of: $3"
	_show
	return 1
}

expect_out() { _expect out want "$1"; }
expect_err() { _expect err want "$1"; }
expect_no_out() { _expect out no "$1"; }
expect_no_err() { _expect err no "$1"; }

expect_out_is() {
	printf '%s\n' "$1" >"$C/want"
	cmp -s "$C/want" "$C/out" && return
	diff -u "$C/want" "$C/out"
	return 1
}

not() {
	"$@" || return 0
	echo "succeeded: $*"
	return 1
}

expect_silent() {
	[ ! -s "$C/out" ] && [ ! -s "$C/err" ] && return
	echo "not silent:"
	_show
	return 1
}

is() {
	[ "$1" = "$2" ] && return
	echo "${3:+$3: }got \"$1\", want \"$2\""
	return 1
}

# A shell without job control starts background commands with SIGINT and SIGQUIT ignored; env undoes it.
SPAWNED=''
spawn() {
	_name=$1
	shift
	env --default-signal=INT,QUIT "$@" >"$C/$_name.out" 2>"$C/$_name.err" </dev/null &
	pid=$!
	SPAWNED="$SPAWNED $pid"
}

AT_END=:
at_end() {
	AT_END="$1
$AT_END"
}

# Politely first: a pod that is told to end cleans up, and a case that hangs here is a finding.
_end_spawned() {
	_ended=$?
	set +e
	for p in $SPAWNED; do kill -TERM "$p"; done 2>/dev/null
	for p in $SPAWNED; do
		i=0
		while kill -0 "$p" 2>/dev/null && [ $i -lt 50 ]; do
			# a zombie is as good as gone
			case $(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null) in Z*) break ;; esac
			sleep 0.1
			i=$((i + 1))
		done
		_kill_tree "$p"
	done
	eval "$AT_END"
	exit $_ended
}

PATIENCE=40
wait_for() {
	_left=$(($1 > PATIENCE ? $1 * 20 : PATIENCE * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		_left=$((_left - 1))
		if [ $_left -le 0 ]; then
			echo "in vain waited for: $*"
			return 1
		fi
		sleep 0.05
	done
}

_is_gone() {
	kill -0 "$1" 2>/dev/null || return 0
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in Z*) return 0 ;; esac
	return 1
}

wait_gone() {
	wait_for "$2" _is_gone "$1" || return 1
	status=0
	wait "$1" 2>/dev/null || status=$?
}

_is_frozen() {
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in T* | Z* | '') return 0 ;; esac
	return 1
}

freeze() {
	kill -STOP "$1" 2>/dev/null
	wait_for 5 _is_frozen "$1"
}

quickest() {
	python3 - "$@" <<-'PY'
	import os, sys
	best = 1e9
	for i in range(20):
	    pid = os.fork()
	    if not pid:
	        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
	        os.execv(sys.argv[1], sys.argv[1:])
	    _, status, usage = os.wait4(pid, 0)
	    assert status == 0, status
	    best = min(best, usage.ru_utime + usage.ru_stime)
	print(round(best * 1000, 1))
	PY
}

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# ---- images

_is_static() {
	[ -x "$1" ] && case $(ldd "$1" 2>&1) in *'not a dynamic'* | *'statically linked'*) true ;; *) false ;; esac
}

BUSYBOX=''
for b in "$(command -v busybox)" /bin/busybox /bin/busybox.static /usr/lib/initramfs-tools/bin/busybox; do
	if _is_static "$b"; then
		BUSYBOX=$b
		break
	fi
done
unset b

ARCH=$(uname -m | sed -e 's/x86_64/amd64/' -e 's/i[3-6]86/i386/')

make_layout() {
	mkdir -p "$1/rootfs"
	cat >"$1/manifest" <<-EOT
	{
	    "acKind": "ImageManifest",
	    "acVersion": "0.8.11",
	    "name": "${2:-example.com/test}",
	    "labels": [
	        {"name": "version", "value": "1.0.0"},
	        {"name": "os", "value": "linux"},
	        {"name": "arch", "value": "$ARCH"}
	    ],
	    "app": {
	        ${3:-"\"exec\": [\"/bin/true\"], \"user\": \"0\", \"group\": \"0\""}
	    }
	}
	EOT
}

# Some hundred links, each by a process of its own: once per script, and then copied.
_busybox_bin() {
	[ ! -d "$WORK/busybox-bin" ] || return 0
	mkdir "$WORK/busybox-bin.new"
	cp "$BUSYBOX" "$WORK/busybox-bin.new/busybox"
	for a in $("$BUSYBOX" --list); do
		[ "$a" = busybox ] || ln -s busybox "$WORK/busybox-bin.new/$a"
	done
	mv "$WORK/busybox-bin.new" "$WORK/busybox-bin"
}

busybox_layout() {
	[ -n "$BUSYBOX" ] || skip "needs a static busybox"
	make_layout "$@"
	for d in etc tmp root dev proc sys; do mkdir -p "$1/rootfs/$d"; done
	_busybox_bin
	cp -a "$WORK/busybox-bin" "$1/rootfs/bin"
	chmod 1777 "$1/rootfs/tmp"
	chmod 700 "$1/rootfs/root"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$1/rootfs/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$1/rootfs/etc/group"
}

busybox_image() {
	_layout=$(mktemp -d "$WORK/layout.XXXXXX")
	_file=$1
	shift
	busybox_layout "$_layout" "$@" && "$ACTOOL" build --no-compression --owner-root "$_layout" "$_file"
	_built=$?
	rm -rf "$_layout"
	return $_built
}

# Called at the top of a script, not in a case: what a case sets is gone with it.
busybox_in_store() {
	[ -z "$BUSYBOX_ID" ] || return 0
	if busybox_image "$WORK/busybox.aci" example.com/busybox >"$WORK/log" 2>&1 &&
		BUSYBOX_ID=$($RKT fetch "$WORK/busybox.aci" 2>>"$WORK/log"); then
		return 0
	fi
	not_ok "$SCRIPT: put a busybox image into the store"
	sed 's/^/  | /' "$WORK/log"
	finish
}

fresh_data() {
	_use_data "$C/data"
}

real_network() {
	rm -f "$CONF/local/net.d/default.conf"
}

# ---- pods

pod_uuid() {
	wait_for 10 test -s "$C/$1.uuid" >&2 || return 1
	cat "$C/$1.uuid"
}

_pod_runs() {
	case $($RKT status "$1" 2>/dev/null) in *pid=-1*) false ;; *state=running*pid=*) true ;; *) false ;; esac
}

pod_ready() {
	wait_for 10 test -s "$C/$1.uuid" || return 1
	wait_for 10 _pod_runs "$(cat "$C/$1.uuid")"
}

# but those of images, which stay for the next pod until a gc finds that nobody uses them
mounts_below() {
	awk -v d="$1" 'index($5, d "/") == 1 && $5 !~ "/cas/mnt/[^/]*$" {print $5}' /proc/self/mountinfo
}

# below a directory, which is to be unmounted itself
drop_images() {
	for m in "$1"/cas/mnt/*; do
		! mountpoint -q "$m" || umount "$m"
	done
}

# erofs, loop or tree
render_mode() {
	$RKT config | sed -n 's/.*"effective": "\(.*\)".*/\1/p'
}

cgroups_left() {
	for g in $TEST_GROUPS; do
		find "$g" -mindepth 1 -type d
	done
}

# everything in this PID namespace but PID 1, this script with its case and watchman, and zombies
processes_left() {
	for p in /proc/[0-9]*; do
		p=${p#/proc/}
		case " 1 $$ " in *" $p "*) continue ;; esac
		cmd=$(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline") || continue
		[ -n "$cmd" ] || continue
		case $cmd in *"/$SCRIPT "* | "sh $0 "* | 'sleep '"${CASE_LIMIT:-240} ") continue ;; esac
		case $(cat "/proc/$p/comm" 2>/dev/null) in tr | cat | '') continue ;; esac
		echo "$p $cmd"
	done
}

nothing_left() {
	_left=0
	for what in "mounts_below $WORK" cgroups_left processes_left; do
		$what >"$WORK/left"
		[ -s "$WORK/left" ] || continue
		echo "left by $what:"
		cat "$WORK/left"
		_left=1
	done
	return $_left
}
