"""Builds the container image with buildah and runs it: as its user, without a network, on a read-only file system.

    python -m tools.try_image [--pinned]

With --pinned, the image is built on the base that the Containerfile names, from its registry. Otherwise on one made
from Debian's packages, without a container registry. Needs root and buildah, and without --pinned mmdebstrap.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).parents[1]
SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}  # Debian's releases by their Python
BASE = "localhost/python-of-debian"
IMAGE = "localhost/capacity"

# In a mount namespace of its own: the image's files read-only, the examples as /plan, nothing else of this machine.
RUN = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1" && mount --bind examples "$1/plan"
mount -o remount,bind,ro "$1" && mount -o remount,bind,ro "$1/plan"
root=$1 user=$2; shift 2
exec chroot --userspec="$user" "$root" env -i PATH=/opt/capacity/bin:/usr/bin:/bin HOME=/tmp \\
    PYTHONDONTWRITEBYTECODE=1 sh -c 'cd /plan && exec "$@"' sh "$@"
"""


def run(*command: str, code: int = 0) -> str:
    """What a command prints; another exit code than expected ends the program."""
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise SystemExit(f"{' '.join(command)[:200]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Buildah:
    """buildah with a store of its own, which needs no kernel module and ends with the folder."""

    def __init__(self, store: Path) -> None:
        self._options = ("--storage-driver", "vfs", "--root", str(store / "root"), "--runroot", str(store / "run"))

    def __call__(self, *command: str) -> str:
        return run("buildah", *self._options, *command).strip()

    def base_of_debian(self, folder: Path) -> str:
        """An image with the Python of Debian that this Python's wheels fit."""
        suite = SUITES.get(sys.version_info[:2])
        if suite is None:
            raise SystemExit(
                f"no Debian release has Python {sys.version_info.major}.{sys.version_info.minor}: use --pinned"
            )
        archive = folder / "base.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-venv", suite, str(archive))
        container = self("from", "scratch")
        self("add", "--quiet", container, str(archive), "/")
        self("commit", "--quiet", container, BASE)
        return BASE

    def build(self, base: str | None, wheels: Path) -> None:
        """The image, from a folder of wheels, on a base or the Containerfile's own."""
        arguments = ["PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels", *([f"BASE={base}"] if base else [])]
        options = [part for argument in arguments for part in ("--build-arg", argument)]
        volume = ("--volume", f"{wheels}:/wheels:ro")
        self("build", "--isolation", "chroot", *options, *volume, "--tag", IMAGE, "--file", "Containerfile", ".")


def download(folder: Path) -> None:
    """The wheels that the image is built from."""
    locks = [part for name in ("slim", "build") for part in ("--requirement", f"requirements/{name}.txt")]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    run(*pip, "--require-hashes", "--only-binary", ":all:", "--dest", str(folder), *locks)


def try_out(root: str, user: str) -> None:
    """Run what is in the image, and see that it cannot write."""

    def inside(*command: str, code: int = 0) -> str:
        isolated = ("unshare", "--mount", "--net", "sh", "-c", RUN, "sh", root, user)
        return run(*isolated, *command, code=code)

    assert inside("id", "-u").strip() == "65532"
    inside("sh", "-c", "! touch /plan/x /opt/capacity/x /tmp/x 2>/dev/null")
    assert "29" in inside("capacity", "maxpods", "m5.large")
    assert inside("capacity", "check", "shop-prod.yaml", "-q", code=1).startswith("EXHAUSTED: private-b")
    assert inside("capacity", "maxpods", "m5.large", "--expression", "max_enis * 10", "-q")
    assert "OK: every subnet" in inside("sh", "-c", "capacity init --example prod - | capacity check -q -")
    assert "numpy" in inside("sh", "-c", "! capacity forecast shop-prod.yaml 2>&1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pinned", action="store_true", help="build on the base that the Containerfile names")
    pinned: bool = parser.parse_args().pinned
    needed = ("buildah", "unshare") if pinned else ("buildah", "unshare", "mmdebstrap")
    missing = [name for name in needed if not shutil.which(name)]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)} (on Debian or Ubuntu: apt install buildah mmdebstrap)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        buildah = Buildah(folder)
        download(folder / "wheels")
        buildah.build(None if pinned else buildah.base_of_debian(folder), folder / "wheels")
        container = buildah("from", IMAGE)
        root = buildah("mount", container)
        user = buildah("inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}}", IMAGE)
        try_out(root, user)
        own = sum(f.stat().st_size for f in Path(root, "opt/capacity").rglob("*") if f.is_file() and not f.is_symlink())
        print(f"built, run as user {user} on a read-only file system; {own / 1e6:.0f} MB on top of the base")
        buildah("umount", container)


if __name__ == "__main__":
    main()
