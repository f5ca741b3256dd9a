#!/usr/bin/env bash
# Lays out the root file system of an image: the program, stripped, the shared libraries that it needs, and what those
# read.  Nothing else: no shell, no package manager.  The Dockerfiles, the release and the tests all use it.
#
#   scripts/image_root.sh BINARY OUT     OUT must not exist
#
# OUT/root is the file system, owned by root; OUT/owned holds what the gateway's user owns below /app.  Both are apart
# because what a Dockerfile copies has one owner.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: scripts/image_root.sh BINARY OUT" >&2; exit 64; }
binary=$1
out=$2
here=$(cd "$(dirname "$0")/.." && pwd)
root=$out/root
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 022

mkdir "$out"
mkdir -p "$root"/{app,etc/ssl/certs,tmp,usr/local/bin,usr/share/doc/api-key-rotator}
mkdir -p "$out/owned/data"
chmod 0700 "$out/owned/data"
chmod 1777 "$root/tmp"
strip -o "$root/usr/local/bin/api-key-rotator" "$binary"

needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
# As they were resolved here; the stand-in of deploy/image/no_ldap.c comes first.
closure() {
  LD_LIBRARY_PATH=$scratch ldd "$@" >"$scratch/ldd"
  if grep 'not found' "$scratch/ldd" >&2; then return 1; fi
  sed -nE 's/^[[:space:]]*(.* => )?(\/[^ ]+) \(0x.*/\2/p' "$scratch/ldd" | sort -u
}

interpreter=$(readelf -l "$binary" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
libc=$(closure "$binary" | grep '/libc\.so')
libraries=/usr/lib/$(basename "$(dirname "$libc")")
subjects=("$binary")
if needs "$binary" | grep -q '^libpq\.so'; then
  "${CC:-clang-16}" -shared -fPIC -O2 -s -Wl,-soname,libldap-2.5.so.0 "-Wl,--version-script=$here/deploy/image/no_ldap.map" \
    -o "$scratch/libldap-2.5.so.0" "$here/deploy/image/no_ldap.c"
fi
if needs "$binary" | grep -q '^libmariadb\.so'; then
  # How accounts of MySQL 8 log in; libmariadb looks for them here unless MARIADB_PLUGIN_DIR is set.
  for name in caching_sha2_password sha256_password client_ed25519; do
    subjects+=("$libraries/libmariadb3/plugin/$name.so")
  done
fi

found=$(closure "${subjects[@]}")
for library in $found; do
  place=$libraries/$(basename "$library")
  [ "$(basename "$library")" = "$(basename "$interpreter")" ] && place=$interpreter
  install -D -m 0755 "$library" "$root$place"
done
for plugin in "${subjects[@]:1}"; do install -D -m 0644 "$plugin" "$root$plugin"; done

# Debian's, without what this machine may have been told to trust as well.
cat /usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
echo 'root:x:0:0:root:/:/nonexistent
rotator:x:10001:10001:API key rotator:/app:/nonexistent' >"$root/etc/passwd"
echo 'root:x:0:
rotator:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost
::1 localhost' >"$root/etc/hosts"
cp "$here/LICENSE" "$root/usr/share/doc/api-key-rotator/"
mapfile -t origins < <(grep -v "^$scratch/" <<<"$found")
python3 "$here/scripts/make_sbom.py" --root "$root" --binary "$binary" "${origins[@]}" "${subjects[@]:1}"
find "$out" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
