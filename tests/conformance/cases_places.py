"""Places for connections: silent clients, few descriptors, reverse proxies.  Each case runs a gateway of its own."""

import json
import resource
import socket
import struct
import threading
import time

from harness import PASSWORD, Client, Failure, Gateway, short
from upstream import Upstream, answer

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
GET = b"GET {T}/x HTTP/1.1\r\n{H}\r\n"


def script(exchange):
    """/slow answers when the case lets it go, everything else at once."""
    if exchange.request.target.endswith(b"/slow"):
        exchange.upstream.let_go.wait(20)
    exchange.send(answer(b"fine"))


def with_gateway(body, nofile=None, **settings):
    def run(gateway):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))) if nofile else None
        own = Gateway(gateway.binary, settings, limit)
        upstream = Upstream(script)
        upstream.let_go = threading.Event()
        try:
            own.wait_ready()
            service = own.add_service(upstream.port)
            service.upstream = upstream
            body(own, service)
        finally:
            upstream.close()
            own.stop()
            own.remove()
    return run


def silent(own, count):
    clients = []
    for _ in range(count):
        sock = socket.create_connection(("127.0.0.1", own.port), timeout=10)
        clients.append(sock)
    return clients


def ask(own, request, expected, name):
    with Client(own) as client:
        client.send(request)
        response = client.response(timeout=4)
    if not response or response.status != expected:
        raise Failure(f"{name}: {response}, expected {expected}")
    return response


def hold(own, service, count):
    """`count` connections, each with a request that is not answered before let_go."""
    clients = []
    for _ in range(count):   # one by one: many that are silent at the same time are a flood
        clients.append(Client(own))
        clients[-1].send(service.fill(b"GET {T}/slow HTTP/1.1\r\n{H}\r\n"))
        if not service.upstream.wait(lambda: len(service.upstream.requests) == len(clients), 10):
            raise Failure(f"{len(service.upstream.requests)} of {len(clients)} requests arrived")
    return clients


def silent_sockets(own, service):
    """More silent sockets than there are places: others are served, and the health check is."""
    with Client(own) as early:
        early.send(service.fill(GET))
        early.response()
        crowd = silent(own, 60)
        time.sleep(1.2)   # they are not young any more
        crowd += silent(own, 30)
        ask(own, HEALTH, 200, "/healthz")
        ask(own, service.fill(GET), 200, "a request")
        early.send(service.fill(GET))   # it was served before: the silent ones went first
        response = early.response()
        if not response or response.status != 200:
            raise Failure(f"the connection that had been served was closed for silent ones: {response}")
    for sock in crowd:
        sock.close()


def all_busy(own, service):
    busy = hold(own, service, 40)
    refused = ask(own, service.fill(GET), 503, "a request with all places busy")
    if b"MAX_CONNECTIONS" not in refused.body or not any(n.lower() == b"retry-after" for n, _ in refused.fields):
        raise Failure(f"the refusal does not say why: {short(refused.body)}")
    ask(own, HEALTH, 200, "/healthz")
    ask(own, b"GET /admin/app-config HTTP/1.1\r\nHost: a\r\n\r\n", 200, "/admin")
    service.upstream.let_go.set()
    for client in busy:
        response = client.response()
        if not response or response.status != 200:
            raise Failure(f"a busy connection was disturbed: {response}")


def share(own, service):
    with Client(own) as first, Client(own) as second:
        for client in (first, second):
            client.send(service.fill(GET))
            client.response()
        for _ in range(8):   # two workers, a share on each
            crowd = [Client(own) for _ in range(8)]
            answers = []
            for client in crowd:
                client.send(service.fill(GET))
                answers.append(client.response())
            for client in crowd:
                client.sock.close()
            refused = [a for a in answers if a and a.status == 503]
            if refused:
                break
        if not refused or b"MAX_CONNECTIONS_PER_ADDRESS" not in refused[0].body:
            raise Failure(f"one address got all it wanted: {answers}")
        ask(own, HEALTH, 200, "/healthz")


def few_descriptors(own, service):
    """Silent clients up to the limit of descriptors: requests get 200, never 502, and the operator was told."""
    lines = [json.loads(line) for line in own.stderr().splitlines() if b"connections_limited" in line]
    if len(lines) != 1 or lines[0]["nofile"] != 200 or lines[0]["max_connections"] != 10000:
        raise Failure(f"MAX_CONNECTIONS was not lowered, or not told: {lines}")
    with Client(own) as client:
        client.send(service.fill(GET))
        client.response()
        crowd = []
        for _ in range(400):
            try:
                crowd += silent(own, 1)
            except OSError:
                break
        for _ in range(10):
            client.send(service.fill(GET))
            response = client.response(timeout=4)
            if not response or response.status != 200:
                raise Failure(f"a client that was there before got {response} {short(response.body) if response else ''}")
        ask(own, HEALTH, 200, "/healthz")
        if own.fds() >= 200:
            raise Failure("all descriptors are in use")
    for sock in crowd:
        sock.close()


def login(own, field, password, address):
    body = json.dumps({"username": "admin", "password": password}).encode()
    with Client(own) as client:
        client.send(b"POST /admin/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
                    b"%s: %s\r\nContent-Length: %d\r\n\r\n" % (field, address, len(body)) + body)
        response = client.response()
    return response


def strangers_behind_a_proxy(own, service):
    """Five wrong logins from one client of the proxy do not lock out another."""
    for _ in range(6):
        last = login(own, b"X-Forwarded-For", "wrong", b"203.0.113.9, 127.0.0.9")
    if last.status != 429:
        raise Failure(f"the stranger was not throttled: {last}")
    response = login(own, b"X-Forwarded-For", PASSWORD, b"203.0.113.9, 192.0.2.1")   # the left one is its invention
    if response.status != 200:
        raise Failure(f"the administrator is locked out: {response}")
    with Client(own) as client:
        client.send(service.fill(b"GET {T}/x HTTP/1.1\r\n{H}X-Forwarded-For: 192.0.2.44\r\n\r\n"))
        client.response()
    deadline = time.monotonic() + 3
    while b'"client":"192.0.2.44"' not in own.stdout():
        if time.monotonic() > deadline:
            raise Failure(f"the access log does not name the client: {short(own.stdout()[-300:])}")
        time.sleep(0.05)


def invented_addresses(own, service):
    """Without TRUSTED_PROXIES nobody changes its address."""
    for number in range(6):
        last = login(own, b"X-Forwarded-For", "wrong", b"192.0.2.%d" % number)
    if last.status != 429:
        raise Failure(f"a client got a new address by saying so: {last}")


def proxy_protocol(own, service):
    def through(header):
        with Client(own) as client:
            client.send(header + service.fill(GET))
            return client.response(timeout=3)
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + socket.inet_aton("192.0.2.66") + b"\x0a\0\0\1\0\1\0\2"
    for header in (b"PROXY TCP4 192.0.2.55 10.0.0.1 5 80\r\n", v2):
        response = through(header)
        if not response or response.status != 200:
            raise Failure(f"{header!r}: {response}")
    if through(b"") is not None:
        raise Failure("a trusted peer was served without its header")
    deadline = time.monotonic() + 3
    while b'"client":"192.0.2.55"' not in own.stdout() or b'"client":"192.0.2.66"' not in own.stdout():
        if time.monotonic() > deadline:
            raise Failure(f"the access log does not name the clients: {short(own.stdout()[-300:])}")
        time.sleep(0.05)


class Balancer(Gateway):
    """A gateway that wants PROXY headers from the suite's own address, too."""

    def admin(self, method, path, body=None):
        payload = b"" if body is None else json.dumps(body).encode()
        fields = f"Host: a\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n"
        if self._token:
            fields += f"Authorization: Bearer {self._token}\r\n"
        with Client(self) as client:
            client.send(b"PROXY UNKNOWN\r\n" + f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode() + payload)
            response = client.response(method)
        if response is None:
            raise Failure(f"admin {method} {path}: no answer")
        return response.status, json.loads(response.body) if response.body else None


def with_balancer(gateway):
    own = Balancer(gateway.binary, {"TRUSTED_PROXIES": "127.0.0.0/8", "PROXY_PROTOCOL": "true"})
    upstream = Upstream(script)
    try:
        own.wait_ready()
        proxy_protocol(own, own.add_service(upstream.port))
    finally:
        upstream.close()
        own.stop()
        own.remove()


def refused_setting(gateway):
    """A bad entry of TRUSTED_PROXIES stops the start and is named."""
    own = Gateway(gateway.binary, {"TRUSTED_PROXIES": "10.0.0.0/8, 10.1.2.3/8"})
    try:
        code = own.process.wait(10)
        if code != 78 or b"TRUSTED_PROXIES" not in own.stderr() or b"'10.1.2.3/8'" not in own.stderr():
            raise Failure(f"exit {code}: {short(own.stderr())}")
    finally:
        own.remove()


def cases():
    small = {"MAX_CONNECTIONS": "40", "MAX_CONNECTIONS_PER_ADDRESS": "0", "WORKERS": "1"}
    yield "places/silent-sockets", with_gateway(silent_sockets, **small)
    yield "places/all-busy", with_gateway(all_busy, **small)
    yield "places/share", with_gateway(share, MAX_CONNECTIONS_PER_ADDRESS="6")
    yield "places/few-descriptors", with_gateway(few_descriptors, nofile=200, WORKERS="1",
                                                 MAX_CONNECTIONS_PER_ADDRESS="0")
    yield "places/proxy-login", with_gateway(strangers_behind_a_proxy, TRUSTED_PROXIES="127.0.0.0/8, ::1")
    yield "places/invented-addresses", with_gateway(invented_addresses)
    yield "places/proxy-protocol", with_balancer
    yield "places/refused-setting", refused_setting
