"""How long others wait while one peer is hostile: the peers, the well-behaved client, and the measurement.

Used by cases_fairness.py (does it hold?) and bench/fairness.py (the table).  Every peer is a process of its own, so
that none of them waits for another's interpreter:

    fairness.py ROLE [ARGUMENT...]      prints its port (upstreams) or one line of JSON (the others), dies with stdin
"""

import contextlib
import gzip
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
import time

HEAD = "Host: gateway.test\r\nX-Proxy-Key: conf-access-key-0001\r\n"
PIPELINED = 0.7e6        # bytes per connection
BLOCK = 256 * 1024
PATIENCE = 6             # seconds that the others wait for answers behind the time of load


# -- roles ---------------------------------------------------------------------------------------------------------


def connect(port):
    sock = socket.create_connection(("127.0.0.1", int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_head(sock, data=b""):
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            return None, b""
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def length_of(head):
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def read_message(sock, rest=b""):
    """Head and what was read behind the message; the body is thrown away."""
    head, rest = read_head(sock, rest)
    if head is None:
        return None, b""
    left = length_of(head) - len(rest)
    while left > 0:
        chunk = sock.recv(min(left, 1 << 20))
        if not chunk:
            return None, b""
        left -= len(chunk)
    return head, b"" if left >= 0 else rest[left:]


def serve(handle):
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=quietly, args=(handle, sock), daemon=True).start()


def quietly(function, *arguments):
    with contextlib.suppress(OSError):
        function(*arguments)


def polite_upstream():
    def handle(sock):
        head, rest = read_message(sock)
        while head is not None:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            head, rest = read_message(sock, rest)
    serve(handle)


def interim_upstream():
    """Answers with 1xx for ever."""
    block = b"HTTP/1.1 102 Processing\r\n\r\n" * (BLOCK // 27)

    def handle(sock):
        while read_message(sock)[0] is not None:
            while True:
                sock.sendall(block)
    serve(handle)


def websocket_upstream():
    def handle(sock):
        read_head(sock)
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        talk(sock)
    serve(handle)


def talk(sock):
    """Sends and receives as fast as it can."""
    reader = threading.Thread(target=quietly, args=(swallow, sock), daemon=True)
    reader.start()
    block = b"w" * BLOCK
    while True:
        sock.sendall(block)


def swallow(sock):
    buffer = bytearray(1 << 20)
    while sock.recv_into(buffer):
        pass


def forever(attack):
    """As many threads as wanted would share one interpreter: one after the other is enough."""
    while True:
        try:
            attack()
        except OSError:
            time.sleep(0.001)


def websocket_client(port, path):
    def attack():
        sock = connect(port)
        sock.sendall(f"GET {path}/ws HTTP/1.1\r\n{HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        read_head(sock)
        talk(sock)
    forever(attack)


def get_client(port, path):
    def attack():
        with connect(port) as sock:
            while read_message(sock_send(sock, f"GET {path}/x HTTP/1.1\r\n{HEAD}\r\n".encode()))[0] is not None:
                pass
    forever(attack)


def sock_send(sock, data):
    sock.sendall(data)
    return sock


def chunk_client(port, path, extension):
    """One body of tiny chunks without an end; when it is refused, the next."""
    ext = ";" + "e" * (int(extension) - 1) if int(extension) else ""
    chunk = f"1{ext}\r\nx\r\n".encode()
    block = chunk * (BLOCK // len(chunk))
    head = f"POST {path} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()

    def attack():
        with connect(port) as sock:
            sock.sendall(head)
            while True:
                sock.sendall(block)
    forever(attack)


def upload_client(port, path, size):
    def attack():
        with connect(port) as sock:
            sock.sendall(f"POST {path}/x HTTP/1.1\r\n{HEAD}Content-Length: {size}\r\n\r\n".encode())
            block = b"u" * (1 << 20)
            for _ in range(int(size) >> 20):
                sock.sendall(block)
            read_message(sock)
    forever(attack)


def packed_client(port, path, connections):
    """Bodies of nested codings that unpack to the limit, on many connections; each leaves before its answer."""
    text = b'{"model":"m","input":[{' + b'"id":"9",' * (4 << 20 >> 3) + b'"x":1}]}'
    body = gzip.compress(gzip.compress(text, 9), 9)
    head = (f"POST {path}/responses HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
            f"Content-Encoding: gzip, gzip\r\nContent-Length: {len(body)}\r\n\r\n").encode()

    def attack():
        socks = [sock_send(connect(port), head + body) for _ in range(int(connections))]
        time.sleep(0.05)
        for sock in socks:
            sock.close()
    forever(attack)


def pipeline_client(port, connections):
    """HEAD /metrics without a key, thousands in one breath; answers are read as they come."""
    request = b"HEAD /metrics HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
    block = request * int(PIPELINED / len(request))
    selector = selectors.DefaultSelector()
    for _ in range(int(connections)):
        sock = connect(port)
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, [0])
    buffer = bytearray(1 << 20)
    while True:
        for key, events in selector.select():
            with contextlib.suppress(BlockingIOError):
                if events & selectors.EVENT_READ:
                    key.fileobj.recv_into(buffer)
                if events & selectors.EVENT_WRITE:
                    key.data[0] = (key.data[0] + key.fileobj.send(memoryview(block)[key.data[0]:])) % len(block)


def others(port, path, seconds, rate):
    """Well-behaved: keep-alive requests at a fixed rate, each timed from when it should have left.  A stall of the
    loop is met by all that should have left meanwhile; those that got no answer count as what they waited."""
    request = f"GET {path}/x HTTP/1.1\r\n{HEAD}\r\n".encode()
    took, failed = [], 0
    start = time.monotonic()
    end = start + float(seconds) + PATIENCE
    sock = connect(port)
    for number in range(int(float(seconds) * float(rate))):
        due = start + number / float(rate)
        time.sleep(max(0.0, due - time.monotonic()))
        sock.settimeout(max(0.001, end - time.monotonic()))
        try:
            if time.monotonic() < end:
                head, _ = read_message(sock_send(sock, request))
                failed += head is None or b" 200 " not in head
        except TimeoutError:
            pass
        took.append(time.monotonic() - due)
    print(json.dumps({"milliseconds": sorted(t * 1000 for t in took), "failed": failed}), flush=True)


ROLES = {f.__name__: f for f in (polite_upstream, interim_upstream, websocket_upstream, websocket_client, get_client,
                                 chunk_client, upload_client, packed_client, pipeline_client, others)}


def main():
    def end_with_parent():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    role = sys.argv[1]
    if role.endswith("client") or role in ("interim_upstream", "websocket_upstream"):
        os.nice(5)   # it is the gateway's fairness that is measured, not the scheduler's
    ROLES[role](*sys.argv[2:])


# -- the measurement -----------------------------------------------------------------------------------------------


class Peers:
    """The processes of one measurement."""

    def __init__(self):
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    def start(self, role, *arguments):
        process = subprocess.Popen([sys.executable, os.path.abspath(__file__), role, *map(str, arguments)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def upstream(self, role):
        return int(self.start(role).stdout.readline())


def quantiles(milliseconds):
    at = lambda share: milliseconds[min(len(milliseconds) - 1, int(len(milliseconds) * share))]
    return {"p50": at(0.5), "p99": at(0.99), "max": milliseconds[-1], "count": len(milliseconds)}


def measure(gateway, hostile=None, seconds=4.0, rate=100):
    """p50, p99 and max (ms) of the others while `hostile(gateway, peers)` runs; None = nobody is hostile."""
    with Peers() as peers:
        service = gateway.add_service(peers.upstream("polite_upstream"))
        if hostile:
            hostile(gateway, peers)
            time.sleep(0.3)
        line = peers.start("others", gateway.port, service.prefix.decode(), seconds, rate).stdout.readline()
        result = json.loads(line or "{}")
        if not result or result["failed"]:
            return {"p50": float("inf"), "p99": float("inf"), "max": float("inf"), "count": 0, "failed": result}
        return quantiles(result["milliseconds"])


def against(upstream, client, *arguments):
    """A hostile client of a service with an upstream of its own."""
    def start(gateway, peers):
        service = gateway.add_service(peers.upstream(upstream), first_byte_timeout_ms=2000)
        peers.start(client, gateway.port, service.prefix.decode(), *arguments)
    return start


def unpacking(connections):
    def start(gateway, peers):
        service = gateway.add_service(peers.upstream("polite_upstream"), keys=2, llm=True)
        peers.start("packed_client", gateway.port, service.prefix.decode(), connections)
    return start


def chunks(extension, path=None):
    def start(gateway, peers):
        target = path or gateway.add_service(peers.upstream("polite_upstream")).prefix.decode() + "/x"
        peers.start("chunk_client", gateway.port, target, extension)
    return start


def pipelining(connections):
    return lambda gateway, peers: peers.start("pipeline_client", gateway.port, connections)


# name -> who is hostile.  The numbers are those of the faults that were found.
SCENARIOS = {
    "nobody": None,
    "5-pipelining-10": pipelining(10),
    "5-pipelining-60": pipelining(60),
    "6-chunk-extensions": chunks(250),
    "6-chunk-extensions-login": chunks(250, "/admin/login"),
    "6-tiny-chunks": chunks(0),
    "7-websocket": against("websocket_upstream", "websocket_client"),
    "8-interim-answers": against("interim_upstream", "get_client"),
    "9-upload": against("polite_upstream", "upload_client", 1 << 30),
    "10-packed-bodies": unpacking(20),
}
# A whole upload fits, and byte-wise chunks run into no limit before they have stopped somebody.
SETTINGS = {"WORKERS": "1", "MAX_BODY_SIZE": str(2 << 30), "BODY_TIMEOUT": "30", "HEAD_TIMEOUT": "30"}


if __name__ == "__main__":
    main()
