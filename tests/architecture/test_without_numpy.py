"""The scalar path needs nothing beyond the standard library for its arithmetic: it runs where numpy is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
RUN = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "pandas", "matplotlib", "scipy"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
from capacity.cli.main import app
app(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("check examples/shop-prod.yaml -q", 1, "Fix: warm-targets + lower-max-pods + rebalance makes this plan pass"),
        ("check examples/levers/web.yaml -q", 1, "instance-type"),
        ("check examples/subnet-discovery.yaml -q --exit-zero", 0, "Runway"),
        ("warm examples/shop-prod.yaml -q", 0, "Set WARM_IP_TARGET="),
        ("warm --type m5.large --pods-per-node 8..20 -q", 0, "Set WARM_IP_TARGET="),
        ("node m5.large --pod-cpu 250m --pod-memory 512Mi -q", 0, "m5.large"),
        ("services --services 5000 --endpoints 2 -q", 0, "40,009 rules in iptables mode"),
        ("maxpods m5.large", 0, "m5.large: 29 pods with secondary IPs"),
        ("explain private-b examples/shop-prod.yaml --scenario peak -q", 0, "usable = 251"),
        ("compare examples/shop-prod.yaml --set cni.env.WARM_IP_TARGET=4 -q", 0, "addresses"),
    ],
)
def test_a_verb_answers_without_numpy(command: str, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *command.split()], capture_output=True, text=True, check=False, cwd=REPO
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert said in done.stdout
