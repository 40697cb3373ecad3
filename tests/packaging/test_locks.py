"""The lock files pin by hash, name no index, agree with each other and cover what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
LOCKS = sorted((REPO / "requirements").glob("*.txt"), key=lambda path: path.name)


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_line_is_a_pin_with_hashes_or_a_comment(lock: Path) -> None:
    entries = re.sub(r"\\\n", "", lock.read_text()).splitlines()
    loose = [
        line
        for line in entries
        if not re.match(r"\s*#", line) and not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert loose == []
    assert "://" not in lock.read_text()
    assert pins(lock)


def test_the_development_environment_holds_what_people_run() -> None:
    dev = pins(REPO / "requirements/dev.txt")
    for name in ("run.txt", "build.txt"):
        assert pins(REPO / "requirements" / name).items() <= dev.items()


def test_each_dependency_is_locked() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[^\w.-]", line)[0].lower().replace(".", "-") for line in project["dependencies"]}
    assert asked <= pins(REPO / "requirements/run.txt").keys()


def test_the_extra_all_is_every_other_extra_and_make_plan_has_the_solver() -> None:
    extras = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (every,) = extras.pop("all")
    assert every == f"eks-pod-capacity[{','.join(extras)}]"
    assert "highspy" in pins(REPO / "requirements/run.txt")
