"""q.D: chunk syntax.  Trailers never become fields; a body that is not whole never completes a request upstream."""

from exchange import SMUGGLED, either, forward, refuse, request_cases

HEAD = b"POST {T}/x HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n"
HELLO = forward(body=b"hello")
MAYBE = either(body=b"hello")
LAST = b"0\r\n\r\n"
CUT = refuse(400, 408, silent=True)

BAD_SIZES = [
    ("0x", b"0x5"), ("0X", b"0X5"), ("plus", b"+5"), ("minus", b"-5"), ("underscore", b"0_5"),
    ("underscore-end", b"5_"),
    ("two-numbers", b"5 5"), ("empty", b""), ("letter", b"g"), ("letter-after", b"5h"), ("space-before", b" 5"),
    ("tab-before", b"\t5"), ("nul-after", b"5\x00"), ("nul-before", b"\x005"), ("vt", b"5\x0b"), ("comma", b"5,"),
    ("fraction", b"5.0"), ("quoted", b'"5"'), ("nbsp", b"5\xa0"), ("high", b"\xff5"), ("fullwidth", "５".encode()),
    ("2pow64", b"10000000000000000"), ("2pow64plus5", b"10000000000000005"), ("2pow132plus5", b"F" * 32 + b"5"),
    ("wide", b"1" + b"0" * 100 + b"5"), ("equals", b"=5"), ("colon", b"5:"), ("cr-cr", b"5\r"), ("hash", b"5#"),
]

# TERM.EXT, EXT.TERM and spill: one side ends a line or a chunk where the other does not.
LINE_ENDS = [
    ("lf-after-size", b"5\nhello\r\n" + LAST, MAYBE), ("lf-after-data", b"5\r\nhello\n" + LAST, MAYBE),
    ("lf-after-last-size", b"5\r\nhello\r\n0\n\r\n", MAYBE), ("lf-at-end", b"5\r\nhello\r\n0\r\n\n", MAYBE),
    ("lf-everywhere", b"5\nhello\n0\n\n", MAYBE),
    ("cr-after-size", b"5\rhello\r\n" + LAST, refuse()), ("cr-after-data", b"5\r\nhello\r0\r\n\r\n", refuse()),
    ("cr-after-last-size", b"5\r\nhello\r\n0\r\r\n", refuse()), ("cr-at-end", b"5\r\nhello\r\n0\r\n\rX", refuse()),
    ("lf-in-extension", b"5;a\nhello\r\n" + LAST, refuse()),
    ("cr-in-extension", b"5;a\rb\r\nhello\r\n" + LAST, refuse()),
    ("term-ext", b"2;\nxx\r\n4c\r\n0\r\n\r\n" + SMUGGLED, refuse()), ("ext-term", b"0;\n\r\n" + SMUGGLED, refuse()),
    ("lf-cr", b"5\n\rhello\r\n" + LAST, refuse()), ("crcrlf", b"5\r\r\nhello\r\n" + LAST, refuse()),
    ("spill", b"5\r\nhelloXX\r\n" + LAST, refuse()), ("spill-line", b"5\r\nhello\r\nX\r\n" + LAST, refuse()),
    ("short-chunk", b"6\r\nhello\r\n" + LAST, refuse()), ("no-end-of-data", b"5\r\nhello0\r\n\r\n", refuse()),
    ("two-bytes-for-crlf", b"5\r\nhelloAB0\r\n\r\n", refuse()),
    ("spill-smuggled", b"3\r\nabcde0\r\n\r\n" + SMUGGLED, refuse()),
    ("leading-crlf", b"\r\n5\r\nhello\r\n" + LAST, refuse()),
    ("empty-line-between", b"5\r\nhello\r\n\r\n" + LAST, refuse()),
]

EXTENSIONS = [
    ("name", b"5;a\r\nhello\r\n" + LAST, HELLO), ("value", b"5;a=b\r\nhello\r\n" + LAST, HELLO),
    ("quoted", b'5;a="b c"\r\nhello\r\n' + LAST, HELLO), ("several", b"5;a=b;c;d=e\r\nhello\r\n" + LAST, HELLO),
    ("on-last", b"5\r\nhello\r\n0;a=b\r\n\r\n", HELLO), ("quoted-semicolon", b'5;a=";\\""\r\nhello\r\n' + LAST, HELLO),
    ("space-before", b"5 ;a=b\r\nhello\r\n" + LAST, MAYBE), ("spaces", b"5 ; a = b\r\nhello\r\n" + LAST, MAYBE),
    ("empty", b"5;\r\nhello\r\n" + LAST, MAYBE), ("trailing-space", b"5 \r\nhello\r\n" + LAST, MAYBE),
    ("open-quote", b'5;a="b\r\nhello\r\n' + LAST, MAYBE), ("high-byte", b"5;a=\xff\r\nhello\r\n" + LAST, MAYBE),
    ("nul", b"5;a=\x00\r\nhello\r\n" + LAST, refuse()), ("del", b"5;a=\x7f\r\nhello\r\n" + LAST, MAYBE),
    ("quoted-crlf", b'5;a="\r\nhello\r\n' + LAST, MAYBE),
    ("64k", b"5;a=" + b"x" * 65536 + b"\r\nhello\r\n" + LAST, refuse(400, 413, 431)),
    ("many-small", b"".join(b"1;%s\r\nx\r\n" % (b"e" * 200) for _ in range(2000)) + LAST,
     either(400, 413, 431, body=b"x" * 2000)),
]

TRAILERS = [
    ("none-valid", b"5\r\nhello\r\n0\r\nX-T: SMUGGLED\r\n\r\n", HELLO),
    ("two", b"5\r\nhello\r\n0\r\nX-T: SMUGGLED\r\nX-U: SMUGGLED\r\n\r\n", HELLO),
    ("content-length", b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n", MAYBE),
    ("transfer-encoding", b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", MAYBE),
    ("host", b"5\r\nhello\r\n0\r\nHost: SMUGGLED\r\n\r\n", MAYBE),
    ("credential", b"5\r\nhello\r\n0\r\nX-Proxy-Key: SMUGGLED\r\n\r\n", MAYBE),
    ("injected-key", b"5\r\nhello\r\n0\r\nX-Api-Token: SMUGGLED\r\n\r\n", MAYBE),
    ("no-colon", b"5\r\nhello\r\n0\r\nX-T\r\n\r\n", refuse()),
    ("space-before-colon", b"5\r\nhello\r\n0\r\nX-T : a\r\n\r\n", refuse()),
    ("folded", b"5\r\nhello\r\n0\r\nX-T: a\r\n b\r\n\r\n", refuse()),
    ("indented", b"5\r\nhello\r\n0\r\n X-T: a\r\n\r\n", refuse()),
    ("nul", b"5\r\nhello\r\n0\r\nX-T: a\x00b\r\n\r\n", refuse()),
    ("bare-cr", b"5\r\nhello\r\n0\r\nX-T: a\rX-U: b\r\n\r\n", refuse()),
    ("empty-name", b"5\r\nhello\r\n0\r\n: a\r\n\r\n", refuse()),
    ("looks-like-request", b"5\r\nhello\r\n0\r\n" + SMUGGLED, refuse()),
    ("huge", b"5\r\nhello\r\n0\r\nX-T: " + b"x" * 200000 + b"\r\n\r\n", refuse(400, 413, 431)),
    ("thousands", b"5\r\nhello\r\n0\r\n" + b"X-T: a\r\n" * 20000 + b"\r\n", refuse(400, 413, 431)),
]

GOOD = [
    ("leading-zeros", b"0005\r\nhello\r\n00\r\n\r\n", HELLO),
    ("upper-hex", b"A\r\nhellohello\r\n" + LAST, forward(body=b"hello" * 2)),
    ("lower-hex", b"a\r\nhellohello\r\n" + LAST, forward(body=b"hello" * 2)),
    ("sixteen-digits", b"0000000000000005\r\nhello\r\n" + LAST, MAYBE),
    ("seventeen-digits", b"00000000000000005\r\nhello\r\n" + LAST, MAYBE), ("empty-body", LAST, forward(body=b"")),
    ("crlf-in-data", b"4\r\n\r\n\r\n\r\n" + LAST, forward(body=b"\r\n\r\n")),
    ("last-chunk-in-data", b"7\r\n\r\n0\r\n\r\n\r\n" + LAST, forward(body=b"\r\n0\r\n\r\n")),
    ("tiny-chunks", b"1\r\nx\r\n" * 2000 + LAST, forward(body=b"x" * 2000, timeout=6)),
    ("binary", b"100\r\n" + bytes(range(256)) + b"\r\n" + LAST, forward(body=bytes(range(256)))),
]

CUTS = [b"", b"5", b"5\r", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0",
        b"5\r\nhello\r\n0\r\n",
        b"5\r\nhello\r\n0\r\nX-T: a\r\n", b"7FFFFFFFFFFFFFFF\r\nhello", b"FFFFFFFFFFFFFFF\r\nhello"]


def cases():
    def rows(prefix, table):
        return [(f"{prefix}-{name}", HEAD + body, expect) for name, body, expect in table]

    yield from request_cases("q.D", rows("line-end", LINE_ENDS) + rows("extension", EXTENSIONS))
    yield from request_cases("q.D", rows("trailer", TRAILERS) + rows("good", GOOD))
    yield from request_cases("q.D", [(f"size-{n}", HEAD + v + b"\r\nhello\r\n" + LAST, refuse(400, 413)) for n,
                                     v in BAD_SIZES])
    for end in ("fin", "rst"):
        yield from request_cases("q.D", [(f"cut-{n}-{end}", HEAD + body, CUT.but(refuse=frozenset((400, 408, 413))),
                                          end)
                                         for n, body in enumerate(CUTS)])
