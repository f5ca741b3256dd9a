"""q.F: no path leaves the configured base or changes the host; what is forwarded is forwarded byte for byte."""

import re
from urllib.parse import unquote_to_bytes

from exchange import check_request, forward
from harness import Client, Failure, short
from upstream import Upstream

# Climbing out of the base in any spelling that the upstream, or something behind it, may decode.
CLIMB = [b"/..", b"/../", b"/../x", b"/../../x", b"/a/../../x", b"/a/../../../x", b"/./../x", b"//../x", b"/..//x",
         b"/%2e%2e/x", b"/%2E%2E/x", b"/.%2e/x", b"/%2e./x",
         b"/..%2fx", b"/..%2Fx", b"/a/..%2f..%2fx", b"/%2e%2e%2fx", b"/%2e%2e%2f%2e%2e%2fx", b"/..%5cx", b"/..%5Cx",
         b"/%2e%2e%5cx", b"/..\\x", b"/..\\..\\x", b"/a\\..\\..\\..\\x",
         b"/a%2f..%2f..%2f..%2fx", b"/a/%2e%2e/%2e%2e/x", b"/a/..;/../../x", b"/x/.././../y", b"/%2e%2e",
         b"/a/b/c/../../../../x", b"/..?a=b", b"/%2e%2e?a=b"]
# Odd, but not a way out by one decoding: refused, or below the base with unchanged bytes.
ODD = [b"//host/x", b"///x", b"//evil.test", b"/@evil.test/x", b"/:80/x", b"/evil.test:80", b"/\\evil.test",
       b"/%5cevil.test", b"/http://evil.test/x", b"/https:/evil.test",
       b"/..;/x", b"/..;a=b/x", b"/%252e%252e/x", b"/%252e%252e%252fx", b"/..%252fx", b"/%25252e%25252e/x",
       b"/%c0%ae%c0%ae/x", b"/%c0%ae%c0%ae%c0%afx", b"/..%c0%afx", b"/%e0%80%ae%e0%80%ae/x",
       b"/%uff0e%uff0e/x", b"/%ef%bc%8e%ef%bc%8e/x", b"/%00", b"/x%00.json", b"/x%00/../y", b"/%0d%0aX-Evil:%20a",
       b"/x%0d%0a%0d%0aGET%20/y", b"/%0a", b"/%0d", b"/%09", b"/%20", b"/%zz", b"/%", b"/%2",
       b"/%%32%65%%32%65/x", b"/.", b"/./x", b"/a/./b", b"/a/../b", b"/...", b"/.../x", b"/..x", b"/x..", b"/.hidden",
       b"/a;b=c/d", b"/a,b", b"/a=b&c", b"/~user", b"/a+b", b"/*", b"/$&'()*+,;=:@", b"/a//b", b"/a///", b"/[x]",
       b"/{x}", b"/a|b", b'/a"b', b"/<x>", b"/^x", b"/`x`", b"/caf\xc3\xa9", b"/\xff", b"/%C3%A9", b"/%c3%a9",
       b"/%41%2D%5F%7E", b"/A%2fB", b"/A%2FB", b"/%3Fa", b"/%23a", b"/a%26b", b"/%7e"]
SAME = [b"", b"/x", b"/x/", b"/x/y/z", b"/x.json", b"/A/b/C", b"/a-b_c.d~e", b"/v1/models/a:b", b"/caf%C3%A9",
        b"/a%20b", b"/a%2Bb", b"/%41"]

# What a query may contain; it arrives byte for byte: order, repetition, escapes and emptiness included.
QUERIES = [b"a=1", b"b=2&a=1", b"a=1&a=2&a=1", b"a", b"a=", b"=a", b"&", b"&&a=1&&", b"a=b=c", b"a=%20", b"a=+",
           b"a=%2B", b"a=%2b", b"a=%zz", b"a=%", b"a=1;b=2", b"a[]=1&a[]=2", b"a[b]=c", b"q=%C3%A9", b"q=%c3%a9",
           b"a=/../../x",
           b"u=http://a.test/?b=c", b"a=?", b"?", b"a=%00", b"a=%0d%0aX:y", b"a=%26b%3Dc", b"a=@b:c", b"a='(b)*!",
           b"A=1&a=1", b"%61=1", b"a=1&", b"z=" + b"y" * 8000, b"keyword=1", b"mykey=1&key_2=x", b"a=~._-"]


def outside(target):
    """Whether the target, decoded once and with backslashes as slashes, leaves /base."""
    path = unquote_to_bytes(re.split(rb"[?]", target, maxsplit=1)[0]).replace(b"\\", b"/")
    depth = 0
    for segment in path.split(b"/")[1:]:
        if segment == b"..":
            depth -= 1
        elif segment not in (b".", b""):
            depth += 1
        if depth < 1 and segment == b"..":
            return True
    return not path.startswith(b"/base")


def path_case(path, allowed, must_forward=False):
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(b"GET {T}" + path + b" HTTP/1.1\r\n{H}\r\n"))
                response = client.response()
            if not response:
                raise Failure(f"no answer to {path!r}")
            if upstream.problem() or len(upstream.requests) > 1:
                raise Failure(upstream.problem() or f"{len(upstream.requests)} requests arrived for {path!r}")
            if not upstream.requests:
                if must_forward or not 400 <= response.status < 500:
                    raise Failure(f"{path!r} gave {response.status} {short(response.body)}")
                return
            request = upstream.requests[0]
            if outside(request.target) or request.target not in allowed:
                raise Failure(f"{path!r} reached the upstream as {request.target!r}")
            if request.get(b"host") != b"127.0.0.1:%d" % upstream.port:
                raise Failure(f"{path!r} reached the upstream with Host {request.get(b'host')!r}")
            if response.status != 200:
                raise Failure(f"{path!r} gave {response.status} although the upstream answered 200")
        finally:
            upstream.close()
    return run


def query_case(template, expected, **options):
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port, **options)
            check_request(gateway, upstream, service.fill(template), forward())
            wanted = expected.replace(b"{KEY}", service.keys[0])
            if upstream.requests[0].target != wanted:
                raise Failure(f"{short(template)} arrived as {upstream.requests[0].target!r}, expected {wanted!r}")
        finally:
            upstream.close()
    return run


def routed_elsewhere(path):
    """Requests that name another service by a detour get no answer from this one."""
    def run(gateway):
        upstream = Upstream()
        try:
            service = gateway.add_service(upstream.port)
            with Client(gateway) as client:
                client.send(service.fill(b"GET " + path + b" HTTP/1.1\r\n{H}\r\n"))
                response = client.response()
            if not response or response.status >= 500 or (response.body.startswith(b"seen") and not upstream.requests):
                raise Failure(f"{path!r}: {response and (response.status, short(response.body))}")
            if upstream.requests and outside(upstream.requests[0].target):
                raise Failure(f"{path!r} arrived as {upstream.requests[0].target!r}")
        finally:
            upstream.close()
    return run


def cases():
    for number, path in enumerate(CLIMB):
        yield f"q.F/climb-{number}", path_case(path, (b"/base" + path,))
    for number, path in enumerate(ODD):
        collapsed = re.sub(rb"^/+", b"/", path)
        yield f"q.F/odd-{number}", path_case(path, (b"/base" + path, b"/base" + collapsed))
    for number, path in enumerate(SAME):
        yield f"q.F/same-{number}", path_case(path, (b"/base" + path,), must_forward=True)
    # A bare slug names the base itself, with or without a slash behind it.
    yield "q.F/same-slash", path_case(b"/", (b"/base", b"/base/"), must_forward=True)
    for number, query in enumerate(QUERIES):
        yield f"q.F/query-{number}", query_case(b"GET {T}/x?" + query + b" HTTP/1.1\r\n{H}\r\n", b"/base/x?" + query)
    yield "q.F/query-empty", path_case(b"/x?", (b"/base/x?", b"/base/x"), must_forward=True)
    yield "q.F/query-without-path", query_case(b"GET {T}?a=1 HTTP/1.1\r\n{H}\r\n", b"/base?a=1")
    yield "q.F/query-key-appended", query_case(b"GET {T}/x?b=2&a=%2b HTTP/1.1\r\n{H}\r\n",
                                               b"/base/x?b=2&a=%2b&appid={KEY}", api_key_location="query",
                                               api_key_name="appid")
    yield "q.F/query-key-alone", query_case(b"GET {T}/x HTTP/1.1\r\n{H}\r\n", b"/base/x?appid={KEY}",
                                            api_key_location="query", api_key_name="appid")
    yield "q.F/query-key-replaces-clients", query_case(b"GET {T}/x?appid=mine&b=2 HTTP/1.1\r\n{H}\r\n",
                                                       b"/base/x?b=2&appid={KEY}", api_key_location="query",
                                                       api_key_name="appid")
    yield "q.F/base-with-slash", query_case(b"GET {T}/x HTTP/1.1\r\n{H}\r\n", b"/base/x", base="/base/")
    yield "q.F/base-root", query_case(b"GET {T}/x HTTP/1.1\r\n{H}\r\n", b"/x", base="")
    yield "q.F/base-with-query", query_case(b"GET {T}/x?b=2 HTTP/1.1\r\n{H}\r\n", b"/base/x?a=1&b=2", base="/base?a=1")
    detours = [b"{T}/../../admin/proxy-configs", b"/proxy/..{T}/x", b"/proxy/%2e%2e{T}/x", b"/./{T}/x", b"/proxy//x",
               b"/proxy/", b"/proxy", b"//proxy/x", b"/PROXY/x", b"/%70roxy/x", b"{T}%2fx", b"{T}%00/x", b"{T};a/x",
               b"/proxy/\\..\\x"]
    for number, path in enumerate(detours):
        yield f"q.F/detour-{number}", routed_elsewhere(path)
