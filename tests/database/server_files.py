"""The programs of the database servers, and data directories as they make them: made once per machine and copied, since a
server takes longer to make one than to start.  tests/support/database_files.cpp shares them.
"""

import glob
import os
import pwd
import re
import shutil
import subprocess
import tempfile

ADMIN = "akr_admin"   # may everything
USER = "akr"          # as operators make it: all of databases named akr_*, no more
PASSWORD = "p@ss:w/rd %41"
MARIADB, POSTGRESQL = "mariadb", "postgresql"
KINDS = (MARIADB, POSTGRESQL)
PACKAGES = {MARIADB: "mariadb-server-core", POSTGRESQL: "postgresql"}
RECIPE = "-1"         # of the data directories in the cache; tests/support/database_files.cpp shares them


class NoServer(Exception):
    """It is not installed, or does not start; the text says why."""


def program(name):
    """The newest one where Debian puts them, or None."""
    folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
    folders += sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return next((f"{folder}/{name}" for folder in folders if os.access(f"{folder}/{name}", os.X_OK)), None)


def is_installed(kind):
    return program("mariadbd" if kind == MARIADB else "initdb") is not None


def server_user(kind):
    """(uid, gid) of whose server it is, or None: ours."""
    if kind != POSTGRESQL or os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid


def give(kind, path):
    user = server_user(kind)
    if user:
        os.chown(path, *user)


def credentials(kind):
    user = server_user(kind)
    return {"user": user[0], "group": user[1], "extra_groups": []} if user else {}


def run(kind, command, text=""):
    done = subprocess.run(command, input=text.encode(), capture_output=True, env={"PATH": os.environ["PATH"], "LANG": "C"},
                          cwd="/", **credentials(kind))
    if done.returncode:
        raise NoServer(f"{command[0]} failed: {(done.stdout + done.stderr).decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


def me():
    return pwd.getpwuid(os.geteuid()).pw_name


def make_data(kind, directory):
    """A new data directory with its accounts; MariaDB gets those at each start."""
    if kind == MARIADB:
        run(None, [program("mariadb-install-db"), "--no-defaults", f"--user={me()}", f"--datadir={directory}",
                   "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M",
                   "--innodb-autoextend-increment=1"])
        return
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(PASSWORD + "\n")
        password.flush()
        give(kind, password.name)
        run(kind, [program("initdb"), f"--pgdata={directory}", "--no-sync", "--no-locale", "--encoding=UTF8",
                   "--auth=scram-sha-256", f"--username={ADMIN}", f"--pwfile={password.name}"])
    run(kind, [program("postgres"), "--single", "-D", directory, "-c", "fsync=off", "postgres"],
        f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}';\n")


def cache_directory():
    path = os.environ.get("AKR_DATABASE_CACHE") or os.path.join(tempfile.gettempdir(), f"akr-databases-{os.geteuid()}")
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(path)
    if not os.path.isdir(path) or os.path.islink(path) or found.st_uid != os.geteuid():
        raise NoServer(f"{path} is not a directory of ours")
    return path


def copy_data(kind, directory):
    """Copies one that was made before: a server takes longer to make one than to start."""
    version = run(None, [program("mariadbd" if kind == MARIADB else "postgres"), "--version"])
    ready = os.path.join(cache_directory(), re.sub(r"[^A-Za-z0-9.-]", "", version)[:100] + RECIPE)
    if not os.path.exists(ready):
        scratch = tempfile.mkdtemp(prefix="akr-test-")
        give(kind, scratch)
        make_data(kind, f"{scratch}/data")
        mine = f"{ready}.{os.getpid()}"
        run(None, ["/bin/cp", "-a", "--sparse=always", f"{scratch}/data", mine])
        shutil.rmtree(scratch)
        try:
            os.rename(mine, ready)
        except OSError:   # another process was faster
            shutil.rmtree(mine)
    run(None, ["/bin/cp", "-a", "--sparse=always", ready, directory])
