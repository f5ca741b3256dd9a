"""Servers that are not what they seem: too old for the gateway, or MySQL 8's way to log in before a MariaDB.

Only as much of the protocols as that needs:
dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html, postgresql.org/docs/15/protocol-message-formats.html
"""

import hashlib
import re
import socket
import ssl
import struct
import subprocess
import threading

CONNECT_WITH_DB, COMPRESS, SSL, SECURE_CONNECTION = 0x8, 0x20, 0x800, 0x8000
PLUGIN_AUTH, CONNECT_ATTRIBUTES, LENENC_AUTH = 0x80000, 0x100000, 0x200000
LONG_PASSWORD = 0x1   # a MariaDB that does not set it says so that it is none of MySQL's
SHA2 = b"caching_sha2_password"


class Gone(Exception):
    """The other side closed."""


def receive(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise Gone
        data += piece
    return data


class Impostor:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self.serve(sock)
        except (Gone, OSError):
            pass
        finally:
            sock.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


# -- MySQL ---------------------------------------------------------------------------------------------------------

def read_packet(sock):
    """(sequence number, payload)"""
    head = receive(sock, 4)
    return head[3], receive(sock, int.from_bytes(head[:3], "little"))


def write_packet(sock, number, payload):
    sock.sendall(len(payload).to_bytes(3, "little") + bytes([number & 255]) + payload)


def greeting(version, thread, nonce, capabilities, plugin):
    return (b"\x0a" + version + b"\0" + struct.pack("<I", thread) + nonce[:8] + b"\0" +
            struct.pack("<HBHH", capabilities & 0xffff, 45, 2, capabilities >> 16) + bytes([len(nonce) + 1]) + bytes(10) +
            nonce[8:] + b"\0" + plugin + b"\0")


OK = b"\0\0\0\2\0\0\0"


class OldMysql(Impostor):
    """Says 5.5 to everybody, lets everybody in, and agrees to everything."""
    version = b"5.5.62"

    def serve(self, sock):
        capabilities = 0xffffff & ~(SSL | COMPRESS | CONNECT_ATTRIBUTES | LENENC_AUTH) & ~0x1000000
        write_packet(sock, 0, greeting(self.version, 7, b"12345678abcdefghijkl", capabilities, b"mysql_native_password"))
        number, _ = read_packet(sock)
        write_packet(sock, number + 1, OK)
        while True:
            _, payload = read_packet(sock)
            if payload[:1] == b"\x01":   # COM_QUIT
                return
            if payload[:1] == b"\x03" and re.match(rb"\s*(SELECT|SHOW)", payload[1:], re.IGNORECASE):
                self._answer_version(sock)
            else:
                write_packet(sock, 1, OK)

    def _answer_version(self, sock):
        def text(value):
            return bytes([len(value)]) + value
        column = text(b"def") + text(b"") * 3 + text(b"version") * 2 + struct.pack("<BHIBHBH", 12, 45, 64, 253, 0, 0, 0)
        end = b"\xfe\0\0\2\0"
        for number, payload in enumerate((b"\1", column, end, text(self.version), end), 1):
            write_packet(sock, number, payload)


def xor(a, b):
    return bytes(x ^ b[at % len(b)] for at, x in enumerate(a))


class RsaKey:
    def __init__(self, directory):
        path = f"{directory}/rsa.key"
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True)
        text = subprocess.run(["openssl", "rsa", "-in", path, "-noout", "-text"], check=True, capture_output=True).stdout.decode()
        self.public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True).stdout

        def number(name):
            return int(re.sub(r"[\s:]", "", re.search(name + r":\s*((?:[0-9a-f]{2}:?\s*)+)", text)[1]), 16)
        self.modulus, self.exponent = number("modulus"), number("privateExponent")

    def decrypt(self, data):
        """OAEP with SHA-1 (RFC 8017, 7.1.2)."""
        size = (self.modulus.bit_length() + 7) // 8
        block = pow(int.from_bytes(data, "big"), self.exponent, self.modulus).to_bytes(size, "big")
        seed = xor(block[1:21], self._mask(block[21:], 20))
        rest = xor(block[21:], self._mask(seed, size - 21))
        return rest[20:].lstrip(b"\0")[1:]

    @staticmethod
    def _mask(seed, size):
        blocks = (hashlib.sha1(seed + struct.pack(">I", at)).digest() for at in range(size // 20 + 1))
        return b"".join(blocks)[:size]


class Mysql8Login(Impostor):
    """Logs in as MySQL 8 does, with caching_sha2_password, and passes on what follows to a MariaDB.

    `way`: "fast" (the server knows the password's hash), "rsa" or "tls" (it wants the password itself).
    `logins` counts those that were right.
    """

    def __init__(self, server, user, password, way, certificate=None, rsa=None):
        self.server, self.user, self.password, self.way = server, user.encode(), password.encode(), way
        self.certificate, self.rsa, self.logins = certificate, rsa, 0
        super().__init__()

    def serve(self, sock):
        with socket.create_connection(("127.0.0.1", self.server.port)) as upstream:
            sock, begin = self._log_in(sock, upstream)
            upstream_ok = self._log_in_upstream(upstream, begin)
            write_packet(sock, begin["number"] + 1, upstream_ok)
            if upstream_ok[:1] == b"\0":
                self.logins += 1
            back = threading.Thread(target=pump, args=(upstream, sock), daemon=True)
            back.start()
            pump(sock, upstream)
            back.join()

    def _log_in(self, sock, upstream):
        _, theirs = read_packet(upstream)
        at = theirs.index(b"\0", 1) + 1
        thread, = struct.unpack_from("<I", theirs, at)
        version = theirs[1:at - 1]   # a MariaDB with its tables: those of MySQL 8 it would not know
        low, _, _, high = struct.unpack_from("<HBHH", theirs, at + 13)
        nonce = theirs[at + 4:at + 12] + theirs[at + 31:at + 43]
        capabilities = (low | high << 16 | LONG_PASSWORD | PLUGIN_AUTH) & ~(SSL | COMPRESS)
        if self.certificate:
            capabilities |= SSL
        write_packet(sock, 0, greeting(version, thread, nonce, capabilities, SHA2))
        number, answer = read_packet(sock)
        if len(answer) == 32 and self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            sock = context.wrap_socket(sock, server_side=True)
            number, answer = read_packet(sock)
        begin = self._read_answer(answer)
        if begin["plugin"] != SHA2:
            write_packet(sock, number + 1, b"\xfe" + SHA2 + b"\0" + nonce + b"\0")
            number, begin["proof"] = read_packet(sock)
        begin.update(number=number, nonce=nonce)
        self._check(sock, begin)
        return sock, begin

    @staticmethod
    def _read_answer(answer):
        capabilities, = struct.unpack_from("<I", answer)
        user, _, rest = answer[32:].partition(b"\0")
        size = rest[0]   # a length below 251, in both encodings
        proof, rest = rest[1:1 + size], rest[1 + size:]
        database = b""
        if capabilities & CONNECT_WITH_DB:
            database, _, rest = rest.partition(b"\0")
        plugin = rest.partition(b"\0")[0] if capabilities & PLUGIN_AUTH else b""
        return {"capabilities": capabilities, "charset": answer[8:9], "user": user, "proof": proof, "database": database,
                "plugin": plugin}

    def _check(self, sock, begin):
        hashed = hashlib.sha256(self.password).digest()
        expected = xor(hashed, hashlib.sha256(hashlib.sha256(hashed).digest() + begin["nonce"]).digest())
        good = begin["user"] == self.user and begin["proof"] == expected
        if good and self.way == "fast":
            begin["number"] += 1
            write_packet(sock, begin["number"], b"\1\3")
            return
        if good:
            write_packet(sock, begin["number"] + 1, b"\1\4")
            begin["number"], payload = read_packet(sock)
            if payload == b"\2" and self.rsa:
                write_packet(sock, begin["number"] + 1, b"\1" + self.rsa.public)
                begin["number"], payload = read_packet(sock)
                payload = xor(self.rsa.decrypt(payload), begin["nonce"])
            good = payload.rstrip(b"\0") == self.password
        if not good:
            write_packet(sock, begin["number"] + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied")
            raise Gone

    def _log_in_upstream(self, upstream, begin):
        capabilities = (begin["capabilities"] | PLUGIN_AUTH | SECURE_CONNECTION) & ~(SSL | CONNECT_ATTRIBUTES | LENENC_AUTH)
        hashed = hashlib.sha1(self.password).digest()
        proof = xor(hashed, hashlib.sha1(begin["nonce"] + hashlib.sha1(hashed).digest()).digest())
        write_packet(upstream, 1, struct.pack("<II", capabilities, 1 << 24) + begin["charset"] + bytes(23) + self.user + b"\0" +
                     bytes([len(proof)]) + proof +
                     (begin["database"] + b"\0" if capabilities & CONNECT_WITH_DB else b"") + b"mysql_native_password\0")
        return read_packet(upstream)[1]


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


# -- PostgreSQL ----------------------------------------------------------------------------------------------------

def message(kind, payload):
    return kind + struct.pack(">I", len(payload) + 4) + payload


class OldPostgresql(Impostor):
    """Says 9.4 to everybody, lets everybody in, and answers every query with one row: its version, or 1."""
    version = b"9.4.26"

    def serve(self, sock):
        while True:
            size, code = struct.unpack(">II", receive(sock, 8))
            receive(sock, size - 8)
            if code not in (80877103, 80877104):   # SSLRequest, GSSENCRequest
                break
            sock.sendall(b"N")
        names = {b"server_version": self.version, b"server_encoding": b"UTF8", b"client_encoding": b"UTF8",
                 b"standard_conforming_strings": b"on", b"integer_datetimes": b"on", b"DateStyle": b"ISO, MDY"}
        sock.sendall(message(b"R", struct.pack(">I", 0)) +
                     b"".join(message(b"S", name + b"\0" + value + b"\0") for name, value in names.items()) +
                     message(b"K", struct.pack(">II", 1, 1)) + message(b"Z", b"I"))
        while True:
            kind, size = struct.unpack(">cI", receive(sock, 5))
            text = receive(sock, size - 4)
            if kind == b"X":
                return
            sock.sendall(self._answer(kind, text))

    def _answer(self, kind, text):
        def row(value):
            return message(b"D", struct.pack(">HI", 1, len(value)) + value) + message(b"C", b"SELECT 1\0")
        columns = message(b"T", struct.pack(">H", 1) + b"version\0" + struct.pack(">IHIhih", 0, 0, 25, -1, -1, 0))
        ready = message(b"Z", b"I")
        if kind == b"Q" and not text.upper().startswith((b"SELECT", b"SHOW")):
            return message(b"C", text.split()[0].upper().rstrip(b"\0") + b"\0") + ready
        # Query; Parse, Bind, Describe, Execute, Close, Sync
        return {b"Q": columns + row(self.version if b"version" in text.lower() else b"1") + ready, b"P": message(b"1", b""), b"B": message(b"2", b""), b"D": columns, b"E": row(b"1"),
                b"C": message(b"3", b""), b"S": ready}.get(kind, b"")
