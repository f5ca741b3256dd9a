"""q.A: valid but odd requests are forwarded once, whole and in order."""

import hashlib
import os
import socket
import time

from exchange import forward, request_case, request_cases
from harness import Client, Failure, short
from upstream import Upstream, answer, echo

GET = b"GET {T}/x HTTP/1.1\r\n{H}"
POST = b"POST {T}/x HTTP/1.1\r\n{H}"
BIG = os.urandom(1 << 20).replace(b"{", b"[") * 4   # no braces: they would be filled in

ROWS = [
    ("get", GET + b"\r\n", forward(target=b"/x", method=b"GET", body=b"")),
    ("head", b"HEAD {T}/x HTTP/1.1\r\n{H}\r\n", forward(target=b"/x", method=b"HEAD")),
    ("post-empty", POST + b"\r\n", forward(method=b"POST", body=b"")),
    ("put", b"PUT {T}/x HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello", forward(method=b"PUT", body=b"hello")),
    ("patch", b"PATCH {T}/x HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello", forward(method=b"PATCH", body=b"hello")),
    ("delete", b"DELETE {T}/x HTTP/1.1\r\n{H}\r\n", forward(method=b"DELETE")),
    ("options", b"OPTIONS {T}/x HTTP/1.1\r\n{H}\r\n", forward(method=b"OPTIONS")),
    ("propfind", b"PROPFIND {T}/x HTTP/1.1\r\n{H}\r\n",
     forward(method=b"PROPFIND").but(refuse=frozenset((405, 501)), keeps=True)),
    ("http10", b"GET {T}/x HTTP/1.0\r\n{H}\r\n", forward(target=b"/x", closes=True)),
    ("http10-head", b"HEAD {T}/x HTTP/1.0\r\n{H}\r\n", forward(method=b"HEAD", closes=True)),
    ("http10-post", b"POST {T}/x HTTP/1.0\r\n{H}Content-Length: 5\r\n\r\nhello", forward(body=b"hello", closes=True)),
    ("absolute-form", b"GET http://gateway.test{T}/x HTTP/1.1\r\n{H}\r\n", forward(target=b"/x")),
    ("length-4m", POST + b"Content-Length: %d\r\n\r\n" % len(BIG) + BIG, forward(body=BIG, timeout=8)),
    ("chunked-4m", POST + b"Transfer-Encoding: chunked\r\n\r\n400000\r\n" + BIG + b"\r\n0\r\n\r\n",
     forward(body=BIG, timeout=8)),
    ("chunked-1k-chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"400\r\n" + BIG[n << 10:(n + 1) << 10] + b"\r\n" for n in range(1024)) + b"0\r\n\r\n", forward(body=BIG[:1 << 20], timeout=8)),
    ("no-space-after-colon", b"GET {T}/x HTTP/1.1\r\nHost:a\r\nX-Proxy-Key:{K}\r\n\r\n", forward()),
    ("odd-case-names", b"GET {T}/x HTTP/1.1\r\nhOST: a\r\nx-PROXY-key: {K}\r\n\r\n", forward()),
]
HALF_CLOSE = [("half-close-get", GET + b"\r\n"), ("half-close-post", POST + b"Content-Length: 5\r\n\r\nhello"),
              ("half-close-chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
TRICKLE = [("bytes-get", GET + b"X-A: b\r\n\r\n", b""),
           ("bytes-length", POST + b"Content-Length: 5\r\n\r\nhello", b"hello"),
           ("bytes-chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: a\r\n\r\n",
            b"hello")]


def pipeline(count, gap=None, with_bodies=False):
    """Answers come in the order of the requests, each with the right content."""
    def run(gateway):
        upstream = Upstream(lambda exchange: (time.sleep(0.003 * (exchange.index % 3)), echo(exchange))[1])
        try:
            service = gateway.add_service(upstream.port)
            raw = b""
            for n in range(count):
                body = b"Content-Length: 5\r\n\r\nb%04d" % n if n % 3 == 1 else b"Transfer-Encoding: chunked\r\n\r\n5\r\nb%04d\r\n0\r\n\r\n" % n
                raw += (b"POST" if with_bodies and n % 3 else b"GET") + b" {T}/p%d HTTP/1.1\r\n{H}" % n
                raw += body if with_bodies and n % 3 else b"\r\n"
            with Client(gateway) as client:
                client.send(service.fill(raw), gap)
                for n in range(count):
                    response = client.response()
                    if not response or response.body != b"seen /base/p%d" % n:
                        raise Failure(f"answer {n} of {count} is {response and short(response.body)}")
                client.recv(0.05)
                if client.buffer:
                    raise Failure(f"surplus bytes {short(client.buffer)}")
            if [r.target for r in upstream.requests] != [b"/base/p%d" % n for n in range(count)] or upstream.problem():
                raise Failure(f"upstream: {upstream.problem() or [r.target for r in upstream.requests]}")
            for n, request in enumerate(upstream.requests):
                if request.body != (b"b%04d" % n if with_bodies and n % 3 else b""):
                    raise Failure(f"body {n} is {request.body!r}")
        finally:
            upstream.close()
    return run


def half_close(raw):
    """The answer, or a clean abort; never a half-finished exchange that stays."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(raw))
                client.sock.shutdown(socket.SHUT_WR)
                response = client.response()
                if response and response.status != 200:
                    raise Failure(f"answer {response.status} {short(response.body)}")
                if not client.wait_close(1.5):
                    raise Failure("the connection stays open after the client's FIN")
            if len(upstream.requests) > 1 or upstream.problem():
                raise Failure(f"{len(upstream.requests)} requests; {upstream.problem()}")
        finally:
            upstream.close()
    return run


def http10_never_chunked(reply, body):
    def run(gateway):
        upstream = Upstream(lambda exchange: exchange.send(*reply) and None)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(b"GET {T}/x HTTP/1.0\r\n{H}Connection: keep-alive\r\n\r\n"))
                response = client.response()
                if not response or response.all(b"transfer-encoding") or response.body != body:
                    raise Failure(f"HTTP/1.0 answer: {response}")
        finally:
            upstream.close()
    return run


def download(size, chunked):
    """A body of `size` bytes arrives identical."""
    data = BIG * (size // len(BIG))
    head = b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: %d\r\n\r\n" % len(data))

    def script(exchange):
        exchange.send(head)
        for at in range(0, len(data), 100000):
            part = data[at:at + 100000]
            exchange.send(b"%x\r\n" % len(part) + part + b"\r\n" if chunked else part)
        if chunked:
            exchange.send(b"0\r\n\r\n")

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(GET + b"Connection: close\r\n\r\n"))
                client.wait_close(15)
                response = client.response()
                if not response or not response.complete or hashlib.sha256(response.body).digest() != hashlib.sha256(data).digest():
                    raise Failure(f"{len(response.body) if response else 0} of {len(data)} bytes, or other bytes")
        finally:
            upstream.close()
    return run


def many_on_one_connection(gateway):
    """200 exchanges of changing kind on one client connection."""
    upstream = Upstream()
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            for n in range(200):
                method = (b"GET", b"POST", b"HEAD")[n % 3]
                body = b"Content-Length: 3\r\n\r\nabc" if method == b"POST" else b"\r\n"
                client.send(service.fill(method + b" {T}/%d HTTP/1.1\r\n{H}" % n + body))
                response = client.response(method.decode())
                if not response or response.status != 200 or (method != b"HEAD" and response.body != b"seen /base/%d" % n):
                    raise Failure(f"exchange {n}: {response}")
        if len(upstream.conns) > 2:
            raise Failure(f"{len(upstream.conns)} upstream connections for one client")
    finally:
        upstream.close()


def cases():
    yield from request_cases("q.A", ROWS)
    yield from ((f"q.A/{name}", half_close(raw)) for name, raw in HALF_CLOSE)
    yield from ((f"q.A/{name}", request_case(raw, forward(body=body), None, 0.002)) for name, raw, body in TRICKLE)
    yield "q.A/pipeline-50", pipeline(50)
    yield "q.A/pipeline-50-bodies", pipeline(50, with_bodies=True)
    yield "q.A/pipeline-3-bytes", pipeline(3, gap=0.0005, with_bodies=True)
    yield "q.A/http10-chunked-answer", http10_never_chunked([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"0\r\n\r\n"], b"hello")
    yield "q.A/http10-length-answer", http10_never_chunked([answer(b"hello")], b"hello")
    yield "q.A/download-8m", download(8 << 20, False)
    yield "q.A/download-8m-chunked", download(8 << 20, True)
    yield "q.A/many-on-one-connection", many_on_one_connection
