"""Days of a forecast, and lengths of time as text."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from capacity.errors import SpecError, check_kind

# Lengths for compound growth. A year of 365 days gives AWS's month of 730 hours, so 730 days are 24 months.
DAYS_PER = {"day": 1.0, "week": 7.0, "month": 365 / 12, "quarter": 365 / 4, "year": 365.0}
LONGEST_DAYS = 3660  # ten years; no growth rate is valid for longer

_HORIZON = re.compile(r"^([0-9]{1,4}) ?(d|w|mo|y|days?|weeks?|months?|years?)$")


@dataclass(frozen=True, slots=True)
class Horizon:
    """Days from ``start`` (day 0) to ``start`` + ``days``."""

    start: date
    days: int

    @property
    def end(self) -> date:
        return self.on(self.days)

    def on(self, day: int) -> date:
        """Date of a day."""
        return self.start + timedelta(days=day)

    def index(self, day: date) -> int:
        """Day of a date; outside 0 … days if the date is outside."""
        return (day - self.start).days


def parse_horizon(text: str, start: date) -> Horizon:
    """Parse ``90d``, ``26w``, ``18mo`` or ``2y`` from ``start``; months and years by the calendar.

    Raises
    ------
    SpecError
        The text is not a length, or is zero or more than ten years.

    Examples
    --------
    >>> parse_horizon("18mo", date(2026, 8, 31)).end
    datetime.date(2028, 2, 29)
    """
    check_kind("horizon", text, str, "a length of time, such as '18mo'")
    check_kind("start", start, date, "a date")
    match = _HORIZON.match(text.strip())
    if not match:
        raise SpecError(f"--horizon: {text!r} is not a length of time (expected something like 90d, 26w, 18mo or 2y)")
    count, unit = int(match[1]), match[2]
    if unit.startswith(("d", "w")):
        days = count * (7 if unit.startswith("w") else 1)
    else:
        days = (_months_later(start, count * (12 if unit.startswith("y") else 1)) - start).days
    if not 1 <= days <= LONGEST_DAYS:
        raise SpecError(f"--horizon: {text!r} is out of range (expected 1 day to 10 years)")
    return Horizon(start, days)


def _months_later(start: date, months: int) -> date:
    """Same day of a later month, or its last day if the month is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > 9000:
        raise SpecError("--horizon: is out of range (expected 1 day to 10 years)")
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
