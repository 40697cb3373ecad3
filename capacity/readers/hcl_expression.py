"""Terraform expressions, evaluated as far as literals, locals, defaults and pure functions reach.

A value that needs more (a data source, a module's output, a resource that does not exist yet) is :data:`UNKNOWN`,
and whatever is computed from it is unknown too. Grammar: hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from typing import Any

DEEPEST = 60
MOST_ROUNDS = 100_000  # of all `for` expressions of a file together
MOST_PARTS = 100_000  # values inside one value, however often it repeats itself
MOST_TEXT = 1_000_000  # characters


class Unknown:
    """The one value that stands for everything a file alone does not tell."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()
Scope = Mapping[str, Any]
Look = Callable[[str, Scope], Any]


class Budget:
    """How many rounds of `for` expressions a file may take: loops in loops would never end."""

    def __init__(self, rounds: int = MOST_ROUNDS) -> None:
        self.left = rounds

    def spend(self) -> bool:
        """Take one round; False where none is left."""
        self.left -= 1
        return self.left >= 0


class _Run:
    """What one evaluation knows: root names, and how long it may take."""

    def __init__(self, look: Look, budget: Budget) -> None:
        self.look = look
        self.budget = budget

    def __call__(self, name: str, scope: Scope) -> Any:
        return self.look(name, scope)


_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<quote>\")"
    r"|(?P<op>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%!<>?:=()\[\]{},.])|(?P<newline>$))"
)


class BadExpression(ValueError):
    """Text that is no expression of the supported kind."""


class _Parser:
    """Text to a tree of tuples ``(kind, …)``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def peek(self) -> tuple[str, str, int]:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            raise BadExpression(self.text[self.at : self.at + 20])
        return match.lastgroup, match[match.lastgroup], match.end()

    def taken(self, *wanted: str) -> bool:
        kind, value, end = self.peek()
        if kind in ("op", "name") and value in wanted:
            self.at = end
            return True
        return False

    def need(self, wanted: str) -> None:
        if not self.taken(wanted):
            raise BadExpression(f"expected {wanted} at {self.text[self.at : self.at + 20]}")

    def whole(self) -> Any:
        tree = self.expression()
        if self.peek()[0] != "newline":
            raise BadExpression(self.text[self.at : self.at + 20])
        return tree

    def expression(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadExpression("nested too deeply")
        tree = self.binary(0)
        if self.taken("?"):
            yes = self.expression()
            self.need(":")
            tree = ("if", tree, yes, self.expression())
        self.depth -= 1
        return tree

    _LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))

    def binary(self, level: int) -> Any:
        if level == len(self._LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while True:
            _, value, end = self.peek()
            if value not in self._LEVELS[level]:
                return tree
            self.at = end
            tree = ("op", value, tree, self.binary(level + 1))

    def unary(self) -> Any:
        if self.taken("!"):
            return ("not", self.unary())
        if self.taken("-"):
            return ("op", "-", ("value", 0), self.unary())
        return self.postfix(self.primary())

    def postfix(self, tree: Any) -> Any:
        while True:
            if self.taken("."):
                kind, value, self.at = self.peek()
                tree = ("splat", tree) if value == "*" else ("get", tree, ("value", value))
                if kind not in ("name", "number") and value != "*":
                    raise BadExpression(value)
            elif self.taken("["):
                tree = ("splat", tree) if self.taken("*") else ("get", tree, self.expression())
                self.need("]")
            else:
                return tree

    def primary(self) -> Any:
        kind, value, end = self.peek()
        if kind == "quote":
            return self.string(end)
        self.at = end
        if kind == "number":
            return ("value", float(value) if "." in value else int(value[:18]))
        if kind == "name":
            return self.named(value)
        if value == "(":
            tree = self.expression()
            self.need(")")
            return tree
        if value == "[":
            return self.list_or_for("]")
        if value == "{":
            return self.list_or_for("}")
        raise BadExpression(value)

    def named(self, name: str) -> Any:
        if name in ("true", "false", "null"):
            return ("value", {"true": True, "false": False, "null": None}[name])
        if self.peek()[1] == "(" and self.peek()[0] == "op":
            self.need("(")
            arguments = []
            while not self.taken(")"):
                arguments.append(self.expression())
                self.taken("...")
                self.taken(",")
            return ("call", name, arguments)
        return ("name", name)

    def list_or_for(self, closing: str) -> Any:
        if self.taken("for"):
            return self.for_each(closing)
        entries: list[Any] = []
        while not self.taken(closing):
            entry = self.expression()
            if closing == "}":
                if not self.taken("="):
                    self.need(":")
                entry = (entry, self.expression())
            entries.append(entry)
            self.taken(",")
        return ("list" if closing == "]" else "object", entries)

    def for_each(self, closing: str) -> Any:
        names = [self.name()]
        if self.taken(","):
            names.append(self.name())
        self.need("in")
        over = self.expression()
        self.need(":")
        result: Any = self.expression()
        key = None
        if closing == "}":
            self.need("=>")
            key, result = result, self.expression()
            self.taken("...")
        condition = self.expression() if self.taken("if") else None
        self.need(closing)
        return ("for", names, over, key, result, condition)

    def name(self) -> str:
        kind, value, self.at = self.peek()
        if kind != "name":
            raise BadExpression(value)
        return value

    def string(self, start: int) -> Any:
        """A quoted template; its interpolations are expressions of their own."""
        parts: list[Any] = []
        text: list[str] = []
        at = start
        while at < len(self.text):
            char = self.text[at]
            if char == '"':
                self.at = at + 1
                parts.append(("value", "".join(text)))
                return ("template", parts)
            if char == "\\" and at + 1 < len(self.text):
                text.append({"n": "\n", "t": "\t"}.get(self.text[at + 1], self.text[at + 1]))
                at += 2
            elif self.text.startswith("${", at) and not self.text.startswith("$${", at - 1):
                end = _closing(self.text, at + 2)
                parts += [("value", "".join(text)), _Parser(self.text[at + 2 : end].strip("~")).whole()]
                text = []
                at = end + 1
            else:
                text.append(char)
                at += 1
        raise BadExpression("an open string")


def _closing(text: str, at: int) -> int:
    """Where the brace closes that was opened before ``at``."""
    depth, quoted = 1, False
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == "{" and not quoted:
            depth += 1
        elif char == "}" and not quoted:
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise BadExpression("an open brace")


def evaluate(text: str, look: Look, scope: Scope | None = None, budget: Budget | None = None) -> Any:
    """The value of an expression; ``look`` gives the values of root names (``var``, ``local``, …).

    >>> evaluate('[for k, v in ["a", "b"] : cidrsubnet("10.0.0.0/16", 4, k)]', lambda name, scope: UNKNOWN)
    ['10.0.0.0/20', '10.0.16.0/20']
    """
    try:
        return _value(_Parser(text).whole(), _Run(look, budget or Budget()), scope or {}, 0)
    except (BadExpression, RecursionError):
        return UNKNOWN


def _value(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    value = _evaluated(tree, look, scope, depth)
    return UNKNOWN if tree[0] in _MAKERS and too_large(value) else value


_MAKERS = frozenset(("template", "list", "object", "call", "for"))


def too_large(value: Any) -> bool:
    """Whether a value is made to exhaust its reader: a list of two of itself, of two of that, and so on."""
    left = MOST_PARTS
    open_values = [value]
    while open_values:
        here = open_values.pop()
        left -= 1
        if left < 0 or (isinstance(here, str) and len(here) > MOST_TEXT):
            return True
        if isinstance(here, (list, dict)):
            if len(here) > left:
                return True
            open_values.extend(here.values() if isinstance(here, dict) else here)
    return False


def _evaluated(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    kind = tree[0]
    if depth > DEEPEST * 3:
        return UNKNOWN

    def inner(branch: Any) -> Any:
        return _value(branch, look, scope, depth + 1)

    if kind == "value":
        return tree[1]
    if kind == "name":
        return scope[tree[1]] if tree[1] in scope else look(tree[1], scope)
    if kind == "template":
        return _template([inner(part) for part in tree[1]])
    if kind == "list":
        return [inner(e) for e in tree[1]]
    if kind == "object":
        return {str(_key(k, inner)): inner(v) for k, v in tree[1]}
    if kind == "get":
        return get(inner(tree[1]), inner(tree[2]))
    if kind == "splat":
        base = inner(tree[1])
        return Splat(base) if isinstance(base, list) else base
    if kind == "if":
        chosen = inner(tree[1])
        if isinstance(chosen, Unknown):
            yes, no = inner(tree[2]), inner(tree[3])
            return yes if _plain(yes) and yes == no else UNKNOWN
        return inner(tree[2] if chosen in (True, "true") else tree[3])
    if kind == "not":
        value = inner(tree[1])
        return UNKNOWN if isinstance(value, Unknown) else not value
    if kind == "op":
        return _operate(tree[1], inner(tree[2]), inner(tree[3]))
    if kind == "call":
        return _call(tree[1], tree[2], inner)
    return _for(tree, look, scope, depth)


def _plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool, list))


class Splat(list[Any]):
    """A list of which the next attribute is taken of each element."""


def _key(tree: Any, inner: Callable[[Any], Any]) -> Any:
    return tree[1] if tree[0] == "name" else inner(tree)


def _template(parts: list[Any]) -> Any:
    filled = [p for p in parts if p != ""]
    if len(filled) == 1:
        return filled[0]
    if any(isinstance(p, (Unknown, list, dict)) for p in filled):
        return UNKNOWN
    return "".join(str(p).lower() if isinstance(p, bool) else str(p) for p in filled)


def get(base: Any, key: Any) -> Any:
    """An element by index, key or attribute; unknown where there is none."""
    if isinstance(base, Splat):
        return [get(e, key) for e in base]
    if isinstance(base, list) and str(key).isdigit():
        index = int(str(key))
        return base[index] if index < len(base) else UNKNOWN
    if isinstance(base, dict):
        return base.get(str(key), UNKNOWN)
    return UNKNOWN


def _operate(op: str, a: Any, b: Any) -> Any:
    if op == "&&" and False in (a, b):
        return False
    if op == "||" and True in (a, b):
        return True
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return UNKNOWN
    if op in ("==", "!="):
        return (a == b) is (op == "==")
    if op in ("&&", "||"):
        return bool(a and b) if op == "&&" else bool(a or b)
    try:
        a, b = float(a), float(b)
        results = {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}
        if op in results:
            return results[op]
        number = {"+": a + b, "-": a - b, "*": a * b}.get(op)
        if number is None:
            number = a / b if op == "/" else a % b
        return int(number) if number == int(number) else number
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def _for(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    _, names, over, key, result, condition = tree
    collection = _value(over, look, scope, depth + 1)
    if isinstance(collection, dict):
        pairs: list[tuple[Any, Any]] = list(collection.items())
    elif isinstance(collection, list):
        pairs = list(enumerate(collection))
    else:
        return UNKNOWN
    found = []
    for k, v in pairs:
        if not look.budget.spend():
            return UNKNOWN
        inner = {**scope, names[-1]: v, **({names[0]: k} if len(names) > 1 else {})}
        if condition is not None and _value(condition, look, inner, depth + 1) is not True:
            continue
        value = _value(result, look, inner, depth + 1)
        found.append((None if key is None else _value(key, look, inner, depth + 1), value))
    return [v for _, v in found] if key is None else {str(k): v for k, v in found}


def _call(name: str, arguments: list[Any], inner: Callable[[Any], Any]) -> Any:
    function = _FUNCTIONS.get(name)
    if name == "try":
        tried = (inner(a) for a in arguments)
        return next((v for v in tried if not isinstance(v, Unknown)), UNKNOWN)
    values = [inner(a) for a in arguments]
    if name == "coalesce":
        return next((v for v in values if not isinstance(v, Unknown) and v not in (None, "")), UNKNOWN)
    if function is None or any(isinstance(v, Unknown) for v in values):
        return UNKNOWN
    try:
        return function(*values)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return UNKNOWN


def cidrsubnet(block: str, bits: int, number: int) -> str:
    """Terraform's ``cidrsubnet``: the block with that many more prefix bits and that number.

    >>> cidrsubnet("10.0.0.0/16", 8, 48)
    '10.0.48.0/24'
    """
    network = IPv4Network(block, strict=False)
    prefix = network.prefixlen + int(bits)
    if not 0 <= int(bits) <= 32 - network.prefixlen or not 0 <= int(number) < 2 ** int(bits):
        raise ValueError("beyond the block")
    return str(IPv4Network((int(network.network_address) + (int(number) << (32 - prefix)), prefix)))


def cidrsubnets(block: str, *bits: int) -> list[str]:
    """Terraform's ``cidrsubnets``: blocks of those sizes one after the other."""
    network = IPv4Network(block, strict=False)
    at = int(network.network_address)
    found = []
    for more in bits:
        if not 0 <= int(more) <= 32 - network.prefixlen:
            raise ValueError("beyond an address")
        size = 2 ** (32 - network.prefixlen - int(more))
        at = -(-at // size) * size
        found.append(str(IPv4Network((at, network.prefixlen + int(more)))))
        at += size
    return found


def _merged(*maps: dict[str, Any]) -> dict[str, Any]:
    return {k: v for m in maps if m is not None for k, v in m.items()}


def _flat(values: list[Any]) -> list[Any]:
    return [inner for v in values for inner in (_flat(v) if isinstance(v, list) else [v])]


def _format(text: str, *values: Any) -> str:
    """Terraform's ``format`` for the plain verbs."""
    left = iter(values)
    try:
        return re.sub(r"%[sdv%]", lambda m: "%" if m[0] == "%%" else str(next(left)), text)
    except StopIteration:
        raise ValueError("fewer values than verbs") from None


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cidrsubnet": cidrsubnet,
    "cidrsubnets": cidrsubnets,
    "slice": lambda values, first, end: values[int(first) : int(end)],
    "concat": lambda *lists: [v for one in lists for v in one],
    "merge": _merged,
    "length": len,
    "element": lambda values, index: values[int(index) % len(values)],
    "lookup": lambda table, key, *default: table.get(key, *default or (UNKNOWN,)),
    "jsonencode": lambda value: json.dumps(value, default=str),
    "tolist": list,
    "toset": lambda values: list(dict.fromkeys(values)),
    "tomap": dict,
    "tostring": str,
    "tonumber": lambda value: int(float(value)),
    "flatten": _flat,
    "distinct": lambda values: list(dict.fromkeys(values)),
    "compact": lambda values: [v for v in values if v],
    "keys": lambda table: sorted(table),
    "values": lambda table: [table[k] for k in sorted(table)],
    "range": lambda *bounds: list(range(*[min(int(b), 10_000) for b in bounds])),
    "max": max,
    "min": min,
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "join": lambda glue, values: glue.join(map(str, values)),
    "split": lambda glue, text: text.split(glue),
    "replace": lambda text, old, new: text.replace(old, new),
    "format": _format,
    "contains": lambda values, value: value in values,
    "zipmap": lambda names, values: dict(zip(names, values, strict=False)),
}
