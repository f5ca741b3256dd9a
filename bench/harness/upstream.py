"""Where the fake provider is, and how the proxies reach it: plain, or by TLS 1.3 through a terminator before it."""

import contextlib
import dataclasses
import pathlib
import subprocess

from . import processes

CONFIG = """\
global
    nbthread 1
    maxconn 4000
    ssl-default-bind-options ssl-min-ver TLSv1.3

defaults
    mode http
    maxconn 4000
    option http-keep-alive
    option http-no-delay
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 3600s

frontend encrypted
    bind 127.0.0.1:{port} ssl crt {folder}/both.pem
    default_backend provider

backend provider
    server one 127.0.0.1:{upstream_port}
"""


@dataclasses.dataclass(frozen=True)
class Upstream:
    port: int
    ca_file: pathlib.Path | None = None  # of the provider's certificate, for the name localhost; None: plain

    @property
    def base_url(self):
        return f"https://localhost:{self.port}/base" if self.ca_file else f"http://127.0.0.1:{self.port}/base"


def _make_certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
               "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem",
               "-out", folder / "cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())


@contextlib.contextmanager
def encrypted(folder, upstream_port):
    """HAProxy beside the fake provider, on the same core: it takes the encryption off."""
    folder = folder / "encrypted"
    folder.mkdir()
    _make_certificate(folder)
    port = processes.free_port()
    config = folder / "haproxy.cfg"
    config.write_text(CONFIG.format(port=port, folder=folder, upstream_port=upstream_port))
    process = processes.spawn(["haproxy", "-db", "-f", config], processes.LOAD_CORE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        yield Upstream(port, folder / "cert.pem")
    finally:
        processes.stop(process)
