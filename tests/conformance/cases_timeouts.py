"""Deadlines: slow clients are cut, slow upstreams give 504 or a visible cut, patience is kept where it is due."""

import socket
import time

from harness import BODY_TIMEOUT, HEAD_TIMEOUT, Client, Failure, short
from upstream import Upstream, answer

GET = b"GET {T}/x HTTP/1.1\r\n{H}\r\n"
SLACK = 1.6   # the machine may be busy


def slow_client(limit, first, trickle=b"", gap=0.3, warm=False):
    """Sends `first`, then bytes of `trickle`; the gateway must end the connection `limit` seconds after it started."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                if warm:
                    client.send(service.fill(GET))
                    client.response()
                start = time.monotonic()
                client.send(service.fill(first))
                for at in range(len(trickle)):
                    client.sock.settimeout(gap)
                    if client.ended or not client.send(trickle[at:at + 1]):
                        break
                    client.recv(gap)
                client.wait_close(limit + SLACK - (time.monotonic() - start))
                taken = time.monotonic() - start
                if not client.ended or not limit - 1.1 <= taken <= limit + SLACK:
                    raise Failure(f"{'closed' if client.ended else 'still open'} after {taken:.1f} s, expected {limit} s; sent {short(first)}")
                if client.buffer and not client.buffer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400")):
                    raise Failure(f"answer {short(client.buffer)}")
            if len(upstream.requests) != (1 if warm else 0):
                raise Failure("an incomplete request reached the upstream as a complete one")
        finally:
            upstream.close()
    return run


def patient_body(pieces, gap):
    """Pauses shorter than the body timeout are fine, however long the whole takes."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(b"POST {T}/x HTTP/1.1\r\n{H}Content-Length: %d\r\n\r\n" % pieces))
                for _ in range(pieces):
                    time.sleep(gap)
                    client.send(b"x")
                response = client.response()
            if not response or response.status != 200 or upstream.requests[0].body != b"x" * pieces:
                raise Failure(f"answer {response} to a body with pauses of {gap} s")
        finally:
            upstream.close()
    return run


def idle_connection(gateway):
    """Between requests a connection may rest longer than a head may take (server keep-alive is 75 s)."""
    upstream = Upstream()
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            for pause in (0, HEAD_TIMEOUT + 2):
                client.wait_close(pause)
                client.send(service.fill(GET))
                response = client.response()
                if not response or response.status != 200:
                    raise Failure(f"after {pause} s of rest: {response}")
    finally:
        upstream.close()


def slow_upstream(script, low, high, status, cut=False, method=b"GET", **options):
    """`script` stalls; within [low, high] seconds the client has `status`, or a cut answer, and the upstream is closed."""
    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, **options)
            with Client(gateway) as client:
                start = time.monotonic()
                client.send(service.fill(method + b" {T}/x HTTP/1.1\r\n{H}" + (b"Content-Length: 2\r\n\r\nok" if method == b"POST" else b"\r\n")))
                response = client.response(timeout=high + 2)
                taken = time.monotonic() - start
                if not response or response.status != status or response.cut != cut:
                    raise Failure(f"expected {status}{' cut' if cut else ''}: {response and (response.status, response.cut, short(response.body))} after {taken:.1f} s")
                if not low <= taken <= high:
                    raise Failure(f"answer after {taken:.2f} s, expected {low}..{high} s")
                if status == 504 and response.get(b"x-rotator-error-source") != b"gateway":
                    raise Failure(f"504 without its source: {response.fields}")
            if (status == 504 or cut) and not upstream.wait_closed(1.5):
                raise Failure("the upstream connection stays open after the timeout")
            if len(upstream.requests) > 1 and method == b"POST":
                raise Failure(f"the POST was sent {len(upstream.requests)} times")
        finally:
            upstream.close()
    return run


def silent(exchange):
    while exchange.conn.recv(8):
        pass
    return "fin"


def trickled(raw, gap=0.15):
    return lambda exchange: exchange.send(*[raw[n:n + 1] for n in range(len(raw))], gap=gap) and None


def interim_forever(exchange):
    for _ in range(60):
        if not exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n", gap=0.1):
            break
    return "fin"


def head_then_silence(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    return silent(exchange)


def sse_then_silence(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    return silent(exchange)


def connect_timeout(gateway):
    """A listener whose queue is full: the connection attempt itself is timed."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    fillers = []
    try:
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        time.sleep(0.1)
        service = gateway.add_service(port, connect_timeout_ms=1000)
        with Client(gateway) as client:
            start = time.monotonic()
            client.send(service.fill(GET))
            response = client.response(timeout=6)
            taken = time.monotonic() - start
        if not response or response.status not in (502, 504) or not 0.7 <= taken <= 4.5:
            raise Failure(f"{response and response.status} after {taken:.1f} s, expected 502 or 504 after 1 s (three attempts at most)")
    finally:
        for sock in fillers + [listener]:
            sock.close()


def cases():
    head = b"GET {T}/x HTTP/1.1\r\n{H}"
    post = b"POST {T}/x HTTP/1.1\r\n{H}"
    yield "slow/head-silent", slow_client(HEAD_TIMEOUT, head)
    yield "slow/head-one-byte", slow_client(HEAD_TIMEOUT, b"G")
    yield "slow/head-trickle", slow_client(HEAD_TIMEOUT, head + b"X-A: ", b"a" * 40)
    yield "slow/head-trickle-fields", slow_client(HEAD_TIMEOUT, head, b"X-A: b\r\n" * 8, 0.15)
    yield "slow/head-second-request", slow_client(HEAD_TIMEOUT, head, warm=True)
    yield "slow/body-silent", slow_client(BODY_TIMEOUT, post + b"Content-Length: 10\r\n\r\nhello")
    yield "slow/body-nothing", slow_client(BODY_TIMEOUT, post + b"Content-Length: 10\r\n\r\n")
    yield "slow/body-chunk-data", slow_client(BODY_TIMEOUT, post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel")
    yield "slow/body-chunk-size", slow_client(BODY_TIMEOUT, post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    yield "slow/body-last-chunk", slow_client(BODY_TIMEOUT,
                                              post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")
    yield "slow/body-trickle", slow_client(3 * BODY_TIMEOUT, post + b"Content-Length: 60\r\n\r\n", b"x" * 50, 0.3)
    yield "slow/body-pauses-are-fine", patient_body(5, 1.2)
    yield "slow/idle-connection-is-fine", idle_connection
    yield "timeout/first-byte", slow_upstream(silent, 0.8, 3, 504, first_byte_timeout_ms=1000)
    yield "timeout/first-byte-post", slow_upstream(silent, 0.8, 3, 504, method=b"POST", first_byte_timeout_ms=1000)
    yield "timeout/first-byte-trickle", slow_upstream(trickled(answer(b"late")), 0.8, 3, 504,
                                                      first_byte_timeout_ms=1000)
    yield "timeout/first-byte-interim", slow_upstream(interim_forever, 0.8, 3, 504, first_byte_timeout_ms=1000)
    yield "timeout/first-byte-in-time", slow_upstream(lambda exchange: (time.sleep(0.6), exchange.send(answer(b"ok")),
        None)[2], 0.5, 3, 200, first_byte_timeout_ms=2000)
    yield "timeout/stream-idle-length", slow_upstream(head_then_silence, 0.8, 3, 200, True, stream_idle_timeout_ms=1000)
    yield "timeout/stream-idle-chunked", slow_upstream(sse_then_silence, 0.8, 3, 200, True, stream_idle_timeout_ms=1000)
    yield "timeout/stream-idle-reset-by-bytes", slow_upstream(
        lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", *[b"x"] * 6,
                                       gap=0.4) and None, 1.8, 6, 200, stream_idle_timeout_ms=1000)
    yield "timeout/total", slow_upstream(
        lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", *[b"x"] * 60,
                                       gap=0.1) and None, 1.0, 3.5, 200, True, total_timeout_ms=1500)
    yield "timeout/total-before-head", slow_upstream(silent, 0.8, 3, 504, total_timeout_ms=1000)
    yield "timeout/connect", connect_timeout
