"""Servers under test: starting them pinned to a core, reading their figures from /proc, and stopping them surely."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import time

PROXY_CORE = 0
LOAD_CORE = 1

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """Something the benchmark needs did not work; the message says what."""


def raise_file_limit():
    """Raises the soft limit of open files to the hard limit and returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _prepare_child(core):
    def prepare():
        # A benchmark that is killed must not leave servers behind.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, {core})

    return prepare


def spawn(command, core, **options):
    """Popen on one core; the child gets SIGTERM when this process dies."""
    try:
        return subprocess.Popen([str(part) for part in command], preexec_fn=_prepare_child(core), **options)
    except FileNotFoundError as error:
        raise BenchError(f"{command[0]} is not there: build or install it") from error


def stop(process, patience_seconds=10):
    """SIGTERM, then SIGKILL when it does not end in time."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def process_tree(pid):
    """The process and its direct children (nginx: master and workers)."""
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            children += [int(child) for child in file.read().split()]
    return [pid] + children


def _status_kib(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise BenchError(f"no {field} for a process under test")


def resident_kib(pids):
    return sum(_status_kib(pid, "VmRSS") for pid in pids)


def peak_resident_kib(pids):
    return sum(_status_kib(pid, "VmHWM") for pid in pids)


def reset_peak(pids):
    for pid in pids:
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def wait_until(check, what, seconds=20):
    """Polls `check` until it is true; BenchError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)
    raise BenchError(f"gave up waiting: {what}")
