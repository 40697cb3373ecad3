"""How much an installation takes on disk: the base, with each extra, and with all of them.

    python -m benchmarks.install_size

Builds the wheel, and installs it into an empty environment for each row, with the locked versions (from the package
registry or pip's cache). Compiled modules count, pip and setuptools do not. Prints a Markdown table for
benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from tools.build_dist import REPO, build_dist

TOOLS = re.compile(r"(pip|setuptools|pkg_resources|_distutils_hack|distutils-precedence)\b")


def packages_bytes(environment: Path) -> tuple[int, int]:
    """Bytes of what is installed, and the number of packages."""
    (folder,) = environment.glob("lib/python*/site-packages")
    own = [path for path in folder.iterdir() if not TOOLS.match(path.name)]
    files = [f for path in own for f in ([path] if path.is_file() else path.rglob("*")) if f.is_file()]
    return sum(f.stat().st_size for f in files), sum(path.suffix == ".dist-info" for path in own)


def install(wheel: Path, extra: str, versions: Path, environment: Path) -> None:
    """The wheel with an extra (or several, or none), in an empty environment."""
    venv.create(environment, with_pip=True)
    wanted = f"eks-pod-capacity[{extra}] @ {wheel.as_uri()}"
    command = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*command, "--only-binary", ":all:", "--constraint", str(versions), wanted], check=True)


def main() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    print(f"install size, Python {sys.version.split()[0]}\n\n| extra | packages | MB |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (wheel,) = (path for path in build_dist(folder / "dist") if path.suffix == ".whl")
        lock = (REPO / "requirements" / "dev.txt").read_text(encoding="utf-8")
        versions = folder / "versions.txt"
        versions.write_text("\n".join(re.findall(r"^[\w.-]+==\S+", lock, re.MULTILINE)), encoding="utf-8")
        for extra in ("", *project["optional-dependencies"]):
            environment = folder / f"with-{extra}"
            install(wheel, extra, versions, environment)
            size, packages = packages_bytes(environment)
            print(f"| {extra or 'none'} | {packages} | {size / 1e6:.0f} |", flush=True)


if __name__ == "__main__":
    main()
