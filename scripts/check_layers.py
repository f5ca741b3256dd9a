#!/usr/bin/env python3
"""Who may include whom: the matrix of ARCHITECTURE.md section 5, over src/.

    scripts/check_layers.py [SRC]

Prints FILE:LINE: REASON for each include that crosses a layer and exits with 1 if there is one.  So it does for a right
that no include uses, and where the matrix, the page's table and the links in CMakeLists.txt are not the same.
"""

import pathlib
import re
import sys

# A row may include itself and what it lists.  "port" = only the headers in PORTS.
ALLOWED = {
    "base": "",
    "config": "base",
    "core": "base",
    "llm": "base",
    "net": "base",
    "telemetry": "base",
    "store": "base core",
    "cluster": "base core",
    "upstream": "base core llm net",
    "proxy": "base core llm net telemetry upstream",
    "jobs": "base core net store:port upstream",
    "admin": "base core llm net store:port cluster:port jobs upstream",
    "app": "base config core net telemetry store cluster upstream proxy jobs admin",
}
PORTS = {"store": re.compile(r"store/\w+_store\.hpp"), "cluster": re.compile(r"cluster/cluster_state\.hpp")}

# Members of a family do not know each other; only the family's list names them.  The members are the folders beside
# the list, but for those that members share.
FAMILIES = ["llm/dialect", "llm/provider", "store", "cluster"]
SHARED = {"store/sql"}
LISTS = ("registry.cpp", "open.cpp")
# Providers say which dialects they speak.
MAY_NAME = {"llm/provider": "llm/dialect"}

# External headers that stay in the folders where they enter.
EXTERNAL = [
    (re.compile(r"boost/(asio|beast)[/.]|openssl/|ares\.h"), ("net", "app")),
    (re.compile(r"soci/|sqlite3\.h"), ("store",)),
    (re.compile(r"prometheus/"), ("telemetry",)),
    (re.compile(r"jwt\.h"), ("admin",)),
    (re.compile(r"CLI/"), ("app",)),
]

# External headers that one file alone may include, so that what they accept is checked in one place.  Tests may.
ONE_FILE = [(re.compile(r"boost/url[/.]"), "base/strict_url.cpp")]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
IS_TEST = re.compile(r"(_(test|dbtest|bench|fuzz)\.cpp|_(contract|fixture)\.hpp)$")


def rights_of(layer):
    """What `layer` may include: folder -> "" or "port"."""
    return dict(entry.partition(":")[::2] for entry in ALLOWED[layer].split())


def layer_problem(path, target):
    """Why `path` (relative to src) may not include `target`, or None."""
    layer = path.parts[0]
    folder = target.split("/")[0]
    if folder == layer:
        return None
    if folder not in ALLOWED:
        return f'"{target}" is in no layer'
    rights = rights_of(layer)
    if folder not in rights:
        return f'{layer} may not include {folder} ("{target}")'
    if rights[folder] == "port" and not PORTS[folder].fullmatch(target):
        if IS_TEST.search(path.name) and target == f"{folder}/open.hpp":  # a test may run against the real thing
            return None
        return f'{layer} may include only the port of {folder}, not "{target}"'
    return None


def family_problem(path, target):
    """Why `path` (relative to src) may not name the family member that `target` belongs to, or None."""
    family = next((each for each in FAMILIES if target.startswith(each + "/")), None)
    rest = target[len(family) + 1:] if family else ""
    if "/" not in rest:  # of no family, or the family's own
        return None
    member = f"{family}/{rest.split('/')[0]}"
    if member in SHARED or path.as_posix().startswith(member + "/") or IS_TEST.search(path.name):
        return None
    in_list = path.name in LISTS and path.parent.as_posix() == family
    named_by = next((by for by, named in MAY_NAME.items() if named == family), None)
    if in_list or (named_by and path.as_posix().startswith(named_by + "/")):
        return None
    return f'only {family}/{" or ".join(LISTS)} names the member {member} ("{target}")'


def external_problem(path, target):
    for pattern, folders in EXTERNAL:
        if pattern.match(target) and path.parts[0] not in folders:
            return f"<{target}> belongs into {' and '.join(folders)}"
    for pattern, owner in ONE_FILE:
        if pattern.match(target) and path.as_posix() != owner and not IS_TEST.search(path.name):
            return f"only {owner} includes <{target}>"
    return None


def problems_of(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        if quote == "<":
            problem = external_problem(path, target)
        elif target.startswith("tests/") and IS_TEST.search(path.name):
            problem = None
        else:
            problem = layer_problem(path, target) or family_problem(path, target)
        if problem:
            yield number, problem


def unused_rights(source, files):
    """Rights that no include of `files` uses: nobody shall lean on them unnoticed."""
    used = set()
    for file in files:
        layer = file.relative_to(source).parts[0]
        for line in file.read_text(encoding="utf-8").splitlines():
            if match := INCLUDE.match(line):
                used.add((layer, match.group(2).split("/")[0]))
    for layer in ALLOWED:
        for folder in rights_of(layer):
            if (layer, folder) not in used:
                yield f"scripts/check_layers.py:1: {layer} may include {folder}, and nobody does"


def page_rights(page):
    """The table of ARCHITECTURE.md section 5: layer -> folder -> "" or "port"."""
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:1] == line[-1:] == "|"]
    start = next(number for number, row in enumerate(rows) if row[0].startswith("may include"))
    meaning = {"x": "", "port only": "port"}
    return {row[0]: {folder: meaning[cell] for folder, cell in zip(rows[start][1:], row[1:]) if cell in meaning}
            for row in rows[start + 2:start + 2 + len(ALLOWED)]}


def links(cmake):
    """What CMakeLists.txt links: layer -> folders."""
    return {match.group(1): set((match.group(2) or "").split())
            for match in re.finditer(r"^akr_module\((\w+)\s+(?:DEPENDS ([a-z ]+))?", cmake, re.MULTILINE)}


def copy_problems(root):
    """The matrix stands in three places for three readers: all say the same."""
    table = page_rights((root / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    linked = links((root / "CMakeLists.txt").read_text(encoding="utf-8"))
    for layer in ALLOWED:
        if table.get(layer) != rights_of(layer):
            yield f"ARCHITECTURE.md:1: the row {layer} of section 5 is not that of scripts/check_layers.py"
        if linked.get(layer) != set(rights_of(layer)):
            yield f"CMakeLists.txt:1: {layer} does not link what it may include"


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "src")
    files = sorted([*source.rglob("*.cpp"), *source.rglob("*.hpp")])
    problems = [*unused_rights(source, files), *copy_problems(source.resolve().parent)]
    for file in files:
        path = file.relative_to(source)
        if path.parts[0] not in ALLOWED:
            problems.append(f"{file}:1: the folder {path.parts[0]} is no layer")
            continue
        for number, problem in problems_of(path, file.read_text(encoding="utf-8")):
            problems.append(f"{file}:{number}: {problem}")
    for problem in problems:
        print(problem)
    print(f"check_layers: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
