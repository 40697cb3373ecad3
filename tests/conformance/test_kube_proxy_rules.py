"""kube-proxy's rule sets, as upstream's own unit tests expect them (made by tools/build_kube_proxy_rules.py)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.rule_sets import RuleSets, rule_sets
from capacity.services.sync import NO_SERVICE, iptables_chains_sent, iptables_partial_sync, nftables_operations

CASES = Path(__file__).parent / "kube_proxy_rules.csv"
ROWS = list(csv.DictReader(CASES.read_text(encoding="utf-8").splitlines()))


def values(text: str) -> dict[str, Any]:
    """``endpoints=3 node_port no-nfacct`` as arguments."""
    found: dict[str, Any] = {}
    for word in text.split():
        name, sign, value = word.partition("=")
        found[name.removeprefix("no-")] = (
            (int(value) if value.isdigit() else value) if sign else not name.startswith("no-")
        )
    return found


def shape(text: str) -> ServiceShape:
    return ServiceShape(**{key: value for key, value in values(text).items() if key != "count"})


def counted(sets: RuleSets, mode: str) -> dict[str, int]:
    told: dict[str, int] = {}
    for part, figures in sets.figures(mode).items():
        for name, value in figures.items() if isinstance(figures, dict) else ():
            told |= (
                {f"ipset.{k}": v for k, v in value.items()} if isinstance(value, dict) else {f"{part}.{name}": value}
            )
    return told


def sent(row: dict[str, str], shapes: list[tuple[ServiceShape, int]], proxy: KubeProxy) -> dict[str, int]:
    """Figures of the sync after the row's change; empty if it has none."""
    if not row["before"]:
        return {}
    position, _, told = row["before"].partition(": ")
    before, _, gone = told.partition(" / ")
    after = shapes[int(position)][0]
    if row["mode"] == "iptables":
        changed = [] if before == "same" else [after]
        return {
            "rules.nat_sent": iptables_partial_sync(shapes, changed, proxy),
            "chains.nat_sent": iptables_chains_sent(changed, proxy, int(gone or 0)),
        }
    was = {"none": NO_SERVICE, "same": after}.get(before) or shape(before)
    return {"elements.operations": nftables_operations(was, after, proxy)}


@pytest.mark.parametrize("row", ROWS, ids=[row["case"] for row in ROWS])
def test_figures_of_upstream_tests(row: dict[str, str]) -> None:
    proxy = KubeProxy(**values(row["proxy"]))
    shapes = [(shape(text), values(text).get("count", 1)) for text in row["services"].split(";") if text.strip()]
    sets = rule_sets(shapes, proxy, family="ipv6" if proxy.ipv6 else "ipv4", base=row["base"] == "yes")
    got = counted(sets, row["mode"]) | sent(row, shapes, proxy)
    want = values(row["figures"])
    assert {name: got.get(name, 0) for name in want} == want


def test_every_mode_and_change_is_covered() -> None:
    assert {row["mode"] for row in ROWS} == {"iptables", "nftables", "ipvs"}
    assert sum(bool(row["before"]) for row in ROWS) == 9
