"""Every figure of a page, whatever it is written as, is the figure of the JSON answer."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from capacity.cost.dollar_words import usd, usd_change
from capacity.pages.cells import NUMBER, cell
from capacity.pages.csv_rows import flatten
from capacity.sim.sim_words import span
from tests.cli.command import run
from tests.pages.printed import EXAMPLES, Cells, Printed, Row, printed, results, tables_of

Value = Callable[[Any], object]
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")


@dataclass(frozen=True)
class Expected:
    """What a table of a command shows.

    ``headings``: those that the table must have, to find it. ``rows``: its rows in the JSON results. ``columns``: the
    value of a row by heading, a key or a function. ``words``: columns without figures of their own.
    """

    command: str
    headings: tuple[str, ...]
    rows: Callable[[Any], Any]
    columns: Mapping[str, str | Value]
    words: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("table", "md")
    number: int = 0
    dynamic: Callable[[Any], Mapping[str, Value]] = field(default=lambda _results: {})

    def table(self, output: str) -> Printed:
        found = [t for t in tables_of(self.command, output) if set(self.headings) <= set(t.headings)]
        assert found, f"no table with {self.headings}: {[t.headings for t in tables_of(self.command, output)]}"
        return found[self.number]

    def __str__(self) -> str:
        return f"{self.command.split()[0]} {self.headings[-1]}"


def differences(table: Printed, found: Any, told: Expected) -> list[str]:
    """Where a printed table differs from the JSON results."""
    columns = {**told.columns, **told.dynamic(found)}
    rows = list(told.rows(found))
    if len(rows) != len(table.rows):
        return [f"{len(table.rows)} rows printed, {len(rows)} in JSON"]
    return [
        f"row {number}, {heading}: printed {row[heading]!r}, in JSON {value!r}"
        for number, (row, of) in enumerate(zip(table.rows, rows, strict=True))
        for heading, key in columns.items()
        if heading in row and not agrees(row[heading], value := _value(of, key))
    ]


def _value(row: Any, key: str | Value) -> object:
    if callable(key):
        return key(row)
    flat = flatten(row)
    return flat[key] if key in flat else row[key]


def agrees(shown: str, value: object) -> bool:
    """Whether a cell shows a value, with as many digits as the cell has."""
    if isinstance(value, float) and NUMBER.fullmatch(shown) and not isinstance(value, bool):
        digits = len(shown.partition(".")[2].rstrip("%"))
        return bool(abs(float(re.sub("[,%$]", "", shown.replace("−", "-"))) - value) <= 0.5000001 * 10.0**-digits)
    same = shown.replace("−", "-") == cell(value).replace("−", "-")  # Markdown and HTML have true minus signs
    return same or (value is None and shown in ("", "–"))


def of_subnet(*names: str) -> Value:
    return lambda s: "lost" if s["lost"] and names == () else sum(s["used"][n] or 0 for n in names)


def unless_lost(value: Value) -> Value:
    return lambda s: "lost" if s["lost"] else value(s)


SUBNET: dict[str, str | Value] = {
    "subnet": "name",
    "verdict": unless_lost(lambda s: s["verdict"]),
    "zone": "zone",
    "CIDR": "cidr",
    "usable": "usable",
    "nodes+ENIs": of_subnet("node_primary", "eni_primary"),
    "pods": of_subnet("assigned", "branch"),
    "warm": of_subnet("warm"),
    "others": of_subnet("control_plane", "load_balancers", "endpoints", "other"),
    "free": unless_lost(lambda s: s["free"]),
    "free %": unless_lost(lambda s: float(s["free_pct"])),
    "free /28 ≤": unless_lost(lambda s: s["free_prefixes"]),
    "used min–max": lambda s: f"{s['used_lowest']:,}–{s['used_highest']:,}",
}
COST = {
    "item": "item", "node group": "node_group", "what": "what", "USD per month": "terms", "how": "how",
    "source": "source", "date": "date",
}  # fmt: skip


def title(state: dict[str, Any]) -> str:
    return f"{state['name']} ({state['variant']})" if state["variant"] else state["name"]


def free_by_subnet(found: Any) -> dict[str, Value]:
    names = [s["name"] for s in found["scenarios"][0]["subnets"]]

    def free(name: str) -> Value:
        def value(state: dict[str, Any]) -> object:
            (subnet,) = [s for s in state["subnets"] if s["name"] == name]
            return "lost" if subnet["lost"] else subnet["free"]

        return value

    return {name: free(name) for name in names}


def pair(before: object, after: object) -> object:
    return before if before == after else f"{cell(before)} → {cell(after)}"


def both(key: str) -> Value:
    return lambda row: pair(row[f"{key}_before"], row[f"{key}_after"])


def free_pairs(found: Any) -> dict[str, Value]:
    names = list(dict.fromkeys(s["name"] for change in found["scenarios"] for s in change["subnets"]))

    def free(name: str) -> Value:
        def value(change: dict[str, Any]) -> object:
            (subnet,) = [s for s in change["subnets"] if s["name"] == name]
            lost = "zone-loss" in change["name"] and subnet["zone"] == change["variant"]
            return "lost" if lost else pair(subnet["free_before"], subnet["free_after"])

        return value

    return {name: free(name) for name in names}


def change_of(row: dict[str, Any]) -> str:
    moved = row["free_change"]
    if moved is None:
        return "new" if row["usable_after"] is not None else "removed"
    return f"{moved:+,}" if moved else "±0"


def by_zone(row: dict[str, Any]) -> str:
    return ", ".join(f"{zone[-1]} {count:,}" for zone, count in row["nodes_by_zone"].items())


def nodes_in(found: Any, name: str) -> dict[str, int]:
    """Nodes of a group by scenario."""
    return {title(s): g["nodes"] for s in found["scenarios"] for g in s["node_groups"] if g["name"] == name}


def sized_groups(found: Any) -> Iterator[dict[str, Any]]:
    for group in found["scenarios"][0]["node_groups"]:
        counts = nodes_in(found, group["name"])
        yield group | {"most": max(counts.values()), "most_in": max(counts, key=lambda s: counts[s])}


def settings(found: Any, prefix: bool) -> list[dict[str, Any]]:
    """The settings of a mode as the page has them with --all: the recommended, the current, then by addresses held."""
    rows = [s for s in found["settings"] if s["prefix_delegation"] is prefix]
    first = [s for key in ("recommended", "current") for s in rows if s[key]]
    held = list(found["settings"][0]["addresses"])[-1]
    rest = [s for s in rows if s not in first]
    return [*first, *sorted(rest, key=lambda s: (bool(s["flaws"]), s["addresses"][held], s["instant_pods_mean"]))]


def freed(found: Any) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for f in found["recommendation"]["frees"]:
        row = rows.setdefault(f["subnet"], {"subnet": f["subnet"], "all": []})
        row["all"].append(f["frees"])
        row |= {f["scenario"]: f"{f['frees']:+,}", f"free {f['scenario']}": f["free_after"]}
    return list(rows.values())


def largest(changes: dict[str, int]) -> str:
    shown = sorted(changes.items(), key=lambda f: -abs(f[1]))[:3]
    return ", ".join(f"{name} {change:+,}" for name, change in shown) or "no change"


def levers_tried(found: Any) -> list[dict[str, Any]]:
    """Each lever alone, and the answer if it is a combination."""
    best = found["fixes"]["best"]
    alone = [f for f in found["fixes"]["tried"] if len(f["levers"]) == 1]
    return [*alone, *([best] if len(best["levers"]) > 1 else [])]


def dollars(fix: dict[str, Any]) -> str:
    change = fix["usd_per_month_change"]
    return usd_change(change["steady"]) if change else ""


def percent(key: str) -> Value:
    return lambda row: f"{100 * row[key]:.3g}%"


CHECK = "check {examples}/shop-prod.yaml --scenario steady --scenario peak --no-fixes --exit-zero"
LOSS = "check {examples}/shop-prod.yaml --scenario zone-loss --no-fixes --exit-zero"
PREFIXES = "check {examples}/prefix-custom-networking.yaml --no-fixes --exit-zero --scenario steady"
COMPARE = "compare {examples}/shop-prod.yaml --set cni.env.WARM_IP_TARGET=2"
OTHER = "compare {examples}/first-plan.yaml {examples}/shop-prod.yaml --scenario steady"
SIZE = "size {examples}/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet none"
WARM = "warm {examples}/first-plan.yaml --all"
OPTIMIZE = "optimize --pod web=250m,512Mi,20 --pod api=1,2Gi,9 --types m5.large,m5.xlarge,c6a.large --effort quick"
GROWTH = "forecast {examples}/shop-prod.yaml --as-of 2026-11-30 --horizon 3y --scenario peak --paths 500"
HISTORY = "forecast --history {examples}/history.csv --backtest --paths 200"
REPORT = "report {examples}/shop-prod.yaml --scenario steady --scenario peak --as-of 2026-11-25"
REPORT_LOSS = "report {examples}/shop-prod.yaml --as-of 2026-11-25"
SUBNETS = "subnets {examples}/shop-prod.yaml --want 4"
STATUS = "data status --as-of 2026-11-30"
MAXPODS = "maxpods m5.large m6i.2xlarge m7g.metal --pod-eni"
NODE = "node m5.large c7g.2xlarge --pod-cpu 250m --pod-memory 512Mi"

MARKS = {"ok": "", "tight": " ▲", "exhausted": " ✖"}


def free_shares(found: Any) -> dict[str, Value]:
    """The free share of each subnet in a scenario with the mark of its verdict, as the report has them."""

    def share(name: str) -> Value:
        def value(state: dict[str, Any]) -> object:
            (subnet,) = [s for s in state["subnets"] if s["name"] == name]
            return "lost" if subnet["lost"] else f"{subnet['free_pct']:.1f}{MARKS[subnet['verdict']]}"

        return value

    return {s["name"]: share(s["name"]) for s in found["scenarios"][0]["subnets"]}


def worst_first(found: Any) -> list[dict[str, Any]]:
    """The scenarios by verdict, then by the smallest free share of a subnet."""
    order = ("exhausted", "tight", "ok")

    def key(state: dict[str, Any]) -> tuple[int, float]:
        left = [s["free"] / s["usable"] for s in state["subnets"] if not s["lost"]]
        return order.index(state["verdict"]), min(left)

    return sorted(found["scenarios"], key=key)


def today_and_fixed(found: Any) -> list[dict[str, Any]]:
    (table,) = [t for t in found["tables"] if t["section"] == "decision"]
    rows: list[dict[str, Any]] = table["rows"]
    return rows


_SIDES = {"new": "gained", "gone": "lost"}


def _extra(pct: float | None) -> str | None:
    """The difference in cost as it is printed."""
    return None if pct is None else "same" if pct == 0 else f"{pct:+.2f}%"


SERVICES = "services {examples}/services.yaml --peak --vcpus 8 --connections 3000"
SENT = {"iptables": "nat rules", "nftables": "operations", "ipvs": "virtual servers visited"}


def elements_of(mode: Any) -> object:
    found = mode["elements"] or {}
    return found.get("named", found.get("entries"))


def servers_of(mode: Any) -> str:
    virtual = mode["virtual_servers"]
    return "–" if virtual is None else f"{virtual:,} + {mode['real_servers']:,}"


def doubled(mode: Any) -> str:
    growth = mode["growth"]
    told = [f"× {2 ** growth[key]:.1f}" for key in ("full", "partial") if growth[key] is not None]
    return " / ".join(told) or "not measured"


def first_packet_of(mode: Any) -> str:
    packet = mode["first_packet_ms"]
    return "not published" if packet["p50"] is None else f"{packet['p50']:g} / {packet['p99']:g} ms"


def memory_of(mode: Any) -> str:
    memory = mode["kernel_memory_mib"]
    return "–" if memory is None else f"{memory['lowest']:,g}–{memory['highest']:,g} MiB"


def closest_quota(balancer: Any) -> str:
    use = max(balancer["quotas"], key=lambda u: u["used"] / u["limit"])
    return f"{use['used']:,} of {use['limit']:,} ({use['what'].split(' of ')[0].lower()})"


SIMULATE = "simulate {examples}/shop-prod.yaml --scenario peak+rollout --for 10m"
FLEET = "fleet check {examples}/fleet"


def _runs_out(subnet: Any) -> str:
    at = subnet["exhausted_at"]
    return "–" if at is None else f"after {span(at)} ✖"


def _calls(found: Any) -> list[dict[str, Any]]:
    told = found["summary"]
    hours = told["seconds"] / 3600
    return [
        {"kind": kind, "calls": n, "per_hour": round(n / hours), "throttled": told["throttled_by_kind"].get(kind)}
        for kind, n in sorted(told["ec2_calls_by_kind"].items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _first_out(row: Any) -> tuple[float, float, float]:
    return row["first"]["exhausted_at"] if row["first"] else 1e9, -row["delay_p99_s"], -row["pods_waited"]


def _of_first(key: str) -> Value:
    return lambda row: row["first"][key] if row["first"] else None


def _to_buy(row: Any) -> str:
    groups = [f"{nodes(g['nodes'], g['nodes_peak'])} × {', '.join(g['instance_types'])}" for g in row["node_groups"]]
    return "; ".join(groups) or "nothing"


def nodes(now: int, peak: int) -> str:
    return f"{now:,}" if now == peak else f"{now:,}–{peak:,}"


def _used_by(subnet: Any) -> str:
    return ", ".join(f"{c['name']} {c['used']:,}" for c in subnet["clusters"])


def _next_block(vpc: Any) -> str:
    return f"{vpc['next_block']['cidr']} ({NEXT[vpc['next_block']['source']]})"


NEXT = {"free": "free in the VPC"}
NAMED: dict[str, str | Value] = {"cluster": "name", "plan": "plan", "account": "account", "region": "region"}
FLEET_TABLES = [
    Expected(
        "fleet forecast {examples}/fleet {examples}/shop-prod.yaml --paths 100 --as-of 2026-11-30 --horizon 5y",
        ("P50 (likely)",),
        lambda r: r["runs_out_first"],
        NAMED
        | {
            "subnet": "subnet",
            "P10 (early)": "date_p10",
            "P50 (likely)": "date_p50",
            "P90 (late)": "date_p90",
            "probability": percent("probability_within_horizon"),
        },
    ),
    Expected(
        "fleet simulate {examples}/fleet {examples}/shop-prod.yaml --scenario peak --for 10m",
        ("P99 delay",),
        lambda r: sorted(r["clusters"], key=_first_out),
        NAMED
        | {
            "runs out first": _of_first("subnet"),
            "after": lambda c: span(c["first"]["exhausted_at"]) if c["first"] else None,
            "pods": lambda c: round(c["pods_started"]),
            "waited over 1s": lambda c: round(c["pods_waited"]),
            "never got an address": lambda c: round(c["pods_never_started"]),
            "unschedulable": lambda c: round(c["pods_unschedulable"]),
            "P99 delay": lambda c: span(c["delay_p99_s"]),
            "EC2 calls": lambda c: round(c["ec2_calls"]),
        },
    ),
    Expected(
        "fleet optimize {examples}/fleet --types m5.large,m5.xlarge --effort quick",
        ("saves",),
        lambda r: sorted(r["clusters"], key=lambda c: -(c["saves_usd_per_month"] or -1e9)),
        {
            "cluster": "name",
            "plan": "plan",
            "region": "region",
            "status": "status",
            "node groups": _to_buy,
            "USD per month": "usd_per_month",
            "own groups": lambda c: c["usd_per_month_current"] if c["usd_per_month"] is not None else None,
            "saves": "saves_usd_per_month",
            "own groups are": lambda c: c["current"],
        },
    ),
]
EXPLAIN_TABLES = [
    Expected(
        "explain limits {examples}/shop-prod.yaml",
        ("default",),
        lambda r: r,
        {k: k for k in ("what", "used", "default", "verdict", "where", "most", "source")},
    ),
    Expected(
        "explain autoscaling {examples}/shop-prod.yaml",
        ("fits",),
        lambda r: r["groups"],
        {k: k for k in ("name", "now", "ceiling", "fits", "provisioner")},
        words=("limited by",),
    ),
    Expected(
        "explain autoscaling {examples}/shop-prod.yaml",
        ("free there",),
        lambda r: r["subnets"],
        {
            "subnet": "name",
            "at the ceiling": "verdict",
            "free there": "free",
            "more nodes from now": "more_nodes",
            "or more pods": "more_pods",
            "usable": "usable",
        },
    ),
]
MANY_TABLES = [
    Expected(
        SIMULATE,
        ("fewest free",),
        lambda r: r["summary"]["subnets"],
        {
            "subnet": "name",
            "zone": "zone",
            "usable": "usable",
            "fewest free": "lowest_free",
            "fewest free /28": "lowest_free_prefixes",
            "runs out": _runs_out,
        },
    ),
    Expected(
        SIMULATE,
        ("per hour",),
        _calls,
        {"EC2 call": "kind", "calls": "calls", "per hour": "per_hour", "throttled": "throttled"},
    ),
    Expected(
        FLEET,
        ("tightest subnet",),
        lambda r: sorted(r["clusters"], key=lambda c: (c["tightest"]["free_pct"], c["name"])),
        {
            "cluster": "name",
            "verdict": "verdict",
            "plan": "plan",
            "account": "account",
            "region": "region",
            "tightest subnet": lambda c: c["tightest"]["subnet"],
            "in scenario": lambda c: c["tightest"]["scenario"],
            "free": lambda c: c["tightest"]["free"],
            "free %": lambda c: f"{c['tightest']['free_pct']:.1f}",
            "nodes": "nodes",
            "USD per month": "usd_per_month",
        },
    ),
    Expected(
        FLEET,
        ("used by clusters",),
        lambda r: r["shared_subnets"],
        {
            "subnet": "name",
            "verdict": "verdict",
            "VPC": "vpc",
            "zone": "zone",
            "CIDR": "cidr",
            "usable": "usable",
            "used by clusters": _used_by,
            "by others": "other",
            "free now": "free",
            "free at peak": "free_peak",
            "free at worst": lambda s: s["worst"]["free"],
            "in scenario": lambda s: s["worst"]["scenario"],
        },
    ),
    Expected(
        FLEET,
        ("next /20",),
        lambda r: r["vpcs"],
        {
            "VPC": "id",
            "account": "account",
            "region": "region",
            "blocks": lambda v: ", ".join(v["cidrs"]),
            "clusters": "clusters",
            "subnets": "subnets",
            "usable": "usable",
            "free now": "free",
            "free at peak": "free_peak",
            "next /20": _next_block,
        },
    ),
]

SERVICE_TABLES = [
    Expected(
        SERVICES,
        ("sent per change",),
        lambda r: r["modes"],
        {
            "mode": "mode",
            "rules": lambda m: m["rules"]["total"],
            "chains": lambda m: m["chains"]["total"],
            "elements": elements_of,
            "virtual + real servers": servers_of,
            "sent per change": lambda m: f"{m['partial_sync_rules']:,} {SENT[m['mode']]}",
            "twice the Services: full / partial sync": doubled,
            "first packet p50 / p99": first_packet_of,
            "kernel memory": memory_of,
        },
    ),
    Expected(
        SERVICES,
        ("counted",),
        lambda r: r["load_balancers"],
        {
            "load balancer": "name",
            "kind": "kind",
            "subnets": "zones",
            "addresses ≥": "lowest",
            "counted": "addresses",
            "targets at peak": "targets",
            "closest quota": closest_quota,
        },
    ),
    Expected(
        SERVICES,
        ("load balancers",),
        lambda r: r["exposure"],
        {
            "LoadBalancer Services as": "name",
            "load balancers": "balancers",
            "addresses": "addresses",
            "USD per month": lambda c: f"${c['usd_per_month']:,.2f}",
            "more than one for": "limited_by",
        },
    ),
]

TABLES = [
    Expected(CHECK, ("nodes+ENIs",), lambda r: r["scenarios"][0]["subnets"], SUBNET, outputs=("table",)),
    Expected(LOSS, ("nodes+ENIs",), lambda r: r["scenarios"][0]["subnets"], SUBNET, outputs=("table",)),
    Expected(PREFIXES, ("nodes+ENIs",), lambda r: r["scenarios"][0]["subnets"], SUBNET, outputs=("table",)),
    Expected(
        CHECK,
        ("scenario", "private-b"),
        lambda r: r["scenarios"],
        {"scenario": title, "verdict": "verdict"},
        outputs=("table",),
        dynamic=free_by_subnet,
    ),
    Expected(
        CHECK,
        ("room for: nodes",),
        lambda r: r["runway"],
        {
            "subnet": "name",
            "room for: nodes": "more_nodes",
            "or pods": "more_pods",
            "of node group": "node_group",
            "addresses per node": "node_addresses",
        },
        outputs=("table",),
    ),
    Expected(
        CHECK,
        ("finding",),
        lambda r: r["findings"],
        {"code": "code", "severity": "severity", "scenario": "scenario", "finding": "message"},
        outputs=("table",),
    ),
    Expected(f"{CHECK} --explain", ("item",), lambda r: r["cost"]["scenarios"][0]["lines"], COST),
    Expected(f"{CHECK} --explain", ("item",), lambda r: r["cost"]["scenarios"][1]["lines"], COST, number=1),
    Expected(
        "check {examples}/first-plan.yaml --exit-zero",
        ("lever",),
        levers_tried,
        {
            "lever": lambda f: " + ".join(f["levers"]),
            "disrupts": "risk",
            "verdict": lambda f: f["verdict"] or "does not apply",
            "subnets not ok": "not_ok",
            "least free by subnet": lambda f: f["fault"] or largest(f["frees"]),
            "$ per month": dollars,
            "why, or why not": "why",
        },
        outputs=("table",),
    ),
    Expected(
        COMPARE,
        ("scenario", "private-b"),
        lambda r: r["scenarios"],
        {"scenario": title, "verdict": both("verdict")},
        dynamic=free_pairs,
    ),
    *(
        Expected(
            command,
            ("used after",),
            lambda r: r["scenarios"][0]["subnets"],
            {
                "subnet": "name",
                "zone": "zone",
                "usable": lambda s: s["usable_after"] if s["usable_before"] is None else both("usable")(s),
                "used before": "used_before",
                "used after": "used_after",
                "free before": "free_before",
                "free after": "free_after",
                "change": change_of,
                "verdict": both("verdict"),
            },
        )
        for command in (COMPARE, OTHER)
    ),
    Expected(
        COMPARE,
        ("room for: nodes",),
        lambda r: r["runway"],
        {"subnet": "name", "room for: nodes": both("more_nodes"), "or pods": both("more_pods")},
    ),
    Expected(
        OTHER,
        ("finding",),
        lambda r: [f | {"change": w} for w in ("new", "gone") for f in r[f"findings_{_SIDES[w]}"]],
        {"code": "code", "severity": "severity", "scenario": "scenario", "finding": "message"},
        words=("",),
    ),
    Expected(
        MAXPODS,
        ("recommended",),
        lambda r: r,
        {
            "type": "instance_type",
            "mode": "mode",
            "ENIs": "max_enis",
            "usable": "usable_enis",
            "IPs/ENI": "ipv4_per_eni",
            "pod addresses": "ip_capacity",
            "formula": "max_pods_formula",
            "recommended": "max_pods_recommended",
            "branch ENIs": "branch_enis",
            "max pods": "max_pods",
        },
        words=("limited by",),
    ),
    Expected(
        NODE,
        ("pods fit",),
        lambda r: r,
        {
            "type": "instance_type",
            "max pods": "max_pods",
            "CPU m": "allocatable_cpu_millicores",
            "memory Mi": "allocatable_memory_mib",
            "by CPU": "fits.cpu",
            "by memory": "fits.memory",
            "by IPs": "fits.ips",
            "by max pods": "fits.max_pods",
            "pods fit": "pods",
            "CPU left %": "stranded_cpu_pct",
            "memory left %": "stranded_memory_pct",
            "$/h": "usd_per_hour",
            "$/pod/month": "usd_per_pod_month",
        },
        words=("limited by",),
    ),
    Expected(
        "node m5.large --pods 12 --env WARM_IP_TARGET=2 --env MINIMUM_IP_TARGET=10",
        ("used in the subnet",),
        lambda r: [{"instance_type": x["instance_type"], **x["pool"]} for x in r],
        {
            "type": "instance_type",
            "ENIs": "enis",
            "secondary IPs": "secondary_ips",
            "prefixes": "prefixes",
            "pod addresses": "pod_addresses",
            "warm": "warm",
            "used in the subnet": "subnet_addresses",
            "lowest": "lowest",
            "highest": "highest",
            "pods without an address": "pods_without_address",
        },
    ),
    Expected(
        GROWTH,
        ("used now",),
        lambda r: r,
        {
            "subnet": "name",
            "usable": "usable",
            "used now": "used_now",
            "used 2029-11-30": lambda s: f"{s['used_at_horizon']['p10']:,}–{s['used_at_horizon']['p90']:,}",
            "P10 (early)": "date_p10",
            "P50 (likely)": "date_p50",
            "P90 (late)": "date_p90",
            "probability": percent("probability_within_horizon"),
            "summary": "note",
        },
    ),
    Expected(
        HISTORY,
        ("within P10–P90",),
        lambda r: [{"name": s["name"], **s["backtest"]} for s in r],
        {
            "subnet": "name",
            "origins": "origins",
            "days checked": "points",
            "within P10–P90": "coverage",
            "error (addresses)": "median_abs_error",
            "dates checked": "dates",
            "dates within": "date_coverage",
            "error (days)": "date_error_days",
        },
    ),
    Expected(
        REPORT_LOSS,
        ("private-a", "private-b", "private-c"),
        worst_first,
        {"scenario": title, "verdict": "verdict"},
        dynamic=free_shares,
    ),
    Expected(
        REPORT,
        ("lowest free share",),
        today_and_fixed,
        {
            "plan": "plan",
            "verdict": "verdict",
            "lowest free share": "least_free",
            "in subnet": "subnet",
            "in scenario": "scenario",
            "nodes now → peak": "nodes",
            "$ per month now → peak": "dollars",
        },
    ),
    Expected(
        SUBNETS,
        ("fragmented",),
        lambda r: r,
        {
            "subnet": "name",
            "zone": "zone",
            "CIDR": "cidr",
            "usable": "usable",
            "used": "used",
            "free": "free",
            "free %": "free_pct",
            "free /28": lambda s: f"{s['free_prefixes_expected']:.1f} expected",
            "likely (95%)": "free_prefixes_likely",
            "min–max": lambda s: f"{s['free_prefixes_certain']}–{s['free_prefixes_most']}",
            "owners": lambda s: ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in s["owners"].items()),
        },
        words=("fragmented", "room for 4"),
    ),
    Expected(
        SIZE,
        ("most nodes",),
        sized_groups,
        {
            "node group": "name",
            "type": "instance_type",
            "nodes": "nodes",
            "by zone": by_zone,
            "most nodes": "most",
            "in scenario": "most_in",
            "pods on the busiest node": "pods_per_node",
            "max pods": "max_pods",
        },
        words=("limited by",),
    ),
    Expected(
        SIZE,
        ("fewest free",),
        lambda r: r["subnets"],
        {
            "subnet": "name",
            "zone": "zone",
            "serves": "serves",
            "needs": "needed",
            "has": "existing",
            "action": "action",
            "block": "cidr",
            "room to grow": "growth_ready",
            "usable": "usable",
            "fewest free": "free_in_tightest",
            "in scenario": "tightest_scenario",
        },
    ),
    *(
        Expected(
            WARM,
            ("calls per new node",),
            partial(settings, prefix=prefix),
            {
                "setting": "setting",
                **{f"{what} {p}": f"{what}.{p}" for what in ("addresses", "idle") for p in ("steady", "peak")},
                "immediate starts (worst / mean)": lambda s: (
                    f"{s['instant_pods_least']} / {s['instant_pods_mean']:.1f}"
                ),
                "calls per start": "calls_per_start",
                "calls per stop": "calls_per_stop",
                "calls per new node": "calls_per_launch",
            },
            words=("",),
            number=int(prefix),
        )
        for prefix in (False, True)
    ),
    Expected(
        WARM,
        ("free in steady",),
        freed,
        {
            "subnet": "subnet",
            "steady": "steady",
            "free in steady": "free steady",
            "peak": "peak",
            "free in peak": "free peak",
            "min": lambda f: f"{min(f['all']):+,}",
            "max": lambda f: f"{max(f['all']):+,}",
        },
    ),
    Expected(
        OPTIMIZE,
        ("pods per node",),
        lambda r: r["node_groups"],
        {
            "node group": "name",
            "type": lambda g: g["instance_types"][0],
            "nodes": "nodes",
            "by zone": lambda g: "+".join(str(n) for n in g["nodes_by_zone"].values()),
            "at peak": "nodes_peak",
            "max": "nodes_max",
            "pods per node": lambda g: ", ".join(f"{n:,} {name}" for name, n in g["pods_per_node"].items()),
            "unused CPU %": "stranded_cpu_pct",
            "unused memory %": "stranded_memory_pct",
            "unused addresses": "stranded_addresses",
            "addresses": "subnet_addresses",
            "USD per month": lambda g: usd(round(g["usd_per_hour"] * 730, 2)),
        },
        words=("limited by",),
    ),
    Expected(
        OPTIMIZE,
        ("choice",),
        lambda r: r["alternatives"],
        {
            "choice": "name",
            "USD per month": lambda a: None if a["usd_per_month"] is None else usd(a["usd_per_month"]),
            "against this answer": lambda a: _extra(a["extra_pct"]),
            "nodes": "nodes",
            "addresses": "subnet_addresses",
            "node types": "note",
        },
    ),
    Expected(
        OPTIMIZE,
        ("fewest",),
        lambda r: r["frontier"],
        {
            "USD per month": lambda p: usd(p["usd_per_month"]),
            "against this answer": lambda p: "this answer" if p["bought"] else _extra(p["extra_pct"]),
            "addresses": "subnet_addresses",
            "nodes": "nodes",
            "fewest": lambda p: ", ".join("dollars" if what == "cost" else what for what in p["least"]),
            "node types": "mix",
        },
    ),
    Expected(
        OPTIMIZE,
        ("least free",),
        lambda r: [{"name": name, **row} for name, row in r["ips_by_subnet"].items()],
        {
            "subnet": "name",
            "zone": "zone",
            "block": "cidr",
            "usable": "usable",
            "used now": "used_steady",
            "at peak": "used_peak",
            "least free": "least_free",
            "in": "least_free_in",
        },
    ),
    Expected(STATUS, ("file", "rows"), lambda r: r["files"], {"file": "name", "rows": "rows"}, ("checksum ok",)),
    Expected(
        STATUS,
        ("source", "types"),
        lambda r: r["sources"],
        {"key": "name", "source": "title", "date": "date", "age (days)": "age_days", "types": "types"},
    ),
    Expected(
        STATUS,
        ("currency",),
        lambda r: r["prices"],
        {"region": "region", "currency": "currency", "prices": "prices", "date": "date", "age (days)": "age_days"},
    ),
    Expected(
        "data verify",
        ("failed",),
        lambda r: r["checks"],
        {"check": "check", "checked": "checked", "failed": "failed", "what is checked": "what"},
    ),
    Expected(
        "doctor --from {examples}/aws-answers --exit-zero",
        ("evidence",),
        lambda r: sorted(r["checks"], key=lambda c: ("fail", "warn", "unknown", "ok").index(c["status"])),
        {
            "check": "id",
            "evidence": lambda c: f"{c['where']}: {c['evidence']}" if c["where"] else c["evidence"],
        },
        words=("status",),
    ),
    Expected(
        "import aws --from {examples}/aws-answers",
        ("count",),
        lambda r: [
            *(r["plan"]["vpc"]["subnets"], r["plan"]["nodeGroups"], [], [], r["plan"]["tenants"]),
            *(r["plan"]["cni"]["env"], r["assumed"]),
        ],
        {"count": len},
        words=("what", "names"),
    ),
    Expected(
        "import kubectl {examples}/import/objects.yaml --diff {examples}/shop-prod.yaml",
        ("reality",),
        lambda r: r["differences"],
        {"path": "path", "change": "change", "plan": "plan", "reality": "reality"},
    ),
    *SERVICE_TABLES,
    *MANY_TABLES,
    *FLEET_TABLES,
    *EXPLAIN_TABLES,
]


CASES = [pytest.param(told, output, id=f"{told}-{output}") for told in TABLES for output in told.outputs]


@pytest.mark.parametrize(("told", "output"), CASES)
def test_tables_are_the_answer(told: Expected, output: str) -> None:
    table = told.table(output)
    assert table.rows
    assert differences(table, results(told.command), told) == []


@pytest.mark.parametrize(("told", "output"), CASES)
def test_no_column_is_left_out(told: Expected, output: str) -> None:
    known = {*told.columns, *told.dynamic(results(told.command)), *told.words}
    assert [h for h in told.table(output).headings if h not in known] == []


@pytest.mark.parametrize(("told", "output"), CASES)
def test_a_changed_figure_is_found(told: Expected, output: str) -> None:
    """Each cell with a figure, one after the other, with its last digit changed."""
    table = told.table(output)
    for row in table.rows[:2]:
        for heading in (h for h in row if h not in told.words):
            digit = re.search(r"\d(?=\D*$)", row[heading])
            if digit is None:
                continue
            at = digit.start()
            other = f"{row[heading][:at]}{(int(digit[0]) + 1) % 10}{row[heading][at + 1 :]}"
            changed = Printed(table.headings, [{**r, heading: other} if r is row else r for r in table.rows])
            assert differences(changed, results(told.command), told), (heading, row[heading])


def test_every_verb_with_figures_is_here() -> None:
    from tests.pages.test_verbs_fit import FILES, every_command

    elsewhere = {"record"}  # below
    none = FILES | {"data diff"}  # files and plans; what differs from the package, which is nothing
    shown = {name for name in every_command() for told in TABLES if f"{told.command} ".startswith(f"{name} ")}
    assert shown == set(every_command()) - elsewhere - none


# --- other forms ------------------------------------------------------------------------


def test_check_as_a_comment() -> None:
    (table, *_) = [t for t in tables_of(CHECK, "md") if "steady" in t.headings]
    steady, peak = ({s["name"]: s for s in state["subnets"]} for state in results(CHECK)["scenarios"])
    assert len(table.rows) == len(steady)
    for row in table.rows:
        name = row["subnet"].split()[0]
        assert row["usable"] == cell(steady[name]["usable"])
        assert row["steady"] == cell(sum(v for v in steady[name]["used"].values() if v))
        assert row["peak"] == cell(sum(v for v in peak[name]["used"].values() if v))


_LISTS = ("reservations", "wanted", "drain", "advice", "block_map", "owners")


@pytest.mark.parametrize(
    ("command", "rows_of"),
    [
        (CHECK, lambda r: [{"scenario": s["name"], **x} for s in r["scenarios"] for x in s["subnets"]]),
        (COMPARE, lambda r: [{"scenario": s["name"], **x} for s in r["scenarios"] for x in s["subnets"]]),
        (MAXPODS, lambda r: r),
        (NODE, lambda r: r),
        (GROWTH, lambda r: r),
        (SIZE, lambda r: r["subnets"]),
        (SUBNETS, lambda r: [{k: v for k, v in s.items() if k not in _LISTS} for s in r]),
        (WARM, lambda r: [{k: v for k, v in s.items() if k != "flaws"} for s in r["settings"]]),
        (OPTIMIZE, lambda r: r["node_groups"]),
        ("data verify", lambda r: [{k: v for k, v in c.items() if k != "failures"} for c in r["checks"]]),
        ("doctor --from {examples}/aws-answers --exit-zero", lambda r: r["checks"]),
    ],
)
def test_csv_rows_are_the_answer(command: str, rows_of: Callable[[Any], Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(command, "csv"))))
    answered = [flatten(r) for r in rows_of(results(command))]
    assert csv_differences(rows, answered) == []
    for number, figures in enumerate(copy.deepcopy(answered)):
        numbers = [k for k, v in figures.items() if isinstance(v, (int, float)) and not isinstance(v, bool)]
        for key in numbers[:1]:
            figures[key] += 1
        changed = [figures if i == number else r for i, r in enumerate(answered)]
        assert csv_differences(rows, changed) != [] or not numbers


def csv_differences(rows: list[Row], answered: list[dict[str, Any]]) -> list[str]:
    if len(rows) != len(answered):
        return [f"{len(rows)} rows written, {len(answered)} in JSON"]
    found = []
    for row, figures in zip(rows, answered, strict=True):
        for key, value in figures.items():
            written = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            if row[key].removeprefix("'") != written:
                found.append(f"{key}: written {row[key]!r}, in JSON {written!r}")
    return found


@pytest.mark.parametrize("command", [CHECK, COMPARE, OTHER, OPTIMIZE])
@pytest.mark.parametrize("output", ["table", "md"])
def test_every_amount_of_money_is_in_the_answer(command: str, output: str) -> None:
    """Sentences too: an amount is one of the JSON answer, or the month of an hourly one."""
    known = {usd(figure) for figure in _money(results(command))}
    text = re.sub(r"\\(?=\$)", "", printed(command, output))
    shown = re.findall(r"\$\d[\d,]*\.\d\d(?!\d)", re.sub(r"\d+ × \$[\d.]+ × ", "", text))
    assert shown
    assert [amount for amount in shown if amount not in known] == []


def _money(found: Any, key: str = "") -> Iterator[float]:
    if isinstance(found, dict):
        for name, value in found.items():
            yield from _money(value, name if "usd" in name else key if "usd" in key else "")
    elif isinstance(found, list):
        for value in found:
            yield from _money(value, key)
    elif isinstance(found, (int, float)) and "usd" in key:
        yield from (abs(found), abs(round(found * 730, 2)))


def test_explain_shows_every_term() -> None:
    command = "explain private-b {examples}/shop-prod.yaml"
    lines = [line.strip() for line in printed(command, "table").split("\n") if " = " in line]
    terms = list(_terms(results(command)))
    assert len(terms) > 20
    for line, term in zip(lines, terms, strict=True):
        value = str(term["value"]) if isinstance(term["value"], list) else cell(term["value"])
        assert line.startswith(f"{term['label']} = {value}")


def _terms(term: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield term
    for part in term["parts"]:
        yield from _terms(part)


def test_record_lists_what_it_recorded(tmp_path: Path) -> None:
    into = ("--into", str(tmp_path / "h.db"))
    asked = ("record", str(EXAMPLES / "shop-prod.yaml"), *into, "--time", "2026-11-30T00:00:00Z", "-q")
    for output in ("json", "md"):
        done = run(*asked, "-o", output)
        assert done.code == 0, done.stderr
        if output == "json":
            found = json.loads(done.stdout)["results"]["subnets"]
    cells = [line.split("|")[1:-1] for line in done.stdout.split("\n") if line.startswith("| ")][1:]
    assert [[c.strip() for c in row] for row in cells] == [
        [s["name"], cell(s["usable"]), cell(s["free"]), cell(s["free_prefixes"])] for s in found
    ]


# --- the report -------------------------------------------------------------------------


def test_the_html_report_shows_the_tables_of_its_json() -> None:
    shown = Cells(printed(f"{REPORT} --out-file -", "html")).tables
    tables = results(f"{REPORT} --out-file -")["tables"]
    assert len(tables) > 8
    checked = 0
    for table in tables:
        rows = [r for r in shown[table["title"]] if r]
        assert len(rows) == len(table["rows"])
        for cells, row in zip(rows, table["rows"], strict=True):
            for (value, text), key in zip(cells, table["columns"], strict=True):
                if isinstance(row[key], (int, float)) and not isinstance(row[key], bool):
                    checked += 1
                    assert value is not None
                    assert float(value) == row[key]
                    bare = text.rstrip(" ▲✖").replace(",", "").replace("−", "-")
                    assert abs(float(bare) - row[key]) <= 0.05
                    assert float(value) != row[key] + 1
    assert checked > 60


def test_the_tables_of_the_report_are_the_answers_of_the_check() -> None:
    found = results(f"{REPORT} --out-file -")
    by_title = {t["title"]: t["rows"] for t in found["tables"]}
    for state in found["scenarios"]:
        (rows,) = [rows for name, rows in by_title.items() if name.startswith(f"{state['name']}: ")]
        subnets = sorted(state["subnets"], key=lambda s: s["free"] / s["usable"])
        for row, subnet in zip(rows, subnets, strict=True):
            groups = ("nodes+ENIs", "pods", "warm", "others")
            assert [row[k] for k in ("enis", "pods", "warm", "others")] == [_value(subnet, SUBNET[g]) for g in groups]
            assert [row[k] for k in ("usable", "free", "verdict")] == [subnet[k] for k in ("usable", "free", "verdict")]
            assert abs(row["free_pct"] - subnet["free_pct"]) <= 0.05
        (overall,) = [row for row in by_title["All scenarios"] if row["scenario"] == state["name"]]
        assert overall["nodes"] == sum(g["nodes"] for g in state["node_groups"])
        assert overall["free"] == min(state["subnets"], key=lambda s: s["free_pct"])["free"]
        assert (overall["unplaced"], overall["stuck"]) == (state["unplaced_pods"], state["pods_without_address"])
    for row, group in zip(by_title["Node groups in steady"], found["scenarios"][0]["node_groups"], strict=True):
        assert [row[k] for k in ("group", "nodes", "pods_per_node", "max_pods")] == [
            group[k] for k in ("name", "nodes", "pods_per_node", "max_pods")
        ]
    for cost in found["cost"]["scenarios"]:
        assert [row["terms"] for row in by_title[f"Cost, {cost['name']}"]] == [line["terms"] for line in cost["lines"]]
    runway = next(rows for name, rows in by_title.items() if name.startswith("Runway"))
    assert sorted((r["subnet"], r["more_nodes"], r["more_pods"]) for r in runway) == sorted(
        (r["name"], r["more_nodes"], r["more_pods"]) for r in found["runway"]
    )


def test_the_report_and_check_give_the_same_results() -> None:
    report = results("report {examples}/shop-prod.yaml --as-of 2026-11-25")
    check = results("check {examples}/shop-prod.yaml --exit-zero")
    assert {key: report[key] for key in check} == check
    assert check["findings"][0]["fix"]["patch"]
