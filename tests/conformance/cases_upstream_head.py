"""r.D, r.E: garbage instead of an answer, and malformed or oversized upstream heads.  Nothing raw reaches the client."""

from exchange import BAD, Answer, answer_case, answer_cases, ok
from harness import Client, Failure
from upstream import Upstream

TAIL = b"\r\nContent-Length: 4\r\n\r\nLEAK"
OK200 = b"HTTP/1.1 200 OK\r\n"
END = b"Content-Length: 5\r\n\r\nhello"
MAYBE = Answer(200, b"hello", bad=True)

GARBAGE = [(name, raw, BAD, end) for name, raw, end in [
    ("nothing-fin", b"", "fin"), ("nothing-rst", b"", "rst"), ("crlf", b"\r\n\r\n", "fin"),
    ("text", b"LEAK LEAK LEAK\r\n\r\n", "fin"), ("http09", b"<html>LEAK</html>", "fin"),
    ("binary", bytes(range(256)) * 16, "fin"), ("zeros", bytes(10000), "fin"),
    ("tls-alert", b"\x15\x03\x03\x00\x02\x02\x16", "fin"),
    ("h2-settings", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "fin"), ("icy", b"ICY 200 OK" + TAIL, "keep"),
    ("ssh", b"SSH-2.0-LEAK\r\n", "fin"),
    ("status-99", b"HTTP/1.1 99 Odd" + TAIL, "keep"), ("status-2000", b"HTTP/1.1 2000 Odd" + TAIL, "keep"),
    ("status-minus", b"HTTP/1.1 -200 Odd" + TAIL, "keep"), ("status-plus", b"HTTP/1.1 +200 Odd" + TAIL, "keep"),
    ("status-word", b"HTTP/1.1 OK 200" + TAIL, "keep"),
    ("status-missing", b"HTTP/1.1" + TAIL, "keep"), ("status-000", b"HTTP/1.1 000 Odd" + TAIL, "keep"),
    ("status-hex", b"HTTP/1.1 0xC8 Odd" + TAIL, "keep"), ("status-fraction", b"HTTP/1.1 200.1 Odd" + TAIL, "keep"),
    ("status-20", b"HTTP/1.1 20 Odd" + TAIL, "keep"),
    ("version-0.9", b"HTTP/0.9 200 OK" + TAIL, "keep"), ("version-2", b"HTTP/2 200 OK" + TAIL, "keep"),
    ("version-2.0", b"HTTP/2.0 200 OK" + TAIL, "keep"), ("version-3.1", b"HTTP/3.1 200 OK" + TAIL, "keep"),
    ("version-1.10", b"HTTP/1.10 200 OK" + TAIL, "keep"),
    ("version-lower", b"http/1.1 200 OK" + TAIL, "keep"), ("version-space", b"HTTP /1.1 200 OK" + TAIL, "keep"),
    ("version-missing", b"200 OK" + TAIL, "keep"), ("two-spaces", b"HTTP/1.1  200 OK" + TAIL, "keep"),
    ("tab", b"HTTP/1.1\t200\tOK" + TAIL, "keep"), ("space-first", b" HTTP/1.1 200 OK" + TAIL, "keep"),
    ("reason-cr", b"HTTP/1.1 200 O\rLEAK" + TAIL, "keep"), ("reason-nul", b"HTTP/1.1 200 O\x00LEAK" + TAIL, "keep"),
    ("reason-control", b"HTTP/1.1 200 O\x01LEAK" + TAIL, "keep"),
    ("request", b"GET / HTTP/1.1\r\nHost: LEAK\r\n\r\n", "fin"),
    ("head-unfinished", b"HTTP/1.1 200 OK\r\nX-A: LEAK\r\n", "fin"),
    ("head-unfinished-rst", b"HTTP/1.1 200 OK\r\nX-A: LEAK\r\n", "rst"),
    ("status-line-endless", b"HTTP/1.1 200 " + b"LEAK" * 50000, "fin")]]
LENIENT = [("status-999", b"HTTP/1.1 999 Odd\r\nContent-Length: 5\r\n\r\nhello", Answer(999, b"hello", bad=True)),
           ("status-600", b"HTTP/1.1 600 Odd\r\nContent-Length: 5\r\n\r\nhello", Answer(600, b"hello", bad=True)),
           ("no-space-after-status", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", MAYBE),
           ("version-1.2", b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", MAYBE),
           ("leading-crlf", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", MAYBE),
           ("reason-high", b"HTTP/1.1 200 \xc3\xa9\xff\r\nContent-Length: 5\r\n\r\nhello", MAYBE),
           ("reason-long", b"HTTP/1.1 200 " + b"r" * 5000 + b"\r\nContent-Length: 5\r\n\r\nhello", MAYBE)]

FIELDS = [(f"field-{name}", OK200 + line + b"\r\n" + END, BAD) for name, line in [
    ("nul", b"X-A: LEAK\x00b"), ("bare-cr", b"X-A: a\rX-LEAK: b"), ("control", b"X-A: \x01LEAK"),
    ("escape", b"X-A: \x1bLEAK"), ("del", b"X-A: \x7fLEAK"), ("vt", b"X-A: a\x0bLEAK"), ("name-nul", b"X\x00LEAK: b"),
    ("name-space", b"X LEAK: b"), ("name-high", b"X-\xe9LEAK: b"),
    ("no-colon", b"LEAK"), ("empty-name", b": LEAK"), ("space-colon", b"X-LEAK : b"), ("indented-first", b" X-A: LEAK"),
    ("crcrlf", b"X-A: LEAK\r"), ("name-brackets", b"X[LEAK]: b"), ("name-quote", b'"LEAK": b')]]
FIELDS += [("field-folded", OK200 + b"X-A: a\r\n b\r\n" + END, MAYBE),
           ("field-folded-tab", OK200 + b"X-A: a\r\n\tb\r\n" + END, MAYBE),
           ("field-bare-lf", OK200 + b"X-A: a\nX-B: b\r\n" + END, MAYBE),
           ("all-lf", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", MAYBE, "fin"),
           ("field-empty-value", OK200 + b"X-A:\r\n" + END, ok(b"hello", fields=((b"X-A", b""),))),
           ("field-padded", OK200 + b"X-A: \t a \t\r\n" + END, ok(b"hello", fields=((b"X-A", b"a"),))),
           ("fields-100", OK200 + b"X-A: a\r\n" * 100 + END, ok(b"hello")),
           ("fields-20000", OK200 + b"X-A: a\r\n" * 20000 + END, BAD),
           ("head-1m", OK200 + b"X-A: " + b"LEAK" * (1 << 18) + b"\r\n" + END, BAD),
           ("head-20k", OK200 + b"X-A: " + b"a" * 20000 + b"\r\n" + END, ok(b"hello")),
           ("own-source-field", OK200 + b"X-Rotator-Error-Source: gateway\r\n" + END, Answer(200, b"hello")),
           ("connection-many", OK200 + b"Connection: " + b"x-a, " * 3000 + b"close\r\n" + END, MAYBE)]


def endless_head(gateway):
    """16 MiB of fields without an end: 502, and the gateway stops reading long before that."""
    sent = []

    def script(exchange):
        exchange.send(OK200)
        for _ in range(256):
            if not exchange.send(b"X-A: " + b"a" * 65529 + b"\r\n"):
                break
            sent.append(1)
        return "fin"
    upstream = Upstream(script)
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            client.send(service.fill(b"GET {T}/x HTTP/1.1\r\n{H}\r\n"))
            response = client.response()
        if not response or response.status != 502 or len(sent) > 200:
            raise Failure(f"{response}, {len(sent) * 64} KiB of head were taken")
    finally:
        upstream.close()


def error_source_is_ours(gateway):
    """An upstream cannot pass its error off as the gateway's."""
    upstream = Upstream(lambda exchange: exchange.send(b"HTTP/1.1 404 No\r\nX-Rotator-Error-Source: gateway\r\n" + END) and None)
    try:
        service = gateway.add_service(upstream.port)
        with Client(gateway) as client:
            client.send(service.fill(b"GET {T}/x HTTP/1.1\r\n{H}\r\n"))
            response = client.response()
        if not response or response.all(b"x-rotator-error-source") != [b"upstream"]:
            raise Failure(f"{response}")
    finally:
        upstream.close()


def cases():
    yield from answer_cases("r.D", GARBAGE + LENIENT)
    yield from answer_cases("r.E", FIELDS)
    yield "r.E/endless-head", endless_head
    yield "r.E/error-source-is-ours", error_source_is_ours
    yield "r.D/status-line-one-by-one", answer_case([bytes([b]) for b in b"HTTP/1.1 2x0 OK" + TAIL], BAD, gap=0.001)
