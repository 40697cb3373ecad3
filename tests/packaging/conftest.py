"""A release built from the source, a folder with the wheels of a base install, and environments made from them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.build_dist import build_dist

REPO = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installation:
    """An environment with `capacity` in it, and the folder to run it from."""

    python: Path
    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment; neither the user's settings nor the source tree's reach it."""
        return run_alone([str(self.python.with_name(command[0])), *command[1:]], self.folder)


def run_alone(command: list[str], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program with an empty environment, which these settings are added to."""
    env = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", **settings}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def pip(python: Path | str, *arguments: str) -> None:
    done = subprocess.run(
        [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` builds, without asking a registry."""
    folder = tmp_path_factory.mktemp("dist")
    build_dist(folder)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheels(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the wheels of its locked dependencies in one folder, from which everything else is installed."""
    folder = tmp_path_factory.mktemp("wheels")
    slim = ("--require-hashes", "--only-binary", ":all:", "-r", "requirements/slim.txt")
    pip(sys.executable, "download", "--no-deps", *slim, "--dest", str(folder))
    shutil.copy(wheel, folder)
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the examples and nothing else of the repository."""
    away = tmp_path_factory.mktemp("away")
    shutil.copytree(REPO / "examples", away / "examples")
    return away


@pytest.fixture(scope="session")
def base(wheels: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """`pip install eks-pod-capacity`, with no extra, from the folder of wheels."""
    environment = tmp_path_factory.mktemp("base")
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip(python, "install", "--no-index", "--find-links", str(wheels), "eks-pod-capacity")
    return Installation(python, folder)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(file: str) -> set[str]:
    """The names that a lock file pins."""
    text = (REPO / "requirements" / file).read_text(encoding="utf-8")
    return {canonical(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
