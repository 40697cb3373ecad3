"""`capacity node`: what is left for pods on a node, how many of this pod fit, which resource binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.cost_options import PerNodeCost, PriceFactor, PriceFile, SavingsPlan, cost_inputs, prices_told
from capacity.cli.node_options import (
    All,
    Ami,
    Asked,
    Cilium,
    Cni,
    CustomNetworking,
    Env,
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
    whole,
)
from capacity.cli.options import Color, Explain, OutFile, Output, Quiet, one_of, sink, words
from capacity.errors import SpecError
from capacity.plan.constants import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.catalog.instance_type import InstanceType
    from capacity.cli.output import Table
    from capacity.cost.plan_cost import Rate
    from capacity.cost.rates import PriceBook
    from capacity.node.offer import Daemon, Keep, Offer, PodAsked
    from capacity.node.platform import Platform
    from capacity.plan.cni_env import CniSettings

ARCHS = ("x86_64", "arm64")
Number = typer.Option(metavar="N", show_default=False)


def register(app: typer.Typer) -> None:
    app.command("node")(node)


def node(
    types: Types = None,
    everything: All = False,
    pod_cpu: Annotated[
        str | None,
        typer.Option("--pod-cpu", help="CPU request of the pod, such as 250m.", metavar="QUANTITY", show_default=False),
    ] = None,
    pod_memory: Annotated[
        str | None,
        typer.Option(
            "--pod-memory", help="Memory request of the pod, such as 512Mi.", metavar="QUANTITY", show_default=False
        ),
    ] = None,
    security_groups: Annotated[
        bool, typer.Option("--security-groups", help="The pod has security groups of its own: a branch ENI each.")
    ] = False,
    pod_volumes: Annotated[
        int | None,
        typer.Option("--pod-volumes", help="EBS volumes of the pod.", metavar="N", show_default=False),
    ] = None,
    daemonset: Annotated[
        list[str] | None,
        typer.Option("--daemonset", help="NAME=cpu,memory[,hostNetwork]; may be repeated.", metavar="SPEC"),
    ] = None,
    max_pods: Annotated[
        int | None, typer.Option("--max-pods", help="Max pods set by hand.", metavar="N", show_default=False)
    ] = None,
    pods: Annotated[
        int | None,
        typer.Option(
            "--pods",
            help="Show the address pool of a node with N pods on VPC addresses.",
            metavar="N",
            show_default=False,
        ),
    ] = None,
    env: Env = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            help="secondary (default), prefix or ipv6.",
            metavar="MODE",
            show_default=False,
            autocompletion=words(*MODES),
        ),
    ] = None,
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
    region: Annotated[
        str, typer.Option("--region", help="Region of the on-demand price.", metavar="REGION")
    ] = "us-east-1",
    per_node_cost: PerNodeCost = 0.0,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    vm_memory_overhead: Annotated[
        str, typer.Option("--vm-memory-overhead", help="Share of memory lost to the hypervisor.", metavar="SHARE")
    ] = "0.075",
    system_reserved: Annotated[
        str | None,
        typer.Option("--system-reserved", help="cpu=QUANTITY,memory=QUANTITY.", metavar="SPEC", show_default=False),
    ] = None,
    eviction_hard: Annotated[
        str,
        typer.Option(
            "--eviction-hard", help="memory.available threshold: a quantity or a percentage.", metavar="AMOUNT"
        ),
    ] = "100Mi",
    vcpus_min: Annotated[
        int | None,
        typer.Option("--vcpus-min", help="Only types with at least N vCPUs.", metavar="N", show_default=False),
    ] = None,
    vcpus_max: Annotated[
        int | None,
        typer.Option("--vcpus-max", help="Only types with at most N vCPUs.", metavar="N", show_default=False),
    ] = None,
    memory_min: Annotated[
        str | None,
        typer.Option(
            "--memory-min", help="Only types with at least this memory.", metavar="QUANTITY", show_default=False
        ),
    ] = None,
    memory_max: Annotated[
        str | None,
        typer.Option(
            "--memory-max", help="Only types with at most this memory.", metavar="QUANTITY", show_default=False
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch", help="x86_64 or arm64.", metavar="ARCH", show_default=False, autocompletion=words(*ARCHS)
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option("--family", help="Only this family, such as m7g; may be repeated.", metavar="NAME"),
    ] = None,
    current: Annotated[
        bool, typer.Option("--current-generation", help="Only types of the current generation.")
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort", help="Sort by a key of the JSON answer; -KEY for descending.", metavar="KEY", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="At most N rows.", metavar="N", show_default=False)
    ] = None,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """What is left for pods on a node, how many of this pod fit, which resource binds, what it costs.

    Examples: capacity node m5.large --pod-cpu 250m --pod-memory 512Mi ·
    capacity node --all --pod-cpu 1 --pod-memory 4Gi --sort usd_per_pod_month --limit 10 ·
    capacity node m5.large --pods 12 --env WARM_IP_TARGET=2 --env MINIMUM_IP_TARGET=10
    """  # fmt: skip
    to = sink(output, out_file, color, quiet)
    asked = Asked(
        one_of("--mode", mode, MODES) if mode is not None else None,
        custom_networking, max_eni, reserved_enis, pod_eni, os, ami, provisioner, expression, env or (),
        cni, cilium or (),
    )  # fmt: skip
    platform, settings, notes = resolve(asked)
    whole("--pods", pods)
    whole("--max-pods", max_pods, 1)
    whole("--limit", limit, 1)
    pod = _pod(pod_cpu, pod_memory, security_groups, whole("--pod-volumes", pod_volumes))
    if security_groups and not platform.pod_eni:
        notes.append(
            "--security-groups without --pod-eni: without ENABLE_POD_ENI no branch ENI is made, "
            "counted as ordinary pods"
        )
    keep = _keep(vm_memory_overhead, system_reserved, eviction_hard)
    daemons = [_daemon(text) for text in daemonset or ()]
    kinds = _filtered(
        select_types(types, everything), vcpus_min, vcpus_max, memory_min, memory_max, arch, family, current
    )
    from capacity.cli.output import Answer, emit
    from capacity.cost.rates import PriceBook
    from capacity.node.offer import offer

    book = PriceBook(region, cost_inputs(price_file, price_factor, savings_plan, per_node_cost=per_node_cost))
    rates = {k.name: book.of_type(k.name, windows=platform.ami == "windows") for k in kinds}
    offers = [
        offer(k, platform, pod, daemons, max_pods, keep, rates[k.name].usd_per_hour, per_node_cost) for k in kinds
    ]
    results = [_result(o, k, platform, settings, pods, explain) for o, k in zip(offers, kinds, strict=True)]
    results, unsorted = _sorted(results, sort, _price_notes(rates, [k.name for k in kinds], book))
    notes += unsorted
    if limit is not None and len(results) > limit:
        notes.append(f"{len(results) - limit} of {len(results)} rows are not shown (--limit {limit})")
        results = results[:limit]
    shown = {r["instance_type"] for r in results}
    warnings = [w for o in offers if o.instance_type in shown for w in o.warnings] + _pool_warnings(results, pods)
    emit(
        Answer(
            command="node",
            inputs=_inputs(platform, pod, daemons, keep, region, pods, max_pods, asked) | prices_told(book.inputs),
            results=results,
            blocks=_blocks(results, offers, pods, platform, explain),
            rows=[{k: v for k, v in r.items() if k != "explain"} for r in results],
            warnings=[*notes, *merged(warnings)],
            on_data=_price_notes(rates, [r["instance_type"] for r in results], book),
        ),
        to,
    )


def _price_notes(rates: Mapping[str, Rate], shown: Sequence[str], book: PriceBook) -> list[str]:
    """What a reader of the dollars must know: prices that are missing, old, or another region's."""
    from capacity.catalog.age import MOST_NAMES, price_notes

    listed = [name for name in shown if rates[name].usd_per_hour is None or rates[name].region == book.region]
    windows = [name for name in listed if "Windows" in rates[name].unknown]
    found = price_notes([name for name in listed if name not in windows], book.region)
    if windows:
        more = f" and {len(windows) - MOST_NAMES} more" if len(windows) > MOST_NAMES else ""
        found.append(f"Windows prices are not known (--price-file): {', '.join(windows[:MOST_NAMES])}{more}")
    return [*found, *book.notes()]


def _pod(cpu: str | None, memory: str | None, branch: bool, volumes: int | None) -> PodAsked:
    from capacity.node.offer import PodAsked
    from capacity.units import parse_cpu, parse_memory

    return PodAsked(
        cpu=None if cpu is None else parse_cpu(cpu, "--pod-cpu"),
        memory=None if memory is None else parse_memory(memory, "--pod-memory"),
        branch=branch,
        volumes=volumes,
    )


def _daemon(text: str) -> Daemon:
    from capacity.node.offer import Daemon
    from capacity.units import parse_cpu, parse_memory

    name, sign, rest = text.partition("=")
    parts = rest.split(",")
    if not name or not sign or len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] != "hostNetwork"):
        raise SpecError(f"--daemonset: {text!r} is not NAME=cpu,memory[,hostNetwork] (such as log-agent=50m,128Mi)")
    place = f"--daemonset {name}"
    return Daemon(name, parse_cpu(parts[0] or 0, place), parse_memory(parts[1] or 0, place), len(parts) == 3)


def _keep(overhead: str, system: str | None, eviction: str) -> Keep:
    from fractions import Fraction

    from capacity.node.offer import Keep
    from capacity.units import MIB, ceil_div, parse_cpu, parse_memory, parse_percent, parse_quantity

    share = (
        parse_percent(overhead, "--vm-memory-overhead")
        if overhead.endswith("%")
        else parse_quantity(overhead, "--vm-memory-overhead")
    )
    if share >= 1:
        raise SpecError(f"--vm-memory-overhead: {overhead!r} is out of range (expected 0 up to less than 1)")
    if 10**6 % share.denominator:
        raise SpecError(f"--vm-memory-overhead: {overhead!r} has too many decimals (expected at most six)")
    cpu = memory = 0
    for part in (system or "").split(",") if system else ():
        name, _, value = part.partition("=")
        if name == "cpu":
            cpu = parse_cpu(value, "--system-reserved cpu")
        elif name == "memory":
            memory = ceil_div(parse_memory(value, "--system-reserved memory"), MIB)
        else:
            raise SpecError(f"--system-reserved: {part!r} is not cpu=QUANTITY or memory=QUANTITY")
    threshold: Fraction | None = None
    amount = 0
    if eviction.endswith("%"):
        threshold = parse_percent(eviction, "--eviction-hard")
        if threshold > 1:
            raise SpecError(f"--eviction-hard: {eviction!r} is out of range (expected at most 100%)")
    else:
        amount = ceil_div(parse_memory(eviction, "--eviction-hard"), MIB)
    return Keep(int(share * 10**6), cpu, memory, amount, threshold)


def _filtered(
    kinds: list[InstanceType],
    vcpus_min: int | None,
    vcpus_max: int | None,
    memory_min: str | None,
    memory_max: str | None,
    arch: str | None,
    families: list[str] | None,
    current: bool,
) -> list[InstanceType]:
    from capacity.units import MIB, parse_memory

    least = parse_memory(memory_min, "--memory-min") if memory_min is not None else None
    most = parse_memory(memory_max, "--memory-max") if memory_max is not None else None
    if arch is not None:
        one_of("--arch", arch, ARCHS)

    def wanted(kind: InstanceType) -> bool:
        memory = None if kind.memory_mib is None else kind.memory_mib * MIB
        return (
            (vcpus_min is None or (kind.vcpus is not None and kind.vcpus >= vcpus_min))
            and (vcpus_max is None or (kind.vcpus is not None and kind.vcpus <= vcpus_max))
            and (least is None or (memory is not None and memory >= least))
            and (most is None or (memory is not None and memory <= most))
            and (arch is None or kind.arch == arch)
            and (not families or kind.family in families)
            and (not current or kind.current_generation is True)
        )

    found = [k for k in kinds if wanted(k)]
    if not found:
        raise SpecError("no instance type is left by the filters (--vcpus-min, --memory-min, --arch, --family, …)")
    return found


def _result(
    got: Offer, kind: InstanceType, platform: Platform, settings: CniSettings, pods: int | None, explain: bool
) -> dict[str, Any]:
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
    if pods is not None:
        result["pool"] = _pool(got, kind, platform, settings, pods)
    if explain:
        result["explain"] = _explain(got, kind, platform, settings, pods)
    return result


def _pool(
    got: Offer, kind: InstanceType, platform: Platform, settings: CniSettings, pods: int
) -> dict[str, Any] | None:
    from capacity.cni.facade import node_pool
    from capacity.node.figures import unmanaged_of

    if got.max_pods is None or kind.max_enis is None or kind.ipv4_per_eni is None:
        return None
    os = "windows" if platform.windows else "linux"
    pool = node_pool(kind, settings, pods, got.max_pods, unmanaged_of(kind, platform), os)
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


def _explain(
    got: Offer, kind: InstanceType, platform: Platform, settings: CniSettings, pods: int | None
) -> list[dict[str, Any]]:
    from capacity.node.offer_terms import offer_terms

    terms = offer_terms(got, kind, platform)
    if pods is not None and got.max_pods is not None and kind.max_enis is not None and kind.ipv4_per_eni is not None:
        from dataclasses import replace

        from capacity.cni.facade import effective, node_limits
        from capacity.cni.pool_terms import bound_terms, pool_terms
        from capacity.node.figures import unmanaged_of

        own = effective(settings, kind)
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
                "the kubelet does not accept as many"
            )
        if pool and pool["pods_without_address"]:
            found.append(
                f"{result['instance_type']}: {pool['pods_without_address']} of {pods} pods never get an address"
            )
        elif "pool" in result and pool is None:
            found.append(f"{result['instance_type']}: no pool without known ENI figures and max pods")
    return found


def _rank(rated: tuple[Any, dict[str, Any]]) -> Any:
    return rated[0]


def _sorted(
    results: list[dict[str, Any]], key: str | None, on_prices: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """By a key of the answer, unknown last and said so; a key that no row has sorts nothing and is refused."""
    if key is None:
        return results, []
    from capacity.cli.output import flatten
    from capacity.units import counted

    name = key.removeprefix("-")
    known = sorted({k for r in results for k in flatten(r)})
    one_of("--sort", name, tuple(known))
    rated = [(flatten(r).get(name), r) for r in results]
    have = sorted((p for p in rated if p[0] is not None), key=_rank, reverse=key.startswith("-"))
    rest = [r for v, r in rated if v is None]
    if not have:
        why = f": {on_prices[0]}" if name.startswith("usd_") and on_prices else _WANTS.get(name, "")
        raise SpecError(f"--sort: {name} is unknown for every type asked for{why}")
    last = [f"{counted(len(rest), 'type')} without a known {name}: last, whatever the order"] if rest else []
    return [r for _, r in have] + rest, last


_WANTS = {
    "fits.cpu": " without --pod-cpu",
    "stranded_cpu_pct": " without --pod-cpu",
    "fits.memory": " without --pod-memory",
    "stranded_memory_pct": " without --pod-memory",
    "fits.branch_enis": " without --security-groups",
    "fits.volumes": " without --pod-volumes",
}


def _inputs(
    platform: Platform,
    pod: PodAsked,
    daemons: list[Daemon],
    keep: Keep,
    region: str,
    pods: int | None,
    max_pods: int | None,
    asked: Asked,
) -> dict[str, Any]:
    from dataclasses import asdict

    from capacity.node.offer import daemons_on

    return {
        "mode": platform.mode,
        "custom_networking": platform.custom_networking,
        "pod_eni": platform.pod_eni,
        "max_eni": platform.max_eni,
        "reserved_enis": platform.reserved_enis,
        "ami": platform.ami,
        "provisioner": platform.provisioner,
        "expression": platform.expression,
        "max_pods": max_pods,
        "pod": {
            "cpu_millicores": pod.cpu,
            "memory_bytes": pod.memory,
            "security_groups": pod.branch,
            "volumes": pod.volumes,
        },
        "daemonsets": [asdict(d) for d in daemons_on(platform, daemons)],
        "vm_memory_overhead": keep.overhead_ppm / 10**6,
        "region": region,
        "pods": pods,
        "env": list(asked.env),
        "cni": asked.cni,
        "cilium": None if platform.cilium is None else asdict(platform.cilium),
    }


_COLUMNS = (
    ("instance_type", "type"),
    ("max_pods", "max pods"),
    ("allocatable_cpu_millicores", "CPU m"),
    ("allocatable_memory_mib", "memory Mi"),
    ("fits.cpu", "by CPU"),
    ("fits.memory", "by memory"),
    ("fits.ips", "by IPs"),
    ("fits.max_pods", "by max pods"),
    ("fits.branch_enis", "by branch ENIs"),
    ("fits.volumes", "by volumes"),
    ("pods", "pods fit"),
    ("binding", "binds"),
    ("stranded_cpu_pct", "CPU left %"),
    ("stranded_memory_pct", "memory left %"),
    ("usd_per_hour", "$/h"),
    ("usd_per_pod_month", "$/pod/month"),
)
_POOL = (
    ("instance_type", "type"),
    ("enis", "ENIs"),
    ("secondary_ips", "secondary IPs"),
    ("prefixes", "prefixes"),
    ("pod_addresses", "pod addresses"),
    ("warm", "warm"),
    ("subnet_addresses", "taken from subnet"),
    ("lowest", "lowest"),
    ("highest", "highest"),
    ("pods_without_address", "pods without"),
)


def _blocks(
    results: list[dict[str, Any]], offers: list[Offer], pods: int | None, platform: Platform, explain: bool
) -> list[str | Table]:
    from capacity.cli.output import Table, flatten

    flat = [flatten(r) for r in results]
    always = ("instance_type", "max_pods", "allocatable_cpu_millicores", "allocatable_memory_mib", "pods", "binding")
    columns = [c for c in _COLUMNS if c[0] in always or any(r.get(c[0]) is not None for r in flat)]
    page: list[str | Table] = [*_sentence(offers), Table(columns, flat), ""]
    if pods is not None:
        rows = [{"instance_type": r["instance_type"], **(r["pool"] or {})} for r in results]
        where = " on an overlay network" if platform.overlay else " on VPC addresses"
        page += [Table(_POOL, rows, f"addresses held at rest with {pods:,} pods{where}"), ""]
    page.append(
        f"{platform.ami}, {platform.provisioner}, {platform.mode} mode; allocatable is what pods and daemonsets share; "
        "memory capacity is an estimate (EC2's figure less 7.5 % unless set). --explain shows every term."
    )
    if explain:
        from capacity.trace import Term, lines

        for result in results:
            terms = [line for term in result["explain"] for line in lines(Term(**term), depth=1)]
            page += ["", "\n".join([f"{result['instance_type']}:", *terms])]
    return page


_BINDS = {
    "max_pods": "max pods binds",
    "ips": "pod addresses bind",
    "cpu": "CPU binds",
    "memory": "memory binds",
    "branch_enis": "branch ENIs bind",
    "volumes": "EBS volumes bind",
}


def _sentence(offers: list[Offer]) -> list[str]:
    if len(offers) != 1 or (fitting := offers[0].pods) is None:
        return []
    from capacity.units import counted

    got = offers[0]
    shaped = any(got.fits[name] is not None for name in ("cpu", "memory", "branch_enis", "volumes"))
    pods = f"{fitting} of these pods" if shaped else f"{counted(fitting, 'pod')} beside its daemonsets"
    cost = f", ${got.usd_per_pod_month:,.2f} per pod and month" if got.usd_per_pod_month is not None else ""
    return [f"{got.instance_type} holds {pods}: {_BINDS[got.binding or 'max_pods']}{cost}.", ""]
