"""A project folder with a Compose file and `.env`, resolved by Debian's docker-compose, which needs no Docker for that: it
checks the file against the schema of the Compose specification, reads `.env` and puts its values in."""

import os
import shutil
import subprocess

from cases import ROOT, Missing, expect, program

LIGHT, ENTERPRISE = "docker-compose.yml", "docker-compose.enterprise.yml"
CLEAN = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "HOME": "/nonexistent"}


def load_yaml(text):
    try:
        import yaml
    except ImportError:
        raise Missing("python3-yaml is not installed") from None
    return yaml.safe_load(text)


class Project:
    """What a user does in a checkout: `.env` by make-env.sh or by copying, then a line or two of their own."""

    def __init__(self, bench):
        self.directory = bench.new_directory()
        self.env_file = f"{self.directory}/.env"
        for name in (LIGHT, ENTERPRISE):
            shutil.copy(f"{ROOT}/{name}", self.directory)

    def make_env(self):
        """The finished make-env.sh."""
        return subprocess.run([f"{ROOT}/scripts/make-env.sh", self.env_file], env=CLEAN, capture_output=True, text=True)

    def copy_example(self):
        shutil.copy(f"{ROOT}/.env.example", self.env_file)
        os.mkdir(f"{self.directory}/data")

    def set(self, **values):
        with open(self.env_file, "a") as out:
            out.writelines(f"{name}={value}\n" for name, value in values.items())

    def env(self):
        with open(self.env_file) as file:
            lines = [line.rstrip("\n") for line in file if "=" in line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)

    def resolve_or_error(self, file):
        """(the file's meaning or None, what docker-compose said)"""
        done = subprocess.run([program("docker-compose"), "-f", file, "config"], cwd=self.directory, env=CLEAN,
                              capture_output=True, text=True)
        return (load_yaml(done.stdout) if done.returncode == 0 else None), done.stderr

    def resolve(self, file):
        meaning, said = self.resolve_or_error(file)
        expect(meaning is not None, f"docker-compose refuses {file}: {said}")
        return meaning["services"]


def plain(file):
    """The file as it stands, nothing resolved."""
    with open(f"{ROOT}/{file}") as text:
        return load_yaml(text)
