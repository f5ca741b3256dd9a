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
    if isinstance(value, float) and value.is_integer() and abs(value) < 1_000_000:
        return str(int(value))   # Go writes larger ones with an exponent, which is never meant
    if isinstance(value, (str, int)):
        return str(value)
    raise Unsupported(f"showing {value!r}")


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


def whole(value):
    """Numbers as YAML has them."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def equal(first, second):
    if type(first) is not type(second):
        raise Refusal(f"incompatible types for comparison: {first!r} and {second!r}")
    return first == second


def greater(first, second):
    return not equal(first, second) and first > second


def to_yaml(value):
    return yaml.safe_dump(whole(value), default_flow_style=False, sort_keys=True, width=10000).removesuffix("\n").removesuffix("\n...")


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
    "eq": equal,
    "fail": fail,
    "gt": greater,
    "has": lambda item, items: item in items,
    "int": int,
    "int64": int,
    "kindIs": kind_is,
    "list": lambda *items: list(items),
    "ne": lambda first, second: not equal(first, second),
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
