#!/usr/bin/env python3
"""Debian's package, from the one that is built to the purged one.

    python3 tests/package/package_test.py --binary build/release/api-key-rotator [-k pattern] [-v]

The life of a package has one order: a case asks for the stage that it is about, and what leads there is done first.
"""

import glob
import gzip
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(1, os.path.join(os.path.dirname(HERE), "deploy"))

from cases import ROOT, Skip, case, expect, main, program   # finds the folders of the next ones
from debian import WANTED, Debian
from package_file import PackageFile
from servers import free_port
from service import UNIT, Service
from syscalls import Trace, allowed_calls
from upstream import Upstream

NAME, HOME, SETTINGS = "api-key-rotator", "/var/lib/api-key-rotator", "/etc/api-key-rotator/environment"
ACCESS_KEY, PASSWORD = "an-access-key-0123456789abcdef", "a-password-0123456789"


def optional(name):
    try:
        return program(name)
    except Exception:
        raise Skip(f"{name} is not installed") from None


class World:
    """What all cases share."""

    package = debian = None
    stages = []
    port = free_port()


def the_package(bench):
    if not World.package:
        World.package = PackageFile.build(os.path.dirname(bench.binary), bench.new_directory())
    return World.package


def service(bench):
    return Service(bench, World.debian, World.port)


# -- stages ------------------------------------------------------------------------------------------------------------

def install(bench):
    World.debian = Debian(bench.directory)
    return World.debian.install(the_package(bench).path)


def set_up(bench):
    """What an administrator does: settings, a service, a key."""
    text = World.debian.read(SETTINGS)
    for name, value in (("BACKEND_PORT", World.port), ("ADMIN_PASSWORD", PASSWORD), ("GLOBAL_PROXY_KEYS", ACCESS_KEY)):
        text, found = re.subn(rf"^#{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        expect(found == 1, f"{name} stands {found} times in {SETTINGS}")
    with open(World.debian.path(SETTINGS), "w") as out:   # keeps owner and mode
        out.write(text)


def upgrade(bench, state="inactive"):
    World.debian.write("run/service.state", state)
    newer = the_package(bench).newer(bench.new_directory())
    return World.debian.install(newer.path)


def remove(_):
    World.debian.must("apt-get", "remove", "-q", "-y", NAME)
    return World.debian.calls()


def purge(_):
    World.debian.must("apt-get", "purge", "-q", "-y", NAME)
    return World.debian.calls()


STAGES = {"installed": install, "set up": set_up, "upgraded while it runs": lambda bench: upgrade(bench, "active"),
          "upgraded while it is stopped": upgrade, "removed": remove, "purged": purge}


def at(bench, stage):
    """Goes there; returns what was asked of systemctl on the last step."""
    for name, action in STAGES.items():
        if name not in World.stages:
            World.last = action(bench)
            World.stages.append(name)
        if name == stage:
            expect(World.stages[-1] == name, f"{World.stages[-1]} already")
            return World.last


def proxied(running):
    upstream = Upstream()
    try:
        return running.call("GET", "/proxy/sample/x", **{"X-Proxy-Key": ACCESS_KEY})
    finally:
        upstream.close()


# -- the package itself ------------------------------------------------------------------------------------------------

@case
def it_holds_what_belongs_to_a_service(bench):
    files = the_package(bench).files()
    for path, mode in {"/usr/bin/api-key-rotator": "-rwxr-xr-x", UNIT: "-rw-r--r--", SETTINGS: "-rw-r-----",
                       "/usr/share/man/man8/api-key-rotator.8.gz": "-rw-r--r--",
                       "/usr/share/bash-completion/completions/api-key-rotator": "-rw-r--r--",
                       "/usr/share/zsh/vendor-completions/_api-key-rotator": "-rw-r--r--",
                       "/usr/share/fish/vendor_completions.d/api-key-rotator.fish": "-rw-r--r--",
                       "/usr/share/doc/api-key-rotator/copyright": "-rw-r--r--"}.items():
        expect(files.get(path) == (mode, "root/root"), f"{path} is {files.get(path)}")
    expect(the_package(bench).control("conffiles") == SETTINGS + "\n", "conffiles")


@case
def what_it_depends_on_are_packages_of_libraries(bench):
    depends = the_package(bench).field("Depends")
    for name in ("adduser", "ca-certificates", "libc6 (>= ", "libssl3 (>= ", "libsqlite3-0"):
        expect(name in depends, f"no {name}: {depends}")


@case
def no_setting_is_missing_and_none_is_set(bench):
    text = the_package(bench).read(SETTINGS)
    example = open(f"{ROOT}/.env.example").read()
    names = re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE)
    expect(re.findall(r"^#([A-Z0-9_]+)=", text, re.MULTILINE) == names, "other settings than .env.example")
    expect(not re.findall(r"^[^#\n]", text, re.MULTILINE), "something is set")


@case
def lintian_has_nothing_to_say(bench):
    done = subprocess.run([optional("lintian"), "--allow-root", "--fail-on", "error,warning", the_package(bench).path],
                          capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stdout, done.stdout + done.stderr)


@case
def the_manual_page_is_sound(bench):
    page = f"{bench.new_directory()}/{NAME}.8"
    with open(page, "wb") as out:
        out.write(gzip.decompress(the_package(bench).read_bytes(f"/usr/share/man/man8/{NAME}.8.gz")))
    done = subprocess.run([optional("mandoc"), "-Tlint", "-Wwarning", page], capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stdout, done.stdout)


@case
def shells_can_read_the_completions(bench):
    for shell, path in (("bash", f"bash-completion/completions/{NAME}"), ("zsh", f"zsh/vendor-completions/_{NAME}"),
                        ("fish", f"fish/vendor_completions.d/{NAME}.fish")):
        if subprocess.run(["which", shell], capture_output=True).returncode != 0:
            continue
        script = f"{bench.new_directory()}/script"
        with open(script, "wb") as out:
            out.write(the_package(bench).read_bytes(f"/usr/share/{path}"))
        done = subprocess.run([shell, "-n", script], capture_output=True, text=True)
        expect(done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}")


# -- installed ---------------------------------------------------------------------------------------------------------

@case
def installed_it_has_a_user_and_closed_folders_and_is_started(bench):
    calls = at(bench, "installed")
    debian = World.debian
    expect(calls == ["daemon-reload", "start"], str(calls))
    expect(debian.owner(SETTINGS) == f"root:{NAME} 640", debian.owner(SETTINGS))
    expect(debian.owner(HOME) == f"{NAME}:{NAME} 700", debian.owner(HOME))
    expect(debian.must("getent", "passwd", NAME).strip().endswith(f":{HOME}:/usr/sbin/nologin"), "the user can log in")
    expect(os.readlink(debian.path(f"{HOME}/.env")) == SETTINGS, "commands do not see the settings")
    expect(os.path.lexists(debian.path(WANTED)), "not enabled")


@case
def what_an_installation_does_can_be_done_again(bench):
    """As dpkg does after a failure; what the administrator changed meanwhile stays."""
    at(bench, "installed")
    debian = World.debian
    debian.must("chgrp", "adm", SETTINGS)
    os.remove(debian.path(f"{HOME}/.env"))
    again = ["env", f"DPKG_MAINTSCRIPT_PACKAGE={NAME}", f"/var/lib/dpkg/info/{NAME}.postinst", "configure"]
    debian.must(*again, the_package(bench).version)
    expect(debian.owner(SETTINGS) == "root:adm 640", debian.owner(SETTINGS))
    expect(not os.path.lexists(debian.path(f"{HOME}/.env")), "the link that was removed is back")
    debian.must("chgrp", "root", SETTINGS)
    debian.must(*again)
    expect(debian.owner(SETTINGS) == f"root:{NAME} 640", debian.owner(SETTINGS))
    expect(os.readlink(debian.path(f"{HOME}/.env")) == SETTINGS, "no link to the settings")
    debian.calls()


@case
def systemd_finds_the_unit_sound_and_confined(bench):
    at(bench, "installed")
    analyze = optional("systemd-analyze")
    unit = World.debian.path(UNIT)
    done = subprocess.run([analyze, "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout[-300:] + done.stderr)
    here = f"{bench.new_directory()}/{NAME}.service"   # with a program that is there, among the units of this machine
    with open(here, "w") as out:
        out.write(World.debian.read(UNIT).replace("/usr/bin/api-key-rotator", "/bin/true"))
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if NAME in line]
    expect(not ours, str(ours))


@case
def the_service_serves_as_its_unit_starts_it(bench):
    at(bench, "set up")
    running = service(bench).start().wait_ready()
    upstream = Upstream()
    running.add_service(upstream.port, PASSWORD)
    answer = running.call("GET", "/proxy/sample/x", **{"X-Proxy-Key": ACCESS_KEY})
    expect(answer == (200, b"seen /x"), str(answer))
    upstream.close()
    expect(running.command_as_user("healthcheck").returncode == 0, "healthcheck in the service's folder, as its user")
    status = open(f"/proc/{running.process.pid}/status").read()
    mounts = dict(line.split()[1::2][:2] for line in open(f"/proc/{running.process.pid}/mounts"))
    expect(mounts["/"].startswith("ro") and mounts[HOME].startswith("rw"), f"it could write everywhere: {mounts}")
    for line in (r"CapBnd:\t0+", r"CapEff:\t0+", r"NoNewPrivs:\t1"):
        expect(re.search(line, status), f"not {line}: it ran with more rights than the unit gives")
    expect(running.stop() == 0, f"exit code after SIGTERM: {running.errors()[-500:]}")
    expect(World.debian.owner(f"{HOME}/data/api_key_rotator.db") == f"{NAME}:{NAME} 600", "the database is open to others")


@case
def the_service_uses_no_system_call_that_its_unit_refuses(bench):
    at(bench, "set up")
    strace, analyze = optional("strace"), optional("systemd-analyze")
    file = f"{bench.new_directory()}/trace"
    running = service(bench).start(strace, "-D", "-f", "-qq", "-o", file).wait_ready(60)
    running.add_service(free_port(), PASSWORD, slug="traced")
    running.call("GET", "/proxy/traced/x", **{"X-Proxy-Key": ACCESS_KEY})
    expect(running.stop() == 0, "exit code after SIGTERM")
    trace = Trace(file, running.binary)
    refused = trace.calls() - allowed_calls(analyze, running.unit.all("SystemCallFilter"))
    expect(len(trace.calls()) > 30 and not refused, f"refused: {refused} of {len(trace.calls())}")
    expect(not trace.writable_code(), f"MemoryDenyWriteExecute: {trace.writable_code()}")
    families = trace.families() - set(running.unit.one("RestrictAddressFamilies").split())
    expect(not families, f"RestrictAddressFamilies: {families}")


@case
def a_wrong_setting_ends_it_with_a_code_that_is_not_tried_again(bench):
    at(bench, "set up")
    before = World.debian.read(SETTINGS)
    with open(World.debian.path(SETTINGS), "a") as out:
        out.write("WORKERS=many\n")
    running = service(bench).start()
    code = running.process.wait(20)
    with open(World.debian.path(SETTINGS), "w") as out:
        out.write(before)
    expect(code == 78 and "WORKERS=many" in running.errors(), f"{code}: {running.errors()}")
    expect("78" in running.unit.one("RestartPreventExitStatus").split(), "78 would be tried again")


# -- later -------------------------------------------------------------------------------------------------------------

@case
def an_upgrade_keeps_settings_and_data_and_restarts_what_ran(bench):
    at(bench, "set up")
    before = World.debian.read(SETTINGS)
    calls = at(bench, "upgraded while it runs")
    debian = World.debian
    expect(calls == ["daemon-reload", "restart"], str(calls))
    expect(debian.read(SETTINGS) == before and ACCESS_KEY in before, "the administrator's settings were replaced")
    expect(debian.owner(SETTINGS) == f"root:{NAME} 640", debian.owner(SETTINGS))
    expect("a line of the newer one" in debian.read(SETTINGS + ".dpkg-dist"), "the newer settings are not beside ours")
    expect(debian.must("dpkg-query", "-W", "-f=${Version}", NAME) == the_package(bench).newer_version(), "version")
    running = service(bench).start().wait_ready()
    upstream = Upstream()
    session = running.admin_call("POST", "/admin/login", {"username": "admin", "password": PASSWORD}, 200)
    fields = {"Authorization": f"Bearer {session['access_token']}"}
    slugs = [one["slug"] for one in running.admin_call("GET", "/admin/proxy-configs", None, 200, **fields)]
    expect("sample" in slugs, f"services are gone: {slugs}")
    upstream.close()
    expect(running.stop() == 0, "exit code after SIGTERM")


@case
def an_upgrade_does_not_start_what_was_stopped_or_turned_off(bench):
    at(bench, "upgraded while it runs")
    os.remove(World.debian.path(WANTED))   # systemctl disable
    newest = the_package(bench).newer(bench.new_directory(), ".1")
    World.debian.write("run/service.state", "inactive")
    calls = World.debian.install(newest.path)
    World.stages.append("upgraded while it is stopped")
    expect(calls == ["daemon-reload"], str(calls))
    expect(not os.path.lexists(World.debian.path(WANTED)), "it is turned on again")


@case
def removing_keeps_data_and_settings(bench):
    kept = sorted(glob.glob(World.debian.path(f"{HOME}/data/*"))) if World.debian else []
    calls = at(bench, "removed")
    expect(calls == ["stop", "daemon-reload"], str(calls))
    expect(kept and sorted(glob.glob(World.debian.path(f"{HOME}/data/*"))) == kept, "data is gone")
    expect(ACCESS_KEY in World.debian.read(SETTINGS), "settings are gone")
    expect(not os.path.exists(World.debian.path("/usr/bin/api-key-rotator")), "the program is still there")


@case
def a_purge_takes_everything_but_the_user(bench):
    at(bench, "purged")
    left = [path for path in (HOME, SETTINGS, UNIT, "/etc/api-key-rotator") if os.path.lexists(World.debian.path(path))]
    left += glob.glob(World.debian.path(f"/etc/systemd/system/**/{NAME}*"), recursive=True)
    expect(not left, f"left: {left}")
    World.debian.must("getent", "passwd", NAME)


if __name__ == "__main__":
    sys.exit(main())
