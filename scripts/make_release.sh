#!/usr/bin/env bash
# Makes all that a release ships, from the commit that is checked out, with checksums.  Needs what scripts/install-deps.sh
# --image installs, and dpkg-dev for the Debian packages.
#
#   scripts/make_release.sh [--skip-images] [OUT]      OUT: dist unless given; must be empty
#
#   SHA256SUMS                              of everything else; `sha256sum -c SHA256SUMS`
#   api-key-rotator-VERSION-source.tar.gz   the sources
#   api-key-rotator-VERSION-BUILD-debian12-ARCH.tar.gz     the program of each build, for Debian 12, and its papers
#   api-key-rotator-VERSION-BUILD-ARCH.spdx.json           what the image of each build is made of
#   api-key-rotator-VERSION-BUILD-ARCH.oci.tar             the image: docker load (25 or later), podman load, skopeo copy; made as root
#                                           where buildah is
#   *.deb                                   where CPack is configured
#   api-key-rotator-CHART.tgz               the Helm chart
set -euo pipefail
cd "$(dirname "$0")/.."

usage="usage: scripts/make_release.sh [--skip-images] [OUT]"
images=yes
out=dist
for option in "$@"; do
  case $option in
    --skip-images) images=no ;;
    -*) echo "$usage" >&2; exit 64 ;;
    *) out=$option ;;
  esac
done
if [ -n "$(git status --porcelain)" ]; then
  echo "make_release: there are changes that are not committed; a release is made of a commit" >&2
  exit 1
fi
if [ -n "$(ls -A "$out" 2>/dev/null)" ]; then
  echo "make_release: $out is not empty" >&2
  exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
arch=$(dpkg --print-architecture)
# Whoever makes it again gets the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pack() {  # FILE FOLDER NAME: NAME of FOLDER
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$2" -cf - "$3" | gzip -9n >"$1"
}

make_program() {  # BUILD
  local papers=usr/share/doc/api-key-rotator name=api-key-rotator-$version-$1-debian12-$arch
  cmake --preset "$1" >"$scratch/$1.log"
  cmake --build --preset "$1" >>"$scratch/$1.log" || { tail -n 40 "$scratch/$1.log"; exit 1; }
  scripts/image_root.sh "build/$1/api-key-rotator" "$scratch/$1"
  mkdir "$scratch/$name"
  cp "$scratch/$1/root/usr/local/bin/api-key-rotator" LICENSE README.md README_CN.md CHANGELOG.md .env.example "$scratch/$name"
  cp -r docs deploy docker-compose*.yml "$scratch/$1/root/$papers/licenses.txt" "$scratch/$name"
  pack "$out/$name.tar.gz" "$scratch" "$name"
  cp "$scratch/$1/root/$papers/sbom.spdx.json" "$out/api-key-rotator-$version-$1-$arch.spdx.json"
  if [ -e "build/$1/CPackConfig.cmake" ]; then
    (cd "build/$1" && cpack -G DEB -B "$scratch/deb-$1" >>"$scratch/$1.log")
    cp "$scratch/deb-$1"/*.deb "$out"
  fi
}

make_images() {
  if [ "$images" = no ] || ! command -v buildah >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "make_release: no images: --skip-images, no buildah, or not root"
    return
  fi
  scripts/check_images.sh build/images
  for build in light enterprise; do
    cp "build/images/api-key-rotator-$build.oci.tar" "$out/api-key-rotator-$version-$build-$arch.oci.tar"
  done
}

make_chart() {
  local chart=deploy/helm/api-key-rotator
  pack "$out/api-key-rotator-$(sed -n 's/^version: *//p' $chart/Chart.yaml).tgz" deploy/helm api-key-rotator
}

git archive --format=tar --prefix="api-key-rotator-$version/" HEAD | gzip -9n >"$out/api-key-rotator-$version-source.tar.gz"
make_program light
make_program enterprise
make_images
make_chart
(cd "$out" && sha256sum -- * >"$scratch/sums" && mv "$scratch/sums" SHA256SUMS && sha256sum --quiet -c SHA256SUMS)
echo "make_release: $(wc -l <"$out/SHA256SUMS") files in $out"
