"""q.B: Content-Length.  One reading of the body, or none."""

from exchange import SMUGGLED, either, forward, refuse, request_cases

POST = b"POST {T}/x HTTP/1.1\r\n{H}"
HELLO = either(body=b"hello")


def length(value, body=b"hello"):
    return POST + b"Content-Length: " + value + b"\r\n\r\n" + body


# name, field value; the body is always "hello".  None of these is a number that everybody reads as 5.
BAD_VALUES = [
    ("plus", b"+5"), ("minus", b"-5"), ("minus-zero", b"-0"), ("hex", b"0x5"), ("octal", b"0o5"), ("fraction", b"5.0"),
    ("exponent", b"5e0"), ("space-inside", b"5 5"), ("zero-space", b"0 5"), ("quoted", b'"5"'), ("apostrophe", b"'5'"),
    ("semicolon", b"5;"), ("parameter", b"5;a=1"), ("empty", b""), ("blank", b"   "), ("word", b"five"),
    ("underscore", b"5_0"), ("arabic-digit", "٥".encode()), ("fullwidth-digit", "５".encode()), ("nul-after", b"5\x00"),
    ("nul-before", b"\x005"), ("nel", b"5\x85"), ("nel-before", b"\x855"), ("nbsp", b"5\xa0"), ("vt", b"5\x0b"),
    ("ff-before", b"\x0c5"), ("del", b"5\x7f"), ("bare-cr", b"5\r"), ("cr-zero", b"5\r0"), ("list-different", b"5, 6"),
    ("list-zero", b"0, 5"), ("list-empty-end", b"5,"), ("list-empty-start", b",5"), ("list-empty-middle", b"5,,5"),
    ("comma", b","), ("hash", b"5#"), ("equals", b"=5"), ("infinity", b"inf"), ("nan", b"NaN"),
]
HUGE = [("2pow31", 1 << 31), ("2pow32plus5", (1 << 32) + 5), ("2pow63minus1", (1 << 63) - 1), ("2pow63", 1 << 63),
        ("2pow64minus1", (1 << 64) - 1), ("2pow64", 1 << 64), ("2pow64plus5", (1 << 64) + 5),
        ("2pow128plus5", (1 << 128) + 5)]

CLTE = b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"
INNER = b"0\r\n\r\n" + SMUGGLED
INNER_REQUEST = b"GET /SMUGGLED HTTP/1.1\r\nA: b\r\n\r\n"

ROWS = [
    ("cl-te", POST + CLTE, either(closes=True)),
    ("te-cl", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     either(closes=True)),
    ("cl-te-smuggled", POST + b"Content-Length: 300\r\nTransfer-Encoding: chunked\r\n\r\n" + INNER,
     either(closes=True)),
    ("cl-0-te-smuggled", POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + INNER,
     either(closes=True)),
    ("te-cl-smuggled", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n40\r\n" + SMUGGLED, refuse()),
    ("cl-te-get", b"GET {T}/x HTTP/1.1\r\n{H}" + CLTE, either(closes=True)),
    ("cl-identity", POST + b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello", refuse(400, 501)),
    ("cl-bad-te", POST + b"Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\nhello", refuse(400, 501)),
    ("dup-same", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", HELLO),
    ("dup-padded", POST + b"Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello", HELLO),
    ("dup-larger", POST + b"Content-Length: 5\r\nContent-Length: 60\r\n\r\nhello" + SMUGGLED, refuse()),
    ("dup-smaller", POST + b"Content-Length: 60\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED, refuse()),
    ("dup-zero", POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", refuse()),
    ("dup-zero-smuggled", POST + b"Content-Length: 0\r\nContent-Length: 90\r\n\r\n" + SMUGGLED, refuse()),
    ("dup-apart", POST + b"Content-Length: 5\r\nX-A: b\r\nX-C: d\r\ncontent-length: 6\r\n\r\nhello!", refuse()),
    ("dup-three", POST + b"Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello", refuse()),
    ("dup-empty", POST + b"Content-Length: 5\r\nContent-Length:\r\n\r\nhello", refuse()),
    ("dup-empty-first", POST + b"Content-Length:\r\nContent-Length: 5\r\n\r\nhello", refuse()),
    ("list-same", length(b"5, 5"), HELLO),
    ("leading-zeros", length(b"0005"), HELLO),
    ("many-zeros", length(b"0" * 40 + b"5"), HELLO),
    ("space-before-colon", POST + b"Content-Length : 5\r\n\r\nhello", refuse()),
    ("tab-before-colon", POST + b"Content-Length\t: 5\r\n\r\nhello", refuse()),
    ("no-colon", POST + b"Content-Length 5\r\n\r\nhello", refuse()),
    ("name-only", POST + b"Content-Length\r\n\r\nhello", refuse()),
    ("space-in-name", POST + b"Content Length: 5\r\n\r\nhello", refuse()),
    ("folded-value", POST + b"Content-Length:\r\n 5\r\n\r\nhello", refuse()),
    ("folded-tab", POST + b"Content-Length:\r\n\t5\r\n\r\nhello", refuse()),
    ("folded-number", POST + b"Content-Length: 1\r\n 00\r\n\r\nhello", refuse()),
    ("folded-away", POST + b"X-A: b\r\n Content-Length: 5\r\n\r\nhello", refuse()),
    ("first-line-indented", b"POST {T}/x HTTP/1.1\r\n Content-Length: 5\r\n{H}\r\nhello", refuse()),
    ("look-alike-underscore", POST + b"Content-Length: 5\r\nContent_Length: 50\r\n\r\nhello", HELLO),
    ("look-alike-nbsp", POST + b"Content-Length\xa0: 5\r\n\r\nhello", refuse()),
    ("look-alike-vt", POST + b"Content-Length\x0b: 5\r\n\r\nhello", refuse()),
    ("look-alike-nul", POST + b"Content-Length\x00: 5\r\n\r\nhello", refuse()),
    ("look-alike-nul-inside", POST + b"Content\x00-Length: 5\r\n\r\nhello", refuse()),
    ("look-alike-hyphen", POST + "Content‐Length: 5\r\n\r\nhello".encode(), refuse()),
    ("look-alike-prefix", POST + b"\x00Content-Length: 5\r\n\r\nhello", refuse()),
    ("after-bare-cr", POST + b"X-A: b\rContent-Length: 80\r\n\r\n" + SMUGGLED, refuse()),
    ("after-bare-lf", POST + b"X-A: b\nContent-Length: 5\r\n\r\nhello", HELLO),
    ("after-lf-lf", POST + b"X-A: b\n\nContent-Length: 5\r\n\r\nhello", refuse()),
    ("empty-name", POST + b"Content-Length: 5\r\n: 80\r\n\r\nhello", refuse()),
    ("empty-name-first", b"POST {T}/x HTTP/1.1\r\n: x\r\n{H}Content-Length: 5\r\n\r\nhello", refuse()),
    ("lower-case", POST + b"content-length: 5\r\n\r\nhello", forward(body=b"hello")),
    ("upper-case", POST + b"CONTENT-LENGTH:5\r\n\r\nhello", forward(body=b"hello")),
    ("padding", POST + b"Content-Length: \t 5 \t\r\n\r\nhello", forward(body=b"hello")),
    ("zero", length(b"0", b""), forward(body=b"")),
    ("get-with-body", b"GET {T}/x HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello", forward(body=b"hello")),
    ("delete-with-body", b"DELETE {T}/x HTTP/1.1\r\n{H}Content-Length: 5\r\n\r\nhello", forward(body=b"hello")),
    ("body-is-request", length(b"32", INNER_REQUEST), forward(body=INNER_REQUEST)),
    ("short-fin", length(b"10"), refuse(400, 408, silent=True), "fin"),
    ("short-rst", length(b"10"), refuse(400, 408, silent=True), "rst"),
    ("none-fin", length(b"10", b""), refuse(400, 408, silent=True), "fin"),
    ("none-rst", length(b"10", b""), refuse(400, 408, silent=True), "rst"),
]


def cases():
    yield from request_cases("q.B", ROWS)
    yield from request_cases("q.B", [(f"value-{n}", length(v), refuse()) for n, v in BAD_VALUES])
    yield from request_cases("q.B", [(f"value-{n}", length(b"%d" % v), refuse(400, 413)) for n, v in HUGE])
