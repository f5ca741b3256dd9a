#!/usr/bin/env python3
"""Counts user-space instructions per proxied request.  Started by instructions.sh, which builds the tools.

The proxy runs twice under cachegrind with different numbers of requests; the difference divided by the difference in
requests leaves out starting, stopping and the first use of everything.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import shutil
import sys
import tempfile

from harness.gateway import Gateway
from harness.haproxy import Haproxy
from harness.load import Tools
from harness.processes import LOAD_CORE, BenchError, end_cleanly_on_signals, raise_file_limit
from harness.proxies import ACCESS_HEADER
from harness.upstream import Upstream

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench/instructions.baseline"
ALLOWED_GROWTH = 1.03
HARD_LIMIT = 25_000
FEW, MANY = 2_000, 12_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="fail when above the baseline by 3 %% or above the limit")
    action.add_argument("--update", action="store_true", help="write the measured figure to the baseline file")
    action.add_argument("--functions", type=int, metavar="N", help="and say where they go: the N functions with most of them")
    parser.add_argument("--connections", type=int, default=4, choices=range(1, 9), help="1 to 8 (default 4)")
    parser.add_argument("--proxy", choices=["gateway", "haproxy"], default="gateway", help="haproxy: for comparison")
    parser.add_argument("--gateway", type=pathlib.Path, default=ROOT / "build/release/api-key-rotator")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/bench-tools")
    return parser.parse_args()


def without_debug(binary, folder):
    """A copy that valgrind can read: Debian's version fails on clang 16's DWARF 5."""
    copy = folder / "gateway-without-debug"
    subprocess.run(["strip", "--strip-debug", "-o", str(copy), str(binary)], check=True)
    return copy


def make_proxy(chosen, folder, port):
    if chosen.proxy == "haproxy":
        return Haproxy(folder, Upstream(port))
    return Gateway(folder, Upstream(port), without_debug(chosen.gateway.resolve(), folder))


def by_function(counted):
    """Instructions of each function in a file that cachegrind wrote, by its plain name."""
    totals = collections.Counter()
    function = ""
    for line in counted.read_text(errors="replace").splitlines():
        if line.startswith("fn="):
            function = line[3:]
        elif line[:1].isdigit():
            totals[function] += int(line.split()[1])
    return totals


def plain_names(names):
    done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    plain = (name.split("(")[0] for name in done.stdout.replace("(anonymous namespace)::", "").splitlines())
    return dict(zip(names, plain))


def count(proxy, tools, requests, connections):
    """All instructions of one run that serves `requests` requests, and those of each function."""
    log, counted = proxy.folder / "cachegrind.log", proxy.folder / "cachegrind.out"
    proxy.wrapper = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={counted}",
                     f"--log-file={log}"]
    proxy.patience_seconds = 180
    with proxy.running():
        run = tools.load("closed", proxy.port, path=proxy.path("rest", "v1/chat/completions"), header=[ACCESS_HEADER],
                         connections=connections, requests=requests)
    if run["errors"] or run["requests"] != requests:
        raise BenchError(f"{requests} requests under cachegrind went wrong: {run}")
    total = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text(errors="replace"))
    if not total:
        raise BenchError(f"cachegrind gave no count: {log.read_text(errors='replace')[-500:]}")
    return int(total.group(1).replace(",", "")), by_function(counted)


def measure(chosen, folder):
    tools = Tools(chosen.tools.resolve())
    with tools.server("bench_upstream", LOAD_CORE) as (_, port):
        proxy = make_proxy(chosen, folder, port)
        # Both runs start from the same files: what one leaves behind must not count in the other.
        saved = folder / "saved"
        shutil.copytree(proxy.folder, saved)
        totals = {}
        for requests in (FEW, MANY):
            shutil.rmtree(proxy.folder)
            shutil.copytree(saved, proxy.folder)
            totals[requests] = count(proxy, tools, requests, chosen.connections)
    (few, few_by), (many, many_by) = totals[FEW], totals[MANY]
    many_by.subtract(few_by)
    return round((many - few) / (MANY - FEW)), many_by


def tell_functions(totals, wanted):
    names = plain_names(list(totals))
    merged = collections.Counter()
    for name, instructions in totals.items():
        merged[names[name]] += instructions
    for name, instructions in merged.most_common(wanted):
        print(f"{instructions / (MANY - FEW):8.0f}  {name}")


def check(measured):
    """The exit status; says why it is not 0."""
    if not BASELINE.exists():
        raise BenchError(f"no baseline: run instructions.sh --update and commit {BASELINE.name}")
    baseline = int(BASELINE.read_text())
    limit = min(round(baseline * ALLOWED_GROWTH), HARD_LIMIT)
    if measured <= limit:
        return 0
    which = f"the hard limit {HARD_LIMIT}" if limit == HARD_LIMIT else f"the baseline {baseline} by more than 3 %"
    print(f"bench: {measured} instructions per request are above {which}", file=sys.stderr)
    return 1


def main():
    chosen = arguments()
    end_cleanly_on_signals()
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="akr-bench-") as folder:
        measured, functions = measure(chosen, pathlib.Path(folder))
    print(f"instructions_per_request={measured}")
    if chosen.functions:
        tell_functions(functions, chosen.functions)
    if chosen.update:
        BASELINE.write_text(f"{measured}\n")
    return check(measured) if chosen.check else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
