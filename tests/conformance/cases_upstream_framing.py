"""r.A, r.B, r.C: the upstream's framing.  Clean, or 502, or a cut the client can see; never another client's bytes."""

from exchange import BAD, Answer, answer_case, answer_cases, ok
from upstream import answer

OK200 = b"HTTP/1.1 200 OK\r\n"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nLEAK"
CLEAN_OR_BAD = Answer(status=200, bad=True)
HELLO = ok(b"hello")


def length(value, body=b"hello"):
    return OK200 + b"Content-Length: " + value + b"\r\n\r\n" + body


def chunked(body, coding=b"chunked"):
    return OK200 + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + body


VALID = [
    ("length", length(b"5"), HELLO), ("chunked", chunked(b"5\r\nhello\r\n0\r\n\r\n"), HELLO),
    ("close", OK200 + b"\r\nhello", HELLO, "fin"),
    ("close-declared", OK200 + b"Connection: close\r\n\r\nhello", HELLO, "fin"),
    ("length-and-close", OK200 + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello", HELLO, "fin"),
    ("http10", b"HTTP/1.0 200 OK\r\n\r\nhello", HELLO, "fin"),
    ("http10-length", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", HELLO, "fin"),
    ("empty", length(b"0", b""), ok(b"")), ("chunked-empty", chunked(b"0\r\n\r\n"), ok(b"")),
    ("close-empty", OK200 + b"Connection: close\r\n\r\n", ok(b""), "fin"),
    ("chunk-extension", chunked(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), Answer(200, b"hello", bad=True)),
    ("coding-case", chunked(b"5\r\nhello\r\n0\r\n\r\n", b"Chunked"), HELLO),
    ("chunk-zeros", chunked(b"0005\r\nhello\r\n000\r\n\r\n"), HELLO),
    ("tiny-chunks", chunked(b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n"), ok(b"x" * 3000)),
    ("one-mib", answer(b"m" * (1 << 20)), ok(b"m" * (1 << 20))),
    ("close-one-mib", OK200 + b"\r\n" + b"m" * (1 << 20), ok(b"m" * (1 << 20)), "fin"),
    ("length-padded", OK200 + b"Content-Length: \t5 \r\n\r\nhello", HELLO),
    ("post", length(b"5"), HELLO, "keep", b"POST"), ("fin-after", length(b"5"), HELLO, "fin"),
]

LENGTHS = [
    ("dup-different", OK200 + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", BAD),
    ("dup-same", OK200 + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", Answer(200, b"hello", bad=True)),
    ("list-same", length(b"5, 5"), Answer(200, b"hello", bad=True)),
    ("list-different", length(b"5, 6"), BAD), ("plus", length(b"+5"), BAD), ("minus", length(b"-5"), BAD),
    ("hex", length(b"0x5"), BAD), ("fraction", length(b"5.0"), BAD), ("empty", length(b""), BAD),
    ("word", length(b"five"), BAD), ("space", length(b"5 5"), BAD),
    ("nul", length(b"5\x00"), BAD), ("high", length(b"5\xa0"), BAD),
    ("2pow64plus5", length(b"18446744073709551621"), BAD, "fin"),
    ("2pow63", length(b"9223372036854775808"), BAD, "fin"), ("semicolon", length(b"5;"), BAD),
    ("space-colon", OK200 + b"Content-Length : 5\r\n\r\nhello", BAD),
    ("folded", OK200 + b"Content-Length:\r\n 5\r\n\r\nhello", BAD),
    ("with-te", OK200 + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     Answer(200, b"hello", bad=True, dead=True)),
    ("with-te-short", OK200 + b"Transfer-Encoding: chunked\r\nContent-Length: 300\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     Answer(200, b"hello", bad=True, dead=True)),
    ("short-fin", length(b"10"), BAD, "fin"), ("short-rst", length(b"10"), BAD, "rst"),
    ("none-fin", length(b"10", b""), BAD, "fin"),
    ("long", length(b"5", b"helloLEAK"), Answer(200, b"hello", bad=True, dead=True)),
    ("long-crlf", length(b"5", b"hello\r\n"), Answer(200, b"hello", bad=True, dead=True)),
    ("zero-with-body", length(b"0", b"LEAK"), Answer(200, b"", bad=True, dead=True)),
    ("second-answer", length(b"5") + SECOND, Answer(200, b"hello", bad=True, dead=True)),
    ("second-answer-x50", length(b"5") + SECOND * 50, Answer(200, b"hello", bad=True, dead=True)),
    ("second-answer-post", length(b"5") + SECOND, Answer(200, b"hello", bad=True, dead=True), "keep", b"POST"),
    ("second-after-chunked", chunked(b"5\r\nhello\r\n0\r\n\r\n") + SECOND, Answer(200, b"hello", bad=True, dead=True)),
    ("long-1m", length(b"5", b"hello" + b"LEAK" * (1 << 18)), Answer(200, b"hello", bad=True, dead=True)),
    ("2pow63minus1-fin", length(b"9223372036854775807"), BAD, "fin"),
]

CODINGS = [(f"coding-{n}", chunked(b"5\r\nhello\r\n0\r\n\r\n", v), BAD) for n, v in [
    ("xchunked", b"xchunked"), ("chunked-chunked", b"chunked, chunked"), ("gzip-chunked", b"gzip, chunked"),
    ("chunked-gzip", b"chunked, gzip"), ("identity", b"identity"), ("unknown", b"cow"), ("quoted", b'"chunked"'),
    ("parameter", b"chunked;a=b"),
    ("nul", b"chunked\x00"), ("vt", b"\x0bchunked"), ("nbsp", b"chunked\xa0"), ("empty", b""), ("split", b"chun ked"),
    ("bare-cr", b"chunked\r")]]
CODINGS += [
    ("coding-twice", OK200 + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     BAD),
    ("coding-twice-different", OK200 + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n", BAD),
    ("coding-http10", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", CLEAN_OR_BAD,
     "fin"),
    ("coding-space-colon", OK200 + b"Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", BAD),
    ("coding-folded", OK200 + b"Transfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", BAD),
]

CHUNKS = [(f"chunk-{n}", chunked(body), BAD, "fin") for n, body in [
    ("0x", b"0x5\r\nhello\r\n0\r\n\r\n"), ("plus", b"+5\r\nhello\r\n0\r\n\r\n"), ("minus", b"-5\r\nhello\r\n0\r\n\r\n"),
    ("underscore", b"0_5\r\nhello\r\n0\r\n\r\n"), ("empty", b"\r\nhello\r\n0\r\n\r\n"),
    ("letter", b"g\r\nhello\r\n0\r\n\r\n"), ("space", b" 5\r\nhello\r\n0\r\n\r\n"),
    ("2pow64plus5", b"10000000000000005\r\nhello\r\n0\r\n\r\n"), ("many-f", b"F" * 40 + b"\r\nhello\r\n"),
    ("lf-size", b"5\nhello\r\n0\r\n\r\n"), ("lf-data", b"5\r\nhello\n0\r\n\r\n"), ("cr-size", b"5\rhello\r\n0\r\n\r\n"),
    ("spill", b"5\r\nhelloXX\r\n0\r\n\r\n"),
    ("short", b"6\r\nhello\r\n0\r\n\r\n"), ("nul-extension", b"5;\x00\r\nhello\r\n0\r\n\r\n"),
    ("lf-extension", b"5;a\nhello\r\n0\r\n\r\n"), ("extension-64k", b"5;" + b"x" * 70000 + b"\r\nhello\r\n0\r\n\r\n"),
    ("bad-second", b"5\r\nhello\r\nZZ\r\n"), ("trailer-no-colon", b"5\r\nhello\r\n0\r\nX-T\r\n\r\n"),
    ("trailer-nul", b"5\r\nhello\r\n0\r\nX-T: \x00\r\n\r\n"), ("garbage", b"<html>not chunked</html>"),
    ("trailer-endless", b"5\r\nhello\r\n0\r\n" + b"X-T: a\r\n" * 30000)]]
# A bad trailer comes after all content: 502, a cut, or the whole content with a dead connection are all honest.
CHUNKS = [(n, raw, Answer(200, b"hello", bad=True, dead=True) if "trailer" in n else expect, end) for n, raw, expect,
          end in CHUNKS]

CUTS = [b"", b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0", b"5\r\nhello\r\n0\r\n",
        b"5\r\nhello\r\n0\r\nX-T: a\r\n", b"FFFFFFFF\r\nhello"]
EVENT = b"data: one\n\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def cases():
    yield from answer_cases("r.A", VALID)
    yield "r.A/bytes-one-by-one", answer_case([bytes([b]) for b in length(b"5")], HELLO, gap=0.001)
    yield "r.A/chunked-one-by-one", answer_case([bytes([b]) for b in chunked(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")],
                                                HELLO, gap=0.001)
    yield "r.A/close-one-by-one", answer_case([bytes([b]) for b in OK200 + b"\r\nhello"], HELLO, end="fin", gap=0.001)
    yield from answer_cases("r.B", LENGTHS)
    yield "r.B/second-answer-late", answer_case(length(b"5"), HELLO, late=SECOND)
    yield "r.B/one-byte-late", answer_case(length(b"5"), HELLO, late=b"L")
    yield "r.B/crlf-late", answer_case(length(b"5"), HELLO, late=b"\r\n")
    yield "r.B/second-answer-late-chunked", answer_case(chunked(b"5\r\nhello\r\n0\r\n\r\n"), HELLO, late=SECOND)
    yield "r.B/408-late", answer_case(length(b"5"), HELLO,
                                      late=b"HTTP/1.1 408 LEAK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    yield "r.B/second-answer-late-then-fin", answer_case(length(b"5"), HELLO, end="fin", late=SECOND)
    yield from answer_cases("r.C", CODINGS + CHUNKS)
    for end in ("fin", "rst"):
        yield from answer_cases("r.C", [(f"cut-{n}-{end}", chunked(body), BAD, end) for n, body in enumerate(CUTS)])
        yield from answer_cases("r.C", [(f"sse-cut-{n}-{end}", SSE + body, BAD, end) for n, body in enumerate([
            b"b\r\n" + EVENT + b"\r\n", b"b\r\n" + EVENT + b"\r\n5\r\ndata:", b"b\r\n" + EVENT,
            b"b\r\n" + EVENT + b"\r\n0\r\n"])])
    yield from answer_cases("r.C", [("close-delimited-rst", OK200 + b"\r\nhello", BAD, "rst")])
