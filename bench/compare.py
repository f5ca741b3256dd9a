#!/usr/bin/env python3
"""Compares the gateway with nginx, HAProxy and a byte relay.  Started by compare.sh, which builds the tools."""

import argparse
import contextlib
import datetime
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

from harness import measure, report
from harness.gateway import Gateway
from harness.haproxy import MOST_CLIENTS, Haproxy
from harness.load import Tools
from harness.nginx import Nginx
from harness.processes import LOAD_CORE, BenchError, OtherWork, end_cleanly_on_signals, raise_file_limit
from harness.proxies import Relay
from harness.upstream import Upstream, encrypted

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ["gateway", "nginx", "haproxy", "relay"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--memory-rounds", type=int, default=2, help="rounds that also measure memory (default 2)")
    parser.add_argument("--quick", action="store_true", help="one short round: does everything work?")
    parser.add_argument("--only", default=",".join(NAMES), help="comma-separated list of: " + ", ".join(NAMES))
    parser.add_argument("--gateway", type=pathlib.Path, default=ROOT / "build/release/api-key-rotator")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/bench-tools")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "bench/results")
    parser.add_argument("--access-keys", type=int, default=1, help="access keys that each proxy knows (default 1)")
    parser.add_argument("--upstream-tls", action="store_true", help="the provider is reached by TLS 1.3; no byte relay")
    parser.add_argument("--nginx-buffered-log", action="store_true", help="nginx writes its log in 64 KiB pieces")
    parser.add_argument("--strict", action="store_true", help="exit status 1 when a target is missed")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    if unknown := set(chosen.only) - set(NAMES):
        parser.error(f"unknown in --only: {', '.join(sorted(unknown))}")
    if chosen.upstream_tls:
        chosen.only = [name for name in chosen.only if name != "relay"]
    if chosen.quick:
        chosen.rounds = chosen.memory_rounds = 1
    return chosen


def make_proxies(chosen, folder, upstream, tools):
    count = chosen.access_keys
    makers = {
        "gateway": lambda: Gateway(folder, upstream, chosen.gateway.resolve(), count),
        "nginx": lambda: Nginx(folder, upstream, chosen.nginx_buffered_log, count),
        "haproxy": lambda: Haproxy(folder, upstream, count),
        "relay": lambda: Relay(folder, upstream, tools),
    }
    return [makers[name]() for name in NAMES if name in chosen.only]


def note(text):
    print(text, file=sys.stderr, flush=True)


def run_rounds(chosen, sizes, tools, folder):
    """Every round visits every proxy, so that a drifting machine hits all of them alike."""
    results, failures, versions = report.Results(), measure.Failures(), []
    with contextlib.ExitStack() as stack:
        process, port = stack.enter_context(tools.server("bench_upstream", LOAD_CORE))
        upstream = stack.enter_context(encrypted(folder, port)) if chosen.upstream_tls else Upstream(port)
        proxies = make_proxies(chosen, folder, upstream, tools)
        versions = [proxy.version() for proxy in proxies if proxy.version()]
        for number in range(1, chosen.rounds + 1):
            others = OtherWork(process.pid)
            direct = measure.direct(tools, port, sizes)
            results.direct.append(direct)
            for proxy in proxies:
                note(f"round {number} of {chosen.rounds}: {proxy.name}")
                if proxy.name == "relay":
                    figures = measure.floor(tools, proxy, sizes, failures)
                else:
                    figures = measure.speed(tools, proxy, sizes, failures, direct["direct_p50_us"])
                    if number <= chosen.memory_rounds:
                        figures |= measure.memory(tools, proxy, sizes, failures)
                results.add(proxy.name, figures)
            results.other_work.append(others.share())
    return results, failures.found, versions


def git_commit():
    run = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else "nocommit"


def cpu_model():
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def describe(chosen, sizes, commit, versions):
    return {
        "commit": commit,
        "date": datetime.date.today().isoformat(),
        "rounds": f"{chosen.rounds}, memory in {min(chosen.rounds, chosen.memory_rounds)}" + " (quick)" * chosen.quick,
        "machine": f"{cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "compared with": ", ".join(versions),
        "access keys": chosen.access_keys,
        "upstream": "TLS 1.3" if chosen.upstream_tls else "plain",
        "nginx log": "64 KiB pieces" if chosen.nginx_buffered_log else "one write per line (its default)",
        "load": f"POST 1 KiB, {sizes.closed_connections} connections; latency at {sizes.rate} requests/s; "
        f"{sizes.streams} streams x {sizes.stream_rate} events/s; {sizes.bulk_connections} x 1 MiB downloads; "
        f"memory with {sizes.held} connections or streams; transfers of {sizes.transfer_bytes >> 20} MiB",
    }


def main():
    chosen = arguments()
    end_cleanly_on_signals()
    sizes = measure.QUICK if chosen.quick else measure.Sizes()
    if raise_file_limit() < 2 * MOST_CLIENTS + 1000:
        raise BenchError("the hard limit of open files is too low; see bench/README.md")
    tools = Tools(chosen.tools.resolve())
    with tempfile.TemporaryDirectory(prefix="akr-bench-") as folder:
        results, failures, versions = run_rounds(chosen, sizes, tools, pathlib.Path(folder))
    commit = git_commit()
    facts = describe(chosen, sizes, commit, versions)
    text, missed = report.render(results, facts, failures)
    print(text)
    if not chosen.quick:
        kind = (f"-{chosen.access_keys}-access-keys" if chosen.access_keys > 1 else "") + "-tls" * chosen.upstream_tls
        report.write(chosen.results, f"{facts['date']}-{commit}{kind}", text, results, facts, failures)
    return 1 if failures or (chosen.strict and missed) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
