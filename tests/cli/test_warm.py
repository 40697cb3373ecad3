"""`capacity warm`: a plan or a type, formats, what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.command import run

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "shop-prod.yaml")


def test_a_plan() -> None:
    done = run("warm", EXAMPLE, "-o", "json")
    assert done.code == 0
    results = json.loads(done.stdout)["results"]
    best = results["recommendation"]
    assert best["setting"] == "WARM_IP_TARGET=4 MINIMUM_IP_TARGET=17"
    assert (best["verdict_before"], best["verdict_after"]) == ("exhausted", "exhausted")
    assert sum(f["frees"] for f in best["frees"] if f["scenario"] == "peak") == 270
    assert best["patch"] == {"cni.env.WARM_IP_TARGET": "4", "cni.env.MINIMUM_IP_TARGET": "17"}
    (now,) = [s for s in results["settings"] if s["current"]]
    assert (now["setting"], now["addresses"]) == ("WARM_ENI_TARGET=1", {"steady": 330, "peak": 780})
    assert sum(s["recommended"] for s in results["settings"]) == 1
    assert {n["node_group"] for n in results["nodes"]} == {"general", "batch"}


def test_its_patch_is_what_check_set_takes() -> None:
    best = json.loads(run("warm", EXAMPLE, "-o", "json").stdout)["results"]["recommendation"]
    options = [o for path, value in best["patch"].items() for o in ("--set", f"{path}={value}")]
    checked = json.loads(run("check", EXAMPLE, *options, "-o", "json").stdout)["results"]
    free = {(s["name"], s["variant"], n["name"]): n["free"] for s in checked["scenarios"] for n in s["subnets"]}
    assert free == {(f["scenario"], f["variant"], f["subnet"]): f["free_after"] for f in best["frees"]}


def test_a_type_over_a_range() -> None:
    done = run("warm", "--type", "m5.large", "--pods-per-node", "8..30", "-o", "json")
    answer = json.loads(done.stdout)
    assert answer["inputs"]["pods_per_node"] == [8, 30]
    assert answer["warnings"] == [
        "m5.large runs at most 27 pods on VPC addresses (max pods 29, 2 of them host-network pods; "
        "27 addresses): 28 to 30 are not included"
    ]
    usual = next(s for s in answer["results"]["settings"] if s["setting"] == "WARM_ENI_TARGET=1")
    assert usual["addresses_per_node"] == {
        "range": 29.0
    }  # two ENIs at 8 and 9 pods, three at 10 to 27: (2×20 + 18×30)/20


def test_a_xen_type_has_no_prefixes() -> None:
    done = run("warm", "--type", "m4.large", "--pods-per-node", "9", "--mode", "prefix", "-o", "json")
    answer = json.loads(done.stdout)
    assert answer["warnings"] == ["m4.large runs on xen: it gets single addresses, not prefixes"]
    assert not any(s["prefix_delegation"] for s in answer["results"]["settings"])


def test_the_page_says_what_it_leaves_out() -> None:
    short = run("warm", "--type", "m5.large", "--pods-per-node", "10").stdout
    full = run("warm", "--type", "m5.large", "--pods-per-node", "10", "--all").stdout
    assert " settings are not shown: they are less efficient, or between the rows shown (--all shows them)" in short
    assert "are not shown" not in full
    assert full.count("\n") > short.count("\n")
    assert short.startswith(
        "Set WARM_IP_TARGET=3 MINIMUM_IP_TARGET=13: 15.0 instead of 30.0 addresses per node.\nRule: "
    )
    assert "\nkubectl set env daemonset/aws-node -n kube-system WARM_IP_TARGET=3 MINIMUM_IP_TARGET=13\n" in short


def test_csv_has_a_row_per_setting() -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("warm", "--type", "m5.large", "--pods-per-node", "9", "-o", "csv").stdout))
    )
    (flapping,) = [r for r in rows if r["setting"] == "WARM_ENI_TARGET=0"]
    assert flapping["flaws"].startswith("flaps: ")
    assert flapping["addresses.range"] == "20"


def test_explain_gives_the_terms_of_the_figures() -> None:
    done = run("warm", "--type", "m5.large", "--pods-per-node", "10", "--explain", "-o", "json")
    results = json.loads(done.stdout)["results"]
    assert [e["setting"] for e in results["explain"]] == ["WARM_ENI_TARGET=1", "WARM_IP_TARGET=3 MINIMUM_IP_TARGET=13"]
    for explained in results["explain"]:
        (row,) = [s for s in results["settings"] if s["setting"] == explained["setting"] and not s["prefix_delegation"]]
        terms = {t["label"]: t["value"] for t in explained["nodes"][0]["terms"]}
        assert terms["enis"] + terms["pod addresses"] == row["addresses"]["range"]
        assert terms["warm"] == row["idle"]["range"]
        calls = terms["calls: start"] + terms["calls: ENIs"] + terms["calls: addresses"]
        assert calls == row["calls_per_launch"]
        assert terms["calls: coming"] / (2 * terms["swing"]) == row["calls_per_start"]
        assert terms["calls: going"] / (2 * terms["swing"]) == row["calls_per_stop"]
    page = run("warm", "--type", "m5.large", "--pods-per-node", "10", "--explain").stdout
    assert "\n  calls: ENIs = 12  (2 additional × 6)  [aws/amazon-vpc-cni-k8s@b5218838 awsutils.go L978-1221]\n" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--type", "m5.lrage", "--pods-per-node", "9"), "--type: 'm5.lrage' is not a known instance type (did you"),
        (("--type", "m5.large"), "--type needs --pods-per-node"),
        (("--type", "m5.large", "--pods-per-node", "x"), "--pods-per-node: 'x' is not a range"),
        (("--type", "m5.large", "--pods-per-node", "9..3"), "is out of range"),
        (("--type", "m5.large", "--pods-per-node", "99"), "'m5.large' runs at most 27 pods on VPC addresses under"),
        (("--type", "m5.large", "--pods-per-node", "9", "--swing", "x"), "--swing: 'x' is not a percentage"),
        (("--type", "m5.large", "--pods-per-node", "9", "--swing", "101%"), "--swing: '101%' is out of range"),
        (("--type", "m5.large", "--pods-per-node", "9", "--mode", "ipv6"), "--mode: 'ipv6' is not one of"),
        (("--type", "m5.large", "--pods-per-node", "9", "--env", "WARM=1"), "'WARM' is not a variable of the VPC CNI"),
        (("--type", "m5.large", "--pods-per-node", "9", "--env", "ENABLE_IPv6=true"), "no warm targets to set"),
        (("--type", "m5.large", "--pods-per-node", "9", "--ami", "windows"), "Windows nodes: their targets"),
        ((EXAMPLE, "--type", "m5.large", "--pods-per-node", "9"), "give a plan (with --set) or --type"),
        ((EXAMPLE, "--pods-per-node", "9"), "--pods-per-node needs --type"),
        ((EXAMPLE, "--max-pods", "9"), "--max-pods needs --type"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], message: str) -> None:
    done = run("warm", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_churn_changes_what_is_recommended() -> None:
    """The setting that the formulas recommend makes a tenth of the pods wait when four are replaced per minute."""
    done = run("warm", EXAMPLE, "--churn", "4/min", "-o", "json")
    results = json.loads(done.stdout)["results"]
    by_name = {row["setting"]: row["churn"] for row in results["settings"] if not row["prefix_delegation"]}
    best = results["recommendation"]["setting"]
    assert best == "WARM_IP_TARGET=2 MINIMUM_IP_TARGET=20"
    assert by_name[best]["waited_pct"] <= 1 < 5 < by_name["WARM_IP_TARGET=4 MINIMUM_IP_TARGET=17"]["waited_pct"]
    usual = by_name["WARM_ENI_TARGET=1"]
    assert (usual["waited_pct"], usual["delay_p99_s"], usual["calls_per_hour"]) == (0.0, 0.0, 0.0)
    tight = by_name["WARM_IP_TARGET=1 MINIMUM_IP_TARGET=11"]
    assert tight["waited_pct"] > 40
    assert 10 <= tight["delay_p90_s"] <= tight["delay_p99_s"]
    assert tight["calls_per_hour"] > 50
    assert "under the stated churn at most 1% of the pods wait" in results["recommendation"]["rule"]


def test_the_budget_sets_the_simulated_time_and_nothing_else() -> None:
    node = ("warm", "--type", "m5.large", "--pods-per-node", "20", "--churn", "2/min", "-o", "json")
    hours = []
    for budget in ("2s", "4s"):
        (row,) = [r for r in json.loads(run(*node, "--budget", budget).stdout)["results"]["settings"] if r["current"]]
        hours.append(row["churn"]["simulated_hours"])
    assert hours[1] == pytest.approx(2 * hours[0], abs=0.002)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--churn", "often"), "--churn: 'often' is not a rate"),
        (("--churn", "0/min"), "--churn: '0/min' is no churn"),
        (("--churn", "1/min", "--budget", "0s"), "--budget: '0s' is out of range"),
    ],
)
def test_a_wrong_churn_is_one_line(options: tuple[str, ...], message: str) -> None:
    done = run("warm", EXAMPLE, *options)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_plan_can_state_the_churn() -> None:
    """120 pods of web an hour over 11 nodes are 2/11 a minute and node."""
    stated = run("warm", EXAMPLE, "--set", "workloads.web.churn=120/h", "--budget", "2s", "-o", "json")
    answered = json.loads(stated.stdout)
    source = "120 pods per hour that the workloads of the plan state, over 11 nodes"
    assert answered["inputs"]["churn"] == source
    by_hand = json.loads(run("warm", EXAMPLE, "--churn", "10.909091/h", "--budget", "2s", "-o", "json").stdout)
    theirs = [row["churn"]["calls_per_hour"] for row in by_hand["results"]["settings"]]
    assert [row["churn"]["calls_per_hour"] for row in answered["results"]["settings"]] == theirs
    page = run("warm", EXAMPLE, "--set", "workloads.web.churn=120/h", "--budget", "2s", "--wide").stdout
    assert f"Simulated: 0.182 pods per minute are replaced on each node ({source})" in page


def test_a_plan_without_churn_is_not_simulated() -> None:
    answered = json.loads(run("warm", EXAMPLE, "-o", "json").stdout)
    assert "churn" not in answered["inputs"]
    assert all("churn" not in row for row in answered["results"]["settings"])
