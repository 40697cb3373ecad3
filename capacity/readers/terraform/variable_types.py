"""Convert a value to the type of its variable.

Type constraints: developer.hashicorp.com/terraform/language/expressions/type-constraints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from capacity.readers.terraform.grammar import BadExpression, Parser
from capacity.readers.terraform.value import (
    UNKNOWN,
    Encoded,
    Open,
    OpenList,
    SetOf,
    Unknown,
    number_of_value,
    same_value,
    text_of_value,
    truth_of_value,
    unquoted,
)


def type_tree(raw: object) -> Any:
    """Tree of a type constraint, as python-hcl2 or JSON syntax has it; None if there is none, or if it is not read."""
    if not isinstance(raw, str):
        return None
    text = unquoted(raw)
    text = text[2:-1] if text.startswith("${") and text.endswith("}") else text
    try:
        return Parser(text).whole()
    except (BadExpression, RecursionError):
        return None


def converted(value: Any, tree: Any, evaluate: Callable[[Any], Any]) -> Any:
    """Value of a type. ``evaluate`` gives the defaults of optional attributes. Unknown if Terraform refuses it."""
    if tree is None or value is None or (isinstance(value, Unknown) and not isinstance(value, Encoded)):
        return value
    try:
        return _converted(value, tree, evaluate)
    except (TypeError, ValueError):
        return UNKNOWN


def _converted(value: Any, tree: Any, evaluate: Callable[[Any], Any]) -> Any:
    if value is None or isinstance(value, Unknown):
        return value
    if tree[0] == "name":
        return _simple(value, tree[1])
    if tree[0] != "call" or len(tree[2]) < 1:
        return value
    kind, inner = tree[1], tree[2][0]
    if kind == "object" and inner[0] == "object":
        return _object(value, inner[1], evaluate)
    if kind in ("list", "set"):
        if not isinstance(value, list):
            raise TypeError(value)
        made = [converted(v, inner, evaluate) for v in value]
        if isinstance(value, OpenList):
            return OpenList(made)
        return _set(made) if kind == "set" else made
    if kind == "map":
        if not isinstance(value, dict):
            raise TypeError(value)
        table = {k: converted(v, inner, evaluate) for k, v in value.items()}
        return Open(table) if isinstance(value, Open) else table
    return value


def _simple(value: Any, kind: str) -> Any:
    if kind == "string":
        return text_of_value(value)
    if kind == "number":
        return number_of_value(value)
    if kind == "bool":
        truth = truth_of_value(value)
        if truth is None:
            raise TypeError(value)
        return truth
    return value


def _set(values: list[Any]) -> Any:
    if any(isinstance(v, Unknown) for v in values):
        return UNKNOWN
    distinct: list[Any] = []
    for value in values:
        if not any(same_value(value, other) for other in distinct):
            distinct.append(value)
    return SetOf(sorted(distinct)) if all(isinstance(v, str) for v in distinct) else SetOf(distinct)


def _object(value: Any, attributes: list[tuple[Any, Any]], evaluate: Callable[[Any], Any]) -> Any:
    """Attributes of an object; optional ones have their default, other keys are dropped."""
    if not isinstance(value, dict):
        raise TypeError(value)
    made: dict[str, Any] = {}
    for key, inner in attributes:
        name = str(key[1])
        optional = inner[0] == "call" and inner[1] == "optional"
        default = inner[2][1] if optional and len(inner[2]) > 1 else None
        kind = inner[2][0] if optional else inner
        given = value.get(name, UNKNOWN if isinstance(value, Open) else None)
        if given is None and default is not None:
            given = evaluate(default)
        made[name] = converted(given, kind, evaluate)
    return made
