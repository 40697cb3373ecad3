"""Quantities as written in manifests, and integer arithmetic for ints and arrays.

The arithmetic helpers let one formula serve a scalar and a whole-catalog array without importing numpy for the scalar;
the module that creates the arrays loads numpy.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from capacity.errors import SpecError, check_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

# An int or an integer ndarray: the result has the type of the argument. (A union would make every scalar caller narrow
# the type it just passed in.)
IntLike: TypeAlias = Any

N = TypeVar("N", bound=Any)

MIB = 1024 * 1024
HOURS_PER_MONTH = 730  # AWS prices a month as 365 × 24 ÷ 12 hours

_SUFFIXES = {
    "": (1, 0),
    "n": (10, -9),
    "u": (10, -6),
    "m": (10, -3),
    "k": (10, 3),
    "M": (10, 6),
    "G": (10, 9),
    "T": (10, 12),
    "P": (10, 15),
    "E": (10, 18),
    "Ki": (2, 10),
    "Mi": (2, 20),
    "Gi": (2, 30),
    "Ti": (2, 40),
    "Pi": (2, 50),
    "Ei": (2, 60),
}  # base and exponent
_QUANTITY = re.compile(
    r"^([+-]?)([0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,3}))?$"
)
_PERCENT = re.compile(r"^([0-9]{1,9}(?:\.[0-9]{1,12})?) ?%$")


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``one`` if the number is 1, otherwise ``many`` or ``one`` plus an s.

    >>> counted(1, "node"), counted(1200, "pod"), counted(2, "address", "addresses")
    ('1 node', '1,200 pods', '2 addresses')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def some_of(names: Sequence[str], most: int) -> str:
    """The first of some names, and the number of the others.

    >>> some_of(["a", "b", "c", "d"], 2), some_of(["a", "b"], 2)
    ('a, b and 2 more', 'a, b')
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def ceil_div(a: N, b: int | N) -> N:
    """⌈a ÷ b⌉ for ints and integer arrays; b must be positive."""
    result: N = -(-a // b)
    return result


def smaller(a: N, b: N | int) -> N:
    """Elementwise minimum of ints or arrays."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)  # type: ignore[return-value]
    import numpy as np

    return np.minimum(a, b)  # type: ignore[no-any-return]


def larger(a: N, b: N | int) -> N:
    """Elementwise maximum of ints or arrays."""
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)  # type: ignore[return-value]
    import numpy as np

    return np.maximum(a, b)  # type: ignore[no-any-return]


def parse_quantity(text: object, where: str = "") -> Fraction:
    """A Kubernetes quantity (``250m``, ``512Mi``, ``1.5``, ``1e3``) as an exact number of base units.

    Raises
    ------
    SpecError
        Not a quantity, or negative. Kubernetes' own grammar: apimachinery ``resource.Quantity``.
    """
    place = f"{where}: " if where else ""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise SpecError(f"{place}{text!r} is not a quantity (expected something like 250m, 2 or 512Mi)")
    if isinstance(text, float) and not math.isfinite(text):
        raise SpecError(f"{place}{text!r} is not a quantity (expected something like 250m, 2 or 512Mi)")
    value = _read_quantity(str(text).strip())
    if value is None:
        expected = _without_byte(str(text).strip()) or "(expected something like 250m, 2 or 512Mi)"
        raise SpecError(f"{place}{str(text)!r} is not a quantity {expected}")
    if value < 0:
        raise SpecError(f"{place}{str(text)!r} is negative (expected 0 or more)")
    return value


def _without_byte(text: str) -> str:
    """The hint for a quantity such as ``1GB``, which Kubernetes writes without the unit; empty for any other."""
    bare = text.rstrip("Bb")
    bare = f"{bare[:-1]}M" if bare[-1:] == "m" else bare  # mb is megabytes; m alone is a thousandth
    if len(text) - len(bare) != 1 or bare[-1:].isdigit() or _read_quantity(bare) is None:
        return ""
    names = f"{bare!r} or '{bare}i'" if _read_quantity(f"{bare}i") is not None else repr(bare)
    return f"(did you mean {names}?)"


@lru_cache(maxsize=4096)
def _read_quantity(text: str) -> Fraction | None:
    """The number, or None if the text is not a quantity; cached, because plans repeat few quantities many times."""
    match = _QUANTITY.match(text)
    if not match:
        return None
    sign, digits, suffix, exponent = match.groups()
    from fractions import Fraction  # takes 2 ms, which a run without quantities saves

    base, power = (10, int(exponent)) if exponent else _SUFFIXES[suffix or ""]
    value = Fraction(digits.rstrip(".")) * Fraction(base) ** power
    return -value if sign == "-" else value


def parse_cpu(text: object, where: str = "") -> int:
    """CPU in whole millicores, rounded up like Kubernetes' ``MilliValue``."""
    return _whole(text, 1000, where)


def parse_memory(text: object, where: str = "") -> int:
    """Memory in whole bytes, rounded up like Kubernetes' ``Value``."""
    return _whole(text, 1, where)


def _whole(text: object, scale: int, where: str) -> int:
    known = _read_whole(text, scale) if isinstance(text, str) else None
    return math.ceil(parse_quantity(text, where) * scale) if known is None else known


@lru_cache(maxsize=4096)
def _read_whole(text: str, scale: int) -> int | None:
    """A quantity times a scale, rounded up; None if it is not a quantity or is negative."""
    value = _read_quantity(text.strip())
    return None if value is None or value < 0 else math.ceil(value * scale)


def share_of(what: str, value: Fraction | float) -> Fraction:
    """A share from 0 to 1 as an exact number: 0.2 is 1/5, not the nearest binary number.

    >>> share_of("swing", 0.2)
    Fraction(1, 5)
    """
    from fractions import Fraction

    check_number(what, value, 0, 1)
    return value if isinstance(value, Fraction) else Fraction(str(value))


def parse_percent(text: object, where: str = "") -> Fraction:
    """``20%`` as the exact share 1/5."""
    share = _read_percent(text) if isinstance(text, str) else None
    if share is None:
        place = f"{where}: " if where else ""
        raise SpecError(f"{place}{text!r} is not a percentage (expected something like 20%)")
    return share


@lru_cache(maxsize=1024)
def _read_percent(text: str) -> Fraction | None:
    match = _PERCENT.match(text.strip())
    if not match:
        return None
    from fractions import Fraction

    return Fraction(match.group(1)) / 100


_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


MOST_PER_MINUTE = 6000  # pods that come and go, far above any cluster's
_PER_MINUTE = {"s": 60.0, "min": 1.0, "m": 1.0, "h": 1 / 60, "d": 1 / 1440}


def parse_rate(text: str) -> float:
    """How often something happens, per minute: ``1/s``, ``2/min``, ``30/h``, ``12/d``.

    >>> parse_rate("2/min"), parse_rate("30/h"), parse_rate("1/s")
    (2.0, 0.5, 60.0)
    """
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)/(s|min|m|h|d)", text.strip())
    if not match:
        raise SpecError(f"{text!r} is not a rate (expected something like 2/min or 30/h)")
    value = float(match[1]) * _PER_MINUTE[match[2]]
    if value > MOST_PER_MINUTE:
        raise SpecError(f"{text!r} is out of range (expected at most 100/s)")
    return value


def parse_duration(text: str, where: str = "") -> float:
    """A length of time with its unit, in seconds: ``500ms``, ``90s``, ``10m`` (or ``10min``), ``2h``, ``7d``, ``1w``.

    >>> parse_duration("90s"), parse_duration("1.5h"), parse_duration("500ms")
    (90.0, 5400.0, 0.5)
    """
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|min|m|h|d|w)", text.strip())
    if not match:
        prefix = f"{where}: " if where else ""
        raise SpecError(f"{prefix}{text!r} is not a length of time (expected something like 90s, 10m, 2h or 7d)")
    return float(match[1]) * _MILLISECONDS[match[2]] / 1000
