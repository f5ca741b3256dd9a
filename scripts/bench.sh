#!/usr/bin/env bash
# Builds and runs the micro-benchmarks that stand beside the code.  scripts/bench.sh [PATTERN]
# (Load tests against other proxies: bench/compare.sh.)
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-deps.sh --test
cmake --preset release
mapfile -t targets < <(ninja -C build/release -t targets all | sed -nE 's/^(akr_[a-z_]+_bench): .*/\1/p' | sort -u)
if [ ${#targets[@]} -eq 0 ]; then
  echo "bench: there are no *_bench.cpp files" >&2
  exit 1
fi
ninja -C build/release "${targets[@]}"
for target in "${targets[@]}"; do
  echo
  echo "==== $target"
  "build/release/$target" --benchmark_filter="${1:-.}"
done
