"""The types that can be bought, as nodes of the plan, with their room for its pods and their price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd

from capacity.catalog.instance_type import InstanceType
from capacity.cluster.group_shapes import group_shape
from capacity.cluster.load import workload_pod
from capacity.cluster.node_state import BRANCH, UNLIMITED, VPC, PodShape, fits
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.optimize.problem import NodeChoice, Problem, Shape
from capacity.plan.discovery import choices_by_group
from capacity.plan.model import NodeGroup, Plan

RESOURCES = ("cpu", "memory", "max_pods", "addresses", "branch_enis", "volumes", "gpus")


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of one workload: their shape, and how many now and at the peak. [pods]

    ``zoned``: they are spread over the zones; ``alone``: no two on one node.
    """

    name: str
    pod: PodShape
    now: int
    most: int
    zoned: bool = False
    alone: bool = False

    def count(self, *, peak: bool) -> int:
        """Replicas at the peak, or now. [pods]"""
        return self.most if peak else self.now


@dataclass(frozen=True)
class BuyableType:
    """A node that can be bought: a node group of one type.

    Attributes
    ----------
    price : float
        Price of a node with all its fees. [USD per hour]
    """

    shape: GroupShape
    price: float

    @property
    def name(self) -> str:
        """The instance type."""
        return self.shape.first.instance_type.name

    @property
    def node(self) -> TypeShape:
        """One node."""
        return self.shape.first

    @property
    def vcpus(self) -> int:
        """vCPUs of a node. [vCPUs]"""
        return self.shape.first.instance_type.vcpus or 0

    @cached_property
    def rooms(self) -> tuple[int, ...]:
        """Room for pods in addition to the DaemonSets, by :data:`RESOURCES`."""
        node = self.node
        room, start = node.room, node.start
        return (
            room.cpu - start.cpu,
            room.memory - start.memory,
            node.max_pods - start.pods,
            min(node.addresses - node.daemon_pods, UNLIMITED),
            room.branch_enis - start.branch_pods,
            room.volumes - start.volumes,
            room.gpus - start.gpus,
        )

    def addresses(self, pods: int, branch: int = 0) -> int:
        """Subnet addresses of a node with that many pods on VPC addresses and on branch ENIs. [addresses]"""
        node = self.node
        return self.shape.node_addresses + node.demand(node.daemon_pods + pods) + branch


@dataclass(frozen=True)
class Market:
    """The candidates, cheapest first, ties by name, and the types that were left out, by reason."""

    plan: Plan
    candidates: tuple[BuyableType, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, names: Iterable[str]) -> Market:
        """The market with only some of the types."""
        kept = frozenset(names)
        return replace(self, candidates=tuple(c for c in self.candidates if c.name in kept))


def open_market(plan: Plan, template: NodeGroup, kinds: Sequence[InstanceType], inputs: CostInputs) -> Market:
    """Every type as a node group like the template, with a price.

    Types that cannot be planned, and types without a known price, are left out and named.
    """
    book = PriceBook(plan.region, inputs)
    out: dict[str, list[str]] = {}
    found: list[BuyableType] = []
    for kind in kinds:
        why = _unplannable(plan, kind)
        group = replace(template, instance_types=(kind,))
        price = None if why else node_price(book, group, kind)
        if why or price is None:
            out.setdefault(why or "no known price", []).append(kind.name)
            continue
        found.append(BuyableType(_shape(plan, group), price))
    left = tuple((reason, tuple(names)) for reason, names in sorted(out.items()))
    return Market(plan, tuple(found), left, tuple(book.notes()))


def _shape(plan: Plan, group: NodeGroup) -> GroupShape:
    choices = choices_by_group(replace(plan, node_groups=(group,)))[0]
    return group_shape(plan, group, choices)


def _unplannable(plan: Plan, kind: InstanceType) -> str:
    """Why a type cannot be in a plan; the parser of plans refuses the type for the same reason."""
    if kind.max_enis is None or kind.ipv4_per_eni is None:
        return "no known ENI limits"
    if kind.vcpus is None or kind.memory_mib is None:
        return "no known vCPUs and memory"
    if plan.cni.settings.ipv6 and kind.prefixes_possible is False:
        return "no IPv6 on Xen"
    return ""


def node_price(book: PriceBook, group: NodeGroup, kind: InstanceType) -> float | None:
    """The cost of one node: instance, Auto Mode, the user's cost per node; None if unknown. [USD per hour]"""
    rates = [book.node(group, kind), *([book.auto_mode(kind)] if group.auto else [])]
    figures = [rate.usd_per_hour for rate in rates]
    return None if None in figures else round(sum(f for f in figures if f) + book.inputs.node_cost, 10)


def pods_of(plan: Plan, names: Sequence[str]) -> tuple[Pods, ...]:
    """The pods of some workloads of the plan, in its order."""
    chosen = [w for w in plan.workloads if w.name in names]
    return tuple(
        Pods(w.name, workload_pod(plan, w), w.replicas, w.max_replicas, w.zone_skew is not None, w.one_per_node)
        for w in chosen
    )


def holds(candidate: BuyableType, pods: Pods) -> bool:
    """Whether an empty node of the candidate fits one of the pods, including its address."""
    node = candidate.node
    return fits(node.room, node.start, pods.pod) and (pods.pod.kind != VPC or candidate.rooms[3] > 0)


def demand_of(pod: PodShape) -> tuple[int, ...]:
    """The resources that one pod uses, by :data:`RESOURCES`."""
    return (pod.cpu, pod.memory, 1, int(pod.kind == VPC), int(pod.kind == BRANCH), pod.volumes, pod.gpus)


def packing_problem(market: Market, pods: Sequence[Pods], *, peak: bool) -> Problem:
    """The pods and candidates in exact whole numbers: CPU and memory in the largest unit that divides each request."""
    used = list(_limiting(market, pods))
    demands = [demand_of(p.pod) for p in pods]
    units = [gcd(*(d[r] for d in demands)) or 1 if r < 2 else 1 for r in used]
    wants = [tuple(d[r] // unit for r, unit in zip(used, units, strict=True)) for d in demands]
    shapes = tuple(
        Shape(p.name, want, p.count(peak=peak), 1 if p.alone else None) for p, want in zip(pods, wants, strict=True)
    )
    total = [max(sum(s.demand[i] * s.replicas for s in shapes), 1) for i in range(len(used))]
    kinds = tuple(
        NodeChoice(
            c.name,
            tuple(min(c.rooms[r] // unit, most) for r, unit, most in zip(used, units, total, strict=True)),
            c.price,
        )
        for c in market.candidates
    )
    return Problem(shapes, kinds)


def _limiting(market: Market, pods: Sequence[Pods]) -> Iterator[int]:
    """The resources that can be a limit; addresses only if there are fewer than max pods."""
    demands = [demand_of(p.pod) for p in pods]
    for r, name in enumerate(RESOURCES):
        if name == "addresses" and all(c.rooms[3] >= c.rooms[2] for c in market.candidates):
            continue
        if any(d[r] for d in demands):
            yield r
