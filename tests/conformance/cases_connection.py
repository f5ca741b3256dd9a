"""Connection control: nominated and hop-by-hop fields, Upgrade, Expect, keep-alive."""

import time

from exchange import either, forward, request_cases, upstream_sees
from harness import KEY_FIELD, Client, Failure, short
from upstream import Upstream, answer, echo

GET = b"GET {T}/x HTTP/1.1\r\n{H}"
POST = b"POST {T}/x HTTP/1.1\r\n{H}"
KEY = KEY_FIELD.encode()


def absent(*names):
    def look(request, service):
        for name in names:
            if request.all(name):
                raise Failure(f"{name!r} reached the upstream as {request.all(name)}")
        key_once(request, service)
    return look


def key_once(request, service):
    if request.all(KEY) != [service.keys[0]]:
        raise Failure(f"injected key arrived as {request.all(KEY)}")


NOMINATED = [
    ("one", b"Connection: X-Foo\r\nX-Foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("case", b"Connection: x-FOO\r\nX-foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("with-close", b"Connection: close, X-Foo\r\nX-Foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("with-keep-alive", b"Connection: keep-alive , X-Foo,X-Bar\r\nX-Foo: SMUGGLED\r\nX-Bar: SMUGGLED\r\n",
     (b"X-Foo", b"X-Bar")),
    ("two-fields", b"Connection: X-Foo\r\nX-Foo: SMUGGLED\r\nX-Bar: SMUGGLED\r\nConnection: X-Bar\r\n",
     (b"X-Foo", b"X-Bar")),
    ("before-the-field", b"X-Foo: SMUGGLED\r\nConnection: X-Foo\r\nX-Foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("empty-elements", b"Connection: ,, X-Foo ,\r\nX-Foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("tab", b"Connection: close,\tX-Foo\t\r\nX-Foo: SMUGGLED\r\n", (b"X-Foo",)),
    ("twelve", b"Connection: " + b", ".join(b"X-%d" % n for n in range(12)) + b"\r\n"
     + b"".join(b"X-%d: SMUGGLED\r\n" % n for n in range(12)), tuple(b"X-%d" % n for n in range(12))),
    ("credential", b"Connection: X-Proxy-Key\r\n", (b"X-Proxy-Key",)),
    ("injected-key", b"Connection: " + KEY + b"\r\n", ()),
    ("injected-key-lower", b"Connection: close, " + KEY.lower() + b"\r\n", ()),
    ("injected-key-sent-too", b"Connection: " + KEY + b"\r\n" + KEY + b": SMUGGLED\r\n", ()),
    ("host", b"Connection: Host\r\n", ()), ("connection", b"Connection: Connection\r\n", ()),
    ("te", b"Connection: TE\r\nTE: trailers\r\n", (b"TE",)),
    ("accept", b"Connection: Accept\r\nAccept: SMUGGLED\r\n", (b"Accept",)),
]
HOP_BY_HOP = [
    ("keep-alive", b"Keep-Alive: timeout=5\r\n", b"Keep-Alive"),
    ("proxy-connection", b"Proxy-Connection: keep-alive\r\n", b"Proxy-Connection"),
    ("te", b"TE: trailers, deflate\r\n", b"TE"),
    ("trailer", b"Trailer: X-T\r\n", b"Trailer"), ("upgrade", b"Upgrade: websocket\r\n", b"Upgrade"),
    ("upgrade-h2c", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", b"HTTP2-Settings"),
    ("upgrade-h2c-only", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Upgrade"),
    ("upgrade-tls", b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n", b"Upgrade"),
    ("proxy-authorization", b"Proxy-Authorization: Basic YTpi\r\n", b"Proxy-Authorization"),
    ("key-sent-by-client", KEY + b": SMUGGLED\r\n", b"X-Nothing"),
    ("key-sent-twice", KEY + b": SMUGGLED\r\n" + KEY.lower() + b": SMUGGLED\r\n", b"X-Nothing"),
]
EXPECT = [
    ("with-body", POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", forward(body=b"hello")),
    ("case", POST + b"expect: 100-Continue\r\nContent-Length: 5\r\n\r\nhello", either(417, body=b"hello")),
    ("chunked", POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     forward(body=b"hello")),
    ("get", GET + b"Expect: 100-continue\r\n\r\n", forward(body=b"")),
    ("zero", POST + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", forward(body=b"")),
    ("unknown", POST + b"Expect: a-miracle\r\nContent-Length: 5\r\n\r\nhello",
     either(400, 417, body=b"hello", keeps=True)),
    ("twice", POST + b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
     either(400, 417, body=b"hello", keeps=True)),
    ("empty", POST + b"Expect:\r\nContent-Length: 5\r\n\r\nhello", either(400, 417, body=b"hello", keeps=True)),
    ("list", POST + b"Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello",
     either(400, 417, body=b"hello", keeps=True)),
    ("obfuscated", POST + b"Expect: y 100-continue\r\nContent-Length: 5\r\n\r\nhello",
     either(400, 417, body=b"hello", keeps=True)),
    ("http10", b"POST {T}/x HTTP/1.0\r\n{H}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
     forward(body=b"hello")),
    ("smuggled", POST + b"Expect: 100-continue\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
     either(closes=True)),
]


def expect_waits(gateway):
    """The client sends its body only after our 100; the upstream gets a whole request."""
    upstream = Upstream()
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            client.send(service.fill(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"))
            client.recv(2)
            if client.buffer != b"HTTP/1.1 100 Continue\r\n\r\n":
                raise Failure(f"instead of 100 Continue: {short(client.buffer)}")
            client.buffer.clear()
            client.send(b"hello")
            response = client.response()
            if not response or response.status != 200 or response.interim or upstream.requests[0].body != b"hello":
                raise Failure(f"after the body: {response}")
            absent(b"X-Proxy-Key")(upstream.requests[0], service)
    finally:
        upstream.close()


def expect_refused(head, status):
    """A refusal comes instead of the 100, so that the body never travels."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(head))
                response = client.response()
                if not response or response.status != status or response.interim or upstream.conns:
                    raise Failure(f"expected {status} and no 100: {response}, upstream connections: {len(upstream.conns)}")
        finally:
            upstream.close()
    return run


UPGRADE = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"


def websocket(early_up=b"", early_down=b"", leaver="client"):
    """A relayed 101.  `early_up`: client bytes sent with its head, before the 101 (CVE-2026-2833)."""
    state = {}

    def script(exchange):
        state["fields"] = exchange.request
        time.sleep(0.1)
        surplus = bytes(exchange.conn.data[exchange.conn.parsed:])
        exchange.conn.sock.settimeout(0.1)
        try:
            surplus += exchange.conn.sock.recv(1000)
        except OSError:
            pass
        state["before-101"] = surplus
        exchange.send(SWITCH + early_down)
        got = b""
        while not got.endswith(b"from-client"):
            chunk = exchange.conn.recv(3)
            if not chunk:
                return "fin"
            got += chunk
        state["got"] = got
        exchange.send(b"from-upstream")
        if leaver == "upstream":
            return "fin"
        exchange.conn.recv(3)
        state["closed"] = exchange.conn.ended_at is not None
        return "fin"

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(UPGRADE + b"\r\n") + early_up)
                response = client.response()
                if state.get("before-101"):
                    raise Failure(f"upstream got {state['before-101']!r} before it sent 101")
                if response and response.status in (400, 501) and early_up:
                    return  # refusing early bytes is correct too
                if not response or response.status != 101:
                    raise Failure(f"no 101: {response}")
                if response.get(b"upgrade") != b"websocket" or response.get(b"sec-websocket-accept") is None:
                    raise Failure(f"the 101 lacks its fields: {response.fields}")
                seen = state["fields"]
                if not seen.get(b"sec-websocket-key") or (seen.get(b"upgrade") or b"").lower() != b"websocket":
                    raise Failure(f"the upstream saw no upgrade: {seen.fields}")
                key_once(seen, service)
                client.send(b"from-client")
                deadline = time.monotonic() + 3
                while client.buffer != early_down + b"from-upstream" and not client.ended and time.monotonic() < deadline:
                    client.recv(0.5)
                if client.buffer != early_down + b"from-upstream" or state.get("got") != early_up + b"from-client":
                    raise Failure(f"relayed down {short(client.buffer)}, up {state.get('got')!r}")
                if leaver == "upstream" and not client.wait_close(2):
                    raise Failure("the upstream left, the client connection stays open")
            if leaver == "client" and not upstream.wait(lambda: state.get("closed"), 2):
                raise Failure("the client left, the upstream connection stays open")
        finally:
            upstream.close()
    return run


def upgrade_answered(reply, status):
    """The upstream answers an Upgrade with something else than a proper 101 (CVE-2024-23326)."""
    def script(exchange):
        return exchange.send(reply) and None if exchange.index == 0 else echo(exchange)

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(UPGRADE + b"\r\n"))
                response = client.response()
                if not response or response.status != status:
                    raise Failure(f"expected {status}: {response}")
                client.wait_close(0.05)
            with Client(gateway) as client:
                client.send(service.fill(b"GET {T}/y HTTP/1.1\r\n{H}\r\n"))
                response = client.response()
                if not response or response.body != b"seen /base/y":
                    raise Failure(f"the next request: {response}")
        finally:
            upstream.close()
    return run


def closes(raw, should_close):
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(raw))
                response = client.response()
                if not response or response.status != 200:
                    raise Failure(f"answer {response} to {short(raw)}")
                if client.wait_close(1.0 if should_close else 0.3) != should_close:
                    raise Failure(f"after {short(raw)} the connection is {'open' if should_close else 'closed'}")
                options = b", ".join(response.all(b"connection")).lower()
                if should_close and response.start[0] == b"1" and b"close" not in options:
                    raise Failure(f"closing without Connection: close: {response.fields}")
        finally:
            upstream.close()
    return run


def cases():
    for name, lines, names in NOMINATED:
        yield f"connection/nominated-{name}", upstream_sees(GET + lines + b"\r\n", absent(*names))
    yield "connection/nominated-content-length", upstream_sees(POST + b"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello", absent(), either(body=b"hello"))
    yield "connection/nominated-transfer-encoding", upstream_sees(POST + b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", absent(), either(body=b"hello"))
    for name, lines, field in HOP_BY_HOP:
        yield f"connection/hop-by-hop-{name}", upstream_sees(GET + lines + b"\r\n", absent(field))
    yield from request_cases("connection", [(f"expect-{n}", raw, expect) for n, raw, expect in EXPECT])
    yield "connection/expect-waits-for-100", expect_waits
    yield "connection/expect-too-large", expect_refused(POST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413)
    yield "connection/expect-unauthorised", expect_refused(b"POST {T}/x HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: wrong\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 401)
    yield "connection/websocket", websocket()
    yield "connection/websocket-upstream-leaves", websocket(leaver="upstream")
    yield "connection/websocket-early-from-upstream", websocket(early_down=b"early")
    yield "connection/websocket-early-from-client", websocket(early_up=b"GET /SMUGGLED HTTP/1.1\r\n\r\n")
    yield "connection/upgrade-answered-200", upgrade_answered(answer(b"no"), 200)
    yield "connection/upgrade-answered-426", upgrade_answered(answer(b"no", b"426 Upgrade Required"), 426)
    yield "connection/upgrade-101-without-upgrade", upgrade_answered(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 502)
    yield "connection/upgrade-101-other-protocol", upgrade_answered(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 502)
    yield "connection/close", closes(GET + b"Connection: close\r\n\r\n", True)
    yield "connection/close-in-list", closes(GET + b"Connection: x, CLOSE\r\n\r\n", True)
    yield "connection/close-and-keep-alive", closes(GET + b"Connection: close, keep-alive\r\n\r\n", True)
    yield "connection/close-second-field", closes(GET + b"Connection: keep-alive\r\nConnection: close\r\n\r\n", True)
    yield "connection/persists", closes(GET + b"\r\n", False)
    yield "connection/persists-keep-alive", closes(GET + b"Connection: keep-alive\r\n\r\n", False)
    yield "connection/http10-closes", closes(b"GET {T}/x HTTP/1.0\r\n{H}\r\n", True)
