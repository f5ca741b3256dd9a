"""What leaves towards the upstream and what comes back: identity and credentials stay here, content is untouched."""

import gzip

from exchange import answer_cases, ok, upstream_sees
from harness import KEY_FIELD, Client, Failure
from upstream import Upstream, answer

GET = b"GET {T}/x HTTP/1.1\r\n{H}"
KEY = KEY_FIELD.encode()
DROPPED = [b"X-Proxy-Key", b"Authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"Cookie",
           b"Proxy-Authorization", b"Proxy-Foo", b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Host",
           b"X-Forwarded-Proto",
           b"X-Forwarded-Port", b"X-Forwarded-Prefix", b"X-Real-IP", b"CF-Connecting-IP", b"CF-Ray", b"Keep-Alive",
           b"Proxy-Connection"]
CREDENTIAL_FIELDS = (b"authorization", b"x-proxy-key", b"x-api-key", b"api-key", b"x-goog-api-key", b"x-secret")


def value_for(name):
    return {b"Authorization": b"Bearer {K}", b"Forwarded": b"for=1.2.3.4;host=SMUGGLED"}.get(
        name, b"{K}" if name.lower() in CREDENTIAL_FIELDS else b"a=SMUGGLED")


def not_there(*names):
    def look(request, service):
        for name in names:
            if request.all(name):
                raise Failure(f"{name!r} reached the upstream as {request.all(name)}")
        if request.all(KEY) != [service.keys[0]]:
            raise Failure(f"the injected key is {request.all(KEY)}")
    return look


def scenario_51(request, service):
    not_there(*DROPPED, b"x-secret")(request, service)
    if b"conf-access-key" in request.target or b"key=" in request.target:
        raise Failure(f"target {request.target!r}")
    credentials = [(n, v) for n, v in request.fields if n.lower() in CREDENTIAL_FIELDS or n.lower() == KEY.lower()]
    if len(credentials) != 1:
        raise Failure(f"credentials: {credentials}")


def injected(name, prefix, expect):
    def look(request, service):
        if request.all(name) != [expect + service.keys[0]]:
            raise Failure(f"{name!r} is {request.all(name)}")
    return look


def host_is_upstreams(request, service):
    if b"gateway.test" in b"".join(v for _, v in request.fields) or not request.get(b"host").startswith(b"127.0.0.1:"):
        raise Failure(f"Host {request.get(b'host')!r}")


ALL = b"".join(n + b": " + value_for(n) + b"\r\n" for n in DROPPED if n != b"X-Proxy-Key")
GZIPPED = gzip.compress(b"hello " * 100, mtime=0)
COOKIES = b"".join(b"Set-Cookie: c%d=v; Path=/\r\n" % n for n in range(50))
OK200 = b"HTTP/1.1 200 OK\r\n"

# What the client sees of a well-formed answer.
BACK = [
    ("content-fields", OK200 + b'ETag: "a"\r\nCache-Control: max-age=5\r\nVary: A, B\r\nContent-Type: text/x; a=b\r\nContent-Length: 2\r\n\r\nok',
     ok(b"ok", fields=((b"ETag", b'"a"'), (b"Cache-Control", b"max-age=5"), (b"Vary", b"A, B"),
                       (b"Content-Type", b"text/x; a=b")))),
    ("rate-limits", OK200 + b"X-RateLimit-Remaining: 7\r\nX-Request-Id: r1\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nok",
     ok(b"ok", fields=((b"X-RateLimit-Remaining", b"7"), (b"X-Request-Id", b"r1"), (b"Retry-After", b"9")))),
    ("repeated", OK200 + b"X-A: 1\r\nX-A: 2\r\nLink: <a>\r\nLink: <b>\r\nContent-Length: 2\r\n\r\nok",
     ok(b"ok", fields=((b"X-A", b"1"), (b"X-A", b"2"), (b"Link", b"<a>"), (b"Link", b"<b>")))),
    ("set-cookie-dropped", OK200 + COOKIES + b"Content-Length: 2\r\n\r\nok", ok(b"ok", absent=(b"Set-Cookie",))),
    ("hop-by-hop", OK200 + b"Connection: X-Hop, keep-alive\r\nX-Hop: LEAK\r\nKeep-Alive: timeout=LEAK\r\nProxy-Authenticate: LEAK\r\nTrailer: LEAK\r\nUpgrade: LEAK\r\nProxy-Connection: LEAK\r\nContent-Length: 2\r\n\r\nok",
     ok(b"ok", absent=(b"X-Hop", b"Keep-Alive", b"Proxy-Authenticate", b"Trailer", b"Upgrade", b"Proxy-Connection"))),
    ("hop-by-hop-length", OK200 + b"Connection: Content-Length\r\nContent-Length: 2\r\n\r\nok", ok(b"ok")),
    ("gzip-untouched", OK200 + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIPPED) + GZIPPED,
     ok(GZIPPED, fields=((b"Content-Encoding", b"gzip"),))),
    ("gzip-corrupt-untouched", OK200 + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + GZIPPED[:20],
     ok(GZIPPED[:20], fields=((b"Content-Encoding", b"gzip"),))),
    ("gzip-chunked", OK200 + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(GZIPPED) + GZIPPED + b"\r\n0\r\n\r\n", ok(GZIPPED, fields=((b"Content-Encoding", b"gzip"),))),
    ("bomb-untouched", OK200 + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(bytes(1 << 22), mtime=0)) + gzip.compress(bytes(1 << 22), mtime=0), ok(gzip.compress(bytes(1 << 22), mtime=0))),
    ("partial", b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok",
     ok(b"ok", 206, fields=((b"Content-Range", b"bytes 0-1/9"),))),
    ("custom-reason", b"HTTP/1.1 200 Quite Fine\r\nContent-Length: 2\r\n\r\nok", ok(b"ok")),
    ("no-reason", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", ok(b"ok")),
    ("binary", answer(bytes(range(256)) * 64), ok(bytes(range(256)) * 64)),
    ("high-byte-field", OK200 + b"X-A: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\nok",
     ok(b"ok", fields=((b"X-A", b"caf\xc3\xa9"),))),
    ("trailers-dropped", OK200 + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: LEAK\r\n\r\n",
     ok(b"ok", absent=(b"X-T",))),
]
REDIRECTS = [(status, location) for status in (301, 302, 303, 307, 308) for location in (b"http://127.0.0.1:9/x",
    b"/SMUGGLED")]


def redirect(status, location, method):
    return answer(b"moved", b"%d Moved" % status, b"Location: " + location), ok(b"moved", status,
        fields=((b"Location", location),)), "keep", method


def cookies_kept(gateway):
    upstream = Upstream(lambda exchange: exchange.send(OK200 + COOKIES + b"Content-Length: 2\r\n\r\nok") and None)
    try:
        service = gateway.add_service(upstream.port, allow_set_cookie=True)
        with Client(gateway) as client:
            client.send(service.fill(GET + b"\r\n"))
            response = client.response()
            if not response or response.all(b"set-cookie") != [b"c%d=v; Path=/" % n for n in range(50)]:
                raise Failure(f"{response and len(response.all(b'set-cookie'))} of 50 Set-Cookie fields, or in another order")
    finally:
        upstream.close()


def cases():
    for name in DROPPED:
        fields = b"" if name == b"X-Proxy-Key" else name + b": " + value_for(name) + b"\r\n"
        yield f"egress/drops-{name.decode().lower()}", upstream_sees(GET + fields + b"\r\n", not_there(name))
    yield "egress/scenario-51", upstream_sees(b"GET {T}/x?a=1&key={K} HTTP/1.1\r\n{H}" + ALL + b"Connection: x-secret\r\nX-Secret: SMUGGLED\r\n\r\n", scenario_51)
    yield "egress/host", upstream_sees(GET + b"\r\n", host_is_upstreams)
    yield "egress/host-absolute-form", upstream_sees(b"GET http://gateway.test{T}/x HTTP/1.1\r\n{H}\r\n",
                                                     host_is_upstreams)
    yield "egress/key-bearer", upstream_sees(GET + b"\r\n", injected(b"Authorization", b"Bearer ", b"Bearer "),
                                             api_key_name="Authorization", api_key_prefix="Bearer ")
    yield "egress/key-bearer-over-clients", upstream_sees(b"GET {T}/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {K}\r\n\r\n", injected(b"Authorization", b"Bearer ", b"Bearer "), api_key_name="Authorization", api_key_prefix="Bearer ")
    yield "egress/key-as-x-api-key", upstream_sees(b"GET {T}/x HTTP/1.1\r\nHost: a\r\nx-api-key: {K}\r\n\r\n",
                                                   injected(b"x-api-key", b"", b""), api_key_name="x-api-key")
    yield "egress/key-nominated-bearer", upstream_sees(b"GET {T}/x HTTP/1.1\r\n{H}Connection: Authorization\r\n\r\n",
                                                       injected(b"Authorization", b"Bearer ",
                                                           b"Bearer "), api_key_name="Authorization", api_key_prefix="Bearer ")
    yield from answer_cases("back", BACK)
    for number, (status, location) in enumerate(REDIRECTS):
        yield from answer_cases("back", [(f"redirect-{status}-{number}",
                                          *redirect(status, location, b"POST" if number % 4 == 1 else b"GET"))])
    yield "back/set-cookie-kept", cookies_kept
