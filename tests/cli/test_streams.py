"""The installed command and its streams: a reader that goes away, an interrupt, an encoding that cannot say it all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.entry import hear_interrupts

PLAN = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
COMMAND = [sys.executable, "-m", "capacity"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_closed_pipe_is_no_error(form: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "maxpods", "--all", "-q", "-o", form], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("maxpods", "m5.large"), 0),
        (("check", str(PLAN), "-q"), 1),
        (("check", str(PLAN), "-q", "--exit-zero"), 0),
        (("maxpods", "m5.lrage"), 2),
    ],
)
def test_a_pipe_closed_before_the_first_byte_changes_no_exit_code(arguments: tuple[str, ...], code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_an_interrupt_is_one_line_and_130(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    os.mkfifo(plan)  # the command waits for a plan that never comes
    process = subprocess.Popen(
        [*COMMAND, "check", str(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    with plan.open("w"):  # returns once the command has opened the other end
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_an_ascii_terminal_gets_stand_ins() -> None:
    done = subprocess.run(
        [*COMMAND, "maxpods", "cc1.4xlarge", "-q"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.isascii()
    assert "cc1.4xlarge" in done.stdout


def test_a_full_disk_is_one_line_and_2() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "maxpods", "m5.large"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "error: cannot write the output: No space left on device\n")
