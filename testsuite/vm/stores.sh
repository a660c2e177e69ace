# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# stores.sh - the cases that run inside the guest for every place where a store may lie; prints what guest.sh prints
#
# Needs /rktbox, /odd.aci (with /odd, /view, /change and a busybox in it), and what /view prints of /odd: /odd.view,
# and after /change: /odd.changed. Call: at PLACE BACKEND WAY...
# PLACE: ext4, xfs, btrfs, subvolume (of a btrfs) - the first disk that has it; tmpfs, ramfs, overlay (on a tmpfs);
# root: a directory of /. $mount_options are those of a disk. $bare: the kernel has neither EROFS, loop nor overlayfs. BACKEND: what is to be effective. WAY: auto, erofs, loop, tree, or no-WAY: that is refused.

PLACES=/run/places
mkdir -p $PLACES
[ -n "$bare" ] || modprobe loop # by itself it is loaded only where udev made a node for it

judge() { # NAME GOT WANT
	if [ "$2" = "$3" ]; then
		echo "ok - $place: $1"
	else
		echo "not ok - $place: $1 # got \"$2\", want \"$3\""
		for f in /run/out /run/err; do
			[ ! -s $f ] || tail -n 8 $f | cut -c1-300 | sed 's/^/  | /'
		done
	fi
}

mount_disk() { # FSTYPE
	for d in /dev/vd?; do
		! mount -t "$1" ${mount_options:+-o $mount_options} "$d" "$top" 2>/dev/null || return 0
	done
	echo "not ok - $place: no disk of that kind"
}

mount_place() { # sets top and data
	top=$PLACES/$place data=$top/data
	mkdir -p "$top"
	case $place in
	ext4 | xfs | btrfs) mount_disk "$place" ;;
	subvolume)
		mount_disk btrfs
		data=$top/@rkt/data
		;;
	tmpfs | ramfs) mount -t "$place" "$place" "$top" ;;
	overlay)
		mkdir -p $PLACES/below
		mount -t tmpfs tmpfs $PLACES/below
		mkdir -p $PLACES/below/lower $PLACES/below/upper $PLACES/below/work
		mount -t overlay -o lowerdir=$PLACES/below/lower,upperdir=$PLACES/below/upper,workdir=$PLACES/below/work \
			overlay "$top"
		;;
	root) top='' data=/var/lib/rkt ;;
	esac
}

loops() {
	for f in /sys/block/loop*/loop/backing_file; do cat "$f"; done 2>/dev/null | sort
}

left() { # what no gc may leave
	grep -E "$data/|volatile" /proc/mounts
	loops
	find /sys/fs/cgroup -type d | grep -E '[0-9a-f]{8}-[0-9a-f]{4}'
	# shellcheck disable=SC2009 # there is only busybox
	ps | grep -E 'stage1|sleep 1000' | grep -v grep
	find "$data" \( -path "$data/cas/mnt/*" -o -path "$data/pods/*/*-*-*" -o -name '.tmp.*' -o -name '.trash.*' \)
}

# Files cannot have what their file system cannot: ramfs has no attributes and no holes, tmpfs before 6.6 no user.*.
# EROFS has holes, but in 6.12 does not tell apps of them. Over files that have no handles (ramfs, overlayfs) overlayfs
# forgets which file it copied, so that it does not see that large2 is large.
kept() { # VIEW
	case $files in
	no-handles) sed '/^.\/large2 /d' "$1" ;;
	mounted) sed -e '/^.\/sparse\/\(end\|hole\) /d' -e '/^.\/sparse\//s/ sparse$//' "$1" ;;
	ramfs) sed -e 's/ \[.*//' -e '/^.\/sparse\//d' "$1" ;;
	old-tmpfs) sed 's/ \[user\.[^]]*\]//g' "$1" ;;
	*) cat "$1" ;;
	esac
}

same() { # NAME WANT FILES...: the view in /run/out, as far as it can be the same with such files
	what=$1
	cp "$2" /run/want
	cp /run/out /run/got
	shift 2
	for files; do
		for f in want got; do
			kept /run/$f >/run/kept
			mv /run/kept /run/$f
		done
	done
	if cmp -s /run/want /run/got; then
		echo "ok - $place: $way: $what"
	else
		echo "not ok - $place: $way: $what # status $status"
		diff /run/want /run/got | cut -c1-200 | head -n 12 | sed 's/^/  | /'
		[ ! -s /run/err ] || sed 's/^/  | /' /run/err
	fi
}

app() { # OPTION... -- COMMAND [ARG...]: its stdout to /run/out
	options=''
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	exec=$2
	shift 2
	# shellcheck disable=SC2086
	$R run --net=none $options example.com/odd \
		--exec="$exec" -- "$@" >/run/out 2>/run/err
	status=$?
}

rendering() { # of rkt config, on one line
	$R config | tr -d '\n' | sed 's/.*"rendering": *{ *//'
}

works() { # WAY
	way=$1
	R="$RKT --render=$way"
	$R fetch /odd.aci >/run/out 2>/run/err
	judge "$way: fetch" $? 0
	[ "$way" = tree ] || [ "$backend" = tree ] && lower=$kind || lower=mounted
	app -- /view /odd
	same "the app sees what was packed" /odd.view "$lower"
	app -- /change
	same "and what it changes, as on any file system" /odd.changed mounted "$upper" "$lower" \
		"$([ "$lower" = mounted ] || echo "$handles")"
	if [ "$way" = auto ]; then
		app --no-overlay -- /view /odd
		same "the same in a copy" /odd.view "$kind"
		stops
	fi
	$R gc --grace-period=0s >/run/out 2>&1
	$R gc --grace-period=0s >/run/out 2>&1
	$R image rm "$id" >/run/out 2>/run/err
	judge "$way: image rm" $? 0
	left >/run/out
	judge "$way: nothing is left" "$(wc -l </run/out)" 0
}

stops() {
	$R run --net=none --uuid-file-save=/run/uuid example.com/odd --exec=/bin/sleep -- 1000 >/run/out 2>/run/err &
	n=0
	until $R status --uuid-file=/run/uuid 2>/dev/null | grep -q '^pid=' || [ $n -gt 100 ]; do
		n=$((n + 1))
		sleep 0.1
	done
	$R gc --grace-period=0s >/run/out 2>&1
	judge "$way: a gc leaves a running pod's root" "$($R enter "$(cat /run/uuid)" /bin/ls /change 2>/run/err)" /change
	$R stop "$(cat /run/uuid)" >/run/out 2>/run/err
	judge "$way: stop" $? 0
	wait
	rm /run/uuid
}

refused() { # WAY
	R="$RKT --render=$1"
	$R fetch /odd.aci >/run/out 2>/run/err
	judge "$1 is refused: but fetch does not need it" $? 0
	way=$1
	app -- /view /odd
	judge "$1 is refused" $status 254
	case $1 in
	erofs) why='EROFS from files' ;;
	*) why='loop-control' ;;
	esac
	[ -z "$bare" ] || [ "$1" != erofs ] || why='the kernel has no EROFS'
	judge "$1 is refused: with the reason" "$(grep -c "$why" /run/err)" 1
	$R gc --grace-period=0s >/run/out 2>&1
	$R image rm "$id" >/run/out 2>/run/err
	left >/run/out
	judge "$1 is refused: nothing is left" "$(wc -l </run/out)" 0
}

# kind: of the file system of the store, as far as it matters; upper: of what apps change. Pods on a ramfs, and on an
# overlay, have a tmpfs for that.
kinds() {
	case $place in
	tmpfs | overlay) kind=tmpfs upper=tmpfs ;;
	ramfs) kind=ramfs upper=tmpfs ;;
	root)
		kind=$(awk '$2 == "/" {print $3}' /proc/mounts | tail -n 1)
		upper=tmpfs
		case $kind in rootfs) kind=ramfs ;; overlay) kind=tmpfs ;; esac
		;;
	*) kind=disk upper=disk ;;
	esac
	handles=''
	case $place in overlay | ramfs | root) handles=no-handles ;; esac
	[ -z "$bare" ] || upper=$kind
	case $(uname -r) in
	6.1.*)
		[ "$kind" != tmpfs ] || kind=old-tmpfs
		[ "$upper" != tmpfs ] || upper=old-tmpfs
		;;
	esac
}

# A root that cannot be written to, with the configuration in it
read_only() {
	place=read-only way='' R='/rktbox rkt --insecure-options=image,devices'
	$R config | tr -d '\n' >/run/out 2>/run/err
	judge "rkt config" "$(grep -c '"data": "/run/places/by-config".*"unknown": "there is no store yet"' /run/out)" 1
	$R --dir=/var/lib/rkt fetch /odd.aci >/run/out 2>/run/err
	judge "fetch is refused" $? 254
	judge "with the reason" "$(grep -c '/var/lib/rkt: Read-only file system' /run/err)" 1
	$R --dir=/var/lib/rkt list >/run/out 2>/run/err
	judge "list: no pods" "$?$(wc -l </run/err)" 00
	$R --dir=/var/lib/rkt image list >/run/out 2>/run/err
	judge "image list: no images" "$?$(wc -l </run/err)" 00
	$R --dir=/var/lib/rkt gc >/run/out 2>/run/err
	judge "gc: nothing to do" "$?$(wc -l </run/err)" 00
	mkdir /run/places/by-config
	mount -t tmpfs tmpfs /run/places/by-config
	id=$($R fetch /odd.aci 2>/run/err)
	app -- /bin/cat /proc/self/mountinfo
	judge "the directory of the configuration: it runs" $status 0
	$R gc --grace-period=0s >/run/out 2>&1
	data=/run/places/by-config
	left >/run/out
	judge "the directory of the configuration: nothing is left" "$(wc -l </run/out)" 0
	umount /run/places/by-config
}

at() { # PLACE BACKEND WAY...
	place=$1 backend=$2
	shift 2
	mount_place
	mkdir -p "$data"
	kinds
	RKT="/rktbox rkt --dir=$data --insecure-options=image,devices"
	R=$RKT
	id=$($R fetch /odd.aci 2>/run/err)
	judge "fetch" "$(echo "$id" | cut -c1-7)" sha512-
	rendering >/run/out
	judge "rkt config: the backend" "$(sed 's/.*"effective": "\([a-z]*\)".*/\1/' /run/out)" "$backend"
	case $bare$backend in
	erofs) want='' ;;
	loop) want='erofs: .*EROFS from files' ;;
	*) want='erofs: .*the kernel has no EROFS.*; loop: ' ;;
	esac
	judge "rkt config: the reason why none is better" "$(grep -c "\"reason\": \"$want" /run/out)" \
		"$([ -z "$want" ] && echo 0 || echo 1)"
	for w; do
		case $w in no-*) refused "${w#no-}" ;; *) works "$w" ;; esac
	done
	[ -z "$top" ] || umount "$top"
	judge "unmounted" $? 0
}
