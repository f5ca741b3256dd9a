"""Runs the cases of one file here: each is a function of a Bench, marked @case, whose name, with blanks for '_',
says what must hold.

Ends with "N passed, N failed, N skipped".  AKR_DEPLOY=required, as scripts/test.sh sets it, makes what is not installed a
failure: nothing passes because it tested nothing.
"""

import argparse
import collections
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True   # nothing is left behind in the source tree
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[1:1] = [os.path.join(ROOT, "tests", name) for name in ("conformance", "database")]

from harness import Failure, Skip


CASES = []


def case(function):
    """Marks one; they run in the order of the file."""
    CASES.append(function)
    return function


class Missing(Exception):
    """A program or module that the case needs is not installed."""


class Bench:
    """What cases share: the binary, and a directory of their own that goes away with all that was started in it."""

    def __init__(self, binary):
        self.binary, self.directory, self.cleanups = binary, tempfile.mkdtemp(prefix="akr-test-"), []

    def at_end(self, action):
        self.cleanups.append(action)

    def new_directory(self):
        return tempfile.mkdtemp(dir=self.directory)

    def end_case(self):
        while self.cleanups:
            self.cleanups.pop()()

    def remove(self):
        self.end_case()
        shutil.rmtree(self.directory, ignore_errors=True)


def expect(condition, text):
    if not condition:
        raise Failure(text() if callable(text) else text)


def wait_for(condition, what, seconds=20):
    """What `condition` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise Missing(f"{name} is not installed")
    return found


def run_one(one, bench):
    try:
        one(bench)
        return "passed", ""
    except Missing as missing:
        return ("failed" if os.environ.get("AKR_DEPLOY") == "required" else "skipped"), str(missing)
    except Skip as reason:
        return "skipped", str(reason)
    except Failure as failure:
        return "failed", str(failure)
    except Exception:   # a case that breaks must not hide the others
        return "failed", traceback.format_exc(limit=-3)
    finally:
        bench.end_case()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=os.path.join(ROOT, "build/release/api-key-rotator"))
    parser.add_argument("-k", dest="pattern", default="", help="run only cases whose name matches this expression")
    parser.add_argument("-v", dest="verbose", action="store_true", help="one line per case")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # so that the clean-up below runs
    counts, bench = collections.Counter(), Bench(os.path.abspath(options.binary))
    try:
        for one in CASES:
            name = one.__name__.replace("_", " ")
            if not re.search(options.pattern, name):
                continue
            begin = time.monotonic()
            result, text = run_one(one, bench)
            counts[result] += 1
            if result != "passed" or options.verbose:
                word = "FAILED" if result == "failed" else result
                print(f"{word} {name} {time.monotonic() - begin:.1f}s {text}".rstrip(), flush=True)
    finally:
        bench.remove()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0
