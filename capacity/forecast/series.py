"""Daily series of free or used addresses from observations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.errors import SpecError, check_kind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FREE, USED = "free", "used"
_OBSERVATIONS = "the observations of read_history(...)"
EPOCH = date(1970, 1, 1)


class Observation(NamedTuple):
    """Number of free (or used) addresses of a subnet at a moment."""

    subnet: str
    time: datetime
    value: float
    kind: str = FREE
    usable: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DailySeries:
    """History of one subnet with one value per day: the worst of the day.

    Attributes
    ----------
    days : ndarray of int64
        Days since 1970-01-01 (UTC) with an observation, strictly rising.
    values : ndarray of float
        The fewest free, or the most used, addresses of each day.
    kind : str
        ``free`` or ``used``.
    usable : int or None
        Last value in the file. [addresses]
    observations : int
        Number before they were reduced to days.
    """

    name: str
    days: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    kind: str
    usable: int | None
    observations: int

    @property
    def first(self) -> date:
        """Day of the first value."""
        return date.fromordinal(EPOCH.toordinal() + int(self.days[0]))

    @property
    def last(self) -> date:
        """Day of the last value."""
        return date.fromordinal(EPOCH.toordinal() + int(self.days[-1]))

    def until(self, day: date) -> DailySeries | None:
        """Series up to the end of a day; None if it is empty."""
        keep = self.days <= day.toordinal() - EPOCH.toordinal()
        if not keep.any():
            return None
        return DailySeries(self.name, self.days[keep], self.values[keep], self.kind, self.usable, self.observations)


def daily_series(observations: Iterable[Observation]) -> list[DailySeries]:
    """Convert observations in any order, with gaps and duplicates, to one series per subnet.

    If two observations have the same time, the last one read is used. The value of a day is its worst observation: an
    address that is missing for an hour counts as missing.

    Raises
    ------
    SpecError
        A subnet has both free and used addresses, and no size to convert between them.
    """
    if isinstance(observations, (str, bytes)) or not isinstance(observations, Iterable):
        check_kind("observations", observations, (), _OBSERVATIONS)
    import numpy as np

    by_name: dict[str, dict[datetime, Observation]] = {}
    counts: dict[str, int] = {}
    for o in observations:
        if not isinstance(o, Observation):
            check_kind("observations", o, Observation, _OBSERVATIONS)
        by_name.setdefault(o.subnet, {})[o.time] = o
        counts[o.subnet] = counts.get(o.subnet, 0) + 1
    found = []
    for name, moments in by_name.items():
        ordered = [moments[t] for t in sorted(moments)]
        usable = next((o.usable for o in reversed(ordered) if o.usable is not None), None)
        kind = ordered[-1].kind
        worst: dict[int, float] = {}
        pick = min if kind == FREE else max
        for o in ordered:
            day = o.time.date().toordinal() - EPOCH.toordinal()
            value = _as_kind(o, kind, usable)
            worst[day] = pick(worst.get(day, value), value)
        days = np.array(list(worst), dtype=np.int64)
        found.append(DailySeries(name, days, np.array(list(worst.values())), kind, usable, counts[name]))
    return found


def _as_kind(o: Observation, kind: str, usable: int | None) -> float:
    if o.kind == kind:
        return o.value
    if usable is None:
        raise SpecError(
            f"{o.subnet}: one history has free, another used addresses (--usable {o.subnet}=N combines them)"
        )
    return usable - o.value


def parse_time(value: Any, where: str) -> tuple[datetime, bool]:
    """Parse a time to UTC; also return whether the time zone was missing (UTC is then assumed).

    ISO 8601 with or without a zone, a date, or seconds (or milliseconds) since 1970.

    >>> parse_time("2026-11-25T06:30:00+02:00", "")[0].isoformat(), parse_time("1764000000", "")[0].year
    ('2026-11-25T04:30:00+00:00', 2025)
    """
    text = str(value).strip()
    try:
        if text[4:5] == "-":  # the common case first: a history can have a million rows
            moment = datetime.fromisoformat(text)
        elif isinstance(value, (int, float)) or text.replace(".", "", 1).isdigit():
            seconds = float(text)
            if seconds == int(seconds) and len(text.split(".")[0]) == 8:
                moment = datetime.strptime(text[:8], "%Y%m%d")
            else:
                moment = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        else:
            moment = datetime.fromisoformat(text)
        naive = moment.tzinfo is None
        moment = moment.replace(tzinfo=UTC) if naive else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise SpecError(
            f"{where}: {text[:60]!r} is not a time (expected something like 2026-11-25T06:00:00Z)"
        ) from None
    if not 2000 <= moment.year < 2200:
        raise SpecError(f"{where}: {text[:60]!r} is out of range (expected the years 2000 to 2199)")
    return moment, naive


def parse_count(value: Any, where: str) -> float | None:
    """Parse a number of addresses; None if the cell is empty or NaN (no observation)."""
    text = str(value).strip() if value is not None else ""
    if text.lower() in ("", "nan", "null", "none"):
        return None
    try:
        number = float(text)
    except ValueError:
        raise SpecError(f"{where}: {text[:60]!r} is not a number of addresses") from None
    if not 0 <= number <= 10_000_000:
        raise SpecError(f"{where}: {text[:60]!r} is out of range (expected 0 to 10,000,000 addresses)")
    return number
