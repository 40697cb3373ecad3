"""Quotas of accounts, regions and VPCs, against what all clusters in them use together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.fleet.fleet_file import FleetFile
from capacity.units import counted
from capacity.vpc.quotas import Quota, load_quotas

SCENARIO = "peak"
UPGRADES = "all clusters upgrade at the same time"
BALANCERS = {"alb": "region_albs", "nlb": "region_nlbs", "clb": "region_clbs"}
BIGGEST = 3  # clusters named with a quota


@dataclass
class _Use:
    """What clusters use of one quota, by plan."""

    where: str
    by_plan: dict[str, int] = field(default_factory=dict)
    shared: int = 0  # used once by all of them

    def add(self, plan: str, used: int) -> None:
        if used:
            self.by_plan[plan] = self.by_plan.get(plan, 0) + used

    @property
    def used(self) -> int:
        return sum(self.by_plan.values()) + self.shared


Scope = tuple[str | None, str | None, str | None]  # account, region, VPC


def quota_rows(rows: Sequence[Mapping[str, Any]], fleet: FleetFile) -> list[dict[str, Any]]:
    """Use of each quota in each scope, the quotas in the order of their table.

    Figures are those of ``peak``, and of simultaneous upgrades for calls of the EC2 API. Load balancers belong to one
    cluster and add up; other tenants, such as endpoints, can be in the plans of several clusters: of those in one VPC,
    the largest number counts.
    """
    quotas = load_quotas()
    uses: dict[tuple[Scope, str], _Use] = {}
    for scope, name, plan, used, where in _single(rows):
        uses.setdefault((scope, name), _Use(where)).add(plan, used)
    for scope, name, used in _of_others(rows):
        if (scope, name) in uses:
            uses[scope, name].shared += used
    _peered(uses, fleet)
    order = {name: i for i, name in enumerate(quotas)}
    ranked = sorted(uses.items(), key=lambda item: (*_texts(item[0][0]), order[item[0][1]]))
    return [_row(scope, quotas[name], use, fleet) for (scope, name), use in ranked if use.used]


def _texts(scope: Scope) -> tuple[str, str, str]:
    account, region, vpc = scope
    return account or "", region or "", vpc or ""


def _single(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Scope, str, str, int, str]]:
    """Scope, quota, plan, use and where, of each cluster."""
    for row in rows:
        plan, usage = row["plan"], row["usage"]
        region: Scope = (row["account"], row["region"], None)
        peak, tenants = usage["peak"], usage["tenants"]
        yield region, "region_clusters", plan, 1, ""
        yield region, "region_enis", plan, peak["enis"] + tenants["enis"], SCENARIO
        for name, vcpus in peak["vcpus"].items():
            yield region, name, plan, vcpus, SCENARIO
        for kind, quota in BALANCERS.items():
            yield region, quota, plan, tenants["kinds"].get(kind, 0), ""
        for name, calls in (usage["upgrade_calls"] or {}).items():
            yield region, name, plan, calls, UPGRADES
        if row["vpc"]:
            vpc = (row["account"], row["region"], row["vpc"])
            yield vpc, "vpc_nau", plan, peak["nau"] + tenants["nau"], SCENARIO


def _of_others(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Scope, str, int]]:
    """Interfaces and address usage of tenants that several plans of a VPC can have: the most of any of them."""
    most: dict[Scope, dict[str, list[int]]] = {}
    for row in rows:
        scope: Scope = (row["account"], row["region"], row["vpc"] or f"of {row['plan']}")
        tenants = row["usage"]["tenants"]
        known = most.setdefault(scope, {"enis": [], "nau": []})
        known["enis"].append(tenants["enis_of_others"])
        known["nau"].append(tenants["nau_of_others"])
    for (account, region, vpc), known in most.items():
        yield (account, region, None), "region_enis", max(known["enis"])
        yield (account, region, vpc), "vpc_nau", max(known["nau"])


def _peered(uses: dict[tuple[Scope, str], _Use], fleet: FleetFile) -> None:
    """Add the address usage of each VPC together with its peers."""
    of_vpc = {scope[2]: (scope, use) for (scope, name), use in uses.items() if name == "vpc_nau"}
    for vpc, (scope, own) in list(of_vpc.items()):
        peers = {p for group in fleet.peerings if vpc in group for p in group if p != vpc and p in of_vpc}
        if peers:
            total = _Use(f"{SCENARIO}, with {counted(len(peers), 'peered VPC')}")
            for use in (own, *(of_vpc[peer][1] for peer in sorted(peers, key=str))):
                total.shared += use.shared
                for plan, used in use.by_plan.items():
                    total.add(plan, used)
            uses[scope, "peered_nau"] = total


def _row(scope: Scope, quota: Quota, use: _Use, fleet: FleetFile) -> dict[str, Any]:
    account, region, vpc = scope
    applied = fleet.limit(account, region, quota.name)
    limit = quota.default if applied is None else applied
    biggest = sorted(use.by_plan.items(), key=lambda item: (-item[1], item[0]))[:BIGGEST]
    return {
        "account": account,
        "account_name": (fleet.account_names or {}).get(account or ""),
        "region": region,
        "vpc": vpc,
        "name": quota.name,
        "what": quota.what,
        "unit": quota.unit,
        "used": use.used,
        "limit": limit,
        "limit_source": None if limit is None else "default" if applied is None else "fleet",
        "verdict": _verdict(quota, use.used, limit),
        "where": use.where,
        "clusters": len(use.by_plan),
        "biggest": [{"plan": plan, "used": used} for plan, used in biggest],
    }


def _verdict(quota: Quota, used: int, limit: int | None) -> str:
    """``ok``, ``raise`` (an increase is enough), ``over`` or ``unknown``."""
    if limit is None:
        return "unknown"
    if used <= limit:
        return "ok"
    fixed = quota.adjustable == "no" or (quota.most is not None and used > quota.most)
    return "over" if fixed else "raise"
