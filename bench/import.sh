#!/usr/bin/env bash
# What a large import costs the clients meanwhile: bench/README.md says what is measured.  All options go to import.py.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/bench/build-tools.sh"

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/bench/import.py" --tools "$tools" "$@"
