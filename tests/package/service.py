"""The package's service, started as its unit says: as its user, without rights, in a file system that it cannot write to but
for its own folder."""

import os
import shlex
import subprocess

from container import Container
from unit_file import UnitFile, environment_of

UNIT = "/lib/systemd/system/api-key-rotator.service"


def setup(root, state):
    """A script for a mount namespace of its own: ProtectSystem=strict, PrivateTmp, ProcSubset=pid, StateDirectory=."""
    home = shlex.quote(f"{root}/var/lib/{state}")
    root = shlex.quote(root)
    return (f"set -e; mount --rbind {root} {root}; mount --bind {home} {home}; mount -o remount,bind,ro {root}; "
            f"mount -t tmpfs tmpfs {root}/tmp; mount -t proc -o subset=pid,hidepid=2 proc {root}/proc; exec \"$@\"")


class Service(Container):
    """The same clients and administrators as a container has, another start."""

    def __init__(self, bench, debian, port):
        self.bench, self.debian, self.port, self.process, self.grace = bench, debian, port, None, 75
        self.unit = UnitFile(debian.read(UNIT))
        self.binary = self.unit.command()[0]

    def start(self, *tracer):
        """`tracer`: what stands in front of the command."""
        state, user = self.unit.one("StateDirectory"), self.unit.one("User")
        settings = environment_of(self.debian.read(self.unit.one("EnvironmentFile")))
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"/var/lib/{state}", "USER": user,
                       "STATE_DIRECTORY": f"/var/lib/{state}", "WORKERS": "2", **settings}
        command = ["/usr/bin/env", "-i", "-C", self.unit.one("WorkingDirectory"),
                   *(f"{name}={value}" for name, value in environment.items()),
                   "/bin/sh", "-c", f"umask {self.unit.one('UMask')}; ulimit -n {self.unit.one('LimitNOFILE')}; exec \"$@\"", "sh",
                   "setpriv", f"--reuid={user}", f"--regid={self.unit.one('Group')}", "--init-groups", "--inh-caps=-all",
                   "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs", "--", *self.unit.command()]
        self.stderr_path = f"{self.bench.new_directory()}/stderr"
        with open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "/bin/sh", "-c", setup(self.debian.root, state), "sh", *tracer, "chroot", self.debian.root,
                 *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, env={"PATH": os.environ["PATH"]})
        self.bench.at_end(self.kill)
        return self

    def command_as_user(self, *arguments):
        """In the service's folder, with nothing told: as the documentation has it done."""
        return self.debian.run("/usr/bin/env", "-C", self.unit.one("WorkingDirectory"), "setpriv",
                               f"--reuid={self.unit.one('User')}", f"--regid={self.unit.one('Group')}", "--init-groups", "--",
                               self.binary, *arguments)
