"""A check's results put in order: verdict first, then where, why, what to do, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.advice.findings.codes import Finding, codes
from capacity.advice.levers.lever import own_cni
from capacity.advice.summary import waste_sentence
from capacity.catalog.age import limit_notes, price_notes
from capacity.cluster.group_shapes import gives_prefixes
from capacity.cluster.scenario import ScenarioState, first_and_gravest
from capacity.cni.facade import settings_on
from capacity.cost.dollar_words import COST_COLUMNS, NOT_INCLUDED, cost_sentence, lines_of, shown_costs
from capacity.cost.plan_cost import NODES
from capacity.forecast.words import sentence
from capacity.node.limit_words import limit_words
from capacity.pages.answer import Answer
from capacity.pages.cells import brief, shown
from capacity.pages.check_page import answer as check_answer
from capacity.pages.check_page import runway_table, subnets_table, verdict_of
from capacity.pages.page import Chart, CodeBlock, FigureList, Page, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Advice, Block, Explorer, Place
from capacity.plan.cilium_settings import all_settings
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.model import Plan
from capacity.plan.scenarios import when_words
from capacity.units import counted
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.advice.warm import WarmAnswer
    from capacity.advice.whatif import WhatIf
    from capacity.catalog.status import DataStatus
    from capacity.charts.theme import Theme
    from capacity.cluster.check import CheckResult
    from capacity.cluster.headroom import HeadroomCurve
    from capacity.cost.plan_cost import PlanCost
    from capacity.forecast.result import ForecastResult, SubnetForecast
    from capacity.node.offer import Offer

MOST_FANS = 4  # forecasts drawn: those of the subnets that run out first
MOST_BLOCK_MAPS = 2


@dataclass(frozen=True)
class Material:
    """All results that a report shows; what is None or empty is left out and said so.

    Attributes
    ----------
    command : str
        The command that makes this report again.
    plan_sha256 : str
        Of the plan file as read; empty where it came from a pipe.
    forecast : ForecastResult or None
        None where no workload grows.
    """

    result: CheckResult
    findings: Sequence[Finding]
    headroom: Sequence[HeadroomCurve]
    explorer: WhatIf | None
    offers: Sequence[Offer]
    status: DataStatus
    version: str
    command: str
    plan_sha256: str = ""
    forecast: ForecastResult | None = None
    warm: WarmAnswer | None = None
    left_out: str = ""
    cost: PlanCost | None = None

    @property
    def price_notes(self) -> list[str]:
        """Prices that the report lacks, or that are old."""
        region = self.result.plan.region
        lines = [line for cost in self.cost.costs for line in cost.lines if line.item == NODES] if self.cost else []
        types = [line.what for line in lines if line.rate.usd_per_hour is None or line.rate.region == region]
        return price_notes(list(dict.fromkeys(types)), region, self.status.as_of) if types else []

    @property
    def limit_notes(self) -> list[str]:
        """Whether the limits of the instance types are old."""
        return limit_notes(self.status.as_of)


def report_page(material: Material) -> Page:
    """The report's content, in the order in which a reviewer asks."""
    result, plan = material.result, material.result.plan
    sections = [
        _subnets(material),
        _groups(material),
        _cost(material),
        _scenarios(material),
        _findings(material),
        _explorer(material),
        _forecast(material),
        _assumptions(material),
        _data(material),
        _again(material),
    ]
    facts = [
        ("plan", plan.file or "–"),
        ("region", plan.region or "not given"),
        ("Kubernetes", plan.kubernetes.version or "not given"),
        ("subnets", f"{len(plan.subnets):,}"),
        ("node groups", f"{len(plan.node_groups):,}"),
        ("workloads", f"{len(plan.workloads):,}"),
        ("scenarios", f"{len(result.scenarios):,}"),
        ("findings", f"{len(material.findings):,}"),
    ]
    title = f"Pod-IP capacity of {plan.name}" if plan.name else "Pod-IP capacity"
    return Page([verdict_of(result), FigureList(facts), *(s for s in sections if s.blocks)], title)


# --- subnets ---------------------------------------------------------------------------------


def _subnets(material: Material) -> Section:
    result = material.result
    blocks: list[Block] = []
    for state in first_and_gravest(result.scenarios):
        blocks += [_states_chart(state), subnets_table(state)]
    waste = waste_sentence(result)
    blocks += [Text(waste)] if waste else []
    if result.runway:
        blocks.append(runway_table(result))
    blocks += _headroom_charts(material.headroom)
    blocks += [Text(material.left_out)] if material.left_out else []
    blocks += _block_maps(result)
    return Section("subnets", "Subnets", blocks)


def _states_chart(state: ScenarioState) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_subnet_states

        return plot_subnet_states(state, theme=theme)

    parts = [
        f"{brief(s.subnet.name)} " + (f"{s.free:,} free" if s.free >= 0 else f"{-s.free:,} short")
        for s in sorted(state.left, key=lambda s: s.free / s.subnet.usable)[:5]
    ]
    name = "subnets-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in state.title.lower())[:60]
    return Chart(name, f"Addresses by state: {state.title}", "; ".join(parts) + ".", draw)


def _headroom_charts(curves: Sequence[HeadroomCurve]) -> list[Block]:
    found: list[Block] = []
    for number, curve in enumerate(curves, 1):

        def draw(theme: Theme, curve: HeadroomCurve = curve) -> Figure:
            from capacity.charts.subnets import plot_headroom

            return plot_headroom(curve, theme=theme)

        ends = [(e, n) for n, e in zip(curve.subnets, curve.exhausted_at, strict=True) if e is not None]
        words = "; ".join(f"{brief(name)} is full at {end:,} {brief(curve.what)}" for end, name in sorted(ends)[:4])
        none = "Nothing is full"
        found.append(
            Chart(f"headroom-{number}", f"Headroom against {curve.what}, beyond steady", f"{words or none}.", draw)
        )
    return found


def _block_maps(result: CheckResult) -> list[Block]:
    """In prefix mode the /28s of the subnets with the least room."""
    if not gives_prefixes(result.plan):
        return []
    state = first_and_gravest(result.scenarios)[0]
    holding = sorted((s for s in state.subnets if s.prefixes), key=lambda s: s.free / s.subnet.usable)
    return [_block_chart(i, s) for i, s in enumerate(holding[:MOST_BLOCK_MAPS], 1)]


def _block_chart(number: int, state: SubnetState) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_blocks
        from capacity.vpc.block_map import packed_blocks

        return plot_blocks(packed_blocks(state), theme=theme)

    words = f"{state.prefixes:,} prefixes; at most {state.free_prefixes or 0:,} more blocks of 16 are free."
    return Chart(f"blocks-{number}", f"/28 blocks of {state.subnet.name}", words, draw)


# --- node groups -----------------------------------------------------------------------------


def _groups(material: Material) -> Section:
    result = material.result
    steady = first_and_gravest(result.scenarios)[0]
    rows = []
    for group, offer in zip(steady.groups, material.offers, strict=True):
        first = group.shape.first
        rows.append(
            {
                "group": group.shape.group.name,
                "type": [t.instance_type.name for t in group.shape.types],
                "ami": f"{group.shape.group.ami}, {group.shape.group.provisioner}",
                "nodes": group.nodes,
                "zones": ", ".join(f"{z} {n}" for z, n in group.nodes_by_zone.items()),
                "pods_per_node": group.pods_per_node,
                "max_pods": first.max_pods,
                "addresses": max((first.demand(c.vpc_pods) for c in group.classes), default=None),
                "binding": limit_words(group.binding),
                "usd_per_pod_month": offer.usd_per_pod_month,
            }
        )
    columns = (
        TableColumn("group", "node group"),
        TableColumn("type", "instance types"),
        TableColumn("ami", "AMI, provisioner"),
        TableColumn("nodes", "nodes"),
        TableColumn("zones", "by zone"),
        TableColumn("pods_per_node", "pods on the fullest"),
        TableColumn("max_pods", "max pods"),
        TableColumn("addresses", "pod addresses held"),
        TableColumn("binding", "limited by"),
        TableColumn("usd_per_pod_month", "$/pod/month (node full)", 0, 2),
    )
    blocks: list[Block] = [Table(columns, rows, f"Node groups in {steady.title}")] if rows else []
    blocks += [Text(f"Data: {note}.") for note in material.price_notes] if rows else []
    drawn = [o for o in material.offers if any(v is not None for v in o.fits.values())]
    if drawn:
        blocks += [_limits_chart(drawn)]
        blocks += [_price_chart(drawn)] if any(o.usd_per_pod_month is not None for o in drawn) else []
    return Section("node-groups", "Node groups", blocks)


def _cost(material: Material) -> Section:
    """Dollars a month, with the terms of every line."""
    cost = material.cost
    if cost is None or not cost.costs:
        return Section("cost", "Cost", [])
    columns = [TableColumn(*c) for c in COST_COLUMNS]
    grids = [Table(columns, lines_of(one), f"Cost, {one.title}", folded=True) for one in shown_costs(cost)]
    return Section("cost", "Cost", [Text(cost_sentence(cost)), *grids, Text(NOT_INCLUDED)])


MOST_GROUPS = 10


def _limits_chart(offers: Sequence[Offer]) -> Chart:
    some = list(offers[:MOST_GROUPS])
    rest = f" (the first {len(some)} of {len(offers):,} groups)" if len(offers) > len(some) else ""

    def draw(theme: Theme) -> Figure:
        from capacity.charts.nodes import plot_limits

        return plot_limits(some, title=f"Pods of the group's mean shape per node, by limit{rest}", theme=theme)

    words = "; ".join(
        f"{o.instance_type}: {counted(o.pods or 0, 'mean pod')} beside daemonsets, limited by {limit_words(o.binding)}"
        for o in some[:5]
        if o.binding
    )
    return Chart("limits", "IPs against CPU and memory", f"{words}.", draw)


def _price_chart(offers: Sequence[Offer]) -> Chart:
    some = list(offers[:MOST_GROUPS])

    def draw(theme: Theme) -> Figure:
        from capacity.charts.nodes import plot_price_per_pod

        return plot_price_per_pod(some, theme=theme)

    priced = [o for o in some if o.usd_per_pod_month is not None]
    words = "; ".join(f"{o.instance_type}: {o.usd_per_pod_month:,.2f} USD per pod per month" for o in priced[:5])
    return Chart("price", "Price per pod", f"{words}.", draw)


# --- scenarios and findings ------------------------------------------------------------------

MOST_COLUMNS = 10


def _scenarios(material: Material) -> Section:
    states = material.result.scenarios
    rows = []
    for state in states:
        least = min(state.left, key=lambda s: s.free / s.subnet.usable, default=None)
        rows.append(
            {
                "scenario": state.title,
                "verdict": state.verdict,
                "nodes": sum(g.nodes for g in state.groups),
                "least": None if least is None else least.subnet.name,
                "free": None if least is None else least.free,
                "unplaced": state.unplaced_pods,
                "stuck": state.pods_without_address,
                "rule": state.rule,
            }
        )
    columns = (
        TableColumn("scenario", "scenario"),
        TableColumn("verdict", "verdict"),
        TableColumn("nodes", "nodes that hold addresses"),
        TableColumn("least", "tightest subnet"),
        TableColumn("free", "free there"),
        TableColumn("unplaced", "unschedulable pods"),
        TableColumn("stuck", "pods without address"),
        TableColumn("rule", "what happens"),
    )
    blocks: list[Block] = [Table(columns, rows, "All scenarios at a glance")]
    full = first_and_gravest(material.result.scenarios)
    blocks += [subnets_table(s, folded=True) for s in states if s not in full]
    return Section("scenarios", "Scenarios", blocks)


def _findings(material: Material) -> Section:
    """The change that resolves several, once; then one entry per code and fix, the worst first, with all its places."""
    order = {"error": 0, "warning": 1, "info": 2}
    kinds: dict[tuple[int, str, str, str], list[Finding]] = {}
    for found in material.findings:
        key = (order[found.severity], found.code, found.severity, str(found.fix.get("summary") or ""))
        kinds.setdefault(key, []).append(found)
    fixes = Counter(str(f.fix["patch"]) for f in material.findings if f.fix.get("patch"))
    shared = frozenset(patch for patch, count in fixes.items() if count > 1)
    blocks: list[Block] = []
    for patch in fixes:
        if patch in shared:
            first = next(f for f in material.findings if str(f.fix.get("patch")) == patch)
            words = f"One change resolves {fixes[patch]} of these findings (re-checked): "
            blocks += [Text(f"{words}{first.fix.get('summary', '')}."), *_snippets(first)]
    blocks += [_advice(code, severity, fix, kinds[k], shared) for k in sorted(kinds) for _, code, severity, fix in [k]]
    return Section("findings", "Findings and fixes", blocks or [Text("No findings.")])


def _advice(name: str, severity: str, fix: str, found: Sequence[Finding], shared: Container[str]) -> Advice:
    code = codes()[name]
    places = tuple(_place(f, shared) for f in found)
    return Advice(name, severity, code.title, code.why, fix or code.fix, code.source, places)


def _place(found: Finding, shared: Container[str]) -> Place:
    """One place; a fix that resolves others too is shown above them all."""
    frees = found.fix.get("frees")
    return Place(
        message=found.message,
        where=found.where,
        scenario=found.scenario or "all scenarios",
        frees="" if frees in (None, 0, "") else shown(frees),
        snippets=() if str(found.fix.get("patch")) in shared else tuple(_snippets(found)),
    )


def _snippets(found: Finding) -> list[CodeBlock]:
    patch, commands = (found.fix.get(k) for k in ("patch", "commands"))
    snippets = []
    if patch:
        snippets.append(CodeBlock(patch if isinstance(patch, str) else _yaml(patch), "change in the plan"))
    if commands:
        lines = commands if isinstance(commands, str) else "\n".join(map(str, _list(commands)))
        snippets.append(CodeBlock(lines, "commands"))
    return snippets


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _yaml(value: object) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def _explorer(material: Material) -> Section:
    if material.explorer is None:
        return Section("what-if", "What if", [])
    words = (
        "Nodes and replicas of steady in proportion, rounded up, past the groups' maxima; beside the plan's own CNI "
        "settings the usual others. Every figure was worked out by the same engine as the check; the page only looks "
        "them up."
    )
    blocks: list[Block] = [Text(words), Explorer(material.explorer)]
    return Section("what-if", "What if", blocks + _warm(material.warm))


def _warm(answer: WarmAnswer | None) -> list[Block]:
    """The trade-off of the warm settings, and the one that capacity warm recommends."""
    if answer is None:
        return []

    def draw(theme: Theme) -> Figure:
        from capacity.charts.trade import plot_warm_tradeoff, warm_choices

        return plot_warm_tradeoff(warm_choices(answer), theme=theme)

    best = answer.recommendation
    words = "No other setting is better than the current one."
    if best is not None and best.change:
        words = f"Recommended: {best.row.targets.label} – {best.rule}."
    blocks: list[Block] = [Chart("warm", "IP cost vs. instant pod starts", words, draw)]
    if best is not None and best.commands and best.change:
        blocks.append(CodeBlock("\n".join(best.commands), "to set the recommended targets"))
    return blocks


def _forecast(material: Material) -> Section:
    found = material.forecast
    if found is None:
        text = "No forecast: no workload of the plan has growth. capacity forecast --history makes one from the past."
        return Section("forecast", "Forecast", [Text(text)])
    rows = [
        {
            "subnet": s.name,
            "usable": s.usable,
            "now": s.used_now,
            "p10": s.date_p10.isoformat() if s.date_p10 else None,
            "p50": s.date_p50.isoformat() if s.date_p50 else None,
            "p90": s.date_p90.isoformat() if s.date_p90 else None,
            "probability": None if s.probability is None else round(100 * s.probability, 1),
            "note": s.note,
        }
        for s in found.subnets
    ]
    columns = (
        TableColumn("subnet", "subnet"),
        TableColumn("usable", "usable"),
        TableColumn("now", "used now"),
        TableColumn("p10", "P10 (early)"),
        TableColumn("p50", "P50 (likely)"),
        TableColumn("p90", "P90 (late)"),
        TableColumn("probability", f"full by {found.end}, % of simulations", 0, 1),
        TableColumn("note", "in words"),
    )
    paths = (
        "each day worked out exactly, nothing is random"
        if found.exact
        else f"{found.paths:,} simulations; P10: full by then in 10% of them"
    )
    text = f"{found.start} to {found.end}, from the growth of the workloads {when_words(found.scenario)}; {paths}."
    blocks: list[Block] = [Text(sentence(found)), Text(text), Table(columns, rows, "When each subnet runs out")]
    blocks += [Text(note) for note in found.notes]
    fullest = sorted((s for s in found.subnets if s.fan is not None), key=_urgency)
    return Section("forecast", "Forecast", blocks + [_fan_chart(i, s) for i, s in enumerate(fullest[:MOST_FANS], 1)])


def _urgency(subnet: SubnetForecast) -> tuple[float, float]:
    """Likeliest to run out first, then the fullest."""
    return -(subnet.probability or 0.0), -((subnet.used_now or 0) / (subnet.usable or 1))


def _fan_chart(number: int, subnet: SubnetForecast) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.forecast import plot_forecast

        return plot_forecast(subnet, theme=theme)

    return Chart(f"forecast-{number}", f"Forecast of {subnet.name}", f"{subnet.note}.", draw)


# --- what it rests on ------------------------------------------------------------------------


def _assumptions(material: Material) -> Section:
    plan, settings = material.result.plan, material.result.plan.cni.settings
    notes = [{"assumption": note} for note in material.result.notes]
    vpc_cni = [
        ("prefix delegation", settings.prefix),
        ("custom networking", settings.custom_networking),
        ("branch ENIs (ENABLE_POD_ENI)", settings.pod_eni),
        ("WARM_ENI_TARGET", settings.warm_eni),
        ("WARM_IP_TARGET", settings.warm_ip or "not set"),
        ("MINIMUM_IP_TARGET", settings.minimum_ip or "not set"),
        ("WARM_PREFIX_TARGET", settings.warm_prefix),
        ("MAX_ENI", settings.max_eni if settings.max_eni is not None else "the instance's own limit"),
    ]
    chosen: list[tuple[str, object]] = [
        ("CNI", plan.cni.name),
        ("CNI version", plan.cni.version or "not given"),
        ("address family", plan.kubernetes.ip_family),
        *(all_settings(settings).items() if settings.cni == CILIUM else vpc_cni if own_cni(plan) else ()),
        *_other_pools(plan),
        ("least share free (checks.minFree)", f"{float(100 * plan.checks.min_free):g} %"),
    ]
    rows = [{"setting": name, "value": value} for name, value in chosen]
    blocks: list[Block] = [
        Table((TableColumn("setting", "setting"), TableColumn("value", "value")), rows, "Settings after defaults"),
    ]
    if notes:
        blocks.append(
            Table((TableColumn("assumption", "assumption"),), notes, "Assumed because the plan does not say it")
        )
    used = sorted({f.code for f in material.findings})
    sources = [{"rule": f"{c}: {codes()[c].title}", "source": codes()[c].source} for c in used]
    sources += [{"rule": rule, "source": source} for rule, source in (*SOURCES, *POOLS[plan.cni.name])]
    blocks.append(
        Table((TableColumn("rule", "rule"), TableColumn("source", "source")), sources, "Rules and their sources")
    )
    return Section("assumptions", "Assumptions and sources", blocks)


def _other_pools(plan: Plan) -> Iterator[tuple[str, object]]:
    """What keeps the addresses of nodes that the settings above do not reach."""
    windows = [g for g in plan.node_groups if g.windows]
    if plan.cni.settings.cni == OVERLAY:
        yield "addresses of pods", "of the CNI's own network: none of the VPC"
    elif windows:
        told = settings_on(plan.cni, windows[0]).windows
        yield "Windows nodes: prefix delegation (enable-windows-prefix-delegation)", told.prefix
        yield "Windows nodes: warm-ip-target, minimum-ip-target", f"{told.warm_ip}, {told.minimum_ip}"
        yield "Windows nodes: warm-prefix-target", told.warm_prefix
    auto = [g.name for g in plan.node_groups if g.auto]
    if auto:
        yield f"EKS Auto Mode ({', '.join(auto)})", "prefixes, one kept spare; settings of the plan do not reach it"


SOURCES = (
    ("AWS keeps 5 addresses of every subnet", "awsdocs/amazon-vpc-user-guide subnet-sizing.md L9"),
    ("max pods: ENIs × (addresses per ENI − 1) + 2", "awslabs/amazon-eks-ami@81fec2e8 eni_max_pods.go L75-77"),
    ("control plane: 2 to 4 cross-account ENIs", "awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66"),
    ("prefixes are aligned /28 blocks", "awsdocs/amazon-vpc-user-guide subnet-cidr-reservation.md L3-14"),
)
POOLS = {
    "vpc-cni": [("warm pool of the CNI", "aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go")],
    "cilium": [
        ("addresses that Cilium's operator keeps", "cilium/cilium@00137987 pkg/ipam/node.go, pkg/aws/eni/node.go")
    ],
    "overlay": [],
}


def _data(material: Material) -> Section:
    status = material.status
    rows = [
        {
            "source": s.source.title,
            "version": s.source.version or None,
            "date": s.source.date.isoformat() if s.source.date else None,
            "types": s.types,
        }
        for s in status.sources
    ]
    columns = (
        TableColumn("source", "source"),
        TableColumn("version", "version"),
        TableColumn("date", "date"),
        TableColumn("types", "types covered"),
    )
    text = f"{status.types:,} instance types; their limits are of {status.date}."
    region = material.result.plan.region
    priced = [p for p in status.prices if p.region == region]
    text += f" Prices of {region} are of {priced[0].date}." if priced else ""
    said: list[Block] = [Text(f"Data: {note}.") for note in material.limit_notes]
    grid = Table(columns, rows, "Sources of the packaged data")
    return Section("data", "Data sources", [Text(text), *said, grid])


def _again(material: Material) -> Section:
    text = f"capacity {material.version}, packaged data of {material.status.date}."
    if material.plan_sha256:
        text += f" SHA-256 of the plan file: {material.plan_sha256}."
    text += " The same version, data and plan give the same figures."
    return Section("reproduce", "How to reproduce", [Text(text), CodeBlock(material.command, "command")])


# --- the other formats -----------------------------------------------------------------------


def answer(page: Page, material: Material) -> Answer:
    """The report as an answer of the formats that every verb has: its tables as data."""
    checked = check_answer(material.result, material.findings, cost=material.cost)
    tables = [
        {
            "section": s.anchor,
            "title": t.title,
            "columns": [c.key for c in t.columns],
            "rows": [dict(r) for r in t.rows],
        }
        for s, t in page.tables()
    ]
    results = {"title": page.title, "answer": page.verdict.sentence, **checked.results, "tables": tables}
    on_data = [*material.price_notes, *material.limit_notes]
    return Answer("report", checked.inputs, results, page, checked.rows, checked.warnings, on_data=on_data, dated=False)
