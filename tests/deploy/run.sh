#!/bin/sh
# What deploy/ and docker-compose*.yml hold, checked and run with the gateway binary.  Usage: tests/deploy/run.sh [BINARY].
# Needs docker-compose, python3-yaml, python3-jsonschema, mariadb-server-core, nginx-light and caddy of Debian.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=${1:-$here/../../build/release/api-key-rotator}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Debian's packages are for its own python3, which need not be the first.
python=python3
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import yaml, jsonschema' 2>/dev/null; then python=$candidate && break; fi
done

# They wait more than they work, and do not disturb each other.
for name in compose helm proxies; do
  {
    "$python" "$here/${name}_test.py" --binary "$binary"
    echo $? >"$scratch/$name"
  } &
done
wait
[ "$(cat "$scratch/compose" "$scratch/helm" "$scratch/proxies" | tr -d '\n')" = 000 ]
