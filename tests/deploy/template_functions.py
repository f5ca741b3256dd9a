"""The functions of Helm's templates that the chart uses, and what Go calls true and how it shows values."""

import hashlib

import yaml


class Unsupported(Exception):
    """The chart uses more than is understood here: extend this, or make the chart simpler."""


class Refusal(Exception):
    """Helm would refuse, with this text."""


def is_true(value):
    return bool(value)   # None, false, 0, "" and what is empty are false to Go, too


def shown(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise Unsupported(f"showing a {type(value).__name__}")


def fail(text):
    raise Refusal(text)


def quote(value):
    return "" if value is None else '"' + shown(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def formatted(form, *values):
    if form.count("%") != form.count("%s") or form.count("%s") != len(values):
        raise Unsupported(f"printf {form!r}")
    return form.replace("%s", "{}").format(*map(shown, values))


def kind_is(kind, value):
    kinds = {"string": str, "bool": bool}
    if kind not in kinds:
        raise Unsupported(f"kindIs {kind!r}")
    return isinstance(value, kinds[kind])


def to_yaml(value):
    return yaml.safe_dump(value, default_flow_style=False, sort_keys=True, width=10000).removesuffix("\n").removesuffix("\n...")


def last_true(*values):
    """`and` and `or` give one of their arguments, not a truth."""
    return next((value for value in values if not is_true(value)), values[-1])


def first_true(*values):
    return next((value for value in values if is_true(value)), values[-1])


def trimmed(suffix, text):
    return text.removesuffix(suffix)


FUNCTIONS = {
    "add": lambda *numbers: sum(numbers),
    "and": last_true,
    "contains": lambda part, text: part in text,
    "default": lambda other, value: value if is_true(value) else other,
    "eq": lambda first, second: first == second,
    "fail": fail,
    "gt": lambda first, second: first > second,
    "has": lambda item, items: item in items,
    "int": int,
    "int64": int,
    "kindIs": kind_is,
    "list": lambda *items: list(items),
    "ne": lambda first, second: first != second,
    "nindent": lambda width, text: "\n" + "\n".join(" " * width + line for line in text.split("\n")),
    "not": lambda value: not is_true(value),
    "or": first_true,
    "printf": formatted,
    "quote": quote,
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "toYaml": to_yaml,
    "trimSuffix": trimmed,
    "trunc": lambda length, text: text[:length],
}
