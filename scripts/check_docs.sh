#!/usr/bin/env bash
# Are the generated files current, do both languages have the same headings, is every setting read somewhere?
#
#   scripts/check_docs.sh [--fix] [BINARY]     --fix writes the generated files anew
set -euo pipefail
cd "$(dirname "$0")/.."

fix=false
if [ "${1:-}" = --fix ]; then
  fix=true
  shift
fi
binary=${1:-build/release/api-key-rotator}
failed=0

generated() {  # FILE ARGUMENTS...
  local file=$1
  shift
  if $fix; then
    "$binary" "$@" >"$file"
  elif ! diff -u "$file" <("$binary" "$@"); then
    echo "check_docs: $file is not what '$binary $*' prints; run scripts/check_docs.sh --fix" >&2
    failed=1
  fi
}

# Between the lines <!-- generated: NAME --> and <!-- end of NAME -->.
generated_part() {  # FILE NAME ARGUMENTS...
  local file=$1 name=$2 whole
  shift 2
  whole=$(mktemp)
  "$binary" "$@" | python3 scripts/replace_part.py "$file" "$name" >"$whole"
  if $fix; then
    cat "$whole" >"$file"
  elif ! diff -u "$file" "$whole"; then
    echo "check_docs: the part '$name' of $file is not what '$binary $*' prints; run scripts/check_docs.sh --fix" >&2
    failed=1
  fi
  rm -f "$whole"
}

generated .env.example env-example
generated docs/en/configuration.md docs --lang en
generated docs/zh-CN/configuration.md docs --lang zh-CN
for language in en zh-CN; do
  for part in service-fields key-fields errors; do
    generated_part docs/$language/admin-api.md $part docs $part --lang $language
  done
done

python3 scripts/check_docs.py || failed=1
exit $failed
