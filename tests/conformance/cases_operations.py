"""A second gateway, files that may not grow, a database that is gone.  Each case runs gateways of its own."""

import os
import signal
import time

from harness import Client, Failure, Gateway, short
from upstream import Upstream, echo

READY = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"


def alone(body, **options):
    def run(gateway):
        own = Gateway(gateway.binary, **options)
        try:
            own.wait_ready()
            body(own)
        finally:
            own.stop()
            own.remove()
    return run


def expect_refused(first, settings, named):
    second = Gateway(first.binary, settings=settings)
    try:
        code = second.process.wait(15)
        lines = [line for line in second.stderr().splitlines() if not line.startswith(b"{")]
        if code != 78 or len(lines) != 1 or named not in lines[0]:
            raise Failure(f"exit status {code}, want 78 and one line with {named!r}: {short(second.stderr(), 1000)}")
    finally:
        second.remove()


def same_data(own):
    expect_refused(own, {"DATA_DIR": own.env["DATA_DIR"]}, b"DATA_DIR")
    expect_refused(own, {"DATABASE_PATH": own.env["DATABASE_PATH"]}, b"DATABASE_PATH")
    if own.admin("GET", "/admin/proxy-configs")[0] != 200:
        raise Failure("the first gateway was disturbed")


def same_port(own):
    for address in ("::", "0.0.0.0", "127.0.0.1"):
        expect_refused(own, {"BACKEND_PORT": str(own.port), "LISTEN_ADDRESS": address}, b"BACKEND_PORT")


def killed(own):
    """Its lock and its port are free again at once, also with connections of it left behind."""
    client = Client(own)
    client.send(READY)
    client.response()
    own.process.send_signal(signal.SIGKILL)
    own.process.wait()
    second = Gateway(own.binary, settings={"DATA_DIR": own.env["DATA_DIR"], "BACKEND_PORT": str(own.port),
                                           "DATABASE_PATH": own.env["DATABASE_PATH"]})
    try:
        second.wait_ready()
    finally:
        second.stop()
        second.remove()


def readiness(own):
    with Client(own) as client:
        client.send(READY)
        answer = client.response()
        return (answer.status, answer.body) if answer else (0, b"")


def wait_for(own, status, word, seconds=4):
    deadline = time.monotonic() + seconds
    while readiness(own)[0] != status or word not in readiness(own)[1]:
        if time.monotonic() > deadline:
            raise Failure(f"/readyz is {readiness(own)}, want {status} with {word!r}")
        time.sleep(0.05)


def small_files(own):
    """RLIMIT_FSIZE killed the process; what cannot be written is refused, as on a full disk."""
    upstream = Upstream(lambda exchange: echo(exchange))
    try:
        service = own.add_service(upstream.port)
        path = f"/admin/proxy-configs/{service.id}/keys/batch"
        status, body = own.admin("POST", path, {"keys": [f"canary-big-key-{n}-0123456789abcdef" for n in range(20000)]})
        if status != 503 or "RLIMIT_FSIZE" not in str(body):
            raise Failure(f"a batch that has no room gave {status} {body}")
        with Client(own) as client:
            size = 6 << 20   # over 1 MiB it is kept in a file
            client.send(service.fill(b"POST {T}/x HTTP/1.1\r\n{H}Content-Length: %d\r\n\r\n" % size))
            client.send(b"x" * size)
            answer = client.response()
            if not answer or answer.status != 503 or b"TMPDIR" not in answer.body:
                raise Failure(f"a body that cannot be kept gave {answer}")
        with Client(own) as client:
            client.send(service.fill(b"GET {T}/y HTTP/1.1\r\n{H}\r\n"))
            answer = client.response()
            if not answer or answer.status != 200:
                raise Failure(f"an ordinary request gave {answer}")
        if own.process.poll() is not None:
            raise Failure(f"the process ended with {own.process.returncode}")
    finally:
        upstream.close()


def database_gone(own):
    """Writes were acknowledged into a file without a name, and lost at the next start."""
    upstream = Upstream(lambda exchange: echo(exchange))
    try:
        service = own.add_service(upstream.port)
        path = own.env["DATABASE_PATH"]
        os.rename(path, path + ".aside")
        status, body = own.admin("DELETE", f"/admin/proxy-configs/{service.id}/keys")
        if status != 503 or "deleted or replaced" not in str(body):
            raise Failure(f"a write without a database gave {status} {body}")
        wait_for(own, 503, b'"database":"lost"')
        with Client(own) as client:
            client.send(service.fill(b"GET {T}/y HTTP/1.1\r\n{H}\r\n"))
            answer = client.response()
            if not answer or answer.status != 200:
                raise Failure(f"proxying stopped: {answer}")
        told = own.stderr().count(b"deleted or replaced")
        if told != 1:
            raise Failure(f"told {told} times: {short(own.stderr(), 2000)}")
        os.rename(path + ".aside", path)
        wait_for(own, 200, b'"database":"ok"')
        if own.admin("DELETE", f"/admin/proxy-configs/{service.id}/keys")[0] not in (200, 204):
            raise Failure("a write after the file is back was refused")
    finally:
        upstream.close()


def cases():
    yield "operations/second-on-the-same-data", alone(same_data)
    yield "operations/second-on-the-same-port", alone(same_port)
    yield "operations/start-after-kill-9", alone(killed)
    yield "operations/small-files", alone(small_files, file_size=2 << 20)
    yield "operations/database-gone", alone(database_gone)
