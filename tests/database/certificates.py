"""Certificates for one run, made by openssl: a server's, its CA, and a CA that has nothing to do with it."""

import os
import subprocess


class Certificates:
    """`ca`, `other_ca`, `server` and `server_key` are PEM files; the server's names are localhost and no IP address."""

    def __init__(self, directory):
        self.directory = directory
        self.ca, self.other_ca = self._authority("ca"), self._authority("other")
        self.server, self.server_key = f"{directory}/server.pem", f"{directory}/server.key"
        with open(f"{directory}/names", "w") as names:
            names.write("subjectAltName=DNS:localhost\n")
        self._openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", self.server_key,
                      "-out", f"{directory}/request")
        self._openssl("x509", "-req", "-in", f"{directory}/request", "-CA", self.ca, "-CAkey", f"{directory}/ca.key",
                      "-CAcreateserial", "-days", "2", "-extfile", f"{directory}/names", "-out", self.server)

    def _authority(self, name):
        path = os.path.join(self.directory, f"{name}.pem")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN=Test CA {name}", "-days", "2",
                      "-keyout", os.path.join(self.directory, f"{name}.key"), "-out", path)
        return path

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
