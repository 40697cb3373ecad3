"""Figures that Cilium's unit tests and users of it state, every row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from capacity.cni.cilium_pool import addresses_wanted
from capacity.cni.facade import pool_of
from capacity.cni.node_limits import EniFigures
from capacity.cni.node_pool import limits_from
from capacity.plan.cilium import OWN_ADDRESSES
from capacity.plan.cilium_settings import cilium_settings
from tests.property.cilium_steps import Eni, Node

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def values(text: str) -> dict[str, int | bool]:
    pairs = (pair.split("=") for pair in text.split(";"))
    return {name: value == "true" if value in ("true", "false") else int(value) for name, value in pairs}


@pytest.mark.parametrize("row", rows("cilium_stated.csv"), ids=lambda r: f"{r['source'].split()[-1]}-{r['used']}")
def test_stated_figures(row: dict[str, str]) -> None:
    settings, _ = cilium_settings(values(row["settings"]))
    limits = limits_from(EniFigures(int(row["max_enis"]), int(row["ipv4_per_eni"])), settings)
    if row["most"]:
        assert limits.most == int(row["most"])
    if row["used"]:
        pool = pool_of(limits, settings, 110, int(row["used"]) - OWN_ADDRESSES)
        assert pool.pod_addresses == int(row["available"])
        if row["enis"]:
            assert pool.enis == int(row["enis"])


@pytest.mark.parametrize("row", rows("cilium_decisions.csv"), ids=lambda r: r["source"].split(":")[-1])
def test_step_model_and_formula_decide_like_the_unit_tests(row: dict[str, str]) -> None:
    number = {name: int(text or 0) for name, text in row.items() if name != "source"}
    node = Node(
        adapters=15,
        ipv4=50,
        pre_allocate=number["pre_allocate"],
        min_allocate=number["min_allocate"],
        max_allocate=number["max_allocate"],
        above=number["above"],
        used=number["used"],
    )
    node.enis = [Eni(0, number["available"])]
    if row["needed"]:
        most = number["max_allocate"] or 10**6
        asked = addresses_wanted(number["used"], number["pre_allocate"], number["min_allocate"], most)
        assert max(asked - number["available"], 0) == node.needed() == number["needed"]
    else:
        assert node.excess() == number["excess"]
