"""When data are old, and that every answer that rests on them says so itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from capacity.catalog.age import is_old, limit_notes, price_notes, today
from capacity.catalog.prices import price
from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from tests.cli.entry import capacity

LIMITS = date.fromisoformat(load_catalog().date)
SHOP = "examples/shop-prod.yaml"


def seconds(day: date) -> str:
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))


def later(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)


def test_90_days_are_not_old_and_91_are() -> None:
    assert [is_old("2026-07-20", later(date(2026, 7, 20), days)) for days in (-1, 0, 90, 91)] == [False] * 3 + [True]
    assert limit_notes(later(LIMITS, 90)) == []
    (said,) = limit_notes(later(LIMITS, 91))
    assert said.startswith(f"instance limits are from {LIMITS}, more than 90 days old")
    known = price("m5.large")
    assert known is not None
    assert price_notes(["m5.large"], "us-east-1", later(date.fromisoformat(known.date), 90)) == []
    (said,) = price_notes(["m5.large"], "us-east-1", later(date.fromisoformat(known.date), 91))
    assert said.startswith(f"prices for us-east-1 are from {known.date}, more than 90 days old")


def test_missing_prices() -> None:
    day = LIMITS
    assert price_notes([], None, day) == []
    assert price_notes(["m5.large"], None, day) == ["no prices: the plan has no region"]
    unknown = [f"x{i}.large" for i in range(8)]
    said = price_notes(["m5.large", *unknown], "us-east-1", date(2026, 7, 21))
    assert said == [f"no price is known in us-east-1 for {', '.join(unknown[:6])} and 2 more"]


def test_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    assert today() == date(1970, 1, 1)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(SpecError, match="SOURCE_DATE_EPOCH: 'soon' is not a number of seconds"):
        today()
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert abs((today() - date.today()).days) <= 1  # the tests may run over midnight


COMMANDS = (
    ("maxpods", "m5.large"),
    ("node", "m5.large"),
    ("check", SHOP, "--exit-zero", "--no-fixes"),
    ("compare", SHOP, "--set", "cni.env.WARM_IP_TARGET=2"),
    ("size", SHOP, "--scenario", "steady"),
    ("warm", SHOP),
    ("forecast", SHOP, "--horizon", "30d", "--paths", "10"),
    ("subnets", SHOP),
    ("explain", "private-a.free", SHOP),
    ("report", SHOP, "--scenario", "steady", "--horizon", "30d"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_old_limits_are_said_in_every_answer(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"instance limits are from {LIMITS}, more than 90 days old"
    for days, there in ((90, False), (91, True)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds(later(LIMITS, days)))
        page = capacity(*command, "-q", "-o", "md").stdout
        assert (f"Data: {said}" in page) is there
        warnings = json.loads(capacity(*command, "-o", "json").stdout)["warnings"]
        assert any(w.startswith(said) for w in warnings) is there


def test_answers_that_rest_on_no_type_do_not_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds(later(LIMITS, 400)))
    for command in (("explain", "IP001"), ("data", "diff")):
        assert "days old" not in capacity(*command).stdout
