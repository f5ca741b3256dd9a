#!/usr/bin/env bash
# Installs what is missing, builds the release with all tests, runs them and sums up.  Needs no network but for packages.
#
#   scripts/test.sh [--skip-install] [--skip-ctest] [--skip-conformance] [--skip-sdk] [--skip-database] [--skip-deploy]
#                   [--skip-package] [--skip-images]
#
# Exit 0 only if every part that was not skipped passed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

usage="usage: scripts/test.sh [--skip-install] [--skip-ctest] [--skip-conformance] [--skip-sdk] [--skip-database] [--skip-deploy] [--skip-package] [--skip-images]"
skipped=" "
for option in "$@"; do
  case $option in
    --skip-install | --skip-ctest | --skip-conformance | --skip-sdk | --skip-database | --skip-deploy | --skip-package | --skip-images) skipped+="${option#--skip-} " ;;
    *) echo "$usage" >&2; exit 64 ;;
  esac
done
is_skipped() { [[ $skipped == *" $1 "* ]]; }

summary=()
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

part() {  # NAME COMMAND...: runs it, keeps its output for the counts
  local name=$1
  shift
  echo
  echo "==== $name"
  "$@" 2>&1 | tee "$scratch/$name"
  return "${PIPESTATUS[0]}"
}

note() {  # NAME STATUS COUNTS
  summary+=("$(printf '%-12s %-6s %s' "$1" "$([ "$2" -eq 0 ] && echo ok || echo FAILED)" "$3")")
  [ "$2" -eq 0 ] || failed=1
}

# GoogleTest writes one XML file per binary; ctest itself counts only binaries.
gtest_counts() {
  python3 - "$scratch/gtest" <<'PY'
import pathlib, sys
import xml.etree.ElementTree as tree
total = bad = skipped = 0
for file in pathlib.Path(sys.argv[1]).glob("*.xml"):
    root = tree.parse(file).getroot()
    total += int(root.get("tests"))
    bad += int(root.get("failures")) + int(root.get("errors", 0))
    skipped += sum(1 for case in root.iter("testcase") if case.get("result") == "skipped")
print(f"{total - bad - skipped} passed, {bad} failed, {skipped} skipped")
PY
}

sum_of_counts() {  # FILE, with several lines "N passed, N failed, N skipped"
  sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$1" |
    awk '{p += $1; f += $2; s += $3} END {printf "%d passed, %d failed, %d skipped", p, f, s}'
}

# So that ccache knows again, in the light build, what it compiled for this one.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

build() {
  cmake --preset release -DAKR_TESTS=ON && cmake --build --preset release --parallel "$(nproc)"
}

if ! is_skipped install; then
  scripts/install-deps.sh --test || exit 1
  export AKR_DATABASES=required AKR_DEPLOY=required  # now they are there: nothing passes because it tested nothing
fi
part build build
status=$?
note build $status ""
if [ $status -eq 0 ]; then
  if ! is_skipped ctest; then
    mkdir "$scratch/gtest"
    GTEST_OUTPUT="xml:$scratch/gtest/" part ctest ctest --preset release --parallel "$(nproc)"
    note ctest $? "$(gtest_counts)"
  fi
  if ! is_skipped conformance; then
    part conformance python3 tests/conformance/run.py --binary build/release/api-key-rotator
    note conformance $? "$(grep -E '^[0-9]+ passed' "$scratch/conformance" | tail -n 1)"
  fi
  if ! is_skipped sdk; then
    part sdk tests/sdk/run.sh build/release/api-key-rotator
    note sdk $? "$(sed -nE 's/^[^ ]+ (pass|fail|skipped) ([0-9]+)$/\2 \1/p' "$scratch/sdk" |
      sed 's/pass$/passed/; s/fail$/failed/' | paste -sd, | sed 's/,/, /g')"
  fi
  if ! is_skipped database; then
    part database tests/database/run.sh build/release/api-key-rotator
    note database $? "$(sum_of_counts "$scratch/database")"
  fi
  if ! is_skipped deploy; then
    part deploy tests/deploy/run.sh build/release/api-key-rotator
    note deploy $? "$(sum_of_counts "$scratch/deploy")"
  fi
  if ! is_skipped package; then
    part package tests/package/run.sh build/release/api-key-rotator
    note package $? "$(sum_of_counts "$scratch/package")"
  fi
  if ! is_skipped images; then
    part images tests/images/run.sh build/release/api-key-rotator
    note images $? "$(sum_of_counts "$scratch/images")"
  fi
fi

echo
echo "==== summary"
printf '%s\n' "${summary[@]}"
exit $failed
