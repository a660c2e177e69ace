# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# crash-work.sh - what the guest of crash.tests does on the disk /data: the steps of /images/steps, one by one
#
# After each step "ack" writes to the disk's last page that it is done, and the UUIDs of the pods that were prepared:
# what is said there must survive. Each line of the steps is KIND VERB ARGUMENT...; KIND is nothing to the guest.
R="/rkt --dir=/data/rkt --insecure-options=image"
cas=/data/rkt/cas
pods=''

# nothing is flushed for it: that what it says is true must be the doing of the step itself
ack() { # STEP
	echo "$1 $pods " | dd of=/dev/vda bs=4096 seek="$last_page" conv=sync,notrunc oflag=direct 2>/dev/null
}

do_fetch() { $R fetch "/images/$1.aci"; }

do_render() { $R image render --rootfs-only "example.com/$1" "/tmp/out-$step"; }

do_prepare() { # KEY IMAGE
	uuid=$($R prepare "example.com/$2") || return 1
	pods="$pods$1=$uuid "
}

do_run() { $R run --net=none --uuid-file-save=/tmp/uuid "example.com/$1"; }

do_run_prepared() { # KEY
	$R run-prepared --net=none "$(echo "$pods" | tr ' ' '\n' | sed -n "s/^$1=//p")"
}

do_gc() { $R gc --grace-period=0s; }

do_image_gc() { $R image gc --max-size=1; }

# a removal promises nothing until the disk has it
do_rm() { $R image rm "example.com/$1" && sync; }

do_rm_pod() { $R rm "$(cat /tmp/uuid)" && sync; }

do_without_indexes() { rm "$cas"/index/* && sync; }

# as a bad disk leaves it, for what comes next to find
do_damage() { # IMAGE
	id=$(cat "/images/$1.id")
	for blob in "$cas"/blob/sha512/*/"$id"; do :; done
	cp "$blob" /data/new && printf x | dd of=/data/new bs=1 seek=9000 conv=notrunc && mv /data/new "$blob" && sync
	! $R image verify "example.com/$1"
}

do_lose() { # IMAGE
	id=$(cat "/images/$1.id")
	rm "$cas/manifest/$id" "$cas"/name/*/"$id" && sync
}

do_fsck() {
	$R fsck --repair
	[ $? = 1 ]
}

modprobe -a loop erofs overlay
mkdir /data
mount -t ext4 /dev/vda /data || exit 99
ln -s rktbox /rkt
step=0
while read -r _kind verb args; do
	step=$((step + 1))
	# shellcheck disable=SC2086
	"do_$verb" $args </dev/null >/out 2>&1 || { echo "step $step, $verb $args:"; cat /out; exit 1; }
	ack $step
done </images/steps
$R config | grep effective
echo DONE
