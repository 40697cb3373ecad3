"""Checks the packaged data, without network or other programs.

Each check looks at every row it applies to and returns a :class:`Check` with how many figures it looked at and one line
per failure. Figures that break a rule but are correct are listed with their source in ``data/exceptions.csv``; an
exception that is no longer needed is a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path

from capacity.catalog.fees import read_fees, read_kubernetes_versions
from capacity.catalog.instance_type import InstanceType
from capacity.catalog.order import size_rank
from capacity.catalog.packaged import Row, data_dir, read_rows, read_text
from capacity.catalog.prices import Price, read_prices
from capacity.catalog.provenance import DataSource, load_sources
from capacity.catalog.table import Catalog

Measure = Callable[[InstanceType], "int | float | None"]

HOST_NETWORK_PODS = 2
"""kube-proxy and the VPC CNI, which need no pod address."""


@dataclass
class Check:
    """One check: its subject, the number of figures it checked, and its failures."""

    name: str
    what: str
    checked: int = 0
    failures: list[str] = field(default_factory=list)

    def expect(self, right: bool, failure: str) -> None:
        """Count one figure, and record ``failure`` unless it is correct."""
        self.checked += 1
        if not right:
            self.failures.append(failure)


RANGES: tuple[tuple[str, float, float], ...] = (
    # The upper ends are a factor of about two above the largest figure EC2 states (2026-10-27): they detect a shifted
    # column or a wrong unit, not a new generation.
    ("max_enis", 1, 64),
    ("max_enis_total", 1, 160),
    ("network_cards", 1, 64),
    ("ipv4_per_eni", 2, 128),
    ("ipv6_per_eni", 0, 128),
    ("branch_enis", 0, 121),  # VLAN ids of one trunk: amazon-vpc-resource-controller-k8s trunk.go L44
    ("vcpus", 1, 2048),
    ("memory_mib", 256, 2**26),
    ("gpus", 0, 16),
    ("accelerators", 0, 64),
    ("network_baseline_gbps", 0.01, 12_800),
    ("network_peak_gbps", 0.01, 12_800),
    ("ebs_attachments", 1, 256),
)
WORDS = {
    "arch": ("x86_64", "arm64", "arm64_mac", "x86_64_mac", "i386"),
    "hypervisor": ("nitro", "xen"),
}


def _slots(t: InstanceType) -> int | None:
    """ENIs and branch ENIs together: larger sizes exchange one for the other."""
    if t.max_enis_total is None or t.branch_enis is None or not t.trunking:
        return None
    return t.max_enis_total + t.branch_enis


ORDERED: tuple[tuple[str, Measure], ...] = (
    ("vcpus", lambda t: t.vcpus),
    ("memory_mib", lambda t: t.memory_mib),
    ("max_enis_total", lambda t: t.max_enis_total),
    # The largest sizes have two cards and half of their ENIs on the default one: only sizes with one card are compared.
    ("max_enis", lambda t: t.max_enis if t.network_cards == 1 else None),
    ("ipv4_per_eni", lambda t: t.ipv4_per_eni),
    ("enis_and_branch_enis", _slots),
    ("network_baseline_gbps", lambda t: t.network_baseline_gbps),
)
"""Figures that must not decrease from one size of a family to the next; EBS attachments do, for local disks."""


@dataclass
class _Data:
    """Everything the checks read, loaded once."""

    folder: Path
    types: dict[str, InstanceType]
    sources: dict[str, DataSource]
    prices: list[Price]
    facts: list[Row]
    stated: list[Row]
    overruled: list[Row]
    exceptions: dict[tuple[str, str, str], Row]


def verify(folder: Path | None = None) -> list[Check]:
    """Every check, in a fixed order; all pass if no check has a failure.

    Raises
    ------
    CatalogError
        A file is missing or so damaged that nothing can be checked against it.
    """
    place = folder or data_dir()
    data = _load(place)
    used: set[tuple[str, str, str]] = set()
    checks = [
        _files(data),
        _sources(data),
        _ranges(data),
        _consistent(data),
        _order(data, used),
        _max_pods(data, used),
        _disagreements(data),
        _price_list(data),
    ]
    return [*checks, _exceptions(data, used)]


def _load(folder: Path) -> _Data:
    catalog = Catalog(read_text(folder / "eni_limits.csv"))
    return _Data(
        folder=folder,
        types={t.name: t for t in catalog},
        sources=load_sources(folder)[0],
        prices=read_prices(folder / "prices.csv"),
        facts=read_rows(folder / "facts.csv", "instance_type", "field", "value", "sources"),
        stated=read_rows(folder / "stated_max_pods.csv", "instance_type", "max_pods", "sources"),
        overruled=read_rows(
            folder / "disagreements.csv",
            *("instance_type", "field", "chosen", "chosen_sources", "other", "other_sources", "rule"),
        ),
        exceptions={
            (r["check"], r["instance_type"], r["field"]): r
            for r in read_rows(folder / "exceptions.csv", "check", "instance_type", "field", "reason", "source")
        },
    )


def _files(data: _Data) -> Check:
    check = Check("files", "checksum and number of rows of every data file match SOURCES.toml")
    for file in load_sources(data.folder)[1]:
        fault = file.fault(data.folder)
        check.expect(fault is None, fault or "")
    return check


def _sources(data: _Data) -> Check:
    check = Check("sources", "every type and every figure names its sources, and SOURCES.toml has them")
    for t in data.types.values():
        check.expect(bool(t.sources) and set(t.sources) <= set(data.sources), f"{t.name}: sources {t.sources!r}")
        dates = (data.sources[k].date for k in t.sources if k in data.sources)
        newest = str(max((d for d in dates if d), default=""))
        check.expect(t.as_of == newest, f"{t.name}: as_of {t.as_of!r}, but its newest source is of {newest!r}")
    for row in [*data.facts, *data.stated]:
        check.expect(set(row["sources"].split(";")) <= set(data.sources), f"{row.place}: sources {row['sources']!r}")
    return check


def _ranges(data: _Data) -> Check:
    check = Check("ranges", "every figure is in the range of its unit")
    for t in data.types.values():
        for name, low, high in RANGES:
            value = getattr(t, name)
            if value is not None:
                check.expect(low <= value <= high, f"{t.name}: {name} {value} is outside {low} to {high}")
        for name, words in WORDS.items():
            value = getattr(t, name)
            if value is not None:
                check.expect(value in words, f"{t.name}: {name} {value!r} is not one of {', '.join(words)}")
    return check


def _consistent(data: _Data) -> Check:
    check = Check("consistency", "the figures of one type do not contradict each other")
    for t in data.types.values():
        for right, failure in _contradictions(t):
            check.expect(right, f"{t.name}: {failure}")
    return check


def _contradictions(t: InstanceType) -> Iterator[tuple[bool, str]]:
    """Statements that must be true for one type if both of their figures are known."""
    yield (t.max_enis is None) == (t.ipv4_per_eni is None), "ENIs are known without addresses per ENI, or the reverse"
    if t.max_enis is not None and t.max_enis_total is not None:
        yield t.max_enis <= t.max_enis_total, f"{t.max_enis} ENIs on the default card, {t.max_enis_total} in total"
        if t.network_cards == 1:
            yield t.max_enis == t.max_enis_total, f"one card, but {t.max_enis} of {t.max_enis_total} ENIs on it"
    if t.max_enis_total is not None and t.network_cards is not None:
        yield t.network_cards <= t.max_enis_total, f"{t.network_cards} cards for {t.max_enis_total} ENIs"
    yield (t.branch_enis is None) == (t.trunking is None), "branch ENIs are known without trunking, or the reverse"
    if t.branch_enis is not None:
        yield t.trunking == (t.branch_enis > 0), f"trunking {t.trunking} with {t.branch_enis} branch ENIs"
    if t.bare_metal:
        yield t.hypervisor is None, f"bare metal with hypervisor {t.hypervisor!r}"
    if t.network_baseline_gbps is not None and t.network_peak_gbps is not None:
        yield t.network_baseline_gbps <= t.network_peak_gbps, "network baseline above its peak"
    if t.gpus or t.accelerators:
        yield t.accelerator is not None, "accelerators without a name"


def _order(data: _Data, used: set[tuple[str, str, str]]) -> Check:
    check = Check("family_order", "no size of a family has less than a smaller size (virtual and metal separately)")
    for chain in _chains(data.types):
        for name, measure in ORDERED:
            known = [(t, value) for t in chain if (value := measure(t)) is not None]
            for (small, least), (large, value) in pairwise(known):
                key = ("family_order", large.name, name)
                if value < least and key in data.exceptions:
                    used.add(key)
                    check.checked += 1
                else:
                    check.expect(value >= least, f"{large.name}: {name} {value}, but {small.name} has {least}")
    return check


def _chains(types: dict[str, InstanceType]) -> list[list[InstanceType]]:
    """Types by family, bare metal separately, each in the order of sizes; sizes without a rank are left out."""
    chains: dict[tuple[str, bool], list[InstanceType]] = {}
    for t in types.values():
        rank = size_rank(t.name.partition(".")[2])[0]
        if rank < 3:
            chains.setdefault((t.family, rank == 2), []).append(t)
    return list(chains.values())


def _max_pods(data: _Data, used: set[tuple[str, str, str]]) -> Check:
    check = Check("max_pods", "ENIs × (addresses per ENI − 1) + 2 is the published max pods")
    for row in data.stated:
        t = data.types.get(row["instance_type"])
        if t is None or t.max_enis is None or t.ipv4_per_eni is None:
            check.expect(
                right=False, failure=f"{row.place}: {row['instance_type']!r} has no ENI figures in the catalog"
            )
            continue
        computed = t.max_enis * (t.ipv4_per_eni - 1) + HOST_NETWORK_PODS
        key = ("max_pods", t.name, "max_pods")
        if str(computed) != row["max_pods"] and key in data.exceptions:
            used.add(key)
            check.checked += 1
        else:
            check.expect(str(computed) == row["max_pods"], f"{t.name}: {computed} max pods, stated {row['max_pods']}")
    return check


def _disagreements(data: _Data) -> Check:
    check = Check("disagreements", "where sources disagree, the catalog has the value that the rules chose")
    for row in data.overruled:
        t = data.types.get(row["instance_type"])
        held = _cell(getattr(t, row["field"], None))
        chosen = "" if row["chosen"] == "none" else row["chosen"]
        check.expect(t is not None and held == chosen, f"{row.place}: chosen {chosen!r}, the catalog has {held!r}")
    return check


def _cell(value: object) -> str:
    """A value as ``eni_limits.csv`` writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _price_list(data: _Data) -> Check:
    check = Check(
        "prices", "prices are above 0, dated, sourced, of known types, one per type and region, in its currency"
    )
    seen = Counter((p.instance_type, p.region) for p in data.prices)
    for p in data.prices:
        label = f"prices.csv: {p.instance_type} in {p.region}"
        check.expect(p.instance_type in data.types, f"{label}: no such type in the catalog")
        check.expect(seen[p.instance_type, p.region] == 1, f"{label}: more than one price")
        # AWS China bills in CNY, every other region in USD.
        check.expect(p.currency == ("CNY" if p.region.startswith("cn-") else "USD"), f"{label}: currency {p.currency}")
        check.expect(_is_date(p.date), f"{label}: {p.date!r} is not a date")
        check.expect(p.source in data.sources, f"{label}: source {p.source!r} is not in SOURCES.toml")
    stated = {f"fees.csv: {f.name} in {f.region}": f.source for f in read_fees(data.folder)}
    stated |= {f"kubernetes_versions.csv: {v.version}": v.source for v in read_kubernetes_versions(data.folder)}
    for label, source in stated.items():
        check.expect(source in data.sources, f"{label}: source {source!r} is not in SOURCES.toml")
    return check


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _exceptions(data: _Data, used: set[tuple[str, str, str]]) -> Check:
    check = Check("exceptions", "every listed exception is still needed, and has a reason and a source")
    for key, row in data.exceptions.items():
        check.expect(key in used, f"{row.place}: {row['instance_type']} no longer needs this exception")
        known = set(row["source"].split(";")) <= set(data.sources)
        check.expect(bool(row["reason"]) and known, f"{row.place}: no reason, or the source {row['source']!r}")
    return check
