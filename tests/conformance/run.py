#!/usr/bin/env python3
"""Black-box HTTP/1.1 conformance, smuggling and fault suite.

    python3 tests/conformance/run.py [--binary build/release/api-key-rotator] [-k pattern] [-j N] [-l] [-v]

Starts the gateway on a free port with a temporary directory, runs every case against it with scripted upstreams, and
ends with the line "N passed, N failed, N skipped".  Needs no network.  Every case is independent of all others: -k runs any subset.
"""

import argparse
import collections
import importlib
import os
import queue
import re
import signal
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True   # nothing is left behind in the source tree

from harness import Failure, Gateway, Skip

# The order matters little: long cases are started first so that they overlap with the many short ones.
MODULES = ["cases_timeouts", "cases_shutdown", "cases_places", "cases_streaming", "cases_request_line", "cases_content_length",
           "cases_transfer_encoding", "cases_chunked", "cases_fields", "cases_connection", "cases_paths", "cases_valid",
           "cases_auth", "cases_strangers", "cases_egress", "cases_errors", "cases_upstream_framing", "cases_upstream_head",
           "cases_upstream_status", "cases_upstream_faults", "cases_operations", "cases_sweep"]
# One after the other, when the others are through: they measure time.
ALONE = ["cases_fairness"]
Case = collections.namedtuple("Case", "name run")


def collect(pattern):
    """The cases that may run together, and those that may not."""
    def of(modules):
        return [Case(name, run) for module in modules for name, run in importlib.import_module(module).cases()]

    together, alone = of(MODULES), of(ALONE)
    names = [case.name for case in together + alone]
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if twice:
        sys.exit(f"case names used twice: {twice}")
    return tuple([case for case in cases if re.search(pattern, case.name)] for cases in (together, alone))


def run_one(case, gateway):
    """("passed"|"failed"|"skipped", text)"""
    try:
        case.run(gateway)
        return "passed", ""
    except Skip as reason:
        return "skipped", str(reason)
    except Failure as failure:
        return "failed", str(failure)
    except Exception:
        return "failed", "error in the suite: " + traceback.format_exc().replace("\n", " | ")


def run_all(cases, gateway, jobs, verbose):
    todo = queue.Queue()
    for case in cases:
        todo.put(case)
    counts = collections.Counter()
    lock = threading.Lock()

    def worker():
        while True:
            try:
                case = todo.get_nowait()
            except queue.Empty:
                return
            start = time.monotonic()
            result, text = run_one(case, gateway)
            with lock:
                counts[result] += 1
                if result == "failed":
                    print(f"FAILED {case.name}: {text}", flush=True)
                elif verbose:
                    print(f"{result} {case.name} {time.monotonic() - start:.2f}s {text}", flush=True)

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


def final_checks(gateway, idle_fds):
    """What must still hold after all cases.  Yields (name, problem or None)."""
    alive = gateway.process.poll() is None
    yield "final/alive", None if alive else f"the gateway exited with {gateway.process.returncode}"
    if alive:
        deadline = time.monotonic() + 4
        while gateway.fds() > idle_fds + 40 and time.monotonic() < deadline:
            time.sleep(0.1)
        fds = gateway.fds()
        yield "final/descriptors", None if fds <= idle_fds + 40 else f"{idle_fds} before, {fds} after"
    status = gateway.stop()
    yield "final/exit-status", None if status == 0 else f"exit status {status} after SIGTERM"
    logs = gateway.stdout() + gateway.stderr()
    leaks = set(re.findall(rb"conf-access-key-\d+|canary-[a-z0-9-]+-0123456789abcdef", logs))
    yield "final/no-secret-in-logs", f"found {sorted(leaks)[:5]}" if leaks else None
    torn = [line for line in gateway.stdout().splitlines() if not (line.startswith(b"{") and line.endswith(b"}"))]
    yield "final/access-log-is-json-lines", f"{len(torn)} other lines, first {torn[0][:200]!r}" if torn else None
    report = re.search(rb"[^\n]*(AddressSanitizer|ThreadSanitizer|runtime error:|LeakSanitizer)[^\n]*", logs)
    yield "final/no-sanitizer-report", f"{report[0][:300]!r}" if report else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/release/api-key-rotator")
    parser.add_argument("-k", dest="pattern", default="", help="run only cases whose name matches this expression")
    parser.add_argument("-j", dest="jobs", type=int, default=24, help="cases at a time")
    parser.add_argument("-l", dest="list", action="store_true", help="list the cases")
    parser.add_argument("-v", dest="verbose", action="store_true", help="one line per case")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # so that the clean-up below runs
    together, alone = collect(options.pattern)
    if options.list:
        print("\n".join(case.name for case in together + alone))
        return 0
    counts = collections.Counter()
    try:
        if not os.access(options.binary, os.X_OK):
            raise Failure(f"no executable at {options.binary}")
        gateway = Gateway(options.binary)
        gateway.wait_ready()
        idle_fds = gateway.fds()
        counts = run_all(together, gateway, options.jobs, options.verbose)
        counts += run_all(alone, gateway, 1, options.verbose)
        for name, problem in final_checks(gateway, idle_fds):
            counts["failed" if problem else "passed"] += 1
            if problem:
                print(f"FAILED {name}: {problem}")
    except Failure as failure:
        counts["failed"] += 1
        print(f"FAILED start: {failure}")
    finally:
        Gateway.remove_all()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
