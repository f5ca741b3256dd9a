"""Runs the benchmark's own programs: the fake provider, the byte relay and the load generator."""

import contextlib
import subprocess

from . import processes


def parse_line(line):
    """key=value pairs; numbers become int or float."""
    return dict(_pair(word) for word in line.split())


def _pair(word):
    key, _, value = word.partition("=")
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return key, kind(value)
    return key, value


class Tools:
    """Where bench_upstream, bench_relay and bench_load are."""

    def __init__(self, directory):
        self.directory = directory
        for name in ("bench_upstream", "bench_relay", "bench_load"):
            if not (directory / name).exists():
                raise processes.BenchError(f"{name} is not built; run this through its .sh script")

    @contextlib.contextmanager
    def server(self, name, core, *options):
        """Runs bench_upstream or bench_relay; gives (process, port)."""
        process = processes.spawn([self.directory / name, *options], core, stdout=subprocess.PIPE, text=True)
        try:
            yield process, parse_line(process.stdout.readline())["port"]
        finally:
            processes.stop(process)
            process.stdout.close()

    def load(self, mode, port, **options):
        """One finished run of bench_load; its figures."""
        with self._load(mode, port, options) as process:
            output = process.stdout.read()
            if process.wait() != 0:
                raise processes.BenchError(f"bench_load --mode={mode} failed: {output.strip()}")
        return parse_line(output.splitlines()[-1])

    @contextlib.contextmanager
    def held_load(self, mode, port, **options):
        """bench_load in mode idle or sse, everything opened; gives the figures of its ready line."""
        with self._load(mode, port, {**options, "seconds": 0}) as process:
            yield parse_line(process.stdout.readline())

    @contextlib.contextmanager
    def _load(self, mode, port, options):
        command = [self.directory / "bench_load", f"--mode={mode}", f"--port={port}"]
        for name, value in options.items():
            for single in value if isinstance(value, list) else [value]:
                command.append(f"--{name}={single}")
        process = processes.spawn(command, processes.LOAD_CORE, stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            processes.stop(process)
            process.stdout.close()
