"""The gateway: configured once through its admin API, then started as often as needed on the same database."""

import contextlib
import http.client
import json
import os
import secrets

from . import processes
from .proxies import UPSTREAM_KEYS, Proxy, access_keys, get_status

ADMIN_PASSWORD = "bench-admin-password"
STREAM_SETTINGS = {"total_timeout_ms": 0, "stream_idle_timeout_ms": 300000, "first_byte_timeout_ms": 30000}
SERVICES = {
    "rest": {},
    "sse": STREAM_SETTINGS,
    "upload": {**STREAM_SETTINGS, "stream_uploads": True},
}


class Gateway(Proxy):
    name = "gateway"

    def __init__(self, folder, upstream, binary, key_count=1):
        super().__init__(folder, upstream)
        self.binary = binary
        self.settings = {
            "PATH": os.environ.get("PATH", ""),
            "BACKEND_PORT": str(self.port),
            "WORKERS": "1",
            "DATABASE_PATH": str(self.folder / "akr.db"),
            "DATA_DIR": str(self.folder / "data"),
            "ADMIN_USERNAME": "admin",
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "JWT_SECRET": secrets.token_hex(32),
            "ENCRYPTION_KEY": secrets.token_hex(32),
            "LOG_LEVEL": "info",
            "SHUTDOWN_GRACE": "1",
        }
        if upstream.ca_file:
            self.settings["UPSTREAM_CA_FILE"] = str(upstream.ca_file)
        # A variable of a process's environment is shorter than 128 KiB.
        (self.folder / ".env").write_text(f"GLOBAL_PROXY_KEYS={','.join(access_keys(key_count))}\n")
        (self.folder / "data").mkdir()
        with self.running():
            self._configure()

    def command(self):
        return [self.binary]

    def environment(self):
        return self.settings

    def is_ready(self):
        return get_status(self.port, "/readyz") == 200

    def _configure(self):
        token = self._admin("/admin/login", {"username": "admin", "password": ADMIN_PASSWORD})["access_token"]
        for slug, settings in SERVICES.items():
            service = {
                "name": f"Benchmark {slug}",
                "slug": slug,
                "config_type": "GENERIC",
                "method": "ANY",
                "target_url": self.upstream.base_url,
                "api_key_location": "header",
                "api_key_name": "X-Api-Key",
                "is_active": True,
                "stream_uploads": False,
                **settings,
            }
            created = self._admin("/admin/proxy-configs", service, token)
            self._admin(f"/admin/proxy-configs/{created['id']}/keys/batch", {"keys": UPSTREAM_KEYS}, token)

    def _admin(self, path, body, token=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        if response.status not in (200, 201):
            raise processes.BenchError(f"{path} answered {response.status}: {answer[:300]!r}")
        return json.loads(answer)
