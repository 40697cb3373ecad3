"""`capacity optimize`: the cheapest node groups that carry the workloads without running out of addresses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.cost_options import PerNodeCost, PriceFactor, PriceFile, SavingsPlan, cost_inputs
from capacity.cli.node_options import Asked, CustomNetworking, Env, Provisioner, environment, whole
from capacity.cli.options import Color, OutFile, Output, Quiet, one_of, sink, words
from capacity.cli.pod_options import read_pods
from capacity.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction


ARCHS = ("x86_64", "arm64")
EFFORTS = ("quick", "normal", "thorough")
FORMS = ("plan", "eksctl", "terraform", "karpenter", "cloudformation")
MODES = ("secondary", "prefix", "ipv6")


def register(app: typer.Typer) -> None:
    app.command("optimize")(optimize)


def _count(option: str, text: str) -> Any:
    return typer.Option(option, help=text, metavar="N", show_default=False)


def optimize(
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="Plan file (- for stdin); vpc and nodeGroups may be missing. Without it capacity.yaml, or --pod.",
            metavar="[PLAN]",
        ),
    ] = None,
    pod: Annotated[
        list[str] | None,
        typer.Option(
            "--pod",
            help="Pods instead of a plan: web=250m,512Mi,300. May be repeated.",
            metavar="NAME=CPU,MEMORY,REPLICAS",
        ),
    ] = None,
    zones: Annotated[int | None, _count("--zones", "Zones, 1 to 6, of a plan without subnets (default 3).")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            help="With --pod: where prices are from (default us-east-1).",
            metavar="REGION",
            show_default=False,
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="With --pod: secondary (default), prefix or ipv6.",
            metavar="MODE",
            show_default=False,
            autocompletion=words(*MODES),
        ),
    ] = None,
    custom_networking: CustomNetworking = False,
    env: Env = None,
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            help="Types that may be bought, names and globs with commas: 'm6i.*,c6i.*'. Default: all on Nitro but "
            "burstable, metal, HPC and GPU types. Metal only where a glob names metal.",
            metavar="GLOB[,GLOB...]",
            show_default=False,
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            help="x86_64 or arm64. Default: as the plan's node groups, else x86_64; with --types both.",
            metavar="ARCH",
            show_default=False,
            autocompletion=words(*ARCHS),
        ),
    ] = None,
    max_vcpus: Annotated[int | None, _count("--max-vcpus", "vCPUs of one node, at most.")] = None,
    max_types: Annotated[int | None, _count("--max-types", "Different instance types, at most.")] = None,
    max_groups: Annotated[int, typer.Option("--max-groups", help="Node groups, at most.", metavar="N")] = 6,
    provisioner: Provisioner = None,
    max_pods: Annotated[int | None, _count("--max-pods", "Max pods of each node, set by hand.")] = None,
    min_nodes: Annotated[int, typer.Option("--min-nodes", help="Nodes of each group, at least.", metavar="N")] = 1,
    max_nodes: Annotated[int | None, _count("--max-nodes", "Nodes of each group, at most.")] = None,
    vcpu_quota: Annotated[
        int | None, _count("--vcpu-quota", "vCPUs of all nodes at the peak, at most: the account's EC2 quota.")
    ] = None,
    peak_hours: Annotated[
        str,
        typer.Option("--peak-hours", help="Share of the hours at replicas.max.", metavar="PERCENT"),
    ] = "20%",
    survive: Annotated[
        str | None,
        typer.Option(
            "--survive",
            help="zone: the pods of a lost zone find room on the other zones' nodes without a new node.",
            metavar="WHAT",
            show_default=False,
            autocompletion=words("zone"),
        ),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            help="Scenario of check that must be ok (default: the plan's, else all); repeatable.",
            metavar="NAME",
        ),
    ] = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    per_node_cost: PerNodeCost = 0.0,
    effort: Annotated[
        str,
        typer.Option(
            "--effort",
            help="quick, normal or thorough: how much work, the same for the same input.",
            metavar="HOW",
            autocompletion=words(*EFFORTS),
        ),
    ] = "normal",
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit", help="Seconds, about; then the best so far with its gap.", metavar="S", show_default=False
        ),
    ] = None,
    simpler: Annotated[
        bool, typer.Option("--alternatives/--no-alternatives", help="What simpler and other choices cost.")
    ] = True,
    nodes: Annotated[bool, typer.Option("--nodes", help="JSON and YAML: every node of the packing.")] = False,
    written_as: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Write the node groups: plan, eksctl, terraform, karpenter or cloudformation.",
            metavar="FORM",
            show_default=False,
            autocompletion=words(*FORMS),
        ),
    ] = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """The cheapest node groups that carry the workloads without running out of addresses.

    The answer is schedulable: check of the plan with these node groups leaves no pod without a node or an address.
    Beside it stand the perfect packing with a proven lower bound, what simpler choices cost, and the plan's own groups.

    Examples: capacity optimize examples/shop-prod.yaml --price-factor 1.1 ·
    capacity optimize --pod web=250m,512Mi,300 --pod api=1,2Gi,40 --zones 3 --as eksctl ·
    capacity optimize plan.yaml --types 'm6i.*,c6i.*' --max-vcpus 16 --survive zone -o json
    """  # fmt: skip
    to = sink(output, out_file, color, quiet)
    one_of("--effort", effort, EFFORTS)
    if written_as is not None:
        one_of("--as", written_as, FORMS)
    if time_limit is not None and not 0 < time_limit <= 86_400:
        raise SpecError(f"--time-limit: {time_limit:g} is out of range (expected above 0, at most 86400)")
    whole("--zones", zones, 1)
    network = {"--region": region, "--mode": mode, "--env": env, "--custom-networking": custom_networking or None}
    document, file = _document(plan, pod or [], network)
    from capacity.optimize.choices import Choices

    choices = Choices(
        types=tuple(part.strip() for part in (types or "").split(",") if part.strip()),
        arch=None if arch is None else one_of("--arch", arch, ARCHS),
        max_vcpus=whole("--max-vcpus", max_vcpus, 1),
        max_types=whole("--max-types", max_types, 1),
        max_groups=whole("--max-groups", max_groups, 1) or 1,
        provisioner=provisioner,
        max_pods=whole("--max-pods", max_pods, 1),
        min_nodes=whole("--min-nodes", min_nodes, 1) or 1,
        max_nodes=whole("--max-nodes", max_nodes, 1),
        vcpu_quota=whole("--vcpu-quota", vcpu_quota, 1),
        peak_hours=_share(peak_hours),
        survive=None if survive is None else one_of("--survive", survive, ("zone",)),
        scenarios=tuple(scenario or ()),
    )
    inputs = cost_inputs(price_file, price_factor, savings_plan, per_node_cost=per_node_cost)
    from capacity.advice.judge import check
    from capacity.cli.optimize_stop import stop_when
    from capacity.cli.optimize_view import answer
    from capacity.cli.output import emit
    from capacity.optimize.answer import optimize as best
    from capacity.optimize.request import Request

    with stop_when(time_limit) as stopped:
        request = Request(choices, inputs, effort, check, stopped, simpler)
        found = best(document, request, file=file, zones=zones)
    emit(answer(found, choices, inputs, effort=effort, nodes=nodes, form=written_as), to)


def _share(text: str) -> Fraction:
    from capacity.units import parse_percent

    return parse_percent(text, "--peak-hours")


def _document(plan: Path | None, pods: list[str], network: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The plan's document, or one made of --pod; and what messages call it."""
    if not pods:
        from capacity.plan.document import read_plan_file
        from capacity.plan.parse import find_plan

        for option, value in network.items():
            if value:
                raise SpecError(f"{option} goes with --pod; a plan says it itself")
        read = read_plan_file(plan or find_plan())
        return read.document, read.name
    if plan is not None:
        raise SpecError("--pod and PLAN exclude each other")
    from capacity.optimize.open_plan import sketched

    region, mode = network["--region"], network["--mode"]
    if mode is not None:
        one_of("--mode", mode, MODES)
    custom = bool(network["--custom-networking"])
    asked = Asked(mode, custom, None, 0, False, None, None, None, None, network["--env"] or ())
    document = sketched([(p.name, p.cpu or "0", p.memory or "0", p.replicas) for p in read_pods(pods)], region)
    variables = dict(environment(asked))
    if variables:
        document["cni"] = {"env": variables}
    if mode == "ipv6":
        document["kubernetes"] = {"ipFamily": "ipv6"}
    return document, "command line"
