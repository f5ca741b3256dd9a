"""nginx and Caddy with the samples of deploy/, of which only ports, paths and the name are replaced, and clients of theirs."""

import os
import signal
import socket
import ssl
import subprocess

from cases import ROOT, expect, program, wait_for
from compose_file import CLEAN
from harness import Client
from servers import free_port

NAME = "localhost"   # for gateway.example


def replaced(text, **changes):
    """Every old text must be there: a test of a sample that was changed past it tests nothing."""
    for old, new in changes.items():
        expect(old in text, f"the sample has no {old!r}")
        text = text.replace(old, new)
    return text


class Proxy:
    """In front of `gateway_port`.  `port` speaks TLS, `plain_port` does not."""

    def __init__(self, bench, certificates, gateway_port):
        self.bench, self.certificates, self.gateway_port = bench, certificates, gateway_port
        self.directory, self.port, self.plain_port = bench.new_directory(), free_port(), free_port()
        bench.at_end(self.stop)
        with open(f"{self.directory}/output", "wb") as output:
            self.process = subprocess.Popen(self.command(), cwd=self.directory, env=self.environment(), stdout=output,
                                            stderr=output, stdin=subprocess.DEVNULL)
        wait_for(self.listens, lambda: f"it listens: {self.logs()[-2000:]}")

    def environment(self):
        return CLEAN

    def listens(self):
        expect(self.process.poll() is None, lambda: f"exit {self.process.poll()}: {self.logs()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def logs(self):
        """All that it wrote into its directory."""
        text = ""
        for folder, _, names in os.walk(self.directory):
            for name in names:
                with open(os.path.join(folder, name), errors="replace") as file:
                    text += file.read()
        return text

    def sample(self, path, **changes):
        with open(f"{ROOT}/deploy/{path}") as file:
            return replaced(file.read(), **{"127.0.0.1:8000": f"127.0.0.1:{self.gateway_port}", **changes})


class Nginx(Proxy):
    def command(self):
        sample = self.sample("nginx/api-key-rotator.conf", **{
            "gateway.example;": f"{NAME};", "/etc/ssl/gateway.example/fullchain.pem": self.certificates.server,
            "/etc/ssl/gateway.example/privkey.pem": self.certificates.server_key, "/var/log/nginx": self.directory,
            "listen 443 ": f"listen 127.0.0.1:{self.port} ", "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:443 ssl http2;": "", "listen [::]:80;": ""})
        user = "user root;" if os.geteuid() == 0 else ""
        places = " ".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{self.directory}/nginx.conf", "w") as out:
            # gzip as Debian's nginx.conf has it.
            out.write(f"daemon off; {user} pid {self.directory}/pid; worker_processes 1;\nevents {{}}\n"
                      f"http {{ gzip on; {places}\n{sample}\n}}\n")
        return [program("nginx"), "-e", "stderr", "-p", self.directory, "-c", f"{self.directory}/nginx.conf"]


class Caddy(Proxy):
    def command(self):
        with_certificate = f"tls {self.certificates.server} {self.certificates.server_key}"
        sample = self.sample("caddy/Caddyfile", **{
            "# tls /etc/ssl/gateway.example/fullchain.pem /etc/ssl/gateway.example/privkey.pem": with_certificate,
            "http://gateway.example {": f"http://{NAME}:{self.plain_port} {{", "\ngateway.example {": f"\n{NAME}:{self.port} {{",
            "\tauto_https": f"\thttp_port {self.plain_port}\n\thttps_port {self.port}\n\tauto_https"})
        with open(f"{self.directory}/Caddyfile", "w") as out:
            out.write(sample)
        return [program("caddy"), "run", "--config", f"{self.directory}/Caddyfile"]

    def environment(self):
        home = {name: f"{self.directory}/home" for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        return {**CLEAN, **home, "CADDY_ADMIN": f"unix/{self.directory}/admin"}


class ProxyClient(Client):
    """A raw client of the proxy, over TLS unless `plain`; comes from `address`."""

    def __init__(self, proxy, address="127.0.0.1", plain=False):
        port = proxy.plain_port if plain else proxy.port
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0))
        if not plain:
            context = ssl.create_default_context(cafile=proxy.certificates.ca)
            context.set_alpn_protocols(["http/1.1"])
            self.sock = context.wrap_socket(self.sock, server_hostname=NAME)
        self.buffer = bytearray()
        self.ended = self.was_reset = False

    def wait_for(self, text, seconds=10):
        wait_for(lambda: text in self.buffer or (self.recv(0.2) and text in self.buffer),
                 lambda: f"{text!r} arrives; so far {bytes(self.buffer[-500:])!r}", seconds)
