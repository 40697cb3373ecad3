"""The lock files pin by hash, name no index, agree with each other and cover what pyproject.toml asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

from capacity.extras import DISTRIBUTIONS, EXTRAS

REPO = Path(__file__).parents[2]
LOCKS = sorted((REPO / "requirements").glob("*.txt"), key=lambda path: path.name)
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
EXTRAS_IN_FILE: dict[str, list[str]] = PROJECT["optional-dependencies"]


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
    for name in ("run.txt", "slim.txt", "build.txt"):
        assert pins(REPO / "requirements" / name).items() <= dev.items()


def test_each_dependency_is_locked() -> None:
    assert names_of(PROJECT["dependencies"]) <= pins(REPO / "requirements/slim.txt").keys()
    assert names_of([line for extra in EXTRAS_IN_FILE.values() for line in extra]) <= pins(
        REPO / "requirements/dev.txt"
    ).keys() | {"eks-pod-capacity"}


def test_the_extra_all_is_every_other_extra() -> None:
    others = [name for name in EXTRAS_IN_FILE if name != "all"]
    assert EXTRAS_IN_FILE["all"] == [f"eks-pod-capacity[{','.join(others)}]"]


def test_make_plan_installs_what_draws_forecasts_and_optimizes() -> None:
    found = pins(REPO / "requirements/run.txt")
    assert found.keys() >= {"matplotlib", "numpy", "pandas", "highspy", "cel-python"}
    assert pins(REPO / "requirements/slim.txt").items() < found.items()


def test_the_messages_name_the_extras_that_exist() -> None:
    """What capacity/extras.py says of an extra is what pyproject.toml has in it."""
    said = {name: {DISTRIBUTIONS.get(package, package) for package in extra.packages} for name, extra in EXTRAS.items()}
    assert said == {name: names_of(EXTRAS_IN_FILE[name]) for name in EXTRAS_IN_FILE.keys() - {"notebooks", "all"}}


def test_every_import_is_a_dependency_or_in_an_extra() -> None:
    base = {"typer", "yaml", "ruamel", "platformdirs", "jinja2"}
    optional = {package for extra in EXTRAS.values() for package in extra.packages}
    foreign = {
        name.partition(".")[0]
        for path in (REPO / "capacity").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported(node)
    } - sys.stdlib_module_names
    carried = {"botocore", "markupsafe"}  # by boto3 and jinja2
    assert foreign - {"capacity"} == base | optional | carried
    assert len(base) == len(PROJECT["dependencies"])


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def names_of(lines: list[str]) -> set[str]:
    """The names of requirements, without versions."""
    return {re.split(r"[^\w.-]", line)[0].lower().replace(".", "-") for line in lines}
