"""The answer of `capacity subnets`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import IPv4Address
from typing import Any

from capacity.advice.subnet_advice import advice, percent
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Items, Page, Table, TableColumn, Text
from capacity.plan.constants import PREFIX_SIZE
from capacity.vpc.fill import SubnetFill
from capacity.vpc.fragments import LEGEND

BLOCKS_PER_ROW = 64
COMMAND = "keep them with: "  # in an advice: what follows is to be pasted
MOST_ROWS = 16  # of one map, unless all are asked for: a /18


@dataclass(frozen=True)
class Question:
    """The question about the subnets.

    Attributes
    ----------
    want : int or None
        Additional prefixes to fit. [/28 blocks]
    likely : Fraction
        Probability at which a number of free blocks counts as likely.
    maps : str
        ``auto``: a block map where the addresses are known; ``all``; ``none``.
    """

    want: int | None
    likely: Fraction
    maps: str


def answer(fills: Sequence[SubnetFill], asked: Question, inputs: Mapping[str, Any], notes: Sequence[str]) -> Answer:
    """Subnets in every format."""
    rows = [_row(f, asked.want, asked.likely) for f in fills]
    blocks: list[Text | Table | CodeBlock | Items] = [
        Text(_sentence(fills)),
        _table(fills, rows, asked.likely, asked.want),
    ]
    every = asked.maps == "all"
    blocks += [
        CodeBlock(map_text(f, everything=every), language="text")
        for f in fills
        if every or (asked.maps == "auto" and f.fragments.exact)
    ]
    several = len({row["scenario"] for row in rows}) > 1
    places = [f"{row['name']} in {row['scenario']}" if several else row["name"] for row in rows]
    advice: dict[str, list[str]] = {}
    for place, row in zip(places, rows, strict=True):
        for line in row["advice"]:
            advice.setdefault(line, []).append(place)
    lines = [f"{', '.join(where)}: {line}" for line, where in advice.items()]
    told = [line.partition(COMMAND) for line in lines]
    blocks += (
        [Items([f"{text}{COMMAND}see below" if sign else text for text, sign, _ in told], "Advice:")] if told else []
    )
    commands = [command for _, _, command in told if command]
    blocks += [CodeBlock("\n".join(commands), "To keep blocks for prefixes", "sh")] if commands else []
    return Answer("subnets", dict(inputs), rows, Page(blocks), [_flat(r) for r in rows], notes)


def _row(fill: SubnetFill, want: int | None, likely: Fraction) -> dict[str, Any]:
    found, subnet = fill.fragments, fill.fragments.subnet
    wanted = fill.wanted(want) if want is not None else None
    row: dict[str, Any] = {
        "name": fill.name,
        "zone": fill.zone or None,
        "cidr": str(subnet.cidr),
        "scenario": fill.where or None,
        "total": subnet.total,
        "usable": subnet.usable,
        "used": found.taken,
        "free": found.free,
        "free_pct": round(100 * found.free / subnet.usable, 2),
        "free_reserved": found.reserved,
        "owners": dict(fill.owners),
        "exact": found.exact,
        "free_prefixes": found.free_blocks,
        "free_prefixes_expected": round(float(found.expected), 4),
        "free_prefixes_likely": found.likely(likely),
        "free_prefixes_certain": found.certain,
        "free_prefixes_most": found.most,
        "fragmentation": None if found.score is None else round(float(found.score), 4),
        "reservations": [{"cidr": str(r.cidr), "type": r.type} for r in subnet.reservations],
    }
    if wanted is not None:
        row["wanted"] = {
            "prefixes": wanted.blocks,
            "probability": float(wanted.probability),
            "reservation": [str(c) for c in wanted.reservation.pieces],
            "reservation_single": str(wanted.reservation.single) if wanted.reservation.single else None,
        }
    row["drain"] = [{"nodes": list(step.nodes), "free_prefixes": step.blocks} for step in fill.drains]
    row["block_map"] = found.letters
    row["advice"] = list(advice(fill, wanted, likely))
    return row


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """For CSV: no map, no nodes, reservations as text."""
    flat = {k: v for k, v in row.items() if k not in ("block_map", "drain")}
    return flat | {"reservations": [f"{r['cidr']}:{r['type']}" for r in row["reservations"]]}


def _sentence(fills: Sequence[SubnetFill]) -> str:
    """The sums; of a scenario with variants, those of the variant with the fewest free addresses."""
    by_scenario: dict[str, list[SubnetFill]] = {}
    for fill in fills:
        by_scenario.setdefault(fill.where, []).append(fill)
    variants = len(by_scenario)
    fills = min(by_scenario.values(), key=lambda some: sum(f.fragments.free for f in some), default=[])
    free, usable = sum(f.fragments.free for f in fills), sum(f.fragments.subnet.usable for f in fills)
    exact = [f for f in fills if f.fragments.exact]
    where = f" in {fills[0].where}" if fills and fills[0].where else ""
    where += f", the tightest of {variants:,}" if variants > 1 else ""
    if len(exact) == len(fills):
        blocks = f"{sum(f.fragments.free_blocks or 0 for f in fills):,} free /28 blocks, counted"
    else:
        blocks = f"{float(sum(f.fragments.expected for f in fills)):,.1f} free /28 blocks expected"
    count = f"{len(fills)} subnet{'s' if len(fills) != 1 else ''}"
    reserved = sum(f.fragments.reserved for f in fills)
    kept = f" ({reserved:,} of them in CIDR reservations)" if reserved else ""
    return f"{count}{where}: {free:,} of {usable:,} addresses free{kept}, {blocks}."


def _table(fills: Sequence[SubnetFill], rows: Sequence[Mapping[str, Any]], likely: Fraction, want: int | None) -> Table:
    shown: list[dict[str, Any]] = [
        {
            **row,
            "owners": ", ".join(f"{o.replace('_', ' ')} {n:,}" for o, n in row["owners"].items()) or "none",
            "blocks": f"{row['free_prefixes']:,}" if row["exact"] else f"{row['free_prefixes_expected']:,.1f} expected",
            "range": f"{row['free_prefixes_certain']:,}–{row['free_prefixes_most']:,}",
            "fragmentation": "–" if fill.fragments.score is None else percent(fill.fragments.score),
            "chance": percent(Fraction(row["wanted"]["probability"])) if "wanted" in row else "",
        }
        for row, fill in zip(rows, fills, strict=True)
    ]
    columns = [
        TableColumn("name", "subnet"),
        TableColumn("zone", "zone", 4),
        TableColumn("cidr", "CIDR", 4),
        TableColumn("scenario", "scenario"),
        TableColumn("usable", "usable", 1),
        TableColumn("used", "used", 3),
        TableColumn("free", "free"),
        TableColumn("free_pct", "free %", 2, 1),
        TableColumn("free_reserved", "reserved", 1),
        TableColumn("blocks", "free /28"),
        TableColumn("free_prefixes_likely", f"likely ({float(100 * likely):g}%)"),
        TableColumn("range", "min–max", 2),
        TableColumn("fragmentation", "fragmented", 2),
        TableColumn("chance", f"room for {want}"),
        TableColumn("owners", "owners", 3),
    ]
    absent = {"zone"} if not any(row["zone"] for row in rows) else set()
    absent |= {"scenario"} if len({row["scenario"] for row in rows}) < 2 else set()
    absent |= {"chance"} if want is None else set()
    absent |= set() if any(row["free_reserved"] for row in rows) else {"free_reserved"}
    absent |= {"free_prefixes_likely", "range"} if all(row["exact"] for row in rows) else set()
    absent |= {"name"} if all(row["name"] == row["cidr"] for row in rows) else set()
    return Table([c for c in columns if c.key not in absent], shown)


def map_text(fill: SubnetFill, *, everything: bool) -> str:
    """The block map: rows of 64 letters with the address each starts at, and the letters in words."""
    letters, subnet = fill.fragments.letters, fill.fragments.subnet
    start = int(subnet.cidr.network_address)
    counts = Counter(letters)
    words = ", ".join(f"{counts[letter]:,} {what} ({letter})" for letter, what in LEGEND.items() if counts[letter])
    title = f"{fill.name} ({subnet.cidr})" if fill.name != str(subnet.cidr) else fill.name
    lines = [f"{title}, one letter per /28: {words}"]
    rows = range(0, len(letters), BLOCKS_PER_ROW)
    for first in rows if everything else rows[:MOST_ROWS]:
        row = letters[first : first + BLOCKS_PER_ROW]
        pieces = " ".join(row[i : i + PREFIX_SIZE] for i in range(0, len(row), PREFIX_SIZE))
        lines.append(f"  {IPv4Address(start + PREFIX_SIZE * first)!s:15}  {pieces}")
    if len(rows) > MOST_ROWS and not everything:
        lines.append(f"  … {len(rows) - MOST_ROWS} more rows (--map all)")
    return "\n".join(lines)
