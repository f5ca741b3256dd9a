"""A scripted provider: a raw TCP server that records every byte it receives, per connection.

`reply(exchange)` is called for each complete request; it sends whatever bytes the case wants and returns how the
connection goes on: None (read the next request), "fin" (half-close, keep reading) or "rst".  `early(exchange)` is
called as soon as a head is complete, before the body; returning a string ends the connection likewise.
"""

import socket
import struct
import threading
import time

import wire


class Connection:
    def __init__(self, sock, index):
        self.sock, self.index = sock, index
        self.data = bytearray()          # everything ever received
        self.parsed = 0                  # bytes of `data` that belong to complete requests
        self.violation = None
        self.ended_at = None             # when the gateway closed (monotonic)
        self.reset_seen = False

    def recv(self, timeout=20.0):
        """More bytes (also kept in `data`), b"" at the end."""
        try:
            self.sock.settimeout(timeout)
            chunk = self.sock.recv(262144)
        except ConnectionResetError:
            self.reset_seen, chunk = True, b""
        except OSError:
            chunk = b""
        if chunk:
            self.data += chunk
        elif self.ended_at is None:
            self.ended_at = time.monotonic()
        return chunk


class Exchange:
    def __init__(self, upstream, conn, request, index):
        self.upstream, self.conn, self.request, self.index = upstream, conn, request, index

    def send(self, *parts, gap=0.0):
        """Sends the parts; False once the gateway has gone."""
        for part in parts:
            try:
                self.conn.sock.settimeout(20)
                self.conn.sock.sendall(part)
            except OSError:
                return False
            if gap:
                time.sleep(gap)
        return True


def answer(body=b"fine", status=b"200 OK", *fields):
    head = b"HTTP/1.1 " + status + b"\r\n" + b"".join(f + b"\r\n" for f in fields)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def echo(exchange):
    """The default script: says which target it served, so that crossed answers are noticed."""
    response = answer(b"seen " + exchange.request.target)
    if exchange.request.method == b"HEAD":
        response = response[:response.index(b"\r\n\r\n") + 4]
    exchange.send(response)


class Upstream:
    def __init__(self, reply=echo, early=None):
        self.reply, self.early = reply, early
        self.lock = threading.Lock()
        self.conns, self.requests, self.heads = [], [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                conn = Connection(sock, len(self.conns))
                self.conns.append(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        try:
            end = self._exchanges(conn)
        except Exception as error:  # a broken script must not look like a gateway fault
            conn.violation = f"upstream script failed: {error!r}"
            end = "rst"
        if end == "fin":
            try:
                conn.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            while conn.recv():
                pass
        if end == "rst":
            reset(conn.sock)
            conn.ended_at = conn.ended_at or time.monotonic()
        conn.sock.close()

    def _exchanges(self, conn):
        while True:
            head_seen = False
            while True:
                pending = conn.data[conn.parsed:]
                try:
                    request = wire.parse_request(pending) if pending else None
                except wire.Violation as error:
                    conn.violation = str(error)
                    conn.sock.sendall(answer(b"not canonical", b"400 Bad Request"))
                    return "fin"
                if request and not head_seen:
                    head_seen = True
                    with self.lock:
                        self.heads.append(request)
                    if self.early:
                        end = self.early(Exchange(self, conn, request, len(self.heads) - 1))
                        if end:
                            return end
                if request and request.complete:
                    break
                if not conn.recv():
                    return None
            conn.parsed += request.size
            with self.lock:
                index = len(self.requests)
                self.requests.append(request)
            end = self.reply(Exchange(self, conn, request, index))
            if end:
                return end

    def close(self):
        for sock in [self.listener] + [c.sock for c in self.conns]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def wait(self, condition, timeout=2.0):
        """True once `condition()` holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def wait_closed(self, timeout=2.0):
        """True once the gateway has closed every connection."""
        return self.wait(lambda: all(c.ended_at for c in self.conns), timeout)

    def problem(self):
        """Why what arrived is not acceptable, or None."""
        for conn in list(self.conns):
            if conn.violation:
                return f"upstream got {conn.violation}"
        for request in list(self.heads):
            head = b" ".join(request.start) + b"".join(n + b":" + v for n, v in request.fields)
            if b"SMUGGLED" in head:
                return f"the smuggled request or field arrived: {head[:200]!r}"
        return None


def reset(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()
