"""What a service asked of the kernel, against what its unit lets it ask."""

import re
import subprocess


def members(analyze, name, seen):
    """All calls of the group `name`, of groups within it too."""
    found = set()
    if name in seen:
        return found
    seen.add(name)
    text = subprocess.run([analyze, "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True).stdout
    for word in re.findall(r"^ {4}(@?[\w-]+)$", text, re.MULTILINE):
        found |= members(analyze, word, seen) if word.startswith("@") else {word}
    return found


def allowed_calls(analyze, filters):
    """`filters`: the lines SystemCallFilter= in their order."""
    allowed = members(analyze, "@default", set())   # always let in
    for line in filters:
        for name in line.lstrip("~").split():
            calls = members(analyze, name, set()) if name.startswith("@") else {name}
            allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


class Trace:
    """A file that `strace -f -o` wrote, from where it begins to run `binary`."""

    def __init__(self, file, binary):
        with open(file, errors="replace") as lines:
            text = lines.read()
        begin = text.index(f'execve("{binary}"')
        self.lines = [line.split(None, 1)[1] for line in text[begin:].splitlines()[1:] if " " in line]

    def calls(self):
        return {match.group(1) for line in self.lines if (match := re.match(r"(\w+)\(", line))}

    def writable_code(self):
        return [line for line in self.lines if re.match(r"(mmap|mprotect|pkey_mprotect)\(", line) and "PROT_EXEC" in line
                and ("PROT_WRITE" in line or not line.startswith("mmap"))]

    def families(self):
        return {match.group(1) for line in self.lines if (match := re.match(r"socket(?:pair)?\((AF_\w+)", line))}
