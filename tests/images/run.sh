#!/bin/sh
# The images, run without a container engine: the Dockerfiles, and the file systems that they make of both builds.  Builds the
# light one, which is quick where ccache has the enterprise one.  Usage: tests/images/run.sh [BINARY of the enterprise build].
# Needs root, for mounts and chroot, and binutils; scripts/check_images.sh builds the real images.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$here/../..
binary=${1:-$root/build/release/api-key-rotator}

if ! unshare --mount --propagation private true 2>/dev/null; then
  echo "images: skipped, this system allows no mounts, which an image's file system needs"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
if ! (cd "$root" && cmake --preset light && cmake --build --preset light) >"$root/build/light.log" 2>&1; then
  tail -n 40 "$root/build/light.log"
  exit 1
fi
python3 "$here/dockerfiles_test.py" --binary "$binary"
status=$?
for each in "$root/build/light/api-key-rotator" "$binary"; do
  python3 "$here/images_test.py" --binary "$each" || status=1
done
exit $status
