"""Finds a Chromium or Chrome for the browser tests, and installs one where there is none.

    python tools/find_browser.py            # prints its path, exit 1 with a line on stderr where there is none
    python tools/find_browser.py --install  # the same, but first tries Debian's package, then Playwright's download

The environment variable CAPACITY_BROWSER names one that lies elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chromium-headless-shell")
PLACES = (
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Where Playwright keeps its downloads, newest last; the folders carry a revision.
DOWNLOADS = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium")
MISSING = (
    "no Chromium or Chrome found for the browser tests: install one (Debian, Ubuntu: apt-get install chromium), "
    "or run 'playwright install chromium', or set CAPACITY_BROWSER to its path"
)


def find_browser(environment: Mapping[str, str] = os.environ) -> str | None:
    """Path of a browser that can be run; None where there is none."""
    named = environment.get("CAPACITY_BROWSER")
    if named:
        return named if _runs(named) else None
    in_path = (shutil.which(name, path=environment.get("PATH")) for name in NAMES)
    return next((p for p in (*in_path, *PLACES, *_downloads(environment)) if p and _runs(p)), None)


def _runs(path: str) -> bool:
    return os.access(path, os.X_OK) and Path(path).is_file()


def _downloads(environment: Mapping[str, str]) -> Iterable[str]:
    home = Path(environment.get("HOME", "/nonexistent"))
    usual = (home / ".cache/ms-playwright", home / "Library/Caches/ms-playwright")
    own = environment.get("PLAYWRIGHT_BROWSERS_PATH")
    for folder in (Path(own),) if own and own != "0" else usual:
        for pattern in DOWNLOADS:
            yield from sorted(map(str, folder.glob(pattern)), reverse=True)


def installers() -> list[list[list[str]]]:
    """Ways to install one, each a list of commands: Debian's package for root, then Playwright's own download."""
    ways = []
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        ways.append([["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]])
    ways.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    return ways


def install() -> None:
    """Try one way after the other until a browser is there; their output goes to stderr."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for commands in installers():
        print(f"installing a browser for the tests: {' '.join(commands[-1])}", file=sys.stderr)
        for command in commands:
            if subprocess.run(command, env=quiet, stdout=sys.stderr.fileno(), check=False).returncode:
                break
        if find_browser():
            return


def main() -> int:
    if "--install" in sys.argv[1:] and find_browser() is None and not os.environ.get("CAPACITY_BROWSER"):
        install()
    found = find_browser()
    print(found or MISSING, file=sys.stdout if found else sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
