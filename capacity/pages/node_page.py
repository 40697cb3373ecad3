"""A node as a page: allocatable, pods by every limit, price, and the address pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError, check_word
from capacity.node.limit_words import limit_words
from capacity.pages.answer import Answer
from capacity.pages.csv_rows import flatten
from capacity.pages.maxpods_page import terms_block
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Text
from capacity.pages.vocabulary import limited_by, merged
from capacity.plan.constants import OVERLAY
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.node.offer import Offer
    from capacity.node.platform import Platform
    from capacity.plan.cni_env import CniSettings


@dataclass(frozen=True)
class NodeView:
    """What is shown of the offers.

    Attributes
    ----------
    platform, settings : Platform, CniSettings
        What the offers were computed for.
    price_notes : callable
        Returns notes on the prices of some types.
    pods : int or None
        Pods on VPC addresses of the node whose address pool is shown. [pods]
    sort, limit : str or None, int or None
        A key of the JSON answer, ``-key`` for descending; the most rows.
    explain : bool
        Every term.
    """

    platform: Platform
    settings: CniSettings
    price_notes: Callable[[Sequence[str]], list[str]]
    pods: int | None = None
    sort: str | None = None
    limit: int | None = None
    explain: bool = False


def answer(
    offers: Sequence[Offer],
    kinds: Sequence[InstanceType],
    view: NodeView,
    inputs: Mapping[str, Any],
    notes: Sequence[str],
) -> Answer:
    """The answer of `node` in every format."""
    results = [_result(o, k, view) for o, k in zip(offers, kinds, strict=True)]
    results, said = _sorted(results, view.sort, view.price_notes([k.name for k in kinds]))
    if view.limit is not None and len(results) > view.limit:
        said.append(f"{len(results) - view.limit} of {len(results)} rows are not shown (--limit {view.limit})")
        results = results[: view.limit]
    shown = {r["instance_type"] for r in results}
    warnings = [w for o in offers if o.instance_type in shown for w in o.warnings]
    return Answer(
        command="node",
        inputs=inputs,
        results=results,
        page=Page(_blocks(results, offers, view)),
        rows=[{k: v for k, v in r.items() if k != "explain"} for r in results],
        warnings=[*notes, *said, *merged([*warnings, *_pool_warnings(results, view.pods)])],
        on_data=view.price_notes([r["instance_type"] for r in results]),
    )


def _result(got: Offer, kind: InstanceType, view: NodeView) -> dict[str, Any]:
    result: dict[str, Any] = {
        "instance_type": got.instance_type,
        "ami": got.ami,
        "max_pods": got.max_pods,
        "allocatable_cpu_millicores": got.allocatable.cpu_millicores,
        "allocatable_memory_mib": got.allocatable.memory_mib,
        "fits": dict(got.fits),
        "pods": got.pods,
        "binding": got.binding,
        "stranded_cpu_pct": got.stranded_cpu_pct,
        "stranded_memory_pct": got.stranded_memory_pct,
        "usd_per_hour": got.usd_per_hour,
        "usd_per_pod_month": got.usd_per_pod_month,
    }
    if view.pods is not None:
        result["pool"] = _pool(got, kind, view, view.pods)
    if view.explain:
        result["explain"] = _explain(got, kind, view)
    return result


def _pool(got: Offer, kind: InstanceType, view: NodeView, pods: int) -> dict[str, Any] | None:
    from capacity.cni.facade import node_pool
    from capacity.node.figures import unmanaged_of

    if got.max_pods is None or kind.max_enis is None or kind.ipv4_per_eni is None:
        return None
    os = "windows" if view.platform.windows else "linux"
    pool = node_pool(kind, view.settings, pods, got.max_pods, unmanaged_of(kind, view.platform), os)
    names = (
        "enis",
        "secondary_ips",
        "prefixes",
        "pod_addresses",
        "warm",
        "subnet_addresses",
        "lowest",
        "highest",
        "pods_without_address",
    )
    return {name: getattr(pool, name) for name in names}


def _explain(got: Offer, kind: InstanceType, view: NodeView) -> list[dict[str, Any]]:
    from capacity.node.offer_terms import offer_terms

    platform, pods = view.platform, view.pods
    terms = offer_terms(got, kind, platform)
    if pods is not None and got.max_pods is not None and kind.max_enis is not None and kind.ipv4_per_eni is not None:
        from dataclasses import replace

        from capacity.cni.facade import effective, node_limits
        from capacity.cni.pool_terms import bound_terms, pool_terms
        from capacity.node.figures import unmanaged_of

        own = effective(view.settings, kind)
        limits = node_limits(kind, own, unmanaged_of(kind, platform), windows=platform.windows)
        of_pool = (limits, own, got.max_pods, pods)
        terms += [
            replace(term, label=f"pool: {term.label}") for term in (*pool_terms(*of_pool), *bound_terms(*of_pool))
        ]
    return [term.as_row() for term in terms]


def _pool_warnings(results: list[dict[str, Any]], pods: int | None) -> list[str]:
    found = []
    for result in results:
        pool = result.get("pool")
        if pods is not None and result["max_pods"] is not None and pods > result["max_pods"]:
            found.append(
                f"{result['instance_type']}: --pods {pods} is above its max pods {result['max_pods']}: "
                "the kubelet does not accept that many"
            )
        if pool and pool["pods_without_address"]:
            found.append(
                f"{result['instance_type']}: {pool['pods_without_address']} of {pods} pods never get an address"
            )
        elif "pool" in result and pool is None:
            found.append(f"{result['instance_type']}: no address pool: ENI limits or max pods are unknown")
    return found


def _rank(rated: tuple[Any, dict[str, Any]]) -> Any:
    return rated[0]


def _sorted(
    results: list[dict[str, Any]], key: str | None, on_prices: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Sort by a key of the answer, unknown values last, with a note; a key that no row has is refused."""
    if key is None:
        return results, []
    name = key.removeprefix("-")
    known = sorted({k for r in results for k in flatten(r)})
    check_word("--sort", name, tuple(known))
    rated = [(flatten(r).get(name), r) for r in results]
    have = sorted((p for p in rated if p[0] is not None), key=_rank, reverse=key.startswith("-"))
    rest = [r for v, r in rated if v is None]
    if not have:
        why = f": {on_prices[0]}" if name.startswith("usd_") and on_prices else _WANTS.get(name, "")
        raise SpecError(f"--sort: {name} is unknown for every selected type{why}")
    last = [f"{counted(len(rest), 'type')} without a known {name}: listed last"] if rest else []
    return [r for _, r in have] + rest, last


_WANTS = {
    "fits.cpu": " without --pod-cpu",
    "stranded_cpu_pct": " without --pod-cpu",
    "fits.memory": " without --pod-memory",
    "stranded_memory_pct": " without --pod-memory",
    "fits.branch_enis": " without --security-groups",
    "fits.volumes": " without --pod-volumes",
}


_COLUMNS = (
    TableColumn("instance_type", "type"),
    TableColumn("max_pods", "max pods"),
    TableColumn("allocatable_cpu_millicores", "CPU m", 1),
    TableColumn("allocatable_memory_mib", "memory Mi", 1),
    TableColumn("fits.cpu", "by CPU", 2),
    TableColumn("fits.memory", "by memory", 2),
    TableColumn("fits.ips", "by IPs", 2),
    TableColumn("fits.max_pods", "by max pods", 4),
    TableColumn("fits.branch_enis", "by branch ENIs", 2),
    TableColumn("fits.volumes", "by volumes", 2),
    TableColumn("pods", "pods fit"),
    TableColumn("binding", "limited by"),
    TableColumn("stranded_cpu_pct", "CPU left %", 3, 1),
    TableColumn("stranded_memory_pct", "memory left %", 3, 1),
    TableColumn("usd_per_hour", "$/h", 1),
    TableColumn("usd_per_pod_month", "$/pod/month", 0, 2),
)
_POOL = (
    TableColumn("instance_type", "type"),
    TableColumn("enis", "ENIs", 1),
    TableColumn("secondary_ips", "secondary IPs", 2),
    TableColumn("prefixes", "prefixes", 2),
    TableColumn("pod_addresses", "pod addresses"),
    TableColumn("warm", "warm"),
    TableColumn("subnet_addresses", "used in the subnet"),
    TableColumn("lowest", "lowest"),
    TableColumn("highest", "highest"),
    TableColumn("pods_without_address", "pods without an address"),
)


def _blocks(results: list[dict[str, Any]], offers: Sequence[Offer], view: NodeView) -> list[Text | Table | CodeBlock]:
    platform = view.platform
    flat = [flatten(r) for r in results]
    always = ("instance_type", "max_pods", "allocatable_cpu_millicores", "allocatable_memory_mib", "pods", "binding")
    columns = [c for c in _COLUMNS if c.key in always or any(r.get(c.key) is not None for r in flat)]
    shown = [{**r, "binding": limit_words(r["binding"])} for r in flat]
    page: list[Text | Table | CodeBlock] = [*map(Text, _sentence(offers)), Table(columns, shown)]
    if view.pods is not None:
        rows = [{"instance_type": r["instance_type"], **(r["pool"] or {})} for r in results]
        where = " on an overlay network" if platform.cni == OVERLAY else " on VPC addresses"
        page.append(Table(_POOL, rows, f"Addresses held in the steady state with {view.pods:,} pods{where}"))
    page.append(
        Text(
            f"{platform.ami}, {platform.provisioner}, {platform.mode} mode; pods and DaemonSets share the allocatable "
            "resources; memory capacity is an estimate (the EC2 figure minus 7.5% unless set). "
            "--explain shows every term."
        )
    )
    return [*page, *(terms_block(f"{r['instance_type']}:", r["explain"]) for r in results if view.explain)]


def _sentence(offers: Sequence[Offer]) -> list[str]:
    if len(offers) != 1 or (fitting := offers[0].pods) is None:
        return []
    got = offers[0]
    shaped = any(got.fits[name] is not None for name in ("cpu", "memory", "branch_enis", "volumes"))
    pods = f"{fitting} of these pods" if shaped else f"{counted(fitting, 'pod')} in addition to its DaemonSets"
    cost = f", ${got.usd_per_pod_month:,.2f} per pod per month" if got.usd_per_pod_month is not None else ""
    return [f"{got.instance_type} holds {pods}, {limited_by(got.binding or 'max_pods')}{cost}."]
