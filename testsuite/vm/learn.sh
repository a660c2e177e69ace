# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2086
# learn.sh - a part of guest.sh: capabilities are learnt with these kernels, too, which have kprobes and no tracepoint

learnt() { # USER CAPS-OPTION COMMANDS: what the file says of capabilities, on one line
	rm -f /learnt
	$R run --net=none --learn=/learnt "$id" --name=a --user="$1" --group="$1" $2 --exec=/bin/sh -- -c "$3" >/out 2>/err
	tr -d ' \n' </learnt | sed -n 's/.*"name":"os\/linux\/capabilities-\(re[a-z]*\)-set","value":{"set":\[\([^]]*\).*/\1 \2/p' | tr -d '"'
}
judge "doctor tries it" "$(/rktbox rkt doctor --all learn-caps | cut -d' ' -f-4)" 'learn-caps ok (feature): kprobe;'
judge "capabilities that are used are learnt" "$(learnt 0 '' 'chown 5 /etc/passwd; chroot / /bin/true')" \
	'retain CAP_CHOWN,CAP_SYS_CHROOT'
judge "what needs none learns none" \
	"$(learnt 0 '' 'rm /etc/group; echo >/etc/group; mkdir /d' | cut -c1-35)$(learnt 7 '' 'echo >/tmp/a; chmod 600 /tmp/a; cat /tmp/a; chown 5 /etc/group' | cut -d' ' -f1)" \
	'remove CAP_CHOWN,CAP_DAC_OVERRIDE,Cremove'
# what stat says of a process whose memory may not be looked at is less, and that is all
judge "checks that deny nothing are not counted" "$(learnt 0 --caps-retain=CAP_SYS_PTRACE \
	'cp /bin/busybox /sleep; chmod 111 /sleep; /sleep 9 & sleep 1; cat /proc/$!/stat; kill $!' | cut -d' ' -f1)" 'remove'
judge "others are" "$(learnt 0 --caps-retain=CAP_SYS_PTRACE \
	'cp /bin/busybox /sleep; chmod 111 /sleep; /sleep 9 & sleep 1; cat /proc/$!/stat; ls -l /proc/$!/exe; kill $!')" 'retain CAP_SYS_PTRACE'
both='chown 5 /etc/passwd && exec chroot / /bin/true'
learnt 0 '' "$both" >/dev/null
with() { # FILE: runs with what is in it
	$R run --net=none "$id" --name=a --isolators-from="$1" --user=0 --group=0 --exec=/bin/sh -- -c "$both" >/out 2>&1
	echo $?
}
tr -d ' \n' </learnt | sed 's/,"CAP_SYS_CHROOT"//' >/less
judge "what was learnt is enough, and less is not" "$(with /learnt) $(with /less)" '0 1'
