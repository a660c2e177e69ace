#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh - what `make demo` runs: an image is packed, signed, fetched by https, verified and run, and everything is taken
# away again
#
# The image is Debian's redis-server with the libraries it needs; where there is no such package, busybox
# as a web server. Every command is shown as it is typed; the first that fails ends the demo.
set -eu
export LC_ALL=C

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${RKTBOX_O:-${O:-build}}
case $bin in /*) ;; *) bin=$top/$bin ;; esac

if [ "$(id -u)" != 0 ]; then
	echo "demo: running a pod takes root: it is namespaces, mounts and cgroups. Please: sudo make demo" >&2
	exit 1
fi
if [ ! -x "$bin/rktbox" ]; then
	echo "demo: there is no $bin/rktbox yet: make" >&2
	exit 1
fi

bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
work=$(mktemp -d "${TMPDIR:-/tmp}/rktbox-demo.XXXXXX")
pod=''
PATH=$bin:$PATH
export ACTOOL="$bin/actool" GNUPGHOME="$work/gnupg"
conf=--local-config=config # and not /etc/rkt

# gpg's agent, which takes its time
end_agent() {
	agent=$(gpg-connect-agent --no-autostart 'getinfo pid' /bye 2>/dev/null | sed -n 's/^D //p')
	gpgconf --kill all >/dev/null 2>&1 || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -n "$agent" ] && kill -0 "$agent" 2>/dev/null || return 0
		sleep 0.2
	done
}

clean_up() {
	status=$?
	trap '' INT TERM
	if [ -n "$pod" ] && kill -0 "$pod" 2>/dev/null; then
		rkt --dir="$work/data" stop --force "$(cat "$work/uuid")" >/dev/null 2>&1 || kill "$pod"
		wait "$pod" || :
	fi
	[ ! -d "$work/data" ] || rkt --dir="$work/data" gc --grace-period=0s >/dev/null 2>&1 || :
	[ ! -s "$work/nginx.pid" ] || kill "$(cat "$work/nginx.pid")" || :
	end_agent
	rm -rf --one-file-system "$work"
	[ $status = 0 ] || echo "demo: failed; what came last above says where" >&2
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '\n%s\n' "$*"; }

show() { # COMMAND as it is typed; its output follows
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	sh -c "$*" 2>&1
}

wait_for() { # SECONDS COMMAND
	left=$(($1 * 10))
	until sh -c "$2" >/dev/null 2>&1; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "demo: waited $1 s in vain for: $2" >&2
			exit 1
		fi
		sleep 0.1
	done
}

mounts() { awk '{print $5}' /proc/self/mountinfo | sort; }

cd "$work"
mounts >mounts.before

# ---- the images: layouts are directories with a manifest and a rootfs

echo "rktbox $(rktbox --version | sed 's/rktbox //'): one static binary of $(stat -c %s "$bin/rktbox") bytes"
if "$top/testsuite/images/redis.sh" LAYOUT="$work/server" 2>why &&
	"$top/testsuite/images/redis-client.sh" LAYOUT="$work/client" 2>why; then
	volume=--volume=data,kind=empty,uid=101,gid=101
	what="Debian's redis-server" server=example.com/redis client=example.com/redis-client
	enter='/usr/bin/redis-cli get greeting'
	answer='GET: hello from the other app' greeting='hello from the other app'
else
	cat why >&2
	"$top/testsuite/images/httpd.sh" LAYOUT="$work/server"
	"$top/testsuite/images/httpd-client.sh" LAYOUT="$work/client"
	volume=''
	what='a web server, this busybox,' server=example.com/httpd client=example.com/httpd-client
	enter='/bin/wget -q -O - http://127.0.0.1:8080/'
	answer='GET: hello from the other app' greeting='hello from the other app'
fi

say "1. An image is a directory with a manifest and a root file system. This one holds $what
   and nothing but what it needs:"
show 'cat server/manifest'
show 'find server/rootfs -type f | wc -l'

# a key, and a web server with a certificate of an authority that nobody else knows
web() {
	mkdir -m 700 "$GNUPGHOME" && mkdir tls www
	gpg --batch --quiet --passphrase '' --quick-generate-key 'Demo <demo@example.com>' ed25519 sign never &&
		gpg --armor --export demo@example.com >key.asc || return 1
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=demo CA" -keyout tls/ca.key -out ca.crt &&
		openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout tls/server.key -out tls/server.csr &&
		echo 'subjectAltName=DNS:localhost' >tls/ext &&
		openssl x509 -req -in tls/server.csr -CA ca.crt -CAkey tls/ca.key -CAcreateserial -days 2 -extfile tls/ext \
			-out tls/server.crt || return 1
	for port in 20443 21443 22443 23443; do
		cat >nginx.conf <<-E2
		pid $work/nginx.pid; error_log $work/nginx.log; daemon on; user root;
		events {}
		http {
			access_log off;
			client_body_temp_path $work/tmp; proxy_temp_path $work/tmp; fastcgi_temp_path $work/tmp;
			uwsgi_temp_path $work/tmp; scgi_temp_path $work/tmp;
			server {
				listen 127.0.0.1:$port ssl; root $work/www;
				ssl_certificate $work/tls/server.crt; ssl_certificate_key $work/tls/server.key;
			}
		}
		E2
		nginx -c "$work/nginx.conf" && return
	done
	return 1
}
web >why 2>&1 || { cat why >&2; exit 1; }

say "2. Pack it, sign it, and see whether it keeps every rule of the specification:"
show 'actool build --sign server server.aci'
show 'actool build --sign client client.aci'
show 'actool validate -debug server.aci client.aci'

mv ./*.aci ./*.aci.asc www
say "3. Fetch both images from a web server, here nginx with a certificate of its own. Nothing gets into the store that
   nobody trusted has signed, so say first who is:"
show "rkt $conf trust --prefix=example.com --skip-fingerprint-review key.asc"
show "rkt --dir=data $conf fetch --ca-file=ca.crt https://localhost:$port/server.aci https://localhost:$port/client.aci"
show "rkt --dir=data $conf image list"

say "4. Run them as one pod: two apps with a network of their own, in which the second talks to the
   first. There is no daemon; the pod is a child of this shell (here in the background):"
run="rkt --dir=data $conf run --net=none --uuid-file-save=uuid $volume \
$server --memory=256M --- $client -- 600"
printf '%s$ %s &%s\n' "$bold" "$run" "$plain"
$run >pod.out 2>&1 </dev/null &
pod=$!
wait_for 30 "! kill -0 $pod || grep -q '$answer' pod.out"
if ! grep -q "$answer" pod.out; then
	cat pod.out >&2
	echo "demo: the second app got no answer" >&2
	exit 1
fi
show 'grep -E "SET|GET" pod.out'
uuid=$(cat uuid)
short=${uuid%%-*}

say "5. Look at it, as a whole, by app, and from inside:"
show "rkt --dir=data $conf list"
show "rkt --dir=data $conf status $short"
show "rkt --dir=data $conf logs --app=${client#*/} $short"
show "rkt --dir=data $conf enter --app=${client#*/} $short $enter" | tee entered
grep -q "$greeting" entered

say "6. Stop it. Its directory stays until it is collected, so that logs and status can be read:"
show "rkt --dir=data $conf stop $short"
wait "$pod" || { echo "demo: rkt run ended with status $?" >&2; exit 1; }
pod=''
show "rkt --dir=data $conf list"
show "rkt --dir=data $conf gc --grace-period=0s"
show "rkt --dir=data $conf image rm $server $client"
show "rkt --dir=data $conf image gc"

say "7. What is left of it all: mounts, cgroups, processes, files of pods and images."
mounts >mounts.after
left=0
processes() {
	for p in /proc/[0-9]*; do
		command=$(tr '\0' ' ' 2>/dev/null <"$p/cmdline") || continue
		case $command in *"$uuid"* | *"$work/data"*) echo "${p#/proc/} $command" ;; esac
	done
}
check() { # WHAT LINES
	printf '   %-10s %s\n' "$1" "${2:-none}"
	[ -z "$2" ] || left=1
}
check mounts "$(comm -13 mounts.before mounts.after)"
check cgroups "$(find /sys/fs/cgroup -type d -name "*$uuid*")"
check processes "$(processes)"
check pods "$(find data/pods -mindepth 2)"
check images "$(find data/cas -type f -size +0 ! -name backend)"
[ $left = 0 ] || { echo "demo: something is left" >&2; exit 1; }
say "That was all. README has a tour of the rest; rkt --help and man/ the details."
