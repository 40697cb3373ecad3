"""Shell completion: verbs, options, their words and instance types; and that it costs a short answer nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.cli.main import VERBS
from tests.cli.entry import capacity

COMPLETE = """
import json, sys
from capacity.cli.main import run
try:
    run()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def completed(words: str, at: int) -> tuple[list[str], set[str]]:
    """What bash is offered for the word at a place of the line, and the modules that were loaded for it."""
    asked = {"_CAPACITY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['capacity']{COMPLETE}"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split(), set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("capacity maxpods m7g.2", ["m7g.2xlarge"]),
        ("capacity node m5.large m5.x", ["m5.xlarge"]),
        ("capacity size --type m7g.2", ["m7g.2xlarge"]),
        ("capacity maxp", ["maxpods"]),
        ("capacity data v", ["verify"]),
        ("capacity maxpods --mode pre", ["prefix"]),
        ("capacity node --ami bottle", ["bottlerocket"]),
        ("capacity node --provisioner m", ["managed"]),
        ("capacity check -o js", ["json"]),
        ("capacity report --simulate roll", ["rollout"]),
        ("capacity maxpods --reser", ["--reserved-enis"]),
        ("capacity maxpods no-such-type", []),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert completed(line, len(line.split()) - 1)[0] == offered


def test_a_bare_tab_offers_every_verb() -> None:
    assert completed("capacity ", 1)[0] == list(VERBS)


def test_types_are_offered_without_heavy_modules() -> None:
    offered, loaded = completed("capacity maxpods m5.", 2)
    assert offered[:3] == ["m5.large", "m5.xlarge", "m5.2xlarge"]
    assert {"numpy", "pandas", "yaml"} & loaded == set()


def test_a_short_answer_lists_no_types() -> None:
    script = (
        "import sys; from capacity.catalog.table import Catalog; Catalog.names = None; "
        "sys.argv = ['capacity', 'maxpods', 'm5.large']; from capacity.cli.main import run; run()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, capacity("maxpods", "m5.large").stdout)


PLAN = """\
apiVersion: capacity/v1
vpc: {subnets: [{name: private-a}, {name: private-b}]}
nodeGroups: [{name: general}, {name: batch}]
checks: {scenarios: [steady, upgrade+zone-loss, {burst: {nodes: 10}}]}
"""


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("capacity check capacity.yaml --scenario up", ["upgrade+zone-loss", "upgrade"]),
        ("capacity check --scenario zone", ["zone-loss"]),
        ("capacity explain IP00", [f"IP00{n}" for n in range(1, 10)]),
        ("capacity explain priv", ["private-a", "private-b"]),
        ("capacity explain private-b.w", ["private-b.warm"]),
        ("capacity explain gen", ["general"]),
        ("capacity check --scenario peak+ro", ["peak+rollout"]),
        ("capacity check --public-ipv4 b", ["batch"]),
        (
            "capacity compare --set nodeGroups[b",
            [f"nodeGroups[batch].{k}=" for k in ("maxPods", "nodes.desired", "nodes.max")],
        ),
        ("capacity size --snippet pl", ["plan"]),
    ],
)
def test_what_the_plan_offers(line: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "capacity.yaml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    assert completed(line, len(line.split()) - 1)[0] == offered


@pytest.mark.parametrize(
    "plan", [None, "{", "[1, 2]", "vpc: 3\nnodeGroups: {a: 1}\nchecks: {scenarios: 7}\n", "\x00\xff"]
)
def test_a_plan_that_cannot_be_read_offers_what_needs_none(
    plan: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plan is not None:
        (tmp_path / "capacity.yaml").write_text(plan)
    monkeypatch.chdir(tmp_path)
    assert completed("capacity check --scenario pe", 3)[0] == ["peak"]
    assert completed("capacity explain IP01", 2)[0][:1] == ["IP010"]


def test_a_plan_is_read_for_tab_without_heavy_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "capacity.yaml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    _, loaded = completed("capacity check --scenario st", 3)
    assert {"numpy", "pandas", "ruamel.yaml", "capacity.cluster.check"} & loaded == set()
