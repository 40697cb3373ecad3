"""The wheel, installed with the runtime's locked dependencies only, answers like the source tree."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import REPO, Installation, canonical, locked, pip

COMMANDS = [
    "--version",
    "maxpods m5.large -o json",
    "check examples/windows-mixed.yaml -o md",
    "explain IP001",
    "explain pods-a.warm --plan examples/prefix-custom-networking.yaml --scenario upgrade",
    "node m5.large -o json",
    "data verify",
    "check examples/shop-prod.yaml -o json",
    "init --example prod -",
    "report examples/shop-prod.yaml --as-of 2026-11-25 --out-file -",
    "subnets --cidr 10.0.0.0/24 --used 9 -o json",
    "size --pods 100 --type m5.large -o json",
]


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip(python, "install", "--no-compile", "--require-hashes", "--only-binary", ":all:", "-r", "requirements/run.txt")
    pip(python, "install", "--no-index", "--no-deps", str(wheel))
    return Installation(python, folder)


@pytest.fixture(scope="session")
def from_source(folder: Path) -> Installation:
    return Installation(Path(sys.executable), folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_wheel_answers_like_the_source(command: str, from_wheel: Installation, from_source: Installation) -> None:
    theirs = from_wheel.run("capacity", *command.split())
    ours = from_source.run("capacity", *command.split())
    assert theirs.stdout, theirs.stderr
    assert (theirs.returncode, theirs.stdout, theirs.stderr) == (ours.returncode, ours.stdout, ours.stderr)
    # 1 is the answer "it runs out"; only `check` gives it
    assert theirs.returncode in ((0, 1) if command.startswith("check") else (0,)), theirs.stderr


def test_the_wheel_runs_without_the_source_and_the_development_tools(from_wheel: Installation) -> None:
    where = from_wheel.run("python", "-c", "import capacity; print(capacity.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(from_wheel.python.parents[1])

    installed = from_wheel.run("python", "-m", "pip", "list", "--format", "freeze").stdout
    names = {canonical(line.partition("==")[0]) for line in installed.splitlines()}
    assert names <= locked("run.txt") | {"pip", "setuptools", "eks-pod-capacity"}


def test_the_wheel_holds_every_data_file(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "data"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"capacity/_{name}" for name in tracked.split()} <= inside
    assert not {name for name in inside if not name.startswith(("capacity/", "eks_pod_capacity-"))}
