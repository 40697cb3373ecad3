"""Values of Terraform expressions: unknown and partly known ones, and the conversions between types.

Text, bools, whole numbers (int), other numbers (Decimal as written, Fraction as computed), null (None), lists, sets,
mappings. Conversions: zclconf/go-cty docs/convert.md and hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

Number = int | Decimal | Fraction


class Unknown:
    """Value that the input alone does not determine."""

    def __repr__(self) -> str:
        return "unknown"


class Failed(Unknown):
    """Value that Terraform refuses to evaluate; ``try`` then uses its next argument."""


class Encoded(Unknown):
    """Text whose content is known and whose exact characters are not, such as the result of ``yamlencode``."""

    def __init__(self, content: Any) -> None:
        self.content = content


class PartText(Unknown):
    """Text of which some parts are not known; ``text`` has a placeholder ``${…}`` for each of them."""

    def __init__(self, text: str) -> None:
        self.text = text


def shown(value: Any) -> Any:
    """A value; of a text that is known in part, the text with its placeholders."""
    return value.text if isinstance(value, PartText) else value


UNKNOWN = Unknown()
FAILED = Failed()


class Open(dict[str, Any]):
    """A mapping of which only some keys are known: others are unknown, not absent."""


class OpenList(list[Any]):
    """A list of which only the first elements are known, and not its length."""


class SetOf(list[Any]):
    """Elements of a set, in Terraform's order."""


def unquoted(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def known_parts(value: object) -> Any:
    """Value without its unknown parts, with numbers as int or float."""
    if isinstance(value, Encoded):
        return known_parts(value.content)
    if isinstance(value, dict):
        return {k: known_parts(v) for k, v in value.items() if is_known(v)}
    if isinstance(value, list):
        return [known_parts(v) for v in value if is_known(v)]
    if isinstance(value, (Decimal, Fraction)):
        return float(value)
    return None if isinstance(value, Unknown) else value


def partial_texts(value: object, path: str = "") -> dict[str, str]:
    """Texts that are known in part, with placeholders for the other parts, by paths without indexes."""
    if isinstance(value, PartText):
        return {path: value.text}
    if isinstance(value, list):
        inner = [(path, v) for v in value]
    else:
        inner = [(f"{path}.{k}" if path else k, v) for k, v in value.items()] if isinstance(value, dict) else []
    found: dict[str, str] = {}
    for below, part in inner:
        for place, text in partial_texts(part, below).items():
            found[place] = f"{found[place]}\n{text}" if place in found else text
    return found


def unknown_paths(value: object, path: str = "") -> Iterator[str]:
    """Paths of the unknown parts of a value, without indexes: ``scaling_config.max_size``."""
    if isinstance(value, Encoded):
        value = value.content
    if isinstance(value, Unknown):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from unknown_paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from unknown_paths(inner, path)


def marks_of(values: dict[str, Any]) -> dict[str, str]:
    """Attributes that have a value of which nothing is known."""
    return {k: "given" for k, v in values.items() if not is_known(v) or (v not in (None, {}, []) and _is_hollow(v))}


def _is_hollow(value: object) -> bool:
    """Whether a list or mapping has parts, and only unknown ones."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(parts) and all(not is_known(p) or _is_hollow(p) for p in parts)


def is_known(value: object) -> bool:
    """Whether a value is known, at least in part."""
    return isinstance(value, Encoded) or not isinstance(value, Unknown)


def wholly_known(value: object) -> bool:
    """Whether a value has no unknown parts."""
    if isinstance(value, (Open, OpenList)):
        return False
    if isinstance(value, (list, dict)):
        return all(map(wholly_known, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Unknown)


def is_partly_known(value: object) -> bool:
    return is_known(value) and not wholly_known(value)


# --- conversions ------------------------------------------------------------------------------


def text_of_value(value: object) -> str:
    """Convert a value to a string as Terraform does.

    Raises
    ------
    TypeError
        The value is unknown, null, a list or an object, or a number with more digits than are known.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        if value.denominator & (value.denominator - 1) or Fraction(exact) != value:
            raise TypeError(value)  # a third, say: Terraform writes as many digits as it has
        value = exact
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, (str, int)):
        return str(value)
    raise TypeError(value)


_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")


def number_in(text: str) -> Number:
    """Parse a number; whole numbers are exact.

    Raises
    ------
    ValueError
        It is not a number.
    """
    if not _NUMBER.fullmatch(text) or len(text) > 500:
        raise ValueError(text)
    value = Decimal(text)
    return int(value) if abs(value.adjusted()) < 400 and value == value.to_integral_value() else value


def number_of_value(value: object) -> Number:
    """Convert a value to a number as Terraform does.

    Raises
    ------
    TypeError, ValueError
        It is not a number.
    """
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, float):
        return number_in(repr(value))
    if isinstance(value, str):
        return number_in(value)
    if isinstance(value, (int, Decimal, Fraction)):
        return value
    raise TypeError(value)


def whole(value: object) -> int:
    """A whole number.

    Raises
    ------
    TypeError, ValueError
        It is something else.
    """
    number = number_of_value(value)
    if not isinstance(number, int):
        raise ValueError(value)
    return number


def truth_of_value(value: object) -> bool | None:
    """Convert a value to a bool as Terraform does; None if it is something else, or unknown."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def same_value(a: object, b: object) -> bool:
    """Whether values are equal in value and type: neither ``true`` nor ``"1"`` equals 1."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    if is_number(a) and is_number(b):
        return Fraction(number_of_value(a)) == Fraction(number_of_value(b))
    return type(a) is type(b) and bool(a == b)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal, Fraction)) and not isinstance(value, bool)


def unified(values: list[Any]) -> list[Any]:
    """Elements of one type, as lists, sets and maps have: text if the types of simple values differ.

    Raises
    ------
    TypeError
        A common type is not known.
    """
    kinds = {"text" if isinstance(v, str) else "bool" if isinstance(v, bool) else "number" if is_number(v) else "other"
             for v in values if v is not None}  # fmt: skip
    if len(kinds) < 2:
        return list(values)
    if "other" in kinds:
        raise TypeError("of several types")
    return [None if v is None else text_of_value(v) for v in values]
