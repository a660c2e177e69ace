# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# nets.sh - several hosts, each a network namespace, for tests of networks; after lib.sh, with OWN_NET set before that
#
# The script's own namespace is the host whose pods are tested. These are called at the top of a script:
#   net_ns NAME                     another host; the namespace is a file in $NETS, so no process is needed for it
#   cable NS IF NS IF               a veth pair between two of them, both ends up; NS "-" is this host
#   lan                             this host, and the hosts "a" and "b", on one switch (a bridge in "sw"):
#                                       192.0.2.{1,2,3}/24 and 2001:db8::{1,2,3}/64, each on eth0; a, which is everybody's
#                                       default route, has 198.51.100.1 and 2001:db8:ffff::1 as well: the world outside
#   nets_end                        takes it all away again, before nothing_left is asked
# In a case as well:
#   on NS CMD...                    runs there; a function cannot be called so
#   web_server NS                   nginx, on port 80 of all addresses, which answers with the client's address; on a
#                                   host of its own. $NETS/NS.log: a line per request
#   get [NS] URL                    the page, in at most 3 s; NS: who asks
#   sniff NAME NS IF [FILTER]       tcpdump, into $C/NAME.out until the case ends; returns when it listens
#   no_traces                       fails if interfaces, addresses of routes, rules or namespaces of pods are there
#   ports_open [NS] ADDRESS PORT... fails unless all answer

NETS=$WORK/nets
mkdir "$NETS"
mount -t tmpfs nets "$NETS" || exit 1
mount -t tmpfs run /run || exit 1 # where leases are: addresses here are nobody else's business
ip link set lo up

net_ns() {
	: >"$NETS/$1"
	unshare --net="$NETS/$1" ip link set lo up
}

on() {
	_on=$NETS/$1
	shift
	if [ "$_on" = "$NETS/-" ]; then "$@"; else nsenter --net="$_on" -- "$@"; fi
}

cable() {
	on "$1" ip link add "$2" type veth peer name "$4" netns "$([ "$3" = - ] && echo $$ || echo "$NETS/$3")" &&
		on "$1" ip link set "$2" up && on "$3" ip link set "$4" up
}

lan() {
	for _ns in sw a b; do net_ns $_ns || return 1; done
	on sw ip link add br0 type bridge && on sw ip link set br0 up || return 1
	_n=1
	for _ns in - a b; do
		cable $_ns eth0 sw "port$_n" && on sw ip link set "port$_n" master br0 &&
			on $_ns ip addr add 192.0.2.$_n/24 dev eth0 &&
			on $_ns ip addr add 2001:db8::$_n/64 dev eth0 nodad || return 1
		if [ $_ns != a ]; then
			on $_ns ip route add default via 192.0.2.2 && on $_ns ip route add default via 2001:db8::2 || return 1
		fi
		_n=$((_n + 1))
	done
	on a ip addr add 198.51.100.1/32 dev lo && on a ip addr add 2001:db8:ffff::1/128 dev lo nodad
}

nets_end() {
	for _p in "$NETS"/*.pid; do
		[ ! -s "$_p" ] || kill "$(cat "$_p")" || :
	done
	wait_for 5 eval '! ls "$NETS"/*.pid'
	umount -R "$NETS"
}

web_server() {
	cat >"$NETS/$1.conf" <<-E2
	pid $NETS/$1.pid; error_log $NETS/$1.err; daemon on; user root; worker_processes 1;
	events {}
	http {
		log_format one '\$remote_addr \$server_port \$request_uri';
		access_log $NETS/$1.log one;
		client_body_temp_path $WORK/tmp; proxy_temp_path $WORK/tmp; fastcgi_temp_path $WORK/tmp;
		uwsgi_temp_path $WORK/tmp; scgi_temp_path $WORK/tmp;
		server { listen 80; listen [::]:80; location / { default_type text/plain; return 200 "\$remote_addr\n"; } }
	}
	E2
	on "$1" nginx -c "$NETS/$1.conf"
}

get() {
	[ $# = 2 ] || set -- - "$1"
	on "$1" timeout 3 "$BUSYBOX" wget -q -O - "$2"
}

sniff() {
	_dump=$1 _where=$2 _if=$3
	shift 3
	# shellcheck disable=SC2046
	spawn "$_dump" $([ "$_where" = - ] || echo nsenter --net="$NETS/$_where" --) \
		tcpdump -Z root -l -n --immediate-mode -i "$_if" "$@"
	wait_for 5 grep -q 'listening on' "$C/$_dump.err"
}

ports_open() {
	case $1 in *[.:]*) set -- - "$@" ;; esac
	_from=$1 _to=$2
	shift 2
	for _port; do
		on "$_from" timeout 3 "$BUSYBOX" nc "$_to" "$_port" </dev/null >/dev/null || {
			echo "no connection from $_from to $_to, port $_port"
			return 1
		}
	done
}

# What a host has before the first pod is the loopback interface, and what the script made. Bridges stay when they are not
# needed any more: NETS_KNOWN, an ERE, are those.
_traces() {
	ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/link \1/' | grep -Evx "link (lo|eth0|$NETS_KNOWN)"
	ip route | grep -Ev " dev (eth0|$NETS_KNOWN)"
	! command -v nft >/dev/null || nft list ruleset
	find "$DATA/pods" -name netns -o -name net-info.json 2>/dev/null
	find /run/rkt/networks -type f ! -name 'lock*' ! -name 'last_reserved*' 2>/dev/null
	grep -o ' [^ ]*/netns ' /proc/self/mounts
}
NETS_KNOWN=-

_no_traces() {
	_traces >"$WORK/traces" || :
	[ ! -s "$WORK/traces" ]
}

no_traces() { # interfaces go with their namespace, which the kernel takes down a moment after the pod has ended
	wait_for 5 _no_traces && return
	echo "left:"
	cat "$WORK/traces"
	return 1
}
