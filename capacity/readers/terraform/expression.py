"""Terraform expressions, evaluated as far as literals, locals, defaults and pure functions reach.

A value that needs more (a data source, a module's output, a resource that does not exist yet) is :data:`UNKNOWN`,
and whatever is computed from it is unknown too. Grammar: hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from ipaddress import IPv4Network
from math import trunc
from typing import Any

DEEPEST = 60
MOST_ROUNDS = 100_000  # of all `for` expressions of a file together
MOST_PARTS = 100_000  # values inside one value, however often it repeats itself
MOST_TEXT = 1_000_000  # characters


class Unknown:
    """The one value that stands for everything a file alone does not tell."""

    def __repr__(self) -> str:
        return "unknown"


class Failed(Unknown):
    """What Terraform refuses to evaluate: ``try`` goes on to its next argument only then."""


UNKNOWN = Unknown()
FAILED = Failed()


class Open(dict[str, Any]):
    """A mapping of which only some keys are known: what it lacks is unknown, not absent."""


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
            return ("value", _number(value))
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
                argument = self.expression()
                arguments.append(("each", argument) if self.taken("...") else argument)
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
        key, grouped = None, False
        if closing == "}":
            self.need("=>")
            key, result = result, self.expression()
            grouped = self.taken("...")
        condition = self.expression() if self.taken("if") else None
        self.need(closing)
        return ("for", names, over, key, result, condition, grouped)

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
        return _object([(_key(k, inner), inner(v)) for k, v in tree[1]])
    if kind == "get":
        return get(inner(tree[1]), inner(tree[2]))
    if kind == "splat":
        return _splat(inner(tree[1]))
    if kind == "if":
        chosen = _truth(inner(tree[1]))
        if chosen is None:
            yes, no = inner(tree[2]), inner(tree[3])
            return yes if _plain(yes) and _same(yes, no) else UNKNOWN
        return inner(tree[2] if chosen else tree[3])
    if kind == "not":
        truth = _truth(inner(tree[1]))
        return UNKNOWN if truth is None else not truth
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


def _splat(base: Any) -> Any:
    """The elements of a list; of any other value itself as the only one, of null none."""
    if isinstance(base, Unknown):
        return UNKNOWN
    return Splat(base if isinstance(base, list) else [] if base is None else [base])


def _object(pairs: list[tuple[Any, Any]]) -> Any:
    try:
        return {_text(k): v for k, v in pairs}
    except TypeError:
        return UNKNOWN


def _template(parts: list[Any]) -> Any:
    filled = [p for p in parts if p != ""]
    if len(filled) == 1:
        return filled[0]
    try:
        return "".join(map(_text, filled))
    except TypeError:
        return UNKNOWN


# --- Terraform's types ------------------------------------------------------------------------


def _number(text: str) -> int | float:
    """A number as written; whole ones exactly."""
    value = float(text)
    return int(text) if text.lstrip("-").isdigit() else int(value) if value.is_integer() else value


def _text(value: Any) -> str:
    """A value where Terraform wants a string.

    Raises
    ------
    TypeError
        It has none: unknown, null, a list or an object.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(value)


def _numeric(value: Any) -> int | float:
    """A value where Terraform wants a number.

    Raises
    ------
    TypeError, ValueError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(value)
    return _number(value) if isinstance(value, str) else value


def _truth(value: Any) -> bool | None:
    """A value where Terraform wants a bool; None where it is none, or unknown."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _same(a: Any, b: Any) -> bool:
    """Equal in value and type: ``true`` is not 1, and ``"1"`` neither."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return isinstance(a, bool) is isinstance(b, bool) and bool(a == b)


def _whole_known(value: Any) -> bool:
    """Whether nothing inside a value is unknown."""
    if isinstance(value, (list, dict)):
        return all(map(_whole_known, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Unknown)


def _distinct(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(_same(value, other) for other in found):
            found.append(value)
    return found


def get(base: Any, key: Any) -> Any:
    """An element by index, key or attribute; :data:`FAILED` where a value that is known has none."""
    if isinstance(base, Splat):
        return Splat([get(e, key) for e in base])
    if isinstance(base, Failed) or isinstance(key, Failed):
        return FAILED
    if isinstance(base, Unknown) or isinstance(key, Unknown):
        return UNKNOWN
    if isinstance(base, list) and str(key).isdigit():
        index = int(str(key))
        return base[index] if index < len(base) else FAILED
    if not isinstance(base, dict):
        return FAILED
    return base.get(str(key), UNKNOWN if isinstance(base, Open) else FAILED)


def _operate(op: str, a: Any, b: Any) -> Any:
    if op in ("&&", "||"):
        return _both(op, _truth(a), _truth(b))
    if op in ("==", "!="):
        if not (_whole_known(a) and _whole_known(b)):
            return UNKNOWN
        return _same(a, b) is (op == "==")
    try:
        return _arithmetic(op, _numeric(a), _numeric(b))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def _both(op: str, a: bool | None, b: bool | None) -> Any:
    decided = op == "||"  # what one side alone decides
    if decided in (a, b):
        return decided
    return UNKNOWN if None in (a, b) else not decided


def _arithmetic(op: str, a: int | float, b: int | float) -> Any:
    results: dict[str, Callable[[], Any]] = {
        "<": lambda: a < b,
        ">": lambda: a > b,
        "<=": lambda: a <= b,
        ">=": lambda: a >= b,
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "/": lambda: Fraction(a) / Fraction(b),
        "%": lambda: a - b * trunc(Fraction(a) / Fraction(b)),  # the sign is the first one's
    }
    value = results[op]()
    if isinstance(value, int):  # bools among them
        return value
    return int(value) if value == int(value) else float(value)


def _for(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    _, names, over, key, result, condition, grouped = tree
    collection = _value(over, look, scope, depth + 1)
    if isinstance(collection, dict):
        pairs: list[tuple[Any, Any]] = sorted(collection.items())
    elif isinstance(collection, list):
        pairs = list(enumerate(collection))
    else:
        return UNKNOWN
    found = []
    for k, v in pairs:
        if not look.budget.spend():
            return UNKNOWN
        inner = {**scope, names[-1]: v, **({names[0]: k} if len(names) > 1 else {})}
        kept = True if condition is None else _truth(_value(condition, look, inner, depth + 1))
        if kept is None:
            return UNKNOWN
        if kept:
            value = _value(result, look, inner, depth + 1)
            found.append((None if key is None else _value(key, look, inner, depth + 1), value))
    return [v for _, v in found] if key is None else _keyed(found, grouped)


def _keyed(pairs: list[tuple[Any, Any]], grouped: bool) -> Any:
    """The object of a ``for`` with keys: with ``...`` a list for each key, without it each key once."""
    try:
        keys = [_text(k) for k, _ in pairs]
    except TypeError:
        return UNKNOWN
    if not grouped:
        return dict(zip(keys, (v for _, v in pairs), strict=True)) if len(set(keys)) == len(keys) else FAILED
    found: dict[str, list[Any]] = {}
    for name, (_, value) in zip(keys, pairs, strict=True):
        found.setdefault(name, []).append(value)
    return found


def _call(name: str, arguments: list[Any], inner: Callable[[Any], Any]) -> Any:
    if name == "try":
        tried = (inner(a) for a in arguments)
        return next((v for v in tried if not isinstance(v, Failed)), FAILED)
    values: list[Any] = []
    for argument in arguments:
        value = inner(argument[1] if argument[0] == "each" else argument)
        if argument[0] != "each":
            values.append(value)
        elif isinstance(value, list):
            values += value
        else:
            return UNKNOWN
    if name == "coalesce":
        return next((v for v in values if v is not None and v != ""), FAILED)
    function = _FUNCTIONS.get(name)
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


_VERB = re.compile(r"%(?P<flags>[-+ 0]*)(?P<width>[0-9]{0,3})(?:\.(?P<precision>[0-9]{1,3}))?(?P<verb>.)")


def _format(text: str, *values: Any) -> str:
    """Terraform's ``format`` for ``%s %d %f %t %v %q %%`` with flags, width and precision."""
    left = list(values)

    def filled(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        shape = f"%{match['flags']}{match['width']}"
        precise = f".{match['precision']}" if match["precision"] else ""
        value = left.pop(0)
        if verb == "d":
            number = _numeric(value)
            if not isinstance(number, int) or precise:
                raise ValueError(value)
            return f"{shape}d" % number
        if verb == "f":
            return f"{shape}{precise}f" % _numeric(value)
        if verb in "stv" and "0" not in match["flags"]:
            if verb == "t" and not isinstance(value, bool):
                raise ValueError(value)
            return f"{shape}{precise}s" % _text(value)
        if verb == "q" and shape == "%":
            return json.dumps(_text(value), ensure_ascii=False)
        raise ValueError(verb)

    made = _VERB.sub(filled, text)
    if left:
        raise ValueError("more values than verbs")
    return made


def _element(values: list[Any], index: Any) -> Any:
    at = _numeric(index)
    if not isinstance(at, int) or at < 0:
        raise ValueError(index)
    return values[at % len(values)]


def _slice(values: list[Any], first: Any, end: Any) -> list[Any]:
    start, stop = _numeric(first), _numeric(end)
    if not (isinstance(start, int) and isinstance(stop, int) and 0 <= start <= stop <= len(values)):
        raise ValueError("beyond the list")
    return values[start:stop]


def _range(*bounds: Any) -> list[Any]:
    """Terraform's ``range``: down where the limit is below the start, at most 1,024 numbers."""
    numbers = [_numeric(b) for b in bounds]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) > 2 else 1 if limit >= start else -1
    if not all(isinstance(n, int) for n in (start, limit, step)):
        raise ValueError(bounds)
    found = range(int(start), int(limit), int(step))
    if len(found) > MOST_IN_RANGE:
        raise ValueError("more than Terraform makes")
    return list(found)


def _set(values: list[Any]) -> list[Any]:
    """The elements of a set in the order in which Terraform goes through them."""
    if all(isinstance(v, str) for v in values) or not any(isinstance(v, (str, bool)) for v in values):
        return sorted(_distinct(values))
    raise TypeError("of several types")


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(values)
    return list(values)


def _length(value: Any) -> int:
    if isinstance(value, str) and not value.isascii():
        raise ValueError("Terraform counts what people see as one character")
    return len(value)


def _replaced(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        raise ValueError("a regular expression")
    return text.replace(old, new)


def _json(value: Any) -> str:
    """As Go writes it: keys in order, no blanks, signs of HTML escaped."""
    made = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        made = made.replace(sign, f"\\u{ord(sign):04x}")
    return made


def _contains(values: list[Any], value: Any) -> bool:
    if not _whole_known(values) and not any(_same(v, value) for v in values):
        raise ValueError("may be one of the unknown")
    return any(_same(v, value) for v in values)


MOST_IN_RANGE = 1024

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cidrsubnet": cidrsubnet,
    "cidrsubnets": cidrsubnets,
    "slice": _slice,
    "concat": lambda *lists: [v for one in lists for v in _list(one)],
    "merge": _merged,
    "length": _length,
    "element": _element,
    "lookup": lambda table, key, *default: table.get(key, *default or (FAILED,)),
    "jsonencode": _json,
    "tolist": _list,
    "toset": _set,
    "tomap": dict,
    "tostring": _text,
    "tonumber": _numeric,
    "flatten": _flat,
    "distinct": _distinct,
    "compact": lambda values: [v for v in values if v not in (None, "")],
    "keys": lambda table: sorted(table),
    "values": lambda table: [table[k] for k in sorted(table)],
    "range": _range,
    "max": lambda *numbers: max(map(_numeric, numbers)),
    "min": lambda *numbers: min(map(_numeric, numbers)),
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "join": lambda glue, values: glue.join(map(_text, values)),
    "split": lambda glue, text: text.split(glue),
    "replace": _replaced,
    "format": _format,
    "contains": _contains,
    "zipmap": lambda names, values: dict(zip(names, values, strict=True)),
}
