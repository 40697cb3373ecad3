"""Terraform's pure functions. The result of any other function is unknown, never guessed.

A function raises if Terraform refuses the call, or if the result is not known from the arguments; the evaluator then
has an unknown value. Meaning: developer.hashicorp.com/terraform/language/functions.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Network
from math import ceil, floor
from typing import Any

from capacity.readers.terraform.value import (
    FAILED,
    UNKNOWN,
    Encoded,
    Number,
    Open,
    OpenList,
    SetOf,
    Unknown,
    is_number,
    is_partly_known,
    number_of_value,
    same_value,
    text_of_value,
    unified,
    whole,
    wholly_known,
)

MOST_IN_RANGE = 1024
SURE_ELEMENTS = 3  # of a list of unknown length: the zones of a Region


def cidrsubnet(block: str, bits: object, number: object) -> str:
    """Terraform's ``cidrsubnet``: the block with ``bits`` additional prefix bits and a number.

    >>> cidrsubnet("10.0.0.0/16", 8, 48)
    '10.0.48.0/24'
    """
    network, more, at = IPv4Network(block, strict=False), whole(bits), whole(number)
    if not 0 <= more <= 32 - network.prefixlen or not 0 <= at < 2**more:
        raise ValueError("beyond the block")
    prefix = network.prefixlen + more
    return str(IPv4Network((int(network.network_address) + (at << (32 - prefix)), prefix)))


def cidrsubnets(block: str, *bits: object) -> list[str]:
    """Terraform's ``cidrsubnets``: consecutive blocks of the given sizes, each aligned to its size."""
    network = IPv4Network(block, strict=False)
    at = int(network.network_address)
    found = []
    for more in map(whole, bits):
        if not 0 <= more <= 32 - network.prefixlen:
            raise ValueError("beyond an address")
        size = 2 ** (32 - network.prefixlen - more)
        at = -(-at // size) * size
        if at + size > int(network.broadcast_address) + 1:
            raise ValueError("beyond the block")
        found.append(str(IPv4Network((at, network.prefixlen + more))))
        at += size
    return found


def cidrhost(block: str, number: object) -> str:
    """Terraform's ``cidrhost``: the address with a number in the block, counted from the end if it is negative."""
    network, at = IPv4Network(block, strict=False), whole(number)
    if not -network.num_addresses <= at < network.num_addresses:
        raise ValueError("beyond the block")
    return str(network[at])


# --- collections ------------------------------------------------------------------------------


def _merged(*maps: dict[str, Any]) -> dict[str, Any]:
    found = {k: v for m in maps if m is not None for k, v in m.items()}
    return Open(found) if any(isinstance(m, Open) for m in maps) else found


def _flat(values: list[Any]) -> list[Any]:
    if isinstance(values, OpenList) or any(isinstance(v, Unknown) for v in values):
        raise ValueError("can be a list")
    return [inner for v in values for inner in (_flat(v) if isinstance(v, list) else [v])]


def _distinct(values: list[Any]) -> list[Any]:
    if not wholly_known(values):
        raise ValueError("of several unknown values")
    found: list[Any] = []
    for value in unified(values):
        if not any(same_value(value, other) for other in found):
            found.append(value)
    return found


def _compact(values: list[Any]) -> list[str]:
    if not wholly_known(values):
        raise ValueError("can be empty")
    return [text_of_value(v) for v in values if v not in (None, "")]


def _element(values: list[Any], index: object) -> Any:
    at = whole(index)
    if at < 0 or isinstance(values, SetOf):
        raise ValueError(index)
    if isinstance(values, OpenList) and at >= SURE_ELEMENTS:
        raise ValueError("can be beyond the end")
    return values[at % len(values)]


def _slice(values: list[Any], first: object, end: object) -> list[Any]:
    start, stop = whole(first), whole(end)
    if isinstance(values, SetOf) or not isinstance(values, list) or not 0 <= start <= stop <= len(values):
        raise ValueError("beyond the list")
    return list(values[start:stop])


def _range(*bounds: Any) -> list[Any]:
    """Terraform's ``range``: descending if the limit is below the start, at most 1,024 numbers."""
    numbers = [whole(b) for b in bounds]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) > 2 else 1 if limit >= start else -1
    if (limit - start) * step < 0:
        raise ValueError("a step away from the limit")
    found = range(start, limit, step)
    if len(found) > MOST_IN_RANGE:
        raise ValueError("more numbers than Terraform allows")
    return list(found)


def _set(values: list[Any]) -> SetOf:
    """Elements of a set in Terraform's order: text by its bytes, numbers by value."""
    found = _distinct(values)
    if any(not isinstance(v, str) for v in found) and any(not is_number(v) for v in found):
        raise TypeError("of an order that is not known")
    return SetOf(sorted(found))


def _list(values: object) -> list[Any]:
    if not isinstance(values, list) or isinstance(values, OpenList):
        raise TypeError(values)
    return unified(list(values))


def _map(table: object) -> dict[str, Any]:
    if not isinstance(table, dict) or isinstance(table, Open):
        raise TypeError(table)
    return dict(zip(table, unified(list(table.values())), strict=True))


def _concat(*lists: Any) -> list[Any]:
    if any(not isinstance(one, list) or isinstance(one, (SetOf, OpenList)) for one in lists):
        raise TypeError(lists)
    return [v for one in lists for v in one]


def _length(value: Any) -> int:
    if isinstance(value, str) and (not value.isascii() or "\r" in value):
        raise ValueError("Terraform counts visible characters")
    if isinstance(value, (Open, OpenList)):
        raise TypeError("of unknown length")
    return len(value)


def _lookup(table: dict[str, Any], key: object, *default: Any) -> Any:
    name = text_of_value(key)
    if isinstance(table, Open) and name not in table:
        raise ValueError("can have the key")
    return table.get(name, *default or (FAILED,))


def _keys(table: dict[str, Any]) -> list[str]:
    if isinstance(table, Open):
        raise TypeError("of unknown keys")
    return sorted(table)


def _contains(values: list[Any], value: object) -> bool:
    found = any(same_value(v, value) for v in values)
    if not found and not wholly_known(values):
        raise ValueError("can be one of the unknown values")
    if not wholly_known(value):
        raise ValueError("not known")
    return found


def _one(values: list[Any]) -> Any:
    if isinstance(values, OpenList) or len(values) > 1:
        raise ValueError("more than one")
    return values[0] if values else None


def _coalesce(*values: Any) -> Any:
    """The first value that is neither null nor empty text, in the common type of all."""
    known = iter(unified([v for v in values if not isinstance(v, Unknown)]))
    typed = [v if isinstance(v, Unknown) else next(known) for v in values]
    return next((v for v in typed if v is not None and v != ""), FAILED)


def _coalescelist(*lists: Any) -> Any:
    for one in lists:
        if isinstance(one, OpenList) or not isinstance(one, list):
            raise TypeError(one)
        if one:
            return one
    return FAILED


def _zipmap(names: list[Any], values: list[Any]) -> dict[str, Any]:
    if isinstance(names, OpenList) or isinstance(values, OpenList):
        raise TypeError("of unknown length")
    return dict(zip(map(text_of_value, names), values, strict=True))


# --- text -------------------------------------------------------------------------------------

_VERB = re.compile(r"%(?P<flags>[-+ 0]*)(?P<width>[0-9]{0,3})(?:\.(?P<precision>[0-9]{1,3}))?(?P<verb>.?)", re.DOTALL)


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
        if verb == "d" and not precise:
            return f"{shape}d" % whole(value)
        if verb == "f":
            return f"{shape}{precise}f" % number_of_value(value)
        if verb in ("s", "t", "v") and not set(match["flags"]) & set("0+ "):
            if (verb == "t" and not isinstance(value, bool)) or (is_number(value) and abs(value) >= 10**21):
                raise ValueError(value)
            return f"{shape}{precise}s" % text_of_value(value)
        if verb == "q" and shape == "%":
            return json.dumps(text_of_value(value), ensure_ascii=False)
        raise ValueError(verb)

    made = _VERB.sub(filled, text)
    if left:
        raise ValueError("more values than verbs")
    return made


def _replaced(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        raise ValueError("a regular expression")
    return text.replace(old, new)


def _cased(change: Callable[[str], str]) -> Callable[[Any], str]:
    def changed(value: object) -> str:
        text = text_of_value(value)
        if not text.isascii():
            raise ValueError("Python and Go differ")
        return change(text)

    return changed


def _json(value: object) -> str:
    """JSON text as Go writes it: sorted keys, no spaces, HTML characters escaped."""
    if not wholly_known(value):
        raise TypeError("not known")
    made = json.dumps(_jsonable(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        made = made.replace(sign, f"\\u{ord(sign):04x}")
    return made


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _jsonable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_jsonable(v) for v in value]
    if isinstance(value, (Decimal, Fraction)):
        text = text_of_value(value)
        number = float(text)
        if repr(number) != text:
            raise TypeError("a number with many digits")
        return number
    if isinstance(value, str) and ("\b" in value or "\f" in value):
        raise TypeError("escaped in several ways")
    return value


def _jsondecode(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _yamldecode(text: str) -> Any:
    """Content of YAML text. Plain scalars that YAML 1.1 and 1.2 read differently are unknown."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    reader = YAML(typ="safe", pure=True)
    try:
        value = reader.load(text)
    except YAMLError:
        raise ValueError("no YAML") from None
    return _of_yaml(value)


def _of_yaml(value: Any) -> Any:
    if isinstance(value, dict):
        return {text_of_value(k): _of_yaml(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_of_yaml(v) for v in value]
    if isinstance(value, float):
        return number_of_value(value)
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError("a date, say")


def _extreme(choose: Callable[..., Number], *numbers: object) -> Number:
    return choose(map(number_of_value, numbers), key=Fraction)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": lambda number: abs(number_of_value(number)),
    "base64decode": lambda text: base64.b64decode(text, validate=True).decode(),
    "base64encode": lambda text: base64.b64encode(text_of_value(text).encode()).decode(),
    "ceil": lambda number: ceil(number_of_value(number)),
    "cidrhost": cidrhost,
    "cidrsubnet": cidrsubnet,
    "cidrsubnets": cidrsubnets,
    "coalescelist": _coalescelist,
    "compact": _compact,
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "element": _element,
    "endswith": lambda text, end: text_of_value(text).endswith(text_of_value(end)),
    "flatten": _flat,
    "floor": lambda number: floor(number_of_value(number)),
    "format": _format,
    "join": lambda glue, values: glue.join(map(text_of_value, _list(values))),
    "jsondecode": _jsondecode,
    "jsonencode": _json,
    "keys": _keys,
    "length": _length,
    "lookup": _lookup,
    "lower": _cased(str.lower),
    "max": lambda *numbers: _extreme(max, *numbers),
    "merge": _merged,
    "min": lambda *numbers: _extreme(min, *numbers),
    "one": _one,
    "range": _range,
    "replace": _replaced,
    "reverse": lambda values: _list(values)[::-1],
    "slice": _slice,
    "sort": lambda values: sorted(map(text_of_value, _list(values))),
    "split": lambda glue, text: text.split(glue),
    "startswith": lambda text, start: text_of_value(text).startswith(text_of_value(start)),
    "tolist": _list,
    "tomap": _map,
    "tonumber": number_of_value,
    "toset": _set,
    "tostring": text_of_value,
    "trimprefix": lambda text, start: text_of_value(text).removeprefix(text_of_value(start)),
    "trimsuffix": lambda text, end: text_of_value(text).removesuffix(text_of_value(end)),
    "upper": _cased(str.upper),
    "values": lambda table: [table[k] for k in _keys(table)],
    "yamldecode": _yamldecode,
    "zipmap": _zipmap,
}


def call(name: str, values: list[Any]) -> Any:
    """Result of a function; unknown if it is not one of these, or if an argument does not allow it."""
    if len(values) == 1 and (name == "yamlencode" or (name == "jsonencode" and is_partly_known(values[0]))):
        return Encoded(values[0])
    if name in ("jsondecode", "yamldecode") and len(values) == 1 and isinstance(values[0], Encoded):
        return values[0].content
    if name == "coalesce":
        return _tried(_coalesce, values)
    function = FUNCTIONS.get(name)
    if function is None or any(isinstance(v, Unknown) for v in values):
        return UNKNOWN
    return _tried(function, values)


def _tried(function: Callable[..., Any], values: list[Any]) -> Any:
    try:
        return function(*values)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return UNKNOWN
