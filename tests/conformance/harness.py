"""Starts the real gateway, talks to its admin API, and gives every case its own service, upstream and raw socket."""

import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import upstream as upstream_module
import wire

ACCESS_KEY = b"conf-access-key-0001"
OTHER_ACCESS_KEY = b"conf-access-key-0002"
KEY_FIELD = "X-Api-Token"
HEAD_TIMEOUT = 3
BODY_TIMEOUT = 3
SHUTDOWN_GRACE = 2
SHUTDOWN_DELAY = 1     # the listener stays open that long, so that load balancers notice
SSE_KEEPALIVE = 2      # instead of 15 s, so that the case is quick
MAX_BODY = 8 << 20
PASSWORD = "conformance-Passw0rd"


class Failure(Exception):
    """The case failed; the text says how, with the raw bytes."""


class Skip(Exception):
    pass


def short(data, limit=400):
    data = bytes(data)
    return repr(data) if len(data) <= limit else f"{data[:limit]!r}... ({len(data)} bytes)"


class Gateway:
    running = []   # what remove_all() still has to stop

    def __init__(self, binary, settings=None):
        """`settings`: environment in addition to, or instead of, that of all cases."""
        self.binary = binary
        self.directory = tempfile.mkdtemp(prefix="conformance-")
        os.mkdir(os.path.join(self.directory, "data"))
        self.env = {
            "PATH": os.environ.get("PATH", ""), "HOME": self.directory, "LANG": "C.UTF-8",
            "BACKEND_PORT": "0", "WORKERS": "2",
            "DATABASE_PATH": os.path.join(self.directory, "akr.db"),
            "DATA_DIR": os.path.join(self.directory, "data"),
            "ADMIN_USERNAME": "admin", "ADMIN_PASSWORD": PASSWORD,
            "JWT_SECRET": "conformance-secret-conformance-secret-40",
            "ENCRYPTION_KEY": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "GLOBAL_PROXY_KEYS": (ACCESS_KEY + b"," + OTHER_ACCESS_KEY).decode(),
            "SHUTDOWN_GRACE": str(SHUTDOWN_GRACE), "SHUTDOWN_DELAY": str(SHUTDOWN_DELAY),
            "SSE_KEEPALIVE": str(SSE_KEEPALIVE), "HEAD_TIMEOUT": str(HEAD_TIMEOUT),
            "BODY_TIMEOUT": str(BODY_TIMEOUT), "MAX_BODY_SIZE": str(MAX_BODY),
            "ALLOW_PRIVATE_UPSTREAMS": "true", **(settings or {}),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.stdout_path = os.path.join(self.directory, "stdout")
        self.stderr_path = os.path.join(self.directory, "stderr")
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen([os.path.abspath(binary)], cwd=self.directory, env=self.env,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        Gateway.running.append(self)
        self.port = None
        self._token = None
        self._numbers = itertools.count(1)
        self._local = threading.local()

    def wait_ready(self, timeout=20):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.stderr().splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict) and entry.get("event") == "ready":
                    self.port = int(entry["port"])
                    self._login()
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise Failure(f"the gateway did not become ready (exit {self.process.poll()}): {short(self.stderr()[-2000:], 2000)}")

    def stdout(self):
        with open(self.stdout_path, "rb") as file:
            return file.read()

    def stderr(self):
        with open(self.stderr_path, "rb") as file:
            return file.read()

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, timeout=SHUTDOWN_GRACE + 6):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        if self in Gateway.running:
            Gateway.running.remove(self)

    @staticmethod
    def remove_all():
        for gateway in list(Gateway.running):
            gateway.remove()

    # -- admin API ---------------------------------------------------------------------------------------------

    def admin(self, method, path, body=None):
        """(status, parsed JSON).  One keep-alive connection per thread; a stale one is replaced once."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        payload = None if body is None else json.dumps(body)
        for attempt in (0, 1):
            conn = getattr(self._local, "conn", None)
            if conn is None:
                conn = self._local.conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
            try:
                conn.request(method, path, payload, headers)
                response = conn.getresponse()
                data = response.read()
                break
            except (http.client.HTTPException, OSError) as error:
                conn.close()
                self._local.conn = None
                if attempt:
                    raise Failure(f"admin {method} {path}: {error!r}") from error
        try:
            return response.status, json.loads(data) if data else None
        except ValueError:
            raise Failure(f"admin {method} {path}: {response.status} {short(data)}") from None

    def _login(self):
        status, body = self.admin("POST", "/admin/login", {"username": "admin", "password": PASSWORD})
        if status != 200 or "access_token" not in (body or {}):
            raise Failure(f"admin login: {status} {body}")
        self._token = body["access_token"]

    def add_service(self, port, keys=1, base="/base", llm=False, **options):
        """Creates a service that points at 127.0.0.1:port; returns a Service."""
        number = next(self._numbers)
        slug = f"c{number}"
        config = {"name": f"case {number}", "slug": slug, "config_type": "LLM" if llm else "GENERIC",
                  "is_active": True, "api_key_location": "header", "api_key_name": KEY_FIELD}
        url = f"http://127.0.0.1:{port}{base}"
        config.update({"target_base_url": url, "api_format": "openai_compatible"} if llm else
                      {"target_url": url, "method": "ANY"})
        config.update(options)
        config = {name: value for name, value in config.items() if value is not None}
        status, body = self.admin("POST", "/admin/proxy-configs", config)
        if status != 201:
            raise Failure(f"creating {config} gave {status} {body}")
        secrets = [f"canary-{slug}-key-{n}-0123456789abcdef" for n in range(keys)]
        if secrets:
            status, reply = self.admin("POST", f"/admin/proxy-configs/{body['id']}/keys/batch", {"keys": secrets})
            if status != 200:
                raise Failure(f"adding keys gave {status} {reply}")
        return Service(self, slug, body["id"], [s.encode() for s in secrets], llm)


class Service:
    def __init__(self, gateway, slug, number, keys, llm):
        self.gateway, self.id, self.keys = gateway, number, keys
        self.prefix = (f"/llm/{slug}" if llm else f"/proxy/{slug}").encode()

    def fill(self, template):
        """{T} is the service's path, {H} the ordinary Host and access key fields."""
        fields = b"Host: gateway.test\r\nX-Proxy-Key: " + ACCESS_KEY + b"\r\n"
        return template.replace(b"{T}", self.prefix).replace(b"{H}", fields).replace(b"{K}", ACCESS_KEY)


class Client:
    """A raw client socket that keeps everything received and parses it strictly."""

    def __init__(self, gateway, buffer=None):
        self.sock = socket.socket()
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(10)
        self.sock.connect(("127.0.0.1", gateway.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.ended = self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data, gap=None):
        """False if the gateway closed meanwhile.  `gap`: seconds between single bytes."""
        try:
            self.sock.settimeout(20)
            if gap is None:
                self.sock.sendall(data)
            else:
                for at in range(len(data)):
                    self.sock.sendall(data[at:at + 1])
                    time.sleep(gap)
            return True
        except OSError:
            return False

    def recv(self, timeout):
        """False when nothing came within `timeout`; the end of the stream counts as something."""
        self.sock.settimeout(max(timeout, 0.001))
        try:
            chunk = self.sock.recv(262144)
        except TimeoutError:
            return False
        except OSError:
            chunk, self.was_reset = b"", True
        self.buffer += chunk
        self.ended = self.ended or not chunk
        return True

    def response(self, method="GET", timeout=8.0):
        """The next response, complete or cut; None if the gateway closed or stayed silent without one."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                response = wire.parse_response(self.buffer, method, self.ended, self.was_reset) if self.buffer else None
            except wire.Violation as error:
                raise Failure(f"client got {error}: {short(self.buffer)}") from None
            if response and (response.complete or response.cut):
                del self.buffer[:response.size]
                return response
            if self.ended or not self.recv(deadline - time.monotonic()):
                return None

    def wait_close(self, timeout=1.5):
        """True if the gateway closes in time.  Bytes that come before that stay in `buffer`."""
        deadline = time.monotonic() + timeout
        while not self.ended and time.monotonic() < deadline:
            self.recv(deadline - time.monotonic())
        return self.ended

    def abort(self):
        upstream_module.reset(self.sock)
