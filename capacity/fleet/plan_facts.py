"""What a fleet must know of a plan before it can be answered: its account, region, VPC, subnets, named clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from capacity.fleet.unit import Row
from capacity.plan.model import Plan
from capacity.plan.tenant_section import NamedCluster


@dataclass(frozen=True, slots=True)
class NetworkSubnet:
    """A subnet as one plan describes it; ``where`` is file and line."""

    name: str
    id: str | None
    cidr: IPv4Network
    zone: str
    used: int
    reservations: str
    where: str


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """The network of one plan; ``named`` are the plan files of clusters that it names, with a name."""

    file: str
    name: str
    account: str | None
    region: str | None
    vpc: str | None
    cidrs: tuple[IPv4Network, ...]
    subnets: tuple[NetworkSubnet, ...]
    named: tuple[tuple[str, str], ...]
    digest: str


def facts_row(plan: Plan, named: Sequence[NamedCluster], digest: str) -> Row:
    """The facts as plain values."""
    return {
        "digest": digest,
        "name": plan.name,
        "account": plan.account,
        "region": plan.region,
        "vpc": plan.vpc_id,
        "cidrs": [str(cidr) for cidr in plan.vpc_cidrs],
        "subnets": [
            [
                s.name,
                s.id,
                str(s.cidr),
                s.zone,
                s.used,
                ", ".join(f"{r.cidr} ({r.type})" for r in s.reservations),
                s.where,
            ]
            for s in plan.subnets
        ],
        "named": [[n.file, n.name or ""] for n in named],
    }


def facts_of(row: Mapping[str, object]) -> PlanFacts:
    """The facts of a row."""
    return _facts(**row)  # type: ignore[arg-type]  # a row of facts_row


def _facts(
    *,
    plan: str,
    name: str,
    account: str | None,
    region: str | None,
    vpc: str | None,
    cidrs: Sequence[str],
    subnets: Sequence[tuple[str, str | None, str, str, int, str, str]],
    named: Sequence[Sequence[str]],
    digest: str,
) -> PlanFacts:
    return PlanFacts(
        file=plan,
        name=name,
        account=account,
        region=region,
        vpc=vpc,
        cidrs=tuple(map(IPv4Network, cidrs)),
        subnets=tuple(
            NetworkSubnet(n, i, IPv4Network(c), zone, used, kept, where) for n, i, c, zone, used, kept, where in subnets
        ),
        named=tuple((file, given) for file, given in named),
        digest=digest,
    )
