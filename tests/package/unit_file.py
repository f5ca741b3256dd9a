"""The package's systemd unit, read as far as starting its command without systemd needs it."""

import shlex


class UnitFile:
    def __init__(self, text):
        self.entries = []
        section = None
        for line in text.replace("\\\n", " ").splitlines():
            line = line.strip()
            if line.startswith("["):
                section = line[1:-1]
            elif line and line[0] not in "#;":
                name, value = line.split("=", 1)
                self.entries.append((section, name, value))

    def all(self, name):
        return [value for _, entry, value in self.entries if entry == name]

    def one(self, name):
        values = self.all(name)
        if len(values) != 1:
            raise KeyError(f"{name} stands {len(values)} times in the unit")
        return values[0]

    def command(self):
        return shlex.split(self.one("ExecStart"))


def environment_of(text):
    """As EnvironmentFile= reads it: no comments behind values, quotes around whole values."""
    found = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        name, value = line.split("=", 1)
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found
