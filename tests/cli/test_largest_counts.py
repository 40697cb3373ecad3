"""Ten million replicas or nodes, the most that a plan may say, at every command: an answer, or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth import many_pods
from tests.cli.entry import capacity

GROWTH = ", growth: {rate: 4%/month, stddev: 1%}"
COMMANDS = {
    "check": ["check", "PLAN", "--fixes", "--exit-zero"],
    "forecast": ["forecast", "PLAN", "--paths", "200"],
    "size": ["size", "PLAN"],
    "warm": ["warm", "PLAN"],
    "compare": ["compare", "PLAN", "--set", "cni.env.WARM_IP_TARGET=3"],
    "explain": ["explain", "private-a", "PLAN"],
    "report": ["report", "PLAN", "-o", "md"],
}


@pytest.mark.parametrize("nodes", ["min: 2", "min: 2, max: 20", "min: 10000000, max: 10000000"])
@pytest.mark.parametrize("verb", COMMANDS)
def test_an_answer_or_one_line(verb: str, nodes: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(many_pods(nodes, GROWTH))
    found = capacity(*(str(plan) if word == "PLAN" else word for word in COMMANDS[verb]))
    assert "Traceback" not in found.stderr
    if verb == "size" and nodes != "min: 2, max: 20":
        assert found.code == 2
        assert "even a /16 is" in found.stderr
    else:
        assert found.code == 0
        assert found.stdout


def test_a_node_with_ten_million_pods() -> None:
    found = capacity("node", "m5.large", "--pods", "10000000", "--pod-cpu", "100m")
    assert found.code in (0, 2)
    assert "Traceback" not in found.stderr
