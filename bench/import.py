#!/usr/bin/env python3
"""How long many keys take through the batch endpoint, and what the proxied requests of other clients wait meanwhile.

    bench/import.sh [--keys 100000] [--batch 100000] [--rounds 3]

Each round imports into a service of its own, under 1,000 requests/s to another service; before it the same load without
an import is measured.  Prints the medians; exit status 1 if a target is missed."""

import argparse
import pathlib
import statistics
import sys
import tempfile
import threading
import time

from harness.gateway import ADMIN_PASSWORD, Gateway
from harness.load import Tools
from harness.processes import LOAD_CORE, BenchError, end_cleanly_on_signals, raise_file_limit
from harness.proxies import ACCESS_HEADER
from harness.upstream import Upstream

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 3
MOST_ADDED_P99_US = 2000
RATE = 1000
LOAD_SECONDS = 3


class ImportingGateway(Gateway):
    """With the settings of a large pool, and an admin session."""

    def open_session(self):
        self.token = self._admin("/admin/login", {"username": "admin", "password": ADMIN_PASSWORD})["access_token"]

    def add_service(self, slug):
        service = {"name": slug, "slug": slug, "config_type": "GENERIC", "method": "ANY",
                   "target_url": self.upstream.base_url, "api_key_location": "header", "api_key_name": "X-Api-Key"}
        return self._admin("/admin/proxy-configs", service, self.token)["id"]

    def import_keys(self, service, keys, batch):
        """Seconds until the last batch was answered."""
        began = time.monotonic()
        for first in range(0, len(keys), batch):
            self._admin(f"/admin/proxy-configs/{service}/keys/batch", {"keys": keys[first:first + batch]}, self.token)
        return time.monotonic() - began


def load(tools, gateway):
    return tools.load("rate", gateway.port, rate=RATE, seconds=LOAD_SECONDS, warmup=0.5, header=[ACCESS_HEADER],
                      path=gateway.path("rest", "v1/chat/completions"))


def one_round(tools, gateway, number, chosen):
    service = gateway.add_service(f"pool{number}")
    keys = [f"sk-import-{number:02}-{index:08}" for index in range(chosen.keys)]
    quiet = load(tools, gateway)
    busy = {}
    clients = threading.Thread(target=lambda: busy.update(load(tools, gateway)))
    clients.start()
    time.sleep(1)  # the warm-up, and a little more
    seconds = gateway.import_keys(service, keys, chosen.batch)
    clients.join()
    if quiet["errors"] or busy["errors"]:
        raise BenchError(f"requests failed: {quiet['errors']} before, {busy['errors']} meanwhile")
    return {"seconds": seconds, "quiet_p99_us": quiet["p99_us"], "busy_p99_us": busy["p99_us"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=100_000, help="keys per call (default 100000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gateway", type=pathlib.Path, default=ROOT / "build/release/api-key-rotator")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/bench-tools")
    chosen = parser.parse_args()
    end_cleanly_on_signals()
    raise_file_limit()
    tools = Tools(chosen.tools.resolve())
    with tempfile.TemporaryDirectory(prefix="akr-bench-") as name:
        with tools.server("bench_upstream", LOAD_CORE) as (_process, port):
            gateway = ImportingGateway(pathlib.Path(name), Upstream(port), chosen.gateway.resolve())
            with gateway.running():
                gateway.open_session()
                rounds = [one_round(tools, gateway, number, chosen) for number in range(chosen.rounds)]
    seconds, quiet, busy = (statistics.median(each[key] for each in rounds) for key in rounds[0])
    print(f"{chosen.keys} keys in {seconds:.2f} s (at most {LONGEST_SECONDS}); p99 of {RATE} requests/s "
          f"{quiet:.0f} us before, {busy:.0f} us meanwhile ({busy - quiet:+.0f}, at most +{MOST_ADDED_P99_US})")
    return 1 if seconds > LONGEST_SECONDS or busy - quiet > MOST_ADDED_P99_US else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
