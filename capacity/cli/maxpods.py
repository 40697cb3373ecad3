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
from capacity.plan.constants import MODES
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.cli.output import Table
    from capacity.node.maxpods import MaxPods
    from capacity.node.platform import Platform

ASKED_MODES = (*MODES, "all")
_COLUMNS = (
    ("instance_type", "type"),
    ("mode", "mode"),
    ("max_enis", "ENIs"),
    ("usable_enis", "usable"),
    ("ipv4_per_eni", "IPs/ENI"),
    ("ip_capacity", "pod addresses"),
    ("max_pods_formula", "formula"),
    ("max_pods_recommended", "recommended"),
    ("limited_by", "limited by"),
    ("max_pods", "kubelet gets"),
)


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
            help="Pods on the host's network of each node, which need no address; 2 (the CNI's and kube-proxy).",
            metavar="N",
            show_default=False,
        ),
    ] = None,
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
    capacity maxpods m5.large m6i.large --mode prefix --snippet ·
    capacity maxpods m5.large --expression 'max_pods + 1' --host-pods 3
    """
    to = sink(output, out_file, color, quiet)
    chosen = one_of("--mode", mode, ASKED_MODES)
    asked = Asked(
        None if chosen == "all" else chosen,
        custom_networking, max_eni, reserved_enis, pod_eni, os, ami, provisioner, expression, (),
        cni, cilium or (), host_pods,
    )  # fmt: skip
    platform, _, notes = resolve(asked)
    from capacity.cli.output import Answer, emit
    from capacity.node.maxpods import max_pods_rows
    from capacity.node.platform import modes_of

    kinds = select_types(types, everything)
    modes = modes_of(platform) if chosen == "all" else (chosen,)
    rows = max_pods_rows(kinds, platform, modes)
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
    from capacity.advice.snippets.settings import max_pods_snippets
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
    from capacity.node.offer_terms import max_pods_terms

    terms = max_pods_terms(row, kind, replace(platform, mode=row.mode))
    return [term.as_row() for term in terms]


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
        "host_pods": platform.pods_on_host,
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
    page: list[str | Table] = [*_sentence(rows, platform), Table(columns, results), ""]
    page += [*_left_to_the_host(rows, platform), _legend(platform)]
    if explain:
        from capacity.trace import Term, lines

        for result in results:
            terms = [line for term in result["explain"] for line in lines(Term(**term), depth=1)]
            page += ["", "\n".join([f"{result['instance_type']}, {result['mode']}:", *terms])]
    return page


def _sentence(rows: list[MaxPods], platform: Platform) -> list[str]:
    """For one type: what its kubelet accepts, before the table."""
    if len({r.instance_type for r in rows}) != 1:
        return []
    words = {
        "secondary": "with secondary IPs",
        "prefix": "with prefix delegation",
        "ipv6": "with IPv6",
        "overlay": "on an overlay network",
    }
    parts = [f"{text} {words[r.mode]}{aside}" for r in rows for text, aside in _answer(r, platform)]
    return [f"{rows[0].instance_type}: {', '.join(parts)}.", ""] if parts else []


def _answer(row: MaxPods, platform: Platform) -> list[tuple[str, str]]:
    """The pods of one row and what else to know of that number; nothing where it is not known."""
    from capacity.node.figures import never_ready

    pods = row.max_pods_formula if row.max_pods is None else row.max_pods
    if pods is None:
        return []
    if never_ready(platform, row.usable_enis):
        return [(counted(pods, "pod"), " (its node never becomes Ready: no ENI is left for pods)")]
    able = None if row.ip_capacity is None else row.ip_capacity + platform.pods_on_host
    if able is not None and able < pods:
        if platform.windows:  # its scheduler counts addresses
            return [(counted(able, "pod"), f" (the kubelet accepts {pods})")]
        if row.max_pods_expression is None or not platform.host_uncounted:
            return [(counted(pods, "pod"), f" ({able} can have an address)")]
    better = row.max_pods_recommended
    settled = better in (None, pods) or platform.auto or row.max_pods_expression is not None
    return [(counted(pods, "pod"), "" if settled else f" (recommended {better})")]


def _left_to_the_host(rows: list[MaxPods], platform: Platform) -> list[str]:
    """Where an expression leaves room for more pods on the host's network than are assumed."""
    if not platform.host_uncounted:
        return []
    return [
        f"{r.instance_type}, {r.mode}: {counted(r.ip_capacity, 'pod')} of {r.max_pods} can have an address, "
        f"so {r.max_pods - r.ip_capacity} must be on the host's network (--host-pods {r.max_pods - r.ip_capacity})."
        for r in rows
        if r.max_pods_expression is not None
        and r.max_pods is not None
        and r.ip_capacity is not None
        and r.max_pods > r.ip_capacity + platform.pods_on_host
    ]


def _legend(platform: Platform) -> str:
    need = "needs" if platform.pods_on_host == 1 else "need"
    host = f"{counted(platform.pods_on_host, 'pod')} on the host's network {need} no address (--host-pods)"
    if platform.overlay:
        return (
            "recommended: 110 pods (250 above 30 vCPUs), what Kubernetes is tested for: no ENI bounds pods that take "
            f"no VPC address. kubelet gets: max pods where nobody sets it ({platform.provisioner}, {platform.ami}), "
            "counted by ENIs all the same. --explain shows every term."
        )
    if platform.cilium is not None:
        return (
            "formula: (ENIs − firstInterfaceIndex) × (IPs − 1), × 16 with prefixes; of the pod addresses two more are "
            f"Cilium's own; {host}. kubelet gets: max pods where nobody sets it ({platform.provisioner}, "
            f"{platform.ami}): set it to the recommended figure. --explain shows every term."
        )
    who = {
        "managed": "EKS managed node group",
        "self-managed": "plain AMI",
        "karpenter": "Karpenter",
        "auto": "EKS Auto Mode",
    }[platform.provisioner]
    image = "" if platform.auto else f", {platform.ami}"
    return (
        "recommended: AWS's calculator, capped at 110 (250 above 30 vCPUs). "
        + (f"{host}. " if platform.network_pods else "")
        + f"kubelet gets: max pods where nobody sets it ({who}{image}). --explain shows every term."
    )
