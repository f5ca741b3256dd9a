"""Strict HTTP/1.1 parsers, written from RFC 9112 and independent of the gateway.

parse_request() judges what the gateway sends to an upstream: anything that two servers could read in two ways is a
Violation.  parse_response() judges what the gateway sends to a client, and says whether an incomplete answer is
recognisable as incomplete.
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
TARGET = re.compile(rb"(/[\x21\x22\x24-\x7e\x80-\xff]*|\*)\Z")
VALUE = re.compile(rb"([\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)\Z")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}\Z")
HOP_BY_HOP = (b"keep-alive", b"te", b"trailer", b"trailers", b"proxy-connection", b"proxy-authorization",
              b"proxy-authenticate")


class Violation(Exception):
    """The bytes are not canonical HTTP/1.1."""


@dataclass
class Message:
    start: tuple = ()
    fields: list = field(default_factory=list)
    body: bytes = b""
    framing: str = "none"      # none, length, chunked, close
    complete: bool = False
    size: int = 0              # bytes used from the buffer

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    method = property(lambda self: self.start[0])
    target = property(lambda self: self.start[1])


@dataclass
class Response(Message):
    status: int = 0
    interim: list = field(default_factory=list)   # (status, fields) of the 1xx answers before this one
    cut: bool = False          # ended early, and the client can tell


def parse_head(data, start_end):
    """Fields between the start line and the empty line, or None while the empty line is missing."""
    end = data.find(b"\r\n\r\n", max(start_end - 2, 0))
    if end < 0:
        return None
    fields = []
    block = bytes(data[start_end:end + 2]) if end + 2 > start_end else b""
    for line in block.split(b"\r\n")[:-1]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            raise Violation(f"field line {line[:80]!r}")
        value = value.strip(b" \t")
        if not VALUE.match(value):
            raise Violation(f"field value {line[:80]!r}")
        fields.append((name, value))
    return fields, end + 4


def body_length(fields, who):
    """(framing, length) of a message, or a Violation if it is ambiguous."""
    lengths = [v for n, v in fields if n.lower() == b"content-length"]
    codings = [v for n, v in fields if n.lower() == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise Violation(f"{who}: ambiguous framing {lengths} {codings}")
    if codings:
        if codings[0].lower() != b"chunked":
            raise Violation(f"{who}: Transfer-Encoding {codings[0]!r}")
        return "chunked", 0
    if lengths:
        if not re.fullmatch(rb"[0-9]{1,19}", lengths[0]):
            raise Violation(f"{who}: Content-Length {lengths[0]!r}")
        return "length", int(lengths[0])
    return "none", 0


def read_chunks(data, at, who):
    """(body, end, complete).  `end` is only meaningful when complete."""
    body = bytearray()
    while True:
        eol = data.find(b"\r\n", at)
        if eol < 0:
            if not re.fullmatch(rb"[0-9A-Fa-f]{0,15}\r?", bytes(data[at:at + 64])):
                raise Violation(f"{who}: chunk size {bytes(data[at:at + 40])!r}")
            return bytes(body), at, False
        size = bytes(data[at:eol])
        if not CHUNK_SIZE.match(size):
            raise Violation(f"{who}: chunk size {size[:40]!r}")
        length = int(size, 16)
        if length == 0:
            tail = bytes(data[eol + 2:eol + 4])
            if tail == b"\r\n":
                return bytes(body), eol + 4, True
            if tail not in (b"", b"\r"):
                raise Violation(f"{who}: bytes after the last chunk {bytes(data[eol + 2:eol + 42])!r}")
            return bytes(body), at, False
        chunk = data[eol + 2:eol + 2 + length]
        body += chunk
        if len(chunk) < length:
            return bytes(body), at, False
        end = bytes(data[eol + 2 + length:eol + 4 + length])
        if end != b"\r\n":
            if end not in (b"", b"\r"):
                raise Violation(f"{who}: chunk not ended by CRLF {end!r}")
            return bytes(body), at, False
        at = eol + 4 + length


def read_body(message, data, at, who):
    framing, length = body_length(message.fields, who)
    message.framing = framing
    if framing == "chunked":
        message.body, end, message.complete = read_chunks(data, at, who)
        message.size = end if message.complete else len(data)
        return
    message.body = bytes(data[at:at + length])
    message.complete = len(message.body) == length
    message.size = at + len(message.body)


def parse_request(data):
    """The request at the start of `data`; None while its head is incomplete.  See Message.complete for its body."""
    eol = data.find(b"\r\n")
    if eol < 0:
        if len(data) > 1 << 20:
            raise Violation("endless request line")
        return None
    parts = bytes(data[:eol]).split(b" ")
    if len(parts) != 3 or not TOKEN.match(parts[0]) or not TARGET.match(parts[1]) or parts[2] != b"HTTP/1.1":
        raise Violation(f"request line {bytes(data[:eol])[:120]!r}")
    head = parse_head(data, eol + 2)
    if head is None:
        return None
    fields, at = head
    request = Message(start=tuple(parts), fields=fields)
    if len(request.all(b"host")) != 1:
        raise Violation(f"Host fields: {request.all(b'host')}")
    for name, value in fields:
        if name.lower() in HOP_BY_HOP:
            raise Violation(f"hop-by-hop field {name!r}: {value!r}")
        if name.lower() == b"connection" and value.lower() not in (b"close", b"keep-alive", b"upgrade"):
            raise Violation(f"Connection: {value!r}")
        if name.lower() == b"upgrade" and b"upgrade" not in [v.lower() for v in request.all(b"connection")]:
            raise Violation("Upgrade without Connection: upgrade")
    read_body(request, data, at, "request")
    return request


def parse_response(data, method, ended, reset=False):
    """The final response at the start of `data`; None while its head is incomplete.

    `ended`: the sender closed, so what is missing will never come.  `reset`: it did so with RST.
    """
    at, interim = 0, []
    while True:
        eol = data.find(b"\r\n", at)
        if eol < 0:
            return None
        line = STATUS_LINE.match(bytes(data[at:eol]))
        if not line:
            raise Violation(f"status line {bytes(data[at:eol])[:120]!r}")
        head = parse_head(data, eol + 2)
        if head is None:
            return None
        fields, at = head
        status = int(line[2])
        if status >= 200 or status == 101:
            break
        interim.append((status, fields))
    response = Response(start=(line[1], line[3]), fields=fields, status=status, interim=interim)
    if method == "HEAD" or status in (101, 204, 304):
        response.complete, response.size = True, at
        if status in (101, 204) and body_length(fields, "response")[0] != "none":
            raise Violation(f"{status} with {body_length(fields, 'response')}")
        body_length(fields, "response")
        return response
    framing, _ = body_length(fields, "response")
    if framing == "none":
        response.framing, response.body, response.size = "close", bytes(data[at:]), len(data)
        response.complete, response.cut = ended and not reset, reset
        return response
    read_body(response, data, at, "response")
    response.cut = ended and not response.complete
    return response
