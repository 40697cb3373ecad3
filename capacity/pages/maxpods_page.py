"""Max pods as a page: what the kubelet gets and what AWS recommends, mode by mode, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from capacity.node.limit_words import limit_words
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Text
from capacity.pages.vocabulary import merged
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.units import counted, some_of

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.node.maxpods import MaxPods
    from capacity.node.platform import Platform

_COLUMNS = (
    TableColumn("instance_type", "type"),
    TableColumn("mode", "mode"),
    TableColumn("max_enis", "ENIs", 3),
    TableColumn("usable_enis", "usable", 4),
    TableColumn("ipv4_per_eni", "IPs/ENI", 3),
    TableColumn("ip_capacity", "pod addresses", 1),
    TableColumn("max_pods_formula", "formula", 2),
    TableColumn("max_pods_recommended", "recommended"),
    TableColumn("limited_by", "limited by", 1),
    TableColumn("max_pods", "max pods"),
)


@dataclass(frozen=True)
class MaxPodsView:
    """What to show: the platform, and whether to include terms and snippets."""

    platform: Platform
    explain: bool = False
    snippet: bool = False


def inputs_of(platform: Platform, mode: str | None = None, cni: str = "vpc-cni") -> dict[str, Any]:
    """The inputs of the answer, after defaults; ``mode`` None: every mode of the platform."""
    return {
        "mode": mode or "all",
        "custom_networking": platform.custom_networking,
        "pod_eni": platform.pod_eni,
        "max_eni": platform.max_eni,
        "reserved_enis": platform.reserved_enis,
        "ami": platform.ami,
        "provisioner": platform.provisioner,
        "expression": platform.expression,
        "cni": cni,
        "cilium": None if platform.cilium is None else asdict(platform.cilium),
        "host_pods": platform.pods_on_host,
    }


def answer(
    rows: Sequence[MaxPods],
    kinds: Sequence[InstanceType],
    view: MaxPodsView,
    inputs: Mapping[str, Any],
    notes: Sequence[str],
) -> Answer:
    """The answer of `maxpods` in every format."""
    by_name = {k.name: k for k in kinds}
    results = [_result(row, by_name[row.instance_type], view.platform if view.explain else None) for row in rows]
    pasted = _snippets(rows, results, view.platform) if view.snippet else []
    return Answer(
        command="maxpods",
        inputs=inputs,
        results=results,
        page=Page([*_blocks(rows, results, view), *pasted]),
        rows=[{k: v for k, v in r.items() if k not in ("explain", "snippet")} for r in results],
        warnings=[*notes, *_warnings(rows, view.platform)],
    )


def _snippets(rows: Sequence[MaxPods], results: list[dict[str, Any]], platform: Platform) -> list[CodeBlock]:
    """Add each row's snippet to the results; the page shows one per mode that fits all types."""
    from capacity.advice.snippets.settings import max_pods_snippets
    from capacity.node.maxpods import common_max_pods

    def lines(pods: int) -> list[str]:
        return list(max_pods_snippets("NODE-GROUP", platform.provisioner, platform.ami, pods))

    for row, result in zip(rows, results, strict=True):
        result["snippet"] = [] if row.max_pods_recommended is None else lines(row.max_pods_recommended)
    page = []
    for pods, modes in common_max_pods(list(rows)).items():
        several = ", the smallest recommended of the types" if len({r.instance_type for r in rows}) > 1 else ""
        page.append(CodeBlock("\n".join(lines(pods)), f"max pods {pods}{several} ({', '.join(modes)})"))
    return page


def _result(row: MaxPods, kind: Any, explained: Platform | None) -> dict[str, Any]:
    from dataclasses import fields

    apart = ("kind", "platform", "reserved_for", "warnings")
    result = {f.name: getattr(row, f.name) for f in fields(row) if f.name not in apart}
    if explained is not None:
        result["explain"] = _terms(row, kind, explained)
    return result


def _terms(row: MaxPods, kind: Any, platform: Platform) -> list[dict[str, Any]]:
    from capacity.node.offer_terms import max_pods_terms

    terms = max_pods_terms(row, kind, replace(platform, mode=row.mode))
    return [term.as_row() for term in terms]


def _warnings(rows: Sequence[MaxPods], platform: Platform) -> list[str]:
    """The rows' warnings, and one line for all types that cannot have prefixes."""
    xen = list(dict.fromkeys(r.instance_type for r in rows if r.mode != "secondary" and r.limited_by == "hypervisor"))
    own = [w for r in rows for w in r.warnings if r.mode != "ipv6" or r.limited_by != "hypervisor"]
    if not xen:
        return merged(own)
    listed = some_of(xen, 3)
    if platform.cni == CILIUM:
        return [*merged(own), f"{listed}: Cilium assigns prefixes only on Nitro instances, so single addresses here"]
    line = (
        f"{listed}: Xen instances do not support prefixes, so the CNI assigns single addresses in prefix mode and does "
        "not start with IPv6"
    )
    return [*merged(own), line]


def _blocks(
    rows: Sequence[MaxPods], results: list[dict[str, Any]], view: MaxPodsView
) -> list[Text | Table | CodeBlock]:
    platform = view.platform
    columns = list(_COLUMNS)
    if platform.pod_eni:
        columns.insert(-1, TableColumn("branch_enis", "branch ENIs", 1))
    if platform.expression is not None:
        columns.insert(-1, TableColumn("max_pods_expression", "expression"))
    shown = [{**r, "limited_by": limit_words(r["limited_by"])} for r in results]
    page: list[Text | Table | CodeBlock] = [*map(Text, _sentence(rows, platform)), Table(columns, shown)]
    page += [*map(Text, _left_to_the_host(rows, platform)), Text(_legend(platform))]
    if view.explain:
        page += [terms_block(f"{r['instance_type']}, {r['mode']}:", r["explain"]) for r in results]
    return page


def terms_block(title: str, terms: Sequence[Mapping[str, Any]]) -> CodeBlock:
    """The terms of a figure, one a line, each with its reason and source."""
    from capacity.trace import Term, lines

    return CodeBlock("\n".join([title, *(line for term in terms for line in lines(Term(**term), depth=1))]), wrap=True)


def _sentence(rows: Sequence[MaxPods], platform: Platform) -> list[str]:
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
    return [f"{rows[0].instance_type}: {', '.join(parts)}."] if parts else []


def _answer(row: MaxPods, platform: Platform) -> list[tuple[str, str]]:
    """The pods of one row, with remarks; None if the number is unknown."""
    from capacity.node.figures import never_ready

    pods = row.max_pods_formula if row.max_pods is None else row.max_pods
    if pods is None:
        return []
    if never_ready(platform, row.usable_enis):
        return [(counted(pods, "pod"), " (the node never becomes Ready: no ENI is left for pods)")]
    able = None if row.ip_capacity is None else row.ip_capacity + platform.pods_on_host
    if able is not None and able < pods:
        if platform.windows:  # its scheduler counts addresses
            return [(counted(able, "pod"), f" (the kubelet accepts {pods})")]
        if row.max_pods_expression is None or not platform.host_uncounted:
            return [(counted(pods, "pod"), f" ({able} can have an address)")]
    better = row.max_pods_recommended
    settled = better in (None, pods) or platform.auto or row.max_pods_expression is not None
    return [(counted(pods, "pod"), "" if settled else f" (recommended {better})")]


def _left_to_the_host(rows: Sequence[MaxPods], platform: Platform) -> list[str]:
    """Rows whose expression leaves room for more host-network pods than assumed."""
    if not platform.host_uncounted:
        return []
    return [
        f"{r.instance_type}, {r.mode}: {counted(r.ip_capacity, 'pod')} of {r.max_pods} can have an address, "
        f"so {r.max_pods - r.ip_capacity} must be on the host network (--host-pods {r.max_pods - r.ip_capacity})."
        for r in rows
        if r.max_pods_expression is not None
        and r.max_pods is not None
        and r.ip_capacity is not None
        and r.max_pods > r.ip_capacity + platform.pods_on_host
    ]


def _legend(platform: Platform) -> str:
    need = "needs" if platform.pods_on_host == 1 else "need"
    host = f"{counted(platform.pods_on_host, 'pod')} on the host network {need} no address (--host-pods)"
    if platform.cni == OVERLAY:
        return (
            "recommended: 110 pods (250 above 30 vCPUs), what Kubernetes is tested for: ENIs do not limit pods that "
            "use no VPC addresses. max pods: the kubelet's value if you do not set it "
            f"({platform.provisioner}, {platform.ami}), still computed from ENIs. --explain shows every term."
        )
    if platform.cni == CILIUM:
        return (
            "formula: (ENIs − firstInterfaceIndex) × (IPs − 1), × 16 with prefixes; Cilium itself uses two of the pod "
            f"addresses; {host}. max pods: the kubelet's value if you do not set it ({platform.provisioner}, "
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
        + f"max pods: the kubelet's value if you do not set it ({who}{image}). --explain shows every term."
    )
