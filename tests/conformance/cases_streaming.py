"""Streams arrive when they are sent, unbuffered and unchanged; a reader that does not read costs nothing."""

import threading
import time

import wire
from harness import SSE_KEEPALIVE, Client, Failure, Gateway, short
from upstream import Upstream

GET = b"GET {T}/x HTTP/1.1\r\n{H}\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LLM_BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
LLM_POST = b"POST {T}/chat/completions HTTP/1.1\r\n{H}Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(LLM_BODY) + LLM_BODY


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def latency(head, frame, last, end=None, llm=False, count=20):
    """Every piece reaches the client soon after the upstream sent it."""
    def script(exchange):
        exchange.send(head)
        for n in range(count):
            time.sleep(0.05)
            payload = b'{"sent":%.6f,"id":%d}' % (time.monotonic(), n)
            if not exchange.send(frame(b"data: " + payload + b"\n\n")):
                break
        exchange.send(last)
        return end

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, llm=llm)
            with Client(gateway) as client:
                client.send(service.fill(LLM_POST if llm else GET))
                delays, seen = [], 0
                while not client.ended and len(delays) < count and client.recv(4):
                    now = time.monotonic()
                    so_far = wire.parse_response(client.buffer, "GET", False)
                    events = so_far.body.split(b'"sent":')[1:] if so_far else []
                    events = [e for e in events if b"\n\n" in e]
                    delays += [now - float(e[:e.index(b",")]) for e in events[seen:]]
                    seen = len(events)
                response = client.response(timeout=3)
            if not response or not response.complete:
                raise Failure(f"the stream did not end cleanly: {response and short(response.body[-200:])}")
            if len(delays) != count or response.body.count(b"data: ") != count:
                raise Failure(f"{len(delays)} of {count} events")
            delays.sort()
            if delays[count // 2] > 0.05 or delays[-1] > 0.8:
                raise Failure(f"delays: median {delays[count // 2] * 1000:.0f} ms, worst {delays[-1] * 1000:.0f} ms")
        finally:
            upstream.close()
    return run


def unchanged_split(cuts):
    """Events cut at awkward places (inside UTF-8, between CR and LF) arrive byte for byte."""
    text = "event: a\r\ndata: {\"t\":\"日本語 é 😀\"}\r\n\r\n: comment\n\ndata: two\ndata: lines\n\nid: 7\rdata: cr\r\r".encode()

    def script(exchange):
        exchange.send(SSE)
        for at in range(0, len(text), cuts):
            exchange.send(chunk(text[at:at + cuts]))
            time.sleep(0.003)
        exchange.send(b"0\r\n\r\n")

    def run(gateway):
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(GET))
                response = client.response()
            if not response or response.body != text:
                raise Failure(f"{response and short(response.body)} instead of {short(text)}")
            if b"text/event-stream" not in response.get(b"content-type"):
                raise Failure(f"{response.fields}")
        finally:
            upstream.close()
    return run


def sse_fields(gateway):
    upstream = Upstream(lambda exchange: exchange.send(SSE + chunk(b"data: 1\n\n") + b"0\r\n\r\n") and None)
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            client.send(service.fill(GET))
            response = client.response()
        if not response or response.get(b"x-accel-buffering") != b"no" or b"no-cache" not in (response.get(b"cache-control") or b""):
            raise Failure(f"an event stream without X-Accel-Buffering: no and Cache-Control: no-cache: {response and response.fields}")
    finally:
        upstream.close()


def llm_cut(end):
    """A cut LLM stream ends with an error event, or as a cut; never with [DONE], never as if it were whole."""
    def run(gateway):
        upstream = Upstream(lambda exchange: exchange.send(SSE + chunk(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'), gap=0.05) and end)
        try:
            service = gateway.add_service(upstream.port, llm=True)
            with Client(gateway) as client:
                client.send(service.fill(LLM_POST))
                response = client.response()
            if not response or b"[DONE]" in response.body or (not response.cut and b'"error"' not in response.body):
                raise Failure(f"a cut stream looks whole: {response and (response.status, response.cut, response.body)}")
        finally:
            upstream.close()
    return run


def upload_is_streamed(gateway):
    """With stream_uploads the upstream sees the first bytes before the client has sent the last."""
    upstream = Upstream()
    try:
        service = gateway.add_service(upstream.port, stream_uploads=True)
        with Client(gateway) as client:
            client.send(service.fill(b"POST {T}/x HTTP/1.1\r\n{H}Content-Length: 100000\r\n\r\n") + bytes(50000))
            early = upstream.wait(lambda: upstream.conns and b"\r\n\r\n" in upstream.conns[0].data, 1.5)
            client.send(bytes(50000))
            response = client.response()
        if not early or not response or response.status != 200 or upstream.requests[0].body != bytes(100000):
            raise Failure(f"head seen early: {early}; answer {response}")
    finally:
        upstream.close()


def slow_reader(gateway):
    """A client that reads 1 KiB/s of 64 MiB: the upstream is held back and the gateway's memory stays flat."""
    taken = [0]

    def script(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
        exchange.conn.sock.settimeout(20)
        try:
            while taken[0] < 64 << 20:
                taken[0] += exchange.conn.sock.send(bytes(65536))
        except OSError:
            pass
        return "rst"

    own = Gateway(gateway.binary)   # its own process, so that its memory is this case's alone
    upstream = Upstream(script)
    try:
        own.wait_ready()
        service = own.add_service(upstream.port)
        with Client(own) as client:   # touches every code path once before the memory is measured
            client.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            client.response()
        before = own.rss_kib()
        clients = [Client(own, buffer=4096) for _ in range(4)]
        for client in clients:
            client.send(service.fill(GET))
        for _ in range(4):
            time.sleep(1)
            for client in clients:
                client.sock.settimeout(1)
                client.sock.recv(1024)
        grown = own.rss_kib() - before
        for client in clients:
            client.abort()
        if grown > 6144:
            raise Failure(f"4 slow readers cost {grown} KiB")
        if taken[0] > 48 << 20:
            raise Failure(f"{taken[0] >> 20} MiB were pulled from the upstream for readers that took 16 KiB")
        if not upstream.wait_closed(2):
            raise Failure("the upstream stays connected after the readers left")
    finally:
        upstream.close()
        own.stop()
        own.remove()


def stuck_reader_is_alone(gateway):
    """While one client does not read, others of the same service are served at once."""
    upstream = Upstream(lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 << 20) + bytes(16 << 20)) and None
                        if exchange.request.target.endswith(b"/big") else exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") and None)
    try:
        service = gateway.add_service(upstream.port)
        stuck = [Client(gateway, buffer=4096) for _ in range(8)]
        for client in stuck:
            client.send(service.fill(b"GET {T}/big HTTP/1.1\r\n{H}\r\n"))
        time.sleep(0.2)
        worst = 0.0
        for _ in range(20):
            with Client(gateway) as client:
                start = time.monotonic()
                client.send(service.fill(GET))
                response = client.response(timeout=3)
                worst = max(worst, time.monotonic() - start)
                if not response or response.body != b"ok":
                    raise Failure(f"a request beside stuck readers: {response}")
        for client in stuck:
            client.abort()
        if worst > 1.0:
            raise Failure(f"a request beside stuck readers took {worst:.2f} s")
    finally:
        upstream.close()


def keepalive_comments(gateway):
    """After SSE_KEEPALIVE seconds of upstream silence the client of an event stream gets a comment, on an event boundary."""
    done = threading.Event()

    def script(exchange):
        exchange.send(SSE + chunk(b"data: 1\n\n"))
        done.wait(10)
        exchange.send(chunk(b"data: 2\n\n") + b"0\r\n\r\n")
    upstream = Upstream(script)
    try:
        service = gateway.add_service(upstream.port, stream_idle_timeout_ms=20000)
        with Client(gateway) as client:
            client.send(service.fill(GET))
            start = time.monotonic()
            while b": keepalive\n\n" not in client.buffer and time.monotonic() - start < SSE_KEEPALIVE + 2:
                client.recv(1)
            done.set()
            response = client.response()
        if not response or response.body != b"data: 1\n\n: keepalive\n\ndata: 2\n\n":
            raise Failure(f"{response and short(response.body)} after {time.monotonic() - start:.1f} s")
    finally:
        done.set()
        upstream.close()


def cases():
    plain = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
    yield "stream/slow-reader", slow_reader
    yield "stream/keepalive-comments", keepalive_comments
    yield "stream/latency-sse", latency(SSE, chunk, b"0\r\n\r\n")
    yield "stream/latency-sse-llm", latency(SSE, chunk, b"0\r\n\r\n", llm=True)
    yield "stream/latency-sse-close", latency(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", bytes, b"",
                                              "fin")
    yield "stream/latency-chunked", latency(plain + b"Transfer-Encoding: chunked\r\n\r\n", chunk, b"0\r\n\r\n")
    yield "stream/latency-close", latency(plain + b"\r\n", bytes, b"", "fin")
    yield "stream/latency-one-byte-chunks", latency(SSE,
                                                    lambda data: b"".join(chunk(data[n:n + 1]) for n in range(len(data))), b"0\r\n\r\n")
    for cuts in (1, 2, 3, 7):
        yield f"stream/split-{cuts}", unchanged_split(cuts)
    yield "stream/sse-fields", sse_fields
    for end in ("fin", "rst"):
        yield f"stream/llm-cut-{end}", llm_cut(end)
    yield "stream/upload-is-streamed", upload_is_streamed
    yield "stream/stuck-reader-is-alone", stuck_reader_is_alone
