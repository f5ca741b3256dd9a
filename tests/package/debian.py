"""A Debian 12 in a folder, to install packages into.  Its services are not run by systemd: a `systemctl` that writes down what
it is asked stands in its place.

What is downloaded is kept in build/package/: the system as a tar file, and the packages that others depend on.
"""

import itertools
import os
import re
import shutil
import subprocess

from cases import ROOT, Failure, program

CACHE = f"{ROOT}/build/package"
ARCHIVES = "var/cache/apt/archives"
CALLS = "/var/log/systemctl"

WANTED = "/etc/systemd/system/multi-user.target.wants/api-key-rotator.service"

# deb-systemd-helper has it make the link (`preset`), deb-systemd-invoke asks is-enabled and is-active, postinst for the state.
SYSTEMCTL = f"""#!/bin/sh
echo "$*" >>{CALLS}
state=$(cat /run/service.state 2>/dev/null || echo inactive)
case "$*" in
  *preset*) mkdir -p {os.path.dirname(WANTED)}; ln -sf /lib/systemd/system/api-key-rotator.service {WANTED} ;;
  *is-enabled*) if [ -e {WANTED} ]; then echo enabled; else echo disabled; fi ;;
  *is-active*) [ "$state" = active ] ;;
  *show*) echo "$state" ;;
esac
"""


def make_tar():
    tar = f"{CACHE}/bookworm.tar"
    if not os.path.exists(tar):
        os.makedirs(CACHE, exist_ok=True)
        # A name of its own until it is whole; `path-exclude`: words that nobody reads here.
        command = [program("mmdebstrap"), "--quiet", "--format=tar", "--variant=minbase", "--skip=cleanup/apt/lists",
                   "--dpkgopt=path-exclude=/usr/share/locale/*", "bookworm", tar + ".part"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"mmdebstrap: {done.stderr[-1500:]}")
        os.rename(tar + ".part", tar)
    return tar


class Debian:
    def __init__(self, directory):
        self.root = f"{directory}/debian"
        os.mkdir(self.root)
        subprocess.run(["tar", "-xpf", make_tar(), "-C", self.root], check=True)
        self.write("etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n")   # it lives for a minute
        self.write("usr/bin/systemctl", SYSTEMCTL, 0o755)
        os.makedirs(f"{self.root}/run/systemd/system")
        shutil.copyfile("/etc/resolv.conf", f"{self.root}/etc/resolv.conf")
        self._packages(f"{CACHE}/archives", f"{self.root}/{ARCHIVES}")

    def _packages(self, source, target):
        os.makedirs(source, exist_ok=True)
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(source):
            if name.endswith(".deb") and not os.path.exists(f"{target}/{name}"):
                shutil.copyfile(f"{source}/{name}", f"{target}/{name}")

    def path(self, path):
        return f"{self.root}/{path.lstrip('/')}"

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w") as out:
            out.write(text)
        os.chmod(self.path(path), mode)

    def read(self, path):
        with open(self.path(path)) as file:
            return file.read()

    def run(self, *command):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        for name in ("http_proxy", "https_proxy"):
            if name in os.environ:
                environment[name] = os.environ[name]
        return subprocess.run(["chroot", self.root, *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300)

    def must(self, *command):
        done = self.run(*command)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit {done.returncode}: {(done.stdout + done.stderr)[-2500:]}")
        return done.stdout + done.stderr

    def install(self, package):
        """With what it depends on; returns what was asked of systemctl."""
        shutil.copyfile(package, self.path("tmp/package.deb"))
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "APT::Keep-Downloaded-Packages=1",
                   "-o", "APT::Sandbox::User=root", "-o", "Dpkg::Options::=--force-confold", "/tmp/package.deb"]
        if self.run(*command).returncode != 0:   # the lists may be from another day
            self.must("apt-get", "update", "-q")
            self.must(*command)
        self._packages(f"{self.root}/{ARCHIVES}", f"{CACHE}/archives")
        return self.calls()

    def calls(self):
        """What changes a service, since the last time; what is asked twice in a row counts once."""
        path = self.path(CALLS)
        text = self.read(CALLS) if os.path.exists(path) else ""
        self.write(CALLS, "")
        words = re.findall(r"(?<![\w-])(start|stop|restart|daemon-reload)(?![\w-])", text)
        return [word for word, _ in itertools.groupby(words)]

    def owner(self, path):
        """ "user:group mode" """
        return self.must("stat", "-c", "%U:%G %a", path).strip()
