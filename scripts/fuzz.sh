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

fuzz() {  # TARGET: new inputs go into a directory of its own, not into the corpus
  local target=$1 corpus=tests/fuzz/${1#fuzz_} seeds=()
  [ ! -d "$corpus" ] || seeds=("$corpus")
  mkdir "$found/$target"
  "build/asan/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=build/asan/ "$found/$target" "${seeds[@]}" >"$found/$target.log" 2>&1
}

# As many at a time as there are processors; each is told when it has ended.
failed=()
running=()
finish_first() {
  local target=${running[0]%%:*} status=0
  wait "${running[0]##*:}" || status=$?
  running=("${running[@]:1}")
  echo
  echo "==== $target"
  grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|RELOAD)' "$found/$target.log" || true
  [ $status -eq 0 ] || failed+=("$target")
}
for target in "${targets[@]}"; do
  [ ${#running[@]} -lt "$(nproc)" ] || finish_first
  fuzz "$target" &
  running+=("$target:$!")
done
while [ ${#running[@]} -gt 0 ]; do finish_first; done
if [ ${#failed[@]} -gt 0 ]; then
  for target in "${failed[@]}"; do grep -vE '^#[0-9]+|# Uses:' "$found/$target.log" | tail -40; done  # the end is read first
  echo "fuzz: FAILED: ${failed[*]}" >&2
  exit 1
fi
