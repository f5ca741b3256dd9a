"""The root file system of an image, and containers of it: processes with that root, read-only but for the volume, as the
image's own user, in the environment that its Dockerfile sets.  Needs root, for mounts and chroot; no container engine.
"""

import json
import os
import re
import shlex
import subprocess

from cases import ROOT, Skip, expect, program
from container import Container

DOCKERFILES = {"light": "Dockerfile", "enterprise": "Dockerfile.enterprise"}
# What an engine adds to every container.
ENGINE_FOLDERS = ("dev", "proc", "sys")
MOUNTS = """
set -e
mount --bind "$ROOTFS" "$ROOTFS"
for name in null urandom; do mount --bind "/dev/$name" "$ROOTFS/dev/$name"; done
mount --rbind /proc "$ROOTFS/proc"
mount --bind "$VOLUME" "$ROOTFS/app/data"
mount -o remount,ro,bind "$ROOTFS"
exec env -i "$@"
"""


class Dockerfile:
    """What the last stage of one says about its containers."""

    def __init__(self, name):
        with open(f"{ROOT}/{name}") as file:
            self.text = file.read()
        joined = re.sub(r"\\\n\s*", " ", self.text)
        lines = [line.partition(" ")[::2] for line in joined.splitlines() if line and not line.startswith("#")]
        self.instructions = [(word.upper(), rest.strip()) for word, rest in lines]
        start = max(at for at, (word, _) in enumerate(self.instructions) if word == "FROM")
        self.base, self.last = self.instructions[start][1], self.instructions[start + 1:]

    def value(self, word):
        found = [rest for name, rest in self.last if name == word]
        expect(len(found) == 1, f"{word}: {found}")
        return found[0]

    def environment(self):
        return dict(pair.split("=", 1) for word, rest in self.last if word == "ENV" for pair in shlex.split(rest))

    def entry(self):
        return json.loads(self.value("ENTRYPOINT"))

    def health_command(self):
        return json.loads(self.value("HEALTHCHECK").partition("CMD ")[2])


def layout(bench):
    """The folder with the image's files: what AKR_IMAGE_ROOT names, else made of the binary as the Dockerfiles do."""
    given = os.environ.get("AKR_IMAGE_ROOT")
    target = f"{bench.directory}/image"
    if os.path.exists(target):
        return target
    if given:
        subprocess.run(["cp", "-a", "--no-target-directory", given, target], check=True)   # owners, too
        return target
    made = subprocess.run([f"{ROOT}/scripts/image_root.sh", bench.binary, f"{bench.directory}/made"], capture_output=True,
                          text=True)
    expect(made.returncode == 0, f"image_root.sh: {made.stderr}")
    os.rename(f"{bench.directory}/made/root", target)
    os.rename(f"{bench.directory}/made/owned/data", f"{target}/app/data")
    os.chown(f"{target}/app/data", 10001, 10001)
    return target


def needed(path):
    """The names of the libraries that an ELF file asks for, or None if it is none."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
    said = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", said)


class ImageContainer(Container):
    """`docker run --read-only -v VOLUME:/app/data -e ...`; Container has what clients and administrators do."""

    def __init__(self, bench, dockerfile, port, volume=None, **environment):
        if os.geteuid() != 0:
            raise Skip("needs root, for mounts and chroot")
        self.bench, self.dockerfile, self.port = bench, dockerfile, port
        self.volume = volume or self.new_volume(bench)
        self.environment = {**dockerfile.environment(), "BACKEND_PORT": str(port), **environment}
        self.health_command, self.grace, self.process = dockerfile.health_command(), 75, None
        self.root = self._root()

    @staticmethod
    def new_volume(bench, owner=10001):
        path = bench.new_directory()
        os.chmod(path, 0o755)
        os.chown(path, owner, owner)
        return path

    def _root(self):
        root = f"{self.bench.new_directory()}/root"
        subprocess.run(["cp", "-al", layout(self.bench), root], check=True)
        for name in ENGINE_FOLDERS:
            os.makedirs(f"{root}/{name}", exist_ok=True)
        for name in ("null", "urandom"):
            open(f"{root}/dev/{name}", "w").close()
        return root

    def command(self, command):
        user, group = self.dockerfile.value("USER").split(":")
        inside = [program("unshare"), f"--root={self.root}", f"--wd={self.dockerfile.value('WORKDIR')}", f"--setuid={user}",
                  f"--setgid={group}", "--", *command]
        variables = [f"{name}={value}" for name, value in {"PATH": os.environ["PATH"], **self.environment}.items()]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, "sh", *variables, *inside]

    def surroundings(self):
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "ROOTFS": self.root, "VOLUME": self.volume}

    def start(self, *arguments):
        directory = self.bench.new_directory()
        self.stdout_path, self.stderr_path = f"{directory}/stdout", f"{directory}/stderr"
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(self.command([*self.dockerfile.entry(), *arguments]), stdin=subprocess.DEVNULL,
                                            env=self.surroundings(), stdout=out, stderr=err)
        self.bench.at_end(self.kill)
        return self

    def healthcheck(self):
        return self.run(*self.health_command).returncode

    def run(self, *command):
        """`docker run` of something that ends, or `docker exec`: its CompletedProcess."""
        return subprocess.run(self.command(command), env=self.surroundings(), capture_output=True, text=True, timeout=30)
