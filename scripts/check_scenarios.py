#!/usr/bin/env python3
"""Is each failure scenario shown by a test?  Reads the table in tests/integration/README.md.

    scripts/check_scenarios.py

Prints what is missing and exits with 1 if a scenario has no row, a row names no test, or a test does not exist.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests/integration/README.md"
WANTED = [*range(1, 37), 39, 43, 44, 45]
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")
ROW = re.compile(r"^\| (\d+) \|.*\| (.*?) \|$", re.MULTILINE)
NAME = re.compile(r"`(\w+\.\w+)`")


def existing_tests():
    files = [file for folder in ("src", "tests") for file in (ROOT / folder).rglob("*_test.cpp")]
    files += (ROOT / "src").rglob("*_contract.hpp")
    return {".".join(found) for file in files for found in TEST.findall(file.read_text(encoding="utf-8"))}


def complaints():
    text = TABLE.read_text(encoding="utf-8")
    rows = {int(number): shown_by for number, shown_by in ROW.findall(text)}
    for number in WANTED:
        if number not in rows:
            yield f"scenario {number} has no row"
    for number, shown_by in rows.items():
        if not NAME.search(shown_by) and shown_by != "still to come":
            yield f"scenario {number} names no test"
    for name in sorted(set(NAME.findall(text)) - existing_tests()):
        yield f"there is no test {name}"


def main():
    found = list(complaints())
    for line in found:
        print(f"{TABLE.relative_to(ROOT)}: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
