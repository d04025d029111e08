#!/bin/sh
# make demo: a simulated Azure is served on loopback, and azbackup brings its 60 VMs to what
# quickstart.yaml says, and restores one of them as a test. Everything goes over HTTP; nothing here knows Azure or needs an account.
#   usage: demo.sh path/to/azbackup
set -eu
bin=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
cleanup() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true # it still writes its state
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

cp "$here/estate.json" "$work/estate.json"
"$bin" simulate --listen 127.0.0.1:0 --estate "$work/estate.json" --operation-time 2s --url-file "$work/url" >"$work/log" 2>&1 &
server=$!
i=0
while [ ! -s "$work/url" ]; do
	i=$((i + 1))
	[ "$i" -lt 100 ] || { cat "$work/log"; exit 1; }
	sleep 0.1
done
url=$(cat "$work/url")
AZBACKUP_ACCESS_TOKEN=demo
export AZBACKUP_ACCESS_TOKEN

run() {
	echo
	echo "\$ azbackup $*"
	set +e
	"$bin" "$@" --endpoint "$url" -f "$here/quickstart.yaml"
	code=$?
	set -e
	echo "(exit code $code; azbackup help exit-codes says what that means)"
}

echo "The clock of the simulated Azure starts when its estate was taken: azbackup finds this machine's clock far ahead, and says so."
run plan
run apply --auto-approve
run plan
echo
echo "A backup nobody has restored is a hope: restore-tests.yaml has one machine restored, checked, and its disks deleted again."
run restore-test --auto-approve -f "$here/restore-tests.yaml"
echo
echo "What the simulated Azure was asked for:"
"$bin" simulate --stats "$url"
