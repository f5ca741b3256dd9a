#!/usr/bin/env python3
"""What strangers and large imports cost a gateway, as a table: peak and lasting resident memory, and import times.

    bench/strangers.py [--logins 1500] [--big 100000] BINARY...

Run it for the binary of before and of after; each measurement has a gateway of its own."""

import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "conformance"))

import harness
import strangers
from harness import Failure, Gateway
from upstream import Upstream, echo


# The suite's own gateways are impatient; these have the defaults.
harness.MAX_BODY = 32 << 20
harness.HEAD_TIMEOUT = harness.BODY_TIMEOUT = 30


def measured(binary, act):
    """(what act told, MiB before, peak, 10 s later, MiB in temporary files)"""
    gateway = Gateway(binary)
    upstream = Upstream(echo)
    try:
        gateway.wait_ready()
        before = gateway.rss_kib()
        with strangers.MemoryWatch(gateway) as watch:
            told = act(gateway, upstream)
            watch.look()
        time.sleep(10)
        return told, before // 1024, watch.peak_kib // 1024, gateway.rss_kib() // 1024, watch.file_bytes >> 20
    finally:
        upstream.close()
        gateway.stop()
        gateway.remove()


def zeros(gateway, upstream):
    service = gateway.add_service(upstream.port, keys=0)
    status, size, _, seconds = strangers.batch(gateway, service, '{"keys":[' + "0," * ((4 << 20) - 1) + "0]}")
    return f"{status}, answer {size / 1e6:.1f} MB, {seconds:.1f} s"


def body_keys(gateway, upstream):
    service = gateway.add_service(upstream.port, llm=True, accept_body_key=True)
    return strangers.body_keys(gateway.port, service, 40, 31 << 20)


def import_times(binary, big):
    """Medians of five imports of 1,000 keys into pools that begin empty, and into one of `big` keys."""
    gateway = Gateway(binary)
    upstream = Upstream(echo)
    try:
        gateway.wait_ready()
        empty = [strangers.import_keys(gateway, gateway.add_service(upstream.port, keys=0), 1000, f"e{n}") for n in range(5)]
        service = gateway.add_service(upstream.port, keys=0)
        whole = strangers.import_keys(gateway, service, big, "big")
        full = [strangers.import_keys(gateway, service, 1000, f"f{n}") for n in range(5)]
        return sorted(empty)[2], sorted(full)[2], whole
    finally:
        upstream.close()
        gateway.stop()
        gateway.remove()


def report(binary, options):
    print(f"\n{binary}\n{'':34}{'before':>8}{'peak':>8}{'10 s on':>8}{'files':>8}   MiB")
    rows = [(f"{options.logins} logins of 1 MiB", lambda g, _: strangers.logins(g.port, options.logins, 1 << 20)),
            ("40 bodies of 31 MiB, accept_body_key", body_keys),
            ("600 heads of 60 kB", lambda g, _: strangers.unfinished_heads(g.port, 600, 60_000)),
            ("batch of 4,194,304 zeros (8 MiB)", zeros)]
    for name, act in rows:
        if options.k not in name:
            continue
        told, before, peak, after, files = measured(binary, act)
        print(f"{name:36}{before:6}{peak:8}{after:8}{files:8}   {told}", flush=True)
    if options.k:
        return
    empty, full, whole = import_times(binary, options.big)
    print(f"1,000 keys into an empty pool {empty * 1000:.0f} ms, into one of {options.big} {full * 1000:.0f} ms "
          f"({full / empty:.2f} x); the {options.big} themselves {whole:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+")
    parser.add_argument("--logins", type=int, default=1500)
    parser.add_argument("--big", type=int, default=100_000)
    parser.add_argument("-k", default="", help="only the rows whose name contains this; no import times then")
    options = parser.parse_args()
    try:
        for binary in options.binaries:
            report(binary, options)
    except Failure as failure:
        sys.exit(f"strangers: {failure}")
    finally:
        Gateway.remove_all()


if __name__ == "__main__":
    main()
