#!/usr/bin/env bash
# Is every C++ file as clang-format would write it?  scripts/check_format.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."

files() {
  find src tests bench \( -name node_modules -o -name .venv \) -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print0 | sort -z
}
case ${1:-} in
  --fix)
    files | xargs -0 -r -n 32 -P "$(nproc)" clang-format-16 -i
    ;;
  '')
    wrong=$(files | xargs -0 -r -n 1 -P "$(nproc)" \
      sh -c 'clang-format-16 --dry-run --Werror "$0" 2>/dev/null || echo "$0: not as clang-format writes it"')
    if [ -n "$wrong" ]; then
      echo "$wrong"
      echo "check_format: $(wc -l <<<"$wrong") files; scripts/check_format.sh --fix mends them"
      exit 1
    fi
    ;;
  *)
    echo "usage: scripts/check_format.sh [--fix]" >&2
    exit 64
    ;;
esac
echo "check_format: ok"
