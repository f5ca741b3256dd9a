#!/usr/bin/env python3
"""What others wait while one peer is hostile, on one worker.  Started by fairness.sh; bench/README.md explains it."""

import argparse
import pathlib
import re
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/conformance"))

import fairness  # noqa: E402
from harness import Gateway  # noqa: E402

TARGET_MS = 50


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/api-key-rotator"))
    parser.add_argument("-k", dest="pattern", default="", help="only scenarios whose name matches this expression")
    parser.add_argument("--seconds", type=float, default=8.0, help="of load per scenario (default 8)")
    parser.add_argument("--rate", type=float, default=100, help="requests per second of the others (default 100)")
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    missed = False
    print(f"| {'hostile peer':<26} | {'p50 ms':>8} | {'p99 ms':>8} | {'max ms':>8} |\n|{'-' * 28}|{('-' * 9 + ':|') * 3}")
    try:
        for name, hostile in fairness.SCENARIOS.items():
            if not re.search(options.pattern, name):
                continue
            gateway = Gateway(options.binary, fairness.SETTINGS)
            gateway.wait_ready()
            result = fairness.measure(gateway, hostile, options.seconds, options.rate)
            gateway.remove()
            missed |= result["p99"] >= TARGET_MS
            print(f"| {name:<26} | {result['p50']:>8.1f} | {result['p99']:>8.1f} | {result['max']:>8.1f} |", flush=True)
    finally:
        Gateway.remove_all()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
