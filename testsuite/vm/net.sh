# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# net.sh - networks of pods with Debian's kernels, which have ipvlan and sctp, and no iptables
#
# $nftables: "yes", or "no": then the kernel's nf_tables is not there. The other host is a network namespace behind eth0;
# its web server answers with the address that it sees. vm.tests puts /rktbox, /busybox.aci (with /sctp in it), and the ip of iproute2
# beside it.

. /judge.sh
# before anything can be loaded by itself
modprobe -a veth bridge overlay loop erofs 2>/dev/null
if [ "$nftables" = no ]; then
	rm /lib/modules/*/nf_tables.ko
else
	echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter # as many a host has it
fi
R="/rkt --dir=/data --insecure-options=image"
ln -s rktbox /rkt
ip=/usr/sbin/ip
mkdir -p /etc/rkt/net.d /www/cgi-bin
cat >/www/cgi-bin/who <<'E2'
#!/bin/sh
a=${REMOTE_ADDR#\[::ffff:}
printf 'Content-Type: text/plain\r\n\r\n%s\n' "${a%]}"
E2
chmod 755 /www/cgi-bin/who

# ---- the other host

unshare -n sleep 10000 &
other=$!
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
there() {
	nsenter -t $other -n "$@"
}
$ip link add eth0 type veth peer name eth0 netns $other
$ip link set eth0 up
$ip addr add 192.0.2.1/24 dev eth0
there $ip link set lo up
there $ip link set eth0 up
there $ip addr add 192.0.2.2/24 dev eth0
there httpd -p 80 -h /www
$ip route add default via 192.0.2.2

network() { # NAME MEMBERS
	printf '{"cniVersion": "0.4.0", "name": "%s", %s}' "$1" "$2" >"/etc/rkt/net.d/$1.conf"
}
network l2 '"type": "ipvlan", "master": "eth0", "mode": "l2", "ipam": {"type": "host-local", "subnet": "192.0.2.0/24",
	"rangeStart": "192.0.2.40", "rangeEnd": "192.0.2.49"}'
network l3 '"type": "ipvlan", "master": "eth0", "mode": "l3", "ipam": {"type": "host-local", "subnet": "10.9.0.0/24",
	"routes": [{"dst": "0.0.0.0/0"}]}'
network mac '"type": "macvlan", "master": "eth0", "ipam": {"type": "host-local", "subnet": "192.0.2.0/24",
	"rangeStart": "192.0.2.50", "rangeEnd": "192.0.2.59"}'

$R fetch /busybox.aci >/out 2>/err
judge "fetch" "$?" 0

app() { # NET COMMANDS: a pod; its stdout here
	net=$1
	shift
	$R run --net="$net" example.com/busybox --exec=/bin/sh -- -c "$1" 2>/err
}
start() { # COMMANDS OPTION...: in the background, until it runs; $uuid
	commands=$1
	shift
	rm -f /uuid
	$R run --uuid-file-save=/uuid "$@" example.com/busybox --exec=/bin/sh -- -c "$commands" >/out 2>/err &
	while kill -0 $! 2>/dev/null && ! $R status --uuid-file=/uuid 2>/dev/null | grep -q '^pid='; do sleep 0.1; done
	uuid=$(cat /uuid 2>/dev/null)
	sleep 1 # until its server listens
}
stop() {
	$R stop --force "$uuid" >/out2 2>&1
	wait $!
}
page() { # URL [COMMAND...]: who the web server says that asks
	url=$1
	shift
	"$@" timeout 5 wget -q -O - "$url/cgi-bin/who" 2>/err2
}
server='mkdir -p /www/cgi-bin; printf "#!/bin/sh\nprintf \"Content-Type: text/plain\\r\\n\\r\\n%%s\\n\" \"\${REMOTE_ADDR##*:}\" | tr -d ]\n" >/www/cgi-bin/who
	chmod 755 /www/cgi-bin/who; httpd -p 8080 -h /www; exec sleep 10000'
from() { # PORT: who asks for it from the other host, whether anybody is answered here
	page "http://192.0.2.1:$1" nsenter -t $other -n
	for a in 192.0.2.1 127.0.0.1; do page "http://$a:$1" >/dev/null && echo "$a"; done
}

if [ "$nftables" = no ]; then
	app default 'echo started' >/out
	judge "the default network is refused" "$? $(cat /out)" '254 '
	judge "and why, and what can be done" \
		"$(grep -c 'failed to setup network: the kernel lacks nftables .*--net=none' /err)" 1
	start "$server" --port=http:8888
	judge "so are ports" "$($R status "$uuid" 2>/dev/null | grep -c state=running) $(grep -c -e '--port-proxy' /err)" '0 1'
	app default-restricted 'echo started' >/out
	judge "so is default-restricted, which needs rules" "$? $(cat /out)" '254 '
	network plain '"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.8.0.0/24"}'
	judge "a network that needs no rules, without default-restricted beside it" \
		"$(app plain 'ping -c 1 -W 2 10.8.0.1 >/dev/null && ls /sys/class/net | tr "\n" " "')" 'eth0 lo '
	start "$server" --net=plain --port-proxy --port=http:8888
	judge "--port-proxy: from the other host, and from this one" "$(from 8888 | tr '\n' ' ')" '10.8.0.1 192.0.2.1 127.0.0.1 '
	stop
	judge "and is over" "$(from 8888)" ''
else
	judge "masquerade" "$(app default 'timeout 5 wget -q -O - http://192.0.2.2/cgi-bin/who')" 192.0.2.1
	start "$server" --port=http:8888
	judge "a forwarded port: from the other host, and from this one" "$(from 8888 | tr '\n' ' ')" '192.0.2.2 192.0.2.1 127.0.0.1 '
	judge "no packet of 127.0.0.1 is let onto networks" "$(cat /proc/sys/net/ipv4/conf/*/route_localnet | sort -u)" 0
	stop
	judge "and is over" "$(from 8888)" ''

	start '/sctp serve 7000' --port=sctp:7777
	judge "an sctp port: from the other host" "$(there /sctp ask 192.0.2.1 7777 2>&1)" 192.0.2.2
	judge "and from this one" "$(for a in 192.0.2.1 127.0.0.1; do /sctp ask $a 7777 >/dev/null 2>/err2 && echo $a; done | tr '\n' ' ')" \
		'192.0.2.1 127.0.0.1 '
	stop
	judge "default-restricted does not leave" "$(app default-restricted 'timeout 2 wget -q -O - http://192.0.2.2/cgi-bin/who || echo no')" no
fi

start "$server" --net=l2
judge "ipvlan l2: the other host reaches the pod" "$(page http://192.0.2.40:8080 nsenter -t $other -n)" 192.0.2.2
judge "and the other way, unmasqueraded" "$($R enter "$uuid" /bin/timeout 5 wget -q -O - http://192.0.2.2/cgi-bin/who 2>/err2)" 192.0.2.40
stop
judge "macvlan" "$(app mac 'wget -q -O - http://192.0.2.2/cgi-bin/who')" 192.0.2.50
there $ip route add 10.9.0.0/24 via 192.0.2.1
start "$server" --net=l3
judge "ipvlan l3: the other host reaches the pod" "$(page http://10.9.0.2:8080 nsenter -t $other -n)" 192.0.2.2
judge "and the other way" "$($R enter "$uuid" /bin/timeout 5 wget -q -O - http://192.0.2.2/cgi-bin/who 2>/err2)" 10.9.0.2
stop

$R gc --grace-period=0s >/out 2>&1
$R gc --grace-period=0s >/out 2>&1
judge "gc leaves no pod" "$($R list --no-legend 2>/err)" ''
judge "gc leaves no interface" "$($ip -o link | grep -v -c -E ': (lo|eth0)[:@]')" 0
judge "gc leaves no mount" "$(grep -E '/data/.*netns' /proc/mounts)" ''
judge "no module of iptables was loaded" "$(lsmod | grep -E '^(ip6?_tables|ip6?table_|x_tables|xt_|nft_compat)')" ''
[ "$nftables" = yes ] || judge "nor one of nftables" "$(lsmod | grep '^nf_tables')" ''
kill $other
