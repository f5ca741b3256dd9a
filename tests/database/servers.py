"""Private MariaDB and PostgreSQL servers on free ports of 127.0.0.1, as tests/support/database_process.hpp starts them.

Needs the Debian packages mariadb-server-core, mariadb-client-core and postgresql, no configuration, and no root.  As root
PostgreSQL runs as its user `postgres`.  A server ends with the test, however that ends; start servers from the main thread only.
"""

import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from server_files import ADMIN, MARIADB, PACKAGES, PASSWORD, USER, NoServer, copy_data, credentials, give, is_installed, me, program

def free_port():
    """Below the ports that the kernel gives to connections: one of those could take ours while the server is down."""
    while True:
        port = random.randint(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def end_with_parent():
    """In the new process."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    running = []   # what remove_all() still has to end

    def __init__(self, kind, settings=(), durable=False, tls=None, directory=None):
        """`settings`: "max_connections=5", of either server.  `tls`: (certificate, key[, CA of the clients]), PEM
        files.  `directory`: where
        its files lie instead of a temporary directory."""
        if not is_installed(kind):
            raise NoServer(f"{PACKAGES[kind]} is not installed")
        self.kind, self.settings, self.durable, self.tls = kind, list(settings), durable, tls
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="akr-test-")
        give(kind, self.directory)
        copy_data(kind, f"{self.directory}/data")
        self._write_accounts()
        self._copy_certificates()
        self.process, self.databases = None, 0
        Server.running.append(self)
        for attempt in range(3):   # somebody may take the port in between
            self.port = free_port()
            try:
                return self.start()
            except NoServer:
                if attempt == 2:
                    raise

    def _write_accounts(self):
        with open(f"{self.directory}/accounts.sql", "w") as out:
            for user, rights in ((ADMIN, "ALL ON *.* TO '{}'@'%' WITH GRANT OPTION"), (USER, "ALL ON `akr\\_%`.* TO '{}'@'%'")):
                out.write(f"CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT {rights.format(user)};\n")

    def _copy_certificates(self):
        for source, name in zip(self.tls or (), ("server.pem", "server.key", "clients.pem")):
            shutil.copyfile(source, f"{self.directory}/{name}")
            os.chmod(f"{self.directory}/{name}", 0o400)
            give(self.kind, f"{self.directory}/{name}")

    def _command(self):
        home = self.directory
        if self.kind == MARIADB:
            command = [program("mariadbd"), "--no-defaults", f"--user={me()}", f"--datadir={home}/data",
                       f"--socket={home}/socket", f"--pid-file={home}/pid", f"--init-file={home}/accounts.sql",
                       "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=0",
                       "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--innodb-autoextend-increment=1",
                       "--innodb-use-native-aio=0", "--max-connections=200", "--character-set-server=utf8mb4"]
            fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync"]
            tls = [f"--ssl-cert={home}/server.pem", f"--ssl-key={home}/server.key", f"--ssl-ca={home}/clients.pem"]
        else:
            command = [program("postgres"), "-D", f"{home}/data", f"--unix_socket_directories={home}",
                       "--listen_addresses=127.0.0.1", "--shared_buffers=32MB", "--max_connections=200",
                       "--max_wal_size=256MB", "--dynamic_shared_memory_type=mmap"]
            fast = ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off"]
            tls = ["--ssl=on", f"--ssl_cert_file={home}/server.pem", f"--ssl_key_file={home}/server.key",
                   f"--ssl_ca_file={home}/clients.pem"]
        command += [f"--port={self.port}"] + ([] if self.durable else fast) + (tls[:-1] if len(self.tls or ()) == 2 else tls if self.tls else [])
        return command + [f"--{setting}" for setting in self.settings]

    def launch(self):
        """Without waiting."""
        with open(f"{self.directory}/log", "ab") as log:
            self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            env={"PATH": os.environ["PATH"], "LANG": "C"}, preexec_fn=end_with_parent,
                                            **credentials(self.kind))

    def start(self):
        """On the same port, over the same files; waits until it answers."""
        self.launch()
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None:
                raise NoServer(f"the server ended: {self.log()}")
            try:
                self.sql("SELECT 1")
                return
            except NoServer:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def start_if_it_ended(self):
        if self.process.poll() is not None:
            self.start()

    def stop(self):
        """In order."""
        self.process.send_signal(signal.SIGTERM if self.kind == MARIADB else signal.SIGINT)
        self.process.wait()

    def kill(self):
        """SIGKILL to all its processes at once, as a power cut would."""
        self._signal_all(signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self._signal_all(signal.SIGSTOP)
        for process in [self.process.pid] + children_of(self.process.pid):
            wait_until_stopped(process)

    def resume(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        if self.process.poll() is not None:
            return
        # The first process is stopped before the others are looked for, so that it makes no more of them and does not
        # notice how they end.
        if number != signal.SIGCONT:
            os.kill(self.process.pid, signal.SIGSTOP)
        children = children_of(self.process.pid)
        for child in children:
            try:
                os.kill(child, number)
            except ProcessLookupError:
                pass
        os.kill(self.process.pid, number)
        while number == signal.SIGKILL and any(look_at(child)[0] not in "-Z" for child in children):
            time.sleep(0.001)   # else the next start finds their shared memory in use

    def remove(self):
        if self.process and self.process.poll() is None:
            self.resume()
            # PostgreSQL keeps a segment of shared memory that only an orderly end gives back.  SIGQUIT: at once.
            self.process.send_signal(signal.SIGKILL if self.kind == MARIADB else signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.directory if self.own_directory else f"{self.directory}/data", ignore_errors=True)
        if self in Server.running:
            Server.running.remove(self)

    @staticmethod
    def remove_all():
        for server in list(Server.running):
            server.remove()

    def log(self):
        with open(f"{self.directory}/log", errors="replace") as file:
            return file.read()[-2000:]

    # -- a way in beside the gateway ---------------------------------------------------------------------------

    def client(self, database="", user=ADMIN, port=None):
        """(command, environment) of the server's own client; SQL comes from its standard input."""
        port = port or self.port
        if self.kind == MARIADB:
            command = [program("mariadb"), "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{port}", f"-u{user}",
                       "--batch", "--skip-column-names", "--unbuffered"] + ([database] if database else [])
        else:
            command = [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port),
                       "-U", user, "-d", database or "postgres"]
        return command, {"PATH": os.environ["PATH"], "LANG": "C", "MYSQL_PWD": PASSWORD, "PGPASSWORD": PASSWORD}

    def sql(self, text, database="", user=ADMIN):
        """What the statements print: columns with tabs (MariaDB) or '|' between them."""
        command, environment = self.client(database, user)
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, env=environment, timeout=60)
        except subprocess.TimeoutExpired:
            raise NoServer(f"no answer to {text[:200]}") from None
        if done.returncode:
            raise NoServer(done.stderr.decode(errors="replace").strip())
        return done.stdout.decode().rstrip("\n")

    def demand_certificate(self):
        """Of the gateway's account, besides its password.  REQUIRES: a CA of the clients."""
        if self.kind == MARIADB:
            self.sql(f"ALTER USER {USER} REQUIRE X509")
            return
        path = f"{self.directory}/data/pg_hba.conf"
        with open(path) as file:
            rules = file.read()
        with open(path, "w") as file:
            file.write(f"hostssl all {USER} all scram-sha-256 clientcert=verify-full\nhost all {USER} all reject\n{rules}")
        self.sql("SELECT pg_reload_conf()")

    def new_database(self):
        self.databases += 1
        name = f"akr_{os.getpid()}_{self.databases}"
        self.sql(f"CREATE DATABASE {name}" + ("" if self.kind == MARIADB else f" OWNER {USER}"))
        return name

    def end_sessions(self):
        """Of the gateway's account."""
        self.sql(f"KILL USER {USER}" if self.kind == MARIADB else
                 f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'")

    def url(self, database, user=USER, password=PASSWORD, port=None, host="127.0.0.1", options=""):
        scheme = "mysql" if self.kind == MARIADB else "postgresql"
        return f"{scheme}://{user}:{urllib.parse.quote(password, safe='')}@{host}:{port or self.port}/{database}{options}"

    def socket(self):
        """What stands for the host of a local session."""
        return f"{self.directory}/socket" if self.kind == MARIADB else self.directory


def wait_until_stopped(process):
    """A signal is under way for a while, to each of the threads."""
    for thread in os.listdir(f"/proc/{process}/task"):
        while look_at(f"{process}/task/{thread}")[0] not in "-ZT":
            time.sleep(0.001)


def look_at(process):
    """(state as in /proc/PID/stat or "-", parent)"""
    try:
        with open(f"/proc/{process}/stat", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return "-", -1
    return fields[0], int(fields[1])


def children_of(parent):
    """PostgreSQL's processes leave the group of the one that started them, so they are found by their parent."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and look_at(entry)[1] == parent]
