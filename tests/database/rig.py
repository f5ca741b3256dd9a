"""A gateway on a database server, with clients that call through it and administrators who change it all the time."""

import collections
import http.client
import itertools
import threading
import time

from harness import ACCESS_KEY, Failure, Gateway
from relay import SlowRelay
from servers import Server
from upstream import Upstream

DEADLINE = 5.0   # DB_TIMEOUT, as it is by default
CLIENTS, PER_CLIENT = 5, 10   # requests a second


class Write:
    def __init__(self, name, begin, seconds, status):
        self.name, self.begin, self.seconds, self.status = name, begin, seconds, status


class Rig:
    def __init__(self, binary, kind, through_relay=False, **server_options):
        self.server = Server(kind, durable=True, **server_options)
        self.database = self.server.new_database()
        self.relay = SlowRelay(self.server.port) if through_relay else None
        self.upstream = Upstream()
        self.gateway = Gateway(binary, settings={
            "DATABASE_URL": self.server.url(self.database, port=self.relay.port if self.relay else None), "DB_POOL_SIZE": "4"})
        self.gateway.wait_ready()
        self.service = self.gateway.add_service(self.upstream.port, keys=3)
        self.keys_path = f"/admin/proxy-configs/{self.service.id}/keys"
        self.sent = self.failed = 0
        self.failures, self.writes, self.words = collections.Counter(), [], set()
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CLIENTS)]
        self.threads += [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(2)]
        self.threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self.threads:
            thread.start()

    # -- what goes on all the time -----------------------------------------------------------------------------

    def _call(self):
        target = self.service.prefix.decode() + "/x"
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=10)
        while not self.ending.wait(1 / PER_CLIENT):
            try:
                connection.request("GET", target, headers={"X-Proxy-Key": ACCESS_KEY.decode()})
                answer = connection.getresponse()
                answer.read()
                problem = None if answer.status == 200 else f"status {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
                connection.close()
            with self.lock:
                self.sent += 1
                if problem:
                    self.failed += 1
                    self.failures[problem] += 1

    def _write(self, number):
        for count in itertools.count():
            if self.ending.wait(0.05):
                return
            name = f"writer-{number}-{count}"
            self.write(name, self.keys_path, {"key_value": f"canary-{name}-0123456789abcdef", "note": name})

    def write(self, name, path, body):
        """One change by an administrator."""
        begin = time.monotonic()
        try:
            status, _ = self.gateway.admin("POST", path, body)
        except Failure as failure:
            status = str(failure)
        with self.lock:
            self.writes.append(Write(name, begin, time.monotonic() - begin, status))
        return status

    def _watch(self):
        while not self.ending.wait(0.2):
            try:
                _, body = self.gateway.admin("GET", "/readyz")
                self.words.add(body["status"])
            except (Failure, KeyError, TypeError) as problem:
                self.words.add(repr(problem))

    # -- what became of it -------------------------------------------------------------------------------------

    def recovery(self, since, limit=20.0):
        """Seconds from `since` until a change that began later was done; None if none was."""
        while time.monotonic() < since + limit:
            with self.lock:
                done = [w.begin + w.seconds for w in self.writes if w.begin >= since and w.status in (200, 201)]
            if done:
                return min(done) - since
            time.sleep(0.05)
        return None

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def lost_and_twice(self):
        status, keys = self.gateway.admin("GET", self.keys_path)
        if status != 200:
            raise Failure(f"the keys cannot be listed: {status} {keys}")
        notes = collections.Counter(key.get("note") for key in keys)
        acknowledged = [write.name for write in self.writes if write.status == 201]
        return sum(notes[name] == 0 for name in acknowledged), sum(count > 1 for note, count in notes.items() if note)

    def remove(self):
        self.ending.set()
        self.gateway.stop()
        self.gateway.remove()
        self.upstream.close()
        if self.relay:
            self.relay.close()
        self.server.remove()
