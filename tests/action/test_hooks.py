"""The pre-commit hook and the GitLab job, run as their programs run them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GOOD = ROOT / "examples" / "ipv6.yaml"
BAD = ROOT / "examples" / "shop-prod.yaml"


def _sh(command: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def plans(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name, source in (("good", GOOD), ("bad", BAD)):
        folder = tmp_path / f"{name} cluster"
        folder.mkdir()
        found[name] = folder / "capacity.yaml"
        found[name].write_bytes(source.read_bytes())
    return found


def test_the_hook_checks_every_plan_that_it_is_given(tmp_path: Path, plans: dict[str, Path]) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    entry = shlex.split(hook["entry"])
    passes = _sh([*entry, str(plans["good"])], tmp_path)
    both = _sh([*entry, str(plans["bad"]), str(plans["good"])], tmp_path)
    assert (passes.returncode, both.returncode) == (0, 1)
    assert both.stdout.startswith("EXHAUSTED: 1 of 2 clusters runs out. Tightest: shop-prod, private-b")
    (tmp_path / "broken.yaml").write_text("apiVersion: capacity/v2\n")
    broken = _sh([*entry, "broken.yaml"], tmp_path)
    assert broken.returncode == 2
    assert "broken.yaml:1" in broken.stdout + broken.stderr


@pytest.mark.parametrize(("plan", "code"), [("good", 0), ("bad", 1)])
def test_the_gitlab_job_leaves_a_test_report_and_a_comment(
    tmp_path: Path, plans: dict[str, Path], plan: str, code: int
) -> None:
    template = yaml.safe_load((ROOT / "integrations" / "gitlab-ci.yml").read_text(encoding="utf-8"))
    variables = {**template["variables"], "CAPACITY_PLAN": str(plans[plan])}
    script = "set -e\n" + "\n".join(template["ip-capacity"]["script"])
    done = _sh(["sh", "-c", script], tmp_path, **variables)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "capacity.md").read_text().startswith("### IP capacity: ")
    report = template["ip-capacity"]["artifacts"]["reports"]["junit"]
    assert (tmp_path / report).read_text().startswith("<?xml")


def test_the_action_runs_its_script(tmp_path: Path, plans: dict[str, Path]) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (step,) = [s for s in action["runs"]["steps"] if s.get("id") == "check"]
    more = {"ACTION": str(ROOT), "PYTHON": sys.executable, "INPUT_PLAN": str(plans["bad"]), "GITHUB_EVENT_PATH": ""}
    done = _sh(["bash", "-c", step["run"]], tmp_path, GITHUB_OUTPUT="", GITHUB_STEP_SUMMARY="", **more)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("<!-- capacity plan ")
