"""`capacity node`: what is left for pods on a node, how many of this pod fit, what limits them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capacity.cli.cost_options import (
    CostOptions,
    PerNodeCost,
    PriceFactor,
    PriceFile,
    SavingsPlan,
    cost_inputs,
)
from capacity.cli.node_flags import (
    Arch,
    Current,
    Daemonset,
    EvictionHard,
    Family,
    Limit,
    MaxPods,
    MemoryMax,
    MemoryMin,
    Mode,
    PodCpu,
    PodMemory,
    Pods,
    PodVolumes,
    Region,
    SecurityGroups,
    Sort,
    SystemReserved,
    VcpusMax,
    VcpusMin,
    VmMemoryOverhead,
)
from capacity.cli.node_options import (
    All,
    Ami,
    Asked,
    Cilium,
    Cni,
    CustomNetworking,
    Env,
    Expression,
    MaxEni,
    Os,
    PodEni,
    Provisioner,
    ReservedEnis,
    Types,
    resolve,
    select_types,
)
from capacity.cli.options import Color, Explain, OutFile, Output, Quiet, Wide, one_of, packed, sink, whole
from capacity.errors import SpecError
from capacity.plan.constants import ARCHS, MODES

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.node.allocatable import Keep
    from capacity.node.offer import Daemon, PodAsked
    from capacity.pages.answer import Answer

MOST_USD_PER_HOUR = 100_000


def register(app: typer.Typer) -> None:
    app.command("node")(node)


def node(
    types: Types = None,
    everything: All = False,
    pod_cpu: PodCpu = None,
    pod_memory: PodMemory = None,
    security_groups: SecurityGroups = False,
    pod_volumes: PodVolumes = None,
    daemonset: Daemonset = None,
    max_pods: MaxPods = None,
    pods: Pods = None,
    env: Env = None,
    mode: Mode = None,
    custom_networking: CustomNetworking = False,
    max_eni: MaxEni = None,
    reserved_enis: ReservedEnis = 0,
    pod_eni: PodEni = False,
    os: Os = None,
    ami: Ami = None,
    provisioner: Provisioner = None,
    expression: Expression = None,
    cni: Cni = "vpc-cni",
    cilium: Cilium = None,
    region: Region = "us-east-1",
    per_node_cost: PerNodeCost = 0.0,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    vm_memory_overhead: VmMemoryOverhead = "0.075",
    system_reserved: SystemReserved = None,
    eviction_hard: EvictionHard = "100Mi",
    vcpus_min: VcpusMin = None,
    vcpus_max: VcpusMax = None,
    memory_min: MemoryMin = None,
    memory_max: MemoryMax = None,
    arch: Arch = None,
    family: Family = None,
    current: Current = False,
    sort: Sort = None,
    limit: Limit = None,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show allocatable resources of a node, how many pods fit, the limit, and the cost.

    Examples: capacity node m5.large --pod-cpu 250m --pod-memory 512Mi ·
    capacity node --all --pod-cpu 1 --pod-memory 4Gi --sort usd_per_pod_month --limit 10 ·
    capacity node m5.large --pods 12 --env WARM_IP_TARGET=2 --env MINIMUM_IP_TARGET=10
    """  # fmt: skip
    given = packed(NodeOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class NodeOptions:
    """The options of `capacity node` as given, named as its parameters are."""

    types: list[str] | None
    everything: bool
    pod_cpu: str | None
    pod_memory: str | None
    security_groups: bool
    pod_volumes: int | None
    daemonset: list[str] | None
    max_pods: int | None
    pods: int | None
    env: list[str] | None
    mode: str | None
    custom_networking: bool
    max_eni: int | None
    reserved_enis: int
    pod_eni: bool
    os: str | None
    ami: str | None
    provisioner: str | None
    expression: str | None
    cni: str
    cilium: list[str] | None
    region: str
    per_node_cost: float
    price_file: Path | None
    price_factor: str | None
    savings_plan: str | None
    vm_memory_overhead: str
    system_reserved: str | None
    eviction_hard: str
    vcpus_min: int | None
    vcpus_max: int | None
    memory_min: str | None
    memory_max: str | None
    arch: str | None
    family: list[str] | None
    current: bool
    sort: str | None
    limit: int | None
    explain: bool

    @property
    def asked(self) -> Asked:
        """The options shared with `maxpods`."""
        return Asked(
            one_of("--mode", self.mode, MODES) if self.mode is not None else None,
            self.custom_networking, self.max_eni, self.reserved_enis, self.pod_eni, self.os, self.ami,
            self.provisioner, self.expression, self.env or (), self.cni, self.cilium or (),
        )  # fmt: skip


def _answered(given: NodeOptions) -> Answer:
    """The offers for the given options."""
    platform, settings, notes = resolve(given.asked)
    whole("--pods", given.pods)
    whole("--max-pods", given.max_pods, 1)
    whole("--limit", given.limit, 1)
    pod = _pod(given)
    if given.security_groups and not platform.pod_eni:
        notes.append(
            "--security-groups without --pod-eni: without ENABLE_POD_ENI no branch ENIs are created; "
            "counted as pods without security groups"
        )
    keep = _keep(given.vm_memory_overhead, given.system_reserved, given.eviction_hard)
    daemons = [_daemon(text) for text in given.daemonset or ()]
    kinds = _kinds(given)
    from capacity.pages.node_offers import OfferInputs, OfferView, offers_answer

    cost = given.per_node_cost
    prices = cost_inputs(CostOptions(given.price_file, given.price_factor, given.savings_plan, per_node_cost=cost))
    inputs = OfferInputs(
        platform, settings, pod, daemons, keep, given.max_pods, given.pods, given.region, prices,
        env=given.env or (), cni=given.cni,
    )  # fmt: skip
    return offers_answer(inputs, kinds, OfferView(given.sort, given.limit, explain=given.explain), notes)


def _pod(given: NodeOptions) -> PodAsked:
    from capacity.node.offer import PodAsked
    from capacity.units import parse_cpu, parse_memory

    return PodAsked(
        cpu=None if given.pod_cpu is None else parse_cpu(given.pod_cpu, "--pod-cpu"),
        memory=None if given.pod_memory is None else parse_memory(given.pod_memory, "--pod-memory"),
        branch=given.security_groups,
        volumes=whole("--pod-volumes", given.pod_volumes),
    )


def _daemon(text: str) -> Daemon:
    from capacity.node.offer import Daemon
    from capacity.units import parse_cpu, parse_memory

    name, sign, rest = text.partition("=")
    parts = rest.split(",")
    if not name or not sign or len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] != "hostNetwork"):
        raise SpecError(f"--daemonset: {text!r} is not NAME=cpu,memory[,hostNetwork] (such as log-agent=50m,128Mi)")
    place = f"--daemonset {name}"
    return Daemon(name, parse_cpu(parts[0] or 0, place), parse_memory(parts[1] or 0, place), len(parts) == 3)


def _keep(overhead: str, system: str | None, eviction: str) -> Keep:
    from fractions import Fraction

    from capacity.node.allocatable import Keep
    from capacity.units import MIB, ceil_div, parse_cpu, parse_memory, parse_percent, parse_quantity

    share = (
        parse_percent(overhead, "--vm-memory-overhead")
        if overhead.endswith("%")
        else parse_quantity(overhead, "--vm-memory-overhead")
    )
    if share >= 1:
        raise SpecError(f"--vm-memory-overhead: {overhead!r} is out of range (expected 0 up to less than 1)")
    if 10**6 % share.denominator:
        raise SpecError(f"--vm-memory-overhead: {overhead!r} has too many decimals (expected at most six)")
    cpu = memory = 0
    for part in (system or "").split(",") if system else ():
        name, _, value = part.partition("=")
        if name == "cpu":
            cpu = parse_cpu(value, "--system-reserved cpu")
        elif name == "memory":
            memory = ceil_div(parse_memory(value, "--system-reserved memory"), MIB)
        else:
            raise SpecError(f"--system-reserved: {part!r} is not cpu=QUANTITY or memory=QUANTITY")
    threshold: Fraction | None = None
    amount = 0
    if eviction.endswith("%"):
        threshold = parse_percent(eviction, "--eviction-hard")
        if threshold > 1:
            raise SpecError(f"--eviction-hard: {eviction!r} is out of range (expected at most 100%)")
    else:
        amount = ceil_div(parse_memory(eviction, "--eviction-hard"), MIB)
    return Keep(int(share * 10**6), cpu, memory, amount, threshold)


def _kinds(given: NodeOptions) -> list[InstanceType]:
    """The types that pass the filters."""
    from capacity.units import MIB, parse_memory

    least = parse_memory(given.memory_min, "--memory-min") if given.memory_min is not None else None
    most = parse_memory(given.memory_max, "--memory-max") if given.memory_max is not None else None
    if given.arch is not None:
        one_of("--arch", given.arch, ARCHS)
    fewest, most_vcpus, arch = given.vcpus_min, given.vcpus_max, given.arch

    def wanted(kind: InstanceType) -> bool:
        memory = None if kind.memory_mib is None else kind.memory_mib * MIB
        return (
            (fewest is None or (kind.vcpus is not None and kind.vcpus >= fewest))
            and (most_vcpus is None or (kind.vcpus is not None and kind.vcpus <= most_vcpus))
            and (least is None or (memory is not None and memory >= least))
            and (most is None or (memory is not None and memory <= most))
            and (arch is None or kind.arch == arch)
            and (not given.family or kind.family in given.family)
            and (not given.current or kind.current_generation is True)
        )

    found = [k for k in select_types(given.types, everything=given.everything) if wanted(k)]
    if not found:
        raise SpecError("no instance type matches the filters (--vcpus-min, --memory-min, --arch, --family, …)")
    return found
