"""The report's content and what it is written as: the check's own figures, escaped, the same bytes each time."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from capacity.advice.findings.codes import Finding
from capacity.advice.whatif import PERCENTS, modes_of, what_if, with_mode
from capacity.charts.theme import LIGHT
from capacity.cluster.check import check
from capacity.cluster.typical import group_offers, typical_pod
from capacity.errors import MissingExtra
from capacity.pages import report_material as gathering
from capacity.pages.html import render_html, script_json
from capacity.pages.markdown import render_markdown
from capacity.pages.page import CodeBlock, FigureList, Page, Section, Table, Verdict
from capacity.pages.report_blocks import Card
from capacity.pages.report_page import report_page
from capacity.pages.workbook import sheet_name, workbook_bytes
from capacity.plan.parse import read_plan
from capacity.units import MIB
from tests.cli.entry import capacity
from tests.report import plans


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return report_page(plans.material_of(plans.write_hostile(tmp_path_factory.mktemp("plan")), ["steady", "peak"]))


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(plans.example(), "9.9")


class Outline(HTMLParser):
    """Tags as they come, text and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_order_is_that_of_a_review() -> None:
    found = [s.anchor for s in plans.example().sections()]
    assert found == [
        "decision",
        "free-share",
        "findings",
        "subnets",
        "node-groups",
        "cost",
        "forecast",
        "what-if",
        "scenarios",
        "assumptions",
        "reproduce",
    ]
    assert plans.example().verdict.level == "exhausted"
    assert plans.example().verdict.sentence.startswith(
        "private-b (10.40.2.0/24, us-east-1b) is 43 addresses short at peak."
    )


def test_figures_are_the_checks() -> None:
    result = check(read_plan(plans.EXAMPLE))
    grids = {g.name: g for _, g in plans.example().tables()}
    for state in result.scenarios:
        rows = {r["subnet"]: r for r in grids[state.title].rows}
        for subnet in state.subnets:
            row = rows[subnet.subnet.name]
            if state.is_lost(subnet.subnet):
                assert (row["free"], row["verdict"]) == ("lost", "lost")
                continue
            assert (row["free"], row["usable"], row["verdict"]) == (subnet.free, subnet.subnet.usable, subnet.verdict)
            assert row["pods"] + row["warm"] + row["enis"] + row["others"] + row["free"] == row["usable"]


def test_the_html_loads_nothing_and_is_bound_by_a_policy(page: str) -> None:
    outline = Outline(page)
    assert not {"img", "iframe", "object", "embed", "base", "form"} & set(outline.tags)
    addresses = [v for n, v in outline.attributes if n in ("src", "href", "srcset", "action", "data", "xlink:href")]
    assert all(v is not None and v.startswith(("#", "data:,")) for v in addresses)
    assert not any(n.startswith("on") for n, _ in outline.attributes)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert "http" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).replace("http-equiv", "")


def test_the_same_plan_gives_the_same_bytes(page: str) -> None:
    again = report_page(plans.material_of(plans.EXAMPLE))
    assert render_html(again, "9.9") == page
    assert render_markdown(again) == render_markdown(plans.example())
    assert workbook_bytes(again) == workbook_bytes(plans.example())


def test_how_to_reproduce_is_there(page: str) -> None:
    assert "capacity report shop-prod.yaml" in page
    assert "SHA-256 of the plan file: " + "0" * 64 in page
    assert "packaged data of 2026-10-27" in page


def test_hostile_names_stay_text(hostile: Page) -> None:
    text = render_html(hostile, "0")
    outline = Outline(text)
    assert outline.tags.count("script") == 2
    assert not {"img", "i", "u", "b"} & set(outline.tags)
    assert "\u202e" not in text
    shown = "".join(outline.text)
    for name in plans.HOSTILE_NAMES:
        assert name.replace("\u202e", "\\u202e") in shown
    data = re.search(r'id="what-if-data">(.*?)</script>', text, flags=re.DOTALL)
    assert data is not None
    names = json.loads(data[1])["subnets"]
    assert len(names) == 200
    assert names[0] == "<script>alert(1)</script>"


def test_hostile_names_stay_text_in_markdown(hostile: Page) -> None:
    text = render_markdown(hostile, "charts")
    assert "<" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert "[x](http" not in text.replace("\\[x\\](http", "")
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in _table(text, "Runway")}
    assert len(widths) == 1  # a pipe in a name opens no cell
    assert "![" in text
    assert "](charts/subnets-steady.svg)" in text


def _table(text: str, title: str) -> list[str]:
    lines = text.split(f"**{title}", 1)[1].split("\n")[2:]
    return lines[: lines.index("")]


def test_a_snippet_with_fences_stays_one_block() -> None:
    only = Page(
        [Verdict("ok", "a"), FigureList([]), Section("s", "S", [CodeBlock("```\n# not a heading\n```", "x")])], "t"
    )
    assert "````\n```\n# not a heading\n```\n````" in render_markdown(only)


def test_the_workbook_holds_text_as_text_and_numbers_as_numbers(hostile: Page) -> None:
    blob = workbook_bytes(hostile)
    with zipfile.ZipFile(io.BytesIO(blob)) as book:
        sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        strings = book.read("xl/sharedStrings.xml").decode()
        text = "".join(book.read(n).decode() for n in sheets)
    assert len(sheets) == len(hostile.tables()) + 1
    assert "<f>" not in text  # no formula
    assert "=cmd|" in strings
    assert "hyperlink" not in text
    assert "<v>251</v>" in text


def test_the_workbook_has_formats_charts_and_whole_names() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(plans.example()))) as book:
        parts = {name: book.read(name).decode() for name in book.namelist() if name.endswith(".xml")}
    names = re.findall(r'<sheet name="([^"]+)" sheetId="(\d+)"', parts["xl/workbook.xml"])
    assert [n for n, _ in names[:4]] == ["Verdict", "Free share", "Runway", "Findings"]
    assert "peak+zone-loss (us-east-1a)" in [n for n, _ in names]  # not cut
    titles = re.findall(r'<definedName name="_xlnm.Print_Titles"', parts["xl/workbook.xml"])
    assert len(titles) == len(names)
    sheets = {name: parts[f"xl/worksheets/sheet{number}.xml"] for name, number in names}
    assert all('<pane xSplit="1" ySplit="1"' in sheet for sheet in sheets.values())
    assert all('orientation="landscape"' in sheet and 'paperSize="9"' in sheet for sheet in sheets.values())
    codes = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]*)"', parts["xl/styles.xml"]))
    assert {"0.0%", "&quot;$&quot;#,##0.00", "#,##0"} <= {*codes.values(), "#,##0"}
    assert 'operator="equal"' in sheets["Scenarios"]  # verdicts are coloured
    drawn = [name for name, sheet in sheets.items() if "<drawing " in sheet]
    assert {"Free share", "steady", "Node limits"} <= set(drawn)
    charts = [part for name, part in parts.items() if name.startswith("xl/charts/chart")]
    assert len(charts) == len(drawn)
    assert any('<c:grouping val="stacked"/>' in chart and "steady" in chart for chart in charts)


def test_a_chart_of_the_workbook_is_below_its_table_in_the_colors_of_the_page() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(plans.example()))) as book:
        parts = {name: book.read(name).decode() for name in book.namelist() if name.endswith(".xml")}
    names = [n for n, _ in re.findall(r'<sheet name="([^"]+)" sheetId="(\d+)"', parts["xl/workbook.xml"])]
    sheets = {name: parts[f"xl/worksheets/sheet{i}.xml"] for i, name in enumerate(names, 1)}
    share = names.index("Free share")
    first = parts["xl/drawings/drawing1.xml"]
    rows = sheets["Free share"].count("<row ")
    place = r"<xdr:from><xdr:col>0</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>(\d+)</xdr:row>"
    assert [int(row) for row in re.findall(place, first)] == [rows + 1]
    assert 'fitToHeight="0"' not in sheets["Free share"]  # the chart stays on the page of the table
    assert 'fitToHeight="0"' in sheets["Findings"]
    assert share == 1
    order = plans.example().subnets
    chart = parts["xl/charts/chart1.xml"]
    shown = re.findall(r"<c:v>(private-\w)</c:v>.*?<a:srgbClr val=\"(\w+)\"", chart)
    assert len(shown) == 3
    assert {name: f"#{color.lower()}" for name, color in shown} == {
        name: LIGHT.subnets[order.index(name)] for name, _ in shown
    }


def test_a_long_text_of_the_workbook_has_a_high_row() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(plans.example()))) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        sheet = book.read(f"xl/worksheets/sheet{1 + names.index('Findings')}.xml").decode()
    heights = re.findall(r'<row r="\d+"[^>]*? ht="(\d+)"', sheet)
    assert heights
    assert {int(height) % 15 for height in heights} == {0}
    assert min(map(int, heights)) >= 30


def test_without_xlsxwriter_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtra, match=r"^xlsx needs xlsxwriter: pip install 'eks-pod-capacity\[xlsx\]'"):
        workbook_bytes(plans.example())


def test_sheet_names_are_short_and_differ() -> None:
    used: set[str] = set()
    names = [sheet_name("Subnets: a/b " * 5, used) for _ in range(3)]
    assert len(set(names)) == 3
    assert all(0 < len(n) <= 31 and not set("[]:*?/\\") & set(n) for n in names)


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"a": "</script><!-- & \u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!-- & \u2028"}


def test_a_fix_that_was_tried_shows_its_snippets() -> None:
    material = plans.material_of(plans.EXAMPLE, ["steady"])
    fix = {
        "summary": "do it",
        "patch": {"cni": {"env": {"WARM_IP_TARGET": "2"}}},
        "commands": ["kubectl x"],
        "frees": 1200,
    }
    found = Finding("IP001", "error", "subnets.a", "a is short", fix, "steady")
    text = render_html(report_page(replace(material, findings=(found,))), "0")
    assert "WARM_IP_TARGET: &#39;2&#39;" in text
    assert "<code>kubectl x</code>" in text
    assert '<td class="number" data-v="1200">1,200</td>' in text
    empty = report_page(replace(material, findings=()))
    assert "No findings." in render_markdown(empty)


def test_a_fix_of_several_findings_is_one_card() -> None:
    material = plans.material_of(plans.EXAMPLE, ["steady"])
    fix = {"summary": "hold fewer", "patch": {"cni.env.WARM_IP_TARGET": "2"}, "commands": ["kubectl x"], "frees": 30}
    own = {"summary": "another", "patch": {"nodeGroups[g].maxPods": 20}, "commands": ["kubectl y"]}
    found = [Finding("IP002", "warning", "subnets.c", "c is tight", own, "steady")]
    found += [Finding("IP001", "error", f"subnets.{n}", f"{n} is short", fix, "steady") for n in ("a", "b")]
    found += [Finding("IP016", "info", "cni.env", "advice alone", {"summary": "read the guide"})]
    page = report_page(replace(material, findings=found))
    cards = [b for s in page.sections() for b in s.blocks if isinstance(b, Card)]
    assert [c.title.split(":")[0] for c in cards] == [
        "Fix 1 resolves 2 findings (re-checked)",
        "Fix 2 resolves 1 finding (re-checked)",
        "IP016",
    ]
    text = render_html(page, "0")
    assert text.count("<code>kubectl x</code>") == text.count("<code>kubectl y</code>") == 1
    assert text.count("hold fewer") == 1
    assert "(info)" in render_markdown(page)


def test_every_finding_is_one_row_the_most_severe_first() -> None:
    (table,) = (t for _, t in plans.example().tables() if t.name == "Findings")
    severities = [row["severity"] for row in table.rows]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert severities[0] == "error"
    assert len(table.rows) == len(plans.material_of(plans.EXAMPLE).findings)
    cards = [b.title for s in plans.example().sections() for b in s.blocks if isinstance(b, Card)]
    assert {row["fix"] for row in table.rows} == {title.split(":")[0] for title in cards}


def test_rows_are_sorted_by_severity() -> None:
    grids = {g.name: g for _, g in plans.example().tables()}
    assert grids["peak"].rows[0]["subnet"] == "private-b"
    assert grids["zone-loss (us-east-1b)"].rows[-1]["subnet"] == "private-b"  # lost
    order = ["exhausted", "tight", "ok"]
    for name in ("Scenarios", "Free share"):
        verdicts = [row["verdict"] for row in grids[name].rows]
        assert verdicts == sorted(verdicts, key=order.index)
        assert len(set(verdicts)) == 3


def test_a_plan_without_nodes_or_growth_has_a_report(tmp_path: Path) -> None:
    path = tmp_path / "capacity.yaml"
    path.write_text(
        "apiVersion: capacity/v1\nvpc:\n  cidrs: [10.0.0.0/16]\n"
        "  subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24}]\n"
    )
    content = report_page(plans.material_of(path))
    text = render_html(content, "0")
    assert "No forecast: no workload of the plan has growth." in text
    assert "what-if" not in [s.anchor for s in content.sections()]
    assert render_markdown(content).startswith("# Pod-IP capacity")


def test_what_takes_long_is_left_out_of_a_large_plan_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MANY", 1)
    material = plans.material_of(plans.EXAMPLE, ["steady"])
    assert material.warm is None
    assert [c.what for c in material.headroom] == ["nodes of general", "nodes of batch"]
    assert material.explorer is not None
    few = len(gathering.FEW_PERCENTS)
    assert material.explorer.percents[:few] == gathering.FEW_PERCENTS
    # 26 + 8 nodes at the ceiling, 9 + 2 in steady: ⌈3,400 ÷ 11⌉ = 310 %
    assert material.explorer.percents[few:] == (310,)
    assert gathering.LEFT_OUT in render_html(report_page(material), "0")


def test_the_forecast_of_many_growing_workloads_has_fewer_simulations() -> None:
    plan = read_plan(plans.EXAMPLE)
    growing = next(w for w in plan.workloads if w.growth)
    assert gathering.paths_of(plan) == 10_000
    for count, paths in ((80, 10_000), (100, 8_000), (400, 2_000), (5_000, 1_000)):
        many = tuple(replace(growing, name=f"w{i}") for i in range(count))
        assert gathering.paths_of(replace(plan, workloads=many)) == paths


def test_the_report_says_that_it_has_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_DRAWS", 1)
    text = render_markdown(report_page(plans.material_of(plans.EXAMPLE, ["steady"])))
    assert "1,000 simulations (of a plan this large; capacity forecast: 10,000); P10" in text
    assert "capacity forecast: 10,000" not in render_markdown(plans.example())


def test_the_forecast_with_the_fix_is_that_of_the_changed_plan(tmp_path: Path) -> None:
    done = capacity("report", str(plans.EXAMPLE), "-q", "--as-of", "2026-11-25", "-o", "json", "--horizon", "3y")
    (rows,) = (t["rows"] for t in json.loads(done.stdout)["results"]["tables"] if t["section"] == "forecast")
    changed = tmp_path / "fixed.yaml"
    capacity("check", str(plans.EXAMPLE), "--fix-out", str(changed), "--exit-zero")
    told = capacity("forecast", str(changed), "--as-of", "2026-11-25", "--horizon", "3y", "-o", "json")
    dates = {row["name"]: row["date_p50"] for row in json.loads(told.stdout)["results"]}
    assert {row["subnet"]: row["fixed"] for row in rows} == {n: d or "after 2029-11-25" for n, d in dates.items()}


def test_the_nodes_of_the_cluster_are_held_against_the_model() -> None:
    folder = plans.EXAMPLE.parent
    given = ("--from", str(folder / "aws-answers"), "--kubectl", str(folder / "nodes-and-pods.json"))
    done = capacity("report", str(plans.EXAMPLE), *given, "-q", "-o", "json", "--scenario", "steady")
    (rows,) = (t["rows"] for t in json.loads(done.stdout)["results"]["tables"] if t["section"] == "model")
    told = capacity("doctor", *given, "--exit-zero", "-o", "json")
    (group,) = json.loads(told.stdout)["results"]["model"]
    assert [rows[0][k] for k in ("group", "nodes", "model", "held", "off")] == [
        group["node_group"], group["nodes"], group["expected"], group["held"], len(group["nodes_off"])
    ]  # fmt: skip
    refused = capacity("report", str(plans.EXAMPLE), "--kubectl", "x")
    assert refused.stderr == "error: --kubectl: give --from as well, the folder of saved AWS output\n"
    assert refused.code == 2


class TestWhatIf:
    def test_the_position_of_now_is_the_check(self) -> None:
        result = check(read_plan(plans.EXAMPLE), ["steady"])
        found = what_if(result)
        own = found.outcomes[0][found.now]
        assert found.percents[found.now] == 100
        assert own.free == tuple(s.free for s in result.scenarios[0].subnets)
        assert own.verdict == result.verdict
        assert own.nodes == 11

    def test_another_mode_is_the_check_of_the_changed_plan(self) -> None:
        result = check(read_plan(plans.EXAMPLE), ["steady"])
        found = what_if(result)
        for mode, row in zip(found.modes, found.outcomes, strict=True):
            changed = check(with_mode(result.plan, mode), ["steady"])
            assert row[found.now].free == tuple(s.free for s in changed.scenarios[0].subnets)

    def test_modes_differ_from_the_plan(self) -> None:
        plan = read_plan(plans.EXAMPLE)
        names = [m.name for m in modes_of(plan, 10)]
        assert names[0] == "as planned"
        assert not any("WARM_ENI_TARGET=1" in n for n in names)  # what the plan has already
        assert sum("MINIMUM_IP_TARGET=10" in n for n in names) == 2

    def test_free_falls_as_nodes_grow(self) -> None:
        found = what_if(check(read_plan(plans.EXAMPLE), ["steady"]))
        for row in found.outcomes:
            totals = [sum(o.free) for o in row]
            assert totals == sorted(totals, reverse=True)

    def test_it_ends_at_the_ceiling_of_the_plan(self) -> None:
        found = what_if(check(read_plan(plans.EXAMPLE), ["steady"]))
        # 26 + 8 nodes at the ceiling, 9 + 2 in steady: ⌈3,400 ÷ 11⌉ = 310 %
        assert found.percents == (*(p for p in PERCENTS if p <= 300), 310)
        assert (found.note(found.now), found.note(found.most), found.note(0)) == ("now", "ceiling", "")
        assert found.most == len(found.percents) - 1

    def test_the_tightest_subnet_is_by_share(self) -> None:
        found = what_if(check(read_plan(plans.EXAMPLE), ["steady"]))
        own = found.outcomes[0][found.now]
        least = found.tightest(own)
        assert least is not None
        assert (least.name, least.free, round(least.share, 1)) == ("private-b", 107, 42.6)


class TestTypicalPod:
    def test_the_mean_by_replicas_rounded_up(self) -> None:
        plan = read_plan(plans.EXAMPLE)
        pod = typical_pod(plan, "general")
        # (48 × 250m + 18 × 200m + 12 × 500m) ÷ 78 = 276.9…; (48 × 512 + 18 × 384 + 12 × 1024) ÷ 78 = 561.2… Mi
        assert pod.cpu == 277
        assert pod.memory == -(-(48 * 512 + 18 * 384 + 12 * 1024) * MIB // 78)

    def test_a_group_is_offered_with_its_own_daemonsets_and_max_pods(self) -> None:
        offers = group_offers(check(read_plan(plans.EXAMPLE), ["steady"]))
        assert [o.instance_type for o in offers] == ["general (m6i.xlarge)", "batch (c6i.2xlarge)"]
        assert offers[0].max_pods == 58
        # 3920m allocatable − (50 + 100 + 50 + 20)m of daemonsets = 3700m; ÷ 277m = 13
        assert (offers[0].fits["cpu"], offers[0].binding) == (13, "cpu")


def test_grids_have_a_value_or_none_for_every_column() -> None:
    for _, grid in plans.example().tables():
        assert isinstance(grid, Table)
        for row in grid.rows:
            assert all(key in row for key, *_ in grid.columns)


def test_check_and_report_count_the_same_pods(tmp_path: Path) -> None:
    # A branch ENI is an ENI and a pod: with security groups for pods check once showed 0 pods where the report had 12.
    plan = tmp_path / "branch.yaml"
    plan.write_text(
        """\
apiVersion: capacity/v1
cni: {env: {ENABLE_POD_ENI: "true"}}
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: z, cidr: 10.0.0.0/24}]}
nodeGroups: [{name: g, instanceTypes: [m5.large], nodes: 2, subnets: [a]}]
workloads: [{name: w, replicas: 12, securityGroups: true}, {name: v, replicas: 5}]
""",
        encoding="utf-8",
    )
    found = json.loads(capacity("report", str(plan), "-o", "json", "--scenario", "steady").stdout)["results"]
    (row,) = next(t["rows"] for t in found["tables"] if t["section"] == "subnets")
    used = json.loads(capacity("check", str(plan), "-o", "json", "--scenario", "steady").stdout)["results"][
        "scenarios"
    ][0]["subnets"][0]["used"]
    assert (used["branch"], used["assigned"]) == (12, 5)
    assert (row["pods"], row["enis"]) == (17, used["node_primary"] + used["eni_primary"])
    table = capacity("check", str(plan), "--scenario", "steady", "--no-fixes").stdout
    head = next(line for line in table.splitlines() if line.startswith("subnet ") and "nodes+ENIs" in line)
    line = next(line for line in table.splitlines() if line.startswith("a  "))
    shown = dict(zip(head.split(), line.split(), strict=False))
    assert {key: int(shown[key]) for key in ("nodes+ENIs", "pods", "warm", "others")} == {
        "nodes+ENIs": row["enis"], **{key: row[key] for key in ("pods", "warm", "others")}
    }  # fmt: skip


def test_the_report_recommends_the_settings_of_warm() -> None:
    found = json.loads(capacity("warm", str(plans.EXAMPLE), "-o", "json").stdout)["results"]
    (chart,) = (c for c in plans.example().charts() if c.name == "warm")
    (row,) = (s for s in found["settings"] if s["recommended"])
    assert chart.words.startswith(f"Recommended: {row['setting']} – ")
    assert found["recommendation"]["commands"]
    shown = [b.text for s in plans.example().sections() for b in s.blocks if isinstance(b, CodeBlock)]
    assert "\n".join(found["recommendation"]["commands"]) in shown
