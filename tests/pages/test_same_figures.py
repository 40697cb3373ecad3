"""Every figure of a page, whatever it is written as, is the figure of the JSON answer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from capacity.pages.cells import cell
from capacity.pages.csv_rows import flatten
from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
Row = dict[str, str]


@cache
def printed(command: str, output: str) -> str:
    """What a command prints."""
    done = run(*command.format(examples=EXAMPLES).split(), "-o", output, "-q", "--color", "never")
    assert done.code in (0, 1), done.stderr
    return done.stdout


@cache
def results(command: str) -> Any:
    return json.loads(printed(command, "json"))["results"]


def markdown_tables(text: str) -> Iterator[tuple[list[str], list[Row]]]:
    """Headings and rows of every table of a Markdown page."""
    for block in re.split(r"\n\n+", text):
        lines = block.strip().split("\n")
        if lines[0].startswith("| "):
            split = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
            yield split[0], [dict(zip(split[0], cells, strict=True)) for cells in split[2:]]


def terminal_tables(text: str) -> Iterator[tuple[list[str], list[Row]]]:
    """The same of a page as a wide terminal shows it: columns lie where the rule has them."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("─"):
            spans = [m.span() for m in re.finditer("─+", line)]
            heads = [lines[i - 1][a:b].strip() for a, b in spans]
            rows = []
            for row in lines[i + 1 :]:
                if not row or any(row[b : b + 2].strip() for _, b in spans[:-1]):
                    break
                rows.append({h: row[a:b].strip() for h, (a, b) in zip(heads, spans, strict=True)})
            yield heads, rows


def table_of(text: str, output: str, heading: str) -> list[Row]:
    """The first table with a heading of this name."""
    found = markdown_tables(text) if output == "md" else terminal_tables(text)
    return next(rows for heads, rows in found if heading in heads)


def holders(s: dict[str, Any], *names: str) -> int:
    return sum(s["used"][n] or 0 for n in names)


CHECK = "check {examples}/shop-prod.yaml --scenario steady --scenario peak --no-fixes --exit-zero"
SUBNET: dict[str, Callable[[dict[str, Any]], object]] = {
    "subnet": lambda s: s["name"],
    "verdict": lambda s: s["verdict"],
    "zone": lambda s: s["zone"],
    "CIDR": lambda s: s["cidr"],
    "usable": lambda s: s["usable"],
    "nodes+ENIs": lambda s: holders(s, "node_primary", "eni_primary"),
    "pods": lambda s: holders(s, "assigned", "branch"),
    "warm": lambda s: holders(s, "warm"),
    "free": lambda s: s["free"],
    "used min–max": lambda s: f"{s['used_lowest']:,}–{s['used_highest']:,}",
}


def test_check_on_a_terminal() -> None:
    rows = table_of(printed(CHECK, "table"), "table", "nodes+ENIs")
    for row, s in zip(rows, results(CHECK)["scenarios"][0]["subnets"], strict=True):
        assert {h: row[h] for h in SUBNET} == {h: cell(value(s)) for h, value in SUBNET.items()}
        assert float(row["free %"]) == round(s["free_pct"], 1)
        parts = [int(row[h].replace(",", "")) for h in ("nodes+ENIs", "pods", "warm", "others", "free")]
        assert sum(parts) == s["usable"]


def test_check_at_a_glance() -> None:
    rows = table_of(printed(CHECK, "table"), "table", "scenario")
    for row, state in zip(rows, results(CHECK)["scenarios"], strict=True):
        assert row["verdict"] == state["verdict"]
        for s in state["subnets"]:
            assert row[s["name"]] == cell(s["free"])


def test_check_as_a_comment() -> None:
    rows = table_of(printed(CHECK, "md"), "md", "steady")
    found = {s["name"]: s for s in results(CHECK)["scenarios"][0]["subnets"]}
    peak = {s["name"]: s for s in results(CHECK)["scenarios"][1]["subnets"]}
    assert len(rows) == len(found)
    for row in rows:
        name = row["subnet"].split()[0]
        assert row["usable"] == cell(found[name]["usable"])
        assert row["steady"] == cell(sum(v for v in found[name]["used"].values() if v))
        assert row["peak"] == cell(sum(v for v in peak[name]["used"].values() if v))


ROWS: list[tuple[str, str, Callable[[Any], Any], dict[str, str]]] = [
    (
        "maxpods m5.large m6i.2xlarge m7g.metal",
        "recommended",
        lambda r: r,
        {
            "type": "instance_type",
            "mode": "mode",
            "ENIs": "max_enis",
            "IPs/ENI": "ipv4_per_eni",
            "pod addresses": "ip_capacity",
            "formula": "max_pods_formula",
            "recommended": "max_pods_recommended",
            "max pods": "max_pods",
        },
    ),
    (
        "node m5.large c7g.2xlarge --pod-cpu 250m --pod-memory 512Mi",
        "pods fit",
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
        },
    ),
    (
        "node m5.large --pods 12 --env WARM_IP_TARGET=2 --env MINIMUM_IP_TARGET=10",
        "used in the subnet",
        lambda r: [{"instance_type": x["instance_type"], **x["pool"]} for x in r],
        {
            "ENIs": "enis",
            "secondary IPs": "secondary_ips",
            "pod addresses": "pod_addresses",
            "warm": "warm",
            "used in the subnet": "subnet_addresses",
            "lowest": "lowest",
            "highest": "highest",
            "pods without an address": "pods_without_address",
        },
    ),
    (
        "forecast {examples}/shop-prod.yaml --as-of 2026-11-30 --horizon 3y --scenario peak --paths 500",
        "used now",
        lambda r: r,
        {
            "subnet": "name",
            "usable": "usable",
            "used now": "used_now",
            "P10 (early)": "date_p10",
            "P50 (likely)": "date_p50",
            "P90 (late)": "date_p90",
        },
    ),
    (
        "subnets {examples}/shop-prod.yaml",
        "free",
        lambda r: r,
        {"subnet": "name", "CIDR": "cidr", "usable": "usable", "used": "used", "free": "free"},
    ),
    (
        "size {examples}/first-plan.yaml",
        "fewest free",
        lambda r: r["subnets"],
        {"subnet": "name", "needs": "needed", "block": "cidr", "usable": "usable"},
    ),
    (
        "check {examples}/shop-prod.yaml --no-fixes --exit-zero --scenario steady",
        "of node group",
        lambda r: r["runway"],
        {
            "subnet": "name",
            "room for: nodes": "more_nodes",
            "or pods": "more_pods",
            "of node group": "node_group",
            "addresses per node": "node_addresses",
        },
    ),
    (
        "compare {examples}/shop-prod.yaml --set cni.env.WARM_IP_TARGET=2 --scenario steady",
        "free after",
        lambda r: r["scenarios"][0]["subnets"],
        {
            "subnet": "name",
            "used before": "used_before",
            "used after": "used_after",
            "free before": "free_before",
            "free after": "free_after",
        },
    ),
]


@pytest.mark.parametrize(
    ("command", "heading", "rows_of", "columns", "output"),
    # check -o md is the comment, which has a table of its own
    [(*row, output) for row in ROWS for output in ("table", "md") if (row[0][:5], output) != ("check", "md")],
)
def test_rows_are_the_answer(
    command: str, heading: str, rows_of: Callable[[Any], Any], columns: dict[str, str], output: str
) -> None:
    rows = table_of(printed(command, output), output, heading)
    answered = [flatten(r) for r in rows_of(results(command))]
    assert len(rows) == len(answered)
    for row, found in zip(rows, answered, strict=True):
        assert {h: row[h] for h in columns} == {h: cell(found.get(k)) for h, k in columns.items()}


@pytest.mark.parametrize(
    ("command", "rows_of"),
    [
        (CHECK, lambda r: [{"scenario": s["name"], **x} for s in r["scenarios"] for x in s["subnets"]]),
        (ROWS[0][0], lambda r: r),
        (ROWS[1][0], lambda r: r),
        (ROWS[3][0], lambda r: r),
        (ROWS[5][0], lambda r: r["subnets"]),
    ],
)
def test_csv_rows_are_the_answer(command: str, rows_of: Callable[[Any], Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(command, "csv"))))
    answered = [flatten(r) for r in rows_of(results(command))]
    assert len(rows) == len(answered)
    for row, found in zip(rows, answered, strict=True):
        for key, value in found.items():
            written = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert row[key].removeprefix("'") == written


class Cells(HTMLParser):
    """The cells of every table, by caption: a number as its ``data-v`` has it and as it is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[tuple[str | None, str]]]] = {}
        self.caption, self.within, self.value = "", "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag if tag in ("caption", "td") else self.within
        if tag == "caption":
            self.caption = ""
        elif tag == "tr" and self.caption:
            self.tables.setdefault(self.caption, []).append([])
        elif tag == "td" and self.caption:
            self.tables[self.caption][-1].append((dict(attrs).get("data-v"), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "td"):
            self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within == "caption":
            self.caption += data
        elif self.within == "td" and self.caption:
            value, text = self.tables[self.caption][-1].pop()
            self.tables[self.caption][-1].append((value, text + data))


def test_the_html_report_shows_the_tables_of_its_json() -> None:
    command = "report {examples}/shop-prod.yaml --scenario steady --scenario peak --as-of 2026-11-25 --out-file -"
    shown = Cells(printed(command, "html")).tables
    tables = results(command)["tables"]
    assert len(tables) > 8
    for table in tables:
        rows = [r for r in shown[table["title"]] if r]
        assert len(rows) == len(table["rows"])
        for cells, row in zip(rows, table["rows"], strict=True):
            for (value, text), key in zip(cells, table["columns"], strict=True):
                if isinstance(row[key], (int, float)) and not isinstance(row[key], bool):
                    assert value is not None
                    assert float(value) == row[key]
                    assert abs(float(text.replace(",", "").replace("−", "-")) - row[key]) <= 0.05
