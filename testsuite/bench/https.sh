#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# https.sh - part of `make bench`: fetching a signed image over HTTPS, beside what only reads it
#
#	usage: https.sh [RUNS]
#
# A local nginx with its own certification authority serves the image and gpg's signature of it. The peer downloads,
# decompresses and hashes: curl | pigz -dc | sha512sum. What the signature costs shows the same fetch without it.
# Commands take turns; wall time, medians; and the largest resident set.
OWN_NET=1
. "$(dirname "$0")/../lib.sh"

need_root
need nginx openssl gpg curl pigz sha512sum mkfs.ext4 ip
runs=${1:-9}
C=$WORK # lib.sh wants it
bench=$TOP/testsuite/bench
. "$bench/kit.sh"

ip link set lo up
export GNUPGHOME="$WORK/gnupg"
site=$WORK/site url=https://localhost:8443/usr.aci
mkdir -m 700 "$GNUPGHOME"
mkdir "$site"

make_certificates() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=bench CA" -keyout ca.key -out ca.crt &&
		openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr &&
		echo subjectAltName=DNS:localhost >server.ext &&
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
			-out server.crt
}

cat >"$WORK/nginx.conf" <<EOT
pid $WORK/nginx.pid;
error_log $WORK/nginx.log;
user root;
events {}
http {
	access_log off;
	client_body_temp_path $WORK/tmp; proxy_temp_path $WORK/tmp; fastcgi_temp_path $WORK/tmp;
	uwsgi_temp_path $WORK/tmp; scgi_temp_path $WORK/tmp;
	sendfile on;
	server {
		listen 127.0.0.1:8443 ssl;
		ssl_certificate $WORK/server.crt; ssl_certificate_key $WORK/server.key;
		root $site;
	}
}
EOT

cat >"$WORK/clean" <<'EOT'
rm -rf "$1"/*
sync
EOT
cat >"$WORK/pipe" <<EOT
curl -sS --fail --cacert $WORK/ca.crt $url | pigz -dc | sha512sum
EOT

headline "$runs runs"
need_image
ln -s "$USR.aci.gz" "$site/usr.aci"
{
	make_certificates && nginx -c "$WORK/nginx.conf" &&
		gpg --batch --quiet --passphrase '' --quick-generate-key bench@example.com rsa3072 sign never &&
		gpg --batch --armor --detach-sign --output "$site/usr.aci.asc" "$USR.aci.gz" &&
		gpg --batch --armor --export --output "$WORK/key.asc" &&
		"$RKTBOX" rkt trust --local-config="$CONF/local" --root --skip-fingerprint-review "$WORK/key.asc"
} >"$WORK/log" 2>&1 || {
	tail -5 "$WORK/log"
	exit 1
}
at_end "kill $(cat "$WORK/nginx.pid")"
export SSL_CERT_FILE="$WORK/ca.crt"
unset SSL_CERT_DIR # the peer is given one CA as well

on() { # NAME DIR
	rkt="$RKTBOX rkt --dir=$2/data --system-config=$CONF/system --local-config=$CONF/local"
	measure -q -n "$runs" -p "sh $WORK/clean $2" "$rkt fetch $url" "sh $WORK/pipe" \
		"$rkt --insecure-options=image fetch $url"
	judged "signed image over https, on $1" "$(median 1)" "$(median 2)" 1.0 'of curl | pigz -dc | sha512sum'
	judged '  what verification adds' "$(median 1)" "$(median 3)" 1.02 'of the same without'
	bounded '  memory' "$(sed -n 1p "$WORK/measured" | cut -d' ' -f3)" KiB 12288
	sh "$WORK/clean" "$2"
}

on_both on
_end_spawned
