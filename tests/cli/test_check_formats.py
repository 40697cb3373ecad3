"""`check` for CI: escapes, places in the plan, structure by each format's own rules."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from capacity.advice import effort, search
from capacity.advice.findings.codes import Finding
from capacity.advice.fixes import Fix, Fixes
from capacity.advice.levers.lever import Lever
from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.inert import xml_text
from capacity.pages.check_ci import annotation_of, github, junit, sarif
from capacity.pages.check_comment import comment
from capacity.plan import locate
from capacity.plan.locate import FilePlace, place_of
from capacity.plan.parse import read_plan
from tests.cli.command import run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "shop-prod.yaml"
HOSTILE = "evil::error::<&>\"']]>%0A,|*"


@pytest.fixture(autouse=True)
def _no_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


FIX = Fix(
    levers=(
        Lever(
            name="lean",
            summary="Hold `fewer`",
            patch={},
            cost="more calls",
            source="",
            commands=("kubectl set env\nmore", "# a comment", "aws eks", "aws ec2 x", "aws ec2 y"),
        ),
    ),
    patch={"cni.env.A": "3", "cni.env.B": "[<img>]", "x": "1", "y": "2"},
    verdict="ok",
    frees={"c": -20, "a|b": 30, "d": 10, "e": 5},
    short=0,
    not_ok=0,
)
FOUND = Finding("IP001", "error", "subnets.private-b", "short", {"summary": "Hold fewer.", "patch": {}, "frees": 30})


def plan_of(folder: Path, subnets: int = 1, name: str = "s", groups: int = 1) -> Path:
    """A plan whose every subnet runs out."""
    nets = [
        {"name": f"{name}{i}", "zone": f"us-east-1{'abc'[i % 3]}", "cidr": f"10.0.{i}.0/26", "used": 40}
        for i in range(subnets)
    ]
    plan = {
        "apiVersion": "capacity/v1",
        "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": nets},
        "nodeGroups": [
            {
                "name": f"g{i}",
                "instanceTypes": ["m5.large", "m5a.large"],
                "nodes": {"min": subnets, "desired": 3 * subnets, "max": 3 * subnets},
                "subnets": [n["name"] for n in nets],
            }
            for i in range(groups)
        ],
        "workloads": [{"name": f"w{i}", "replicas": 4, "requests": {"cpu": "100"}} for i in range(groups)],
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(plan))
    return path


class TestPlaces:
    @pytest.mark.parametrize(
        ("where", "text"),
        [
            ("subnets.private-b", "{name: private-b,"),
            ("zones.us-east-1c", "{name: private-c,"),
            ("nodeGroups.batch", "- name: batch"),
            ("workloads.search", "- name: search"),
            ("cni.env.WARM_ENI_TARGET", "env: {WARM_ENI_TARGET:"),
            ("cni.env.WARM_IP_TARGET", "env: {WARM_ENI_TARGET:"),  # not in the plan: its section
            ("kubernetes.serviceCidr", "serviceCidr: 172.20.0.0/16"),
        ],
    )
    def test_a_finding_is_at_its_line(self, where: str, text: str) -> None:
        place = place_of(read_plan(EXAMPLE), where)
        assert place.file == str(EXAMPLE)
        assert place.line is not None
        assert text in EXAMPLE.read_text().splitlines()[place.line - 1]

    def test_standard_input_has_no_place(self) -> None:
        plan = replace(read_plan(EXAMPLE), file="<stdin>")
        assert place_of(plan, "subnets.private-b") == FilePlace(None, None)

    def test_in_json_too(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(json.loads(plan_of(tmp_path).read_text()), indent=1))
        lines = path.read_text().splitlines()
        place = place_of(read_plan(path), "subnets.s0")
        assert place.line is not None
        assert lines[place.line - 1].strip() == "{"
        assert '"name": "s0"' in lines[place.line]

    def test_reading_json_looks_no_line_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each look-up reads the file again: only errors and findings may ask."""
        path = plan_of(tmp_path, subnets=3, groups=4)
        monkeypatch.setattr(locate, "line_of", lambda *_: pytest.fail("the file is read again"))
        assert read_plan(path).subnets[2].where == f"{path} vpc.subnets[2]"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"nodeGroups": [{"name": "g", "instanceTypes": ["m5.lrage"], "subnets": ["s0"]}]},
                r"plan.json:\d+ nodeGroups\[0\].instanceTypes\[0\]: 'm5.lrage'",
            ),
            ({"cni": {"env": {"WARM": "1"}}}, r"plan.json:\d+ cni.env.WARM: 'WARM' is not a variable"),
            (
                {"cni": {"env": {"ENABLE_IPv4": "false"}}},
                r"plan.json:\d+ cni.env: ENABLE_IPv4 and ENABLE_IPv6 are both",
            ),
        ],
    )
    def test_errors_in_json_name_the_line(self, tmp_path: Path, change: dict[str, Any], message: str) -> None:
        path = plan_of(tmp_path)
        path.write_text(json.dumps(change | json.loads(path.read_text()) | change, indent=1))
        with pytest.raises(SpecError, match=message):
            read_plan(path)


class TestGithub:
    def test_files_are_named_as_the_checkout_knows_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plan_of(tmp_path)
        monkeypatch.chdir(tmp_path)
        assert "::error file=plan.json,line=1," in run("check", str(tmp_path / "plan.json"), "-o", "github").stdout
        monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path.parent))
        below = f"file={tmp_path.name}/plan.json,"
        assert below in run("check", "plan.json", "-o", "github").stdout

    def test_no_name_breaks_out_of_its_command(self, tmp_path: Path) -> None:
        plan = plan_of(tmp_path, name=HOSTILE)
        lines = run("check", str(plan), "-q", "-o", "github").stdout.splitlines()
        assert all(
            line.startswith(("::error file=", "::warning file=", "EXHAUSTED", "fix: ", "::notice file="))
            for line in lines
        )
        error = next(line for line in lines if line.startswith("::error"))
        assert "%250A" in error  # the name's own %0A stays text

    def test_a_line_break_stays_in_its_line(self) -> None:
        assert annotation_of("a\r\n::set-output name=x::y").count("\n") == 1
        assert annotation_of("a\r\n::x").endswith("::a\\u000d\\u000a::x\n")

    def test_a_finding_names_the_fix_that_mends_it(self) -> None:
        hostile = replace(FIX, patch={"a": "::error::50%\r\nx"})
        other = replace(FOUND, code="IP005", fix={"summary": "Larger nodes."})
        lines = github(
            check(read_plan(EXAMPLE), ("steady",)), [FOUND, other], Fixes(hostile, None, (hostile,))
        ).splitlines()
        assert lines[1].startswith("fix: lean makes the verdict ok")
        assert lines[2].endswith(
            "::short%0AFix: lean makes the verdict ok (checked on the changed plan): Hold `fewer`."
            "%0AFree addresses here in the worst scenario: +30.%0AIn the plan: a=::error::50%25\\u000d\\u000ax"
        )
        assert lines[3].endswith("::short")
        assert len(lines) == 4

    def test_more_than_github_shows_is_said(self, tmp_path: Path) -> None:
        done = run("check", str(plan_of(tmp_path, subnets=12)), "-q", "-o", "github")
        assert "GitHub shows 10 of the 12 annotations of kind error; all above." in done.stdout

    def test_a_plan_that_cannot_be_read_is_annotated(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "plan.yaml").write_text("apiVersion: capacity/v1\nvpcs: {}\n")
        done = run("check", "plan.yaml", "-o", "github")
        assert done.code == 2
        assert done.stdout.startswith("::error file=plan.yaml,line=2,title=capacity%3A the plan cannot be read::plan")
        assert done.stderr.startswith("error: plan.yaml:2 vpcs: unknown key")

    def test_standard_input_is_no_file(self) -> None:
        assert annotation_of("<stdin>:3 vpc: x").startswith("::error title=")

    def test_an_error_without_a_place(self) -> None:
        text = annotation_of("--scenario: 50% of\nit")
        assert text == "::error title=capacity%3A the plan cannot be read::--scenario: 50%25 of\\u000ait\n"


class TestJunit:
    def test_a_failure_ends_with_the_fix(self) -> None:
        hostile = replace(FIX, patch={"a": "<b>]]>\x00"})
        text = junit(check(read_plan(EXAMPLE), ("peak",)), "error", Fixes(hostile, None, (hostile,)))
        (failure,) = ElementTree.fromstring(text).findall(".//failure")
        assert (failure.text or "").splitlines()[-2:] == [
            "Fix: lean makes the verdict ok (checked on the changed plan): Hold `fewer`.",
            "In the plan: a=<b>]]>\\u0000",
        ]

    def test_counts_and_what_fails(self) -> None:
        done = run("check", str(EXAMPLE), "-q", "-o", "junit")
        root = ElementTree.fromstring(done.stdout)
        cases = root.findall(".//testcase")
        failed = [c for c in cases if c.find("failure") is not None]
        assert root.get("tests") == str(len(cases))
        assert root.get("failures") == str(len(failed)) == "4"
        assert (failed[0].get("classname"), failed[0].get("name")) == ("peak", "subnet private-b")
        assert not any(c.get("classname") == "ceiling" for c in failed)  # at most tight
        subnets = len(read_plan(EXAMPLE).subnets)
        for suite in root:
            lost, updated = "zone-loss" in (suite.get("name") or ""), "upgrade" in (suite.get("name") or "")
            assert suite.get("tests") == str(len(suite)) == str(subnets - lost + 2 + updated)

    def test_what_the_exit_code_counts_fails(self) -> None:
        done = run("check", str(EXAMPLE), "-q", "-o", "junit", "--fail-on", "warning")
        failures = ElementTree.fromstring(done.stdout).findall(".//failure")
        assert {f.get("type") for f in failures} == {"exhausted", "tight"}

    def test_pods_without_a_node_are_a_case(self, tmp_path: Path) -> None:
        done = run("check", str(plan_of(tmp_path)), "-q", "-o", "junit", "--fail-on", "warning")
        cases = ElementTree.fromstring(done.stdout).findall(".//testcase[@name='every pod is scheduled']/failure")
        assert cases
        assert cases[0].get("message") == "4 w0 pods are unschedulable: limited by CPU"

    def test_any_name_gives_valid_xml(self, tmp_path: Path) -> None:
        done = run("check", str(plan_of(tmp_path, name=HOSTILE)), "-q", "-o", "junit")
        names = [c.get("name") or "" for c in ElementTree.fromstring(done.stdout).findall(".//testcase")]
        assert any(HOSTILE in n for n in names)

    def test_what_xml_cannot_carry_is_shown(self) -> None:
        root = ElementTree.Element("x")
        root.text = xml_text("bell \u0007, \ufffe, \ud800, tab \t, \U0001f600 <")
        shown = ElementTree.fromstring(ElementTree.tostring(root, encoding="unicode")).text
        assert shown == "bell \\u0007, \\ufffe, \\ud800, tab \t, \U0001f600 <"


# The parts of OASIS SARIF 2.1.0 that the log uses: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ (§3.13 to §3.52)
MESSAGE: dict[str, Any] = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string", "minLength": 1}},
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$"},
                                                "shortDescription": MESSAGE,
                                                "fullDescription": MESSAGE,
                                                "help": MESSAGE,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "additionalProperties": False,
                                                    "properties": {"level": LEVEL},
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "properties": {"type": "object"},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": MESSAGE,
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "logicalLocations": {
                                                "type": "array",
                                                "items": {
                                                    "type": "object",
                                                    "additionalProperties": False,
                                                    "properties": {"fullyQualifiedName": {"type": "string"}},
                                                },
                                            },
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation"],
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "required": ["uri"],
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "uri": {"type": "string", "pattern": r"^[^\s<>\"{}|\\^`]+$"}
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "required": ["startLine"],
                                                        "additionalProperties": False,
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                                    },
                                                },
                                            },
                                        },
                                    },
                                },
                                "properties": {"type": "object"},
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


class TestSarif:
    def test_the_fix_is_in_the_message_and_in_the_property_bag(self) -> None:
        log = json.loads(sarif(check(read_plan(EXAMPLE), ("peak",)), [FOUND], Fixes(FIX, None, (FIX,))))
        jsonschema.validate(log, LOG_SCHEMA)
        (entry,) = log["runs"][0]["results"]
        assert "\nFix: lean makes the verdict ok" in entry["message"]["text"]
        assert entry["properties"]["fix"] == {"summary": "Hold fewer.", "patch": {}, "frees": 30}
        assert log["runs"][0]["properties"]["fix"].startswith("lean makes the verdict ok")

    @pytest.mark.parametrize("name", ["s", HOSTILE])
    def test_structure(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "plans of a {b}"
        folder.mkdir()
        log = json.loads(run("check", str(plan_of(folder, subnets=2, name=name)), "-q", "-o", "sarif").stdout)
        jsonschema.validate(log, LOG_SCHEMA)
        rules = log["runs"][0]["tool"]["driver"]["rules"]
        results = log["runs"][0]["results"]
        assert results
        assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)
        prints = [r["partialFingerprints"]["capacityFinding/v1"] for r in results]
        assert len(set(prints)) == len(prints)

    def test_every_code_is_a_rule_with_help(self) -> None:
        rules = json.loads(run("check", str(EXAMPLE), "-q", "-o", "sarif").stdout)["runs"][0]["tool"]["driver"]["rules"]
        assert len(rules) >= 18
        assert all("Fix:" in r["help"]["text"] and "Source:" in r["help"]["text"] for r in rules)


@pytest.mark.parametrize("output", ["junit", "sarif"])
def test_machines_read_ascii_whatever_the_stream(tmp_path: Path, output: str) -> None:
    assert run("check", str(plan_of(tmp_path, name="süd→")), "-q", "-o", output).stdout.isascii()


class TestComment:
    def test_fewer_than_forty_lines_whatever_the_plan(self, tmp_path: Path) -> None:
        done = run("check", str(plan_of(tmp_path, subnets=40, groups=12)), "-q", "-o", "md")
        shown, _, unfolded = done.stdout.partition("<details>")
        folded, _, rest = unfolded.partition("</details>")
        assert len((shown + rest).splitlines()) < 40
        assert len(folded.splitlines()) < 15
        assert " chosen |" in folded or " not enough: " in folded
        assert "| 30 more subnets |" in done.stdout
        assert "- **IP001** error (worst of 40): zone-loss (us-east-1b): " in done.stdout

    def test_the_fix_shows_what_it_frees_its_cost_its_patch_and_its_commands(self) -> None:
        text = comment(check(read_plan(EXAMPLE), ("steady",)), [FOUND], {}, Fixes(FIX, None, (FIX,)))
        assert "**Fix**: lean makes the verdict ok (checked on the changed plan): Hold \\`fewer\\`.\n" in text
        assert "\n- Free addresses in the worst scenario: a\\|b +30, c -20, d +10 and 1 more subnet.\n" in text
        assert "\n- Trade-off: more calls.\n" in text
        assert "\n- In the plan: `cni.env.A=3`, `cni.env.B=[<img>]`, `x=1` and 1 more\n" in text
        assert "\n- To paste: `aws eks`; `aws ec2 x`; `capacity check --explain` shows 2 more commands\n" in text

    def test_the_nearest_is_named_where_nothing_is_enough(self) -> None:
        near = replace(FIX, verdict="tight")
        text = comment(check(read_plan(EXAMPLE), ("steady",)), [FOUND], {}, Fixes(None, near, (near,)))
        assert "**Fix**: no change that was tried makes the verdict ok; the nearest is lean (tight): Hold" in text
        text = comment(check(read_plan(EXAMPLE), ("steady",)), [FOUND], {}, Fixes(None, None, ()))
        assert "**Fix**: no lever can be applied to this plan.\n" in text

    def test_without_a_search_the_gravest_finding_says_what_helps(self) -> None:
        done = run("check", str(EXAMPLE), "-q", "-o", "md", "--no-fixes")
        assert "**Fix** (IP001): Hold fewer spare addresses per node" in done.stdout

    def test_a_set_value_is_named(self) -> None:
        done = run("check", str(EXAMPLE), "-q", "-o", "md", "--set", "cni.env.WARM_IP_TARGET=2")
        assert "WARM_IP_TARGET=2, with cni.env.WARM_IP_TARGET=2)" in done.stdout

    def test_names_make_no_markup(self, tmp_path: Path) -> None:
        done = run("check", str(plan_of(tmp_path, name="<img>|[x](http://a.example)`")), "-q", "-o", "md")
        assert "<img>" not in re.sub(r"`[^`\n]*`", "", done.stdout.replace("\\`", ""))
        assert "&lt;img&gt;\\|\\[x\\](http:&#8203;//a.example)\\`0" in done.stdout

    def test_with_explain_every_term_is_shown(self) -> None:
        done = run("check", str(EXAMPLE), "-q", "-o", "md", "--explain", "--scenario", "steady")
        assert "usable = 507" in done.stdout


def test_csv_looks_for_no_fix_and_the_others_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def searched(*_: object) -> Fixes:
        asked.append(output)
        return Fixes(None, None, ())

    monkeypatch.setattr(search, "find_fixes", searched)
    plan = str(plan_of(tmp_path))
    for output in ("csv", "json", "yaml", "table", "md", "github", "junit", "sarif"):
        assert run("check", plan, "-q", "-o", output).code == 1
        assert run("check", plan, "-q", "-o", output, "--no-fixes").code == 1
    assert asked == ["json", "yaml", "table", "md", "github", "junit", "sarif"]


def test_a_plan_too_large_to_be_searched_unasked_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "SEARCH", 1)
    plan = str(plan_of(tmp_path))
    done = run("check", plan, "-o", "github")
    assert "note: the plan is too large to search for fixes by default; --fixes searches" in done.stderr
    assert "fix: " not in done.stdout
    assert "note:" not in run("check", plan, "-o", "csv").stderr
    assert "\nfix: " in run("check", plan, "-q", "-o", "github", "--fixes").stdout


@pytest.mark.parametrize("verb", ["compare", "warm", "node", "maxpods"])
@pytest.mark.parametrize("output", ["github", "junit", "sarif"])
def test_only_check_has_these(verb: str, output: str) -> None:
    done = run(verb, "m5.large" if verb in ("node", "maxpods") else str(EXAMPLE), "-o", output)
    assert done.code == 2
    assert f"--output: '{output}' is not one of table, json, yaml, csv, md" in done.stderr


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "md", "github", "junit", "sarif"])
@pytest.mark.parametrize("others", [(), ("--scenario", "steady")])
def test_a_subnet_of_a_zone_that_every_scenario_loses(form: str, others: tuple[str, ...]) -> None:
    asked = ("--scenario", "zone-loss:zone=us-east-1a", *others)
    done = run("check", str(EXAMPLE), "-q", "--no-fixes", "-o", form, *asked)
    assert done.code in (0, 1)
    if form == "md":
        (row,) = (line for line in done.stdout.splitlines() if line.startswith("| private-a "))
        assert ("| lost (zone-loss (us-east-1a)) |" in row and row.endswith("| lost |")) == (not others)
        assert "| lost |" in row
