"""r.F: answers without a body, interim answers, and 101 that nobody asked for."""

from exchange import BAD, Answer, answer_cases, ok

OK200 = b"HTTP/1.1 200 OK\r\n"
FINAL = OK200 + b"Content-Length: 5\r\n\r\nhello"
HELLO = ok(b"hello")
MAYBE = Answer(200, b"hello", bad=True)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def no_body(status, **more):
    return Answer(status, b"", bad=True, **more)


ROWS = [
    ("head-length", OK200 + b"Content-Length: 5\r\n\r\n", ok(b"", fields=((b"Content-Length", b"5"),)), "keep",
     b"HEAD"),
    ("head-chunked", OK200 + b"Transfer-Encoding: chunked\r\n\r\n", ok(b""), "keep", b"HEAD"),
    ("head-no-framing", OK200 + b"\r\n", ok(b""), "keep", b"HEAD"),
    ("head-with-body", OK200 + b"Content-Length: 4\r\n\r\nLEAK", no_body(200, dead=True), "keep", b"HEAD"),
    ("head-with-chunks", OK200 + b"Transfer-Encoding: chunked\r\n\r\n4\r\nLEAK\r\n0\r\n\r\n", no_body(200, dead=True),
     "keep", b"HEAD"),
    ("head-404", b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", Answer(404, b""), "keep", b"HEAD"),
    ("head-fin", OK200 + b"Content-Length: 5\r\n\r\n", ok(b""), "fin", b"HEAD"),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", ok(b"", 204)),
    ("204-length-0", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", ok(b"", 204)),
    ("204-with-body", b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nLEAK", no_body(204, dead=True)),
    ("204-with-chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nLEAK\r\n0\r\n\r\n",
     no_body(204, dead=True)),
    ("204-surplus", b"HTTP/1.1 204 No Content\r\n\r\nLEAK", no_body(204, dead=True)),
    ("204-fin", b"HTTP/1.1 204 No Content\r\n\r\n", ok(b"", 204), "fin"),
    ("304", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", ok(b"", 304, fields=((b"ETag", b'"a"'),))),
    ("304-length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ok(b"", 304)),
    ("304-chunked", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", ok(b"", 304)),
    ("304-with-body", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nLEAK", no_body(304, dead=True)),
    ("205", b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", ok(b"", 205)),
    ("205-with-body", b"HTTP/1.1 205 Reset\r\nContent-Length: 5\r\n\r\nhello", Answer(205, b"hello", bad=True)),
    ("204-to-post", b"HTTP/1.1 204 No Content\r\n\r\n", ok(b"", 204), "keep", b"POST"),
    ("100-first", CONTINUE + FINAL, HELLO), ("100-to-post", CONTINUE + FINAL, HELLO, "keep", b"POST"),
    ("100-twice", CONTINUE * 2 + FINAL, HELLO), ("102-x50", b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + FINAL, HELLO),
    ("102-x20000", b"HTTP/1.1 102 Processing\r\n\r\n" * 20000 + FINAL, MAYBE),
    ("103-hints", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + FINAL, HELLO),
    ("199", b"HTTP/1.1 199 Odd\r\n\r\n" + FINAL, MAYBE),
    ("150-fields", b"HTTP/1.1 150 Odd\r\nX-A: b\r\n\r\n" + FINAL, MAYBE),
    ("100-with-length", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + FINAL, MAYBE),
    ("100-with-length-and-body", b"HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\nLEAK" + FINAL, BAD),
    ("100-with-chunked", b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n" + FINAL, MAYBE),
    ("100-then-fin", CONTINUE, BAD, "fin"), ("100-then-rst", CONTINUE, BAD, "rst"),
    ("100-only-then-garbage", CONTINUE + b"LEAK\r\n\r\n", BAD, "fin"),
    ("100-after-final", FINAL + CONTINUE, Answer(200, b"hello", bad=True, dead=True)),
    ("101-unasked", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BAD),
    ("101-unasked-websocket", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nLEAK", BAD),
    ("101-unasked-then-answer", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + FINAL, BAD),
    ("101-after-100", CONTINUE + b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", BAD),
    ("101-to-post", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BAD, "keep", b"POST"),
    ("103-endless-fields", b"HTTP/1.1 103 Early Hints\r\n" + b"X-A: a\r\n" * 20000 + b"\r\n" + FINAL, BAD),
    ("103-malformed", b"HTTP/1.1 103 Early Hints\r\nX A: LEAK\r\n\r\n" + FINAL, BAD),
]


def cases():
    yield from answer_cases("r.F", ROWS)
