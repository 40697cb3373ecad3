"""Prices: a currency is never mistaken for another, and an unknown price is None."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.catalog.price_lookup import price_per_hour
from capacity.catalog.prices import HEADER, Price, parse_price, price, read_prices, regions, usd_per_hour
from capacity.errors import CatalogError, SpecError


def test_a_price_in_dollars() -> None:
    assert price_per_hour("m5.large") == 0.096
    assert price("m5.large") == Price("m5.large", "us-east-1", "USD", 0.096, "2026-07-20", "pricing")


def test_yuan_are_a_price_but_never_dollars() -> None:
    found = price("m5.large", "cn-north-1")
    assert found is not None
    assert (found.currency, found.date) == ("CNY", "2024-11-06")
    assert price_per_hour("m5.large", "cn-north-1") is None


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("m5.large", "eu-west-1"),
        ("m5.lrage", "us-east-1"),
        ("m5.large,us-east-1", "USD"),  # would reach into the next cells
        ("", ""),
        ("5.large", "us-east-1"),  # the end of a name is no name
    ],
)
def test_an_unknown_price_is_none(name: str, region: str) -> None:
    assert price(name, region) is None
    assert usd_per_hour(name, region) is None


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("Ohio", "region: 'Ohio' is not a region (expected something like us-east-1)"),
        ("us-east1", "region: 'us-east1' is not a region (did you mean 'us-east-1'?)"),
        ("", "region: '' is not a region (expected something like us-east-1)"),
        (None, "region: None is not a region (expected something like us-east-1)"),
    ],
)
def test_what_is_no_region_is_refused(region: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        price_per_hour("m5.large", region)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m5.lrage", "'m5.lrage' is not a known instance type (did you mean 'm5.large', 'm5n.large' or 'm5d.large'?)"),
        ("", "'' is not a known instance type"),
        (None, "instance type: None is a NoneType (expected the name of one, such as 'm5.large')"),
    ],
)
def test_an_unknown_type_is_refused_with_the_nearest_names(name: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        price_per_hour(name)
    assert str(caught.value).startswith(said)


def test_a_region_without_prices_has_none() -> None:
    assert price_per_hour("m5.large", "eu-west-1") is None


def test_regions_are_those_with_a_price() -> None:
    assert regions() == ["cn-north-1", "us-east-1", "us-gov-east-1", "us-gov-west-1"]


def test_a_lookup_agrees_with_the_whole_list() -> None:
    assert [price(p.instance_type, p.region) for p in read_prices()] == read_prices()


@pytest.mark.parametrize(
    "line",
    [
        "m5.large,us-east-1,USD,0.096,2026-07-20",
        "m5.large,us-east-1,USD,free,2026-07-20,pricing",
        "m5.large,us-east-1,USD,0,2026-07-20,pricing",
        "m5.large,us-east-1,USD,-1,2026-07-20,pricing",
        "m5.large,us-east-1,USD,nan,2026-07-20,pricing",
    ],
)
def test_a_damaged_line_is_shown(line: str) -> None:
    with pytest.raises(CatalogError, match=r"^prices\.csv: 'm5\.large,us-east-1"):
        parse_price(line)


def test_another_header(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("type,price\n")
    with pytest.raises(CatalogError, match=f"header is not {HEADER}"):
        read_prices(tmp_path / "prices.csv")
