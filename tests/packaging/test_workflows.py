"""The workflows that publish: every action pinned by commit, rights only where they are used, no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

import capacity

REPO = Path(__file__).parents[2]
FOLDER = REPO / ".github/workflows"
TEXT = (FOLDER / "release.yml").read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]


def test_actions_are_pinned_by_commit_with_their_version() -> None:
    uses = [
        line for path in sorted(FOLDER.glob("*.yml")) for line in re.findall(r"uses: (.*)", path.read_text("utf-8"))
    ]
    assert len(uses) == 13
    for line in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert len({line.partition("@")[0] for line in uses}) == len(set(uses)), "one action in two versions"


def test_rights_are_given_to_the_job_that_uses_them() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in JOBS.items()} == {
        "build": {"contents": "read", "id-token": "write", "attestations": "write"},
        "image": None,
        "publish": {"id-token": "write"},
        "github-release": {"contents": "write"},
    }
    assert "secrets." not in TEXT


def test_nothing_is_published_before_it_is_tested_and_attested() -> None:
    assert JOBS["publish"]["needs"] == ["build", "image"]
    assert JOBS["github-release"]["needs"] == "publish"
    steps = [step.get("run") or step["uses"].partition("@")[0] for step in JOBS["build"]["steps"]]
    assert [s for s in steps if s.startswith(("make", "actions/attest", "actions/upload"))] == [
        "make test", "make dist", "actions/attest-build-provenance", "actions/upload-artifact"
    ]  # fmt: skip
    # A job that can publish runs nothing of the repository.
    assert not any("checkout" in step.get("uses", "") for step in JOBS["publish"]["steps"])


def test_the_tag_is_compared_with_the_version() -> None:
    (step,) = [step for step in JOBS["build"]["steps"] if step.get("name") == "the tag is the version"]
    pattern = r'^__version__ = "(.*)"$'
    assert re.findall(pattern, (REPO / "capacity/__init__.py").read_text(), re.MULTILINE) == [capacity.__version__]
    assert 's/^__version__ = "' in step["run"]
    assert "github.ref_name" not in step["run"]  # outside text reaches the shell as a variable only
