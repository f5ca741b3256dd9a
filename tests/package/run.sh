#!/bin/sh
# Debian's package: made of what is built around the binary, looked at, and installed, run, upgraded, removed and purged in a Debian 12 of its
# own.  Usage: tests/package/run.sh [BINARY [-k pattern] [-v]].  Needs root, dpkg-dev, mmdebstrap and the package sources of Debian; strace,
# mandoc, lintian and systemd-analyze look at more where they are installed.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=${1:-$here/../../build/release/api-key-rotator}

if [ "$(id -u)" -ne 0 ]; then
  echo "package: skipped, only root can make a Debian to install into"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
# A container that may not mount cannot make one either.
if ! unshare --mount --propagation private true 2>/dev/null; then
  echo "package: skipped, this system allows no mounts, which a Debian to install into needs"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
[ $# -eq 0 ] || shift
exec python3 "$here/package_test.py" --binary "$binary" "$@"
