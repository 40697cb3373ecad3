"""`capacity fleet simulate` through its entry point: the figures of `capacity simulate`, for every cluster."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.fixtures.fleets import Cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT = ("--scenario", "peak", "--for", "12m")


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cluster that runs out at its peak, one that does not, and one that is not simulated."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "plans"
    folder.mkdir()
    full = Cluster("full", ("c", "d"), vpc="vpc-1", nodes=5, most=30, replicas=20, peak=240)
    calm = Cluster("calm", vpc="vpc-2")
    for cluster in (calm, full):
        (folder / f"{cluster.name}.yaml").write_text(cluster.text)
    (folder / "other.yaml").write_text((EXAMPLES / "cilium-eni.yaml").read_text())
    return folder


def results(*arguments: str) -> dict[str, Any]:
    done = run("fleet", "simulate", "plans", *SHORT, *arguments, "-o", "json")
    assert done.code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["results"]
    return found


def alone(plan: str, *arguments: str) -> dict[str, Any]:
    done = run("simulate", plan, *SHORT, *arguments, "--jobs", "1", "-o", "json")
    found: dict[str, Any] = json.loads(done.stdout)["results"]["summary"]
    return found


@pytest.mark.usefixtures("plans")
def test_each_row_has_the_figures_of_the_command() -> None:
    found = results("--seed", "3")
    rows = {row["name"]: row for row in found["clusters"]}
    for name in ("calm", "full"):
        row, summary = rows[name], alone(f"plans/{name}.yaml", "--seed", "3")
        assert row["summary"] == summary
        assert (row["error"], row["not_simulated"]) == (None, None)
        assert row["delay_p99_s"] == summary["delay_s"]["p99"]
        for key in ("pods_started", "pods_waited", "pods_never_started", "pods_unschedulable", "ec2_calls"):
            assert row[key] == summary[key]
    assert rows["calm"]["first"] is None
    out = {s["name"]: s["exhausted_at"] for s in rows["full"]["summary"]["subnets"] if s["exhausted_at"] is not None}
    first = found["runs_out_first"]
    assert [row["name"] for row in first] == ["full"]
    assert out[first[0]["subnet"]] == first[0]["exhausted_at"] == min(out.values())
    assert first[0]["exhausted_share"] == 1.0


def test_several_seeds_are_means_and_the_first_time_of_any(plans: Path) -> None:
    (plans / "shop.yaml").write_text((EXAMPLES / "shop-prod.yaml").read_text())
    long = ("--for", "30m")  # the last one counts
    (row,) = (row for row in results(*long, "--seeds", "3")["clusters"] if row["name"] == "shop-prod")
    each = [alone("plans/shop.yaml", *long, "--seed", str(seed)) for seed in (1, 2, 3)]
    calls = [one["ec2_calls"] for one in each]
    assert len(set(calls)) > 1
    assert row["summary"] == alone("plans/shop.yaml", *long, "--seeds", "3")
    assert row["ec2_calls"] == round(sum(calls) / 3, 1)
    times = [(s["exhausted_at"], s["name"]) for one in each for s in one["subnets"] if s["exhausted_at"] is not None]
    assert (row["first"]["exhausted_at"], row["first"]["subnet"]) == min(times)


@pytest.mark.usefixtures("plans")
def test_the_number_of_processes_changes_nothing() -> None:
    arguments = ("fleet", "simulate", "plans", *SHORT, "--seeds", "2")
    for output in ("json", "csv"):
        one = run(*arguments, "-o", output)
        assert one.stdout == run(*arguments, "-o", output, "--jobs", "3").stdout
        assert one.code == 0


def test_clusters_in_shared_subnets_are_counted(plans: Path) -> None:
    """As if the plan named the other one."""
    shared: dict[str, Any] = {"subnets": ("c", "d"), "vpc": "vpc-3"}
    one, two = (
        Cluster("one", **shared, most=8, peak=60),
        Cluster("two", **shared, nodes=5, most=6, replicas=40, peak=40),
    )
    for path in plans.iterdir():
        path.unlink()
    (plans / "one.yaml").write_text(one.text)
    single = results()["clusters"][0]["summary"]["subnets"]
    (plans / "two.yaml").write_text(two.text)
    (row, _) = results()["clusters"]
    assert row["shares_with"] == ["two"]
    assert [s["lowest_free"] for s in row["summary"]["subnets"]] < [s["lowest_free"] for s in single]
    (plans / "named").mkdir()
    (plans / "named" / "one.yaml").write_text(Cluster("one", **shared, most=8, peak=60, beside=("../two.yaml",)).text)
    assert row["summary"] == alone("plans/named/one.yaml")


@pytest.mark.usefixtures("plans")
def test_what_is_not_simulated_has_a_reason_and_is_no_error() -> None:
    done = run("fleet", "simulate", "plans", *SHORT, "--wide")
    assert done.code == 0
    assert done.stdout.startswith("peak, 12 min: 1 of 2 clusters can run out. First: full, ")
    assert "1 cluster not simulated." in done.stdout
    reason = "Cilium manages the addresses of these nodes: only the VPC CNI is simulated"
    assert reason in done.stdout
    rows = list(csv.DictReader(io.StringIO(run("fleet", "simulate", "plans", *SHORT, "-o", "csv").stdout)))
    assert [row["name"] for row in rows] == ["full", "calm", "cilium-eni"]
    assert rows[2]["not_simulated"].startswith(reason)
    assert (rows[2]["ec2_calls"], rows[2]["pods_waited"]) == ("", "")  # unknown, not 0
    assert "| full |" in run("fleet", "simulate", "plans", *SHORT, "-o", "md").stdout


def test_a_plan_without_an_answer_is_a_row(plans: Path) -> None:
    (plans / "broken.yaml").write_text("apiVersion: capacity/v1\nvpc: {cidr: 1}\n")
    done = run("fleet", "simulate", "plans", *SHORT, "-q")
    assert done.code == 2
    assert "Plans that could not be answered" in done.stdout
    assert run("fleet", "simulate", "plans", *SHORT, "-q", "--keep-going").code == 0


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "rollot"), "error: --scenario: 'rollot' is not one of steady, peak, "),
        (("--seeds", "0"), "error: --seeds: 0 is out of range (expected 1 to 10,000)"),
        (("--for", "0s"), "error: --for: '0s' is out of range (expected 1s to 60d)"),
        (("--seed", "-1"), "error: --seed: -1 "),
    ],
)
def test_bad_options_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = run("fleet", "simulate", "plans", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
