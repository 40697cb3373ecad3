"""A fleet that ends early, by Ctrl-C or kill -9: no process stays behind, and the same command continues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.fleets import Cluster, write_fleet

SMALL: dict[str, Any] = {"replicas": 4, "peak": 6, "nodes": 1, "most": 2}
WAIT_S = 60.0


def until(ready: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.02)


def group_is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_early_is_continued(tmp_path: Path, number: signal.Signals) -> None:
    write_fleet(tmp_path / "plans", [Cluster(f"c{i:03}", **SMALL, vpc=f"vpc-{i}") for i in range(200)])
    command = [sys.executable, "-m", "capacity", "fleet", "check", "plans", "-o", "json", "-q"]
    kept = ["--resume", "kept"]
    running = subprocess.Popen(
        [*command, *kept, "--jobs", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        until(lambda: len(list((tmp_path / "kept").rglob("*.json"))) > 4 or running.poll() is not None)
        assert running.poll() is None, "it ended before it was interrupted"
        os.kill(running.pid, number)
        stdout, stderr = running.communicate(timeout=WAIT_S)
        until(lambda: group_is_gone(running.pid))
    finally:
        if not group_is_gone(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
    assert stdout == b""
    if number == signal.SIGINT:
        assert (running.returncode, stderr) == (130, b"interrupted\n")
    finished = len(list((tmp_path / "kept").rglob("*.json")))
    assert finished > 4
    whole = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=300).stdout
    assert subprocess.run([*command, *kept], cwd=tmp_path, capture_output=True, check=True).stdout == whole
