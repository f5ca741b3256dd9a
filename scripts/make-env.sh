#!/bin/sh
# Makes .env from .env.example with generated secrets, and the folder data/ for them, as docker-compose*.yml expect both.
#
#   scripts/make-env.sh [FILE]       FILE: instead of .env
#
# Never overwrites a file: what it holds may be the only copy of ENCRYPTION_KEY.  The file has mode 0600.  Needs nothing
# but a POSIX system with /dev/urandom.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target=${1:-$root/.env}
data=$(dirname -- "$target")/data
container_user=10001   # of the images

die() {
  echo "make-env: $1" >&2
  exit "$2"
}

[ $# -le 1 ] || die "usage: scripts/make-env.sh [FILE]" 64
if [ -e "$target" ] || [ -L "$target" ]; then
  die "$target is there already and stays as it is; move it away to get new secrets (ENCRYPTION_KEY opens the stored keys)" 1
fi

random_hex() {  # BYTES
  hex=$(od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n')
  [ ${#hex} -eq $(($1 * 2)) ] || die "/dev/urandom gave too little" 1
  printf %s "$hex"
}

# In the environment of awk, not on its command line, which everybody on the machine can read.
ADMIN_PASSWORD=$(random_hex 16)
JWT_SECRET=$(random_hex 32)
ENCRYPTION_KEY=$(random_hex 32)
GLOBAL_PROXY_KEYS=$(random_hex 24)
DB_PASSWORD=$(random_hex 16)
MYSQL_ROOT_PASSWORD=$(random_hex 16)
names="ADMIN_PASSWORD JWT_SECRET ENCRYPTION_KEY GLOBAL_PROXY_KEYS DB_PASSWORD"
export ADMIN_PASSWORD JWT_SECRET ENCRYPTION_KEY GLOBAL_PROXY_KEYS DB_PASSWORD MYSQL_ROOT_PASSWORD

umask 077
draft=$(mktemp "$target.XXXXXX")
trap 'rm -f "$draft"' EXIT
awk -v names="$names" '
  BEGIN { count = split(names, list, " "); for (i = 1; i <= count; ++i) wanted["#" list[i] "="] = list[i] }
  $0 in wanted { print wanted[$0] "=" ENVIRON[wanted[$0]]; ++found; next }
  { print }
  END { exit found != count }' "$root/.env.example" >"$draft" || die ".env.example does not have all of: $names" 1

if [ "$(id -u)" -eq 0 ]; then
  gateway_user=$container_user:$container_user
else
  gateway_user=$(id -u):$(id -g)
fi
{
  printf '\n# ---- Only for docker-compose*.yml / 仅用于 docker-compose*.yml ----\n\n'
  printf '# Password of the user root of the MySQL server.\n# MySQL 服务器 root 用户的密码。\n'
  printf 'MYSQL_ROOT_PASSWORD=%s\n\n' "$MYSQL_ROOT_PASSWORD"
  printf '# Ids that the gateway has in its container: those of the owner of ./data.\n'
  printf '# 网关在容器中使用的用户与组 ID：与 ./data 的所有者相同。\nGATEWAY_USER=%s\n' "$gateway_user"
} >>"$draft"

mkdir -p "$data"
if [ "$(id -u)" -eq 0 ]; then chown "$container_user:$container_user" "$data"; fi
# A link, unlike a rename, leaves alone what somebody else made meanwhile.
ln "$draft" "$target" 2>/dev/null || die "$target cannot be made, or somebody else just made it" 1

echo "make-env: made $target (mode 0600) and $data"
echo "make-env: it holds new values of $names MYSQL_ROOT_PASSWORD; to see one:"
echo "    sed -n 's/^ADMIN_PASSWORD=//p' $target        # login at /admin, user admin"
echo "    sed -n 's/^GLOBAL_PROXY_KEYS=//p' $target     # the access key of your clients"
echo "make-env: keep a copy of it in a safe place: without ENCRYPTION_KEY the stored keys cannot be read"
