# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086,SC2016
# C: entering a pod

cat >"$WORK/ask" <<'EOT'
grep -E '^(Umask|[UG]id|Groups|Cap[A-Z][a-z]+|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status
cat /proc/self/cgroup /proc/self/oom_score_adj /proc/self/limits
for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done
EOT
image confined '"exec": ["/bin/sh", "-c", "sh /etc/ask; echo asked; exec sleep 1000"], "user": "0", "group": "0",
	"supplementaryGIDs": [5, 6], "isolators": [
	{"name": "os/linux/no-new-privileges", "value": true}, {"name": "os/linux/oom-score-adj", "value": 321},
	{"name": "resource/memory", "value": {"limit": "64M"}}]' 'cp "$WORK/ask" "$l/rootfs/etc/ask"' ||
	not_ok "C: make an image with isolators"
CONFINED=$ID

differs() {
	spawn pod $RKT run --net=none --uuid-file-save="$C/pod.uuid" "$CONFINED"
	pod_ready pod
	wait_for 10 grep -q asked pod.out
	# shellcheck disable=SC3045
	(ulimit -S -n 99; run $RKT enter "$(cat pod.uuid)" /bin/sh -c 'sh /etc/ask; echo asked')
	cp out entered
	: >out
	grep -q . entered || cp err entered
	reached_if "$(diff pod.out entered | grep '^>' | head -n 1)" not cmp -s pod.out entered
	$RKT stop --force "$(cat pod.uuid)" >/dev/null
}
threat C enter-cgroup "who enters is in the app's cgroups" differs
threat C enter-ns "who enters is in the app's namespaces" differs
threat C enter-score "who enters has the app's OOM score" differs
threat C enter-limits "who enters has the app's limits" differs
threat C enter-caps "who enters has the app's capabilities" differs
threat C enter-no-new-privs "who enters has the app's no_new_privs" differs
threat C enter-groups "who enters has the app's groups" differs
threat C enter-seccomp "who enters has the app's filter" differs

stop_by_empty() {
	fresh_data
	$RKT fetch "$WORK/attacker.aci" >id 2>&1
	spawn pod $RKT run --net=none --uuid-file-save="$C/pod.uuid" example.com/attacker --exec=/bin/sleep -- 1000
	pod_ready pod
	run $RKT stop --force ''
	reached_if "the only pod, by an empty UUID" test "$status" = 0
	kill "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	drop_images "$DATA"
}
threat C empty-uuid "an empty UUID names no pod" stop_by_empty
