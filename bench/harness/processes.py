"""Servers under test: starting them pinned to a core, reading their figures from /proc, and stopping them surely."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
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


def end_cleanly_on_signals():
    """Makes SIGTERM and SIGINT unwind the stack, so that servers are stopped and the temporary folder is removed."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))


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
    """SIGTERM, then SIGKILL when it does not end in time.  False if it had to be killed."""
    if process.poll() is not None:
        return True
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


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


def _busy_seconds():
    """Processor time of the whole machine that was not idle, stolen time included."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class OtherWork:
    """What else kept the machine busy: the honest footnote to figures from a shared machine.

    REQUIRES: every process of ours has ended when share() is called, except `lasting`.
    """

    def __init__(self, lasting):
        self._lasting = lasting
        self._started = time.monotonic()
        self._busy, self._own = _busy_seconds(), self._own_seconds()

    def share(self):
        """Processor time of others since the start, as a share of all cores."""
        others = (_busy_seconds() - self._busy) - (self._own_seconds() - self._own)
        return max(0.0, others / ((time.monotonic() - self._started) * os.cpu_count()))

    def _own_seconds(self):
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in used) + _cpu_seconds(self._lasting)


def wait_until(check, what, seconds=20):
    """Polls `check` until it is true; BenchError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)
    raise BenchError(f"gave up waiting: {what}")
