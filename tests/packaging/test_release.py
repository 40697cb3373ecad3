"""`make dist`: the same bytes each time, and what people install from it without the repository."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from tests.packaging.conftest import REPO, locked, run_alone
from tools.build_dist import BILL, CHECKSUMS, build_dist

BIN = Path(sys.executable).parent


def test_the_same_source_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """Whenever and wherever it is built: other times, modes and folder."""
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("capacity", "data"):
        shutil.copytree(
            REPO / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile
        )
    for name in (".gitignore", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copyfile(REPO / name, copy / name)
    (copy / "capacity/__init__.py").chmod(0o600)
    again = tmp_path / "again"
    build_dist(again, copy)
    assert (again / CHECKSUMS).read_text() == (dist / CHECKSUMS).read_text()


def test_every_file_has_its_checksum(dist: Path) -> None:
    said = {}
    for line in (dist / CHECKSUMS).read_text().splitlines():
        checksum, name = line.split("  ")
        said[name] = checksum
    assert said == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in dist.iterdir() if p.name != CHECKSUMS}
    assert sorted(Path(name).suffix for name in said) == [".gz", ".gz", ".json", ".whl"]


def test_the_bill_of_materials_lists_what_make_plan_installs(dist: Path) -> None:
    bill = json.loads((dist / BILL).read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "eks-pod-capacity")
    assert {part["name"] for part in bill["components"]} == locked("run.txt")
    for part in bill["components"]:
        assert part["purl"].partition("?")[0] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert any(reference.get("hashes") for reference in part["externalReferences"])


def test_the_source_archive_holds_what_builds_the_wheel(dist: Path) -> None:
    (archive,) = dist.glob("eks_pod_capacity-*.tar.gz")
    with tarfile.open(archive) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "capacity/__init__.py", "data/facts.csv"} <= names
    assert not {name for name in names if name.startswith(("tests/", "docs/", "examples/"))}


@pytest.fixture
def uvx(wheels: Path, tmp_path: Path) -> list[str]:
    """`uvx --from eks-pod-capacity`, with the folder of wheels in place of a registry."""
    return [str(BIN / "uvx"), "--no-index", "--find-links", str(wheels), "--cache-dir", str(tmp_path / "cache"),
            "--python", sys.executable, "--from", "eks-pod-capacity"]  # fmt: skip


def test_uvx_runs_it_from_nothing_to_a_verdict(uvx: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    wrote = run_alone([*uvx, "capacity", "init", "--example", "prod"], folder)
    assert "wrote capacity.yaml; next: capacity check capacity.yaml" in wrote.stderr
    checked = run_alone([*uvx, "capacity", "check"], folder)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("OK: every subnet keeps at least 20%")


def test_pipx_installs_a_command_that_answers(wheels: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    home = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    source = f"--no-index --find-links {wheels}"
    # With pip as its backend, pipx first installs a pip of its own, from a registry.
    command = [str(BIN / "pipx"), "install", "--backend", "uv", "--pip-args", source, "eks-pod-capacity"]
    done = run_alone(command, folder, **home, PIPX_DEFAULT_PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    program = str(tmp_path / "bin" / "capacity")
    assert run_alone([program, "init", "--example", "small"], folder).returncode == 0
    checked = run_alone([program, "check"], folder)
    assert checked.returncode == 0, checked.stderr
