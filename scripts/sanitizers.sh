#!/usr/bin/env bash
# Unit and integration tests under AddressSanitizer and UBSan (or ThreadSanitizer).  Not those with database servers
# (ctest -L db): their limits are of time.
#
#   scripts/sanitizers.sh [asan|tsan]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-asan}
case $preset in
  asan | tsan) ;;
  *) echo "usage: scripts/sanitizers.sh [asan|tsan]" >&2; exit 64 ;;
esac
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1}
scripts/install-deps.sh --test
cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$(nproc)"
ctest --preset "$preset" --parallel "$(nproc)" --timeout 240 --label-exclude '^db$'
