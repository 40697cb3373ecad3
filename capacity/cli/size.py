"""`capacity size`: the smallest subnets that carry a target."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.node_options import Ami, CustomNetworking, Env, Provisioner, whole
from capacity.cli.options import Color, OutFile, Output, Quiet, one_of, sink
from capacity.cli.pod_options import read_pods
from capacity.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction
    from ipaddress import IPv4Network

    from capacity.plan.model import Plan
    from capacity.plan.sketch import PodAsk

SNIPPETS = ("terraform", "aws", "eksctl", "cloudformation", "plan", "all", "none")


def register(app: typer.Typer) -> None:
    app.command("size")(size)


def size(
    plan: Annotated[
        Path | None,
        typer.Argument(help="Plan file; without it --type and --pods or --pod describe the cluster.", metavar="[PLAN]"),
    ] = None,
    pods: Annotated[
        int | None, typer.Option("--pods", help="Pods on VPC addresses, all alike.", metavar="N", show_default=False)
    ] = None,
    pod_cpu: Annotated[
        str | None,
        typer.Option(
            "--pod-cpu", help="CPU request of each of --pods, such as 250m.", metavar="QUANTITY", show_default=False
        ),
    ] = None,
    pod_memory: Annotated[
        str | None,
        typer.Option(
            "--pod-memory",
            help="Memory request of each of --pods, such as 512Mi.",
            metavar="QUANTITY",
            show_default=False,
        ),
    ] = None,
    pod: Annotated[
        list[str] | None,
        typer.Option(
            "--pod",
            help="Pods of several shapes instead of --pods: web=250m,512Mi,40. May be repeated.",
            metavar="NAME=CPU,MEMORY,REPLICAS",
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", help="Nodes (default: as few as hold the pods).", metavar="N", show_default=False),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Instance type.", metavar="TYPE", show_default=False)
    ] = None,
    zones: Annotated[
        int | None, typer.Option("--zones", help="Zones, 1 to 6 (default 3).", metavar="N", show_default=False)
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", help="Names the zones (default us-east-1).", metavar="REGION", show_default=False),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option("--mode", help="secondary (default), prefix or ipv6.", metavar="MODE", show_default=False),
    ] = None,
    custom_networking: CustomNetworking = False,
    env: Env = None,
    ami: Ami = None,
    provisioner: Provisioner = None,
    headroom: Annotated[
        str | None,
        typer.Option(
            "--headroom",
            help="Share that stays free in every scenario (default: the plan's minFree, 20%).",
            metavar="PERCENT",
            show_default=False,
        ),
    ] = None,
    vpc_cidr: Annotated[
        list[str] | None,
        typer.Option(
            "--vpc-cidr",
            help="With PLAN: a block to add to the VPC. Without: the VPC's blocks (default 10.0.0.0/16, and "
            "100.64.0.0/16 for pods under custom networking). May be repeated.",
            metavar="CIDR",
        ),
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", help="Only this scenario; may be repeated.", metavar="NAME")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="New subnets for all, as if the plan's node and pod subnets were given up.")
    ] = False,
    equal: Annotated[
        bool, typer.Option("--equal", help="One size for all node subnets and one for all pod subnets.")
    ] = False,
    snippet: Annotated[
        str,
        typer.Option("--snippet", help="terraform, aws, eksctl, cloudformation, plan, all or none.", metavar="WHAT"),
    ] = "terraform",
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """The smallest subnets that carry a plan in all scenarios, laid into free VPC space.

    With PLAN its node and pod subnets are enlarged until check calls them ok in every scenario; those that
    suffice are kept, the others get a new, aligned block. Without PLAN options describe the cluster: a plan is made
    of them (--snippet plan prints it), and check's engine says how many nodes the pods need.

    Examples: capacity size --pods 300 --pod-cpu 500m --pod-memory 1Gi --type m6i.2xlarge ·
    capacity size --pod web=250m,512Mi,60 --pod api=1,2Gi,24 --type m6i.2xlarge --snippet plan ·
    capacity size examples/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet aws
    """
    to = sink(output, out_file, color, quiet)
    one_of("--snippet", snippet, SNIPPETS)
    from capacity.cli.output import emit
    from capacity.cli.size_view import answer
    from capacity.cluster.sizing import size_plan

    blocks = [_block(text) for text in vpc_cidr or ()]
    _apart(blocks)
    share = _share(headroom)
    sketch: dict[str, object] = {
        "--pods": pods,
        "--pod-cpu": pod_cpu,
        "--pod-memory": pod_memory,
        "--pod": pod or None,
        "--nodes": nodes,
        "--type": kind,
        "--zones": zones,
        "--region": region,
        "--mode": mode,
        "--custom-networking": custom_networking or None,
        "--env": env or None,
        "--ami": ami,
        "--provisioner": provisioner,
    }
    given = [name for name, value in sketch.items() if value is not None]
    document: dict[str, object] | None = None
    if plan is not None or (pods is None and not pod and kind is None):
        if given:
            needs = f"{given[0]} and PLAN exclude each other" if plan is not None else f"{given[0]} needs {NEEDED}"
            raise SpecError(needs)
        target = _plan(plan)
    else:
        asked = _pods(pods, pod_cpu, pod_memory, pod or [])
        if not asked or kind is None:
            raise SpecError(f"{'--type' if kind is None else '--pods'} is missing (give {NEEDED}, or a plan)")
        document, target = _sketch(
            asked,
            nodes,
            kind,
            zones,
            region,
            mode,
            custom_networking,
            env,
            ami,
            provisioner,
            blocks,
            headroom,
            scenario,
        )
        blocks, fresh = [], True
    sizing = size_plan(target, share, scenario, blocks, fresh=fresh, equal=equal)
    emit(answer(sizing, snippet, document, fenced=output == "md"), to)


NEEDED = "--type and --pods or --pod"


def _apart(blocks: Sequence[IPv4Network]) -> None:
    for i, block in enumerate(blocks):
        for other in blocks[:i]:
            if block.overlaps(other):
                raise SpecError(f"--vpc-cidr: {block} overlaps {other}")


def _pods(count: int | None, cpu: str | None, memory: str | None, shapes: Sequence[str]) -> list[PodAsk]:
    """What is to run: --pods alike, or one entry per --pod."""
    from capacity.plan.sketch import PodAsk
    from capacity.units import parse_cpu, parse_memory

    if shapes:
        for option, value in (("--pods", count), ("--pod-cpu", cpu), ("--pod-memory", memory)):
            if value is not None:
                raise SpecError(f"{option} and --pod exclude each other")
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


def _sketch(
    pods: Sequence[PodAsk],
    nodes: int | None,
    kind: str,
    zones: int | None,
    region: str | None,
    mode: str | None,
    custom_networking: bool,
    env: list[str] | None,
    ami: str | None,
    provisioner: str | None,
    blocks: list[IPv4Network],
    headroom: str | None,
    scenarios: Sequence[str] | None,
) -> tuple[dict[str, object], Plan]:
    """The plan that the options describe, as a document and as read."""
    from capacity.catalog.table import load_catalog
    from capacity.cli.node_options import Asked, environment
    from capacity.plan.sketch import SketchOptions, read_sketch, sketch_document

    load_catalog().get(kind, where="--type")
    if region is not None and not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        raise SpecError(f"--region: {region!r} is not a region (expected something like us-east-1)")
    whole("--nodes", nodes, 1)
    if mode is not None:
        one_of("--mode", mode, ("secondary", "prefix", "ipv6"))
    asked = Asked(mode, custom_networking, None, 0, False, None, ami, provisioner, None, env or ())
    variables = environment(asked)
    custom = (variables.get("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") or "") == "true"
    standard = ["10.0.0.0/16", "100.64.0.0/16"] if custom else ["10.0.0.0/16"]
    document = sketch_document(
        pods=pods,
        instance_type=kind,
        zones=3 if zones is None else zones,
        nodes=nodes,
        options=SketchOptions(
            env=variables,
            ip_family="ipv6" if mode == "ipv6" else "ipv4",
            ami=ami or "al2023",
            provisioner=provisioner or "managed",
            region=region or "us-east-1",
            checks=_checks(headroom, scenarios or ()),
        ),
    )
    return document, read_sketch(document, blocks or [_block(text) for text in standard])


def _checks(headroom: str | None, scenarios: Sequence[str]) -> Mapping[str, object]:
    """The plan's ``checks`` that these options stand for; a scenario with options stays with its command line."""
    plain = [s for s in scenarios if ":" not in s]
    checks: dict[str, object] = {"minFree": headroom} if headroom is not None else {}
    return checks | ({"scenarios": plain} if plain and len(plain) == len(scenarios) else {})
