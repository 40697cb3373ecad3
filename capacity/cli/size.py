"""`capacity size`: the smallest subnets for a target."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.node_options import Ami, CustomNetworking, Env, Provisioner, complete_types
from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, one_of, packed, sink, whole, words
from capacity.cli.pod_options import read_pods
from capacity.cli.tab_completion import complete_scenario
from capacity.errors import SpecError
from capacity.plan.constants import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction
    from ipaddress import IPv4Network

    from capacity.pages.answer import Answer
    from capacity.plan.model import Plan
    from capacity.plan.sketch import PodAsk

SNIPPETS = ("terraform", "aws", "eksctl", "cloudformation", "plan", "all", "none")

PlanOption = Annotated[
    Path | None,
    typer.Argument(help="Plan file. Without it, --type and --pods or --pod describe the cluster.", metavar="[PLAN]"),
]
PodsOption = Annotated[
    int | None,
    typer.Option("--pods", help="Number of identical pods on VPC addresses.", metavar="N", show_default=False),
]
PodCpu = Annotated[
    str | None,
    typer.Option(
        "--pod-cpu", help="CPU request of each of --pods, such as 250m.", metavar="QUANTITY", show_default=False
    ),
]
PodMemory = Annotated[
    str | None,
    typer.Option(
        "--pod-memory",
        help="Memory request of each of --pods, such as 512Mi.",
        metavar="QUANTITY",
        show_default=False,
    ),
]
Pod = Annotated[
    list[str] | None,
    typer.Option(
        "--pod",
        help="Pods of several shapes instead of --pods: web=250m,512Mi,40, with more rules after a comma: gpu=1, "
        "volumes=1, spread=1 (maxSkew over the zones), antiAffinity=hostname. Repeatable.",
        metavar="NAME=CPU,MEMORY,REPLICAS[,…]",
    ),
]
NodesOption = Annotated[
    int | None,
    typer.Option(
        "--nodes", help="Number of nodes. Default: the fewest that fit the pods.", metavar="N", show_default=False
    ),
]
Kind = Annotated[
    str | None,
    typer.Option("--type", help="Instance type.", metavar="TYPE", show_default=False, autocompletion=complete_types),
]
ZonesOption = Annotated[
    int | None, typer.Option("--zones", help="Zones, 1 to 6 (default 3).", metavar="N", show_default=False)
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region", help="AWS Region, for zone names (default us-east-1).", metavar="REGION", show_default=False
    ),
]
Mode = Annotated[
    str | None,
    typer.Option("--mode", help="secondary (default), prefix or ipv6.", metavar="MODE", show_default=False),
]
Headroom = Annotated[
    str | None,
    typer.Option(
        "--headroom",
        help="Percentage that stays free in every scenario. Default: minFree of the plan, 20%.",
        metavar="PERCENT",
        show_default=False,
    ),
]
VpcCidr = Annotated[
    list[str] | None,
    typer.Option(
        "--vpc-cidr",
        help="With PLAN: a block to add to the VPC. Without: the VPC's blocks (default 10.0.0.0/16, and "
        "100.64.0.0/16 for pods under custom networking). Repeatable.",
        metavar="CIDR",
    ),
]
Scenario = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help="Check only this scenario. Repeatable.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Replace all node and pod subnets of the plan with new ones.")]
Equal = Annotated[bool, typer.Option("--equal", help="Use one size for all node subnets and one for all pod subnets.")]
Snippet = Annotated[
    str,
    typer.Option(
        "--snippet",
        help="terraform, aws, eksctl, cloudformation, plan, all or none.",
        metavar="WHAT",
        autocompletion=words(*SNIPPETS),
    ),
]


def register(app: typer.Typer) -> None:
    app.command("size")(size)


def size(
    plan: PlanOption = None,
    pods: PodsOption = None,
    pod_cpu: PodCpu = None,
    pod_memory: PodMemory = None,
    pod: Pod = None,
    nodes: NodesOption = None,
    kind: Kind = None,
    zones: ZonesOption = None,
    region: Region = None,
    mode: Mode = None,
    custom_networking: CustomNetworking = False,
    env: Env = None,
    ami: Ami = None,
    provisioner: Provisioner = None,
    headroom: Headroom = None,
    vpc_cidr: VpcCidr = None,
    scenario: Scenario = None,
    fresh: Fresh = False,
    equal: Equal = False,
    snippet: Snippet = "terraform",
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Calculate the smallest subnets for a plan, allocated from free VPC space.

    With PLAN: enlarges node and pod subnets until every scenario is ok. Subnets that are large enough are kept; the
    others get a new, aligned block. Without PLAN: options describe the cluster (--snippet plan prints them as a
    plan), and the number of nodes is calculated as in check.

    Examples: capacity size --pods 300 --pod-cpu 500m --pod-memory 1Gi --type m6i.2xlarge ·
    capacity size --pod web=250m,512Mi,60 --pod api=1,2Gi,24 --type m6i.2xlarge --snippet plan ·
    capacity size examples/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet aws
    """
    given = packed(SizeOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class SizeOptions:
    """The options of `capacity size` as given, named as its parameters are."""

    plan: Path | None
    pods: int | None
    pod_cpu: str | None
    pod_memory: str | None
    pod: list[str] | None
    nodes: int | None
    kind: str | None
    zones: int | None
    region: str | None
    mode: str | None
    custom_networking: bool
    env: list[str] | None
    ami: str | None
    provisioner: str | None
    headroom: str | None
    vpc_cidr: list[str] | None
    scenario: list[str] | None
    fresh: bool
    equal: bool
    snippet: str

    @property
    def of_a_sketch(self) -> list[str]:
        """The options given that describe a cluster instead of a plan, by the names a user knows."""
        sketch: dict[str, object] = {
            "--pods": self.pods,
            "--pod-cpu": self.pod_cpu,
            "--pod-memory": self.pod_memory,
            "--pod": self.pod or None,
            "--nodes": self.nodes,
            "--type": self.kind,
            "--zones": self.zones,
            "--region": self.region,
            "--mode": self.mode,
            "--custom-networking": self.custom_networking or None,
            "--env": self.env or None,
            "--ami": self.ami,
            "--provisioner": self.provisioner,
        }
        return [name for name, value in sketch.items() if value is not None]


def _answered(given: SizeOptions) -> Answer:
    """The sizes for the given options."""
    one_of("--snippet", given.snippet, SNIPPETS)
    from capacity.cluster.sizing import size_plan
    from capacity.pages.size_page import answer

    blocks = [_block(text) for text in given.vpc_cidr or ()]
    _apart(blocks)
    share, described = _share(given.headroom), given.of_a_sketch
    if given.plan is not None or (given.pods is None and not given.pod and given.kind is None):
        if described:
            both = given.plan is not None
            needs = f"{described[0]} and PLAN cannot be combined" if both else f"{described[0]} needs {NEEDED}"
            raise SpecError(needs)
        sizing = size_plan(_plan(given.plan), share, given.scenario, blocks, fresh=given.fresh, equal=given.equal)
        return answer(sizing, given.snippet)
    document, target = _sketch(given, blocks)
    sizing = size_plan(target, share, given.scenario, [], fresh=True, equal=given.equal)
    return answer(sizing, given.snippet, document)


NEEDED = "--type and --pods or --pod"


def _apart(blocks: Sequence[IPv4Network]) -> None:
    for i, block in enumerate(blocks):
        for other in blocks[:i]:
            if block.overlaps(other):
                raise SpecError(f"--vpc-cidr: {block} overlaps {other}")


def _pods(count: int | None, cpu: str | None, memory: str | None, shapes: Sequence[str]) -> list[PodAsk]:
    """The pods: --pods identical ones, or one entry per --pod."""
    from capacity.plan.sketch import PodAsk
    from capacity.units import parse_cpu, parse_memory

    if shapes:
        for option, value in (("--pods", count), ("--pod-cpu", cpu), ("--pod-memory", memory)):
            if value is not None:
                raise SpecError(f"{option} and --pod cannot be combined")
        return read_pods(shapes)
    if count is None:
        return []
    whole("--pods", count)
    for text, parse, option in ((cpu, parse_cpu, "--pod-cpu"), (memory, parse_memory, "--pod-memory")):
        if text is not None:
            parse(text, option)
    return [PodAsk("app", count, cpu, memory)]


def _block(text: str) -> IPv4Network:
    from capacity.plan.fields import Field

    return Field(text, "", None, None, "--vpc-cidr").cidr(16, 28)


def _share(text: str | None) -> Fraction | None:
    if text is None:
        return None
    from capacity.units import parse_percent

    share = parse_percent(text, "--headroom")
    if share >= 1:
        raise SpecError(f"--headroom: {text!r} is out of range (expected 0% to less than 100%)")
    return share


def _plan(path: Path | None) -> Plan:
    from capacity.plan.parse import find_plan, read_plan

    return read_plan(path or find_plan())


def _sketch(given: SizeOptions, blocks: list[IPv4Network]) -> tuple[dict[str, object], Plan]:
    """The plan that the options describe, as a document and as read."""
    from capacity.catalog.table import load_catalog
    from capacity.cli.node_options import Asked, environment
    from capacity.plan.parse import parse_plan
    from capacity.plan.sketch import POD_BLOCK, VPC_BLOCK, SketchOptions, sketch_document

    kind, mode, region = given.kind, given.mode, given.region
    asked_pods = _pods(given.pods, given.pod_cpu, given.pod_memory, given.pod or [])
    if not asked_pods or kind is None:
        raise SpecError(f"{'--type' if kind is None else '--pods'} is missing (give {NEEDED}, or a plan)")
    load_catalog().get(kind, where="--type")
    if region is not None and not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        raise SpecError(f"--region: {region!r} is not a region (expected something like us-east-1)")
    whole("--nodes", given.nodes, 1)
    if mode is not None:
        one_of("--mode", mode, MODES)
    asked = Asked(
        mode=mode,
        custom_networking=given.custom_networking,
        ami=given.ami,
        provisioner=given.provisioner,
        env=given.env or (),
    )
    variables = environment(asked)
    custom = (variables.get("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") or "") == "true"
    standard = [VPC_BLOCK, POD_BLOCK] if custom else [VPC_BLOCK]
    document = sketch_document(
        pods=asked_pods,
        instance_type=kind,
        zones=3 if given.zones is None else given.zones,
        nodes=given.nodes,
        options=SketchOptions(
            env=variables,
            ip_family="ipv6" if mode == "ipv6" else "ipv4",
            ami=given.ami or "al2023",
            provisioner=given.provisioner or "managed",
            region=region or "us-east-1",
            checks=_checks(given.headroom, given.scenario or ()),
        ),
    )
    plan = parse_plan(document, "command line")
    return document, replace(plan, vpc_cidrs=tuple(blocks or map(_block, standard)))


def _checks(headroom: str | None, scenarios: Sequence[str]) -> Mapping[str, object]:
    """The plan's ``checks`` for these options; a scenario with options stays on the command line."""
    plain = [s for s in scenarios if ":" not in s]
    checks: dict[str, object] = {"minFree": headroom} if headroom is not None else {}
    return checks | ({"scenarios": plain} if plain and len(plain) == len(scenarios) else {})
