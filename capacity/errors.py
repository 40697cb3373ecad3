"""The errors that the library raises on purpose.

    CapacityError                   what a caller catches
    ├── SpecError(ValueError)       bad input: place, value and what was expected
    │   ├── SpecErrors              several errors of one file
    │   └── UnknownInstanceType     with the nearest names
    ├── CatalogError                given or packaged data is damaged
    ├── InfeasiblePlan              names the limiting constraints
    └── MissingExtra                an optional package is not installed

A bug is an ``AssertionError``. The library neither prints nor exits; ``cli`` prints the lines of a ``CapacityError``
(usually one) and its notes (``add_note``) on stderr and exits with code 2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite
from operator import index
from os import PathLike

LONGEST_MESSAGE = 1200  # characters; a value in the message may be a whole file
MOST_LINES = 20  # errors of one file that are printed; the rest are counted
MOST_ERRORS = 50  # errors collected from one list: with more, the list itself is probably wrong


class CapacityError(Exception):
    """Base class of every error in the caller's input or data, as opposed to a bug."""

    def __init__(self, message: object = "") -> None:
        super().__init__(shortened(str(message)))

    @property
    def lines(self) -> tuple[str, ...]:
        """The message, one line for each problem."""
        return (str(self),)


class SpecError(CapacityError, ValueError):
    """Bad input; a one-line message with the place, the problem and what was expected.

    Attributes
    ----------
    line : int or None
        Line in the file, if known.
    """

    line: int | None = None

    @property
    def errors(self) -> tuple[SpecError, ...]:
        """The single errors: this one, or all errors of a file by line."""
        return (self,)

    def ending(self, text: str) -> SpecError:
        """The error with a text appended to each message."""
        error = SpecError(f"{self}{text}")
        error.line = self.line
        return error


class SpecErrors(SpecError):
    """Several errors of one file, one line of the message each."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self._errors = tuple(sorted(errors, key=lambda error: error.line or 0))
        super().__init__()
        self.args = ("\n".join(self.lines),)

    @property
    def errors(self) -> tuple[SpecError, ...]:
        return self._errors

    @property
    def lines(self) -> tuple[str, ...]:
        """The messages, at most :data:`MOST_LINES`; the last line counts the rest."""
        messages = tuple(str(error) for error in self._errors[:MOST_LINES])
        if len(self._errors) <= MOST_LINES:
            return messages
        least = "at least " if len(self._errors) >= MOST_ERRORS else ""
        return (*messages[:-1], f"and {least}{len(self._errors) - MOST_LINES + 1} more errors")

    def ending(self, text: str) -> SpecError:
        return SpecErrors(error.ending(text) for error in self._errors)


class UnknownInstanceType(SpecError):
    """An instance type the catalog does not know.

    Parameters
    ----------
    name : str
        The name that was given.
    nearest : sequence of str
        The most similar known names, best first.
    where : str
        Path of the value in its file, empty on the command line.
    """

    def __init__(self, name: str, nearest: Sequence[str] = (), where: str = "") -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f" (did you mean {either(nearest)}?)" if nearest else ""
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{name!r} is not a known instance type{hint}")


class CatalogError(CapacityError):
    """The given or packaged data is damaged or unusable."""


class InfeasiblePlan(CapacityError):
    """No solution exists; ``binding`` names the limiting constraints."""

    def __init__(self, message: str, binding: Sequence[str] = ()) -> None:
        self.binding = tuple(binding)
        super().__init__(message)


class MissingExtra(CapacityError):
    """An optional package is missing; the message has the command that installs it."""


def shortened(message: str) -> str:
    """The message with its middle removed if it is very long: the place and the expected value remain."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    return f"{message[: LONGEST_MESSAGE * 2 // 3]} … {message[-LONGEST_MESSAGE // 3 :]}"


def either(names: Iterable[str]) -> str:
    """``'a', 'b' or 'c'``, for messages."""
    quoted = [repr(n) for n in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" or {quoted[-1]}"


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most similar to ``name``, best first.

    Names that differ only in case or in the order of letters come first; then ``difflib``'s similarity decides.

    >>> nearest_names("us-esat-1", ["us-west-1", "us-east-1"], 1)
    ['us-east-1']
    """
    from difflib import get_close_matches

    pool = list(known)
    same = [k for k in pool if k.casefold() == name.casefold()]
    letters = sorted(name)
    same += [k for k in pool if k not in same and len(k) == len(name) and sorted(k) == letters]
    return (same + [m for m in get_close_matches(name, pool, n=count, cutoff=0.6) if m not in same])[:count]


def did_you_mean(name: object, known: Iterable[str], count: int = 1) -> str:
    """`` (did you mean 'a'?)`` with the nearest known names, to append to a message; empty if none is similar."""
    near = nearest_names(name, known, count) if isinstance(name, str) else []
    return f" (did you mean {either(near)}?)" if near else ""


def check_word(what: str, value: object, known: Sequence[str]) -> None:
    """Refuse an argument that is not one of the known words.

    >>> check_word("ami", "al2023", ["al2", "al2023"])
    """
    if value not in known:
        raise SpecError(f"{what}: {value!r} is not one of {', '.join(known)}{did_you_mean(value, known)}")


def check_number(what: str, value: object, least: float = 0, most: float | None = None, unit: str = "") -> None:
    """Refuse an argument that is not a finite number or is out of range.

    >>> check_number("price", 0.096, unit="USD per hour")
    """
    from numbers import Real

    kind = f"a number{f' of {unit}' if unit else ''}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SpecError(f"{what}: {value!r} is not {kind}")
    number = float(value)
    if not isfinite(number):
        raise SpecError(f"{what}: {value!r} is not a finite number")
    if number < least or (most is not None and number > most):
        limit = f"{least} or more" if most is None else f"{least} to {most}"
        raise SpecError(f"{what}: {value!r} is out of range (expected {limit})")


def check_switch(what: str, value: object) -> None:
    """Refuse an argument that is neither True nor False: text such as ``"false"`` would count as true.

    >>> check_switch("prefix", True)
    """
    if not isinstance(value, bool):
        raise SpecError(f"{what}: {value!r} is neither True nor False")


def check_kind(what: str, value: object, kind: type | tuple[type, ...], cure: str) -> None:
    """Refuse an argument of the wrong type; ``cure`` says what was expected.

    >>> check_kind("plan", "plan.yaml", str, "the path of a plan")
    """
    if not isinstance(value, kind):
        raise SpecError(f"{what}: {shortened(repr(value))} is {named_kind(value)} (expected {cure})")


def check_path(what: str, value: object) -> None:
    """Refuse an argument that is not a path.

    >>> check_path("folder", "examples")
    """
    check_kind(what, value, (str, PathLike), "a path")


def check_function(what: str, value: object) -> None:
    """Refuse an argument that cannot be called.

    >>> check_function("progress", print)
    """
    if not callable(value):
        check_kind(what, value, (), "a function")


def check_each(what: str, values: object, kind: type | tuple[type, ...], cure: str) -> None:
    """Refuse an argument that is not a list or another collection with values of one type.

    >>> check_each("columns", ["enis"], str, "names of columns, such as ['enis']")
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Collection):
        check_kind(what, values, (), cure)
        return
    for value in values:
        check_kind(what, value, kind, cure)


def named_kind(value: object) -> str:
    """``a Plan``, ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def check_count(what: str, value: object, least: int = 0, unit: str = "", *, most: int | None = None) -> None:
    """Refuse an argument that is not a whole number or is out of range.

    >>> check_count("pods", 3)
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise SpecError(f"{what}: {value!r} is not a whole number{f' of {unit}' if unit else ''}")
    if index(value) < least:
        raise SpecError(f"{what}: {value!r} is less than {least}")
    if most is not None and index(value) > most:
        raise SpecError(f"{what}: {value!r} is more than {most}")
