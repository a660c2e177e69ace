# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# B: descriptors, working directory, the run-time's binary

leak() {
	exec 7</etc/passwd
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- descriptors
	exec 7<&-
	grep -q REACHED out || stopped "descriptor of the caller"
}
threat B close-range "a descriptor that rkt's caller left open is not passed on" leak

directory() {
	image directory '"exec": ["/bin/pwd"], "user": "0", "group": "0", "workingDirectory": "/proc/self/fd"'
	run $RKT run --net=none "$ID"
	reached_if "a start in /proc/self/fd" test "$status" = 0
}
threat B working-dir "no app starts with a working directory in /proc" directory

# seconds: what has to succeed gets more time than what cannot
patience() { if [ -n "$RKTBOX_HOLES" ]; then echo 20; else echo 2; fi; }

# The binary of one that enters is open in the pod for a moment. Who keeps that may write to it when nobody executes it
# any more; so a copy enters.
binary() {
	mkdir copy
	cp "$RKTBOX" copy/rktbox
	ln -s rktbox copy/rkt
	cp copy/rktbox before
	spawn pod $RKT run --net=none --uuid-file-save="$C/pod.uuid" "$ATTACKER" --exec=/bin/attack -- binary "$(patience)"
	pod_ready pod
	while ! grep -q -e '^have' -e '^stopped' pod.out; do
		"$C/copy/rkt" ${RKT#* } enter "$(cat pod.uuid)" /bin/true 2>/dev/null || :
	done
	wait_gone "$pid" 60
	cat pod.out >>out
	cmp -s before copy/rktbox || reached "the binary was changed"
	grep -q -e REACHED -e stopped out || stopped "the binary never came in sight"
}
threat B exe-read-only,dumpable "the binary of the run-time cannot be written to by /proc/PID/exe" binary

# a root app may look at processes of root; the visitor is one for a moment, with descriptors of the host
visitor() {
	spawn pod $RKT run --net=none --uuid-file-save="$C/pod.uuid" "$ATTACKER" --exec=/bin/attack -- watch "$(patience)" "$MARKER"
	pod_ready pod
	while ! grep -q -e '^tried' pod.out; do
		$RKT enter "$(cat pod.uuid)" /bin/true 2>/dev/null || :
	done
	wait_gone "$pid" 60
	cat pod.out >>out
}
threat B dumpable "nobody in the pod looks through a visitor's /proc/PID" visitor
