#!/usr/bin/env bash
# Does the gateway compile and link for arm64?  Cross-compiles src/ against Debian 12's arm64 packages, which it downloads
# into build/arm64/sysroot once, and looks at what came out.  Where qemu-aarch64 (package qemu-user) is installed, it also has
# to say its version; nothing else of it is run.
#
#   scripts/check_arm64.sh       as root (mmdebstrap); the first time as long as a build from scratch
set -euo pipefail
cd "$(dirname "$0")/.."

sysroot=$PWD/build/arm64/sysroot
out=$PWD/build/arm64/out
started=$SECONDS

for program in mmdebstrap clang++-16 mold readelf; do
  command -v "$program" >/dev/null || { echo "check_arm64: $program is missing (apt-get install)" >&2; exit 1; }
done

# What scripts/install-deps.sh installs for this machine, and what its compiler brings along.
libraries() {
  scripts/install-deps.sh --list | grep -- '-dev$'
  printf '%s\n' libc6-dev libstdc++-12-dev
}

# Another list of packages needs another sysroot.
wanted=$(libraries | sort | paste -sd,)
if [ "$(cat "$sysroot.packages" 2>/dev/null)" != "$wanted" ]; then
  [ "$(id -u)" -eq 0 ] || { echo "check_arm64: run it as root: mmdebstrap makes device files" >&2; exit 1; }
  rm -rf "$sysroot" "$out"
  mkdir -p "$(dirname "$sysroot")"
  # "extract": nothing of it runs, so no emulator is needed.
  mmdebstrap --quiet --variant=extract --architectures=arm64 --include="$wanted" bookworm "$sysroot"
  printf '%s' "$wanted" >"$sysroot.packages"
  echo "check_arm64: made build/arm64/sysroot in $((SECONDS - started)) s"
fi

cmake -S . -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DAKR_TESTS=OFF -DAKR_SYSROOT="$sysroot" \
  -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchain-arm64.cmake" >"$out.log" || { cat "$out.log" >&2; exit 1; }
cmake --build "$out" --parallel "$(nproc)" --target api-key-rotator

machine=$(readelf -h "$out/api-key-rotator" | sed -n 's/^ *Machine: *//p')
[ "$machine" = AArch64 ] || { echo "check_arm64: the binary is for '$machine'" >&2; exit 1; }
if command -v qemu-aarch64 >/dev/null; then
  qemu-aarch64 -L "$sysroot" "$out/api-key-rotator" --version
fi
echo "check_arm64: $machine, linked, in $((SECONDS - started)) s"
