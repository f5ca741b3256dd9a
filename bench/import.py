#!/usr/bin/env python3
"""How long many keys take through the batch endpoint, and what the proxied requests of other clients wait meanwhile.

    bench/import.sh [--keys 100000] [--batch 100000] [--rounds 3] [--database sqlite|mariadb|postgresql]

Each round imports into a service of its own, under 1,000 requests/s to another service; before it the same load without
an import is measured.  Then the gateway is started again on the keys of one round.  A database server is started for it,
with its own defaults for durability and memory.  Prints the medians; exit status 1 if a target is missed."""

import argparse
import contextlib
import json
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
sys.path.append(str(ROOT / "tests" / "database"))
import servers  # noqa: E402
from server_files import MARIADB, POSTGRESQL  # noqa: E402

# Of an import, in seconds.
LONGEST_SECONDS = {"sqlite": 3, MARIADB: 10, POSTGRESQL: 10}
LONGEST_START_MS = 2000
# What tests/database saves there, as the servers' makers set it.
MEMORY = {MARIADB: ["innodb-buffer-pool-size=128M", "innodb-log-file-size=96M", "innodb-autoextend-increment=64"],
          POSTGRESQL: ["shared_buffers=128MB", "max_wal_size=1GB"]}
MOST_ADDED_P99_US = 2000
RATE = 1000
LOAD_SECONDS = 3


class ImportingGateway(Gateway):
    """With an admin session, and a database of its own."""

    def __init__(self, folder, upstream, binary, database_url=None):
        self.database_url = database_url
        super().__init__(folder, upstream, binary)

    def environment(self):
        # The load has connections in reserve, which are to stay open without a request.
        settings = self.settings | {"NEW_CONNECTION_TIMEOUT": "60", "KEEPALIVE_TIMEOUT": "60"}
        return settings | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    def start_ms(self):
        """As the line `ready` of its log tells."""
        lines = self.errors.read_text().splitlines()
        return [json.loads(line)["start_ms"] for line in lines if '"event":"ready"' in line][-1]

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


def load(tools, gateway, seconds=LOAD_SECONDS):
    return tools.load("rate", gateway.port, rate=RATE, seconds=seconds, warmup=0.5, header=[ACCESS_HEADER],
                      path=gateway.path("rest", "v1/chat/completions"))


def one_round(tools, gateway, number, chosen):
    service = gateway.add_service(f"pool{number}")
    keys = [f"sk-import-{number:02}-{index:08}" for index in range(chosen.keys)]
    quiet = load(tools, gateway)
    busy = {}
    clients = threading.Thread(target=lambda: busy.update(load(tools, gateway, LONGEST_SECONDS[chosen.database])))
    clients.start()
    time.sleep(1)  # the warm-up, and a little more
    seconds = gateway.import_keys(service, keys, chosen.batch)
    clients.join()
    if quiet["errors"] or busy["errors"]:
        raise BenchError(f"requests failed: {quiet['errors']} before, {busy['errors']} meanwhile")
    return {"seconds": seconds, "quiet_p99_us": quiet["p99_us"], "busy_p99_us": busy["p99_us"]}


@contextlib.contextmanager
def database_url(kind):
    """None: the gateway's own file."""
    if kind == "sqlite":
        yield None
        return
    server = servers.Server(kind, MEMORY[kind], durable=True)
    try:
        yield server.url(server.new_database())
    finally:
        server.remove()


def measure(tools, chosen, folder, url):
    """(rounds, milliseconds of a start on the keys of one round)"""
    with tools.server("bench_upstream", LOAD_CORE) as (_process, port):
        gateway = ImportingGateway(folder, Upstream(port), chosen.gateway.resolve(), url)
        with gateway.running():
            gateway.open_session()
            rounds = [one_round(tools, gateway, 0, chosen)]
        starts = []
        for _ in range(3):
            with gateway.running():
                starts.append(gateway.start_ms())
        with gateway.running():
            gateway.open_session()
            rounds += [one_round(tools, gateway, number, chosen) for number in range(1, chosen.rounds)]
    return rounds, statistics.median(starts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=100_000, help="keys per call (default 100000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=sorted(LONGEST_SECONDS), default="sqlite")
    parser.add_argument("--gateway", type=pathlib.Path, default=ROOT / "build/release/api-key-rotator")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/bench-tools")
    chosen = parser.parse_args()
    end_cleanly_on_signals()
    raise_file_limit()
    tools = Tools(chosen.tools.resolve())
    with tempfile.TemporaryDirectory(prefix="akr-bench-") as name, database_url(chosen.database) as url:
        rounds, start_ms = measure(tools, chosen, pathlib.Path(name), url)
    longest = LONGEST_SECONDS[chosen.database]
    seconds, quiet, busy = (statistics.median(each[key] for each in rounds) for key in rounds[0])
    print(f"{chosen.database}: {chosen.keys} keys in {seconds:.2f} s (at most {longest}); p99 of {RATE} requests/s "
          f"{quiet:.0f} us before, {busy:.0f} us meanwhile ({busy - quiet:+.0f}, at most +{MOST_ADDED_P99_US}); "
          f"ready with them after {start_ms:.0f} ms (at most {LONGEST_START_MS})")
    missed = seconds > longest or busy - quiet > MOST_ADDED_P99_US or start_ms > LONGEST_START_MS
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
