"""Evaluate Terraform expressions with literals, locals, defaults and pure functions.

A value that needs more (a data source, a module's output, a resource that does not exist yet) is :data:`UNKNOWN`,
and so is any value computed from it. Grammar: hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import trunc
from typing import Any

from capacity.readers.terraform.functions import (
    FAILED,
    FUNCTIONS,
    UNKNOWN,
    Failed,
    Open,
    Unknown,
    number_in,
    number_of_value,
    same_value,
    text_of_value,
    truth_of_value,
    wholly_known,
)
from capacity.readers.terraform.grammar import DEEPEST, BadExpression, Parser

MOST_ROUNDS = 100_000  # of all `for` expressions of a file together
MOST_PARTS = 100_000  # values inside one value, however often it repeats itself
MOST_TEXT = 1_000_000  # characters


Scope = Mapping[str, Any]
Look = Callable[[str, Scope], Any]


class Budget:
    """Limit for the rounds of `for` expressions in a file, because nested loops could run forever."""

    def __init__(self, rounds: int = MOST_ROUNDS) -> None:
        self.left = rounds

    def spend(self) -> bool:
        """Use one round; False if none is left."""
        self.left -= 1
        return self.left >= 0


class _Run:
    """Context of one evaluation: root names, and its limit."""

    def __init__(self, look: Look, budget: Budget) -> None:
        self.look = look
        self.budget = budget

    def __call__(self, name: str, scope: Scope) -> Any:
        return self.look(name, scope)


def evaluate(text: str, look: Look, scope: Scope | None = None, budget: Budget | None = None) -> Any:
    """Evaluate an expression; ``look`` returns the values of root names (``var``, ``local``, …).

    >>> evaluate('[for k, v in ["a", "b"] : cidrsubnet("10.0.0.0/16", 4, k)]', lambda name, scope: UNKNOWN)
    ['10.0.0.0/20', '10.0.16.0/20']
    """
    try:
        return _value(Parser(text).whole(), _Run(look, budget or Budget()), scope or {}, 0)
    except (BadExpression, RecursionError):
        return UNKNOWN


def _value(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    value = _evaluated(tree, look, scope, depth)
    return UNKNOWN if tree[0] in _MAKERS and too_large(value) else value


_MAKERS = frozenset(("template", "list", "object", "call", "for"))


def too_large(value: object) -> bool:
    """Whether a value is too large to use, such as lists that contain another list twice, many levels deep."""
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
    if kind == "number":
        return number_in(tree[1])
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
        chosen = truth_of_value(inner(tree[1]))
        if chosen is None:
            yes, no = inner(tree[2]), inner(tree[3])
            return yes if _plain(yes) and same_value(yes, no) else UNKNOWN
        return inner(tree[2] if chosen else tree[3])
    if kind == "not":
        truth = truth_of_value(inner(tree[1]))
        return UNKNOWN if truth is None else not truth
    if kind == "op":
        return _operate(tree[1], inner(tree[2]), inner(tree[3]))
    if kind == "call":
        return _call(tree[1], tree[2], inner)
    return _for(tree, look, scope, depth)


def _plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool, list))


class Splat(list[Any]):
    """A list; the next attribute applies to each element."""


def _key(tree: Any, inner: Callable[[Any], Any]) -> Any:
    return tree[1] if tree[0] == "name" else inner(tree)


def _splat(base: object) -> Any:
    """Elements of a list; any other value is its only element, null has none."""
    if isinstance(base, Unknown):
        return UNKNOWN
    return Splat(base if isinstance(base, list) else [] if base is None else [base])


def _object(pairs: list[tuple[Any, Any]]) -> Any:
    try:
        return {text_of_value(k): v for k, v in pairs}
    except TypeError:
        return UNKNOWN


def _template(parts: list[Any]) -> Any:
    filled = [p for p in parts if p != ""]
    if len(filled) == 1:
        return filled[0]
    try:
        return "".join(map(text_of_value, filled))
    except TypeError:
        return UNKNOWN


def get(base: object, key: object) -> Any:
    """Element by index, key or attribute; :data:`FAILED` if a known value does not have it."""
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


def _operate(op: str, a: object, b: object) -> Any:
    if op in ("&&", "||"):
        return _both(op, truth_of_value(a), truth_of_value(b))
    if op in ("==", "!="):
        if not (wholly_known(a) and wholly_known(b)):
            return UNKNOWN
        return same_value(a, b) is (op == "==")
    try:
        return _arithmetic(op, number_of_value(a), number_of_value(b))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return UNKNOWN


def _both(op: str, a: bool | None, b: bool | None) -> Any:
    decided = op == "||"  # the value for which one side decides
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
        kept = True if condition is None else truth_of_value(_value(condition, look, inner, depth + 1))
        if kept is None:
            return UNKNOWN
        if kept:
            value = _value(result, look, inner, depth + 1)
            found.append((None if key is None else _value(key, look, inner, depth + 1), value))
    return [v for _, v in found] if key is None else _keyed(found, grouped)


def _keyed(pairs: list[tuple[Any, Any]], grouped: bool) -> Any:
    """Object of a ``for`` with keys: with ``...`` a list for each key, without it each key once."""
    try:
        keys = [text_of_value(k) for k, _ in pairs]
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
    function = FUNCTIONS.get(name)
    if function is None or any(isinstance(v, Unknown) for v in values):
        return UNKNOWN
    try:
        return function(*values)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return UNKNOWN
