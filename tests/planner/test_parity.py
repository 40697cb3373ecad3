"""The built page answers every example as the command does: the same bytes, by Pyodide under node."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from capacity import planner
from tests.planner.calls import REPO, TWO, Case, cases
from tools import build_page

FILES = sorted(p.relative_to(REPO).as_posix() for p in (REPO / "examples").rglob("*") if p.is_file())
IMPORTS = (
    ["examples/import/cluster.yaml"],
    ["examples/import/nodepool.yaml", "examples/import/cluster.yaml"],
    ["examples/import/objects.yaml"],
    ["examples/import/template.yaml"],
    ["examples/import/tfplan.json"],
    ["examples/nodes-and-pods.json", "examples/describe-subnets.json"],
    ["examples/aws-answers"],
)
OWN = [
    Case((), "start", {"pods": 300, "kind": "m6i.xlarge", "cpu": "250m", "memory": "512Mi", "mode": "custom"}),
    *(Case((), "import_files", {"paths": paths}) for paths in IMPORTS),
]
BAD = "apiVersion: capacity/v1\nvpc: {cidrs: [10.0.0.0/33], subnets: [{name: a, zoe: b}]}\nnodeGroup: []\n"


def own_cases() -> list[Case]:
    """What only the page asks, whose answers native Python gives too."""
    text = (REPO / "examples/shop-prod.yaml").read_text(encoding="utf-8")
    found = [Case((), call, {"text": text}) for call in ("live", "extras", "curve", "comment")]
    found += [
        Case((), "curve", {"text": text, "group": "general"}),
        Case((), "split", {"text": text, "subnet": "private-a"}),
        Case((), "applied", {"text": text, "patch": {"nodeGroups[general].nodes.max": 12}}),
        Case((), "live", {"text": BAD}),
    ]
    return [*OWN, *found]


def damaged(count: int = 60, seed: int = 7) -> list[Case]:
    """A plan with one or two characters removed, doubled or replaced."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        text = TWO + 6 * "# a note: with [signs], {of} YAML\n"
        for _ in range(rng.randint(1, 2)):
            place = rng.randrange(len(text))
            text = text[:place] + rng.choice(["", text[place] * 2, *"\t{}[]:,-#\"'&*!|>%@\n "]) + text[place + 1 :]
        found.append(Case((), "live", {"text": text}))
    return found


@pytest.fixture(scope="module")
def answered(page: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The page's answers to every case, in order."""
    calls = [{"call": c.call, "request": c.request} for c in [*cases(), *own_cases(), *damaged()]]
    given = tmp_path_factory.mktemp("parity") / "cases.json"
    given.write_text(json.dumps({"files": FILES, "calls": calls}), encoding="utf-8")
    (assets,) = page.glob("assets-*")
    script = Path(__file__).with_name("answers.mjs")
    done = subprocess.run(
        [build_page.node(), str(script), str(assets), str(given), str(REPO)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return [f["text"] for f in found]


def test_every_answer_is_the_commands(answered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # test_adapter.py compares the same calls with the commands' own output
    monkeypatch.chdir(REPO)
    every = [*cases(), *own_cases()]
    differ = [
        (case.command, case.call)
        for case, text in zip(every, answered, strict=False)
        if text != planner.answer(case.call, json.dumps(case.request))
    ]
    assert differ == []
    assert len(every) > 60


def test_a_damaged_plan_is_refused_by_both_or_by_none(answered: list[str]) -> None:
    kinds = set()
    for case, text in zip(damaged(), answered[-len(damaged()) :], strict=True):
        native = json.loads(planner.answer(case.call, json.dumps(case.request)))
        page_found = json.loads(text)
        kinds.add("error" in native)
        if "error" in native:
            assert (page_found.get("line"), "error" in page_found) == (native["line"], True), case.request["text"]
        else:
            assert page_found == native, case.request["text"]
    assert kinds == {True, False}
