# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# crash-work.sh - what the guest of crash.tests does on the disk /data until it is done
#
# Step by step; `ack N` says that all up to step N must survive (it goes to the disk's last page). The same
# steps are what crash.tests expects: fetch image N for N up to $images, then a pod, then the removals.
R="/rkt --dir=/data/rkt --insecure-options=image"

ack() {
	echo "$1 " | dd of=/dev/vda bs=4096 seek="$last_page" conv=sync,notrunc oflag=direct 2>/dev/null
}

modprobe ext4
mkdir /data
mount -t ext4 /dev/vda /data || exit 99
ln -s rktbox /rkt

n=0
while [ $n -lt "$images" ]; do
	n=$((n + 1))
	$R fetch "/images/$n.aci" >/out 2>&1 || { cat /out; exit 1; }
	ack $n
done
$R run --net=none --uuid-file-save=/data/uuid example.com/crash1 >/out 2>&1 || { cat /out; exit 1; }
$R prepare example.com/crash2 >/out 2>&1 || { cat /out; exit 1; }
n=$((n + 1))
ack $n
$R gc --grace-period=0s >/out 2>&1 || { cat /out; exit 1; }
i=0
while [ $i -lt "$removed" ]; do
	i=$((i + 1))
	$R image rm "$(sed -n ${i}p /images/ids)" >/out 2>&1 || { cat /out; exit 1; }
	sync # a removal promises nothing until the disk has it
	ack $((n + i))
done
echo DONE
