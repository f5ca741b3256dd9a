"""What strangers may send and an administrator may import, and what it costs the gateway: shared with bench/strangers.py."""

import http.client
import json
import os
import socket
import threading
import time

from harness import ACCESS_KEY


class MemoryWatch:
    """The highest resident size and the most bytes in unlinked temporary files while it runs."""

    def __init__(self, gateway):
        self.gateway, self.peak_kib, self.file_bytes = gateway, 0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.05):
            self.look()

    def look(self):
        self.peak_kib = max(self.peak_kib, self.gateway.rss_kib())
        self.file_bytes = max(self.file_bytes, temporary_bytes(self.gateway.process.pid))


def temporary_bytes(pid):
    """Bytes in files that the process holds open and that have no name."""
    total = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        try:
            if "(deleted)" in os.readlink(path):
                total += os.stat(path).st_size
        except OSError:
            continue
    return total


def send_what_goes(sock, data):
    """Sends until the other side has had enough; how many bytes it took."""
    sent = 0
    try:
        while sent < len(data):
            sent += sock.send(data[sent:sent + 262144])
    except OSError:
        pass
    return sent


def crowd(port, count, head, body, hold=1.0, workers=100):
    """`count` connections at the same time that send `head` and then as much of `body` as is taken, all but its last
    byte.  Returns the answers' statuses that came within `hold` seconds after the last one had sent, by count."""
    sockets, lock = [], threading.Lock()
    numbers = iter(range(count))

    def run():
        while True:
            with lock:
                if next(numbers, None) is None:
                    return
            try:
                sock = socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError:
                continue
            with lock:
                sockets.append(sock)
            sock.settimeout(2)
            if send_what_goes(sock, head):
                send_what_goes(sock, body[:-1])

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(workers, count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(hold)
    statuses = {}
    for sock in sockets:
        sock.settimeout(0.01)
        try:
            line = sock.recv(4096)[9:12].decode() or "closed"
        except TimeoutError:
            line = "none"
        except OSError:
            line = "reset"
        statuses[line] = statuses.get(line, 0) + 1
        sock.close()
    return statuses


def logins(port, count, size):
    body = b'{"username":"' + b"a" * (size - 32) + b'","password":"b"}'
    head = (b"POST /admin/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    return crowd(port, count, head, body)


def known_bodies(gateway, count, size):
    head = (b"POST /admin/proxy-configs HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (gateway._token.encode(), size))
    return crowd(gateway.port, count, head, b" " * size)


def body_keys(port, service, count, size):
    body = b'{"model":"' + b"a" * (size - 100) + b'","api_key":"' + ACCESS_KEY + b'"}'
    head = service.prefix + b"/v1/chat/completions"
    head = b"POST " + head + b" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return crowd(port, count, head, body)


def unfinished_heads(port, count, size):
    return crowd(port, count, b"GET / HTTP/1.1\r\nHost: h\r\nX-A: ", b"a" * size)


def batch(gateway, service, body, timeout=120):
    """(status, size of the answer, its JSON, seconds)"""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=timeout)
    connection.request("POST", f"/admin/proxy-configs/{service.id}/keys/batch", body,
                       {"Content-Type": "application/json", "Authorization": f"Bearer {gateway._token}"})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, len(data), json.loads(data), time.monotonic() - began


def import_keys(gateway, service, count, name):
    keys = [f"sk-{name}-{number:08d}-0123456789abcdef" for number in range(count)]
    status, _, report, seconds = batch(gateway, service, json.dumps({"keys": keys}))
    if status != 200 or report["success_count"] != count:
        raise RuntimeError(f"import: {status} {report}")
    return seconds
