#!/bin/sh
# pages.sh VERSION DIR: writes the manual pages, the completions and the schema of this source to DIR, for archives and packages.
set -eu
version=$1 dir=$2
rm -rf "$dir"
mkdir -p "$dir/completions"
go build -trimpath -buildvcs=true -ldflags "-X main.version=$version" -o "$dir/azbackup" ./cmd/azbackup
"$dir/azbackup" man "$dir/man"
"$dir/azbackup" completion bash >"$dir/completions/azbackup.bash"
"$dir/azbackup" completion zsh >"$dir/completions/_azbackup"
"$dir/azbackup" completion fish >"$dir/completions/azbackup.fish"
"$dir/azbackup" completion powershell >"$dir/completions/azbackup.ps1"
"$dir/azbackup" schema >"$dir/azbackup.schema.json"
rm "$dir/azbackup"
