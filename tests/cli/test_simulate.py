"""`capacity simulate`: a plan's scenario, one node, formats, what is refused, and an interruption."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = str(EXAMPLES / "shop-prod.yaml")
FIRST = str(EXAMPLES / "first-plan.yaml")


def answer(*arguments: str) -> dict[str, Any]:
    done = run("simulate", *arguments, "-o", "json")
    assert (done.code, done.stderr) == (0, done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_peak_of_a_plan_that_runs_out() -> None:
    results = answer(SHOP, "--scenario", "peak")["results"]
    summary = results["summary"]
    out = {s["name"]: s["exhausted_at"] for s in summary["subnets"]}
    assert out["private-a"] is None
    assert 300 < out["private-b"] < 600
    assert summary["sentence"].startswith(f"private-b runs out 6 min {round(out['private-b']) % 60} s into peak; ")
    assert summary["pods_never_started"] == results["timeline"][-1]["waiting"] > 0
    assert summary["delay_s"]["p50"] == 0 < summary["delay_s"]["p99"] <= summary["delay_s"]["max"]
    assert sum(summary["ec2_calls_by_kind"].values()) == summary["ec2_calls"] == results["timeline"][-1]["ec2_calls"]
    assert [s["t"] for s in results["timeline"]] == [15.0 * n for n in range(121)]


def test_it_starts_where_check_stands() -> None:
    timeline = answer(SHOP, "--for", "1m")["results"]["timeline"]
    checked = json.loads(run("check", SHOP, "--scenario", "steady", "-o", "json").stdout)["results"]
    (steady,) = checked["scenarios"]
    assert timeline[0]["free"] == {s["name"]: s["free"] for s in steady["subnets"]}
    assert timeline[0] == timeline[-1] | {"t": 0.0}
    assert timeline[0]["nodes"] == sum(g["nodes"] for g in steady["node_groups"])


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("rollout", "web rolls out"),
        ("upgrade", "general: + 4 nodes, 1 at a time"),
        ("zone-loss:zone=us-east-1b", "us-east-1b is lost with 2 nodes"),
        ("zone-loss", "us-east-1a (the zone with the most nodes; zone-loss:zone=Z chooses another) is lost"),
        ("burst:nodes=3", "3 more nodes of general"),
        ("blue-green", "a second set of 4 nodes"),
        ("spot-storm", "2 nodes get an interruption notice of 2 min"),
        ("peak", "workloads grow to their maximum in 10 min"),
        ("ceiling", "workloads grow to their maximum in 10 min"),
        ("peak+rollout", "web rolls out"),
        ("peak+zone-loss:zone=us-east-1a", "us-east-1a is lost"),
    ],
)
def test_every_scenario_of_check_is_played(scenario: str, words: str) -> None:
    found = answer(FIRST, "--scenario", scenario, "--for", "20m")["results"]
    assert words in found["summary"]["rule"]
    assert found["summary"]["ec2_calls"] > 0
    pods = [s["assigned"] for s in found["timeline"]]
    assert pods[0] <= max(pods)


def test_a_rollout_ends_with_the_pods_it_began_with() -> None:
    timeline = answer(SHOP, "--scenario", "rollout")["results"]["timeline"]
    assert timeline[0]["assigned"] == timeline[-1]["assigned"] == 103
    assert max(s["assigned"] for s in timeline) > 103


@pytest.mark.parametrize(
    ("settings", "pods", "calls"), [(("WARM_ENI_TARGET=0",), "9", 468), (("WARM_PREFIX_TARGET=0",), "16", 236)]
)
def test_one_node_that_flaps(settings: tuple[str, ...], pods: str, calls: int) -> None:
    env = [option for pair in settings for option in ("--env", pair)]
    mode = "prefix" if "PREFIX" in settings[0] else "secondary"
    node = ("--type", "m5.large", "--pods", pods, "--mode", mode, "--max-pods", "29", "--latency-spread", "0")
    summary = answer(*node, *env, "--for", "1h")["results"]["summary"]
    assert summary["ec2_calls"] == calls


def test_a_small_warm_target_makes_pods_wait_under_churn() -> None:
    node = ("--type", "m5.large", "--pods", "20", "--churn", "2/min", "--for", "6h")
    small = answer(*node, "--env", "WARM_IP_TARGET=2")["results"]["summary"]
    usual = answer(*node)["results"]["summary"]
    assert small["pods_waited"] / small["pods_started"] > 0.15
    assert (usual["pods_waited"], usual["ec2_calls"]) == (0, 0)


def test_a_tight_cron_job_waits_for_the_cooldown() -> None:
    """20 pods on 27 addresses, every minute for 50 s each: the first two runs have addresses, the next ones wait."""
    plan = str(EXAMPLES / "one-subnet.yaml")
    job = ("--cron", "web=15/60s/50s", "--for", "10m")
    summary = answer(plan, *job)["results"]["summary"]
    assert summary["pods_waited"] > 30
    shorter = answer(plan, *job, "--set", "cni.env.IP_COOLDOWN_PERIOD=1")["results"]["summary"]
    assert shorter["pods_waited"] < summary["pods_waited"] / 2


def test_workloads_follow_the_hours_of_a_day() -> None:
    timeline = answer(SHOP, "--curve", "day", "--for", "24h", "--step", "6h")["results"]["timeline"]
    night, _, noon, _, again = (s["assigned"] + s["waiting"] + s["unschedulable"] for s in timeline)
    nodes = [s["nodes"] for s in timeline]
    assert noon - night > 200  # 92 replicas become 316; each node has one DaemonSet pod with an address, too
    assert nodes[2] > nodes[0] >= nodes[4]
    assert abs(again - night) <= 12


def test_recorded_events(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(
        "time,event,workload,pods\n2026-11-30T10:00:00Z,Scheduled,web-7d9c5-x2,3\n2026-11-30T10:01:00Z,Killing,web,2\n"
    )
    timeline = answer(FIRST, "--events", str(events), "--for", "2m", "--step", "30s")["results"]["timeline"]
    assert [s["assigned"] for s in timeline] == [20, 23, 23, 21, 21]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time,event\n1,add\n", "no column 'workload'"),
        ("time,event,workload\nsoon,add,web\n", ":2: time: 'soon' is neither seconds nor a date"),
        ("time,event,workload\n1,ad,web\n", ":2: event: 'ad' is not add or delete (did you mean 'add'?)"),
        ("time,event,workload\n1,add,wob\n", ":2: workload: 'wob' is not in the plan (did you mean 'web'?)"),
        ("time,event,workload,pods\n1,add,web,0\n", ":2: pods: '0' is not a number of pods"),
        ("time,event,workload\n", "no events"),
    ],
)
def test_wrong_events_are_one_line(tmp_path: Path, content: str, message: str) -> None:
    events = tmp_path / "events.csv"
    events.write_text(content)
    done = run("simulate", FIRST, "--events", str(events))
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.startswith("error: ")


def test_seeds_do_not_depend_on_the_number_of_processes() -> None:
    asked = ("simulate", FIRST, "--scenario", "rollout", "--for", "5m", "--seeds", "3", "-o", "json")
    one, two = (run(*asked, "--jobs", jobs).stdout for jobs in ("1", "2"))
    assert one == two
    intervals = json.loads(one)["results"]["summary"]["intervals"]
    assert intervals["ec2_calls"]["low"] <= intervals["ec2_calls"]["mean"] <= intervals["ec2_calls"]["high"]
    assert json.loads(one)["results"]["summary"]["seeds"] == [1, 2, 3]


def test_another_seed_is_another_simulation() -> None:
    first, second = (answer(SHOP, "--churn", "1/min", "--seed", seed, "--for", "5m")["results"] for seed in "12")
    assert first["timeline"] != second["timeline"]
    again = answer(SHOP, "--churn", "1/min", "--seed", "1", "--for", "5m")["results"]
    assert again == first


def test_throttling_delays_a_launch_of_many_nodes() -> None:
    burst = (SHOP, "--scenario", "burst:nodes=10", "--for", "10m")
    slow = answer(*burst, "--bucket", "AssignPrivateIpAddresses=1/0.05")["results"]["summary"]
    free = answer(*burst, "--no-throttling")["results"]["summary"]
    assert slow["throttled_s"] > 0 == free["throttled_s"]
    assert "throttled for" in slow["sentence"]
    assert slow["throttled_by_kind"] == {
        "AssignPrivateIpAddresses": slow["throttled_by_kind"]["AssignPrivateIpAddresses"]
    }


def test_failing_calls_are_made_again() -> None:
    rollout = (SHOP, "--scenario", "peak", "--for", "20m")
    failing = answer(*rollout, "--fail", "AttachNetworkInterface=50%")["results"]["summary"]["ec2_calls_by_kind"]
    usual = answer(*rollout)["results"]["summary"]["ec2_calls_by_kind"]
    assert failing["CreateNetworkInterface"] > usual["CreateNetworkInterface"]
    assert failing["DeleteNetworkInterface"] > usual.get("DeleteNetworkInterface", 0)


def test_the_table_starts_with_a_sentence() -> None:
    done = run("simulate", SHOP, "--scenario", "peak", "--explain")
    first, *_ = done.stdout.splitlines()
    assert re.match(r"private-b runs out 6 min \d+ s into peak; \d+ pods of \d+ \(\d\.\d%\) wait for an address", first)
    assert "13 of 121 moments: -o csv or json has all." in done.stdout
    assert "addresses had no pod; WARM_ENI_TARGET 1)" in done.stdout


def test_csv_has_every_moment() -> None:
    done = run("simulate", FIRST, "--for", "2m", "--step", "1m", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["t"] for row in rows] == ["0.0", "60.0", "120.0"]
    assert rows[0]["free.private-a"] == "73"


def test_the_chart(tmp_path: Path) -> None:
    done = run("simulate", FIRST, "--scenario", "rollout", "--for", "2m", "--charts", str(tmp_path / "c"), "-o", "md")
    assert (tmp_path / "c" / "simulation.png").read_bytes()[:4] == b"\x89PNG"
    assert "simulation.svg" in done.stdout or "simulation.png" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (str(EXAMPLES / "cilium-eni.yaml"),),
            "simulate: Cilium manages the addresses of these nodes",
        ),
        (
            (FIRST, "--set", "cni.env.DISABLE_NETWORK_RESOURCE_PROVISIONING=true"),
            "simulate: with DISABLE_NETWORK_RESOURCE_PROVISIONING the CNI does not change its pool",
        ),
        ((str(EXAMPLES / "overlay.yaml"),), "simulate: pods have addresses of an overlay network"),
        ((FIRST, "--scenario", "rolout"), "'rolout' is not one of"),
        ((FIRST, "--for", "soon"), "--for: 'soon' is not a length of time"),
        ((FIRST, "--for", "0s"), "--for: '0s' is out of range"),
        ((FIRST, "--step", "1ms", "--for", "1h"), "--step: '1ms' is out of range"),
        ((FIRST, "--churn", "2"), "--churn: '2' is not a rate"),
        ((FIRST, "--curve", "dya"), "--curve: 'dya' is not one of day, week"),
        ((FIRST, "--churn", "2000/s"), "--churn: '2000/s' is out of range"),
        ((FIRST, "--cron", "web=3"), "--cron: 'web=3' is not WORKLOAD=PODS/EVERY/DURATION"),
        ((FIRST, "--cron", "wob=3/1m/1m"), "--cron: there is no workload 'wob'"),
        ((FIRST, "--latency", "AttachNetworkInterfaces=1s"), "did you mean 'AttachNetworkInterface'?"),
        ((FIRST, "--latency", "CreateTags=1"), "--latency: '1' is not a length of time"),
        ((FIRST, "--fail", "CreateTags=99%"), "--fail: CreateTags=99% is out of range"),
        ((FIRST, "--bucket", "CreateTags=5"), "--bucket: '5' is not SIZE/RATE"),
        ((FIRST, "--bucket", "CreateTags=5/1", "--no-throttling"), "--no-throttling contradicts --bucket"),
        ((FIRST, "--latency-spread", "9"), "--latency-spread: 9 is out of range"),
        ((FIRST, "--seeds", "0"), "--seeds: 0 is out of range"),
        ((FIRST, "--jobs", "0"), "--jobs: 0 is out of range"),
        ((FIRST, "--pods", "3"), "--pods needs --type"),
        ((FIRST, "--type", "m5.large"), "give a plan (with --scenario, --set, --curve, --cron, --events) or --type"),
        (("--type", "m5.large"), "--type needs --pods"),
        (("--type", "m5.large", "--pods", "30"), "--pods: 30 is more than max pods of m5.large, 29"),
        (("--type", "m5.lrage", "--pods", "3"), "did you mean 'm5.large'"),
        (("--type", "m5.large", "--pods", "3", "--subnet", "/12"), "--subnet: '/12' is not the size of a subnet"),
        (("--type", "m5.large", "--pods", "3", "--subnet", "/28", "--others", "11"), "--others: 11 leaves no address"),
    ],
)
def test_what_is_refused_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = run("simulate", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_workloads_churn_as_the_plan_states() -> None:
    """About 240 pods of web are replaced in 2 h; --churn takes their place."""
    stated = (SHOP, "--set", "workloads.web.churn=2/min", "--for", "2h")
    summary = answer(*stated)["results"]["summary"]
    assert summary["rule"] == "120 pods of web per hour are replaced"
    assert 200 <= summary["pods_started"] <= 280
    own = answer(*stated, "--churn", "1/h")["results"]["summary"]
    assert own["rule"] == "0.0166667 pods per node and minute are replaced"
    assert own["pods_started"] < 60


def test_what_is_assumed_is_said_with_the_answer() -> None:
    assumed = answer(FIRST, "--for", "1m")["results"]["summary"]["assumed"]
    assert assumed.startswith("Assumed, without a published source: the latency of EC2's calls")
    assert assumed in run("simulate", FIRST, "--for", "1m", "--wide").stdout


def test_ctrl_c_prints_what_was_simulated(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
               "from capacity.cli.main import run; run()"]  # fmt: skip
    asked = ["simulate", SHOP, "--churn", "60/min", "--for", "7d", "-o", "json"]
    with (tmp_path / "out").open("wb") as out:
        child = subprocess.Popen([*command, *asked], stdout=out, stderr=subprocess.PIPE, env={**os.environ})
        time.sleep(3)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    found = json.loads((tmp_path / "out").read_text())["results"]
    assert not found["summary"]["complete"]
    assert 0 < found["summary"]["seconds"] < 7 * 86_400
    assert found["timeline"][-1]["event"] == "interrupted"
    assert found["summary"]["sentence"].startswith("Interrupted after ")
    assert b"interrupted" in said
