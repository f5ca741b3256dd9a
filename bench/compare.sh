#!/usr/bin/env bash
# Compares the gateway with nginx, HAProxy and a byte relay: bench/README.md says what is measured.
# All options go to compare.py; try --help, or --quick for a smoke run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/bench/build-tools.sh"

export PATH="$PATH:/usr/sbin" PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/bench/compare.py" --tools "$tools" "$@"
