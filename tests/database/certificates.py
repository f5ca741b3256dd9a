"""Certificates for one run, made by openssl: a server's, a client's, their CA, and a CA that has nothing to do with it."""

import os
import subprocess


class Certificates:
    """All are PEM files.  The server's names are localhost and no IP address; the client is called `akr`, in `stranger` too,
    which the other CA signed."""

    def __init__(self, directory):
        self.directory = directory
        self.ca, self.other_ca = self._authority("ca"), self._authority("other")
        self.server, self.server_key = self._signed("server", "localhost", "ca")
        self.client, self.client_key = self._signed("client", "akr", "ca")
        self.stranger, self.stranger_key = self._signed("stranger", "akr", "other")

    def _authority(self, name):
        path = os.path.join(self.directory, f"{name}.pem")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN=Test CA {name}", "-days", "2",
                      "-keyout", os.path.join(self.directory, f"{name}.key"), "-out", path)
        return path

    def _signed(self, name, owner, authority):
        """(certificate, key)"""
        base, signer = os.path.join(self.directory, name), os.path.join(self.directory, authority)
        with open(f"{base}.names", "w") as names:
            names.write(f"subjectAltName=DNS:{owner}\n")
        self._openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={owner}", "-keyout", f"{base}.key",
                      "-out", f"{base}.request")
        self._openssl("x509", "-req", "-in", f"{base}.request", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key",
                      "-CAcreateserial", "-days", "2", "-extfile", f"{base}.names", "-out", f"{base}.pem")
        return f"{base}.pem", f"{base}.key"

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
