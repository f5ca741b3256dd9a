#!/usr/bin/env python3
"""What a database server's faults cost the gateway, its clients and its administrators.

    python3 tests/database/faults.py --binary build/release/api-key-rotator --server mariadb|postgresql [--seconds 8] [-k pattern]

During each fault 50 requests a second go through the gateway and two administrators add keys.  Prints one line per fault
and exits with 1 if a proxied request failed, a key that was acknowledged is missing or there twice, an administrator
waited longer than DB_TIMEOUT + 1 s or got something other than success and 503, or was refused 10 s after the fault ended.
"""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True   # nothing is left behind in the source tree
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))

from harness import Failure, Gateway, Skip
from rig import DEADLINE, Rig
from server_files import KINDS, MARIADB, NoServer
from servers import Server
from taken import FEW_SESSIONS, AllTaken

RECOVERY = 10.0


# -- the faults: each takes about `seconds` and leaves the server as it was -----------------------------------------

def away(rig, seconds):
    rig.server.stop()
    time.sleep(seconds)
    rig.server.start()


def restarted(rig, seconds):
    """In order, and by a crash."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for end in (rig.server.stop, rig.server.kill):
            end()
            rig.server.start()
            time.sleep(1)


def paused(rig, seconds):
    rig.server.pause()
    time.sleep(seconds)
    rig.server.resume()


def slow(rig, seconds):
    rig.relay.set_delay(2)
    time.sleep(seconds)
    rig.relay.set_delay(0)


def no_sessions_left(rig, seconds):
    deadline = time.monotonic() + seconds
    with AllTaken(rig.server) as taken:
        while time.monotonic() < deadline:
            taken.hold(1)
            time.sleep(0.2)


def sessions_killed(rig, seconds):
    for _ in range(int(seconds)):
        rig.server.end_sessions()
        time.sleep(1)


def disk_full(rig, seconds):
    deadline = time.monotonic() + seconds
    filler = os.path.join(rig.server.directory, "filler")
    with open(filler, "wb", buffering=0) as out:
        with contextlib.suppress(OSError):
            while True:
                out.write(bytes(4096))
    refused = number = 0
    while time.monotonic() < deadline:   # what the server had set aside is used up
        number += 1
        keys = [f"canary-batch-{number}-{at}-0123456789abcdef" for at in range(2000)]
        refused += rig.write(f"batch {number}", rig.keys_path + "/batch", {"keys": keys}) == 503
        if refused:
            time.sleep(0.2)
    os.remove(filler)
    rig.server.start_if_it_ended()
    if not refused:
        raise Failure(f"the disk did not become full: {number} batches fitted")


def read_only(rig, seconds):
    is_mysql = rig.server.kind == MARIADB

    def switch(on):
        rig.server.sql(f"SET GLOBAL read_only = {int(on)}" if is_mysql else
                       f"ALTER DATABASE {rig.database} SET default_transaction_read_only = {'on' if on else 'off'}")
    switch(True)
    rig.server.end_sessions()   # PostgreSQL's setting is of new sessions only
    time.sleep(seconds)
    switch(False)


@contextlib.contextmanager
def small_disk():
    """A file system of our own, so that nobody else's is filled."""
    with tempfile.TemporaryDirectory(prefix="akr-test-") as directory:
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=200m", "akr-test", directory],
                                               capture_output=True).returncode:
            raise Skip("a disk of its own needs root")
        try:
            yield directory
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


FAULTS = [away, restarted, paused, slow, no_sessions_left, sessions_killed, disk_full, read_only]


# -- one of them ---------------------------------------------------------------------------------------------------

def problems_of(row):
    """Why that is not what was promised."""
    if row["failed"]:
        yield f"proxied requests failed: {dict(row['failures'])}"
    if row["sent"] < 10:
        yield "hardly a request was sent"
    if row["other"]:
        yield f"administrators got {dict(row['others'])}"
    if row["slowest"] > DEADLINE + 1:
        yield f"an administrator waited {row['slowest']:.1f} s"
    if row["recovery"] is None or row["recovery"] > RECOVERY:
        yield "changes do not work again"
    if row["lost"] or row["twice"]:
        yield "what was acknowledged is not there once"


def measure(rig, fault, seconds):
    rig.recovery(time.monotonic())   # it works before
    fault(rig, seconds)
    recovery = rig.recovery(time.monotonic())
    time.sleep(1)   # and goes on working
    rig.end()
    states = [write.status for write in rig.writes]
    others = {status: states.count(status) for status in set(states) - {200, 201, 503}}
    lost, twice = rig.lost_and_twice()
    return {"sent": rig.sent, "failed": rig.failed, "failures": rig.failures, "ok": sum(s in (200, 201) for s in states),
            "503": states.count(503), "other": sum(others.values()), "others": others,
            "slowest": max(write.seconds for write in rig.writes), "recovery": recovery, "lost": lost, "twice": twice,
            "words": ",".join(sorted(rig.words))}


def run_fault(binary, kind, fault, seconds):
    with contextlib.ExitStack() as stack:
        options = {"settings": [FEW_SESSIONS[kind]]}
        if fault is disk_full:
            options["directory"] = stack.enter_context(small_disk())
        rig = Rig(binary, kind, through_relay=fault is slow, **options)
        stack.callback(rig.remove)
        return measure(rig, fault, seconds)


COLUMNS = "{:<12}{:<18}{:>9}{:>8}{:>7}{:>6}{:>7}{:>9}{:>10}{:>6}{:>7}  {}"


def show(kind, name, row):
    recovery = "never" if row["recovery"] is None else f"{row['recovery']:.1f} s"
    print(COLUMNS.format(kind, name, row["sent"], row["failed"], row["ok"], row["503"], row["other"], f"{row['slowest']:.1f} s",
                         recovery, row["lost"], row["twice"], row["words"]), flush=True)


def run_all(binary, kind, seconds, pattern):
    """Returns how many were not as promised."""
    bad = 0
    print(COLUMNS.format("server", "fault", "proxied", "failed", "done", "503", "other", "slowest", "recovery", "lost", "twice", "ready"),
          flush=True)
    for fault in FAULTS:
        name = fault.__name__.replace("_", "-")
        if not re.search(pattern, name):
            continue
        try:
            row = run_fault(binary, kind, fault, seconds)
        except Skip as reason:
            print(f"skipped {kind} {name}: {reason}", flush=True)
            continue
        except Failure as failure:
            print(f"FAILED {kind} {name}: {failure}", flush=True)
            bad += 1
            continue
        show(kind, name, row)
        for problem in problems_of(row):
            print(f"FAILED {kind} {name}: {problem}", flush=True)
            bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/release/api-key-rotator")
    parser.add_argument("--server", choices=KINDS, required=True)
    parser.add_argument("--seconds", type=float, default=8, help="how long each fault lasts")
    parser.add_argument("-k", dest="pattern", default="", help="only faults whose name matches this expression")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # so that the clean-up below runs
    try:
        return 1 if run_all(os.path.abspath(options.binary), options.server, options.seconds, options.pattern) else 0
    except NoServer as missing:
        print(f"skipped {options.server}: {missing}")
        return os.environ.get("AKR_DATABASES") == "required"
    finally:
        Gateway.remove_all()
        Server.remove_all()


if __name__ == "__main__":
    sys.exit(main())
