"""`capacity maxpods`: how many pods fit on a node, in every CNI mode, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

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
    merged,
    resolve,
    select_types,
)
from capacity.cli.options import Color, Explain, OutFile, Output, Quiet, one_of, sink, words
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.cli.output import Table
    from capacity.node.maxpods import MaxPods, Platform

MODES = ("secondary", "prefix", "ipv6", "all")
_COLUMNS = (
    ("instance_type", "type"),
    ("mode", "mode"),
    ("max_enis", "ENIs"),
    ("usable_enis", "usable"),
    ("ipv4_per_eni", "IPs/ENI"),
    ("ip_capacity", "pod addresses"),
    ("max_pods_formula", "formula"),
    ("max_pods_recommended", "recommended"),
    ("max_pods", "kubelet gets"),
    ("limited_by", "limited by"),
)


def register(app: typer.Typer) -> None:
    app.command("maxpods")(maxpods)


def maxpods(
    types: Types = None,
    everything: All = False,
    mode: Annotated[
        str,
        typer.Option("--mode", help="secondary, prefix, ipv6 or all.", metavar="MODE", autocompletion=words(*MODES)),
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
    snippet: Annotated[
        bool,
        typer.Option("--snippet", help="What to paste to set the recommended max pods: eksctl, nodeadm, Terraform …"),
    ] = False,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """How many pods fit on a node, in every CNI mode, and why.

    Examples: capacity maxpods m5.large · capacity maxpods 'm7g.*' --mode prefix ·
    capacity maxpods c6i.xlarge --custom-networking --explain · capacity maxpods --all -o csv ·
    capacity maxpods m5.large --cni cilium --cilium firstInterfaceIndex=1 ·
    capacity maxpods m5.large m6i.large --mode prefix --snippet
    """
    to = sink(output, out_file, color, quiet)
    chosen = one_of("--mode", mode, MODES)
    asked = Asked(
        None if chosen == "all" else chosen,
        custom_networking, max_eni, reserved_enis, pod_eni, os, ami, provisioner, expression, (),
        cni, cilium or (),
    )  # fmt: skip
    platform, _, notes = resolve(asked)
    from capacity.cli.output import Answer, emit
    from capacity.node.maxpods import max_pods_rows, modes_of

    kinds = select_types(types, everything)
    rows = max_pods_rows(kinds, platform, modes_of(platform) if chosen == "all" else (chosen,))
    by_name = {k.name: k for k in kinds}
    results = [_result(row, by_name[row.instance_type], platform if explain else None) for row in rows]
    pasted = _snippets(rows, results, platform) if snippet else []
    emit(
        Answer(
            command="maxpods",
            inputs=_inputs(asked, platform, chosen),
            results=results,
            blocks=[*_blocks(rows, results, platform, explain), *pasted],
            rows=[{k: v for k, v in r.items() if k not in ("explain", "snippet")} for r in results],
            warnings=[*notes, *_warnings(rows, platform)],
        ),
        to,
    )


def _snippets(rows: list[MaxPods], results: list[dict[str, Any]], platform: Platform) -> list[str | Table]:
    """Each row's own into the results; for a person the one that suits all types, mode by mode."""
    from capacity.advice.snippets import max_pods_snippets
    from capacity.node.maxpods import common_max_pods

    def lines(pods: int) -> list[str]:
        return list(max_pods_snippets("NODE-GROUP", platform.provisioner, platform.ami, pods))

    for row, result in zip(rows, results, strict=True):
        result["snippet"] = [] if row.max_pods_recommended is None else lines(row.max_pods_recommended)
    page: list[str | Table] = []
    for pods, modes in common_max_pods(rows).items():
        several = ", the smallest recommended of the types" if len({r.instance_type for r in rows}) > 1 else ""
        page += ["", f"max pods {pods}{several} ({', '.join(modes)}):", *(f"  {line}" for line in lines(pods))]
    return page


def _result(row: MaxPods, kind: Any, explained: Platform | None) -> dict[str, Any]:
    from dataclasses import asdict

    result = {k: v for k, v in asdict(row).items() if k not in ("warnings", "reserved_for")}
    if explained is not None:
        result["explain"] = _terms(row, kind, explained)
    return result


def _terms(row: MaxPods, kind: Any, platform: Platform) -> list[dict[str, Any]]:
    from capacity.node.trace import max_pods_terms

    terms = max_pods_terms(row, kind, replace(platform, mode=row.mode))
    return [{"label": label, "value": value, "why": why, "source": source} for label, value, why, source in terms]


def _inputs(asked: Asked, platform: Platform, mode: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "mode": mode,
        "custom_networking": platform.custom_networking,
        "pod_eni": platform.pod_eni,
        "max_eni": platform.max_eni,
        "reserved_enis": platform.reserved_enis,
        "ami": platform.ami,
        "provisioner": platform.provisioner,
        "expression": asked.expression,
        "cni": asked.cni,
        "cilium": None if platform.cilium is None else asdict(platform.cilium),
    }


def _warnings(rows: list[MaxPods], platform: Platform) -> list[str]:
    """The rows' warnings, and one line for all types that cannot have prefixes."""
    xen = list(dict.fromkeys(r.instance_type for r in rows if r.mode != "secondary" and r.limited_by == "hypervisor"))
    own = [w for r in rows for w in r.warnings if r.mode != "ipv6" or r.limited_by != "hypervisor"]
    if not xen:
        return merged(own)
    listed = ", ".join(xen[:3]) + (f" and {len(xen) - 3} more" if len(xen) > 3 else "")
    if platform.cilium is not None:
        return [*merged(own), f"{listed}: Cilium gives prefixes only where EC2 names Nitro, so single addresses here"]
    line = (
        f"{listed}: Xen has no prefixes, so the CNI gives single addresses in prefix mode and does not start with IPv6"
    )
    return [*merged(own), line]


def _blocks(rows: list[MaxPods], results: list[dict[str, Any]], platform: Platform, explain: bool) -> list[str | Table]:
    from capacity.cli.output import Table

    columns = list(_COLUMNS)
    if platform.pod_eni:
        columns.insert(-1, ("branch_enis", "branch ENIs"))
    if platform.expression is not None:
        columns.insert(-1, ("max_pods_expression", "expression"))
    page: list[str | Table] = [*_sentence(rows), Table(columns, results), "", _legend(platform)]
    if explain:
        for result in results:
            lines = [f"{result['instance_type']}, {result['mode']}:"]
            for term in result["explain"]:
                source = f"  [{term['source']}]" if term["source"] else ""
                shown = "unknown" if term["value"] is None else term["value"]
                lines.append(f"  {term['label']} = {shown}  ({term['why']}){source}")
            page += ["", "\n".join(lines)]
    return page


def _sentence(rows: list[MaxPods]) -> list[str]:
    """For one type: the answer before the table."""
    if len({r.instance_type for r in rows}) != 1:
        return []
    words = {"secondary": "with secondary IPs", "prefix": "with prefix delegation", "ipv6": "with IPv6"}
    parts = []
    for row in rows:
        pods = row.max_pods_formula if row.max_pods_recommended is None else row.max_pods_recommended
        if pods is not None:
            parts.append(f"{counted(pods, 'pod')} {words[row.mode]}")
    if not parts:
        return []
    return [f"{rows[0].instance_type}: {', '.join(parts)}.", ""]


def _legend(platform: Platform) -> str:
    if platform.cilium is not None:
        return (
            "formula: (ENIs − firstInterfaceIndex) × (IPs − 1), × 16 with prefixes; of the pod addresses two more are "
            f"Cilium's own. kubelet gets: max pods where nobody sets it ({platform.provisioner}, {platform.ami}): set "
            "it to the recommended figure. --explain shows every term."
        )
    who = {"managed": "EKS managed node group", "self-managed": "plain AMI", "karpenter": "Karpenter"}[
        platform.provisioner
    ]
    return (
        "recommended: AWS's calculator, capped at 110 (250 above 30 vCPUs). "
        f"kubelet gets: max pods where nobody sets it ({who}, {platform.ami}). --explain shows every term."
    )
