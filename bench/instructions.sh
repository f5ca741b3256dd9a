#!/usr/bin/env bash
# Counts user-space instructions per proxied request (deterministic, needs valgrind).
#   instructions.sh            prints instructions_per_request=N
#   instructions.sh --check    and fails when that is more than 3 % above bench/instructions.baseline or above 25,000
#   instructions.sh --functions N   and the N functions with most of them
#   instructions.sh --update   and makes it the new baseline
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/bench/build-tools.sh"

export PATH="$PATH:/usr/sbin" PYTHONDONTWRITEBYTECODE=1
exec python3 "$root/bench/instructions.py" --tools "$tools" "$@"
