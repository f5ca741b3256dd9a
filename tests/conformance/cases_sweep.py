"""Every byte 0x00-0xff at every position that a parser may read differently.

Whatever the byte does, the upstream gets nothing or one canonical request, never the one hidden in the body, and a
refusal closes the connection.  `must` are bytes that have to be accepted, so that refusing everything does not pass.
"""

import socket

from harness import Client, Failure, short
from upstream import Upstream

HIDDEN = b"GET {T}/SMUGGLED HTTP/1.1\r\n{H}\r\n"
TAIL = b"{H}Content-Length: <L>\r\n\r\n" + HIDDEN
CHUNKED = b"POST {T}/s HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n"
HIDDEN_CHUNK = b"<X>\r\n" + HIDDEN + b"\r\n"
# A refused path leaves the framing beyond doubt: the connection may stay.
SEMANTIC = ("target", "query", "escape")
REFUSALS = (400, 401, 403, 404, 405, 408, 411, 413, 414, 417, 421, 422, 431, 501, 505)

# <B> is the byte, <L> and <X> the length of the hidden request in decimal and hex.
POSITIONS = [
    ("before-method", b"<B>POST {T}/s HTTP/1.1\r\n" + TAIL, b""), ("method", b"PO<B>T {T}/s HTTP/1.1\r\n" + TAIL, b"S"),
    ("after-method", b"POST<B>{T}/s HTTP/1.1\r\n" + TAIL, b" "),
    ("target", b"POST {T}/s<B>s HTTP/1.1\r\n" + TAIL, b"aZ09-._~/:@!$&'()*+,;="),
    ("query", b"POST {T}/s?a<B>b HTTP/1.1\r\n" + TAIL, b"aZ09-._~/?:@!$&'()*+,;="),
    ("escape", b"POST {T}/s%2<B> HTTP/1.1\r\n" + TAIL, b"0aA"),
    ("after-target", b"POST {T}/s<B>HTTP/1.1\r\n" + TAIL, b" "),
    ("version-name", b"POST {T}/s H<B>TP/1.1\r\n" + TAIL, b"T"),
    ("version-major", b"POST {T}/s HTTP/<B>.1\r\n" + TAIL, b"1"),
    ("version-minor", b"POST {T}/s HTTP/1.<B>\r\n" + TAIL, b"1"),
    ("version-end", b"POST {T}/s HTTP/1.1<B>\r\n" + TAIL, b""),
    ("line-cr", b"POST {T}/s HTTP/1.1<B>\n" + TAIL, b"\r"), ("line-lf", b"POST {T}/s HTTP/1.1\r<B>" + TAIL, b"\n"),
    ("name-first", b"POST {T}/s HTTP/1.1\r\n<B>-A: b\r\n" + TAIL, b"xX_9"),
    ("name", b"POST {T}/s HTTP/1.1\r\nX<B>A: b\r\n" + TAIL, b"-_a"),
    ("name-last", b"POST {T}/s HTTP/1.1\r\nX-A<B>: b\r\n" + TAIL, b"b"),
    ("colon", b"POST {T}/s HTTP/1.1\r\nX-A<B> b\r\n" + TAIL, b":"),
    ("value-first", b"POST {T}/s HTTP/1.1\r\nX-A:<B>b\r\n" + TAIL, b" \taz"),
    ("value", b"POST {T}/s HTTP/1.1\r\nX-A: a<B>b\r\n" + TAIL, b' \taZ09"(),/:;<=>?@[]{}\x80\xff'),
    ("value-last", b"POST {T}/s HTTP/1.1\r\nX-A: a<B>\r\n" + TAIL, b" \ta"),
    ("after-cr", b"POST {T}/s HTTP/1.1\r\nX-A: a\r<B>X-B: b\r\n" + TAIL, b"\n"),
    ("after-crlf", b"POST {T}/s HTTP/1.1\r\nX-A: a\r\n<B>X-B: b\r\n" + TAIL, b"a"),
    ("head-end", b"POST {T}/s HTTP/1.1\r\n{H}Content-Length: <L>\r\n\r<B>" + HIDDEN, b"\n"),
    ("host", b"POST {T}/s HTTP/1.1\r\nHost: a<B>b\r\nX-Proxy-Key: {K}\r\nContent-Length: <L>\r\n\r\n" + HIDDEN,
     b"a0-."),
    ("length-name", b"POST {T}/s HTTP/1.1\r\n{H}Content<B>Length: <L>\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     b""),
    ("length-before", b"POST {T}/s HTTP/1.1\r\n{H}Content-Length: <B><L>\r\n\r\n" + HIDDEN, b" \t"),
    ("length-after", b"POST {T}/s HTTP/1.1\r\n{H}Content-Length: <L><B>\r\n\r\n" + HIDDEN, b" \t"),
    ("length-between", b"POST {T}/s HTTP/1.1\r\n{H}Content-Length: 0<B>0\r\n\r\n", b""),
    ("coding-before", b"POST {T}/s HTTP/1.1\r\n{H}Transfer-Encoding: <B>chunked\r\n\r\n" + HIDDEN_CHUNK + b"0\r\n\r\n",
     b" \t"),
    ("coding-after", b"POST {T}/s HTTP/1.1\r\n{H}Transfer-Encoding: chunked<B>\r\n\r\n" + HIDDEN_CHUNK + b"0\r\n\r\n",
     b" \t"),
    ("coding-inside", b"POST {T}/s HTTP/1.1\r\n{H}Transfer-Encoding: chun<B>ed\r\n\r\n" + HIDDEN_CHUNK + b"0\r\n\r\n",
     b"kK"),
    ("coding-name", b"POST {T}/s HTTP/1.1\r\n{H}Transfer<B>Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     b""),
    ("chunk-size-before", CHUNKED + b"<B>" + HIDDEN_CHUNK + b"0\r\n\r\n", b"0"),
    ("chunk-size-after", CHUNKED + b"5<B>\r\nhello\r\n0\r\n\r\n", b""),
    ("chunk-size", CHUNKED + b"<B>\r\n" + b"a" * 10 + b"\r\n0\r\n\r\n", b"aA"),
    ("chunk-extension", CHUNKED + b"5;a<B>b\r\nhello\r\n0\r\n\r\n", b"=a9"),
    ("chunk-size-cr", CHUNKED + b"5<B>\nhello\r\n0\r\n\r\n", b"\r"),
    ("chunk-size-lf", CHUNKED + b"5\r<B>hello\r\n0\r\n\r\n", b"\n"),
    ("chunk-data-cr", CHUNKED + b"5\r\nhello<B>\n0\r\n\r\n", b"\r"),
    ("chunk-data-lf", CHUNKED + b"5\r\nhello\r<B>0\r\n\r\n", b"\n"),
    ("last-chunk", CHUNKED + b"5\r\nhello\r\n<B>\r\n\r\n", b"0"),
    ("last-chunk-after", CHUNKED + b"5\r\nhello\r\n0<B>\r\n\r\n", b"0"),
    ("trailer-name", CHUNKED + b"5\r\nhello\r\n0\r\nX<B>A: b\r\n\r\n", b"-a"),
    ("trailer-value", CHUNKED + b"5\r\nhello\r\n0\r\nX-A: a<B>b\r\n\r\n", b" a"),
    ("body-end", CHUNKED + b"5\r\nhello\r\n0\r\n\r<B>", b"\n"),
]


def build(service, template, byte):
    hidden = service.fill(HIDDEN)
    raw = service.fill(template).replace(b"<L>", b"%d" % len(hidden)).replace(b"<X>", b"%x" % len(hidden))
    return raw.replace(b"<B>", bytes([byte]))


def try_byte(gateway, upstream, raw, must, keeps):
    """What is wrong, or None."""
    heads, requests = len(upstream.heads), len(upstream.requests)
    with Client(gateway) as client:
        client.send(raw)
        response = client.response("POST", 0.3)
        if response is None and not client.ended:
            try:
                client.sock.shutdown(socket.SHUT_WR)   # it waits for more; there is no more
            except OSError:
                pass
            response = client.response("POST", 2.5)
        if response and response.status >= 400:
            if response.status not in REFUSALS:
                return f"status {response.status}"
            if response.status == 400 and not keeps and not client.wait_close(0.8):
                return "the connection stays open after 400"
        elif response:
            client.recv(0.0005)
    arrived = upstream.heads[heads:]
    for conn in upstream.conns[-3:]:
        if conn.violation:
            problem, conn.violation = conn.violation, None
            return f"upstream got {problem}"
    if len(arrived) > 1 or len(upstream.requests) - requests > 1:
        return f"{len(arrived)} requests arrived: {[r.start for r in arrived]}"
    for request in arrived:
        if b"SMUGGLED" in b" ".join(request.start) or not request.target.startswith(b"/base"):
            return f"upstream got {request.start}"
    if response and response.status < 400 and len(arrived) != 1:
        return f"status {response.status}, but the upstream got nothing"
    if must and (not response or response.status != 200):
        return f"not accepted: {response and response.status}"
    return None


def sweep(template, must, first, keeps):
    def run(gateway):
        upstream = Upstream()
        problems = []
        try:
            service = gateway.add_service(upstream.port)
            for byte in range(first, first + 64):
                raw = build(service, template, byte)
                try:
                    problem = try_byte(gateway, upstream, raw, byte in must, keeps)
                except Failure as failure:
                    problem = str(failure)
                if problem:
                    problems.append(f"0x{byte:02x}: {problem}, sent {short(raw[:160])}")
            if problems:
                raise Failure(f"{len(problems)} of 64 bytes: " + " || ".join(problems[:3]))
        finally:
            upstream.close()
    return run


def cases():
    for name, template, must in POSITIONS:
        for first in range(0, 256, 64):
            yield f"sweep/{name}-{first:02x}", sweep(template, must, first, name in SEMANTIC)
