"""A simulation as an answer: the JSON contract, the page, and the section of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capacity.pages.answer import Answer
from capacity.pages.page import Chart, Items, Page, Table, TableColumn, Text
from capacity.sim.facade import ASSUMED, Distribution, Sample, SimulationResult, sentence, span

ROWS = 13  # of the timeline in the page
DECISIONS = 40  # of one node in the page


def answer(found: Distribution, inputs: Mapping[str, Any], *, explain: bool) -> Answer:
    """The answer of `simulate` in every format."""
    timeline = [sample_json(sample) for sample in found.first.timeline]
    decisions = {"decisions": [{"t": t, "text": text} for t, text in found.first.decisions]} if explain else {}
    return Answer(
        command="simulate",
        inputs=inputs,
        results={"timeline": timeline, "summary": summary_json(found), **decisions},
        page=Page(list(_blocks(found, explain))),
        rows=timeline,
        warnings=found.first.notes,
    )


def sample_json(sample: Sample) -> dict[str, Any]:
    """One of ``timeline``."""
    return {
        "t": sample.t,
        "event": sample.event,
        "nodes": sample.nodes,
        "enis": sample.enis,
        "assigned": sample.assigned,
        "cooling": sample.cooling,
        "available": sample.available,
        "total": sample.total,
        "waiting": sample.waiting,
        "unschedulable": sample.pending,
        "subnet_free": sum(sample.subnet_free.values()),
        "ec2_calls": sample.ec2_calls,
        "free": dict(sample.subnet_free),
        "free_prefixes": dict(sample.free_prefixes),
    }


def summary_json(found: Distribution) -> dict[str, Any]:
    """``summary``: the first seed's figures, and intervals over all of them."""
    result = found.first
    return {
        "sentence": sentence(found),
        "assumed": ASSUMED,
        "scenario": result.title,
        "rule": result.rule,
        "seconds": result.seconds,
        "complete": result.complete,
        "seeds": [r.seed for r in found.results],
        "pods_started": result.started,
        "pods_waited": result.waited,
        "pods_never_started": result.never + result.still_waiting,
        "pods_unschedulable": result.pending,
        "delay_s": _delays(result),
        "ec2_calls": result.total_calls,
        "ec2_calls_per_hour": round(result.calls_per_hour, 1),
        "ec2_calls_by_kind": dict(result.calls),
        "throttled_by_kind": dict(result.throttled),
        "throttled_s": result.throttled_s,
        "launch_failures": result.launch_failures,
        "subnets": [
            {
                "name": s.name,
                "zone": s.zone or None,
                "usable": s.usable,
                "lowest_free": s.lowest_free,
                "lowest_free_prefixes": s.lowest_prefixes,
                "exhausted_at": s.exhausted_at,
                "exhausted_share": found.exhausted[s.name],
            }
            for s in result.subnets
        ],
        "intervals": {
            name: {"mean": round(i.mean, 3), "low": i.low, "high": i.high, "min": i.least, "max": i.most}
            for name, i in found.measures.items()
        }
        if len(found.results) > 1
        else None,
    }


def _delays(result: SimulationResult) -> dict[str, float | None]:
    return {**{f"p{p}": result.delay(p) for p in (50, 90, 99)}, "max": result.longest}


# --- the page ---------------------------------------------------------------------------

Block = Table | Text | Items | Chart


def _blocks(found: Distribution, explain: bool) -> Iterator[Block]:
    result = found.first
    yield Text(said(found))
    if result.rule:
        yield Text(f"{result.title}, {span(result.seconds)}: {result.rule}.")
    yield delay_table(found)
    yield subnet_table(found)
    yield calls_table(result)
    yield timeline_table(result)
    if explain:
        yield from _decisions(result)
    yield Text(ASSUMED)
    yield from charts(result)


def said(found: Distribution) -> str:
    """What happened, as the sentence of a page; the name of a subnet keeps its letters."""
    text = sentence(found)
    if text.startswith(tuple(subnet.name for subnet in found.first.subnets)):
        return text
    return text[:1].upper() + text[1:]


def delay_table(found: Distribution) -> Table:
    """How long pods wait on their node for an address."""
    names = {
        "delay_p50_s": "P50",
        "delay_p90_s": "P90",
        "delay_p99_s": "P99",
        "delay_max_s": "max",
        "pods_waited": "waited over 1s",
        "pods_never_started": "never got one",
        "ec2_calls": "EC2 calls",
    }
    result = found.first
    delays = _delays(result)
    row = {
        **{f"delay_{name}_s": _seconds(value) for name, value in delays.items()},
        "pods_waited": result.waited,
        "pods_never_started": result.never + result.still_waiting,
        "ec2_calls": result.total_calls,
        "what": "this simulation" if len(found.results) == 1 else f"seed {result.seed}",
    }
    rows = [row]
    if len(found.results) > 1:
        cells = {name: _interval_cell(found, name) for name in names}
        rows.append({"what": f"mean of {len(found.results)} seeds (95% confidence)", **cells})
    columns = [TableColumn("what", ""), *(TableColumn(key, heading, 0, 0) for key, heading in names.items())]
    return Table(columns, rows, "Time that pods wait for an address on their node")


def _seconds(value: float | None) -> str | None:
    return None if value is None else span(value)


def _interval_cell(found: Distribution, name: str) -> str | None:
    if name not in found.measures:
        return None
    i = found.measures[name]
    unit = " s" if name.endswith("_s") else ""
    return f"{i.mean:,.1f}{unit} ({max(i.low or 0, 0):,.1f}–{i.high or 0:,.1f})"


def subnet_table(found: Distribution) -> Table:
    """Every subnet: the fewest free addresses, and when it runs out."""
    rows = [
        {
            "name": s.name,
            "zone": s.zone,
            "usable": s.usable,
            "free": s.lowest_free,
            "blocks": s.lowest_prefixes,
            "out": None if s.exhausted_at is None else f"after {span(s.exhausted_at)}",
            "share": f"{found.exhausted[s.name]:.0%}",
        }
        for s in found.first.subnets
    ]
    columns = [
        TableColumn("name", "subnet"),
        TableColumn("zone", "zone", 2),
        TableColumn("usable", "usable", 2),
        TableColumn("free", "fewest free"),
        TableColumn("blocks", "fewest free /28", 1),
        TableColumn("out", "runs out"),
    ]
    if len(found.results) > 1:
        columns.append(TableColumn("share", "runs out in"))
    levels = {(n, "out"): "exhausted" for n, row in enumerate(rows) if row["out"]}
    return Table(columns, rows, "Subnets", levels=levels)


def calls_table(result: SimulationResult) -> Table:
    """EC2 calls by action."""
    rows = [
        {
            "kind": kind,
            "calls": calls,
            "per_hour": 3600 * calls / result.seconds,
            "throttled": result.throttled.get(kind),
        }
        for kind, calls in sorted(result.calls.items(), key=lambda item: (-item[1], item[0]))
    ]
    columns = (
        TableColumn("kind", "EC2 call"),
        TableColumn("calls", "calls"),
        TableColumn("per_hour", "per hour", 1, 0),
        TableColumn("throttled", "throttled", 1),
    )
    return Table(columns, rows, "EC2 calls", note="" if rows else "None: no pool had to change.")


def timeline_table(result: SimulationResult) -> Table:
    """A few moments of the timeline."""
    step = max(-(-(len(result.timeline) - 1) // (ROWS - 1)), 1)
    shown = [s for n, s in enumerate(result.timeline) if n % step == 0 or n == len(result.timeline) - 1]
    rows = [
        {
            "t": span(s.t),
            "nodes": s.nodes,
            "enis": s.enis,
            "assigned": s.assigned,
            "warm": s.available - s.cooling,
            "cooling": s.cooling,
            "waiting": s.waiting,
            "pending": s.pending,
            "calls": s.ec2_calls,
            **{f"free.{name}": free for name, free in s.subnet_free.items()},
        }
        for s in shown
    ]
    names = list(result.timeline[0].subnet_free)
    columns = [
        TableColumn("t", "time"),
        TableColumn("nodes", "nodes", 3),
        TableColumn("enis", "ENIs", 4),
        TableColumn("assigned", "with a pod", 1),
        TableColumn("warm", "warm", 1),
        TableColumn("cooling", "cooling", 2),
        TableColumn("waiting", "pods waiting"),
        TableColumn("pending", "unschedulable pods", 2),
        TableColumn("calls", "EC2 calls", 3),
        *(TableColumn(f"free.{name}", f"free {name}", 1) for name in names[:6]),
    ]
    left = f"{len(shown)} of {len(result.timeline)} moments" if len(shown) < len(result.timeline) else ""
    more = f"{len(names) - 6} more subnets" if len(names) > 6 else ""
    note = f"{' and '.join(filter(None, (left, more)))}: -o csv or json has all." if left or more else ""
    return Table(columns, rows, "Timeline", note.removeprefix(": "))


def _decisions(result: SimulationResult) -> Iterator[Items]:
    texts = [f"{span(max(t, 0))}: {text}" for t, text in result.decisions]
    hidden = f" (the first {DECISIONS} of {len(texts)}; -o json has all)" if len(texts) > DECISIONS else ""
    shown: Sequence[str] = texts[:DECISIONS] or ["none: the pool had nothing to change"]
    yield Items(shown, f"What ipamd decided on the first node, and why{hidden}")


def charts(result: SimulationResult) -> Iterator[Chart]:
    """The chart of addresses over time."""

    def draw(theme: Any) -> Any:
        from capacity.charts.simulation import plot_simulation

        return plot_simulation(result, theme=theme)

    first, last = result.timeline[0], result.timeline[-1]
    words = (
        f"Pool addresses from {first.total:,} to {last.total:,}, with a pod from {first.assigned:,} to "
        f"{last.assigned:,}; "
        f"at most {max(s.waiting for s in result.timeline):,} pods wait at the same time."
    )
    yield Chart("simulation", f"{result.title}: addresses and waiting pods over time", words, draw)
