"""Evaluate Terraform expressions with literals, locals, defaults and pure functions.

A value that needs more (a data source, a module's output, a resource that does not exist yet) is :data:`UNKNOWN`,
and so is any value computed from it. Grammar: hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import trunc
from typing import Any

from capacity.readers.terraform.functions import call
from capacity.readers.terraform.grammar import DEEPEST, BadExpression, Parser, template
from capacity.readers.terraform.value import (
    FAILED,
    UNKNOWN,
    Failed,
    Number,
    Open,
    OpenList,
    PartText,
    SetOf,
    Unknown,
    number_in,
    number_of_value,
    same_value,
    text_of_value,
    truth_of_value,
    unified,
    wholly_known,
)

MOST_ROUNDS = 100_000  # of all `for` expressions of a file together
MOST_PARTS = 100_000  # values inside one value, however often it repeats itself
MOST_TEXT = 1_000_000  # characters
FILE_FUNCTIONS = ("file", "filebase64", "templatefile")
_ENCODERS = ("base64encode", "base64gzip")  # text known in part is kept as it is: its parts have no code of their own
MOST_BITS = 512  # of a number: the precision of Terraform (zclconf/go-cty cty/value_init.go)


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


Files = Callable[[str, list[Any]], Any]  # result of `file` or `templatefile`


def _no_files(_name: str, _values: list[Any]) -> Any:
    return UNKNOWN


class _Run:
    """Context of one evaluation: root names, its limit, and what reads files."""

    def __init__(self, look: Look, budget: Budget | None, files: Files | None) -> None:
        self.look = look
        self.budget = budget or Budget()
        self.files = files or _no_files

    def __call__(self, name: str, scope: Scope) -> Any:
        return self.look(name, scope)


def evaluate(
    text: str, look: Look, scope: Scope | None = None, budget: Budget | None = None, files: Files | None = None
) -> Any:
    """Evaluate an expression; ``look`` returns the values of root names (``var``, ``local``, …).

    >>> evaluate('[for k, v in ["a", "b"] : cidrsubnet("10.0.0.0/16", 4, k)]', lambda name, scope: UNKNOWN)
    ['10.0.0.0/20', '10.0.16.0/20']
    """
    try:
        return _value(Parser(text).whole(), _Run(look, budget, files), scope or {}, 0)
    except (BadExpression, RecursionError):
        return UNKNOWN


def evaluate_template(
    text: str, look: Look, scope: Scope | None = None, budget: Budget | None = None, files: Files | None = None
) -> Any:
    """Evaluate a template without quotes: a heredoc, a string of JSON syntax, or a template file.

    >>> evaluate_template("a ${1 + 1} $${b}", lambda name, scope: UNKNOWN)
    'a 2 ${b}'
    """
    try:
        return _value(template(text)[0], _Run(look, budget, files), scope or {}, 0)
    except (BadExpression, RecursionError):
        return UNKNOWN


def evaluate_parsed(tree: Any) -> Any:
    """Evaluate the tree of an expression without names, such as a default in a type constraint."""
    return _value(tree, _Run(lambda _, __: UNKNOWN, None, None), {}, 0)


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
        parts = [part for part in tree[1] if part != ("value", "")]
        return _template(parts, [inner(part) for part in parts])
    if kind == "list":
        return [inner(e) for e in tree[1]]
    if kind == "object":
        return _object([(_key(k, inner), inner(v)) for k, v in tree[1]])
    if kind == "get":
        return get(inner(tree[1]), inner(tree[2]))
    if kind == "splat":
        return _splat(inner(tree[1]), [inner(step) for step in tree[2]])
    if kind == "if":
        return _chosen(truth_of_value(inner(tree[1])), inner(tree[2]), inner(tree[3]))
    if kind == "not":
        truth = truth_of_value(inner(tree[1]))
        return UNKNOWN if truth is None else not truth
    if kind == "op":
        return _operate(tree[1], inner(tree[2]), inner(tree[3]))
    if kind == "call":
        return _call(tree[1], tree[2], inner, look)
    return _for(tree, look, scope, depth)


def _chosen(truth: bool | None, yes: Any, no: Any) -> Any:
    """Result of a condition. Both results have one type: text if their simple types differ."""
    if truth is None:
        return yes if isinstance(yes, (str, int, list)) and wholly_known(yes) and same_value(yes, no) else UNKNOWN
    chosen = yes if truth else no
    if isinstance(yes, (Unknown, dict, list)) or isinstance(no, (Unknown, dict, list)) or chosen is None:
        return chosen
    try:
        return unified([chosen, no if truth else yes])[0]
    except TypeError:
        return UNKNOWN


def _key(tree: Any, inner: Callable[[Any], Any]) -> Any:
    return tree[1] if tree[0] == "name" else inner(tree)


def _splat(base: object, steps: list[Any]) -> Any:
    """Each element of a list with the steps applied; any other value is its only element, null has none."""
    if isinstance(base, (Unknown, OpenList)):
        return UNKNOWN
    found = list(base) if isinstance(base, list) else [] if base is None else [base]
    for step in steps:
        found = [get(element, step) for element in found]
    return found


def _object(pairs: list[tuple[Any, Any]]) -> Any:
    try:
        return {text_of_value(k): v for k, v in pairs}
    except TypeError:
        return UNKNOWN


def _template(trees: list[Any], parts: list[Any]) -> Any:
    """Text of a template, known in part if a part is unknown; one interpolation without text keeps its type."""
    if len(parts) == 1:
        return parts[0]
    try:
        return "".join(map(text_of_value, parts))
    except TypeError:
        text = "".join(map(_text_or_placeholder, trees, parts))
        return PartText(text) if len(text) <= MOST_TEXT else UNKNOWN


def _text_or_placeholder(tree: Any, value: Any) -> str:
    if isinstance(value, PartText):
        return value.text
    try:
        return text_of_value(value)
    except TypeError:
        return f"${{{_spelled(tree)}}}"


def _spelled(tree: Any) -> str:
    """Names of a reference as written, such as ``var.size``; other expressions are not spelled."""
    if tree[0] in ("name", "value"):
        return str(tree[1])
    return f"{_spelled(tree[1])}.{_spelled(tree[2])}" if tree[0] == "get" else "…"


def get(base: object, key: object) -> Any:
    """Element by index, key or attribute; :data:`FAILED` if a known value does not have it."""
    if isinstance(base, Failed) or isinstance(key, Failed):
        return FAILED
    if isinstance(base, Unknown) or isinstance(key, Unknown):
        return UNKNOWN
    try:
        name = text_of_value(key)
    except TypeError:
        return FAILED
    if isinstance(base, list) and not isinstance(base, SetOf) and name.isdigit():
        absent = UNKNOWN if isinstance(base, OpenList) else FAILED
        return base[int(name)] if int(name) < len(base) else absent
    if not isinstance(base, dict):
        return FAILED
    return base.get(name, UNKNOWN if isinstance(base, Open) else FAILED)


def _operate(op: str, a: object, b: object) -> Any:
    if op in ("&&", "||"):
        return _both(op, truth_of_value(a), truth_of_value(b))
    if op in ("==", "!="):
        decided = (a is None or b is None) and not isinstance(a, Unknown) and not isinstance(b, Unknown)
        if not decided and not (wholly_known(a) and wholly_known(b)):
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


def _arithmetic(op: str, a: Number, b: Number) -> Any:
    x, y = Fraction(a), Fraction(b)
    results: dict[str, Callable[[], bool | Fraction]] = {
        "<": lambda: x < y,
        ">": lambda: x > y,
        "<=": lambda: x <= y,
        ">=": lambda: x >= y,
        "+": lambda: x + y,
        "-": lambda: x - y,
        "*": lambda: x * y,
        "/": lambda: x / y,
        "%": lambda: x - y * trunc(x / y),  # the sign is the first one's
    }
    value = results[op]()
    if isinstance(value, bool):
        return value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise OverflowError("Terraform rounds it")
    return value.numerator if value.denominator == 1 else value


def _for(tree: Any, look: _Run, scope: Scope, depth: int) -> Any:
    _, names, over, key, result, condition, grouped = tree
    collection = _value(over, look, scope, depth + 1)
    pairs: list[tuple[Any, Any]]
    if isinstance(collection, (Open, OpenList)):
        return UNKNOWN
    if isinstance(collection, dict):
        pairs = sorted(collection.items())
    elif isinstance(collection, SetOf):
        pairs = [(v, v) for v in collection]
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


def _call(name: str, arguments: list[Any], inner: Callable[[Any], Any], look: _Run) -> Any:
    if name == "try":
        tried = (inner(a) for a in arguments)
        return next((v for v in tried if not isinstance(v, Failed)), FAILED)
    values: list[Any] = []
    for argument in arguments:
        value = inner(argument[1] if argument[0] == "each" else argument)
        if argument[0] != "each":
            values.append(value)
        elif isinstance(value, list) and not isinstance(value, OpenList):
            values += value
        else:
            return UNKNOWN
    if name in _ENCODERS and len(values) == 1 and isinstance(values[0], PartText):
        return values[0]
    return look.files(name, values) if name in FILE_FUNCTIONS else call(name, values)
