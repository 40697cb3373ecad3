"""Figures that the CNI's documents and unit tests state (the code's figure where a document contradicts it)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.facade import NodeLimits, address_capacity, node_limits, node_pool, pool_of
from capacity.node.maxpods import max_pods
from capacity.node.platform import Platform
from capacity.plan.cni_env import _NUMBERS, cni_settings, parse_env_number, parse_env_switch
from tests.property.ipamd_steps import Eni, Node

HERE = Path(__file__).parent
MAX_PODS_OF_DOCUMENTS = 500  # the documents' examples are not stopped by max pods


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def environment(text: str) -> dict[str, str | None]:
    return {name: value for name, _, value in (pair.partition("=") for pair in text.split(";") if pair)}


@pytest.mark.parametrize("row", rows("cni_steady_state.csv"), ids=lambda r: r["source"].split()[-1])
def test_steady_state(row: dict[str, str]) -> None:
    env = environment(row["env"])
    settings, warnings = cni_settings(env)
    assert not warnings
    limits = NodeLimits(int(row["max_enis"]), 0, int(row["ipv4_per_eni"]) - 1, 0, 0, windows=False)
    pool = pool_of(limits, settings, MAX_PODS_OF_DOCUMENTS, int(row["pods"]))
    slots = pool.prefixes if settings.prefix else pool.secondary_ips
    assert (pool.enis, slots, pool.subnet_addresses) == (int(row["enis"]), int(row["slots"]), int(row["subnet_ips"]))
    if row["unused_ips"]:
        assert pool.warm == int(row["unused_ips"])


@pytest.mark.parametrize("row", rows("cni_rest.csv"), ids=lambda r: f"{r['instance_type']}-{r['pods']}-{r['source']}")
def test_as_ipamd_itself_rests(row: dict[str, str]) -> None:
    settings, _ = cni_settings(environment(row["env"]))
    pool = node_pool(load_catalog().get(row["instance_type"]), settings, int(row["pods"]), int(row["max_pods"]))
    assert (pool.lowest, pool.subnet_addresses) == (int(row["lowest"]), int(row["addresses"]))
    if row["highest"]:
        assert pool.highest == int(row["highest"])


@pytest.mark.parametrize("row", rows("cni_environment.csv"), ids=lambda r: f"{r['variable']}={r['text']}")
def test_environment_as_ipamd_reads_it(row: dict[str, str]) -> None:
    name = row["variable"]
    if name in _NUMBERS:
        # Unset means the code's default in the unit tests; the chart's in a cluster (see the next test).
        number = "" if row["text"] == "<unset>" else row["text"]
        assert str(parse_env_number(name, number)[0]) == row["value"]
    else:
        default = name == "MANAGE_UNTAGGED_ENI"
        text = None if row["text"] == "<unset>" else row["text"]
        assert str(parse_env_switch(name, text, default=default)[0]).lower() == row["value"]


def test_a_variable_not_given_has_the_charts_value_an_empty_one_the_codes() -> None:
    assert cni_settings({})[0].warm_prefix == 1
    assert cni_settings({"WARM_PREFIX_TARGET": ""})[0].warm_prefix == 0
    assert cni_settings({"WARM_ENI_TARGET": ""})[0].warm_eni == 1


@pytest.mark.parametrize("row", rows("cni_pool_decisions.csv"), ids=lambda r: r["source"].split()[-1])
def test_step_model_decides_like_the_unit_tests(row: dict[str, str]) -> None:
    """The model that the closed forms are checked against answers upstream's own tests."""
    settings, _ = cni_settings({"WARM_PREFIX_TARGET": ""} | environment(row["env"]))
    unit = 16 if settings.prefix else 1
    enis = []
    for text in row["enis"].split(";") if row["enis"] else []:
        slots, pods = map(int, text.split("/"))
        enis.append(Eni([min(max(pods - unit * i, 0), unit) for i in range(slots)]))
    node = Node(
        k=int(row["ipv4_per_eni"] or 50) - 1,
        limit=int(row["max_enis"] or 15),
        idle_primary=False,
        prefix=settings.prefix,
        warm_eni=settings.warm_eni,
        warm_ip=settings.warm_ip,
        minimum_ip=settings.minimum_ip,
        warm_prefix=settings.warm_prefix,
        max_pods=int(row["max_pods"] or 500),
        enis=enis,
    )
    if row["question"] == "pool_too_low":
        assert str(node.too_low()).lower() == row["expected"]
    else:
        assert f"{node.short()};{node.over()}" == row["expected"]


@pytest.mark.parametrize(("max_eni", "addresses"), [(1, 9), (2, 9), (3, 18)])
def test_max_pods_and_pool_agree_on_what_a_trunk_leaves(max_eni: int, addresses: int) -> None:
    """With one slot there is no trunk, and the primary serves pods."""
    kind = load_catalog().get("m5.large")
    settings, _ = cni_settings({"ENABLE_POD_ENI": "true", "MAX_ENI": str(max_eni)})
    row = max_pods(kind, Platform(pod_eni=True, max_eni=max_eni))
    assert row.ip_capacity == address_capacity(node_limits(kind, settings), settings) == addresses
