#!/usr/bin/env python3
"""Starts of the real gateway on a database server, good ones and bad ones.

    python3 tests/database/starts.py --binary build/release/api-key-rotator --server mariadb|postgresql [-k pattern] [-v]

A bad start ends with one line on standard error that names the setting and holds no password, with 78 if a person has to
mend something and 75 if it may pass, and never makes a SQLite file instead.  Ends with "N passed, N failed, N skipped".
"""

import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True   # nothing is left behind in the source tree
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))

import starts_cases
from certificates import Certificates
from harness import Failure, Gateway, Skip
from impostors import RsaKey
from server_files import KINDS, MARIADB, PASSWORD, NoServer
from servers import Server
from taken import FEW_SESSIONS


KEY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"   # as harness.Gateway's


class Bench:
    """What the cases of one server share, and what they do with the gateway."""

    def __init__(self, binary, kind):
        self.binary, self.kind, self.is_mysql = binary, kind, kind == MARIADB
        self.directory = tempfile.mkdtemp(prefix="akr-test-")
        self.certificates, self.rsa = Certificates(self.directory), RsaKey(self.directory)
        self.server = Server(kind)
        self.tls_server = Server(kind, tls=(self.certificates.server, self.certificates.server_key))
        self.lines = []   # what bad starts said, for -v

    def small_server(self):
        """With room for ten sessions; both keep some more for administrators."""
        return Server(self.kind, settings=[FEW_SESSIONS[self.kind]])

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def gateway(self, **settings):
        return Gateway(self.binary, settings={"STARTUP_WAIT": "10", "SHUTDOWN_DELAY": "0", **settings})

    def serves(self, seconds=20, **settings):
        """The gateway starts, keeps a service over a restart, and makes no SQLite file."""
        slug = None
        for _ in range(2):
            gateway = self.gateway(**settings)
            try:
                gateway.wait_ready(seconds)
                slugs = [service["slug"] for service in gateway.admin("GET", "/admin/proxy-configs")[1]]
                if slug is not None and slug not in slugs:
                    raise Failure(f"after a restart the service {slug} is not among {slugs}")
                if slug is None:
                    service = gateway.add_service(9, keys=2)
                    slug = service.prefix.decode().split("/")[-1]
                if gateway.stop() != 0:
                    raise Failure(f"exit {gateway.process.returncode} after SIGTERM")
                self.check_output(gateway)
            finally:
                gateway.remove()

    def run(self, *arguments, **variables):
        """A command of the binary, in a directory of its own: (exit code, standard output, standard error)."""
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ENCRYPTION_KEY": KEY, "DATA_DIR": self.directory,
               "GLOBAL_PROXY_KEYS": "an-access-key-0001", **variables}
        done = subprocess.run([self.binary, *arguments], cwd=self.directory, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
        out, err = done.stdout.decode(), done.stderr.decode()
        for secret in (PASSWORD, "p%40ss", env["ENCRYPTION_KEY"]):
            if secret in out + err:
                raise Failure(f"{secret!r} is in the output")
        return done.returncode, out, err

    def refused(self, code, names, seconds=8, **settings):
        """`names`: an expression that the one line must contain.  Returns how long it took."""
        begin = time.monotonic()
        gateway = self.gateway(**settings)
        try:
            try:
                exit_code = gateway.process.wait(seconds)
            except Exception:
                raise Failure(f"still runs after {seconds} s: {gateway.stderr()[-1500:]!r}") from None
            took = time.monotonic() - begin
            lines = [line.decode() for line in gateway.stderr().splitlines() if not line.startswith(b"{")]
            self.lines += lines
            if exit_code != code or len(lines) != 1:
                raise Failure(f"exit {exit_code}, want {code} and one line: {gateway.stderr()[-1500:]!r}")
            if not re.search(names, lines[0]):
                raise Failure(f"the line does not name {names!r}: {lines[0]!r}")
            self.check_output(gateway)
            return took
        finally:
            gateway.remove()

    @staticmethod
    def check_output(gateway):
        said = gateway.stdout() + gateway.stderr()
        for secret in (PASSWORD, "p%40ss", "wr0ng-secret", gateway.env["ENCRYPTION_KEY"]):
            if secret.encode() in said:
                raise Failure(f"{secret!r} is in the output")
        made = [name for name in os.listdir(gateway.directory) if name.startswith("akr.db")]
        made += [name for name in os.listdir(gateway.directory + "/data") if name.endswith(".db")]
        if made:
            raise Failure(f"made SQLite files: {made}")


def run_one(case, bench):
    try:
        case(bench)
        return "passed", ""
    except Skip as reason:
        return "skipped", str(reason)
    except (Failure, NoServer) as failure:
        return "failed", str(failure)


def run_cases(bench, pattern, verbose):
    counts = collections.Counter()
    for name, case in starts_cases.cases(bench.kind):
        if not re.search(pattern, name):
            continue
        begin = time.monotonic()
        bench.lines = []
        result, text = run_one(case, bench)
        counts[result] += 1
        if result == "failed":
            print(f"FAILED {bench.kind} {name}: {text}", flush=True)
        elif verbose:
            print(f"{result} {bench.kind} {name} {time.monotonic() - begin:.1f}s {text}", flush=True)
        for line in bench.lines if verbose else ():
            print(f"    {line}", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/release/api-key-rotator")
    parser.add_argument("--server", choices=KINDS, required=True)
    parser.add_argument("-k", dest="pattern", default="", help="run only cases whose name matches this expression")
    parser.add_argument("-v", dest="verbose", action="store_true", help="one line per case, and what the gateway said")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # so that the clean-up below runs
    counts = collections.Counter()
    try:
        bench = Bench(os.path.abspath(options.binary), options.server)
        try:
            counts = run_cases(bench, options.pattern, options.verbose)
        finally:
            bench.remove()
    except NoServer as missing:
        required = os.environ.get("AKR_DATABASES") == "required"
        counts["failed" if required else "skipped"] += 1
        print(f"{'FAILED' if required else 'skipped'} {options.server}: {missing}")
    finally:
        Gateway.remove_all()
        Server.remove_all()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
