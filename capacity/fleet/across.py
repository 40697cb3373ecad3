"""Answers that no single plan has: shared subnets, VPCs, quotas of accounts, peered VPCs, who runs out first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capacity.fleet.next_blocks import next_block, overlapping
from capacity.fleet.plan_facts import PlanFacts
from capacity.fleet.quota_rows import quota_rows
from capacity.fleet.run import FleetRun
from capacity.fleet.shared import Disagreement, Place
from capacity.plan.locate import line_of, steps_of_message
from capacity.vpc.ledger import VERDICTS, worst

FIRST = 10  # clusters named as the first to run out

Found = dict[str, Any]  # a finding: code, severity, where, message, and the file and line it is about


@dataclass(frozen=True)
class Across:
    """What a fleet's plans say together, as plain values.

    Attributes
    ----------
    verdict : str
        The worst of all plans and of the findings across them.
    shared_subnets, vpcs, quotas : tuple of dict
    findings : tuple of dict
        Findings about several plans.
    first : tuple of dict
        The clusters with the smallest free share, the tightest first.
    """

    verdict: str
    shared_subnets: tuple[dict[str, Any], ...]
    vpcs: tuple[dict[str, Any], ...]
    quotas: tuple[dict[str, Any], ...]
    findings: tuple[Found, ...]
    first: tuple[dict[str, Any], ...]


def across(run: FleetRun) -> Across:
    """Everything that the plans of a run say together."""
    rows = {row["plan"]: row for row in run.answered}
    vpcs = _vpcs(run, rows)
    quotas = quota_rows(run.answered, run.sources.fleet)
    found = [*_disagreements(run), *_peered(run), *_quotas(quotas)]
    found.sort(key=lambda f: ("error", "warning", "info").index(f["severity"]))
    levels = {"error": "exhausted", "warning": "tight"}
    verdicts = [row["verdict"] for row in run.answered] + [levels[f["severity"]] for f in found]
    return Across(
        worst(verdicts),
        tuple(_shared_subnets(run, rows)),
        tuple(vpcs),
        tuple(quotas),
        tuple(found),
        tuple(_first(run.answered)),
    )


def _first(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    tight = [row for row in rows if row["tightest"]]
    tight.sort(key=lambda row: (-VERDICTS.index(row["verdict"]), row["tightest"]["free_pct"]))
    return [{"plan": r["plan"], "name": r["name"], "verdict": r["verdict"], **r["tightest"]} for r in tight[:FIRST]]


# --- shared subnets and VPCs ----------------------------------------------------------------------


def _shared_subnets(run: FleetRun, rows: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each shared subnet and the addresses of every cluster in it; others' addresses are the most that a plan has."""
    for pool in run.sharing.pools:
        placed = [(run.known[i], run.known[i].subnets[n]) for i, n in pool]
        members = [(facts, subnet, rows[facts.file]) for facts, subnet in placed if facts.file in rows]
        if not members:
            continue
        first = members[0][1]
        figures = [row["usage"]["subnets"][subnet.name] for _, subnet, row in members]
        others = max(figure[2] for figure in figures)
        usable = figures[0][3]
        used, used_peak = (others + sum(figure[i] for figure in figures) for i in (0, 1))
        ends = [
            (row["usage"]["worst"][subnet.name], facts)
            for facts, subnet, row in members
            if subnet.name in row["usage"]["worst"]
        ]
        ends.sort(key=lambda end: (-VERDICTS.index(end[0][0]), end[0][2]))
        yield {
            "id": first.id,
            "name": first.name,
            "cidr": str(first.cidr),
            "zone": first.zone,
            "vpc": next((facts.vpc for facts, _, _ in members if facts.vpc), None),
            "clusters": [
                {"plan": facts.file, "name": row["name"], "used": figure[0], "used_peak": figure[1]}
                for (facts, _, row), figure in zip(members, figures, strict=True)
            ],
            "usable": usable,
            "other": others,
            "used": used,
            "used_peak": used_peak,
            "free": usable - used,
            "free_peak": usable - used_peak,
            "verdict": worst([end[0][0] for end in ends]),
            "worst": _worst_of(ends),
        }


def _worst_of(ends: Sequence[tuple[Sequence[Any], PlanFacts]]) -> dict[str, Any] | None:
    if not ends:
        return None
    (_, scenario, free), facts = ends[0]
    return {"plan": facts.file, "scenario": scenario, "free": free}


def _vpcs(run: FleetRun, rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each VPC with an ID: its clusters, its subnets once each, and where the next block can come from."""
    groups: dict[str, list[PlanFacts]] = {}
    for facts in run.known:
        if facts.vpc and facts.file in rows:
            groups.setdefault(facts.vpc, []).append(facts)
    cidrs = {vpc: tuple(dict.fromkeys(c for f in plans for c in f.cidrs)) for vpc, plans in groups.items()}
    peers = {vpc: [p for group in run.sources.fleet.peerings if vpc in group for p in group] for vpc in groups}
    everywhere = [c for each in cidrs.values() for c in each]
    found = []
    for vpc, plans in groups.items():
        subnets = {s.cidr: 0 for f in plans for s in f.subnets}
        used = used_peak = usable = 0
        others: dict[Any, list[int]] = {}
        for facts in plans:
            figures = rows[facts.file]["usage"]["subnets"]
            for s in facts.subnets:
                own, peak, other, size = figures[s.name]
                used, used_peak = used + own, used_peak + peak
                others.setdefault(s.cidr, []).append(other)
                subnets[s.cidr] = size
        usable, rest = sum(subnets.values()), sum(max(each) for each in others.values())
        beside = [c for peer in peers[vpc] if peer != vpc for c in cidrs.get(peer, ())]
        found.append(
            {
                "id": vpc,
                "account": next((f.account for f in plans if f.account), None),
                "region": next((f.region for f in plans if f.region), None),
                "cidrs": [str(c) for c in cidrs[vpc]],
                "clusters": len(plans),
                "subnets": len(subnets),
                "usable": usable,
                "used": used + rest,
                "used_peak": used_peak + rest,
                "free": usable - used - rest,
                "free_peak": usable - used_peak - rest,
                "next_block": next_block(cidrs[vpc], subnets, beside, everywhere, run.sources.fleet.space),
            }
        )
    return found


# --- findings ---------------------------------------------------------------------------------


def _finding(code: str, severity: str, where: str, message: str, file: str | None, line: int | None) -> Found:
    return {"code": code, "severity": severity, "where": where, "message": message, "plan": file, "line": line}


def _disagreements(run: FleetRun) -> Iterator[Found]:
    plans = run.known
    for one in run.sharing.disagreements:
        there, here = _named_place(plans, one.first), _named_place(plans, one.second)
        message = f"{here[0]} and {there[0]} disagree about a subnet: {_what(plans, one)}"
        yield _finding("IP101", one.severity, f"subnets.{here[1]}", message, plans[one.second[0]].file, here[2])


def _what(plans: Sequence[PlanFacts], one: Disagreement) -> str:
    """The difference, with the name of the subnet in each plan, the differing plan last."""
    names = [plans[i].subnets[n].name for i, n in (one.first, one.second)]
    named = names[0] if names[0] == names[1] else f"{names[0]}, here {names[1]}"
    return f"{named}: {one.what}"


def _named_place(plans: Sequence[PlanFacts], place: Place) -> tuple[str, str, int | None]:
    """``plan.yaml:14``, the name of the subnet, and the line."""
    facts, subnet = plans[place[0]], plans[place[0]].subnets[place[1]]
    line = line_in(facts.file, subnet.where)
    return f"{facts.file}:{line}" if line else facts.file, subnet.name, line


def line_in(file: str, where: str) -> int | None:
    """The line of a place such as ``plan.yaml:14 vpc.subnets[2]``; a JSON file is read again for it."""
    head = where.removeprefix(f"{file}:").partition(" ")[0]
    if head.isdecimal():
        return int(head)
    return line_of(file, steps_of_message(where.removeprefix(f"{file} ")))


def _peered(run: FleetRun) -> Iterator[Found]:
    """Overlapping blocks of peered VPCs."""
    first: dict[str, PlanFacts] = {}
    blocks: dict[str, dict[Any, PlanFacts]] = {}
    for facts in run.known:
        if facts.vpc:
            first.setdefault(facts.vpc, facts)
            blocks.setdefault(facts.vpc, {}).update({c: facts for c in facts.cidrs if c not in blocks[facts.vpc]})
    seen: set[frozenset[str]] = set()
    for group in run.sources.fleet.peerings:
        for i, one in enumerate(group):
            for other in group[i + 1 :]:
                pair = frozenset((one, other))
                if pair in seen or one not in blocks or other not in blocks:
                    continue
                seen.add(pair)
                for mine, theirs in overlapping(blocks[one], blocks[other]):
                    message = (
                        f"{one} and {other} are peered, but {mine} ({blocks[one][mine].file}) overlaps {theirs} "
                        f"({blocks[other][theirs].file})"
                    )
                    yield _finding("IP102", "error", "vpc.cidrs", message, blocks[one][mine].file, None)


def _quotas(rows: Iterable[Mapping[str, Any]]) -> Iterator[Found]:
    for row in rows:
        if row["clusters"] > 1 and row["verdict"] in ("raise", "over"):
            place = row["vpc"] or " ".join(x for x in (row["account"], row["region"]) if x) or "the fleet"
            limit = f"{row['limit']:,} {'by default' if row['limit_source'] == 'default' else 'in the fleet file'}"
            message = f"{place}: {row['what']}: {row['used']:,} {row['unit']} in {row['clusters']} clusters, {limit}"
            severity = "error" if row["verdict"] == "over" else "warning"
            yield _finding("IP103", severity, f"quotas.{row['name']}", message, None, None)
