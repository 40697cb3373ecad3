"""`capacity check` and `capacity explain` by the contract: keys, formats, exit codes, streams, signals."""

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
import yaml

from tests.cli.entry import capacity, hear_interrupts
from tests.fixtures.plans import SMALL

PROGRAM = str(Path(sys.executable).with_name("capacity"))
HOLDERS = [
    "node_primary",
    "eni_primary",
    "assigned",
    "warm",
    "branch",
    "control_plane",
    "load_balancers",
    "endpoints",
    "other",
]
SUBNET = ["name", "zone", "cidr", "total", "usable", "used", "free", "free_pct", "free_reserved", "free_prefixes"]
GROUP = ["name", "instance_type", "nodes", "nodes_by_zone", "pods_per_node", "max_pods", "binding"]


@pytest.fixture(autouse=True)
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ok.yaml, tight.yaml and short.yaml; `steady` of each has the verdict."""
    monkeypatch.chdir(tmp_path)
    Path("ok.yaml").write_text(SMALL)
    Path("tight.yaml").write_text(SMALL.replace("used: 10", "used: 160"))
    Path("short.yaml").write_text(SMALL.replace("used: 10", "used: 230"))


def answer(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capacity("check", *arguments, "-o", "json").stdout)
    return found


def holds(found: dict[str, Any], keys: list[str]) -> None:
    """All of the keys, in this order; others may follow or stand between."""
    assert [k for k in found if k in keys] == keys


class TestJson:
    def test_the_envelope(self) -> None:
        found = answer("ok.yaml")
        assert list(found) == ["schema", "command", "version", "data", "inputs", "results", "warnings"]
        assert (found["schema"], found["command"]) == ("capacity/1", "check")
        assert list(found["data"]) == ["date", "types"]
        assert found["inputs"]["cni"]["warm_eni_target"] == 1  # after defaults
        assert found["inputs"]["min_free"] == "20%"

    def test_the_keys(self) -> None:
        results = answer("short.yaml")["results"]
        holds(results, ["verdict", "scenarios", "runway", "findings"])
        for scenario in results["scenarios"]:
            holds(scenario, ["name", "verdict", "subnets", "node_groups", "unplaced_pods"])
            for subnet in scenario["subnets"]:
                holds(subnet, [*SUBNET, "used_lowest", "used_highest", "verdict"])
                assert list(subnet["used"]) == HOLDERS
                assert sum(subnet["used"].values()) + subnet["free"] == subnet["usable"]
                assert subnet["free_pct"] == round(100 * subnet["free"] / subnet["usable"], 2)
            for group in scenario["node_groups"]:
                holds(group, GROUP)
        for row in results["runway"]:
            holds(row, ["name", "more_nodes", "more_pods", "scenario"])
        for found in results["findings"]:
            holds(found, ["code", "severity", "where", "message", "fix"])
            assert found["fix"]["summary"]

    def test_the_figures(self) -> None:
        first = answer("ok.yaml")["results"]["scenarios"][0]["subnets"][0]
        # by hand in tests/unit/cluster/test_check.py
        assert (first["free"], first["used_lowest"], first["used_highest"]) == (191, 38, 72)
        assert (first["total"], first["usable"], first["free_pct"]) == (256, 251, 76.1)

    def test_yaml_says_the_same(self) -> None:
        assert yaml.safe_load(capacity("check", "ok.yaml", "-o", "yaml").stdout) == answer("ok.yaml")

    def test_csv_has_a_row_per_scenario_and_subnet(self) -> None:
        rows = list(csv.DictReader(io.StringIO(capacity("check", "ok.yaml", "-o", "csv").stdout)))
        found = answer("ok.yaml")["results"]["scenarios"]
        assert len(rows) == sum(len(s["subnets"]) for s in found)
        assert (rows[0]["scenario"], rows[0]["name"], rows[0]["used.warm"], rows[0]["free"]) == (
            "steady",
            "a",
            "27",
            "191",
        )

    def test_warnings_are_in_the_answer_and_not_on_stderr(self) -> None:
        done = capacity("check", "ok.yaml", "-o", "json")
        assert done.stderr == ""
        assert len(json.loads(done.stdout)["warnings"]) == 3


class TestExitCode:
    @pytest.mark.parametrize(
        ("plan", "plain", "warning"), [("ok.yaml", 0, 0), ("tight.yaml", 0, 1), ("short.yaml", 1, 1)]
    )
    def test_by_verdict(self, plan: str, plain: int, warning: int) -> None:
        steady = ("--scenario", "steady")
        assert capacity("check", plan, *steady).code == plain
        assert capacity("check", plan, *steady, "--fail-on", "error").code == plain
        assert capacity("check", plan, *steady, "--fail-on", "warning").code == warning
        assert capacity("check", plan, *steady, "--fail-on", "warning", "--exit-zero").code == 0
        assert capacity("check", plan, *steady, "-o", "json", "--out-file", "answer.json").code == plain

    @pytest.mark.parametrize(
        "arguments",
        [
            ("check", "ok.yaml", "--nope"),
            ("check", "ok.yaml", "more.yaml"),
            ("check", "ok.yaml", "-o", "xml"),
            ("check", "ok.yaml", "--fail-on", "warn"),
            ("check", "ok.yaml", "--color", "sometimes"),
            ("check", "ok.yaml", "--scenario", "pek"),
            ("check", "ok.yaml", "--scenario", ""),
            ("check", "ok.yaml", "--scenario", "burst:nodes=0"),
            ("check", "ok.yaml", "--scenario", "burst:nodes=2,nodes=3"),
            ("check", "ok.yaml", "--scenario", "steady:nodes=3"),
            ("check", "ok.yaml", "--scenario", "zone-loss:zone=mars"),
            ("explain", "IP999"),
            ("explain", "privat", "--plan", "ok.yaml"),
            ("explain", "a.wram", "--plan", "ok.yaml"),
            ("explain", "a.", "--plan", "ok.yaml"),
            ("explain", "a", "--plan", "ok.yaml", "--scenario", "nope"),
            ("explain",),
            ("chek", "ok.yaml"),
        ],
        ids=" ".join,
    )
    def test_bad_usage_is_2_and_says_why_on_stderr(self, arguments: tuple[str, ...]) -> None:
        done = capacity(*arguments)
        assert (done.code, done.stdout) == (2, "")
        assert "rror: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_the_nearest_name_is_offered(self) -> None:
        assert "did you mean 'peak'?" in capacity("check", "ok.yaml", "--scenario", "pek").stderr
        assert "did you mean 'warm'?" in capacity("explain", "a.wram", "--plan", "ok.yaml").stderr
        assert "Did you mean 'check'?" in capacity("chek").stderr


class TestStreams:
    def test_stdout_has_the_answer_only(self) -> None:
        loud, quiet = capacity("check", "ok.yaml"), capacity("check", "ok.yaml", "-q")
        assert loud.stdout == quiet.stdout
        assert quiet.stderr == ""
        assert loud.stderr.startswith("warning: EKS sets max pods")

    def test_colour_only_where_asked_for(self) -> None:
        assert "\033[" not in capacity("check", "short.yaml").stdout
        assert "\033[31mexhausted\033[0m" in capacity("check", "short.yaml", "--color", "always").stdout

    def test_names_cannot_steer_the_terminal_or_the_page(self) -> None:
        Path("odd.yaml").write_text(
            SMALL.replace("name: web", 'name: "<b>|web`"').replace("replicas: 10", "replicas: 99")
        )
        page = capacity("check", "odd.yaml", "-q", "-o", "md").stdout
        text = re.sub(r"`[^`\n]*`", "", page)  # in code it is what is to be pasted
        assert "<b>" not in text
        assert "&lt;b&gt;\\|web" in text

    def test_a_closed_pipe_is_no_error(self) -> None:
        done = subprocess.run(
            ["sh", "-c", f"'{PROGRAM}' check ok.yaml -q --explain | head -n 1; exit 0"], capture_output=True, text=True
        )
        assert done.stdout.startswith("OK: ")
        assert done.stderr == ""
        full = subprocess.run(
            [PROGRAM, "check", "ok.yaml", "-q"], stdout=os.open("/dev/full", os.O_WRONLY), stderr=subprocess.PIPE
        )
        assert full.returncode == 2
        assert full.stderr == b"error: cannot write the output: No space left on device\n"

    def test_ctrl_c_is_130_and_one_word(self) -> None:
        process = subprocess.Popen(
            [PROGRAM, "check", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_interrupts
        )
        assert process.stderr is not None
        for _ in range(100):  # until it waits for its input
            time.sleep(0.05)
            if Path(f"/proc/{process.pid}/wchan").exists() and _waits(process.pid):
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b"interrupted\n"
        assert process.stdin is not None
        process.stdin.close()
        process.stderr.close()


def _waits(pid: int) -> bool:
    """Whether the process sleeps in a read of its stdin."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")
    except OSError:
        return False


class TestExplain:
    def test_a_holder_down_to_the_terms_of_the_pool(self) -> None:
        done = capacity("explain", "a.warm", "--plan", "ok.yaml", "-q")
        assert done.code == 0
        assert done.stdout.startswith("warm = 27\n")
        assert "18 held − 5 assigned" in done.stdout

    @pytest.mark.parametrize("what", ["a", "a.usable", "a.free", "a.bounds", "a.runway", "general", "ip001", "IP018"])
    def test_every_kind_of_thing(self, what: str) -> None:
        done = capacity("explain", what, "--plan", "ok.yaml", "-q", "-o", "json")
        assert done.code == 0
        assert json.loads(done.stdout)["command"] == "explain"

    def test_it_is_the_figure_of_check(self) -> None:
        subnets = answer("ok.yaml", "--scenario", "peak")["results"]["scenarios"][0]["subnets"]
        for subnet in subnets:
            for holder, addresses in subnet["used"].items():
                if addresses:
                    what = f"{subnet['name']}.{holder}"
                    done = capacity("explain", what, "--plan", "ok.yaml", "--scenario", "peak", "-o", "json")
                    assert json.loads(done.stdout)["results"]["value"] == addresses

    @pytest.mark.parametrize("scenario", ["burst:nodes=2", "peak+rollout", "upgrade+zone-loss"])
    def test_a_scenario_that_the_plan_does_not_name(self, scenario: str) -> None:
        expected = answer("ok.yaml", "--scenario", scenario)["results"]["scenarios"][0]["subnets"][0]
        what = f"{expected['name']}.warm"
        done = capacity("explain", what, "--plan", "ok.yaml", "--scenario", scenario, "-o", "json")
        assert json.loads(done.stdout)["results"]["value"] == expected["used"]["warm"]

    def test_bounds_group_by_group(self) -> None:
        done = capacity("explain", "a.bounds", "--plan", "ok.yaml", "-q")
        # by hand in tests/unit/cluster/test_check.py: 1 + 19 to 2 + 48 of nodes and pods, 18 to 22 of the others
        assert done.stdout.startswith("bounds = [38, 72]")
        assert "1 to 2 of its 3 nodes, their node addresses = [1, 2]" in done.stdout
        assert "1 to 2 of its 3 nodes with any share of its 10 pods = [19, 48]" in done.stdout
        assert "control plane and tenants = [18, 22]" in done.stdout

    def test_a_holder_of_nothing_is_0(self) -> None:
        for plan in (("ok.yaml",), ("--plan", "ok.yaml")):
            assert capacity("explain", "a.branch", *plan, "-q").stdout == "branch = 0  (nothing in this subnet)\n"
        assert "the plan is already given" in capacity("explain", "a", "ok.yaml", "--plan", "ok.yaml").stderr

    def test_what_is_not_known_is_a_dash(self, tmp_path: Path) -> None:
        plan = tmp_path / "bare.yaml"
        plan.write_text(
            "apiVersion: capacity/v1\n"
            "vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24}]}\n"
        )
        shown = capacity("explain", "a.runway", "--plan", str(plan), "-q").stdout
        assert shown == "runway = –  (no nodes are in this subnet)\n"

    def test_a_whole_subnet_shows_each_kind_of_node_once(self) -> None:
        page = capacity("explain", "a", "--plan", "ok.yaml", "-q").stdout
        assert page.count("one m5.large of general with 5 pods") == 1

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            (
                ("maxpods", "m5.large"),
                "'maxpods' is a command, not a figure of a plan: capacity maxpods m5.large --explain",
            ),
            (("check",), "'check' is a command, not a figure of a plan: capacity check PLAN --explain"),
            (("m5.large", "ok.yaml"), "'m5.large' is an instance type: capacity maxpods m5.large --explain"),
        ],
    )
    def test_a_verb_or_a_type_is_answered_with_its_command(self, asked: tuple[str, ...], said: str) -> None:
        done = capacity("explain", *asked)
        assert (done.code, done.stderr) == (2, f"error: {said}\n")

    def test_a_subnet_named_like_a_verb_is_explained(self, tmp_path: Path) -> None:
        plan = tmp_path / "named.yaml"
        plan.write_text(
            "apiVersion: capacity/v1\n"
            "vpc: {cidrs: [10.0.0.0/16], subnets: [{name: node, zone: us-east-1a, cidr: 10.0.0.0/24}]}\n"
        )
        assert capacity("explain", "node.usable", str(plan), "-q").stdout.startswith("usable = 251")
        assert capacity("explain", "node", str(plan), "-q").code == 0

    def test_check_explain_shows_each_subnet(self) -> None:
        assert (
            "usable = 251  (10.0.0.0/24 has 256 addresses, AWS reserves 5)"
            in capacity("check", "ok.yaml", "--explain").stdout
        )


EXAMPLE = str(Path(__file__).parents[2] / "examples" / "shop-prod.yaml")


def test_fix_out_writes_a_plan_that_passes(tmp_path: Path) -> None:
    out = tmp_path / "fixed.yaml"
    done = capacity("check", EXAMPLE, "-q", "--fix-out", str(out))
    assert done.code == 1
    assert "Fix: warm-targets + lower-max-pods + rebalance makes this plan pass (re-checked)" in done.stdout
    assert capacity("check", str(out), "-q").code == 0


def test_fix_out_in_another_folder_still_finds_the_cluster_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "fixed.yaml"
    shop = Path(EXAMPLE).parent / "shared-subnets" / "shop.yaml"
    assert capacity("check", str(shop), "-q", "--fix-out", str(out)).code == 1
    done = capacity("check", str(out))
    assert (done.code, done.stdout.split(":")[0]) == (0, "OK")
    assert "staging: nodes, pods" in done.stderr


def test_fix_out_writes_nothing_where_nothing_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "fixed.yaml"
    done = capacity("check", EXAMPLE, "--scenario", "steady", "--fix-out", str(out))
    assert done.code == 2
    assert "nothing to fix" in done.stderr
    assert not out.exists()


def test_a_fargate_pod_is_not_called_a_full_node(tmp_path: Path) -> None:
    plan = tmp_path / "fargate.yaml"
    plan.write_text(
        "apiVersion: capacity/v1\n"
        "vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24}]}\n"
        "nodeGroups: [{name: fp, provisioner: fargate, subnets: [a]}]\n"
        "workloads: [{name: w, replicas: 21, nodeGroups: [fp]}]\n"
    )
    assert "\nNodes: fp 21 × fargate.\n" in capacity("check", str(plan), "-q").stdout


def test_daemon_set_pods_beyond_max_pods_are_counted_under_their_group(tmp_path: Path) -> None:
    """The search for a fix finds the group of pods that belong to no workload."""
    plan = tmp_path / "daemons.yaml"
    plan.write_text(
        "apiVersion: capacity/v1\n"
        "vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24}]}\n"
        "nodeGroups: [{name: small, instanceTypes: [t3.nano], nodes: 2, subnets: [a], maxPods: 4}]\n"
        "workloads: [{name: w, replicas: 1}]\n"
        "daemonSets: [{name: d1}, {name: d2}, {name: d3}, {name: d4}]\n"
    )
    done = capacity("check", str(plan), "--scenario", "steady", "-q", "-o", "json")
    assert (done.code, done.stderr) == (1, "")
    results = json.loads(done.stdout)["results"]
    assert "DaemonSets on small" in [u["workload"] for u in results["scenarios"][0]["unplaced"]]
    assert results["fixes"]["tried"]
