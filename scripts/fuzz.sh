#!/usr/bin/env bash
# Runs every libFuzzer target over its corpus and on from there, for some seconds each.
#
#   scripts/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]
#
# fuzz_NAME is NAME_fuzz.cpp beside its code; its corpus is tests/fuzz/NAME/.  A crash leaves its input in build/asan/.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -eq 0 ] || shift
scripts/install-deps.sh --test
cmake --preset asan
mapfile -t targets < <(ninja -C build/asan -t targets all | sed -nE 's/^(fuzz_[a-z0-9_]+): .*/\1/p' | sort -u)
[ $# -eq 0 ] || targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  echo "fuzz: there are no *_fuzz.cpp files" >&2
  exit 1
fi
ninja -C build/asan "${targets[@]}"

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
for target in "${targets[@]}"; do
  corpus=tests/fuzz/${target#fuzz_}
  seeds=()
  [ ! -d "$corpus" ] || seeds=("$corpus")
  mkdir "$found/$target"  # first, so that new inputs do not go into the corpus
  echo
  echo "==== $target"
  "build/asan/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=build/asan/ "$found/$target" "${seeds[@]}" 2>&1 |
    grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)'
done
