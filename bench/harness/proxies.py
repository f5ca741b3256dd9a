"""What every proxy under test offers, and the smallest one: the byte relay.

Each proxy does the same work: refuse requests without the access key, take that header away, add one of ten upstream
keys, map /proxy/<service>/... to /base/..., and write one JSON access log line per request to a file.
"""

import contextlib
import http.client

from . import processes

ACCESS_KEY = "bench-access-key-0001"  # of the client that asks
ACCESS_HEADER = f"X-Proxy-Key: {ACCESS_KEY}"
KEY_COUNT = 10
UPSTREAM_KEYS = [f"bench-upstream-key-{number:04}" for number in range(1, KEY_COUNT + 1)]


def access_keys(count):
    """As many as there are clients; the one that asks is in the middle."""
    others = [f"bench-other-key-{number:06}" for number in range(1, count)]
    return [*others[: count // 2], ACCESS_KEY, *others[count // 2 :]]


def get_status(port, path, headers=None):
    """The status of one GET, or None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse().status
    return None


class Proxy:
    """One proxy under test.  start() and stop() may be called again and again; `log` is its access log file."""

    name = "?"
    logs = True
    wrapper = ()  # put before the command: a profiler
    patience_seconds = 20  # for starting, and for stopping

    def __init__(self, folder, upstream):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.upstream = upstream
        self.port = processes.free_port()
        self.log = self.folder / "access.log"
        self.errors = self.folder / "error.log"
        self.process = None

    def path(self, service, rest):
        """The path that reaches `rest` of the fake provider through one of the services rest, sse and upload."""
        return f"/proxy/{service}/{rest}"

    def version(self):
        return ""

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        return get_status(self.port, self.path("rest", "ready"), {"X-Proxy-Key": ACCESS_KEY}) == 200

    @contextlib.contextmanager
    def running(self):
        """Starts the proxy, waits until it serves, and stops it at the end."""
        with open(self.log, "wb") as log, open(self.errors, "wb") as errors:
            self.process = self.spawn(log, errors)
        try:
            processes.wait_until(self._alive_and_ready, f"{self.name} to get ready", self.patience_seconds)
            yield self
        except BaseException:
            processes.stop(self.process, self.patience_seconds)
            raise
        if not processes.stop(self.process, self.patience_seconds):
            raise processes.BenchError(f"{self.name} did not stop within {self.patience_seconds} s of SIGTERM")

    def environment(self):
        """The environment of the process; None inherits ours."""
        return None

    def spawn(self, log, errors):
        command = [*self.wrapper, *self.command()]
        return processes.spawn(
            command, processes.PROXY_CORE, stdout=log, stderr=errors, cwd=self.folder, env=self.environment()
        )

    def pids(self):
        return processes.process_tree(self.process.pid)

    def worker_pids(self):
        """The processes whose memory grows with the load."""
        return self.pids()

    def check_refusal(self):
        if get_status(self.port, self.path("rest", "x")) not in (401, 403):
            raise processes.BenchError(f"{self.name} let a request without an access key through")

    def _alive_and_ready(self):
        if self.process.poll() is not None:
            last = self.errors.read_text(errors="replace").strip().splitlines()[-3:]
            raise processes.BenchError(f"{self.name} ended at its start: {' | '.join(last)}")
        return self.is_ready()


class Relay(Proxy):
    """Copies bytes and looks at none: what the kernel charges any proxy."""

    name = "relay"
    logs = False

    def __init__(self, folder, upstream, tools):
        super().__init__(folder, upstream)
        self.tools = tools

    def command(self):
        return [self.tools.directory / "bench_relay", f"--port={self.port}", f"--upstream-port={self.upstream.port}"]

    def check_refusal(self):
        pass
