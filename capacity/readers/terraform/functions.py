"""Values of Terraform expressions, unknown values, and Terraform's pure functions.

The result of any other function is unknown, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any


class Unknown:
    """Value that the file alone does not determine."""

    def __repr__(self) -> str:
        return "unknown"


class Failed(Unknown):
    """Value that Terraform refuses to evaluate; ``try`` then uses its next argument."""


UNKNOWN = Unknown()
FAILED = Failed()


class Open(dict[str, Any]):
    """A mapping of which only some keys are known: others are unknown, not absent."""


def unquoted(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def known_parts(value: object) -> Any:
    """Value without its unknown parts."""
    if isinstance(value, dict):
        return {k: known_parts(v) for k, v in value.items() if not isinstance(v, Unknown)}
    if isinstance(value, list):
        return [known_parts(v) for v in value if not isinstance(v, Unknown)]
    return None if isinstance(value, Unknown) else value


def text_of_value(value: object) -> str:
    """Convert a value to a string as Terraform does.

    Raises
    ------
    TypeError
        The value is unknown, null, a list or an object.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(value)


def number_in(text: str) -> int | float:
    """Parse a number; whole numbers are exact."""
    value = float(text)
    return int(text) if text.lstrip("-").isdigit() else int(value) if value.is_integer() else value


def number_of_value(value: object) -> int | float:
    """Convert a value to a number as Terraform does.

    Raises
    ------
    TypeError, ValueError
        It is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(value)
    return number_in(value) if isinstance(value, str) else value


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
    return isinstance(a, bool) is isinstance(b, bool) and bool(a == b)


def wholly_known(value: object) -> bool:
    """Whether a value has no unknown parts."""
    if isinstance(value, (list, dict)):
        return all(map(wholly_known, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Unknown)


def _distinct(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(same_value(value, other) for other in found):
            found.append(value)
    return found


def cidrsubnet(block: str, bits: int, number: int) -> str:
    """Terraform's ``cidrsubnet``: the block with ``bits`` additional prefix bits and a number.

    >>> cidrsubnet("10.0.0.0/16", 8, 48)
    '10.0.48.0/24'
    """
    network = IPv4Network(block, strict=False)
    prefix = network.prefixlen + int(bits)
    if not 0 <= int(bits) <= 32 - network.prefixlen or not 0 <= int(number) < 2 ** int(bits):
        raise ValueError("beyond the block")
    return str(IPv4Network((int(network.network_address) + (int(number) << (32 - prefix)), prefix)))


def cidrsubnets(block: str, *bits: int) -> list[str]:
    """Terraform's ``cidrsubnets``: consecutive blocks of the given sizes."""
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
            number = number_of_value(value)
            if not isinstance(number, int) or precise:
                raise ValueError(value)
            return f"{shape}d" % number
        if verb == "f":
            return f"{shape}{precise}f" % number_of_value(value)
        if verb in "stv" and "0" not in match["flags"]:
            if verb == "t" and not isinstance(value, bool):
                raise ValueError(value)
            return f"{shape}{precise}s" % text_of_value(value)
        if verb == "q" and shape == "%":
            return json.dumps(text_of_value(value), ensure_ascii=False)
        raise ValueError(verb)

    made = _VERB.sub(filled, text)
    if left:
        raise ValueError("more values than verbs")
    return made


def _element(values: list[Any], index: object) -> Any:
    at = number_of_value(index)
    if not isinstance(at, int) or at < 0:
        raise ValueError(index)
    return values[at % len(values)]


def _slice(values: list[Any], first: object, end: object) -> list[Any]:
    start, stop = number_of_value(first), number_of_value(end)
    if not (isinstance(start, int) and isinstance(stop, int) and 0 <= start <= stop <= len(values)):
        raise ValueError("beyond the list")
    return values[start:stop]


def _range(*bounds: Any) -> list[Any]:
    """Terraform's ``range``: descending if the limit is below the start, at most 1,024 numbers."""
    numbers = [number_of_value(b) for b in bounds]
    start, limit = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) > 2 else 1 if limit >= start else -1
    if not all(isinstance(n, int) for n in (start, limit, step)):
        raise ValueError(bounds)
    found = range(int(start), int(limit), int(step))
    if len(found) > MOST_IN_RANGE:
        raise ValueError("more numbers than Terraform allows")
    return list(found)


def _set(values: list[Any]) -> list[Any]:
    """Elements of a set in Terraform's order."""
    if all(isinstance(v, str) for v in values) or not any(isinstance(v, (str, bool)) for v in values):
        return sorted(_distinct(values))
    raise TypeError("of several types")


def _list(values: object) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(values)
    return list(values)


def _length(value: Any) -> int:
    if isinstance(value, str) and not value.isascii():
        raise ValueError("Terraform counts visible characters")
    return len(value)


def _replaced(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        raise ValueError("a regular expression")
    return text.replace(old, new)


def _json(value: object) -> str:
    """JSON text as Go writes it: sorted keys, no spaces, HTML characters escaped."""
    made = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        made = made.replace(sign, f"\\u{ord(sign):04x}")
    return made


def _contains(values: list[Any], value: object) -> bool:
    if not wholly_known(values) and not any(same_value(v, value) for v in values):
        raise ValueError("can be one of the unknown values")
    return any(same_value(v, value) for v in values)


MOST_IN_RANGE = 1024


FUNCTIONS: dict[str, Callable[..., Any]] = {
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
    "tostring": text_of_value,
    "tonumber": number_of_value,
    "flatten": _flat,
    "distinct": _distinct,
    "compact": lambda values: [v for v in values if v not in (None, "")],
    "keys": lambda table: sorted(table),
    "values": lambda table: [table[k] for k in sorted(table)],
    "range": _range,
    "max": lambda *numbers: max(map(number_of_value, numbers)),
    "min": lambda *numbers: min(map(number_of_value, numbers)),
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "join": lambda glue, values: glue.join(map(text_of_value, values)),
    "split": lambda glue, text: text.split(glue),
    "replace": _replaced,
    "format": _format,
    "contains": _contains,
    "zipmap": lambda names, values: dict(zip(names, values, strict=True)),
}
