"""Reads one field: its value, path, line and what it must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any, NoReturn

from capacity.errors import SpecError, did_you_mean
from capacity.plan.constants import MOST
from capacity.plan.sections import PlanSection, kind_of
from capacity.units import parse_cpu, parse_memory, parse_percent

_INTEGER = re.compile(r"^[+-]?[0-9]{1,18}$")
_NOT_IN_NAMES = ("Cc", "Cs", "Zl", "Zp")
_WEIGHT = re.compile(r"^[0-9]{1,7}(?:\.[0-9]{1,9})?%?$", re.ASCII)
_VERSION = re.compile(r"^v?[0-9]+\.[0-9]+[0-9A-Za-z.+_-]*$")  # of Kubernetes or a CNI
_BLOCK = re.compile(r"^[0-9.]{7,15}/[0-9]{1,2}$", re.ASCII)
SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598: can be added to every VPC, not routed outside
RFC_1918 = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
PRIVATE = (*RFC_1918, SHARED)  # what an error can suggest: public space belongs to others
LONGEST_PROBLEM = 900  # longest problem text, in characters
MOST_BYTES = 2**63 - 1  # Kubernetes' limit for a quantity


class Field:
    """A value in the document with its path, which is formatted only for an error."""

    __slots__ = ("file", "key", "line", "parent", "value")

    def __init__(self, value: Any, key: str | int, parent: Field | None, line: int | None, file: str) -> None:
        self.value = value
        self.key = key
        self.parent = parent
        self.line = line
        self.file = file

    @property
    def path(self) -> str:
        """``nodeGroups[2].instanceTypes[0]``."""
        if self.parent is None:
            return ""
        above = self.parent.path
        if isinstance(self.key, int):
            return f"{above}[{self.key}]"
        return f"{above}.{self.key}" if above else self.key

    @property
    def where(self) -> str:
        """``plan.yaml:14 nodeGroups[2].name``, for messages; without a line in JSON, because lines are not tracked
        there.
        """
        return self._at(self.line)

    def _at(self, line: int | None) -> str:
        place = f"{self.file}:{line}" if line else self.file
        return f"{place} {self.path}".strip()

    @property
    def exact_line(self) -> int | None:
        """The line, also in a JSON file: this reads the file again, so it is used only for errors."""
        if self.line is not None:
            return self.line
        from capacity.plan.locate import line_of

        return line_of(self.file, self._keys())

    def _keys(self) -> list[str | int]:
        return [] if self.parent is None else [*self.parent._keys(), self.key]

    def error(self, problem: str) -> SpecError:
        """The one-line error for this field."""
        return self.placed(SpecError, problem)

    def placed(self, kind: Callable[[str], SpecError], problem: str = "") -> SpecError:
        """An error of type ``kind`` with the place, the problem and the line."""
        line = self.exact_line
        if len(problem) > LONGEST_PROBLEM:  # it can quote a value of any length
            problem = f"{problem[: LONGEST_PROBLEM // 2]} … {problem[-LONGEST_PROBLEM // 3 :]}"
        error = kind(f"{self._at(line)}: {problem}" if problem else self._at(line))
        error.line = line
        return error

    def fail(self, problem: str) -> NoReturn:
        """Raise the one-line error for this field."""
        raise self.error(problem)

    # --- mappings and lists -------------------------------------------------------------

    def section(self, known: Iterable[str]) -> PlanSection:
        """The mapping at this field; ``known`` are its keys, for the error message."""
        value = self.value
        if not isinstance(value, PlanSection):
            self.fail(f"expected a mapping with {', '.join(sorted(known))}, found {kind_of(value)}")
        return value

    def child(self, key: str) -> Field:
        """The field under a key that exists."""
        value = self.value
        return Field(value.get(key), key, self, value.lines.get(key, value.line), self.file)

    def children(self) -> Iterator[Field]:
        """The fields of a mapping, in the order of the file."""
        value, file = self.value, self.file
        lines, line = value.lines, value.line
        for key, inner in value.items():
            yield Field(inner, key, self, lines.get(key, line), file)

    def get(self, key: str) -> Field | None:
        """The child, or None if it is absent or null."""
        value = self.value
        inner = value.get(key)
        if inner is None:
            return None
        return Field(inner, key, self, value.lines.get(key), self.file)

    def items(self) -> Iterator[Field]:
        """The entries of a list."""
        value = self.value
        if not isinstance(value, list):
            self.fail(f"expected a list, found {kind_of(value)}")
        lines: list[int | None] = getattr(value, "lines", None) or [None] * len(value)
        for i, item in enumerate(value):
            yield Field(item, i, self, lines[i], self.file)

    # --- scalars ------------------------------------------------------------------------

    def text(self, longest: int = 253) -> str:
        """Text as written, of at most ``longest`` characters."""
        value = self.value
        if not isinstance(value, str):
            self.fail(f"expected text, found {kind_of(value)}")
        if not value.strip():
            self.fail("is empty (expected text)")
        if len(value) > longest:
            self.fail(f"is longer than {longest} characters")
        return value

    def name(self, longest: int = 253) -> str:
        """Text of one line without control characters; any script, emoji and direction is allowed."""
        value = self.text(longest)
        if not value.isprintable():
            bad = next((c for c in value if unicodedata.category(c) in _NOT_IN_NAMES), None)
            if bad is not None:
                self.fail(f"contains the control character U+{ord(bad):04X} (expected a name)")
        return value

    def one_of(self, allowed: tuple[str, ...]) -> str:
        """One of the allowed words."""
        value = self.value if isinstance(self.value, str) else kind_of(self.value)
        if value not in allowed:
            self.fail(f"{value!r} is not one of {', '.join(allowed)}{did_you_mean(value, allowed)}")
        return value

    def integer(self, low: int = 0, high: int = MOST) -> int:
        """A whole number within limits."""
        value = self.value
        if not isinstance(value, str) or not _INTEGER.match(value):
            self.fail(f"expected a whole number from {low} to {high:,}, found {kind_of(value)}")
        number = int(value)
        if not low <= number <= high:
            self.fail(f"{number} is out of range (expected {low} to {high:,})")
        return number

    def boolean(self) -> bool:
        """``true`` or ``false``."""
        value = self.value
        if isinstance(value, bool):
            return value
        if value in ("true", "True", "TRUE"):
            return True
        if value in ("false", "False", "FALSE"):
            return False
        self.fail(f"expected true or false, found {kind_of(value)}")

    def cpu(self) -> int:
        """Millicores."""
        return self._quantity(parse_cpu, MOST * 1000, f"{MOST:,} cores")

    def memory(self) -> int:
        """Bytes."""
        return self._quantity(parse_memory, MOST_BYTES, "8Ei")

    def _quantity(self, parse: Callable[[object], int], most: int, said: str) -> int:
        value = self._scalar()
        try:
            number = parse(value)
        except SpecError as error:
            self.fail(str(error))
        if number > most:
            self.fail(f"{value!r} is out of range (expected at most {said})")
        return number

    def percent(self) -> Fraction:
        """A share of 0 or more, as an exact fraction."""
        try:
            return parse_percent(self.value)
        except SpecError as error:
            self.fail(str(error))

    def weight(self) -> Fraction:
        """A share or a factor, such as 0.5, 2 or 50%."""
        text = self.value
        if not isinstance(text, str) or not _WEIGHT.match(text):
            self.fail(f"expected a weight such as 0.5, 2 or 50%, found {kind_of(text)}")
        return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)

    def version(self, of: str, example: str) -> str:
        """A version as written; ``of`` names the software in messages."""
        text = self.text(40)
        if not _VERSION.match(text):
            self.fail(f"{text!r} is not a {of} version (expected something like {example})")
        return text

    def count_or_percent(self) -> int | Fraction:
        """Kubernetes' IntOrString: ``1`` or ``25%``."""
        if isinstance(self.value, str) and self.value.strip().endswith("%"):
            return self.percent()
        return self.integer()

    def day(self) -> date:
        """A date, as YYYY-MM-DD."""
        text = self.text(40)
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is not a date (expected YYYY-MM-DD)")

    def cidr(self, shortest: int, longest: int, within: Sequence[IPv4Network] = PRIVATE) -> IPv4Network:
        """An IPv4 block with no host bits set and an allowed size; a hint suggests only blocks ``within``."""
        value = self.text()
        if ":" in value:
            self.fail(f"{value!r} is IPv6 (expected an IPv4 block such as 10.0.0.0/22)")
        if "/" not in value:
            self.fail(f"{value!r} has no size (expected an IPv4 block such as 10.0.0.0/22)")
        if not _BLOCK.match(value):  # ipaddress would also read a netmask or a host mask
            self.fail(f"{value!r} is not an IPv4 block (expected something like 10.0.0.0/22)")
        try:
            network = IPv4Network(value)
        except (AddressValueError, NetmaskValueError):
            self.fail(f"{value!r} is not an IPv4 block (expected something like 10.0.0.0/22)")
        except ValueError:
            meant = IPv4Network(value, strict=False)
            if shortest <= meant.prefixlen <= longest and any(meant.subnet_of(b) for b in within):
                self.fail(f"{value!r} has host bits set (did you mean {str(meant)!r}?)")
            self.fail(f"{value!r} has host bits set ({_allowed(value, shortest, longest, within)})")
        if not shortest <= network.prefixlen <= longest:
            hint = _allowed(value, shortest, longest, within)
            self.fail(f"{value!r} has a size that AWS does not allow here ({hint})")
        return network

    def _scalar(self) -> Any:
        if isinstance(self.value, (dict, list, bool)) or self.value is None:
            self.fail(f"expected a quantity such as 250m or 512Mi, found {kind_of(self.value)}")
        return self.value


def _allowed(text: str, shortest: int, longest: int, within: Sequence[IPv4Network]) -> str:
    """The allowed sizes in place of a block, and the range that its address is in.

    >>> _allowed("100.64.0.0/8", 16, 28, PRIVATE)
    'expected a /16 to /28 inside 100.64.0.0/10'
    """
    address = IPv4Address(text.partition("/")[0])
    home = next((b for b in within if address in b), None)
    least = shortest if home is None else max(shortest, home.prefixlen)
    sizes = f"expected a /{least} to /{longest}" if least < longest else f"expected a /{longest}"
    return sizes if home is None else f"{sizes} inside {home}"


def items(section: Field | None) -> Iterable[Field]:
    """The entries of an optional list."""
    return section.items() if section is not None else ()
