#!/usr/bin/env bash
# What others wait while one peer is hostile: bench/README.md says what is measured.  All options go to fairness.py; try
# --help.  Ends with status 1 where the others' p99 is 50 ms or more.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/bench/fairness.py" "$@"
