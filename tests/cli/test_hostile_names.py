"""Names of others in every answer: no line commands GitHub's runner, nothing in Markdown links, mentions or is HTML."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.cli.entry import capacity
from tests.unit.test_inert import runner_obeys

FIRST, SECOND = (
    "a ##[stop-commands]t",
    "::error file=x::@team https://a.example www.b.example #12 [x](http://c.example)",
)
PLAN = {
    "apiVersion": "capacity/v1",
    "metadata": {"name": "##[error]plan"},
    "region": "us-east-1",
    "vpc": {
        "cidrs": ["10.0.0.0/16"],
        "subnets": [
            {"name": FIRST, "zone": "us-east-1a", "cidr": "10.0.0.0/26"},
            {"name": SECOND, "zone": "us-east-1b", "cidr": "10.0.1.0/26"},
        ],
    },
    "nodeGroups": [
        {
            "name": "::warning::g",
            "instanceTypes": ["m5.large"],
            "nodes": {"min": 2, "desired": 6, "max": 20},
            "subnets": [FIRST, SECOND],
        }
    ],
    "workloads": [{"name": "##[w]", "replicas": 200, "requests": {"cpu": "100m", "memory": "128Mi"}}],
}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return "plan.json"


VERBS = (
    ("check",),
    ("check", "--explain"),
    ("subnets",),
    ("forecast", "--as-of", "2026-11-30"),
    ("compare", "--set", "cni.env.WARM_IP_TARGET=2"),
    ("warm",),
    ("report",),
)


@pytest.mark.parametrize("verb", VERBS, ids=lambda v: " ".join(v))
@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "md"])
def test_no_answer_commands_the_runner(plan: str, verb: tuple[str, ...], form: str) -> None:
    name, *options = verb
    done = capacity(name, plan, *options, "-o", form)
    assert done.code in (0, 1), done.stderr
    assert not runner_obeys(done.stdout)
    assert not runner_obeys(done.stderr)


@pytest.mark.parametrize("form", ["junit", "sarif", "slack"])
def test_nor_do_the_formats_of_machines(plan: str, form: str) -> None:
    assert not runner_obeys(capacity("check", plan, "-o", form).stdout)


def test_of_annotations_only_ours_are_commands(plan: str) -> None:
    lines = capacity("check", plan, "-q", "-o", "github").stdout.splitlines()
    ours = [line for line in lines if re.match("::(error|warning|notice) file=plan.json,", line)]
    assert ours
    assert not runner_obeys("\n".join(line for line in lines if line not in ours))
    assert not any("##[" in line for line in lines)


def test_programs_read_the_names_as_they_are(plan: str) -> None:
    def names(answer: dict[str, object]) -> set[str]:
        results = answer["results"]
        assert isinstance(results, dict)
        return {s["name"] for s in results["scenarios"][0]["subnets"]}

    assert names(json.loads(capacity("check", plan, "-o", "json").stdout)) == {FIRST, SECOND}
    assert names(yaml.safe_load(capacity("check", plan, "-o", "yaml").stdout)) == {FIRST, SECOND}
    suites = ElementTree.fromstring(capacity("check", plan, "-o", "junit").stdout)
    cases = {case.get("name") for case in suites.iter("testcase")}
    assert {f"subnet {FIRST}", f"subnet {SECOND}"} <= cases
    assert list(csv.DictReader(io.StringIO(capacity("check", plan, "-q", "-o", "csv").stdout)))


@pytest.mark.parametrize("verb", [v for v in VERBS if v[0] != "report"], ids=lambda v: " ".join(v))
def test_markdown_mentions_and_links_nothing(plan: str, verb: tuple[str, ...]) -> None:
    name, *options = verb
    page = capacity(name, plan, *options, "-q", "-o", "md").stdout
    text = re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^```.*?^```", "", page.replace("\\`", "")))
    assert not re.search(r"@team|https?://|www\.b|#12|(?<!\\)\]\(", text)


def test_the_report_mentions_and_links_nothing(plan: str) -> None:
    page = capacity("report", plan, "-q", "-o", "md").stdout
    text = re.sub(r"(?ms)^```.*?^```", "", page)
    assert "@team" not in text
    assert "www.b" not in text
    assert "https://a.example" not in text
    assert not re.search(r"(?<!\\)\]\(http", text)


OVERLAY = (
    '{"apiVersion":"karpenter.sh/v1","kind":"NodeOverlay","metadata":{"name":"x\\n::error file=a::b\\n::add-mask::a"}}'
)


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        (("import", "karpenter", "-"), OVERLAY),
        (("import", "kubectl", "-"), OVERLAY),
        (("check", "-"), 'apiVersion: capacity/v1\n"a\\n::error::b": 1\n'),
        (("check", "-"), '{"apiVersion": "capacity/v1", "##[error]x": 1}'),
        (("check", "none\n::error::x\r##[error]y.yaml"), ""),
        (("check", "none\n::error::x", "-o", "github"), ""),
        (("check", "-", "--set", "a\n::error::x=1"), "a: 1"),
        (("check", "-", "--set", "##[error]x=1"), "a: 1"),
        (("check", "-", "--scenario", "x\n::error::y"), json.dumps(PLAN)),
        (("explain", "x\n::error::y", "-"), json.dumps(PLAN)),
        (("explain", "##[error]y", "-"), json.dumps(PLAN)),
        (("maxpods", "x\n::error::y"), ""),
        (("maxpods", "##[error]y.large"), ""),
        (("node", "m5.large", "--daemonset", "a\n::error::x=1"), ""),
        (("forecast", "--history", "/dev/stdin", "--horizon", "\n::error::x"), ""),
    ],
    ids=lambda v: " ".join(v)[:40] if isinstance(v, tuple) else "",
)
def test_an_error_or_note_is_one_line_that_commands_nothing(arguments: tuple[str, ...], content: str) -> None:
    done = capacity(*arguments, stdin=content.encode())
    assert done.stderr
    assert not runner_obeys(done.stderr)
    assert all(line.startswith(("error: ", "note: ", "warning: ")) for line in done.stderr.splitlines())
    commands = 1 if "github" in arguments else 0
    assert len(done.stdout.splitlines()) == commands


def test_a_history_whose_names_are_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f'2026-10-{d:02d},"x\n::error::{d % 1}",{200 - d}\n' for d in range(1, 31))
    (tmp_path / "h.csv").write_text("time,subnet,free\n" + rows)
    for form in ("table", "md", "csv", "json", "yaml"):
        done = capacity("forecast", "--history", "h.csv", "--usable", "251", "-o", form)
        assert done.code == 0, done.stderr
        assert not runner_obeys(done.stdout + "\n" + done.stderr), form


@pytest.mark.parametrize("verb", VERBS, ids=lambda v: " ".join(v))
@pytest.mark.parametrize("form", ["table", "md"])
def test_no_name_turns_the_text_around(plan: str, verb: tuple[str, ...], form: str) -> None:
    turned = json.loads(Path(plan).read_text())
    for thing in (*turned["vpc"]["subnets"], *turned["nodeGroups"], *turned["workloads"], turned["metadata"]):
        thing["name"] = f"\u202e{thing['name']}\u2066"
    turned["nodeGroups"][0]["subnets"] = [s["name"] for s in turned["vpc"]["subnets"]]
    Path(plan).write_text(json.dumps(turned))
    said = capacity(verb[0], plan, *verb[1:], "-o", form)
    assert said.code in (0, 1)
    lines = (said.stdout + said.stderr).split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert any("\\u202e" in line for line in lines)
