"""`capacity compare`: sides, formats, exit codes; `check --set`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.command import run

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "shop-prod.yaml")
TARGETS = ("--set", "cni.env.WARM_IP_TARGET=3", "--set", "cni.env.MINIMUM_IP_TARGET=15")


def test_one_plan_and_a_change() -> None:
    done = run("compare", EXAMPLE, *TARGETS, "-o", "json")
    assert done.code == 0  # although the plan runs out before
    answer = json.loads(done.stdout)
    assert answer["command"] == "compare"
    assert answer["inputs"]["set"] == {"cni.env.WARM_IP_TARGET": "3", "cni.env.MINIMUM_IP_TARGET": "15"}
    assert answer["inputs"]["before"]["cni"]["warm_ip_target"] == 0
    assert answer["inputs"]["after"]["cni"]["warm_ip_target"] == 3
    results = answer["results"]
    assert (results["verdict_before"], results["verdict_after"]) == ("exhausted", "exhausted")
    peak = next(s for s in results["scenarios"] if s["name"] == "peak")
    row = next(s for s in peak["subnets"] if s["name"] == "private-b")
    assert (row["free_before"], row["free_after"], row["free_change"], row["used_change"]) == (-43, 60, 103, -103)
    assert (peak["nodes_before"], peak["nodes_after"]) == (26, 26)


def test_two_plans_are_one_plan_and_its_patch(tmp_path: Path) -> None:
    from capacity.plan.patch import write_patched

    other = tmp_path / "other.yaml"
    write_patched(EXAMPLE, {"cni.env.WARM_IP_TARGET": "3", "cni.env.MINIMUM_IP_TARGET": "15"}, other)
    two = json.loads(run("compare", EXAMPLE, str(other), "-o", "json").stdout)
    one = json.loads(run("compare", EXAMPLE, *TARGETS, "-o", "json").stdout)
    assert two["results"] == one["results"]


def test_the_page() -> None:
    done = run("compare", EXAMPLE, *TARGETS, "-q")
    assert done.stdout.startswith("EXHAUSTED before and after: ")
    assert "-43 → 60" in done.stdout
    assert "Unchanged" not in done.stdout


def test_what_stays_is_named_in_one_line() -> None:
    done = run("compare", EXAMPLE, "--set", "nodeGroups.general.nodes.max=23", "-q")
    assert "\nUnchanged: steady, peak, rollout, " in done.stdout
    assert "general 26 → 23" in done.stdout


def test_csv_has_a_row_per_scenario_and_subnet() -> None:
    done = run("compare", EXAMPLE, *TARGETS, "-o", "csv", "--scenario", "peak")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [r["name"] for r in rows] == ["private-a", "private-b", "private-c"]
    assert rows[1]["free_change"] == "103"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((EXAMPLE,), "nothing to compare"),
        (("-", "-"), "standard input can be read only once"),
        ((EXAMPLE, "none.yaml"), "none.yaml: no such file"),
        ((EXAMPLE, "--set", "nodeGroups.genral.maxPods=3"), "did you mean 'general'?"),
        ((EXAMPLE, "--set", "nodeGroups.general.maxPodz=3"), "(did you mean 'maxPods'?) (after setting nodeGroups"),
        ((EXAMPLE, "--set", "x"), "expected PATH=VALUE"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], message: str) -> None:
    done = run("compare", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


class TestCheckSet:
    def test_the_verdict_is_that_of_the_changed_plan(self) -> None:
        assert run("check", EXAMPLE, "-q").code == 1
        done = run("check", EXAMPLE, "-q", *TARGETS, "-o", "json")
        assert done.code == 1
        assert json.loads(done.stdout)["results"]["verdict"] == "exhausted"  # with a lost zone at peak
        assert run("check", EXAMPLE, "-q", *TARGETS, "--scenario", "peak").code == 0
        assert json.loads(done.stdout)["inputs"]["set"]["cni.env.WARM_IP_TARGET"] == "3"

    def test_the_file_stays(self) -> None:
        before = Path(EXAMPLE).read_bytes()
        run("check", EXAMPLE, "-q", *TARGETS)
        assert Path(EXAMPLE).read_bytes() == before

    def test_appending_a_subnet(self) -> None:
        subnet = "vpc.subnets[+]={name: d, zone: us-east-1b, cidr: 10.40.8.0/23}"
        group = "nodeGroups.general.subnets[+]=d"
        done = run("check", EXAMPLE, "-q", "--set", subnet, "--set", group, "-o", "json")
        steady = json.loads(done.stdout)["results"]["scenarios"][0]
        assert [s["name"] for s in steady["subnets"]] == ["private-a", "private-b", "private-c", "d"]
