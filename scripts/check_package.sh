#!/usr/bin/env bash
# Makes Debian's package of build/release, and installs, runs, upgrades, removes and purges it in a Debian 12 of its own.
# scripts/test.sh does so, too; this also has lintian look at it, and takes options of the test.
#
#   scripts/check_package.sh [-k pattern] [-v]       as root
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for package in dpkg-dev mmdebstrap strace mandoc lintian; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ]; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
[ -x build/release/api-key-rotator ] || scripts/run.sh --build-only
exec tests/package/run.sh build/release/api-key-rotator "$@"
