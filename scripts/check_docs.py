#!/usr/bin/env python3
"""What check_docs.sh checks besides generated files: headings of both languages, links between files, unread settings,
rules that are named but not explained, paths that lead nowhere, merges that were committed unfinished."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
HEADING = re.compile(r"^(#+) ")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SETTING = re.compile(r'^  Setting<[^\n]*> (\w+)\{\*this, "(\w+)"', re.MULTILINE)

INSTALLED = {"node_modules", ".venv"}  # what others wrote
RULE = re.compile(r"\bD\d\d\b")
CONFLICT = re.compile(rb"(<{7}|>{7}|\|{7})( |$)")

# A path as prose names it: from the root or, for what lies in src/, from there.  `core/keys/key_pool` is the family
# key_pool.*, `<name>` ends a path, `{a,b}` and `*` are read as a shell reads them.
ROOMS = sorted(folder.name for folder in (ROOT / "src").iterdir() if folder.is_dir())
TOPS = ["bench", "cmake", "deploy", "docs", "scripts", "src", "tests"]
PATH = re.compile(rf"(?<![\w/.>-])((?:{'|'.join([*TOPS, *ROOMS])})/(?:\{{[^}}<]*\}}|[\w*/-]|\.(?=[\w*{{]))*)")
BRACES = re.compile(r"^(.*?)\{([^}]*)\}(.*)$")
MAP_LINE = re.compile(r"^((?:[|] {3}| {4})*)[|`]-- (.*)$")
MAP_NAME = re.compile(r"(?<![\w./*-])([\w*-]+(?:\.(?:\w+|\*))?/?)(?= |$)")

# Read and judged where they are declared: no other part acts on them in a build without servers.
READ_BY_CONFIG = {"redis_password", "redis_db"}


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def outline(file):
    """Levels of the headings, in order: translations have the same."""
    return [len(match.group(1)) for line in without_code(file.read_text()).splitlines() if (match := HEADING.match(line))]


def language_problems():
    pairs = [(folder / "README.md", folder / "README_CN.md") for folder in (ROOT, ROOT / "deploy")]
    names = {file.name for language in ("en", "zh-CN") for file in (ROOT / "docs" / language).glob("*.md")}
    pairs += [(ROOT / "docs/en" / name, ROOT / "docs/zh-CN" / name) for name in sorted(names)]
    for english, chinese in pairs:
        missing = [file for file in (english, chinese) if not file.exists()]
        if missing:
            yield f"{missing[0].relative_to(ROOT)} is missing"
        elif outline(english) != outline(chinese):
            yield f"{english.relative_to(ROOT)} and {chinese.relative_to(ROOT)} have different headings"


def link_problems():
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]:
        for target in LINK.findall(without_code(file.read_text())):
            if "://" not in target and not (file.parent / target).exists():
                yield f"{file.relative_to(ROOT)}: the link {target} leads nowhere"


def setting_problems():
    declared = SETTING.findall((ROOT / "src/config/settings.hpp").read_text())
    if len(declared) < 40:
        yield "src/config/settings.hpp: the pattern of this check finds too few settings"
    code = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.cpp") if not file.name.endswith("_test.cpp"))
    for member, name in declared:
        if member not in READ_BY_CONFIG and not re.search(rf"(\.|->){member}\b", code):
            yield f"src/config/settings.hpp: {name} is declared but never read"


def error_problems():
    """A code that nobody raises promises what never comes."""
    codes = re.findall(r"^  (k\w+),", (ROOT / "src/base/error.hpp").read_text(), re.MULTILINE)
    if len(codes) < 30:
        yield "src/base/error.hpp: the pattern of this check finds too few codes"
    code = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.cpp")
                     if not file.name.endswith("_test.cpp") and file.name != "error_table.cpp")
    for name in codes:
        if not re.search(rf"\bErrorCode::{name}\b", code):
            yield f"src/base/error.hpp: nobody raises {name}"


def rule_problems():
    """A number that a comment names is explained in both languages."""
    stated = {language: set(re.findall(r"^\*\*(D\d\d)\.", (ROOT / "docs" / language / "behaviour.md").read_text(), re.MULTILINE))
              for language in ("en", "zh-CN")}
    if stated["en"] != stated["zh-CN"]:
        yield f"docs/*/behaviour.md state different rules: {sorted(stated['en'] ^ stated['zh-CN'])}"
    for folder in ("src", "tests", "docs/decisions"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix not in (".cpp", ".hpp", ".py", ".mjs", ".md") or INSTALLED & set(file.parts):
                continue
            for number in sorted(set(RULE.findall(file.read_text(errors="replace"))) - stated["en"]):
                yield f"{file.relative_to(ROOT)}: {number} is no rule of docs/en/behaviour.md"


def spellings(path):
    """`a.{b,c}` as a.b and a.c."""
    if not (match := BRACES.match(path)):
        return [path]
    before, inner, after = match.groups()
    return [spelling for part in inner.split(",") for spelling in spellings(before + part.strip() + after)]


def exists(folder, path):
    path = path.rstrip("/")
    return any(folder.glob(path)) or ("." not in path and any(folder.glob(path + ".*")))


def path_problems():
    """A path that the pages about the code name is there."""
    for name in ("ARCHITECTURE.md", "CONTRIBUTING.md"):
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            for path in (spelling for named in PATH.findall(line) for spelling in spellings(named)):
                if not exists(ROOT if path.split("/")[0] in TOPS else ROOT / "src", path):
                    yield f"{name}:{number}: there is no {path}"


def map_problems():
    """Each line of ARCHITECTURE.md's map names what lies in the folder that it is drawn in."""
    folders = [ROOT]
    for number, line in enumerate((ROOT / "ARCHITECTURE.md").read_text().splitlines(), 1):
        if not (match := MAP_LINE.match(line)):
            continue
        depth = len(match.group(1)) // 4
        names = [name for name in MAP_NAME.findall(match.group(2)) if name.endswith("/") or "." in name]
        del folders[depth + 1:]
        for name in names:
            if not exists(folders[depth], name) and not exists(folders[-1], name):
                yield f"ARCHITECTURE.md:{number}: there is no {name} in {folders[-1].relative_to(ROOT)}/"
            elif name == names[0] and name.endswith("/"):
                folders.append(folders[depth] / name)


def conflict_problems():
    """Of a merge's three markers the middle one also underlines headings; the outer two stand nowhere else."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in files.split("\0"):
        if not (ROOT / name).is_file():
            continue
        content = (ROOT / name).read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            if CONFLICT.match(line):
                yield f"{name}:{number}: a conflict marker"


def main():
    problems = [*language_problems(), *link_problems(), *setting_problems(), *error_problems(), *rule_problems(), *path_problems(),
                *map_problems(), *conflict_problems()]
    for problem in problems:
        print(problem)
    print(f"check_docs: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
