#!/usr/bin/env python3
"""Prints FILE with what stands between its lines `<!-- generated: NAME -->` and `<!-- end of NAME -->` replaced by
standard input.

    scripts/replace_part.py FILE NAME <PART
"""

import pathlib
import sys


def main():
    file, name = sys.argv[1:]
    text = pathlib.Path(file).read_text()
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->\n"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"{file} needs one line {begin.strip()} and one {end.strip()}")
    before, rest = text.split(begin)
    sys.stdout.write(before + begin + sys.stdin.read() + end + rest.split(end)[1])


if __name__ == "__main__":
    main()
