"""`capacity maxpods`: how many pods fit on a node, in every CNI mode, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.node_options import (
    All,
    Ami,
    Asked,
    Cilium,
    Cni,
    CustomNetworking,
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
from capacity.cli.options import Color, Explain, OutFile, Output, Quiet, Wide, one_of, sink, words
from capacity.plan.constants import MODES

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.pages.answer import Answer

ASKED_MODES = (*MODES, "all")


def register(app: typer.Typer) -> None:
    app.command("maxpods")(maxpods)


def maxpods(
    types: Types = None,
    everything: All = False,
    mode: Annotated[
        str,
        typer.Option(
            "--mode", help="secondary, prefix, ipv6 or all.", metavar="MODE", autocompletion=words(*ASKED_MODES)
        ),
    ] = "all",
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
    host_pods: Annotated[
        int | None,
        typer.Option(
            "--host-pods",
            help="Host-network pods on each node, which need no address. Default: 2 (aws-node, kube-proxy).",
            metavar="N",
            show_default=False,
        ),
    ] = None,
    snippet: Annotated[
        bool,
        typer.Option(
            "--snippet", help="Print configuration that sets the recommended max pods: eksctl, nodeadm, Terraform …"
        ),
    ] = False,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show how many pods fit on a node in each CNI mode, and why.

    Examples: capacity maxpods m5.large · capacity maxpods 'm7g.*' --mode prefix ·
    capacity maxpods c6i.xlarge --custom-networking --explain · capacity maxpods --all -o csv ·
    capacity maxpods m5.large --cni cilium --cilium firstInterfaceIndex=1 ·
    capacity maxpods m5.large m6i.large --mode prefix --snippet ·
    capacity maxpods m5.large --expression 'max_pods + 1' --host-pods 3
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    asked = Asked(
        None if one_of("--mode", mode, ASKED_MODES) == "all" else mode,
        custom_networking, max_eni, reserved_enis, pod_eni, os, ami, provisioner, expression, (),
        cni, cilium or (), host_pods,
    )  # fmt: skip
    from capacity.cli.output import emit

    emit(_answered(asked, select_types(types, everything=everything), explain=explain, snippet=snippet), to)


def _answered(asked: Asked, kinds: list[InstanceType], *, explain: bool, snippet: bool) -> Answer:
    platform, _, notes = resolve(asked)
    from capacity.node.maxpods import max_pods_rows
    from capacity.node.platform import modes_of
    from capacity.pages.maxpods_page import MaxPodsView, answer, inputs_of

    rows = max_pods_rows(kinds, platform, modes_of(platform) if asked.mode is None else (asked.mode,))
    view = MaxPodsView(platform, explain=explain, snippet=snippet)
    return answer(rows, kinds, view, inputs_of(platform, asked.mode, asked.cni), notes)
