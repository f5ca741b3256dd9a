"""A service of a resolved Compose file as a process, and what a client and the administrator do with it.

The process gets exactly the environment that its container would get, with the names that exist only among containers
replaced: the folder of a volume and the port that is published.
"""

import http.client
import json
import os
import signal
import subprocess
import tempfile

from cases import Failure, expect, wait_for

BINARY = "/usr/local/bin/api-key-rotator"   # in the images


class Container:
    def __init__(self, bench, service, **changes):
        """`service`: as in the resolved file.  `changes`: where other services are, outside of the network of containers."""
        self.bench = bench
        self.port = int(service["ports"][0]["published"])
        self.volumes = dict(reversed(volume.split(":")[:2]) for volume in service["volumes"])
        environment = {name: self._outside(value) for name, value in service["environment"].items()}
        self.environment = {**environment, "BACKEND_PORT": str(self.port), "WORKERS": "2", **changes}
        self.health_command = service["healthcheck"]["test"]
        self.grace = int(service["stop_grace_period"].rstrip("s"))
        self.process = None

    def _outside(self, value):
        for inside, outside in self.volumes.items():
            if value == inside or value.startswith(inside + "/"):
                return outside + value[len(inside):]
        return value

    def start(self):
        """In an empty working directory: no image holds a `.env`."""
        directory = tempfile.mkdtemp(dir=self.bench.directory)
        self.stdout_path, self.stderr_path = f"{directory}/stdout", f"{directory}/stderr"
        os.mkdir(f"{directory}/work")
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen([self.bench.binary], cwd=f"{directory}/work", env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.bench.at_end(self.kill)
        return self

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """As `docker stop` does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            raise Failure(f"still runs {self.grace} s after SIGTERM: {self.errors()[-1000:]}") from None

    def errors(self):
        with open(self.stderr_path, errors="replace") as file:
            return file.read()

    def access_log(self):
        with open(self.stdout_path, errors="replace") as file:
            return [json.loads(line) for line in file.read().splitlines() if line.startswith("{")]

    def healthcheck(self):
        """The exit code of the command that the file gives."""
        expect(self.health_command[:2] == ["CMD", BINARY], f"not the binary itself: {self.health_command}")
        return subprocess.run([self.bench.binary, *self.health_command[2:]], env=self.environment, cwd="/", timeout=20,
                              capture_output=True).returncode

    def wait_ready(self, seconds=20):
        def ready():
            expect(self.process.poll() is None, lambda: f"exit {self.process.poll()}: {self.errors()[-2000:]}")
            try:
                return self.call("GET", "/readyz")[0] == 200
            except OSError:
                return False
        wait_for(ready, lambda: f"/readyz says 200: {self.errors()[-2000:]}", seconds)
        return self

    def call(self, method, path, body=None, **fields):
        """(status, body as bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json", **fields})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def admin_call(self, method, path, body, good, **fields):
        status, text = self.call(method, path, body, **fields)
        expect(status == good, f"{method} {path}: {status} {text[:500]!r}")
        return json.loads(text)

    def add_service(self, port, password, slug="sample", **options):
        """A service with one key at 127.0.0.1:port."""
        session = self.admin_call("POST", "/admin/login", {"username": "admin", "password": password}, 200)
        fields = {"Authorization": f"Bearer {session['access_token']}"}
        config = {"name": slug, "slug": slug, "config_type": "GENERIC", "method": "ANY", "is_active": True,
                  "target_url": f"http://127.0.0.1:{port}", "api_key_location": "header", "api_key_name": "X-Token", **options}
        made = self.admin_call("POST", "/admin/proxy-configs", config, 201, **fields)
        self.admin_call("POST", f"/admin/proxy-configs/{made['id']}/keys/batch", {"keys": [f"key-of-{slug}-0123456789"]}, 200,
                        **fields)
