"""q.E, second half: field syntax and the limits of a head."""

from exchange import SMUGGLED, either, forward, refuse, request_cases, upstream_sees
from harness import Failure

GET = b"GET {T}/x HTTP/1.1\r\n{H}"
LARGE = refuse(400, 431)

SYNTAX = [
    ("nul-in-value", b"X-A: a\x00b\r\n", refuse()), ("nul-in-name", b"X\x00A: b\r\n", refuse()),
    ("nul-line", b"\x00\r\n", refuse()),
    ("bell", b"X-A: a\x07b\r\n", refuse()), ("escape", b"X-A: \x1b[31m\r\n", refuse()),
    ("del", b"X-A: a\x7fb\r\n", refuse()), ("vt", b"X-A: a\x0bb\r\n", refuse()),
    ("ff", b"X-A: a\x0cb\r\n", refuse()), ("us", b"X-A: \x1f\r\n", refuse()), ("bare-cr", b"X-A: a\rb\r\n", refuse()),
    ("bare-cr-field", b"X-A: a\rX-SMUGGLED: b\r\n", refuse()),
    ("bare-lf-field", b"X-A: a\nX-B: b\r\n", either()), ("crcrlf", b"X-A: a\r\r\n", refuse()),
    ("lfcr", b"X-A: a\n\rX-B: SMUGGLED\r\n", refuse()),
    ("folded", b"X-A: a\r\n b\r\n", refuse()), ("folded-tab", b"X-A: a\r\n\tb\r\n", refuse()),
    ("folded-empty", b"X-A: a\r\n \r\n", refuse()),
    ("folded-field", b"X-A: a\r\n X-SMUGGLED: b\r\n", refuse()), ("folded-crlf", b"X-A:\r\n\r\n b\r\n", either(400)),
    ("no-colon", b"X-A\r\n", refuse()), ("only-colon", b":\r\n", refuse()), ("empty-name", b": a\r\n", refuse()),
    ("space-colon", b"X-A : a\r\n", refuse()),
    ("tab-colon", b"X-A\t: a\r\n", refuse()), ("space-in-name", b"X A: a\r\n", refuse()),
    ("space-first", b" X-A: a\r\n", refuse()), ("tab-first", b"\tX-A: a\r\n", refuse()),
    ("name-paren", b"X(A): a\r\n", refuse()), ("name-at", b"X@A: a\r\n", refuse()),
    ("name-slash", b"X/A: a\r\n", refuse()), ("name-brackets", b"X[A]: a\r\n", refuse()),
    ("name-quote", b'"X-A": a\r\n', refuse()), ("name-comma", b"X,A: a\r\n", refuse()),
    ("name-semicolon", b"X;A: a\r\n", refuse()), ("name-equals", b"X=A: a\r\n", refuse()),
    ("name-high", b"X-\xc3\x84: a\r\n", refuse()), ("name-braces", b"X{A}: a\r\n", refuse()),
    ("name-backslash", b"X\\A: a\r\n", refuse()), ("name-pseudo", b":method: GET\r\n", refuse()),
    ("request-line-again", b"GET /SMUGGLED HTTP/1.1\r\n", refuse()),
    ("name-long", b"X" * 10000 + b": a\r\n", either(400, 431)),
]
# What a client may send and the upstream must see unchanged.
KEPT = [
    ("plain", b"X-A: some value"), ("empty", b"X-A:"), ("tab-inside", b"X-A: a\tb"), ("spaces-inside", b"X-A: a   b"),
    ("high-bytes", b"X-A: caf\xc3\xa9 \xff"),
    ("token-name", b"x!#$%&'*+-.^_`|~9: a"), ("quotes", b'X-A: "a, b", (c)'), ("long", b"X-A: " + b"v" * 60000),
    ("name-60", b"X-" + b"n" * 58 + b": a"), ("colon-inside", b"X-A: a:b: c"),
    ("accept", b"Accept: text/html;q=0.9, */*"), ("user-agent", b"User-Agent: a/1 (b; c)"),
    ("range", b"Range: bytes=0-4"), ("if-none-match", b'If-None-Match: "abc"'),
    ("content-type", b"Content-Type: text/plain; charset=x"),
]


def kept(line):
    name, _, value = line.partition(b":")
    value = value.strip(b" \t")

    def look(request, _):
        if request.all(name) != [value]:
            raise Failure(f"{line[:100]!r} arrived as {request.all(name)!r}"[:400])
    return look


def order(request, _):
    seen = [v for n, v in request.fields if n.lower() == b"x-a"]
    if seen not in ([b"1", b"2", b"3"], [b"1, 2, 3"]):
        raise Failure(f"repeated fields arrived as {seen}")


LIMITS = [
    ("fields-120", b"".join(b"X-%d: a\r\n" % n for n in range(120)), forward()),
    ("fields-128", b"".join(b"X-%d: a\r\n" % n for n in range(126)), forward()),
    ("fields-129", b"".join(b"X-%d: a\r\n" % n for n in range(127)), refuse(431)),
    ("fields-20000", b"X-A: a\r\n" * 20000, LARGE), ("fields-same-name", b"X-A: a\r\n" * 200, refuse(431)),
    ("head-66000", b"X-A: " + b"v" * 66000 + b"\r\n", refuse(431)),
    ("head-1m", b"X-A: " + b"v" * (1 << 20) + b"\r\n", LARGE),
    ("head-1m-name", b"v" * (1 << 20) + b": a\r\n", LARGE),
    ("head-1m-many", (b"X-A: " + b"v" * 10000 + b"\r\n") * 100, LARGE),
    ("head-endless", b"X-A: " + b"v" * (4 << 20), LARGE),
    ("cookies-1000", b"Cookie: a=b\r\n" * 1000, LARGE),
    ("connection-long", b"Connection: " + b"x-a, " * 5000 + b"x-b\r\n", either(400, 431)),
]

LF_END = either(400, 408, timeout=4.5, silent=True)
MIXED = [
    ("end-lf-lf", b"GET {T}/x HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: {K}\n\n", LF_END),
    ("end-lf-crlf", b"GET {T}/x HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: {K}\n\r\n", LF_END),
    ("end-crlf-lf", b"GET {T}/x HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: {K}\r\n\n", LF_END),
    ("all-lf", b"GET {T}/x HTTP/1.1\nHost: a\nX-Proxy-Key: {K}\n\n", LF_END),
    ("end-cr-cr", b"GET {T}/x HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: {K}\r\r", refuse(400, 408, timeout=4.5, silent=True)),
    ("refused-then-request", GET + b"X A: b\r\n\r\n" + SMUGGLED, refuse()),
    ("refused-then-many", GET + b"X A: b\r\n\r\n" + SMUGGLED * 50, refuse()),
    ("refused-body-is-request", b"POST {T}/x HTTP/1.1\r\n{H}X A: b\r\nContent-Length: 90\r\n\r\n" + SMUGGLED * 2,
     refuse()),
]


def cases():
    yield from request_cases("q.E", [(f"field-{n}", GET + line + b"\r\n", expect) for n, line, expect in SYNTAX])
    yield from request_cases("q.E", [(f"limit-{n}", GET + lines + b"\r\n", expect) for n, lines, expect in LIMITS])
    yield from request_cases("q.E", [(f"field-{n}", raw, expect) for n, raw, expect in MIXED])
    for name, line in KEPT:
        yield f"q.E/kept-{name}", upstream_sees(GET + line + b"\r\n\r\n", kept(line))
    yield "q.E/kept-order", upstream_sees(GET + b"X-A: 1\r\nX-B: b\r\nX-A: 2\r\nx-a: 3\r\n\r\n", order)
