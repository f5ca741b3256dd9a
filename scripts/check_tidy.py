#!/usr/bin/env python3
"""clang-tidy over src/ and tests/, what changed last first, for as long as there is time.

    scripts/check_tidy.py [--all] [--minutes N] [FILE...]

Looks at the sources in the order of their last commit (changes that are not committed come first) and stops after N
minutes (5); --all goes on to the end.  What was clean is remembered in build/tidy, by the bytes of the source, of the
headers of this project that it includes and of the rules, and is not looked at again.  Needs build/release to be
configured (for the compile commands).  Exit 1 if something was found.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "tidy"
COMMANDS = ROOT / "build" / "release" / "compile_commands.json"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)


def git(*arguments):
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def changed_first(sources):
    """The sources in the order of their last change."""
    order = [line[3:] for line in git("status", "--porcelain", "--untracked-files=all")]
    order += git("log", "-n", "400", "--name-only", "--format=")
    rank = {}
    for name in order:
        rank.setdefault(name, len(rank))
    # A changed header counts for the source beside it.
    def place(source):
        names = [str(source), str(source.with_suffix(".hpp"))]
        return min(rank.get(name, len(rank)) for name in names)
    return sorted(sources, key=lambda source: (place(source), str(source)))


class Contents:
    """What a source consists of, headers of this project included."""

    def __init__(self):
        self.known = {}

    def files_of(self, path, seen):
        if path in seen or not path.is_file():
            return
        seen.add(path)
        if path not in self.known:
            text = path.read_bytes()
            self.known[path] = (hashlib.sha256(text).digest(), INCLUDE.findall(text))
        for name in self.known[path][1]:
            for base in (ROOT / "src", ROOT):
                self.files_of(base / name.decode(), seen)

    def digest(self, source):
        seen = set()
        self.files_of(ROOT / source, seen)
        total = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
        for path in sorted(seen):
            total.update(str(path.relative_to(ROOT)).encode() + self.known[path][0])
        return total.hexdigest()


def is_test(source):
    return source.parts[0] == "tests" or source.stem.endswith("_test")


def look_at(source):
    """What clang-tidy says of one source; "" = nothing."""
    # A test that finds nothing where something should be fails either way, and one that is slow is still a test; loops
    # that end by what a coroutine brings seem endless to the third check.
    unfit = "--checks=-bugprone-unchecked-optional-access,-performance-*,-bugprone-infinite-loop"
    checks = [unfit] if is_test(source) else []
    done = subprocess.run(["clang-tidy-16", "--quiet", *checks, "-p", str(COMMANDS.parent), str(source)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout or done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    asked = parser.parse_args()
    if not COMMANDS.is_file():
        sys.exit("check_tidy: there is no build/release/compile_commands.json; run: cmake --preset release")
    entries = json.loads(COMMANDS.read_text())
    built = {pathlib.Path(os.path.join(entry["directory"], entry["file"])).resolve() for entry in entries}
    sources = [path.relative_to(ROOT) for path in built if path.is_relative_to(ROOT)]
    sources = [path for path in sources if path.parts[0] in ("src", "tests")]
    if asked.files:
        sources = [path for path in sources if (ROOT / path) in {each.resolve() for each in asked.files}]
    CACHE.mkdir(parents=True, exist_ok=True)
    contents = Contents()
    stamps = {source: CACHE / contents.digest(source) for source in sources}
    left = [source for source in changed_first(sources) if not stamps[source].exists()]
    end = time.monotonic() + (float("inf") if asked.all or asked.files else asked.minutes * 60)
    found = looked = 0

    def work(source):
        return None if time.monotonic() >= end else look_at(source)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, said in zip(left, pool.map(work, left)):
            if said is None:
                continue
            looked += 1
            if said:
                found += 1
                print(said, flush=True)
            else:
                stamps[source].touch()
    print(f"check_tidy: {looked} looked at, {len(sources) - len(left)} known to be clean, "
          f"{len(left) - looked} left for another time, {found} with findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
