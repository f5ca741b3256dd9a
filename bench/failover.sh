#!/usr/bin/env bash
# What failing keys cost the clients: bench/README.md says what is measured.  All options go to failover.py; try --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/bench/build-tools.sh"

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/bench/failover.py" --tools "$tools" "$@"
