"""q.E, first half: the request line, the Host field, and other protocols on our port."""

from exchange import SMUGGLED, either, forward, refuse, request_cases

F = b"{H}\r\n"
VERSION = refuse(400, 505)   # whichever part of a malformed line is looked at first

LINES = [
    ("space-first", b" GET {T}/x HTTP/1.1", VERSION), ("tab-first", b"\tGET {T}/x HTTP/1.1", VERSION),
    ("nul-first", b"\x00GET {T}/x HTTP/1.1", VERSION), ("two-spaces", b"GET  {T}/x HTTP/1.1", VERSION),
    ("two-spaces-version", b"GET {T}/x  HTTP/1.1", VERSION), ("space-last", b"GET {T}/x HTTP/1.1 ", VERSION),
    ("tabs", b"GET\t{T}/x\tHTTP/1.1", VERSION), ("vt", b"GET\x0b{T}/x HTTP/1.1", VERSION),
    ("no-target", b"GET HTTP/1.1", VERSION),
    ("four-parts", b"GET {T}/x y HTTP/1.1", VERSION), ("two-versions", b"GET {T}/x HTTP/1.1 HTTP/1.1", VERSION),
    ("bare-cr", b"GET {T}/x\rHTTP/1.1", VERSION), ("cr-in-target", b"GET {T}/x\r HTTP/1.1", VERSION),
    ("lf-in-target", b"GET {T}/x\n HTTP/1.1", VERSION),
    ("cr-smuggled", b"GET {T}/x HTTP/1.1\rX: SMUGGLED", refuse(400, 505)),
    ("leading-crlf", b"\r\nGET {T}/x HTTP/1.1", either()),
    ("many-leading-crlf", b"\r\n" * 20 + b"GET {T}/x HTTP/1.1", either()),
    ("leading-lf", b"\nGET {T}/x HTTP/1.1", either()), ("leading-cr", b"\rGET {T}/x HTTP/1.1", VERSION),
    ("simple-request", b"GET {T}/x", VERSION), ("simple-request-space", b"GET {T}/x ", VERSION),
    ("version-0.9", b"GET {T}/x HTTP/0.9", VERSION), ("version-1.2", b"GET {T}/x HTTP/1.2", either(400, 505)),
    ("version-2.0", b"GET {T}/x HTTP/2.0", VERSION), ("version-2", b"GET {T}/x HTTP/2", VERSION),
    ("version-3", b"GET {T}/x HTTP/3", VERSION),
    ("version-9.9", b"GET {T}/x HTTP/9.9", VERSION), ("version-1.10", b"GET {T}/x HTTP/1.10", VERSION),
    ("version-01.1", b"GET {T}/x HTTP/01.1", VERSION), ("version-comma", b"GET {T}/x HTTP/1,1", VERSION),
    ("version-lower", b"GET {T}/x http/1.1", VERSION), ("version-mixed", b"GET {T}/x Http/1.1", VERSION),
    ("version-space", b"GET {T}/x HTTP /1.1", VERSION), ("version-three", b"GET {T}/x HTTP/1.1.1", VERSION),
    ("version-short", b"GET {T}/x HTTP/1.", VERSION), ("version-1", b"GET {T}/x HTTP/1", VERSION),
    ("version-name", b"GET {T}/x HTTPS/1.1", VERSION),
    ("version-junk", b"GET {T}/x HTTP/1.1x", VERSION), ("version-digit", b"GET {T}/x HTTP/1.\xb1", VERSION),
    ("version-prefix", b"GET {T}/x XHTTP/1.1", VERSION), ("version-minus", b"GET {T}/x HTTP/-1.1", VERSION),
    ("version-plus", b"GET {T}/x HTTP/+1.1", VERSION),
    ("version-nul", b"GET {T}/x HTTP/1.1\x00", VERSION), ("version-wrap", b"GET {T}/x HTTP/4294967297.1", VERSION),
    ("version-rtsp", b"GET {T}/x RTSP/1.0", VERSION),
    ("method-lower", b"get {T}/x HTTP/1.1", either(400, 405, 501, keeps=True)),
    ("method-unknown", b"FOO {T}/x HTTP/1.1", either(400, 405, 501, keeps=True)),
    ("method-token", b"M-SEARCH {T}/x HTTP/1.1", either(400, 405, 501, keeps=True)),
    ("method-symbols", b"!#$%&'*+.^_`|~ {T}/x HTTP/1.1", either(400, 405, 501, keeps=True)),
    ("method-paren", b"(GET) {T}/x HTTP/1.1", VERSION), ("method-colon", b"GET: {T}/x HTTP/1.1", VERSION),
    ("method-at", b"G@T {T}/x HTTP/1.1", VERSION),
    ("method-quote", b'"GET" {T}/x HTTP/1.1', VERSION), ("method-high", b"G\xc9T {T}/x HTTP/1.1", VERSION),
    ("method-nul", b"G\x00T {T}/x HTTP/1.1", VERSION),
    ("method-slash", b"GET/x {T}/x HTTP/1.1", VERSION), ("method-empty", b" {T}/x HTTP/1.1", VERSION),
    ("method-long", b"A" * 10000 + b" {T}/x HTTP/1.1", either(400, 405, 414, 431, 501, keeps=True)),
    ("method-huge", b"A" * 200000 + b" {T}/x HTTP/1.1", refuse(400, 405, 414, 431, 501)),
    ("connect", b"CONNECT example.test:443 HTTP/1.1", refuse(400, 403, 404, 405, 501, keeps=True)),
    ("connect-path", b"CONNECT {T}/x HTTP/1.1", refuse(400, 403, 404, 405, 501, keeps=True)),
    ("connect-http10", b"CONNECT example.test:443 HTTP/1.0", refuse(400, 403, 404, 405, 501, keeps=True)),
    ("trace", b"TRACE {T}/x HTTP/1.1", refuse(403, 405, 501, keeps=True)),
    ("track", b"TRACK {T}/x HTTP/1.1", either(403, 405, 501, keeps=True)),
    ("debug", b"DEBUG {T}/x HTTP/1.1", either(400, 405, 501, keeps=True)),
    ("options-star", b"OPTIONS * HTTP/1.1", refuse(400, 404, 405, 501, keeps=True)),
    ("get-star", b"GET * HTTP/1.1", refuse(400, 404, 405, keeps=True)),
    ("target-relative", b"GET x HTTP/1.1", VERSION), ("target-query", b"GET ?x HTTP/1.1", VERSION),
    ("target-hash", b"GET #x HTTP/1.1", VERSION), ("fragment", b"GET {T}/x#SMUGGLED HTTP/1.1", VERSION),
    ("target-nul", b"GET {T}/\x00 HTTP/1.1", VERSION),
    ("target-control", b"GET {T}/\x01 HTTP/1.1", VERSION), ("target-del", b"GET {T}/\x7f HTTP/1.1", VERSION),
    ("target-tab", b"GET {T}/a\tb HTTP/1.1", VERSION),
    ("target-backslash-first", b"GET \\{T}/x HTTP/1.1", VERSION),
    ("target-long", b"GET {T}/" + b"a" * 70000 + b" HTTP/1.1", refuse(400, 414, 431)),
    ("target-16k", b"GET {T}/" + b"a" * 16000 + b" HTTP/1.1", either(400, 414, target=b"/" + b"a" * 16000)),
    ("absolute", b"GET http://gateway.test{T}/x HTTP/1.1", forward(target=b"/x")),
    ("absolute-https", b"GET https://gateway.test{T}/x HTTP/1.1", either(400, 421, target=b"/x")),
    ("absolute-upper", b"GET HTTP://gateway.test{T}/x HTTP/1.1", either(target=b"/x")),
    ("absolute-other-host", b"GET http://evil.test{T}/x HTTP/1.1", either(400, 421, target=b"/x")),
    ("absolute-port", b"GET http://gateway.test:1{T}/x HTTP/1.1", either(400, 421, target=b"/x")),
    ("absolute-query", b"GET http://gateway.test{T}/x?a=http://b/ HTTP/1.1", forward(target=b"/x?a=http://b/")),
    ("absolute-userinfo", b"GET http://user:pw@gateway.test{T}/x HTTP/1.1", either(target=b"/x")),
    ("absolute-no-host", b"GET http://{T}/x HTTP/1.1", refuse(400, 404, keeps=True)),
    ("absolute-one-slash", b"GET http:{T}/x HTTP/1.1", refuse(400, 404, keeps=True)),
    ("absolute-ftp", b"GET ftp://gateway.test{T}/x HTTP/1.1", refuse(400, 404, keeps=True)),
    ("absolute-file", b"GET file://{T}/x HTTP/1.1", refuse(400, 404, keeps=True)),
    ("absolute-javascript", b"GET javascript:alert HTTP/1.1", VERSION),
    ("absolute-fragment", b"GET http://gateway.test{T}/x#f HTTP/1.1", VERSION),
    ("absolute-ipv6-broken", b"GET http://[::1{T}/x HTTP/1.1", either(400, 404, target=b"/x")),
    ("authority-form", b"GET gateway.test:80 HTTP/1.1", VERSION),
]

K = b"X-Proxy-Key: {K}\r\n"
GET = b"GET {T}/x HTTP/1.1\r\n"
HOSTS = [
    ("missing", GET + K, refuse()), ("missing-absolute", b"GET http://gateway.test{T}/x HTTP/1.1\r\n" + K, refuse()),
    ("missing-http10", b"GET {T}/x HTTP/1.0\r\n" + K, forward(target=b"/x")),
    ("dup-same", GET + b"Host: a\r\nHost: a\r\n" + K, refuse()),
    ("dup-different", GET + b"Host: a\r\nHost: b\r\n" + K, refuse()),
    ("dup-case", GET + b"Host: a\r\nHOST: b\r\n" + K, refuse()),
    ("dup-empty", GET + b"Host: a\r\nHost:\r\n" + K, refuse()),
    ("dup-apart", GET + b"Host: a\r\n" + K + b"X-A: b\r\nhost: c\r\n", refuse()),
    ("dup-http10", b"GET {T}/x HTTP/1.0\r\nHost: a\r\nHost: b\r\n" + K, refuse()),
    ("empty", GET + b"Host:\r\n" + K, either()), ("userinfo", GET + b"Host: user@a\r\n" + K, refuse()),
    ("path", GET + b"Host: a/b\r\n" + K, refuse()), ("query", GET + b"Host: a?b\r\n" + K, refuse()),
    ("hash", GET + b"Host: a#b\r\n" + K, refuse()), ("comma", GET + b"Host: a, b\r\n" + K, refuse()),
    ("space", GET + b"Host: a b\r\n" + K, refuse()), ("nul", GET + b"Host: a\x00b\r\n" + K, refuse()),
    ("backslash", GET + b"Host: a\\b\r\n" + K, refuse()), ("scheme", GET + b"Host: http://a\r\n" + K, refuse()),
    ("port-word", GET + b"Host: a:b\r\n" + K, either()), ("port-huge", GET + b"Host: a:99999\r\n" + K, either()),
    ("port-empty", GET + b"Host: a:\r\n" + K, either()), ("ipv6", GET + b"Host: [::1]:80\r\n" + K, forward()),
    ("ipv6-open", GET + b"Host: [::1\r\n" + K, either()), ("high-byte", GET + b"Host: a\xffb\r\n" + K, either()),
    ("space-colon", GET + b"Host : a\r\n" + K, refuse()), ("indented", GET + b" Host: a\r\n" + K, refuse()),
    ("folded", GET + b"Host:\r\n a\r\n" + K, refuse()),
    ("look-alike", GET + b"Host: a\r\nH\xcest: b\r\n" + K, refuse()),
    ("after-bare-cr", GET + b"X-A: b\rHost: a\r\n" + K, refuse()), ("percent", GET + b"Host: a%2fb\r\n" + K, either()),
    ("long", GET + b"Host: " + b"a" * 5000 + b"\r\n" + K, either()),
]

HELLO_TLS = (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(range(32, 64)) + b"\x20" + bytes(32)
             + b"\x00\x08\x13\x02\x13\x03\x13\x01\x00\xff\x01\x00\x00\x50" + bytes(80))
OTHER = refuse(400, 408, 431, 505, silent=True, timeout=4.5)
PROTOCOLS = [
    ("h2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", OTHER),
    ("h2-preface-start", b"PRI * HTTP/2.0\r\n\r\n", OTHER),
    ("tls-hello", HELLO_TLS, OTHER), ("tls-hello-start", HELLO_TLS[:6], OTHER),
    ("proxy-v1", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET {T}/x HTTP/1.1\r\n" + F, OTHER),
    ("proxy-v2", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12) + b"GET {T}/x HTTP/1.1\r\n" + F, OTHER),
    ("ssh", b"SSH-2.0-OpenSSH_9.0\r\n", OTHER), ("smtp", b"EHLO a\r\nMAIL FROM:<a@b>\r\n\r\n", OTHER),
    ("redis", b"*1\r\n$4\r\nPING\r\n\r\n", OTHER), ("zeros", bytes(4096), OTHER), ("high-bytes", b"\xff" * 4096, OTHER),
    ("only-crlf", b"\r\n" * 40000, OTHER),
    ("letters", b"A" * 300000, OTHER.but(refuse=frozenset((400, 408, 414, 431)))),
    ("answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OTHER), ("json", b'{"a":1}\r\n\r\n', OTHER),
    ("smuggled-after-garbage", b"\x01\x02\r\n" + SMUGGLED, OTHER),
]


def cases():
    yield from request_cases("q.E", [(n, line + b"\r\n" + F, expect) for n, line, expect in LINES])
    yield from request_cases("q.E", [("line-end-lf", b"GET {T}/x HTTP/1.1\n" + F, either()),
                                     ("line-end-cr", b"GET {T}/x HTTP/1.1\r" + F, refuse(400, 505))])
    yield from request_cases("q.E", [(f"host-{n}", head + b"\r\n", expect) for n, head, expect in HOSTS])
    yield from request_cases("q.E", [(f"protocol-{n}", raw, expect) for n, raw, expect in PROTOCOLS])
