"""A .deb: made by CPack of what is built, read, and made again as a newer one."""

import glob
import io
import os
import subprocess
import tarfile

from cases import Failure, program


def output_of(*command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {(done.stdout + done.stderr).decode()[-1500:]}")
    return done.stdout


class PackageFile:
    def __init__(self, path):
        self.path = path
        self.version = self.field("Version")

    @classmethod
    def build(cls, folder, into):
        program("dpkg-shlibdeps")
        output_of(program("cpack"), "-G", "DEB", "--config", f"{folder}/CPackConfig.cmake", "-B", into)
        return cls(glob.glob(f"{into}/*.deb")[0])

    def field(self, name):
        return output_of("dpkg-deb", "-f", self.path, name).decode().strip()

    def control(self, name):
        return output_of("dpkg-deb", "-I", self.path, name).decode()

    def files(self):
        """Path -> (mode, owner) as `ls` writes them."""
        lines = [line.split(None, 5) for line in output_of("dpkg-deb", "-c", self.path).decode().splitlines()]
        return {line[5][1:]: (line[0], line[1]) for line in lines}

    def read_bytes(self, path):
        with tarfile.open(fileobj=io.BytesIO(output_of("dpkg-deb", "--fsys-tarfile", self.path))) as archive:
            return archive.extractfile("." + path).read()

    def read(self, path):
        return self.read_bytes(path).decode()

    def newer_version(self, behind=""):
        return self.version + "+newer" + behind

    def newer(self, into, behind=""):
        """The same with a higher version, and with settings that are not those of this one."""
        tree = f"{into}/tree"
        output_of("dpkg-deb", "-R", self.path, tree)
        with open(f"{tree}/DEBIAN/control") as file:
            control = file.read()
        with open(f"{tree}/DEBIAN/control", "w") as out:
            out.write(control.replace(f"Version: {self.version}\n", f"Version: {self.newer_version(behind)}\n"))
        with open(f"{tree}/etc/api-key-rotator/environment", "a") as out:
            out.write(f"# a line of the newer one{behind}\n")
        os.remove(f"{tree}/DEBIAN/md5sums")
        output_of("dpkg-deb", "-Zgzip", "-z1", "-b", tree, f"{into}/newer.deb")
        return PackageFile(f"{into}/newer.deb")
