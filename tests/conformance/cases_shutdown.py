"""D40: SIGTERM.  Each case runs a gateway of its own."""

import os
import signal
import subprocess
import time

from harness import SHUTDOWN_DELAY, SHUTDOWN_GRACE, Client, Failure, Gateway, short
from upstream import Upstream, answer, echo

READY = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EXIT_WITHIN = SHUTDOWN_DELAY + SHUTDOWN_GRACE + 2.5


def script(exchange):
    """/slow answers after a second, /stream never ends, everything else answers at once."""
    if exchange.request.target.endswith(b"/slow"):
        time.sleep(1)
        exchange.send(answer(b"slow but whole"))
    elif exchange.request.target.endswith(b"/stream"):
        exchange.send(SSE)
        while exchange.send(b"9\r\ndata: x\n\n\r\n", gap=0.1):
            pass
    else:
        echo(exchange)


def with_gateway(body):
    def run(gateway):
        own = Gateway(gateway.binary)
        upstream = Upstream(script)
        try:
            own.wait_ready()
            body(own, upstream, own.add_service(upstream.port))
        finally:
            upstream.close()
            own.stop()
            own.remove()
    return run


def ask(own, service, path):
    client = Client(own)
    client.send(service.fill(b"GET {T}" + path + b" HTTP/1.1\r\n{H}\r\n"))
    return client


def wait_exit(own, seconds):
    deadline = time.monotonic() + seconds
    while own.process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return own.process.poll()


def drain(own, upstream, service):
    """Short requests finish, an endless stream is ended at the limit, readiness changes at once, the exit is clean."""
    probe = Client(own)
    probe.send(READY)
    before = probe.response()
    if not before or before.status != 200:
        raise Failure(f"/readyz before: {before}")
    slow, stream = ask(own, service, b"/slow"), ask(own, service, b"/stream")
    stream.recv(2)
    if not upstream.wait(lambda: len(upstream.requests) == 2):
        raise Failure("the requests did not arrive")
    start = time.monotonic()
    own.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    probe.send(READY)
    ready = probe.response(timeout=1)
    if ready is None or ready.status != 503:
        try:
            with Client(own) as again:   # closing the idle connection is fine as well
                again.send(READY)
                ready = again.response(timeout=1)
        except OSError:
            raise Failure("the listener closed at once and the open connection did not say 503") from None
    if not ready or ready.status != 503:
        raise Failure(f"/readyz after SIGTERM: {ready}")
    response = slow.response(timeout=3)
    if not response or response.body != b"slow but whole":
        raise Failure(f"a request in flight was lost: {response}")
    code = wait_exit(own, EXIT_WITHIN)
    if code != 0:
        raise Failure(f"exit status {code} after {time.monotonic() - start:.1f} s")
    if time.monotonic() - start < 1.0:
        raise Failure("exited before the request in flight was done")
    stream.wait_close(1)
    if not stream.ended:
        raise Failure("the endless stream did not end")
    data = bytes(stream.buffer)
    if data.endswith(b"0\r\n\r\n") and b"error" not in data:
        raise Failure(f"the stream that was ended looks whole: {short(data[-200:])}")


def idle(own, upstream, service):
    client = ask(own, service, b"/x")
    client.response()
    own.process.send_signal(signal.SIGTERM)
    code = wait_exit(own, EXIT_WITHIN)
    if code != 0:
        raise Failure(f"exit status {code} with one idle connection")
    if not client.wait_close(1):
        raise Failure("the idle connection stays open")
    try:
        with Client(own):
            raise Failure("something still listens")
    except OSError:
        pass


def twice(own, upstream, service):
    """A second SIGTERM does not wait for anybody."""
    stream = ask(own, service, b"/stream")
    stream.recv(2)
    own.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    if own.process.poll() is not None:
        raise Failure("the first SIGTERM did not wait for the stream")
    start = time.monotonic()
    own.process.send_signal(signal.SIGTERM)
    if wait_exit(own, 1.0) is None:
        raise Failure("still running 1 s after the second SIGTERM")
    if not stream.wait_close(1) or time.monotonic() - start > 2:
        raise Failure("the stream outlived the process")


def full_pipe():
    """A pipe that nobody reads and that takes nothing any more: the reader of a log stands still."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


def standing_reader(signals):
    """The threads that write logs were joined while they waited in write(2): the process never ended."""
    def run(gateway):
        reader, writer = full_pipe()
        grace = SHUTDOWN_GRACE if signals == 1 else 60
        own = Gateway(gateway.binary, stdout=writer, SHUTDOWN_GRACE=str(grace))
        upstream = Upstream(script)
        try:
            own.wait_ready()
            service = own.add_service(upstream.port)
            for _ in range(50):
                with ask(own, service, b"/x") as client:
                    client.response()
            start = time.monotonic()
            for number in range(signals):
                time.sleep(0.5 if number else 0)
                own.process.send_signal(signal.SIGTERM)
            if wait_exit(own, (grace if signals == 1 else 0.5) + 1) != 0:
                raise Failure(f"exit status {own.process.poll()} after {time.monotonic() - start:.1f} s")
            if b'"event":"access_log_dropped","lines":' not in own.stderr():
                raise Failure(f"nobody tells that lines were dropped: {short(own.stderr()[-500:])}")
        finally:
            os.close(reader)
            os.close(writer)
            upstream.close()
            own.remove()
    return run


def both_readers_stand(gateway):
    """The same with stderr: the application log cannot be written either, nor the line that tells what is lost."""
    reader, writer = full_pipe()
    own = Gateway(gateway.binary)
    try:
        own.wait_ready()
        own.stop()
        process = subprocess.Popen([os.path.abspath(gateway.binary)], cwd=own.directory, env=own.env,
                                   stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
        time.sleep(1.5)   # it is up; there is no way to ask it where
        process.send_signal(signal.SIGTERM)
        try:
            if process.wait(SHUTDOWN_GRACE + 1) != 0:
                raise Failure(f"exit status {process.returncode}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure("still running 1 s after the grace") from None
    finally:
        os.close(reader)
        os.close(writer)
        own.remove()


def cases():
    yield "shutdown/log-reader-stands", standing_reader(1)
    yield "shutdown/log-reader-stands-twice", standing_reader(2)
    yield "shutdown/both-log-readers-stand", both_readers_stand
    yield "shutdown/drain", with_gateway(drain)
    yield "shutdown/idle", with_gateway(idle)
    yield "shutdown/twice", with_gateway(twice)
