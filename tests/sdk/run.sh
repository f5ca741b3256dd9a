#!/bin/sh
# The official provider SDKs against the gateway binary.  Usage: tests/sdk/run.sh [BINARY] [TEST_FILE...]
# Needs npm (any version of Debian 12 or later); the Node that runs the tests comes with the packages.  And python3 with
# its venv: without it, or where its packages cannot be had, the tests of Python SDKs are skipped, and say so.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=${1:-$here/../../build/release/api-key-rotator}
[ $# -gt 0 ] && shift
if [ ! -x "$binary" ]; then
  echo "run.sh: no gateway binary at $binary" >&2
  exit 2
fi
AKR_BINARY=$(CDPATH='' cd -- "$(dirname -- "$binary")" && pwd)/$(basename -- "$binary")
export AKR_BINARY

# The names of the test files on the command line are relative to this folder.
cd "$here"
stamp=node_modules/.lock-installed
if ! cmp -s package-lock.json "$stamp"; then
  npm ci --loglevel=error
  cp package-lock.json "$stamp"
fi
# Not through node_modules/.bin: npm 9 makes no link there for a package that is only optional.
for bin in node_modules/node-linux-*/bin; do
  if [ -x "$bin/node" ]; then PATH=$here/$bin:$PATH; fi
done

# Made anew as a whole, so that nothing of an older list stays.
stamp=.venv/.requirements-installed
if ! cmp -s python/requirements.txt "$stamp"; then
  rm -rf .venv
  if python3 -m venv .venv &&
     .venv/bin/pip install --quiet --disable-pip-version-check --retries 2 --requirement python/requirements.txt; then
    cp python/requirements.txt "$stamp"
  else
    echo "run.sh: no Python packages: the tests of Python SDKs are skipped" >&2
  fi
fi
AKR_PYTHON=
if [ -f "$stamp" ]; then AKR_PYTHON=$here/.venv/bin/python; fi

[ $# -gt 0 ] || set -- ./*.test.mjs
# A clean environment: the SDKs read base URLs, keys and headers from theirs, and a proxy would only get in the way.
exec env -i PATH="$PATH" HOME=/nonexistent TMPDIR="${TMPDIR:-/tmp}" AKR_BINARY="$AKR_BINARY" \
  AKR_PYTHON="$AKR_PYTHON" \
  node --test --test-reporter=spec --test-concurrency=6 --test-timeout=60000 "$@"
