"""Reads a mapping of a plan as declared in :mod:`capacity.plan.keys`, and reports all its errors, not only the first.

Each part (a key, an entry of a list, a rule) is read inside a :class:`Problems`, which collects the errors and
continues. Parts that depend on a part with an error are not checked: they raise :class:`DependsOnError`, which is not
reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from ipaddress import IPv4Network
from types import TracebackType
from typing import TYPE_CHECKING, Any

from capacity.errors import MOST_ERRORS, SpecError, SpecErrors, did_you_mean, either, nearest_names
from capacity.plan import declaration as kinds
from capacity.plan.declaration import Key, Keys

if TYPE_CHECKING:
    from capacity.plan.fields import Field

Reader = Callable[["Field"], Any]


class DependsOnError(SpecError):
    """A part that cannot be checked because a part it depends on has an error."""

    @property
    def errors(self) -> tuple[SpecError, ...]:
        """Empty: it is not an error of the plan."""
        return ()


class Problems:
    """Collects errors of independent parts: ``with problems:`` keeps the errors that its block raises."""

    __slots__ = ("errors", "failed")

    def __init__(self) -> None:
        self.errors: list[SpecError] = []
        self.failed = False  # an error was kept, or something depends on one

    def __enter__(self) -> Problems:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if not isinstance(error, SpecError):
            return False
        self.keep(error)
        return True

    def keep(self, error: SpecError) -> None:
        """Keep an error, or all errors that it contains."""
        self.errors += error.errors
        self.failed = True

    def add(self, others: Problems) -> None:
        """Keep the errors of another collection."""
        self.errors += others.errors
        self.failed |= others.failed

    def over(self, fields: Iterable[Field]) -> Iterator[Field]:
        """Iterate over the fields until there are too many errors to be useful."""
        for field in fields:
            if len(self.errors) >= MOST_ERRORS:
                return
            yield field

    def check(self) -> None:
        """Raise the collected errors.

        Raises
        ------
        SpecError
            The one error, or all of them as one :class:`~capacity.errors.SpecErrors`.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise SpecErrors(self.errors)
        if self.failed:
            raise DependsOnError


class Values(dict[str, Any]):
    """Values of a mapping by key, including defaults."""

    __slots__ = ("_problems",)

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        super().__init__(defaults)
        self._problems: Problems | None = None

    @property
    def problems(self) -> Problems:
        """Problems of the keys of the mapping, created on first use because most mappings have none."""
        if self._problems is None:
            self._problems = Problems()
        return self._problems

    def check(self) -> None:
        """Raise the problems, if there are any."""
        if self._problems is not None:
            self._problems.check()

    def __missing__(self, key: str) -> Any:
        """Raise an error for a key that could not be read: rules that need it cannot be checked."""
        raise DependsOnError

    def settle(self, key: str, read: Callable[[Any], Any]) -> None:
        """Replace a value by the result of ``read``; after an error, the key counts as not read."""
        with self.problems:
            given = self[key]
            del self[key]
            self[key] = read(given)


def read_keys(entry: Field, known: Keys, own: Mapping[str, Reader] | None = None) -> Values:
    """The values of a mapping, each read as declared; ``own`` has the readers for kinds of this section.

    Errors are collected in the values' ``problems``, which the caller checks after its own rules.

    Raises
    ------
    SpecError
        It is not a mapping.
    """
    section = entry.section(known.by_name)
    values = Values(known.defaults)
    misspelt: list[str] = []
    by_name, own = known.by_name, own or {}
    for field in entry.children():
        name = str(field.key)
        key = by_name.get(name)
        if key is None:
            if len(values.problems.errors) < MOST_ERRORS:
                meant = nearest_names(name, by_name, 1)
                misspelt += meant
                values.problems.keep(_unknown(entry, name, known, meant))
        elif field.value is not None:
            try:  # not `with`, which is slower: a plan can have a million keys
                reader = own.get(name)
                values[name] = _KINDS[key.kind](field, key) if reader is None else reader(field)
            except SpecError as error:
                del values[name]
                values.problems.keep(error)
    for name in misspelt:
        if section.get(name) is None:
            values.pop(name, None)
    for name in known.required:
        if section.get(name) is None:
            values.pop(name, None)
            values.problems.failed = True
            if name not in misspelt:
                values.problems.keep(entry.error(f"the key {name!r} is missing"))
    return values


def read_section(entry: Field | None, known: Keys, own: Mapping[str, Reader] | None = None) -> Values:
    """The values of a mapping without rules between its keys; the defaults if it is left out.

    Raises
    ------
    SpecError
        Every problem of its keys.
    """
    if entry is None:
        return Values(known.defaults)
    values = read_keys(entry, known, own)
    values.check()
    return values


def _unknown(entry: Field, name: str, known: Keys, meant: list[str]) -> SpecError:
    here = f"known here: {', '.join(sorted(known.by_name))}" if known.keys else "nothing is expected here"
    hint = f"did you mean {either(meant)}?" if meant else here
    return entry.child(name).error(f"unknown key ({hint})")


# --- kinds --------------------------------------------------------------------------------------


def _percent(field: Field, key: Key) -> Fraction:
    share = field.percent()
    if key.high is not None and (share * 100 > key.high or (key.above and share * 100 <= key.low)):
        limits = f"more than {key.low}% and at most {key.high}%" if key.above else f"{key.low}% to {key.high}%"
        field.fail(f"{field.value!r} is out of range (expected {limits})")
    return share


def _factor(field: Field, key: Key) -> Fraction:
    factor = field.weight()
    if factor > key.most:
        field.fail(f"{field.value!r} is out of range (expected a factor from 0 to {key.most:,}; 1 means no change)")
    return factor


def _count_or_percent(field: Field, key: Key) -> int | Fraction:
    value = field.count_or_percent()
    if key.high is None:
        return value
    if isinstance(value, Fraction):
        if not 0 < value * 100 <= key.high:
            field.fail(f"is out of range (expected {key.low}% to {key.high}%)")
    elif not key.low <= value <= key.high:
        field.fail(f"{value} is out of range (expected {key.low} to {key.high})")
    return value


_KINDS: Mapping[str, Callable[[Field, Key], Any]] = {
    kinds.TEXT: lambda field, key: field.text(key.most),
    kinds.NAME: lambda field, key: field.name(key.most),
    kinds.VERSION: lambda field, key: field.version(key.unit, key.example),
    kinds.WORD: lambda field, key: field.one_of(key.words),
    kinds.COUNT: lambda field, key: field.integer(key.low, key.most),
    kinds.FLAG: lambda field, _: field.boolean(),
    kinds.CPU: lambda field, _: field.cpu(),
    kinds.MEMORY: lambda field, _: field.memory(),
    kinds.PERCENT: _percent,
    kinds.COUNT_OR_PERCENT: _count_or_percent,
    kinds.DATE: lambda field, _: field.day(),
    kinds.FACTOR: _factor,
    kinds.LABELS: lambda field, _: field.value,
    kinds.CONSTANT: lambda field, key: field.one_of(key.words),
}


# --- blocks, lists and names ------------------------------------------------------------------------


def read_block(field: Field, key: Key, within: Sequence[IPv4Network]) -> IPv4Network:
    """A block of a size that its key allows; a hint suggests only blocks ``within``."""
    assert key.high is not None, "declared with both sizes"
    return field.cidr(key.low, key.high, within)


class Names:
    """The names of a section's entries, for other sections that refer to them.

    Parameters
    ----------
    what : str
        Kind of entry in messages: ``subnet``, ``node group``.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.found: dict[str, Any] = {}
        self._faulty: dict[str, None] = {}  # names of entries with errors
        self._open = True  # whether some names could not be read

    @property
    def complete(self) -> bool:
        """Whether no entry has an error."""
        return not self._open and not self._faulty

    def read(self, section: Field | None, read: Reader, problems: Problems) -> tuple[Any, ...]:
        """Read the entries of an optional list, with unique names; errors go to ``problems``."""
        self._open = False
        ended = False
        of_list = Problems()
        with of_list:
            for entry in of_list.over(section.items() if section else ()):
                own = Problems()
                name = _given_name(entry)
                known = name in self.found or name in self._faulty
                with own:
                    thing = read(entry)
                    if not known:
                        self.found[thing.name] = thing
                if known:
                    self._open = True  # it was meant to have a unique name
                    with own:
                        entry.child("name").fail(f"duplicate {self.what} {name!r}")
                if own.failed:
                    self._note_faulty(entry)
                    of_list.add(own)
            ended = len(of_list.errors) < MOST_ERRORS
        problems.add(of_list)
        if not ended:
            self._open = True
        return tuple(self.found.values())

    def _note_faulty(self, entry: Field) -> None:
        name = _given_name(entry)
        if name is not None:
            self._faulty[name] = None
        else:
            self._open = True

    def check(self, name: str, entry: Field) -> str:
        """Check a name that another section refers to.

        Raises
        ------
        SpecError
            The entry does not exist.
        DependsOnError
            The entry has an error.
        """
        if name not in self.found:
            if self._open or name in self._faulty:
                raise DependsOnError
            entry.fail(f"there is no {self.what} {name!r}{did_you_mean(name, {**self.found, **self._faulty})}")
        return name

    def listed(self, section: Field, empty: str) -> tuple[str, ...]:
        """A list of existing, unique names; ``empty`` is the error for an empty list."""
        names = section.value
        if isinstance(names, list) and names and all(type(n) is str and n in self.found for n in names):
            once = tuple(dict.fromkeys(names))
            if len(once) == len(names):  # most lists are valid, and need no field for each name
                return once
        problems = Problems()
        given: dict[str, None] = {}
        for entry in problems.over(section.items()):
            with problems:
                name = self.check(entry.text(), entry)
                if name in given:
                    entry.fail(f"duplicate {self.what} {name!r}")
                given[name] = None
        problems.check()
        if not given:
            section.fail(empty)
        return tuple(given)


def _given_name(entry: Field) -> str | None:
    """The name of an entry as it is written, also if the entry has errors."""
    name = entry.value.get("name") if isinstance(entry.value, dict) else None
    return name if isinstance(name, str) else None


def refuse_overlaps(blocks: Iterable[tuple[IPv4Network, Field]], problems: Problems) -> None:
    """Keep an error for each block that overlaps an earlier block.

    Sorted by start, a block overlaps an earlier one if it starts before the largest end so far.
    """
    furthest: IPv4Network | None = None
    for block, field in sorted(blocks, key=lambda b: (int(b[0].network_address), -b[0].num_addresses)):
        if len(problems.errors) >= MOST_ERRORS:
            return
        if furthest is None or block.network_address > furthest.broadcast_address:
            furthest = block
            continue
        with problems:
            field.fail(f"{block} overlaps {furthest}")
