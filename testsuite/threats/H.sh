# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# H: network

abstract_socket() {
	name=${WORK##*/}
	"$WORK/attack" listen "$name" &
	at_end "kill $! 2>/dev/null"
	wait_for 10 grep -q "@$name" /proc/net/unix
	run $RKT run --net=none "$ATTACKER" --exec=/bin/attack -- connect "$name"
	kill $!
}
threat H netns "an abstract socket of the host cannot be reached" abstract_socket

# ---- the metadata service

other_token() {
	run $RKT run --net=none "$ATTACKER" --exec=/bin/sh -- \
		-c 'wget -q -O - "${AC_METADATA_URL%/*}/0123456789abcdef0123456789abcdef/acMetadata/v1/pod/uuid" && printf "\nREACHED it\n" || echo "stopped"'
}
threat H mds-token "who guesses is told nothing" other_token

# what an app that has found a fault in its parser would have
worker_rights() {
	rm -f "$C/u"
	spawn pod $RKT run --net=none --uuid-file-save="$C/u" "$ATTACKER" --exec=/bin/sh -- \
		-c 'wget -q -O - $AC_METADATA_URL/acMetadata/v1/pod/uuid; sleep 1000'
	wait_for 10 grep -q . pod.out
	for w in $(cat "/proc/$pid/task/$pid/children"); do
		[ "$w" != "$(cat "$DATA/pods/run/$(cat "$C/u")/pid")" ] || continue
		reached_if "capabilities" grep -q '^CapEff:.*[1-9a-f]' "/proc/$w/status"
		reached_if "root" grep -q '^Uid:.0' "/proc/$w/status"
		reached_if "the pod's lock" test "$(ls "/proc/$w/fd" | wc -l)" -gt 4
	done
	$RKT stop --force "$(cat "$C/u")"
	wait_gone "$pid" 10
}
threat H worker-rights "the process that answers pods has no rights" worker_rights

stranger_registers() {
	mkdir -p /run
	mount -t tmpfs tmpfs /run
	spawn service $RKT metadata-service --listen-port=18498
	wait_for 10 test -e /run/rkt/metadata-svc.sock
	# as it would be if somebody was careless with the socket of a service manager
	chmod 666 /run/rkt/metadata-svc.sock
	cat >stranger.py <<-'PY'
	import os, socket
	s = socket.socket(socket.AF_UNIX)
	s.connect("/run/rkt/metadata-svc.sock")
	s.settimeout(40)
	hello = b"rktmds1\0" + b"6f1c0a3e-3f5c-4b58-9d0e-0123456789ab\0" + b"0" * 32 + b"\0"
	try:
	    socket.send_fds(s, [hello], [os.open("/", os.O_RDONLY)])
	except OSError:
	    pass
	got = s.recv(4096)
	print("stopped" if b"only root" in got else "REACHED the service")
	PY
	run setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -I - <stranger.py
	kill "$pid"
	wait_gone "$pid" 10
	umount /run
}
threat H mds-peer "nobody but root registers pods" stranger_registers
