#!/usr/bin/env bash
# Is every C++ file as clang-format would write it?  scripts/check_format.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  --fix) how=(-i) ;;
  '') how=(--dry-run --Werror) ;;
  *) echo "usage: scripts/check_format.sh [--fix]" >&2; exit 64 ;;
esac
find src tests bench -name node_modules -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
  xargs -0 -r -n 32 -P "$(nproc)" clang-format-16 "${how[@]}"
echo "check_format: ok"
