"""q.C: Transfer-Encoding.  Only a single, final, plain "chunked" is a framing; everything else is refused."""

from exchange import SMUGGLED, either, forward, refuse, request_cases

POST = b"POST {T}/x HTTP/1.1\r\n{H}"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
REFUSE = refuse(400, 501)
HELLO = forward(body=b"hello")
MAYBE = either(400, 501, body=b"hello")


def coding(value, body=CHUNKS):
    return POST + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body


BAD_VALUES = [
    ("xchunked", b"xchunked"), ("chunkedx", b"chunkedx"), ("chunked-chunked", b"chunked, chunked"),
    ("identity", b"identity"),
    ("chunked-identity", b"chunked, identity"), ("gzip-chunked", b"gzip, chunked"), ("chunked-gzip", b"chunked, gzip"),
    ("gzip", b"gzip"), ("unknown-chunked", b"x, chunked"), ("parameter", b"chunked;q=1"),
    ("parameter-space", b"chunked ; a=b"),
    ("quoted", b'"chunked"'), ("apostrophe", b"'chunked'"), ("split", b"chun ked"), ("vt-before", b"\x0bchunked"),
    ("vt-after", b"chunked\x0b"), ("ff-before", b"\x0cchunked"), ("ff-after", b"chunked\x0c"),
    ("nul-before", b"\x00chunked"),
    ("nul-after", b"chunked\x00"), ("nbsp-before", b"\xa0chunked"), ("nbsp-after", b"chunked\xa0"),
    ("ff-byte-before", b"\xffchunked"),
    ("ff-byte-after", b"chunked\xff"), ("nel", b"\x85chunked"), ("bare-cr-after", b"chunked\r"),
    ("bare-cr-before", b"\rchunked"),
    ("cr-inside", b"chunked\rX"), ("empty", b""), ("comma", b","), ("colon", b": chunked"), ("semicolon", b";chunked"),
    ("with-length", b"chunked, Content-Length: 3"), ("kelvin", "chun\u212aed".encode()), ("backspace", b"chunked\x08"),
    ("del", b"chunked\x7f"), ("underscore", b"chunked_"), ("slash", b"chunked/1"), ("percent", b"%63hunked"),
]

ROWS = [
    ("plain", coding(b"chunked"), HELLO), ("upper-case", coding(b"CHUNKED"), HELLO),
    ("mixed-case", coding(b"cHuNkEd"), HELLO),
    ("padding", coding(b"\t chunked \t"), HELLO),
    ("lower-name", POST + b"transfer-encoding:chunked\r\n\r\n" + CHUNKS, HELLO),
    ("empty-element-before", coding(b", chunked"), MAYBE), ("empty-element-after", coding(b"chunked,"), MAYBE),
    ("identity-chunked", coding(b"identity, chunked"), MAYBE),
    ("dup-same", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("dup-identity", POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, MAYBE),
    ("dup-identity-last", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + CHUNKS, REFUSE),
    ("dup-unknown", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n" + CHUNKS, REFUSE),
    ("dup-unknown-first", POST + b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("dup-empty", POST + b"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, MAYBE),
    ("dup-case", POST + b"Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n\r\n" + CHUNKS, REFUSE),
    ("space-before-colon", POST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("tab-before-colon", POST + b"Transfer-Encoding\t: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("no-colon", POST + b"Transfer-Encoding chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("space-in-name", POST + b"Transfer Encoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("nul-in-name", POST + b"Transfer-Encoding\x00: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("nbsp-in-name", POST + b"Transfer-Encoding\xa0: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("cr-in-name", POST + b"Transfer-\rEncoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("underscore-name", POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", either(body=b"hello")),
    ("folded-value", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("folded-continued", POST + b"Transfer-Encoding: chunked\r\n , identity\r\n\r\n" + CHUNKS, REFUSE),
    ("folded-away", POST + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", REFUSE),
    ("http10", b"POST {T}/x HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, MAYBE.but(closes=True)),
    ("http10-keep-alive", b"POST {T}/x HTTP/1.0\r\n{H}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
     + CHUNKS + SMUGGLED, MAYBE.but(closes=True)),
    ("after-bare-cr", POST + b"X-A: b\rTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("after-bare-cr-with-length", POST + b"Content-Length: 5\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\nhello",
     REFUSE),
    ("after-bare-lf", POST + b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, MAYBE),
    ("after-bare-lf-with-length", POST + b"Content-Length: 60\r\nX-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
     + SMUGGLED, either(400, 501, closes=True)),
    ("after-nul", POST + b"X-A: b\x00\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, REFUSE),
    ("te-0-get", b"GET {T}/x HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, HELLO),
    ("te-0-options", b"OPTIONS {T}/x HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n"
     + SMUGGLED, either(closes=True)),
    ("te-0-head", b"HEAD {T}/x HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, HELLO),
    ("te-field-is-not-a-framing", POST + b"TE: chunked\r\nContent-Length: 5\r\n\r\nhello", HELLO),
    ("trailers-field", POST + b"TE: trailers\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, HELLO),
]


def cases():
    yield from request_cases("q.C", ROWS)
    yield from request_cases("q.C", [(f"value-{n}", coding(v), REFUSE) for n, v in BAD_VALUES])
