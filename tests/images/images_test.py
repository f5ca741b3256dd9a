#!/usr/bin/env python3
"""One image, run as its Dockerfile says: read-only, as user 10001, with nothing to write to but the volume.

    tests/images/images_test.py --binary build/light/api-key-rotator [-k pattern] [-v]

AKR_IMAGE_ROOT: the root file system of an image that was built, instead of one laid out of the binary.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(os.path.dirname(HERE), name) for name in ("deploy", "conformance", "database")]

from cases import Skip, case, expect, main, wait_for
from certificates import Certificates
from image import DOCKERFILES, Dockerfile, ImageContainer, layout, needed
from impostors import Mysql8Login, RsaKey
from server_files import MARIADB, PASSWORD, POSTGRESQL, USER, NoServer
from servers import Server, free_port
from upstream import Upstream

MB, MIB = 1_000_000, 1 << 20
UNPACKED, PACKED = {"light": 20 * MB, "enterprise": 25 * MB}, {"light": 15 * MB, "enterprise": 25 * MB}
READY, RESIDENT = 0.2, 15 * MIB
SECRETS = {"ADMIN_PASSWORD": "an-administrators-password", "JWT_SECRET": "0123456789abcdef" * 4,
           "GLOBAL_PROXY_KEYS": "an-access-key-of-a-client"}


def build(bench):
    said = subprocess.run([f"{layout(bench)}/usr/local/bin/api-key-rotator", "--version"], capture_output=True, text=True).stdout
    return re.fullmatch(r"api-key-rotator \S+ \((\w+)\)\n", said)[1]


def container(bench, volume=None, **environment):
    """With the variables of the documented `docker run`; None leaves one out."""
    values = {"ADMIN_USERNAME": "admin", **SECRETS, **environment}
    return ImageContainer(bench, Dockerfile(DOCKERFILES[build(bench)]), free_port(), volume,
                          **{name: value for name, value in values.items() if value is not None})


def all_files(root):
    for folder, _, names in os.walk(root):
        for name in names:
            yield os.path.join(folder, name)


def refused(bench, code, pattern, volume=None, **environment):
    """The start ends at once with `code` and one line that matches."""
    gateway = container(bench, volume, **environment).start()
    ended = gateway.process.wait(10)
    lines = [line for line in gateway.errors().splitlines() if not line.startswith("{")]
    expect(ended == code and len(lines) == 1, f"exit {ended}: {gateway.errors()}")
    expect(re.search(pattern, lines[0]), f"not told {pattern}: {lines[0]}")
    if "-v" in sys.argv:
        print(f"   {ended}  {lines[0]}")


# -- what is in it -----------------------------------------------------------------------------------------------------

@case
def it_is_small(bench):
    """Packed is what is downloaded and what registries show, unpacked what lies on the disk."""
    root, name = layout(bench), build(bench)
    unpacked = sum(os.lstat(path).st_size for path in all_files(root))
    packed = len(subprocess.run(f"tar -C '{root}' -cf - . | gzip -6", shell=True, capture_output=True, check=True).stdout)
    print(f"   {name}: {unpacked / MB:.1f} MB unpacked, {packed / MB:.1f} MB packed")
    expect(unpacked < UNPACKED[name] and packed < PACKED[name], f"{unpacked} bytes, packed {packed}")


@case
def it_holds_every_library_that_is_asked_for_and_none_of_a_server_it_cannot_use(bench):
    asked = {path: needed(path) for path in all_files(layout(bench)) if needed(path) is not None}
    there = {os.path.basename(path) for path in asked}
    lacking = {name for names in asked.values() for name in names} - there
    expect(not lacking, f"missing: {lacking}")
    servers = {name for name in there if re.match(r"libmariadb|libpq|libsoci_(mysql|postgresql)|caching_sha2", name)}
    expect(len(servers) == (0 if build(bench) == "light" else 5), str(servers))


@case
def it_holds_no_program_but_the_gateway_and_nothing_that_others_may_change(bench):
    root = layout(bench)
    for path in all_files(root):
        mode, place = os.lstat(path), path[len(root):]
        expect(mode.st_uid == 0 and not mode.st_mode & 0o6022, f"{place}: owner {mode.st_uid}, mode {mode.st_mode:o}")
        expect(not re.search(r"/s?bin/", place) or place == "/usr/local/bin/api-key-rotator", f"{place} is a program")
    expect(os.stat(f"{root}/tmp").st_mode & 0o7777 == 0o1777, "/tmp")
    owner = os.stat(f"{root}/app/data")
    expect((owner.st_uid, owner.st_gid) == (10001, 10001), f"/app/data is of {owner.st_uid}:{owner.st_gid}")
    with open(f"{root}/etc/ssl/certs/ca-certificates.crt") as file:
        expect(file.read().count("BEGIN CERTIFICATE") > 100, "few authorities")


# -- as in the README --------------------------------------------------------------------------------------------------

@case
def it_starts_fast_and_small(bench):
    """The best of a few: other tests may have the processor."""
    best = (9, 0)
    for _ in range(8):
        gateway = container(bench, SHUTDOWN_DELAY="0")
        begin = time.monotonic()
        gateway.start().wait_ready()
        best = min(best, (time.monotonic() - begin, resident(gateway)))
        expect(gateway.stop() == 0, "exit code after SIGTERM")
        if best[0] < READY / 2:
            break
    print(f"   ready after {best[0] * 1000:.0f} ms, {best[1] / MIB:.1f} MiB resident")
    expect(best[0] < READY and best[1] < RESIDENT, str(best))


def resident(gateway):
    with open(f"/proc/{gateway.process.pid}/status") as file:
        status = file.read()
    expect(re.search(r"^Uid:\s+10001\s+10001", status, re.MULTILINE), "another user")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


@case
def it_serves_a_client_and_stops_in_order(bench):
    gateway = container(bench, SHUTDOWN_DELAY="1").start().wait_ready()
    expect(json.loads(gateway.call("GET", "/")[1])["build"] == build(bench), "another build")
    proxied(gateway)
    expect(gateway.healthcheck() == 0, "not healthy")
    wait_for(gateway.access_log, "a line about the request on standard output")
    expect('"event":"ready"' in gateway.errors(), "what the gateway does is not told on standard error")
    expect(gateway.stop() == 0, "exit code after SIGTERM")
    expect(gateway.healthcheck() == 1, "healthy without a gateway")


def proxied(gateway):
    upstream = Upstream()
    gateway.add_service(upstream.port, gateway.environment["ADMIN_PASSWORD"])
    fields = {"X-Proxy-Key": SECRETS["GLOBAL_PROXY_KEYS"]}
    status, body = gateway.call("GET", "/proxy/sample/x", **fields)
    expect(status == 200 and upstream.requests, f"{status} {body!r}")
    expect(gateway.call("GET", "/proxy/sample/x")[0] == 401, "served without an access key")
    status, _ = gateway.call("POST", "/proxy/sample/long", {"text": "x" * (8 * MIB)}, **fields)
    expect(status == 200 and len(upstream.requests) == 2, f"{status} to a body that has no room in memory")
    upstream.close()


@case
def what_it_learned_is_there_after_a_restart(bench):
    first = container(bench, SHUTDOWN_DELAY="0").start().wait_ready()
    first.add_service(9, SECRETS["ADMIN_PASSWORD"])
    expect(first.stop() == 0, "exit code")
    names = set(os.listdir(first.volume))
    expect({"api_key_rotator.db", "encryption_key"} <= names and "tmp" not in names, str(names))
    again = container(bench, first.volume, SHUTDOWN_DELAY="0").start().wait_ready()
    expect(again.call("GET", "/proxy/sample/x", **{"X-Proxy-Key": SECRETS["GLOBAL_PROXY_KEYS"]})[0] != 404, "forgotten")


# -- bad input: one line, 73 or 78 -------------------------------------------------------------------------------------

@case
def a_volume_of_root_is_told_with_its_remedy(bench):
    refused(bench, 73, r"/app/data as user id 10001: Permission denied.*chown 10001", ImageContainer.new_volume(bench, owner=0))


@case
def a_port_in_use_is_told(bench):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(bench, 78, "BACKEND_PORT|in use", BACKEND_PORT=str(taken.getsockname()[1]), LISTEN_ADDRESS="127.0.0.1")


@case
def placeholders_and_short_values_are_told(bench):
    refused(bench, 78, "ADMIN_PASSWORD", ADMIN_PASSWORD="admin123")
    refused(bench, 78, "JWT_SECRET", JWT_SECRET="your-secret-key")
    refused(bench, 78, "GLOBAL_PROXY_KEYS", GLOBAL_PROXY_KEYS="your-global-proxy-key")


@case
def a_database_that_cannot_be_used_is_told(bench):
    if build(bench) == "light":
        for kind in ("mysql", "postgresql"):
            refused(bench, 78, r"this build \(light\) has no .* enterprise build \(image api-key-rotator:enterprise", DB_TYPE=kind)
    else:
        refused(bench, 78, "DATABASE_URL.*names no database", DATABASE_URL="mysql://u:p@127.0.0.1:1")


# -- the servers of the enterprise image -------------------------------------------------------------------------------

def serves_with(bench, address):
    gateway = container(bench, DATABASE_URL=address, SHUTDOWN_DELAY="0", STARTUP_WAIT="5").start().wait_ready()
    proxied(gateway)
    expect(gateway.stop() == 0, "exit code after SIGTERM")
    expect("api_key_rotator.db" not in os.listdir(gateway.volume), "it made a SQLite file")


def server(bench, kind, **options):
    if build(bench) == "light":
        raise Skip("the light build has no servers")
    try:
        started = Server(kind, **options)
    except NoServer as missing:
        raise Skip(str(missing)) from None
    bench.at_end(started.remove)
    return started


def with_and_without_tls(bench, kind):
    certificates = Certificates(bench.new_directory())
    at = server(bench, kind, tls=(certificates.server, certificates.server_key))
    for mode, host in (("disable", "127.0.0.1"), ("require", "localhost")):   # the name is looked up in the image's own files
        serves_with(bench, at.url(at.new_database(), host=host, options=f"?sslmode={mode}"))


@case
def it_works_with_mariadb(bench):
    with_and_without_tls(bench, MARIADB)


@case
def it_works_with_postgresql(bench):
    with_and_without_tls(bench, POSTGRESQL)


@case
def it_logs_in_as_mysql_8_wants(bench):
    """caching_sha2_password is a file of its own, which the client library looks for when it is asked."""
    at, rsa = server(bench, MARIADB), RsaKey(bench.new_directory())
    for way in ("fast", "rsa"):
        front = Mysql8Login(at, USER, PASSWORD, way, None, rsa)
        bench.at_end(front.close)
        serves_with(bench, at.url(at.new_database(), port=front.port))
        expect(front.logins, f"{way}: nobody logged in")


if __name__ == "__main__":
    sys.exit(main())
