"""`capacity size`: the smallest subnets that carry a target."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.node_options import Ami, CustomNetworking, Env, Provisioner
from capacity.cli.options import Color, OutFile, Output, Quiet, one_of, sink
from capacity.errors import SpecError

if TYPE_CHECKING:
    from fractions import Fraction
    from ipaddress import IPv4Network

    from capacity.spec.plan import Plan

SNIPPETS = ("terraform", "aws", "eksctl", "cloudformation", "plan", "all", "none")


def register(app: typer.Typer) -> None:
    app.command("size")(size)


def size(
    plan: Annotated[
        Path | None,
        typer.Argument(help="Plan file; without it --pods and --type say what is to be carried.", metavar="[PLAN]"),
    ] = None,
    pods: Annotated[
        int | None, typer.Option("--pods", help="Pods on VPC addresses.", metavar="N", show_default=False)
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
    suffice are kept, the others get a new, aligned block. Without PLAN the target comes from options.

    Examples: capacity size --pods 300 --nodes 15 --type m5.large --zones 3 --headroom 30% ·
    capacity size examples/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet aws
    """
    to = sink(output, out_file, color, quiet)
    one_of("--snippet", snippet, SNIPPETS)
    from capacity.cli.output import emit
    from capacity.cli.size_view import answer
    from capacity.cluster.sizing import size_plan

    blocks = [_block(text) for text in vpc_cidr or ()]
    sketch: dict[str, object] = {"--pods": pods, "--nodes": nodes, "--type": kind, "--zones": zones, "--region": region}
    sketch |= {"--mode": mode, "--custom-networking": custom_networking or None, "--env": env or None}
    sketch |= {"--ami": ami, "--provisioner": provisioner}
    given = [name for name, value in sketch.items() if value is not None]
    from_options = pods is not None or kind is not None
    if plan is not None or not from_options:
        if given:
            where = "PLAN" if plan is not None else "--pods and --type"
            raise SpecError(f"{given[0]} {'and PLAN exclude each other' if plan is not None else f'needs {where}'}")
        target = _plan(plan)
    else:
        if pods is None or kind is None:
            raise SpecError(f"{'--pods' if pods is None else '--type'} is missing (give both, or a plan)")
        target = _sketch(pods, nodes, kind, zones, region, mode, custom_networking, env, ami, provisioner, blocks)
        blocks, fresh = [], True
    sizing = size_plan(target, _share(headroom), scenario, fresh, equal, blocks)
    asked = {"pods": pods, "nodes": nodes, "type": kind} if from_options else {}
    emit(answer(sizing, snippet, asked, fenced=output == "md"), to)


def _block(text: str) -> IPv4Network:
    from capacity.spec.fields import Field

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
    from capacity.spec.parse import find_plan, read_plan

    return read_plan(path or find_plan())


def _sketch(
    pods: int,
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
) -> Plan:
    from capacity.catalog.table import load_catalog
    from capacity.cli.node_options import Asked, environment, whole
    from capacity.spec.sketch import sketch_plan

    load_catalog().get(kind, where="--type")
    if region is not None and not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        raise SpecError(f"--region: {region!r} is not a region (expected something like us-east-1)")
    whole("--pods", pods)
    whole("--nodes", nodes, 1)
    if mode is not None:
        one_of("--mode", mode, ("secondary", "prefix", "ipv6"))
    asked = Asked(mode, custom_networking, None, 0, False, None, ami, provisioner, None, env or ())
    variables = environment(asked)
    custom = (variables.get("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") or "") == "true"
    standard = ["10.0.0.0/16", "100.64.0.0/16"] if custom else ["10.0.0.0/16"]
    return sketch_plan(
        pods=pods,
        instance_type=kind,
        zones=3 if zones is None else zones,
        nodes=nodes,
        env=variables,
        ip_family="ipv6" if mode == "ipv6" else "ipv4",
        ami=ami or "al2023",
        provisioner=provisioner or "managed",
        region=region or "us-east-1",
        vpc_cidrs=blocks or [_block(text) for text in standard],
    )
