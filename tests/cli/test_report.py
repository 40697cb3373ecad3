"""`capacity report` through the real entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
CAPACITY = Path(sys.executable).with_name("capacity")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CAPACITY, "report", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_html_goes_to_report_html_and_says_so(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "--as-of", "2026-11-25", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "exhausted: wrote report.html"
    text = (tmp_path / "report.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert "--horizon 18mo --as-of 2026-11-25" in text
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_markdown_with_charts(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "-o", "md", "-q", "--charts", "out/charts", "--theme", "dark", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "](out/charts/subnets-peak-zone-loss--us-east-1a-.svg)" in done.stdout
    names = {p.suffix for p in (tmp_path / "out/charts").iterdir()}
    assert names == {".png", ".svg"}
    assert "#17181c" in (tmp_path / "out/charts/subnets-peak-zone-loss--us-east-1a-.svg").read_text()


def test_a_document_in_another_folder_finds_its_charts(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    run(str(EXAMPLE), "-o", "md", "-q", "--charts", "charts", "--out-file", "docs/review.md", cwd=tmp_path)
    assert "](../charts/subnets-peak-zone-loss--us-east-1a-.svg)" in (tmp_path / "docs/review.md").read_text()


def test_json_carries_the_checks_results_and_the_tables(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "-o", "json", "--scenario", "steady", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["command"]) == ("capacity/1", "report")
    assert answer["results"]["verdict"] == "ok"
    assert {t["section"] for t in answer["results"]["tables"]} >= {"subnets", "scenarios", "assumptions"}


def test_html_to_stdout_and_the_workbook(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "-q", "--out-file", "-", "--scenario", "steady", cwd=tmp_path)
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert run(str(EXAMPLE), "-q", "-o", "xlsx", cwd=tmp_path).returncode == 0
    assert (tmp_path / "report.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "pdf"], "error: --output: 'pdf' is not one of html, md, xlsx"),
        (["--theme", "drak"], "error: --theme: 'drak' is not one of light, dark (did you mean 'dark'?)"),
        (["--as-of", "soon"], "error: --as-of: 'soon' is not a date (expected YYYY-MM-DD)"),
        (["--horizon", "long"], "error: --horizon: 'long' is not a length of time"),
        (["--out-file", "no/such/r.html"], "error: --out-file 'no/such/r.html': No such file or directory"),
        (["--charts", "taken"], "error: --charts 'taken': File exists"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "taken").write_text("a file")
    done = run(str(EXAMPLE), "-q", "--scenario", "steady", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(message)
    assert os.listdir(tmp_path) == ["taken"]


def test_a_bad_horizon_is_refused_in_a_plan_without_growth(tmp_path: Path) -> None:
    plan = EXAMPLE.parent / "first-plan.yaml"
    assert "growth" not in plan.read_text()
    done = run(str(plan), "-q", "--horizon", "-3y", cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "error: --horizon: '-3y' is not a length of time (expected something like 90d, 26w, 18mo or 2y)",
    )


def test_set_changes_the_plan_and_is_named_in_the_command(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "-q", "-o", "md", "--set", "cni.env.WARM_IP_TARGET=2", "--scenario", "peak", cwd=tmp_path)
    assert "--scenario peak --set cni.env.WARM_IP_TARGET=2" in done.stdout
    assert "| WARM_IP_TARGET | not set → 2 |" in done.stdout


def test_alerts_are_three_files(tmp_path: Path) -> None:
    done = run(str(EXAMPLE), "-q", "-o", "md", "--alerts", "alerts", "--scenario", "steady", cwd=tmp_path)
    assert done.returncode == 0
    names = sorted(p.name for p in (tmp_path / "alerts").iterdir())
    assert names == ["capacity-dashboard.json", "capacity-prometheusrule.yaml", "capacity-rules.yaml"]


def test_only_what_draws_loads_matplotlib(tmp_path: Path) -> None:
    script = (
        "import sys; from capacity.cli.main import run\n"
        "heavy = {'matplotlib', 'jinja2', 'xlsxwriter'}\n"
        "try:\n    run()\nfinally:\n    print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    for name, loaded in (("md", []), ("json", []), ("xlsx", ["xlsxwriter"]), ("html", ["jinja2", "matplotlib"])):
        arguments = ["report", str(EXAMPLE), "-q", "-o", name, "--out-file", "r", "--scenario", "steady"]
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stderr.splitlines()[-1] == str(loaded)


SIZED = """
apiVersion: capacity/v1
region: us-east-1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/22}
    - {name: b, zone: us-east-1b, cidr: 10.0.4.0/22}
controlPlane: {subnets: [a, b]}
nodeGroups:
  - {name: old, instanceTypes: [m5.24xlarge], subnets: [a, b], nodes: {min: 2, max: 4}}
workloads:
  - {name: "web<b>", replicas: 30, requests: {cpu: 250m, memory: 512Mi}}
"""


def test_sizing_adds_what_optimize_answers(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(SIZED)
    chosen = ("plan.yaml", "-q", "--sizing", "--scenario", "steady", "--scenario", "peak")
    html = run(*chosen, "--out-file", "-", cwd=tmp_path).stdout
    assert '<h2 id="sizing">Node groups to buy</h2>' in html
    assert "Each row passes check." in html
    assert "web<b>" not in html
    assert "--scenario steady --scenario peak --sizing --horizon" in html
    report = json.loads(run(*chosen, "-o", "json", cwd=tmp_path).stdout)["results"]
    asked = ("plan.yaml", "-o", "json", "--scenario", "steady", "--scenario", "peak")
    optimized = subprocess.run([CAPACITY, "optimize", *asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert report["sizing"] == json.loads(optimized.stdout)["results"]
    titles = [t["title"] for t in report["tables"] if t["section"] == "sizing"]
    assert titles[:2] == ["Node groups to create", "What other choices cost (addresses and nodes at the peak)"]
    page = run(*chosen, "-o", "md", "--charts", "charts", cwd=tmp_path).stdout
    assert "## Node groups to buy" in page
    assert "](charts/packed-nodes.svg)" in page
    assert "less than the plan's own node groups" in page


def test_the_types_of_the_sizing_section(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(SIZED)
    types = "c6i.large,c6i.xlarge"
    chosen = ("plan.yaml", "-q", "--sizing", "--scenario", "steady", "--types", types, "--arch", "x86_64")
    found = json.loads(run(*chosen, "-o", "json", cwd=tmp_path).stdout)["results"]["sizing"]
    assert {t for g in found["node_groups"] for t in g["instance_types"]} <= set(types.split(","))
    html = run(*chosen, "--out-file", "-", cwd=tmp_path).stdout
    assert f"--sizing --types {types} --arch x86_64 --horizon" in html
    done = run("plan.yaml", "--types", "c6i.large", cwd=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (2, "error: --types needs --sizing")


def test_without_sizing_no_solver_runs(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(SIZED)
    assert "sizing" not in json.loads(run("plan.yaml", "-o", "json", cwd=tmp_path).stdout)["results"]
    script = (
        "import sys; from capacity.cli.main import app; app(['report', 'plan.yaml', '-q'], standalone_mode=False); "
        "print('highspy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_sizing_without_a_price_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(SIZED.replace("us-east-1", "eu-west-3"))
    done = run("plan.yaml", "-q", "--sizing", cwd=tmp_path)
    assert done.returncode == 2
    assert "no known price in eu-west-3" in done.stderr
    assert "--price-factor" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["plan.yaml"]
