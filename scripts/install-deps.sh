#!/usr/bin/env bash
# Installs what is needed, by name, from the package sources of Debian 12.  Does nothing where nothing is missing.
#
#   scripts/install-deps.sh            what the build of the gateway needs
#   scripts/install-deps.sh --image    and what lays out the file system of an image
#   scripts/install-deps.sh --test     and what the tests and checks need
#   scripts/install-deps.sh --bench    and the proxies that bench/compare.sh compares with
#   scripts/install-deps.sh --list     only prints the names, behind or before the other options
set -euo pipefail

build=(clang-16 cmake ninja-build ccache mold pkg-config ca-certificates
       libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libssl-dev libc-ares-dev libsimdjson-dev
       libsoci-dev libsqlite3-dev libmariadb-dev libpq-dev libsodium-dev libjwt-dev prometheus-cpp-dev libcli11-dev
       libre2-dev zlib1g-dev libbrotli-dev libzstd-dev)
image=(binutils python3)
tests=(valgrind binutils libgtest-dev libgmock-dev libbenchmark-dev libclang-rt-16-dev clang-format-16 clang-tidy-16 curl python3
       python3-venv openssl nodejs npm mariadb-server-core mariadb-client-core postgresql
       docker-compose python3-yaml python3-jsonschema nginx-light caddy dpkg-dev mmdebstrap strace mandoc)
benches=(nginx-light haproxy)
# Programs that may just as well come from somewhere else than Debian.
declare -A program=([curl]=curl [python3]=python3 [nodejs]=node [npm]=npm [cmake]=cmake [ninja-build]=ninja
                    [pkg-config]=pkg-config [nginx-light]=nginx [haproxy]=haproxy [openssl]=openssl [caddy]=caddy [docker-compose]=docker-compose)

wanted=("${build[@]}")
list=false
for option in "$@"; do
  case $option in
    --image) wanted+=("${image[@]}") ;;
    --test) wanted+=("${tests[@]}") ;;
    --bench) wanted+=("${benches[@]}") ;;
    --list) list=true ;;
    *) echo "usage: scripts/install-deps.sh [--image] [--test] [--bench] [--list]" >&2; exit 64 ;;
  esac
done
if $list; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

is_installed() {
  if [ "$1" = python3-venv ] && python3 -c 'import ensurepip, venv' 2>/dev/null; then return 0; fi
  if [ -n "${program[$1]:-}" ] && command -v "${program[$1]}" >/dev/null; then return 0; fi
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: nothing is missing"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: these packages are missing, and there is no sudo to install them with:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "install-deps: installing with apt-get: ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
