"""The gateway's own refusals: status, source field, body, and whether the connection survives."""

import json
import socket

from exchange import either, forward, refuse, request_cases
from harness import ACCESS_KEY, MAX_BODY, Client, Failure, short
from upstream import Upstream, answer

HEAD = b" HTTP/1.1\r\nHost: a\r\nX-Proxy-Key: " + ACCESS_KEY + b"\r\n"


def own_error(status, raw, fields=(), service=None, detail=True, port=None):
    """`port`: a function that gives the upstream port, when the ordinary listener will not do."""
    def run(gateway):
        upstream = Upstream()
        try:
            target = gateway.add_service(port() if port else upstream.port, **(service or {}))
            with Client(gateway) as client:
                client.send(target.fill(raw))
                response = client.response(raw.split(b" ")[0].decode(), timeout=12)
                if not response or response.status != status:
                    raise Failure(f"expected {status}: {response and (response.status, short(response.body))}")
                if response.get(b"x-rotator-error-source") != b"gateway":
                    raise Failure(f"no X-Rotator-Error-Source: gateway in {response.fields}")
                for name, part in fields:
                    if not all(word in (response.get(name) or b"") for word in part.split()):
                        raise Failure(f"{name!r} is {response.get(name)!r}, expected {part!r}")
                if detail and not raw.startswith(b"HEAD"):
                    body = json.loads(response.body)
                    if not isinstance(body.get("detail"), str) and "error" not in body:
                        raise Failure(f"error body {short(response.body)}")
                if b"canary" in response.body or ACCESS_KEY in response.body:
                    raise Failure(f"a key in the error body {short(response.body)}")
            if upstream.conns:
                raise Failure("the upstream was contacted")
        finally:
            upstream.close()
    return run


def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def relayed(status, method, keys, attempts, final=None, source=b"upstream", extra=b"X-A: b", **options):
    """An upstream that always answers `status`: what the client gets and how often the upstream was asked."""
    body = b'{"error":"said the upstream"}'

    def run(gateway):
        upstream = Upstream(lambda exchange: exchange.send(answer(body, b"%d Said" % status, extra,
            b"Content-Type: application/json")) and None)
        try:
            service = gateway.add_service(upstream.port, keys=keys, **options)
            with Client(gateway) as client:
                client.send(service.fill(method + b" {T}/x" + HEAD + (b"Content-Length: 5\r\n\r\nhello" if method == b"POST" else b"\r\n")))
                response = client.response()
            if not response or response.status != (final or status):
                raise Failure(f"upstream {status}, client {response and (response.status, short(response.body))}")
            if final is None and (response.body != body or response.get(b"x-a") != b"b" or response.get(b"content-type") != b"application/json"):
                raise Failure(f"not verbatim: {response.fields} {short(response.body)}")
            if status >= 400 and response.get(b"x-rotator-error-source") != source:
                raise Failure(f"X-Rotator-Error-Source is {response.get(b'x-rotator-error-source')!r}")
            if not attempts[0] <= len(upstream.requests) <= attempts[1]:
                raise Failure(f"{len(upstream.requests)} attempts, expected {attempts}")
            used = [r.get(b"x-api-token") for r in upstream.requests]
            if status in (401, 403, 429) and len(set(used)) != len(used):
                raise Failure(f"a key was tried twice: {used}")
            if any(r.body != (b"hello" if method == b"POST" else b"") for r in upstream.requests):
                raise Failure("an attempt had another body")
        finally:
            upstream.close()
    return run


def next_key(status, method):
    """The first key is refused, the second works: the client never sees the refusal."""
    def run(gateway):
        def script(exchange):
            exchange.send(answer(b"no", b"%d No" % status) if exchange.index == 0 else answer(b"yes"))
        upstream = Upstream(script)
        try:
            service = gateway.add_service(upstream.port, keys=3)
            with Client(gateway) as client:
                client.send(service.fill(method + b" {T}/x" + HEAD + (b"Content-Length: 5\r\n\r\nhello" if method == b"POST" else b"\r\n")))
                response = client.response()
            used = [r.get(b"x-api-token") for r in upstream.requests]
            if not response or response.body != b"yes" or len(used) != 2 or used[0] == used[1]:
                raise Failure(f"answer {response and (response.status, response.body)}, keys used {used}")
            if upstream.requests[0].body != upstream.requests[1].body:
                raise Failure("the second attempt had another body")
        finally:
            upstream.close()
    return run


def plain(method, path, statuses, fields=b""):
    """The gateway's own pages, beside the proxy.  A body announced in `fields` is never sent: nobody may wait for it."""
    def run(gateway):
        with Client(gateway) as client:
            client.send(method + b" " + path + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
            response = client.response(method.decode(), timeout=2)
            if not response or response.status not in statuses:
                raise Failure(f"{method} {path}: {response and (response.status, short(response.body))}")
    return run


def head_of(method, path=b"{T}/x"):
    return method + b" " + path + HEAD + b"\r\n"


def cases():
    yield "error/401", own_error(401, b"GET {T}/x HTTP/1.1\r\nHost: a\r\n\r\n")
    yield "error/404-slug", own_error(404, head_of(b"GET", b"/proxy/no-such-slug/x"))
    yield "error/404-llm-slug", own_error(404, head_of(b"GET", b"/llm/no-such-slug/x"))
    yield "error/404-inactive", own_error(404, head_of(b"GET"), service={"is_active": False})
    yield "error/404-head", own_error(404, head_of(b"HEAD", b"/proxy/no-such-slug/x"))
    yield "error/405", own_error(405, head_of(b"PUT"), ((b"Allow", b"GET POST"),), {"method": "GET,POST"})
    yield "error/405-delete", own_error(405, head_of(b"DELETE"), ((b"Allow", b"GET"),), {"method": "GET"})
    yield "error/405-trace", own_error(405, head_of(b"TRACE"), ((b"Allow", b""),))
    for path in (b"/healthz", b"/readyz"):
        yield f"error/plain-{path.decode()[1:]}", plain(b"GET", path, (200,))
        yield f"error/plain-{path.decode()[1:]}-head", plain(b"HEAD", path, (200, 405))
        yield f"error/plain-{path.decode()[1:]}-post", plain(b"POST", path, (200, 405))
    yield "error/plain-admin-unauthorised", plain(b"GET", b"/admin/proxy-configs", (401,))
    json_body = b"Content-Type: application/json\r\nContent-Length: %d\r\n"
    yield "error/plain-admin-unauthorised-import", plain(b"POST", b"/admin/proxy-configs/1/keys/batch", (401,),
                                                         json_body % (60 << 20))
    yield "error/plain-admin-unauthorised-create", plain(b"POST", b"/admin/proxy-configs", (401,), json_body % 500000)
    yield "error/plain-login-too-large", plain(b"POST", b"/admin/login", (413,), json_body % (3 << 20))
    yield "error/plain-login-too-large-query", plain(b"POST", b"/admin/login?a=/keys", (413,), json_body % (3 << 20))
    yield "error/plain-unknown", plain(b"GET", b"/admin/no-such-route", (401, 404))
    yield "error/503-no-keys", own_error(503, head_of(b"GET"), service={"keys": 0})
    yield "error/502-refused", own_error(502, head_of(b"GET"), port=closed_port)
    yield "error/502-refused-post", own_error(502, b"POST {T}/x" + HEAD + b"Content-Length: 2\r\n\r\nok",
                                              port=closed_port)
    yield "error/413-length", own_error(413, b"POST {T}/x" + HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1))
    yield "error/413-length-huge", own_error(413, b"POST {T}/x" + HEAD + b"Content-Length: 999999999999999999\r\n\r\n")
    yield "error/431-size", own_error(431, b"GET {T}/x" + HEAD + b"X-A: " + b"v" * 70000 + b"\r\n\r\n", detail=False)
    yield "error/431-count", own_error(431, b"GET {T}/x" + HEAD + b"X-A: v\r\n" * 150 + b"\r\n", detail=False)
    yield from request_cases("error", [
        ("413-chunked", b"POST {T}/x" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"100000\r\n" + bytes(1 << 20) + b"\r\n") * 9 + b"0\r\n\r\n", refuse(413, timeout=8)),
        ("413-exact-limit-is-fine", b"POST {T}/x" + HEAD + b"Content-Length: %d\r\n\r\n" % MAX_BODY + bytes(MAX_BODY),
         forward(body=bytes(MAX_BODY), timeout=10)),
        ("404-body-is-not-a-request", b"POST /proxy/no-such-slug/x" + HEAD + b"Content-Length: 40\r\n\r\nGET {T}/SMUGGLED HTTP/1.1\r\nHost: a\r\n\r\n" + b" " * 40, refuse(404, keeps=True)),
        ("405-body-is-not-a-request", b"TRACE {T}/x" + HEAD + b"Content-Length: 40\r\n\r\nGET {T}/SMUGGLED HTTP/1.1\r\nHost: a\r\n\r\n" + b" " * 40, refuse(400, 405, keeps=True)),
    ])
    for status in (400, 404, 405, 409, 410, 413, 415, 418, 422):
        yield f"error/relayed-{status}", relayed(status, b"POST" if status % 2 else b"GET", 3, (1, 1))
    for status in (500, 502, 503, 504, 520, 529):
        yield f"error/relayed-{status}", relayed(status, b"GET", 3, (1, 3))
        yield f"error/relayed-{status}-post", relayed(status, b"POST", 3, (1, 1))
    yield "error/relayed-429-all", relayed(429, b"GET", 2, (2, 2), extra=b"X-A: b\r\nRetry-After: 7")
    yield "error/relayed-429-post", relayed(429, b"POST", 2, (2, 2), extra=b"X-A: b\r\nRetry-After: 7")
    yield "error/relayed-401-all", relayed(401, b"GET", 2, (2, 2), 502, b"gateway")
    yield "error/relayed-403-all", relayed(403, b"POST", 2, (2, 2), 502, b"gateway")
    yield "error/attempts-bounded", relayed(503, b"GET", 8, (3, 3), extra=b"X-A: b\r\nRetry-After: 7")
    # Attempts that end by the key's fault do not count, up to ten (D05).
    yield "error/attempts-of-keys-bounded", relayed(429, b"GET", 12, (10, 10), extra=b"X-A: b\r\nRetry-After: 7")
    yield "error/attempts-one", relayed(429, b"GET", 3, (1, 1), extra=b"X-A: b\r\nRetry-After: 7", max_attempts=1)
    for status in (401, 403, 429):
        yield f"error/next-key-{status}", next_key(status, b"GET")
        yield f"error/next-key-{status}-post", next_key(status, b"POST")
    yield from request_cases("error", [("options-not-allowed-method", head_of(b"OPTIONS"), either(405, keeps=True))])
