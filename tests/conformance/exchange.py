"""How a table row becomes a case: one raw request, or one raw upstream answer, and what may come of it."""

import socket
from dataclasses import dataclass, replace

from harness import Client, Failure, short
from upstream import Upstream, echo

SMUGGLED = b"GET {T}/SMUGGLED HTTP/1.1\r\n{H}\r\n"


# -- requests ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Expect:
    refuse: frozenset = frozenset()   # statuses that are a correct refusal; the connection closes after it
    forward: bool = False             # exactly one canonical request upstream and its answer is correct too
    target: bytes = None              # what the upstream sees, without /base
    body: bytes = None
    method: bytes = None
    closes: bool = False              # the connection ends even if the request was forwarded
    keeps: bool = False               # a refusal may keep the connection (its framing was never in doubt)
    silent: bool = False              # closing without an answer is correct
    timeout: float = 3.0

    def but(self, **changes):
        return replace(self, **changes)


def refuse(*statuses, **more):
    return Expect(refuse=frozenset(statuses or (400,)), **more)


def either(*statuses, **more):
    return Expect(refuse=frozenset(statuses or (400,)), forward=True, **more)


def forward(**more):
    return Expect(forward=True, **more)


def request_case(raw, expect, end=None, gap=None):
    """`end`: what the client does after the last byte: None (waits), "fin" or "rst"."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            check_request(gateway, upstream, service.fill(raw), expect, end, gap)
        finally:
            upstream.close()
    return run


def check_request(gateway, upstream, raw, expect, end=None, gap=None, seen=0):
    """`seen`: how many requests the upstream had before."""
    with Client(gateway) as client:
        client.send(raw, gap)
        if end == "rst":
            client.abort()
            upstream.wait(lambda: len(upstream.requests) > seen, 0.2)
            response = None
        else:
            if end == "fin":
                try:
                    client.sock.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            method = raw.lstrip().split(b" ")[0].decode("latin-1")
            response = client.response(method, expect.timeout)
        judge_request(upstream, client, raw, response, expect, end, seen)


def judge_request(upstream, client, raw, response, expect, end, seen):
    def fail(text):
        got = f"{response.status} {short(response.body)}" if response else "no answer"
        raise Failure(f"{text}; sent {short(raw)}; answer: {got}")

    arrived = upstream.requests[seen:]
    problem = upstream.problem()
    if problem:
        fail(problem)
    if response is None:
        if end is None and not client.ended:
            fail(f"no answer within {expect.timeout} s")
        if end is None and not expect.silent:
            fail("closed without an answer")
        if arrived and not expect.forward:
            fail("a request that must not be completed reached the upstream")
        return
    refused = response.status >= 400
    if refused:
        if response.status not in expect.refuse:
            fail(f"status {response.status}, expected {sorted(expect.refuse) or 200}")
        if arrived:
            fail(f"refused, but the upstream got {short(b' '.join(arrived[0].start))}")
        if response.get(b"x-rotator-error-source") != b"gateway":
            fail(f"refusal without X-Rotator-Error-Source: gateway: {response.fields}")
    else:
        if not expect.forward:
            fail(f"forwarded or answered with {response.status}, expected {sorted(expect.refuse)}")
        check_forwarded(fail, arrived, response, expect)
    if refused and expect.keeps:
        client.recv(0.03)   # the body of a refused request must not become the next request
        if upstream.problem() or len(upstream.requests) != seen:
            fail(upstream.problem() or "the refused request, or its body, reached the upstream")
    if (refused and not expect.keeps) or expect.closes:
        if not client.wait_close():
            fail("the connection stays open")
        if client.buffer:
            fail(f"more bytes after the answer: {short(client.buffer)}")
        problem = upstream.problem()
        if problem or len(upstream.requests) != seen + len(arrived):
            fail(problem or "a second request reached the upstream")


def check_forwarded(fail, arrived, response, expect):
    if response.status != 200:
        fail(f"status {response.status} instead of 200")
    if not response.complete:
        fail("the answer is cut")
    if len(arrived) != 1:
        fail(f"{len(arrived)} requests reached the upstream: {[r.start for r in arrived]}")
    request = arrived[0]
    if expect.body is not None and request.body != expect.body:
        fail(f"upstream body {short(request.body)}, expected {short(expect.body)}")
    if expect.target is not None and request.target != b"/base" + expect.target:
        fail(f"upstream target {request.target!r}, expected {b'/base' + expect.target!r}")
    if expect.method is not None and request.method != expect.method:
        fail(f"upstream method {request.method!r}, expected {expect.method!r}")
    if response.body and response.body != b"seen " + request.target:
        fail(f"crossed answer {short(response.body)}")


def request_cases(group, rows):
    """Rows: (name, raw, expectation[, end])."""
    for name, raw, expect, *rest in rows:
        yield f"{group}/{name}", request_case(raw, expect, *rest)


def upstream_sees(raw, look, expect=forward(), **options):
    """A forwarded request whose parsed form at the upstream satisfies `look(request)` or `look(request, service)`."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port, **options)
            check_request(gateway, upstream, service.fill(raw), expect)
            for request in upstream.requests:
                try:
                    look(request, service)
                except Failure as failure:
                    raise Failure(f"{failure}; sent {short(raw)}; upstream got {request.start} {request.fields}") from None
        finally:
            upstream.close()
    return run


# -- upstream answers --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Answer:
    status: int = 0           # a clean answer with this status is correct; 0: none is
    body: bytes = None
    bad: bool = False         # 502, or an answer that is visibly cut, is correct
    fields: tuple = ()        # (name, value) the client must see
    absent: tuple = ()        # names the client must not see
    dead: bool = False        # the upstream connection must not be used again


def ok(body=b"fine", status=200, **more):
    return Answer(status=status, body=body, **more)


BAD = Answer(bad=True, dead=True)


def answer_case(raw, expect, end="keep", method=b"GET", gap=0.0, late=b""):
    """The upstream answers its first request with `raw` (bytes, or a list sent one by one) and then does `end`.

    `late` is sent 80 ms later on the same connection.  A second request must get its own answer, whatever came first.
    """
    parts = [raw] if isinstance(raw, bytes) else list(raw)

    def script(exchange):
        if exchange.index:
            return echo(exchange)
        exchange.send(*parts, gap=gap)
        if late:
            exchange.send(b"", late, gap=0.08)
        return None if end == "keep" else end

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, stream_idle_timeout_ms=2000, first_byte_timeout_ms=2000)
            body = b"Content-Length: 5\r\n\r\nhello" if method in (b"POST", b"PUT") else b"\r\n"
            with Client(gateway) as client:
                client.send(service.fill(method + b" {T}/first HTTP/1.1\r\n{H}" + body))
                response = client.response(method.decode())
                judge_answer(client, response, expect, raw)
                if expect.dead and not upstream.wait(lambda: upstream.conns[0].ended_at, 1.5):
                    raise Failure(f"the upstream connection stays open after {short(b''.join(parts))}")
                follow_up(gateway, client, service, upstream, parts, bool(late))
        finally:
            upstream.close()
    return run


def judge_answer(client, response, expect, raw):
    def fail(text):
        got = f"{response.status} {short(response.body)} {response.fields}" if response else short(client.buffer)
        raise Failure(f"{text}; upstream sent {short(raw if isinstance(raw, bytes) else b''.join(raw))}; client got {got}")

    if response is None:
        if expect.bad and client.ended and client.buffer:
            return  # an incomplete head, then the end: visibly cut
        fail("the client got no answer")
    if b"LEAK" in b"".join([response.body, bytes(client.buffer)] + [n + v for n, v in response.fields]):
        fail("bytes that do not belong to the answer reached the client")
    if response.status == 502 and expect.bad:
        if response.get(b"x-rotator-error-source") != b"gateway":
            fail("502 without X-Rotator-Error-Source: gateway")
        return
    if response.cut:
        return None if expect.bad else fail("the answer is cut")
    if response.status != expect.status:
        fail(f"status {response.status}, expected {expect.status or '502 or a visible cut'}")
    if expect.body is not None and response.body != expect.body:
        fail(f"body differs from {short(expect.body)}")
    for name, value in expect.fields:
        if value not in response.all(name):
            fail(f"{name!r} is not {value!r}")
    for name in expect.absent:
        if response.all(name):
            fail(f"{name!r} reached the client")


def follow_up(gateway, client, service, upstream, parts, wait):
    """The next request, on the same client connection if it still stands, gets its own answer."""
    client.recv(0.2 if wait else 0.02)
    if client.buffer:
        raise Failure(f"surplus bytes for the client: {short(client.buffer)}; upstream sent {short(b''.join(parts))}")
    second = Client(gateway) if client.ended else client
    second.send(service.fill(b"GET {T}/second HTTP/1.1\r\n{H}\r\n"))
    response = second.response()
    got = f"{response.status} {short(response.body)}" if response else "nothing"
    if not response or response.body != b"seen /base/second":
        raise Failure(f"the next request got {got} after the upstream sent {short(b''.join(parts))}")
    if second is not client:
        second.sock.close()
    if upstream.problem():
        raise Failure(upstream.problem())


def answer_cases(group, rows):
    """Rows: (name, raw, expectation[, end[, method]])."""
    for name, raw, expect, *rest in rows:
        yield f"{group}/{name}", answer_case(raw, expect, *rest)
