"""The first screen of the report: the figures of check, forecast, cost and compare, and what the reader decides."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from capacity.advice.fixes import Fix, Fixes
from capacity.cluster.check import check
from capacity.cost.bill import plan_cost
from capacity.forecast.result import Already, ForecastResult, SubnetForecast
from capacity.pages.html import render_html
from capacity.pages.markdown import render_markdown
from capacity.pages.page import Fact, FigureList, Page, Section, Table, Text
from capacity.pages.report_decision import asked, decision_section, dollars, key_figures, least_free, nodes, runs_out
from capacity.pages.report_free_share import free_share_table
from capacity.pages.terminal import Screen, render_terminal
from capacity.pages.workbook import workbook_bytes
from capacity.plan.parse import read_plan
from tests.cli.entry import capacity
from tests.report import plans

DAY, END = dt.date(2026, 11, 30), dt.date(2028, 5, 30)


@cache
def answer(verb: str, *arguments: str) -> Any:
    """The JSON results of a verb on the example."""
    return json.loads(capacity(verb, str(plans.EXAMPLE), *arguments, "-o", "json").stdout)["results"]


@cache
def printed() -> str:
    return capacity("report", str(plans.EXAMPLE), "-q", "-o", "md", "--as-of", "2026-11-30").stdout


def first_screen() -> dict[str, str]:
    """The large figures as the Markdown has them, by name."""
    text = printed().partition("## Decision")[0].replace("\\$", "$")
    return dict(re.findall(r"^- (.+?): \*\*(.+?)\*\*", text, flags=re.MULTILINE))


def before_and_after() -> list[dict[str, Any]]:
    """The two rows of the table, from the report's JSON."""
    tables = answer("report", "--as-of", "2026-11-30")["tables"]
    (table,) = (t for t in tables if t["section"] == "decision")
    rows: list[dict[str, Any]] = table["rows"]
    return rows


def figures_of(found: Any) -> dict[str, Any]:
    """The row that the results of a check must give."""
    states = {s["name"]: s for s in found["scenarios"]}
    usable = [(s, x) for s in found["scenarios"] for x in s["subnets"] if not x["lost"]]
    state, subnet = min(usable, key=lambda pair: pair[1]["free"] / pair[1]["usable"])
    count = [sum(g["nodes"] for g in states[name]["node_groups"]) for name in ("steady", "peak")]
    cost = [states[name]["usd_per_month"] for name in ("steady", "peak")]
    return {
        "verdict": found["verdict"],
        "least_free": f"{subnet['free_pct']:.1f}%".replace("-", "−"),
        "subnet": subnet["name"],
        "scenario": f"{state['name']} ({state['variant']})" if state["variant"] else state["name"],
        "nodes": f"{count[0]:,} → {count[1]:,}",
        "dollars": f"${cost[0]:,.2f} → ${cost[1]:,.2f}",
    }


def test_the_figures_are_those_of_check() -> None:
    told, shown = figures_of(answer("check", "--no-fixes", "--exit-zero")), first_screen()
    assert list(shown) == ["Lowest free share", "Runs out", "Nodes now → peak", "$ per month now → peak"]
    assert shown["Lowest free share"] == told["least_free"] == "−64.9%"
    assert shown["Nodes now → peak"] == told["nodes"]
    assert shown["$ per month now → peak"] == told["dollars"]


def test_before_and_after_are_check_and_the_check_of_the_changed_plan(tmp_path: Path) -> None:
    today, fixed = before_and_after()
    assert today == {"plan": "today"} | figures_of(answer("check", "--no-fixes", "--exit-zero"))
    changed = tmp_path / "fixed.yaml"
    done = capacity("check", str(plans.EXAMPLE), "--fix-out", str(changed), "--exit-zero", "-o", "json")
    best = json.loads(done.stdout)["results"]["fixes"]["best"]
    again = json.loads(capacity("check", str(changed), "--no-fixes", "-o", "json").stdout)["results"]
    assert fixed == {"plan": "with the fix"} | figures_of(again)
    assert fixed["verdict"] == best["verdict"] == "ok"


def test_the_fix_has_its_changes_risk_and_cost() -> None:
    best = answer("check", "--exit-zero")["fixes"]["best"]
    text = printed().partition("## Decision")[2].partition("## Subnets")[0]
    assert f"Fix: {' + '.join(best['levers'])} makes this plan pass (re-checked):" in text
    for summary, trade_off in zip(best["summary"].split("; "), best["cost"], strict=True):
        assert f"- {summary} (trade-off: {trade_off})" in text
    assert f"Disrupts: {best['risk']}. The cost per month stays the same." in text
    assert "The section Findings and fixes has the commands; " in text
    assert text.strip().startswith("Decide whether to apply the fix below or to make another change.")


def test_set_changes_both_sides() -> None:
    change = ("--set", "cni.env.WARM_IP_TARGET=5", "--as-of", "2026-11-30")
    tables = answer("report", *change)["tables"]
    today, fixed = next(t["rows"] for t in tables if t["section"] == "decision")
    told = figures_of(answer("check", "--set", "cni.env.WARM_IP_TARGET=5", "--no-fixes", "--exit-zero"))
    assert today == {"plan": "today"} | told
    assert fixed["verdict"] == "ok"


def test_every_document_has_the_first_screen() -> None:
    page, figures = plans.example(), key_figures(plans.material_of(plans.EXAMPLE))
    html, text = render_html(page, "9.9"), render_terminal(page, Screen())
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(page))) as book:
        strings = book.read("xl/sharedStrings.xml").decode()
    assert len(figures.facts) == 4
    for fact in figures.facts:
        assert f'<dt>{fact.name}</dt><dd class="figure"><bdi>{fact.value}</bdi>' in html
        assert f"{fact.name}: {fact.value} – {fact.note}".replace("−", "-") in text
        assert f"<t>{fact.value}</t>" in strings
        assert f"<t>{fact.note}</t>" in strings
    assert "date: 2026-11-25 · plan: " in render_markdown(page)
    assert "<span>date <bdi>2026-11-25</bdi></span>" in html
    assert html.index('class="about"') < html.index('class="answer"') < html.index('id="decision"') < html.index("<svg")


def test_names_in_figures_are_text() -> None:
    name = "<b>a|b</b>"
    page = Page([*plans.example().blocks[1:2], FigureList([Fact(name, name, name)], large=True)])
    assert "- &lt;b&gt;a\\|b" in render_markdown(page)
    assert "<b>" not in render_html(page, "0").partition("<body>")[2]


def growing(**dates: Any) -> SubnetForecast:
    known = {"date_p10": None, "date_p50": None, "date_p90": None, "probability": 0.0} | dates
    return SubnetForecast("a", "growth", "ok", 251, 100, **known)


def forecast(*subnets: SubnetForecast, already: tuple[Already, ...] = (), exact: bool = False) -> ForecastResult:
    return ForecastResult(DAY, END, 1000, 1, exact, "steady", subnets, already=already)


P10, P50, P90 = dt.date(2027, 8, 1), dt.date(2027, 9, 22), dt.date(2027, 11, 10)


@pytest.mark.parametrize(
    ("found", "value", "note"),
    [
        (None, "no forecast", "no workload of the plan has growth"),
        (
            forecast(growing(date_p10=P10, date_p50=P50, date_p90=P90, probability=1.0)),
            "2027-09-22",
            "a, in the steady state: P10 2027-08-01, P90 2027-11-10",
        ),
        (
            forecast(growing(date_p10=P10, date_p50=P50, probability=0.7)),
            "2027-09-22",
            "a, in the steady state: P10 2027-08-01, P90 after 2028-05-30",
        ),
        (forecast(growing(date_p50=P50, probability=1.0), exact=True), "2027-09-22", "a, in the steady state"),
        (
            forecast(growing(date_p10=P10, probability=0.2)),
            "after 2028-05-30",
            "In the steady state, a is the most likely to run out between 2026-11-30 and 2028-05-30: in 20% of "
            "simulations. P10 2027-08-01, P90 after 2028-05-30.",
        ),
        (
            forecast(growing()),
            "not before 2028-05-30",
            "In the steady state, no subnet runs out between 2026-11-30 and 2028-05-30 in any of 1,000 simulations.",
        ),
        (
            forecast(growing(), already=(Already("peak", "at peak", "a is short"),)),
            "already at peak",
            "In the steady state, every subnet has free addresses until 2028-05-30 in any of 1,000 simulations.",
        ),
        (
            forecast(growing(date_p10=DAY, date_p50=DAY, date_p90=DAY, probability=1.0)),
            "already in the steady state",
            "a has already run out on 2026-11-30.",
        ),
        (forecast(growing(probability=None)), "not known", "INSUFFICIENT DATA: no subnet can be forecast."),
    ],
)
def test_when_it_runs_out(found: ForecastResult | None, value: str, note: str) -> None:
    assert runs_out(found) == Fact("Runs out", value, note)


def test_scenarios_that_were_not_checked_have_no_figure() -> None:
    plan = read_plan(plans.EXAMPLE)
    peak = check(plan, ["peak"])
    assert nodes(peak) == Fact("Nodes at peak", "26", "general 20, batch 6")
    assert dollars(plan_cost(peak)).name == "$ per month at peak"
    loss = check(plan, ["zone-loss"])
    assert nodes(loss) == Fact("Nodes", "–", "not checked: steady and peak")
    assert dollars(plan_cost(loss)) == Fact("$ per month", "–", "not checked: steady and peak")
    assert dollars(None).value == "–"


def test_a_bill_without_a_price_of_any_node_is_not_known() -> None:
    plan = read_plan(plans.EXAMPLE)
    nowhere = plan_cost(check(replace(plan, region=None), ["steady", "peak"]))
    assert dollars(nowhere).value == "not known"
    assert dollars(nowhere).note.startswith("without a price: nodes of general (no price is known for m6i.xlarge")


def test_a_subnet_of_a_lost_zone_is_never_the_tightest() -> None:
    result = check(read_plan(plans.EXAMPLE), ["zone-loss"])
    (state,) = (s for s in result.scenarios if s.variant == "us-east-1b")
    lost = state.subnet("private-b")
    assert state.is_lost(lost.subnet)
    assert lost.free / lost.subnet.usable < min(s.free / s.subnet.usable for s in state.left)
    told = least_free(replace(result, scenarios=(state,)))
    assert told == Fact("Lowest free share", "54.6%", "private-a, zone-loss (us-east-1b): 277 addresses free")


def test_what_the_reader_decides() -> None:
    material = plans.material_of(plans.EXAMPLE, ["steady"])
    assert material.result.verdict == "ok"
    assert asked(material) == "No decision is needed now."
    soon = forecast(growing(date_p10=P10, date_p50=P50, date_p90=P90, probability=1.0))
    assert asked(replace(material, forecast=soon)) == (
        "No change is needed today. Decide on one before 2027-08-01: a can run out from then on."
    )
    short = plans.material_of(plans.EXAMPLE, ["peak"])
    assert asked(short) == (
        "Decide which finding to resolve first. capacity check --fixes searches for a fix of a plan this large."
    )
    assert decision_section(short) == Section("decision", "Decision", [Text(asked(short))])
    enough = Fix((), {}, "exhausted", {}, 0, 0)
    partial = replace(short, fixes=Fixes(None, None, (enough,), enough))
    assert asked(partial) == ("Decide whether to apply the fix below, and where the pods that stay unschedulable run.")


NO_WAY = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/24]
  subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24}]
nodeGroups: [{name: g, instanceTypes: [m5.large], subnets: [a], nodes: {min: 600, desired: 600, max: 600}}]
workloads: [{name: w, replicas: 600, requests: {cpu: 1, memory: 10Mi}}]
"""


def test_the_closest_change_is_not_called_a_fix(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(NO_WAY)
    done = capacity("report", str(tmp_path / "plan.yaml"), "-q", "-o", "json", "--scenario", "steady")
    found = json.loads(done.stdout)["results"]
    assert found["fixes"]["best"] is None
    assert found["fixes"]["partial"] is None
    assert found["fixes"]["nearest"] is not None
    rows = next(t["rows"] for t in found["tables"] if t["section"] == "decision")
    assert [r["plan"] for r in rows] == ["today", "with the closest change"]
    assert [r["verdict"] for r in rows] == ["exhausted", found["fixes"]["nearest"]["verdict"]]
    table = next(t for t in found["tables"] if t["section"] == "decision")
    assert table["columns"][-2:] == ["nodes", "dollars"]
    text = capacity("report", str(tmp_path / "plan.yaml"), "-q", "-o", "md", "--scenario", "steady").stdout
    assert "| nodes now | \\$ per month now |" in text
    assert "Decide on a larger change or a smaller plan: no change that was tested is enough." in text
    assert "--fix-out" not in text


def test_many_subnets_are_the_tightest_in_the_order_of_the_plan(tmp_path: Path) -> None:
    result = check(read_plan(plans.write_hostile(tmp_path)), ["steady", "peak"])
    table = free_share_table(result)
    names = [c.heading for c in table.columns[1:-1]]
    assert table.title == "Free addresses of the 12 tightest of 200 subnets, % of the usable ones"
    assert len(names) == 12
    least = {s.subnet.name: 1.0 for s in result.scenarios[0].subnets}
    for state in result.scenarios:
        for s in state.left:
            least[s.subnet.name] = min(least[s.subnet.name], s.free / s.subnet.usable)
    rest = [share for name, share in least.items() if name not in names]
    assert max(least[name] for name in names) <= min(rest)
    order = [s.name for s in result.plan.subnets]
    assert names == sorted(names, key=order.index)


def test_cells_have_the_colour_and_the_mark_of_their_verdict() -> None:
    result = check(read_plan(plans.EXAMPLE), ["peak", "zone-loss"])
    table = free_share_table(result)
    states = {s.title: s for s in result.scenarios}
    for number, row in enumerate(table.rows):
        state = states[row["scenario"]]
        for s in state.subnets:
            level = "lost" if state.is_lost(s.subnet) else s.verdict
            assert table.levels[number, f"subnet {s.subnet.name}"] == level
    section = Section("free-share", "Free share", [table])
    html = render_html(Page([*plans.example().blocks[1:2], section]), "0")
    assert '<td class="number level exhausted" data-v="-17.1">−17.1 ✖</td>' in html
    assert '<td class="number level lost" data-v="">lost</td>' in html
    assert '<td class="number level ok" data-v="54.6">54.6</td>' in html


def test_cells_of_the_workbook_are_coloured_numbers() -> None:
    result = check(read_plan(plans.EXAMPLE), ["peak"])
    section = Section("free-share", "Free share", [free_share_table(result)])
    page = Page([*plans.example().blocks[1:2], section])
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(page))) as book:
        sheet, styles = book.read("xl/worksheets/sheet2.xml").decode(), book.read("xl/styles.xml").decode()
    cell = re.search(r'<c r="C2" s="(\d+)"><v>-0.171</v></c>', sheet)
    assert cell is not None
    formats = re.findall(r"<xf .*?(?:/>|</xf>)", styles.partition("<cellXfs")[2].partition("</cellXfs>")[0])
    fill = re.search(r'fillId="(\d+)"', formats[int(cell[1])])
    assert fill is not None
    assert "FFF8D0D0" in re.findall(r"<fill>.*?</fill>", styles)[int(fill[1])]
    codes = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]*)"', styles))
    number = re.search(r'numFmtId="(\d+)"', formats[int(cell[1])])
    assert number is not None
    assert codes[number[1]] == "0.0%"


def test_a_table_of_two_rows_has_no_sort_buttons() -> None:
    section = Section("s", "S", [Table([], [{}, {}], "two"), Table([], [{}, {}, {}], "three")])
    html = render_html(Page([*plans.example().blocks[1:2], section]), "0")
    assert [m.count("sortable") for m in re.findall(r"<table.*?>", html)] == [0, 1]
