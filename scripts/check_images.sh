#!/usr/bin/env bash
# Builds both images with buildah and runs what came out, as tests/images/run.sh does with the file systems alone.  Compiles
# everything, so it is not part of scripts/test.sh.  Needs root, buildah, and the base image: one in the storage, or one
# made by mmdebstrap where that is installed, or one that can be pulled.
#
#   scripts/check_images.sh [FOLDER]      FOLDER: storage, ccache and archives; build/images unless given
#   BASE_IMAGE=debian:12 STORAGE_DRIVER=overlay scripts/check_images.sh
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(realpath -m "${1:-build/images}")
base=${BASE_IMAGE:-docker.io/library/debian:12}
export STORAGE_DRIVER=${STORAGE_DRIVER:-overlay} BUILDAH_ISOLATION=chroot
command -v buildah >/dev/null || { echo "check_images: buildah is missing: apt-get install buildah" >&2; exit 1; }
# The builds have nearly all objects in common.
mkdir -p "$folder/ccache"
printf 'base_dir = /src\nhash_dir = false\n' >"$folder/ccache/ccache.conf"
scratch=$(mktemp -d)
failed=0

in_storage() { buildah --root "$folder/storage" --runroot "$folder/run" "$@"; }
clean_up() {
  in_storage rm --all >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap clean_up EXIT

make_base() {
  in_storage inspect --type image "$base" >/dev/null 2>&1 && return
  if ! command -v mmdebstrap >/dev/null; then
    in_storage pull "$base"
    return
  fi
  mmdebstrap --quiet --variant=minbase bookworm "$scratch/base.tar"
  local container
  container=$(in_storage from scratch)
  in_storage add --quiet "$container" "$scratch/base.tar" / >/dev/null
  in_storage commit --quiet "$container" "$base" >/dev/null
  in_storage rm "$container" >/dev/null
}

build() {  # DOCKERFILE TAG CONTEXT
  in_storage bud --layers --volume "$folder/ccache:/root/.cache/ccache" --pull-never --format docker --build-arg "BASE_IMAGE=$base" \
    --build-arg "SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-}" -f "$1" -t "$2" "$3"
}

say() { echo "$(date +%H:%M:%S) $*"; }

# A line of the sources changes: everything up to them must come from the layers.  What comes behind is left out of the
# Dockerfile here, since it would compile all again.
check_cache() {
  local context=$scratch/context
  mkdir "$context"
  cp -a CMakeLists.txt CMakePresets.json LICENSE cmake src scripts deploy .dockerignore "$context"
  echo "// A line more." >>"$context/src/app/main.cpp"
  sed '/^RUN cmake/,$d' Dockerfile >"$context/Dockerfile"
  build "$context/Dockerfile" changed:latest "$context" >"$scratch/changed" 2>&1
  local steps cached
  steps=$(grep -c '^STEP' "$scratch/changed")
  cached=$(grep -c 'Using cache' "$scratch/changed")
  echo "after a change of one line: $cached of $steps steps before the compile come from the layers"
  # Not one: FROM, which makes nothing, and the changed sources.  BASE_IMAGE's own line is no step everywhere.
  if [ "$cached" -lt 5 ] || ! sed -n '/^STEP.*scripts\/install-deps.sh --image/,/^STEP/p' "$scratch/changed" | grep -q 'Using cache'; then
    cat "$scratch/changed"
    failed=1
  fi
}

# What an engine will do with it.
check_config() {  # TAG
  in_storage inspect --type image "$1" | python3 -c '
import json, sys
config = json.load(sys.stdin)["Docker"]["config"]
program = "/usr/local/bin/api-key-rotator"
wanted = {"User": "10001:10001", "WorkingDir": "/app", "Entrypoint": [program], "StopSignal": "SIGTERM",
          "Volumes": {"/app/data": {}}, "ExposedPorts": {"8000/tcp": {}}}
wrong = [name for name, value in wanted.items() if config.get(name) != value]
if config["Healthcheck"]["Test"] != ["CMD", program, "healthcheck"]: wrong.append("Healthcheck")
sys.exit(f"{sys.argv[1]}: {wrong} in {config}" if wrong else 0)' "$1" || failed=1
}

try() {  # BUILD DOCKERFILE TAG
  local container begin=$SECONDS
  say "docker build -t $3 -f $2 ."
  build "$2" "$3" . >"$folder/$1.log" 2>&1 || { tail -n 40 "$folder/$1.log"; exit 1; }
  say "built in $((SECONDS - begin)) s, $(grep -c 'Using cache' "$folder/$1.log") steps from the layers"
  check_config "$3"
  rm -f "$folder/api-key-rotator-$1.oci.tar"
  in_storage push --quiet "$3" "oci-archive:$folder/api-key-rotator-$1.oci.tar:$3"
  echo "archive of the image, packed: $(stat -c %s "$folder/api-key-rotator-$1.oci.tar") bytes"
  container=$(in_storage from --pull-never "$3")
  AKR_IMAGE_ROOT=$(in_storage mount "$container") python3 tests/images/images_test.py -v || failed=1
  in_storage rm "$container" >/dev/null
}

make_base
try light Dockerfile api-key-rotator:latest
try enterprise Dockerfile.enterprise api-key-rotator:enterprise
check_cache
exit $failed
