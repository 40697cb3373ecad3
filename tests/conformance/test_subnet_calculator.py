"""AWS's own subnet calculator, and the page that explains where we differ from it.

subnet_calculator.csv: aws/aws-eks-best-practices@dc0243a latest/bpg/networking/subnet-calc/subnet-calc.xlsx
(sha256 f4680399449fbeb33e1ae6717571ca20a61903fd9abd67ebe79536a2f75b2dd1), one line per case: the inputs
typed into its cells, its own look-up of addresses per ENI, and what its unaltered formulas answer
(IronCalc 0.9.1, each cell equal in LibreOffice 7.4.7.2; the case ``shipped``: the values Excel stored).
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.facade import Pool, node_pool
from capacity.node.maxpods import max_pods
from capacity.node.platform import Platform
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import RESERVED_BY_AWS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/explanation/why-we-differ-from-the-spreadsheet.md"
NOT_AVAILABLE = "#N/A"
SHEETS = {"WarmENI": "warm_eni", "WarmIP": "warm_ip"}


class Line(NamedTuple):
    """One instance type in one case on one sheet."""

    case: str
    nodes: int
    instance_type: str
    pods: int
    target: int
    ips_per_eni: str
    host_ips: int
    workbook: str


with (HERE / "subnet_calculator.csv").open(encoding="utf-8", newline="") as stream:
    CASES = {row["case"]: row for row in csv.DictReader(stream)}


def lines(case: dict[str, str], sheet: str) -> list[Line]:
    packed = zip(
        case["rows"].split(";"),
        case["ips_per_eni"].split(";"),
        case[f"{sheet}_row_totals"].split(";"),
        strict=True,
    )
    found = []
    for row, ips, total in packed:
        nodes, kind, pods = row.split()
        target, host = int(case[f"{sheet}_target"]), int(case["host_networking_ips"])
        found.append(Line(case["case"], int(nodes), kind, int(pods), target, ips, host, total))
    return found


# --- the workbook's two formulas -----------------------------------------------------------


def workbook_row(line: Line, sheet: str) -> str:
    """The sheet's columns D to Q of one row, in one line."""
    if line.ips_per_eni == NOT_AVAILABLE:
        return NOT_AVAILABLE
    ips = int(line.ips_per_eni)
    enis = -(-line.pods // ips) + (line.target if sheet == "warm_eni" else 0)
    return str(line.nodes * (enis * ips + line.host_ips))


def workbook_subnet(prefix: int) -> str:
    return str(2 ** (32 - prefix) - 2) if 1 <= prefix <= 30 else NOT_AVAILABLE


@pytest.mark.parametrize("sheet", SHEETS.values())
@pytest.mark.parametrize("case", CASES.values(), ids=lambda c: c["case"])
def test_the_workbooks_formulas_restated_give_its_answers(case: dict[str, str], sheet: str) -> None:
    totals = [workbook_row(line, sheet) for line in lines(case, sheet)]
    available = workbook_subnet(int(case["subnet_prefix"]))
    used = NOT_AVAILABLE if NOT_AVAILABLE in totals else str(sum(map(int, totals)))
    left = NOT_AVAILABLE if NOT_AVAILABLE in (available, used) else str(int(available) - int(used))
    assert totals == case[f"{sheet}_row_totals"].split(";")
    assert (available, used, left) == (
        case["total_available"],
        case[f"{sheet}_used"],
        case[f"{sheet}_remaining"],
    )
    assert int(case["pods_hosted"]) == sum(line.nodes * line.pods for line in lines(case, sheet))


# --- ours ----------------------------------------------------------------------------------


def managed_max_pods(instance_type: str) -> int:
    pods = max_pods(load_catalog().get(instance_type), Platform()).max_pods
    assert pods is not None
    return pods


def our_pool(line: Line, sheet: str) -> Pool:
    settings = CniSettings(warm_eni=line.target) if sheet == "warm_eni" else CniSettings(warm_ip=line.target)
    kind = load_catalog().get(line.instance_type)
    return node_pool(kind, settings, line.pods, managed_max_pods(line.instance_type))


# --- the page ------------------------------------------------------------------------------


def table(heading: str) -> list[list[str]]:
    """Rows of the first table under a heading, without its head."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1]
    block = re.search(r"(?:^\|.*\n)+", section, re.M)
    assert block is not None
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in block[0].splitlines()[2:]]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def worked(text: str) -> int:
    """The right side of ``(⌈100/30⌉ + 1) × 30 + 2 = 152``, once the left side is seen to give it."""
    left, right = text.split(" = ")
    python = re.sub(r"⌈(\d+)/(\d+)⌉", r"-(-\1//\2)", left).replace("×", "*")
    assert re.fullmatch(r"[-+*/(),\d min]+", python)
    assert eval(python) == int(right), text
    return int(right)


PAGE_ROWS = [("warm_eni", row) for row in table("Whole ENIs: WARM_ENI_TARGET")] + [
    ("warm_ip", row) for row in table("Single addresses: WARM_IP_TARGET")
]


@pytest.mark.parametrize(("sheet", "row"), PAGE_ROWS, ids=lambda p: p if isinstance(p, str) else "-".join(p[:4]))
def test_the_page_prints_the_workbooks_figures_and_ours(sheet: str, row: list[str]) -> None:
    case, nodes, kind, pods, target, limit, theirs_one, ours_one, theirs, ours = row
    line = next(
        x for x in lines(CASES[case], sheet) if (x.nodes, x.instance_type, x.pods) == (int(nodes), kind, int(pods))
    )
    pool = our_pool(line, sheet)
    instance_type = load_catalog().get(kind)
    assert (line.target, managed_max_pods(kind)) == (int(target), int(limit))
    assert line.ips_per_eni == str(instance_type.ipv4_per_eni)
    assert number(theirs) == int(line.workbook) == line.nodes * worked(theirs_one)
    assert number(ours) == line.nodes * pool.subnet_addresses == line.nodes * worked(ours_one)
    k = int(line.ips_per_eni) - 1
    if sheet == "warm_eni":
        shown = f"min({target} + ⌈{pods}/{k}⌉, ⌈{limit}/{k}⌉, {instance_type.max_enis}) × {k + 1}"
    else:
        shown = f"{pool.secondary_ips} + ⌈{pool.secondary_ips}/{k}⌉"
    assert ours_one.startswith(shown)


def test_the_page_covers_the_shipped_example() -> None:
    for sheet, heading in (
        ("warm_eni", "Whole ENIs: WARM_ENI_TARGET"),
        ("warm_ip", "Single addresses: WARM_IP_TARGET"),
    ):
        shown = [row[2] for row in table(heading) if row[0] == "shipped"]
        assert shown == [line.instance_type for line in lines(CASES["shipped"], sheet)]
    text = PAGE.read_text(encoding="utf-8")
    totals = []
    for sheet in SHEETS.values():
        ours = sum(line.nodes * our_pool(line, sheet).subnet_addresses for line in lines(CASES["shipped"], sheet))
        totals += [int(CASES["shipped"][f"{sheet}_used"]), ours]
    assert "WarmENI {} against our {}, WarmIP {} against our {}".format(*totals) in text
    assert f"All {len(CASES)} cases" in text


def test_the_page_prints_the_sizes_of_subnets() -> None:
    known = {int(case["subnet_prefix"]): case["total_available"] for case in CASES.values()}
    rows = table("The subnet")
    for size, theirs, ours in rows:
        prefix = int(size.strip("/"))
        assert number(theirs) == int(workbook_subnet(prefix)) == int(known[prefix])
        assert number(ours) == 2 ** (32 - prefix) - RESERVED_BY_AWS
    assert {int(size.strip("/")) for size, *_ in rows} == {n for n in known if 16 <= n <= 28}


@pytest.mark.parametrize("row", table("The totals"), ids=lambda r: str(r[0]))
def test_the_page_counts_how_often_the_workbook_is_too_low(row: list[str]) -> None:
    sheet, seen, low, equal, high = SHEETS[row[0]], set(), 0, 0, 0
    for case in CASES.values():
        for line in lines(case, sheet):
            key = line[1:-1]
            if line.workbook == NOT_AVAILABLE or key in seen:
                continue
            seen.add(key)
            gap = int(line.workbook) - line.nodes * our_pool(line, sheet).subnet_addresses
            low, equal, high = low + (gap < 0), equal + (gap == 0), high + (gap > 0)
    assert [len(seen), low, equal, high] == [int(cell) for cell in row[1:]]


def test_what_the_page_says_of_types_and_cards() -> None:
    new = next(line for line in lines(CASES["82"], "warm_eni") if line.instance_type == "m7i.large")
    assert (new.workbook, new.nodes * our_pool(new, "warm_eni").subnet_addresses) == (NOT_AVAILABLE, 90)
    cards = load_catalog().get("p4d.24xlarge")
    assert (cards.max_enis, cards.max_enis_total) == (15, 60)
    crowded = next(iter(lines(CASES["74"], "warm_eni")))
    assert crowded.pods - our_pool(crowded, "warm_eni").pods_without_address == 56
    assert {CASES[c]["warm_ip_used"] for c in ("38", "43", "44", "45")} == {"746"}
    assert {CASES[c]["warm_eni_used"] for c in ("51", "54", "55")} == {"510"}
    self_managed = node_pool(load_catalog().get("m5.4xlarge"), CniSettings(), pods=100, max_pods=234)
    assert self_managed.subnet_addresses == 150
