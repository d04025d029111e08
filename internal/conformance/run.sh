#!/bin/sh
# make conformance: independent clients, unchanged, against the simulator in a process of its own,
# over TLS and with its own sign-in. A client whose tools are missing on this machine is reported as skipped.
#   usage: run.sh path/to/azbackup [FOLDER]
# With a FOLDER and a binary that was built with -cover, what each client exercised is written there: CLIENT.txt.
set -eu
bin=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
evidence=${2:+$(cd "$2" && pwd)}
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

tenant=22222222-2222-2222-2222-222222222222
subscription=11111111-1111-1111-1111-111111111111

# stop ends the simulator and keeps what the client exercised.
stop() {
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
	if [ -n "$evidence" ]; then
		go tool covdata textfmt -i="$work/covered" -o="$evidence/$1.txt"
	fi
}

# serve starts a simulator over a fresh copy of the demo's estate.
serve() {
	rm -rf "$work/covered"
	mkdir "$work/covered"
	rm -f "$work/url" "$work"/estate.json*
	cp "$here/../../examples/estate.json" "$work/estate.json"
	GOCOVERDIR="$work/covered" "$bin" simulate --listen 127.0.0.1:0 --tls "$work" --estate "$work/estate.json" --quiet \
		--operation-time 300ms --retry-after 0 --url-file "$work/url" >/dev/null 2>"$work/log" &
	server=$!
	i=0
	while [ ! -s "$work/url" ]; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || { cat "$work/log"; exit 1; }
		sleep 0.1
	done
	url=$(cat "$work/url")
}

echo "== HashiCorp's client for Azure"
serve
(cd "$here/hashicorp" && SSL_CERT_FILE="$work/ca.pem" go run . "$url" "$tenant" "$subscription" rg-backup rsv-weu-prod 2>"$work/hashicorp.log") ||
	{ tail -n 20 "$work/hashicorp.log"; exit 1; }
stop hashicorp

echo "== Azure SDK for JavaScript"
if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
	serve
	cp "$here/js/package.json" "$here/js/package-lock.json" "$here/js/round.mjs" "$work/"
	(cd "$work" && npm ci --silent --no-audit --no-fund &&
		NODE_EXTRA_CA_CERTS="$work/ca.pem" node round.mjs "$url" "$tenant" "$subscription" rg-backup rsv-weu-prod)
	stop javascript
else
	echo "SKIPPED: no Node on this machine: the Azure SDK for JavaScript was not run"
fi
