"""r.G and connection faults: cuts at every byte, early answers, replays, stale connections, clients that leave."""

import ctypes
import socket
import struct
import time

from harness import Client, Failure, short
from upstream import Upstream, answer, echo, reset

GET = b"GET {T}/%s HTTP/1.1\r\n{H}\r\n"
POST = b"POST {T}/%s HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello"
BODY = b"0123456789" * 20
WITH_LENGTH = answer(BODY, b"200 OK", b"Content-Type: text/plain", b"X-Padding: abcdefghijk")
HALF = len(BODY) // 2
WITH_CHUNKS = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"64\r\n" + BODY[:HALF] + b"\r\n64\r\n" + BODY[HALF:] + b"\r\n0\r\n\r\n")


def cut_at(whole, first, last, end):
    """Cuts `whole` after k bytes: 502 while no head is complete, a visible cut after that, never a complete answer."""
    def script(exchange):
        exchange.send(whole[:int(exchange.request.target.rpartition(b"/")[2])])
        return end

    def run(gateway):
        upstream = Upstream(script)
        problems = []
        try:
            service = gateway.add_service(upstream.port)
            for k in range(first, last):
                with Client(gateway) as client:
                    client.send(service.fill(GET % (b"%d" % k)))
                    response = client.response(timeout=4)
                if not response:
                    seen = "502 expected" if k <= whole.index(b"\r\n\r\n") + 3 else None
                elif k == len(whole):
                    seen = None if response.complete or end == "rst" else "cut"
                elif response.status == 502 or (response.status == 200 and response.cut and BODY.startswith(response.body)):
                    seen = None
                else:
                    seen = f"{response.status}, {'complete' if response.complete else 'cut'}, {len(response.body)} bytes"
                if seen:
                    problems.append(f"after {k} bytes: {seen}")
            if problems:
                raise Failure(f"{end} in a {len(whole)}-byte answer: {'; '.join(problems[:4])} ({len(problems)} in all)")
        finally:
            upstream.close()
    return run


def early_answer(status, close_after):
    """The upstream answers during the upload, without reading it: the client gets that answer, once."""
    size = 4 << 20

    def early(exchange):
        exchange.send(answer(b"early", status, b"Connection: close"))
        if not close_after:
            while exchange.conn.recv(5):
                pass
        return close_after or "fin"

    def run(gateway):
        upstream = Upstream(early=early)
        try:
            service = gateway.add_service(upstream.port, stream_uploads=True)
            with Client(gateway) as client:
                client.send(service.fill(b"POST {T}/x HTTP/1.1\r\n{H}Content-Length: %d\r\n\r\n" % size) + bytes(size))
                response = client.response()
            if close_after == "rst" and response and response.status == 502:
                return  # a reset may destroy the answer before anybody reads it
            if not response or response.body != b"early" or response.status != int(status[:3]):
                raise Failure(f"instead of the early answer: {response and (response.status, short(response.body))}")
            if len(upstream.heads) != 1:
                raise Failure(f"the upload was sent {len(upstream.heads)} times")
        finally:
            upstream.close()
    return run


def never_replayed(method, end, reused):
    """The upstream reads the whole request and closes: a POST must not be sent again (nor a GET more than once)."""
    def script(exchange):
        return echo(exchange) if reused and exchange.index == 0 else end

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, keys=3)
            with Client(gateway) as client:
                if reused:
                    client.send(service.fill(GET % b"warm"))
                    client.response()
                client.send(service.fill((POST if method == "POST" else GET) % b"x"))
                response = client.response()
            seen = sum(r.target == b"/base/x" for r in upstream.requests)
            if not response or response.status != 502:
                raise Failure(f"expected 502: {response and response.status}")
            if seen > (1 if method == "POST" else 4):
                raise Failure(f"the {method} was sent {seen} times")
        finally:
            upstream.close()
    return run


def stale(method, end, delay, rounds=1):
    """The upstream closes its idle connection; the next request works and is executed once."""
    def script(exchange):
        echo(exchange)
        if exchange.index % 2 == 0:
            time.sleep(delay)
            if end == "rst":
                reset(exchange.conn.sock)
            return end
        return None

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                for n in range(rounds):
                    client.send(service.fill(GET % (b"warm%d" % n)))
                    first = client.response()
                    time.sleep(delay + 0.05)
                    client.send(service.fill((POST if method == "POST" else GET) % (b"x%d" % n)))
                    second = client.response()
                    if not first or not second or second.status != 200 or second.body != b"seen /base/x%d" % n:
                        raise Failure(f"round {n}: {second and (second.status, short(second.body))}")
                    if sum(r.target == b"/base/x%d" % n for r in upstream.requests) != 1:
                        raise Failure(f"round {n}: the {method} was not executed once")
        finally:
            upstream.close()
    return run


def fall_silent(sock):
    """Drops every packet that comes for the socket, as if a firewall had forgotten the connection."""
    program = (ctypes.c_ubyte * 8)(*struct.pack("HBBI", 0x06, 0, 0, 0))
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", 1, ctypes.addressof(program)))  # SO_ATTACH_FILTER


def silently_gone(method):
    """A kept connection is gone without FIN or RST: the next request is answered in about a second, not in 30."""
    def script(exchange):
        echo(exchange)
        if exchange.index == 0:
            fall_silent(exchange.conn.sock)

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, retry_non_idempotent=True)
            with Client(gateway) as client:
                client.send(service.fill(GET % b"warm"))
                client.response()
                time.sleep(0.05)
                began = time.monotonic()
                client.send(service.fill((POST if method == "POST" else GET) % b"x"))
                response = client.response()
            took = time.monotonic() - began
            if not response or response.body != b"seen /base/x" or took > 3:
                raise Failure(f"after {took:.1f} s: {response and (response.status, short(response.body))}")
            if sum(r.target == b"/base/x" for r in upstream.requests) != 1:
                raise Failure(f"the {method} was not executed once")
        finally:
            upstream.close()
    return run


def racing_close(gateway):
    """The upstream closes 0-4 ms after its answer, while the next GET is on its way: no client ever sees an error."""
    def script(exchange):
        echo(exchange)
        time.sleep(0.001 * (exchange.index % 5))
        return "fin"
    upstream = Upstream(script)
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            for n in range(150):
                client.send(service.fill(GET % (b"%d" % n)))
                response = client.response()
                if not response or response.body != b"seen /base/%d" % n:
                    raise Failure(f"GET {n}: {response and (response.status, short(response.body))}")
    finally:
        upstream.close()


def client_leaves(how, state):
    """The client goes away: the upstream connection closes within a second."""
    def script(exchange):
        if state == "streaming":
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n")
        while exchange.conn.recv(6):
            pass
        return "fin"

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            client = Client(gateway)
            client.send(service.fill(GET % b"x"))
            if not upstream.wait(lambda: upstream.requests):
                raise Failure("the request did not arrive")
            if state == "streaming":
                client.recv(2)
            else:
                time.sleep(0.1)
            if how == "rst":
                client.abort()
            else:
                client.sock.close()
            left = time.monotonic()
            if not upstream.wait_closed(3) or upstream.conns[0].ended_at - left > (1.0 if how == "rst" else 1.5):
                closed = upstream.conns[0].ended_at
                raise Failure(f"the upstream connection closed after {closed and round(closed - left, 2)} s")
            if len(upstream.requests) != 1:
                raise Failure("the abandoned request was tried again")
        finally:
            upstream.close()
    return run


def upload_abandoned(end, chunked, streamed):
    """Half a body, then the client leaves: no complete request upstream."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port, stream_uploads=streamed)
            client = Client(gateway)
            head = b"Transfer-Encoding: chunked\r\n\r\n100000\r\n" if chunked else b"Content-Length: 1048576\r\n\r\n"
            client.send(service.fill(b"POST {T}/x HTTP/1.1\r\n{H}" + head) + bytes(500000))
            time.sleep(0.1)
            client.abort() if end == "rst" else client.sock.shutdown(socket.SHUT_WR)
            time.sleep(0.2)
            closed = upstream.wait_closed(2)
            client.sock.close()
            if upstream.requests or not closed:
                raise Failure(f"{len(upstream.requests)} requests completed, upstream closed: {closed}")
        finally:
            upstream.close()
    return run


def cases():
    for name, whole in (("length", WITH_LENGTH), ("chunked", WITH_CHUNKS)):
        for end in ("fin", "rst"):
            for first in range(0, len(whole) + 1, 25):
                yield f"cut/{name}-{end}-{first}", cut_at(whole, first, min(first + 25, len(whole) + 1), end)
    for status in (b"413 Too Large", b"200 OK", b"422 No"):
        for close_after in ("", "fin", "rst"):
            yield f"r.G/early-{int(status[:3])}-{close_after or 'reads-on'}", early_answer(status, close_after)
    for method in ("GET", "POST"):
        for end in ("fin", "rst"):
            yield f"r.G/never-replayed-{method}-{end}", never_replayed(method, end, False)
            yield f"r.G/never-replayed-{method}-{end}-reused", never_replayed(method, end, True)
            for delay in (0.0, 0.03, 0.3):
                yield f"r.G/stale-{method}-{end}-{int(delay * 1000)}ms", stale(method, end, delay)
            yield f"r.G/stale-{method}-{end}-x20", stale(method, end, 0.0, 20)
        yield f"r.G/silently-gone-{method}", silently_gone(method)
    yield "r.G/racing-close", racing_close
    for how in ("fin", "rst"):
        for state in ("waiting", "streaming"):
            yield f"leave/{state}-{how}", client_leaves(how, state)
        for chunked in (False, True):
            for streamed in (False, True):
                kind = ("chunked" if chunked else "length") + ("-streamed" if streamed else "")
                yield f"leave/upload-{kind}-{how}", upload_abandoned(how, chunked, streamed)
