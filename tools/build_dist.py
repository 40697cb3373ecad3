"""Builds what a release has: the wheel, the source archive, the kubectl plugin, a bill of materials and checksums.

python -m tools.build_dist [FOLDER]

The same commit gives the same bytes: times in the files are SOURCE_DATE_EPOCH, by default the time of the commit.
Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from capacity import __version__
from tools.build_krew import ARCHIVE, archive

REPO = Path(__file__).parents[1]
LOCK = REPO / "requirements" / "run.txt"  # what `make plan` installs
CHECKSUMS = "SHA256SUMS"
BILL = "sbom.cdx.json"


def build_dist(folder: Path, source: Path = REPO) -> list[Path]:
    """The files of a release of ``source``, in an emptied folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _commit_time(source)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    _run(["hatchling", "build", "--directory", str(folder.resolve())], source, environment)
    bill = ["cyclonedx_py", "requirements", str(LOCK), "--pyproject", "pyproject.toml", "--output-reproducible"]
    _run([*bill, "--output-file", str(folder.resolve() / BILL)], source, environment)
    (folder / ARCHIVE).write_bytes(archive(__version__))
    built = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in built]
    (folder / CHECKSUMS).write_text("".join(sums), encoding="utf-8")
    return [*built, folder / CHECKSUMS]


def _commit_time(source: Path) -> str:
    """Seconds since 1970 of the commit that is checked out."""
    asked = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(asked, cwd=source, capture_output=True, text=True, check=True).stdout.strip()


def _run(module: list[str], folder: Path, environment: dict[str, str]) -> None:
    """A module of this Python; what it prints is shown only if it fails.

    Warnings are off: cyclonedx_py warns that a lock file does not say which packages are direct dependencies.
    """
    command = [sys.executable, "-W", "ignore", "-m", *module]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(module)} failed:\n{done.stdout}{done.stderr}")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REPO / "dist"
    for path in build_dist(folder):
        print(f"{path.stat().st_size / 1e6:7.2f} MB  {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
