#!/bin/sh
# The gateway binary on MariaDB and PostgreSQL: its starts, and faults of the servers for 8 s each.
# Usage: tests/database/run.sh [BINARY].  Needs python3, openssl and the packages of the servers.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=${1:-$here/../../build/release/api-key-rotator}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The servers do not disturb each other, and wait more than they work.
for server in mariadb postgresql; do
  {
    python3 "$here/starts.py" --binary "$binary" --server $server
    starts=$?
    python3 "$here/faults.py" --binary "$binary" --server $server --seconds 8
    echo $((starts + $?)) >"$scratch/$server"
  } &
done
wait
[ "$(cat "$scratch/mariadb" "$scratch/postgresql" | tr -d '\n')" = 00 ]
