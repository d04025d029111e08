#!/usr/bin/env bash
# Installs the release $VERSION into the runner's folder, after its checksum was compared with that of the release.
set -euo pipefail
case ${RUNNER_OS:?} in
Linux) os=linux ;;
macOS) os=darwin ;;
Windows) os=windows ;;
*) echo "::error::no release for $RUNNER_OS" && exit 1 ;;
esac
case ${RUNNER_ARCH:?} in
X64) arch=amd64 ;;
ARM64) arch=arm64 ;;
*) echo "::error::no release for $RUNNER_ARCH" && exit 1 ;;
esac
if ! [[ ${VERSION:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
	echo "::error::the input version has to name a release, such as v1.2.3"
	exit 1
fi
from=${AZBACKUP_DOWNLOADS:-https://github.com/azbackup/azbackup/releases/download}/$VERSION
suffix=tar.gz
if [ "$os" = windows ]; then suffix=zip; fi
archive=azbackup_${VERSION#v}_${os}_$arch.$suffix
work=$RUNNER_TEMP/azbackup-$VERSION
mkdir -p "$work"
cd "$work"
curl -fsSL --retry 3 -o checksums.txt "$from/checksums.txt"
curl -fsSL --retry 3 -o "$archive" "$from/$archive"
# The line of this archive and no other; without one nothing is installed.
if ! awk -v name="$archive" '$2 == name {print; found = 1} END {exit !found}' checksums.txt >checksum; then
	echo "::error::the release has no checksum for $archive"
	exit 1
fi
if command -v sha256sum >/dev/null; then sha256sum -c checksum; else shasum -a 256 -c checksum; fi
if [ "$os" = windows ]; then unzip -oq "$archive"; else tar -xzf "$archive"; fi
echo "$work" >>"$GITHUB_PATH"
