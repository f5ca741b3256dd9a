#!/usr/bin/env bash
# Installs what is missing, builds the gateway and runs it in the foreground with the current environment.
#
#   scripts/run.sh                build and run
#   scripts/run.sh --build-only   build build/release/api-key-rotator and stop there
set -euo pipefail
cd "$(dirname "$0")/.."

build_only=false
for option in "$@"; do
  case $option in
    --build-only) build_only=true ;;
    *) echo "usage: scripts/run.sh [--build-only]" >&2; exit 64 ;;
  esac
done

scripts/install-deps.sh
cmake --preset run
cmake --build --preset run --parallel "$(nproc)" --target api-key-rotator
binary=build/release/api-key-rotator
if $build_only; then
  echo "built $binary"
  exit 0
fi

setting() {  # the value that the gateway will see; settings it reads from .env itself
  local name=$1 default=$2 value=${!1:-}
  if [ -z "$value" ] && [ -f .env ]; then
    value=$(sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$name[[:space:]]*=[[:space:]]*[\"']?([^\"'#[:space:]]*).*/\2/p" .env | tail -n 1)
  fi
  printf '%s' "${value:-$default}"
}
url=http://localhost:$(setting BACKEND_PORT 8000)
[ -z "$(setting TLS_CERT_FILE '')" ] || url=https${url#http}

cat <<STEPS

The gateway will listen on $url (stop it with Ctrl-C).  First steps, in another terminal:

  curl $url/healthz

  # The administrator's password is ADMIN_PASSWORD, or what the first start prints below, once.
  curl $url/admin/login -H 'Content-Type: application/json' \\
       -d '{"username": "$(setting ADMIN_USERNAME admin)", "password": "..."}'

Then add a service and its keys: README.md, "First service".  Clients need an access key of GLOBAL_PROXY_KEYS.

STEPS
exec "$binary"
