"""Who may use a service: every place of a credential, wrong ones, and two that disagree."""

import re

from exchange import check_request, either, forward, refuse, request_cases, upstream_sees
from harness import ACCESS_KEY, Client, Failure
from upstream import Upstream

PLACES = [("x-proxy-key", b"X-Proxy-Key: "), ("bearer", b"Authorization: Bearer "), ("x-api-key", b"x-api-key: "),
          ("api-key", b"api-key: "), ("x-goog-api-key", b"x-goog-api-key: ")]
HOST = b" HTTP/1.1\r\nHost: a\r\n"
GET = b"GET {T}/x" + HOST
LLM = b"POST {T}/chat/completions" + HOST
BODY = b'Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{"model":"abc"}'
NO = refuse(401, keeps=True)
DISAGREE = refuse(400, 401, keeps=True)


def no_access_key(request, _):
    head = b" ".join(request.start) + b"".join(n + b": " + v + b"\n" for n, v in request.fields)
    if b"conf-access-key" in head:
        raise Failure("the client's access key reached the upstream")
    if b"wrong" in head:
        raise Failure("a stale credential reached the upstream")


WRONG = [
    ("missing", b""), ("empty", b"X-Proxy-Key:\r\n"), ("wrong", b"X-Proxy-Key: wrong\r\n"),
    ("prefix", b"X-Proxy-Key: {K}"[:-1] + b"\r\n"), ("longer", b"X-Proxy-Key: {K}0\r\n"),
    ("case", b"X-Proxy-Key: " + ACCESS_KEY.upper() + b"\r\n"),
    ("both-in-one", b"X-Proxy-Key: {K},conf-access-key-0002\r\n"), ("comma", b"X-Proxy-Key: ,\r\n"),
    ("sql", b"X-Proxy-Key: ' OR '1'='1\r\n"), ("wildcard", b"X-Proxy-Key: *\r\n"),
    ("bearer-empty", b"Authorization: Bearer\r\n"), ("bearer-wrong", b"Authorization: Bearer wrong\r\n"),
    ("bearer-sql", b"Authorization: Bearer ' UNION SELECT 1 --\r\n"),
    ("basic", b"Authorization: Basic Y29uZi1hY2Nlc3Mta2V5LTAwMDE6\r\n"),
    ("bearer-two", b"Authorization: Bearer {K} {K}\r\n"), ("quoted", b'X-Proxy-Key: "{K}"\r\n'),
    ("cookie", b"Cookie: X-Proxy-Key={K}\r\n"), ("null", b"X-Proxy-Key: null\r\n"),
    ("long", b"X-Proxy-Key: " + b"k" * 20000 + b"\r\n"), ("high-bytes", b"X-Proxy-Key: \xff\xfe\r\n"),
    ("underscore-name", b"X_Proxy_Key: {K}\r\n"), ("forwarded", b"X-Forwarded-For: 127.0.0.1\r\n"),
    ("trailer", b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Proxy-Key: {K}\r\n"),
]
CONFLICTS = [
    ("two-valid", b"X-Proxy-Key: {K}\r\nAuthorization: Bearer conf-access-key-0002\r\n"),
    ("x-api-key", b"X-Proxy-Key: {K}\r\nx-api-key: conf-access-key-0002\r\n"),
    ("api-key", b"api-key: {K}\r\nx-api-key: conf-access-key-0002\r\n"),
    ("repeated", b"X-Proxy-Key: {K}\r\nX-Proxy-Key: conf-access-key-0002\r\n"),
]
# One access key, and beside it what stock clients still have from elsewhere: let in, and none of it travels on.
STALE = [
    ("proxy-bearer", b"X-Proxy-Key: {K}\r\nAuthorization: Bearer wrong\r\n"),
    ("bearer-proxy", b"Authorization: Bearer {K}\r\nX-Proxy-Key: wrong\r\n"),
    ("goog", b"x-goog-api-key: {K}\r\nX-Proxy-Key: wrong\r\n"),
    ("repeated-wrong-last", b"X-Proxy-Key: {K}\r\nX-Proxy-Key: wrong\r\n"),
    ("repeated-wrong-first", b"X-Proxy-Key: wrong\r\nX-Proxy-Key: {K}\r\n"),
    ("repeated-bearer", b"Authorization: Bearer {K}\r\nAuthorization: Bearer wrong\r\n"),
]


def place(field, raw_end, llm, **options):
    return upstream_sees((LLM if llm else GET) + field + b"{K}\r\n" + raw_end, no_access_key, llm=llm, **options)


def query(template, wanted):
    """A key in the query authenticates and is taken out; the rest of the query stays as it was."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            check_request(gateway, upstream, service.fill(b"GET {T}/x?" + template + HOST + b"\r\n"),
                          forward(target=wanted))
        finally:
            upstream.close()
    return run


def with_body_key(key):
    """For an LLM service the key may travel as a member of the JSON body, if the service says so."""
    body = b'{"api_key":"' + key + b'","model":"m","n":12345678901234567890,"z":1,"a":2}'
    return (b"POST {T}/chat/completions" + HOST + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body) + body)


def body_key_removed(request, _):
    no_access_key(request, None)
    if request.body.replace(b" ", b"") != b'{"model":"m","n":12345678901234567890,"z":1,"a":2}':
        raise Failure(f"the body arrived as {request.body!r}")


def upstream_refuses(raw, expect=NO, **options):
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port, **options)
            check_request(gateway, upstream, service.fill(raw), expect)
        finally:
            upstream.close()
    return run


def same_refusal(gateway):
    """A wrong key and a missing key look alike, and say nothing about the service."""
    upstream = Upstream()
    try:
        service = gateway.add_service(upstream.port)
        bodies = set()
        for fields in (b"X-Proxy-Key: wrong\r\n", b"X-Proxy-Key: conf-access-key-0003\r\n",
                       b"Authorization: Bearer x\r\n"):
            with Client(gateway) as client:
                client.send(service.fill(GET + fields + b"\r\n"))
                response = client.response()
                bodies.add((response.status, re.sub(rb'"request_id":"[^"]*"', b"", response.body)) if response else None)
        if len(bodies) != 1:
            raise Failure(f"different refusals: {bodies}")
    finally:
        upstream.close()


def cases():
    for name, field in PLACES:
        yield f"auth/{name}", place(field, b"\r\n", False)
        yield f"auth/llm-{name}", place(field, BODY, True)
    yield "auth/bearer-case", upstream_sees(GET + b"authorization: bearer {K}\r\n\r\n", no_access_key)
    yield "auth/same-twice", upstream_sees(GET + b"X-Proxy-Key: {K}\r\nAuthorization: Bearer {K}\r\n\r\n",
                                           no_access_key)
    for name, fields in STALE:
        yield f"auth/stale-{name}", upstream_sees(GET + fields + b"\r\n", no_access_key)
    yield "auth/second-key", upstream_sees(GET + b"X-Proxy-Key: conf-access-key-0002\r\n\r\n", no_access_key)
    yield "auth/query-only", query(b"key={K}", b"/x")
    yield "auth/query-first", query(b"key={K}&a=%2b&b=1", b"/x?a=%2b&b=1")
    yield "auth/query-middle", query(b"a=1&key={K}&b=2", b"/x?a=1&b=2")
    yield "auth/query-last", query(b"b=2&a=1&key={K}", b"/x?b=2&a=1")
    rows = [(f"wrong-{n}", GET + fields + b"\r\n", NO) for n, fields in WRONG]
    rows += [(f"conflict-{n}", GET + fields + b"\r\n", DISAGREE) for n, fields in CONFLICTS]
    rows += [
        ("conflict-query", b"GET {T}/x?key=conf-access-key-0002" + HOST + b"X-Proxy-Key: {K}\r\n\r\n", DISAGREE),
        ("conflict-query-twice", b"GET {T}/x?key={K}&key=conf-access-key-0002" + HOST + b"\r\n", DISAGREE),
        ("query-wrong", b"GET {T}/x?key=wrong" + HOST + b"\r\n", NO),
        ("query-empty", b"GET {T}/x?key=" + HOST + b"\r\n", NO),
        ("repeated-same", GET + b"X-Proxy-Key: {K}\r\nX-Proxy-Key: {K}\r\n\r\n", either(400, 401, keeps=True)),
        ("body-not-awaited", b"POST {T}/x" + HOST + b"X-Proxy-Key: wrong\r\nContent-Length: 1000000\r\n\r\n", NO),
        ("chunked-body-not-awaited", b"POST {T}/x" + HOST + b"X-Proxy-Key: wrong\r\nTransfer-Encoding: chunked\r\n\r\n",
         NO),
        ("body-is-not-a-request", b"POST {T}/x" + HOST + b"X-Proxy-Key: wrong\r\nContent-Length: 90\r\n\r\nGET {T}/SMUGGLED HTTP/1.1\r\nX-Proxy-Key: {K}\r\nHost: a\r\n\r\n" + b" " * 60, NO),
    ]
    yield from request_cases("auth", rows)
    yield "auth/same-refusal", same_refusal
    for name, fields in WRONG[:4]:
        yield f"auth/llm-wrong-{name}", upstream_refuses(LLM + fields + BODY, llm=True)
    for name, fields in CONFLICTS:
        yield f"auth/llm-conflict-{name}", upstream_refuses(LLM + fields + BODY, DISAGREE, llm=True)
    yield "auth/body-key", upstream_sees(with_body_key(ACCESS_KEY), body_key_removed, llm=True, accept_body_key=True)
    yield "auth/body-key-off", upstream_refuses(with_body_key(ACCESS_KEY), llm=True)
