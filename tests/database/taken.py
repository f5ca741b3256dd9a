"""Other clients, who leave no session for the gateway."""

import subprocess
import time

from server_files import MARIADB, PASSWORD, POSTGRESQL, NoServer
from servers import end_with_parent

FEW_SESSIONS = {MARIADB: "max_connections=10", POSTGRESQL: "max_connections=13"}   # ten are for everybody


class AllTaken:
    """Takes every session that is for everybody, with the block as its time.  Only on a server with FEW_SESSIONS."""

    def __init__(self, server):
        self.server, self.clients = server, []
        self.wait = "SELECT SLEEP(600);\n" if server.kind == MARIADB else "SELECT pg_sleep(600);\n"
        if server.kind == MARIADB:
            server.sql(f"CREATE USER IF NOT EXISTS taker IDENTIFIED BY '{PASSWORD}'")
        elif not server.sql("SELECT 1 FROM pg_roles WHERE rolname = 'taker'"):
            server.sql(f"CREATE ROLE taker LOGIN PASSWORD '{PASSWORD}'")

    def __enter__(self):
        self.hold(10)
        return self

    def hold(self, seconds):
        """Returns when all are taken, or after that time; the gateway's own are ended for it."""
        deadline = time.monotonic() + seconds
        while self._taken() < 10 and time.monotonic() < deadline:
            self.clients = [client for client in self.clients if client.poll() is None]
            while len(self.clients) < 12:
                self._add()
            try:
                self.server.end_sessions()
            except NoServer:   # clients on their way in stand on the administrators' places for a moment
                pass
            time.sleep(0.1)

    def _taken(self):
        try:
            return int(self._count())
        except NoServer:
            return 0

    def _count(self):
        return self.server.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'taker'"
                               if self.server.kind == MARIADB else
                               "SELECT COUNT(*) FROM pg_stat_activity WHERE usename = 'taker'")

    def _add(self):
        command, environment = self.server.client(user="taker")
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=environment, preexec_fn=end_with_parent)
        try:
            client.stdin.write(self.wait.encode())
            client.stdin.flush()
        except BrokenPipeError:   # there was no room for it
            pass
        self.clients.append(client)

    def __exit__(self, *_):
        for client in self.clients:
            client.kill()
            client.wait()
        self.server.sql("KILL USER taker" if self.server.kind == MARIADB else
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'taker'")
