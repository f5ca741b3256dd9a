"""Renders the part of Go's templates that the chart in deploy/helm uses; anything else is an Unsupported, never a guess.

    template = *( text | action )
    action   = "{{" ["- "] ( "if" P | "else" ["if" P] | "with" P | "range" [$a ["," $b] ":="] P | "define" "name" | "end"
             | $a ( ":=" | "=" ) P | "/*" comment "*/" | P ) [" -"] "}}"
    P        = command *( "|" command )          the result is the last argument of the next command
    command  = operand *operand                  a function with its arguments, or a value
    operand  = "text" | number | true | false | $a[.b.c] | .[b.c] | "(" P ")"

The meaning of truth, of a missing member and of the functions is that of text/template and Helm.
"""

import re

from template_functions import FUNCTIONS, Refusal, Unsupported, is_true, shown

ACTION = re.compile(r"\{\{(-\s)?\s*(/\*.*?\*/|(?:\"(?:\\.|[^\"\\])*\"|(?!\}\}).)*?)\s*(\s-)?\}\}", re.DOTALL)
WORD = re.compile(r'\s*("(?:\\.|[^"\\])*"|:=|[()|,=]|-?\d+|\$?(?:[A-Za-z_]\w*)?(?:\.[A-Za-z_]\w*)*\.?)')
VARIABLES = re.compile(r"^(?:\$(\w+)\s*,\s*)?\$(\w+)\s*:=\s*(.*)$", re.DOTALL)
SETTING = re.compile(r"^\$(\w+)\s*(:?=)\s*(.*)$", re.DOTALL)


class Node:
    def __init__(self, kind, text=""):
        self.kind, self.text, self.body, self.otherwise = kind, text, [], None


def tokens(source):
    """(is action, text), with the blanks gone that "{{-" and "-}}" take."""
    at, trim = 0, False
    for match in ACTION.finditer(source):
        text = source[at:match.start()]
        text = text.lstrip() if trim else text
        yield False, text.rstrip() if match[1] else text
        yield True, match[2].strip()
        at, trim = match.end(), match[3] is not None
    text = source[at:]
    if "{{" in text or "}}" in text:
        raise Unsupported(f"braces that do not pair: {text[:80]!r}")
    yield False, text.lstrip() if trim else text


def parse(source):
    """The root node; templates that are defined stand in it as nodes of kind `define`."""
    root = Node("root")
    stack = [(root, root.body)]
    for is_action, text in tokens(source):
        node, body = stack[-1]
        word, _, rest = text.partition(" ")
        if not is_action:
            body.append(Node("text", text))
        elif text.startswith("/*"):
            continue
        elif word in ("if", "with", "range", "define"):
            inner = Node(word, rest.strip())
            body.append(inner)
            stack.append((inner, inner.body))
        elif word == "else":
            stack[-1] = open_else(node, rest.strip())
        elif word == "end":
            if len(stack) == 1:
                raise Unsupported("an `end` too many")
            stack.pop()
        else:
            body.append(Node("set" if SETTING.match(text) else "show", text))
    if len(stack) != 1:
        raise Unsupported(f"no `end` of {stack[-1][0].kind} {stack[-1][0].text}")
    return root


def open_else(node, rest):
    """`else if` is an `if` within the `else`, which ends with it."""
    if node.kind not in ("if", "with", "range") or node.otherwise is not None:
        raise Unsupported(f"an `else` in {node.kind}")
    node.otherwise = []
    if not rest:
        return node, node.otherwise
    if not rest.startswith("if "):
        raise Unsupported(f"else {rest}")
    inner = Node("if", rest[3:].strip())
    node.otherwise.append(inner)
    return inner, inner.body


def words(text):
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = WORD.match(text, at)
        if not match or not match[1]:
            raise Unsupported(f"{text[at:]!r} in {text!r}")
        found.append(match[1])
        at = match.end()
    return found


class Scope:
    """Variables; an inner one sees and changes those outside."""

    def __init__(self, outer=None, **names):
        self.outer, self.names = outer, names

    def find(self, name):
        scope = self
        while scope and name not in scope.names:
            scope = scope.outer
        if not scope:
            raise Unsupported(f"no variable ${name}")
        return scope


class Renderer:
    def __init__(self, sources):
        """`sources`: texts by file name."""
        self.files = {name: parse(source) for name, source in sources.items()}
        self.defined = {node.text.strip('"'): node for root in self.files.values() for node in root.body if node.kind == "define"}

    def render(self, file, context):
        return self._body(self.files[file].body, context, Scope(**{"": context}))

    def include(self, name, context):
        if name not in self.defined:
            raise Unsupported(f"no template {name!r}")
        return self._body(self.defined[name].body, context, Scope(**{"": context}))

    def _body(self, nodes, dot, scope):
        return "".join(getattr(self, f"_{node.kind}")(node, dot, scope) for node in nodes)

    def _text(self, node, dot, scope):
        return node.text

    def _define(self, node, dot, scope):
        return ""

    def _show(self, node, dot, scope):
        return shown(self._value(node.text, dot, scope))

    def _set(self, node, dot, scope):
        name, sign, text = SETTING.match(node.text).groups()
        target = scope if sign == ":=" else scope.find(name)
        target.names[name] = self._value(text, dot, scope)
        return ""

    def _if(self, node, dot, scope):
        body = node.body if is_true(self._value(node.text, dot, scope)) else node.otherwise or []
        return self._body(body, dot, Scope(scope))

    def _with(self, node, dot, scope):
        value = self._value(node.text, dot, scope)
        if is_true(value):
            return self._body(node.body, value, Scope(scope))
        return self._body(node.otherwise or [], dot, Scope(scope))

    def _range(self, node, dot, scope):
        match = VARIABLES.match(node.text)
        key_name, value_name, text = match.groups() if match else (None, None, node.text)
        items = self._value(text, dot, scope) or []
        pairs = sorted(items.items()) if isinstance(items, dict) else list(enumerate(items))
        if not pairs:
            return self._body(node.otherwise or [], dot, Scope(scope))
        return "".join(self._body(node.body, value, Scope(scope, **{name: item for name, item in
                                                                   ((key_name, key), (value_name, value)) if name}))
                       for key, value in pairs)

    # -- values ------------------------------------------------------------------------------------------------

    def _value(self, text, dot, scope):
        rest = words(text)
        value = self._pipeline(rest, dot, scope)
        if rest:
            raise Unsupported(f"{rest} is left of {text!r}")
        return value

    def _pipeline(self, rest, dot, scope):
        value = self._command(rest, dot, scope, [])
        while rest and rest[0] == "|":
            rest.pop(0)
            value = self._command(rest, dot, scope, [value])
        return value

    def _command(self, rest, dot, scope, last):
        first = rest[0]
        if re.fullmatch(r"[A-Za-z]\w*", first) and first not in ("true", "false"):
            rest.pop(0)
            arguments = []
            while rest and rest[0] not in ("|", ")"):
                arguments.append(self._operand(rest, dot, scope))
            return self._call(first, arguments + last)
        if last:
            raise Unsupported(f"{first} is no function")
        return self._operand(rest, dot, scope)

    def _call(self, name, arguments):
        if name == "include":
            return self.include(*arguments)
        if name not in FUNCTIONS:
            raise Unsupported(f"the function {name}")
        return FUNCTIONS[name](*arguments)

    def _operand(self, rest, dot, scope):
        word = rest.pop(0)
        if word == "(":
            value = self._pipeline(rest, dot, scope)
            if not rest or rest.pop(0) != ")":
                raise Unsupported("a `(` without `)`")
            return value
        if word.startswith('"'):
            return word[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if word in ("true", "false"):
            return word == "true"
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        if word.startswith("$"):
            name, *members = word[1:].split(".")
            return member_of(scope.find(name).names[name], members)
        if word.startswith("."):
            return member_of(dot, [member for member in word[1:].split(".") if member])
        raise Unsupported(f"the operand {word!r}")


def member_of(value, members):
    for member in members:
        if value is None:
            raise Refusal(f"nil pointer evaluating .{member}")
        if not isinstance(value, dict):
            raise Refusal(f"can't evaluate field {member} in {type(value).__name__}")
        value = value.get(member)
    return value
