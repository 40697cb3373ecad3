"""`capacity optimize`: the cheapest node groups that carry the workloads without running out of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from capacity.cli.chart_files import Charts, relative_to, write_charts
from capacity.cli.cost_options import CostOptions, PerNodeCost, PriceFactor, PriceFile, SavingsPlan, cost_inputs
from capacity.cli.node_options import Asked, CustomNetworking, Env, Provisioner, environment
from capacity.cli.optimize_flags import (
    Alternatives,
    Arch,
    CniModes,
    Current,
    Effort,
    Headroom,
    MaxGroups,
    MaxNodes,
    MaxPods,
    MaxTypes,
    MaxVcpus,
    Minimize,
    MinNodes,
    Mode,
    Nodes,
    PeakHours,
    PlanFile,
    Pod,
    Region,
    Scenario,
    Survive,
    TimeLimit,
    Types,
    VcpuQuota,
    WrittenAs,
    Zones,
    type_globs,
)
from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, one_of, packed, sink, whole
from capacity.cli.pod_options import read_pods
from capacity.errors import SpecError
from capacity.optimize.choices import COST, EFFORT_NAMES, SURVIVALS, TO_MINIMIZE
from capacity.plan.constants import ARCHS, GROUP_FORMS, MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capacity.optimize.choices import Choices
    from capacity.pages.answer import Answer

LONGEST_S = 86_400


def register(app: typer.Typer) -> None:
    app.command("optimize")(optimize)


def optimize(
    plan: PlanFile = None,
    pod: Pod = None,
    zones: Zones = None,
    region: Region = None,
    mode: Mode = None,
    custom_networking: CustomNetworking = False,
    env: Env = None,
    types: Types = None,
    arch: Arch = None,
    max_vcpus: MaxVcpus = None,
    max_types: MaxTypes = None,
    max_groups: MaxGroups = 6,
    provisioner: Provisioner = None,
    max_pods: MaxPods = None,
    min_nodes: MinNodes = 1,
    max_nodes: MaxNodes = None,
    vcpu_quota: VcpuQuota = None,
    peak_hours: PeakHours = "20%",
    survive: Survive = None,
    minimize: Minimize = COST,
    headroom: Headroom = "0%",
    cni_modes: CniModes = None,
    current: Current = False,
    scenario: Scenario = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    per_node_cost: PerNodeCost = 0.0,
    effort: Effort = "normal",
    time_limit: TimeLimit = None,
    simpler: Alternatives = True,
    nodes: Nodes = False,
    written_as: WrittenAs = None,
    charts: Charts = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Choose the cheapest node groups for the workloads, within address limits.

    The answer is schedulable: with these node groups, check leaves no pod unschedulable and none without an address.
    The page also has the proven lower bound, what other choices cost, the plan's own groups, and the trade-off of
    cost, addresses and nodes.

    Examples: capacity optimize examples/shop-prod.yaml --price-factor 1.1 ·
    capacity optimize --pod web=250m,512Mi,300 --pod api=1,2Gi,40 --zones 3 --as eksctl ·
    capacity optimize plan.yaml --types 'm6i.*,c6i.*' --max-vcpus 16 --survive zone -o json
    """  # fmt: skip
    given = packed(OptimizeOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit
    from capacity.pages.answer import with_charts

    found = _answered(given)
    if charts is not None:
        write_charts(found.page, charts)
        found = with_charts(found, relative_to(out_file, charts))
    emit(found, to)


@dataclass(frozen=True)
class OptimizeOptions:
    """The options of `capacity optimize` as given, named as its parameters are."""

    plan: Path | None
    pod: list[str] | None
    zones: int | None
    region: str | None
    mode: str | None
    custom_networking: bool
    env: list[str] | None
    types: str | None
    arch: str | None
    max_vcpus: int | None
    max_types: int | None
    max_groups: int
    provisioner: str | None
    max_pods: int | None
    min_nodes: int
    max_nodes: int | None
    vcpu_quota: int | None
    peak_hours: str
    survive: str | None
    minimize: str
    headroom: str
    cni_modes: str | None
    current: bool
    scenario: list[str] | None
    price_file: Path | None
    price_factor: str | None
    savings_plan: str | None
    per_node_cost: float
    effort: str
    time_limit: float | None
    simpler: bool
    nodes: bool
    written_as: str | None
    quiet: bool


def _answered(given: OptimizeOptions) -> Answer:
    """The node groups for the given options."""
    one_of("--effort", given.effort, EFFORT_NAMES)
    if given.written_as is not None:
        one_of("--as", given.written_as, GROUP_FORMS)
    limit = given.time_limit
    if limit is not None and not 0 < limit <= LONGEST_S:
        raise SpecError(f"--time-limit: {limit:g} is out of range (expected above 0, at most {LONGEST_S})")
    whole("--zones", given.zones, 1)
    choices = _choices(given)
    document, file = _document(given)
    inputs = cost_inputs(
        CostOptions(given.price_file, given.price_factor, given.savings_plan, per_node_cost=given.per_node_cost)
    )
    from capacity.advice.nodes_to_buy import optimize_plan
    from capacity.cli.optimize_stop import stop_when
    from capacity.optimize.request import Request
    from capacity.pages.optimize_page import answer

    with stop_when(limit, quiet=given.quiet) as stopped:
        request = Request(choices, inputs, given.effort, stopped=stopped, simpler=given.simpler, current=given.current)
        found = optimize_plan(document, request, file=file, zones=given.zones)
    return answer(found, choices, inputs, effort=given.effort, nodes=given.nodes, form=given.written_as)


def _choices(given: OptimizeOptions) -> Choices:
    from capacity.optimize.choices import Choices
    from capacity.units import parse_percent

    return Choices(
        types=type_globs(given.types),
        arch=None if given.arch is None else one_of("--arch", given.arch, ARCHS),
        max_vcpus=whole("--max-vcpus", given.max_vcpus, 1),
        max_types=whole("--max-types", given.max_types, 1),
        max_groups=whole("--max-groups", given.max_groups, 1) or 1,
        provisioner=given.provisioner,
        max_pods=whole("--max-pods", given.max_pods, 1),
        min_nodes=whole("--min-nodes", given.min_nodes, 1) or 1,
        max_nodes=whole("--max-nodes", given.max_nodes, 1),
        vcpu_quota=whole("--vcpu-quota", given.vcpu_quota, 1),
        peak_hours=parse_percent(given.peak_hours, "--peak-hours"),
        survive=None if given.survive is None else one_of("--survive", given.survive, SURVIVALS),
        headroom=parse_percent(given.headroom, "--headroom"),
        modes=tuple(part.strip() for part in (given.cni_modes or "").split(",") if part.strip()),
        scenarios=tuple(given.scenario or ()),
        minimize=one_of("--minimize", given.minimize, TO_MINIMIZE),
    )


def _document(given: OptimizeOptions) -> tuple[Mapping[str, Any], str]:
    """The plan's document, or one made of --pod; and what messages call it."""
    if not given.pod:
        from capacity.plan.document import read_plan_file
        from capacity.plan.parse import find_plan

        network = (("--region", given.region), ("--mode", given.mode), ("--env", given.env))
        for option, value in (*network, ("--custom-networking", given.custom_networking)):
            if value:
                raise SpecError(f"{option} requires --pod; a plan states it")
        read = read_plan_file(given.plan or find_plan())
        return read.document, read.name
    if given.plan is not None:
        raise SpecError("--pod and PLAN cannot be combined")
    from capacity.optimize.open_plan import sketched
    from capacity.plan.sketch import pod_entry

    mode = None if given.mode is None else one_of("--mode", given.mode, MODES)
    asked = Asked(mode=mode, custom_networking=given.custom_networking, env=given.env or ())
    document = sketched([], given.region)
    document["workloads"] = [pod_entry(p) for p in read_pods(given.pod)]
    if variables := dict(environment(asked)):
        document["cni"] = {"env": variables}
    if mode == "ipv6":
        document["kubernetes"] = {"ipFamily": "ipv6"}
    return document, "command line"
