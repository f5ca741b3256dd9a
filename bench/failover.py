#!/usr/bin/env python3
"""What failing keys cost the clients.  Started by failover.sh, which builds the tools.

keys: 50 keys of which 10 are bad (429 with Retry-After, 401, 402, 403): which requests fail, how often is a bad key
      asked, and never before its wait is over?
wave: the provider refuses every key with 403 for two minutes: which keys change their state, and how soon does the
      first request succeed after the provider has healed?
"""

import argparse
import collections
import http.client
import json
import pathlib
import sys
import tempfile
import threading
import time

from harness.gateway import ADMIN_PASSWORD, Gateway
from harness.load import Tools, parse_line
from harness.processes import LOAD_CORE, BenchError, end_cleanly_on_signals, raise_file_limit, stop
from harness.proxies import ACCESS_HEADER
from harness.upstream import Upstream

ROOT = pathlib.Path(__file__).resolve().parent.parent
RETRY_AFTER_SECONDS = 20
# Seconds for which a key that answers so is left alone; invalid keys (401) until they are validated.
WAITS = {429: RETRY_AFTER_SECONDS, 401: None, 402: 3600, 403: 300}
MEETING_SECONDS = 2.0  # in which every bad key is met


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=["keys", "wave"])
    parser.add_argument("--seconds", type=float, help="of load (keys: 60) or of refusals (wave: 120)")
    parser.add_argument("--rate", type=int, help="requests per second (keys: 2000, wave: 200)")
    parser.add_argument("--gateway", type=pathlib.Path, default=ROOT / "build/release/api-key-rotator")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/bench-tools")
    return parser.parse_args()


class FailoverGateway(Gateway):
    """One LLM service with as many keys as wanted."""

    def __init__(self, folder, upstream, binary, keys):
        self.keys = keys
        self.service = None
        super().__init__(folder, upstream, binary)

    def path(self, service="llm", rest="v1/chat/completions"):
        return f"/llm/{service}/{rest}"

    def _configure(self):
        service = {
            "name": "Failover",
            "slug": "llm",
            "config_type": "LLM",
            "target_base_url": f"http://127.0.0.1:{self.upstream.port}",
            "api_key_location": "header",
            "api_key_name": "X-Api-Key",
            "api_key_prefix": "",
        }
        self.service = self._admin("/admin/proxy-configs", service, self.token())["id"]
        self._admin(f"/admin/proxy-configs/{self.service}/keys/batch", {"keys": self.keys}, self.token())

    def token(self):
        return self._admin("/admin/login", {"username": "admin", "password": ADMIN_PASSWORD})["access_token"]

    def key_states(self, token):
        """The keys as a person sees them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        session = {"Authorization": f"Bearer {token}"}
        connection.request("GET", f"/admin/proxy-configs/{self.service}/keys", headers=session)
        keys = json.loads(connection.getresponse().read())
        connection.close()
        return collections.Counter(key["state"] for key in keys)

    def statuses(self):
        """How many requests ended with which status, from the access log."""
        counts = collections.Counter()
        with open(self.log, encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if "status" in entry and "service" in entry:
                    counts[entry["status"]] += 1
        return counts


def finish(upstream):
    """Stops the fake provider; what it says about the keys it refused."""
    stop(upstream)
    lines = [parse_line(line) for line in upstream.stdout.read().splitlines()]
    return [line for line in lines if "key" in line]


def obeyed(entry):
    """Was this key left alone for as long as it should have been?"""
    wait = WAITS[entry["status"]]
    if wait is None:
        return entry["asked"] - entry["together"] <= 2
    return entry["min_gap_s"] == 0 or entry["min_gap_s"] >= wait


def bad_keys(chosen, tools, folder):
    seconds, rate = chosen.seconds or 60, chosen.rate or 2000
    keys = [f"bench-upstream-key-{number:04}" for number in range(1, 51)]
    ways = [429, 401, 402, 403]
    bad = {key: ways[at % len(ways)] for at, key in enumerate(keys[4::5])}
    options = [f"--bad={key}:{way}" + (f":{RETRY_AFTER_SECONDS}" if way == 429 else "") for key, way in bad.items()]
    with tools.server("bench_upstream", LOAD_CORE, *options) as (upstream, port):
        gateway = FailoverGateway(folder, Upstream(port), chosen.gateway.resolve(), keys)
        with gateway.running():
            figures = tools.load("rate", gateway.port, path=gateway.path(), rate=rate, seconds=seconds,
                                 warmup=MEETING_SECONDS, connections=256, header=[ACCESS_HEADER])
            states = gateway.key_states(gateway.token())
        refused = finish(upstream)
    statuses = gateway.statuses()
    print(f"{len(keys)} keys, {len(bad)} of them bad; {rate} requests/s for {MEETING_SECONDS:g} + {seconds:g} s\n")
    print(f"requests after the bad keys were met  {figures['requests']}")
    print(f"of these failed                       {figures['errors']}")
    print(f"all requests by status                {dict(sorted(statuses.items()))}")
    print(f"p50 / p99 / longest                   {figures['p50_us']:.0f} / {figures['p99_us']:.0f} / "
          f"{figures['max_us']:.0f} us")
    print(f"key states at the end                 {dict(states)}\n")
    print("bad key                  answers  wait s  asked  together  shortest gap s")
    for entry in refused:
        wait = WAITS[entry["status"]]
        print(f"{entry['key']:24} {entry['status']:7}  {'-' if wait is None else wait:>6}  {entry['asked']:5}  "
              f"{entry['together']:8}  {entry['min_gap_s'] or '-':>14}  {'' if obeyed(entry) else 'TOO EARLY'}")
    good = figures["errors"] == 0 and figures["unsent"] == 0 and len(refused) == len(bad) and all(map(obeyed, refused))
    return good


class Watch:
    """Asks for the keys' states once a second; the largest number of keys that were not active."""

    def __init__(self, gateway):
        self.most_out = 0
        self._gateway, self._token = gateway, gateway.token()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._over.wait(1):
            states = self._gateway.key_states(self._token)
            self.most_out = max(self.most_out, sum(states.values()) - states["active"])

    def stop(self):
        self._over.set()
        self._thread.join()


def set_wave(port, status):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", f"/wave?status={status}")
    connection.getresponse().read()
    connection.close()


def first_success(gateway, limit_seconds=30):
    """Seconds until a request is answered with 200."""
    began = time.monotonic()
    name, value = ACCESS_HEADER.split(": ")
    while time.monotonic() - began < limit_seconds:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
        connection.request("POST", gateway.path(), b"{}", {name: value, "Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        if status == 200:
            return time.monotonic() - began
        time.sleep(0.01)
    raise BenchError(f"no success within {limit_seconds} s of the provider's healing")


def wave(chosen, tools, folder):
    seconds, rate = chosen.seconds or 120, chosen.rate or 200
    keys = [f"bench-upstream-key-{number:04}" for number in range(1, 21)]
    load = {"path": None, "rate": rate, "header": [ACCESS_HEADER], "warmup": 0}
    with tools.server("bench_upstream", LOAD_CORE) as (upstream, port):
        gateway = FailoverGateway(folder, Upstream(port), chosen.gateway.resolve(), keys)
        load["path"] = gateway.path()
        with gateway.running():
            before = tools.load("rate", gateway.port, seconds=5, **load)
            set_wave(port, 403)
            watch = Watch(gateway)
            tools.load("rate", gateway.port, seconds=seconds, **load)
            watch.stop()
            set_wave(port, 0)
            healed = first_success(gateway)
            after = tools.load("rate", gateway.port, seconds=5, **load)
            states = gateway.key_states(gateway.token())
        refused = finish(upstream)
    out = sum(states.values()) - states["active"]
    asked = sum(entry["asked"] for entry in refused)
    print(f"{len(keys)} keys, all refused with 403 for {seconds:g} s at {rate} requests/s\n")
    print(f"failed before the wave                {before['errors']} of {before['requests']}")
    print(f"times the provider was asked in it    {asked} ({asked / seconds:.2f} per second)")
    print(f"most keys out at any second of it     {watch.most_out}")
    print(f"first success after it                {healed:.2f} s")
    print(f"failed after that                     {after['errors']} of {after['requests']}")
    print(f"keys out at the end                   {out}")
    print(f"all requests by status                {dict(sorted(gateway.statuses().items()))}")
    return before["errors"] == after["errors"] == watch.most_out == out == 0 and healed < 5


def main():
    chosen = arguments()
    end_cleanly_on_signals()
    raise_file_limit()
    tools = Tools(chosen.tools.resolve())
    with tempfile.TemporaryDirectory(prefix="akr-bench-") as folder:
        scenario = {"keys": bad_keys, "wave": wave}[chosen.scenario]
        good = scenario(chosen, tools, pathlib.Path(folder))
    print("\nas promised" if good else "\nNOT AS PROMISED")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
