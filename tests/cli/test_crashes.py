"""The command where something fails: a crash is never a verdict, and streams that are closed or full are no crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capacity.cli import exit_codes
from tests.cli.entry import capacity, hear_interrupts

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST, SHOP = str(EXAMPLES / "first-plan.yaml"), str(EXAMPLES / "shop-prod.yaml")
COMMAND = [sys.executable, "-m", "capacity"]


def shell(line: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which "$@" is the command with these arguments."""
    return subprocess.run(["sh", "-c", line, "sh", *COMMAND, *arguments], capture_output=True, text=True, check=False)


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("error: ") and "Traceback" not in text


class TestStreams:
    @pytest.mark.parametrize("plan", [FIRST, SHOP])
    def test_closed_stdout_has_no_reader_and_changes_no_code(self, plan: str) -> None:
        code = capacity("check", plan, "-q", "--no-fixes").code
        done = shell('"$@" >&-', "check", plan, "-q", "--no-fixes")
        assert (done.returncode, done.stderr) == (code, "")

    def test_closed_stdin_is_an_empty_plan(self) -> None:
        done = shell('"$@" <&-', "check", "-")
        assert done.returncode == 2
        assert done.stderr.startswith("error: <stdin>: is empty")

    @pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
    def test_where_stderr_cannot_be_written_the_code_still_tells(self, streams: str) -> None:
        done = shell(f'"$@" {streams}', "check", "nofile")
        assert (done.returncode, done.stdout) == (2, "")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--help",),
            ("--version",),
            ("check", "--help"),
            ("check", FIRST, "-q", "--exit-zero", "--no-fixes"),
            ("report", FIRST, "-q", "-o", "md"),
            ("report", FIRST, "-q", "-o", "xlsx", "--out-file", "-"),
            ("check", FIRST, "-q", "--no-fixes", "--out-file", "/dev/stdout"),
        ],
    )
    def test_a_full_disk_is_one_line_and_2(self, arguments: tuple[str, ...]) -> None:
        done = shell('"$@" >/dev/full', *arguments)
        assert done.returncode == 2
        assert one_line(done.stderr)
        assert "No space left on device" in done.stderr


class TestUnforeseen:
    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object, **__: object) -> None:
            raise KeyError("a name\nof\x1b[2J others ::error::x " + "y" * 500)

        monkeypatch.setattr("capacity.plan.document.read_plan_file", crash)

    def test_a_crash_is_one_line_and_no_verdict(self) -> None:
        done = capacity("check", FIRST, "--exit-zero")
        assert (done.code, done.stdout) == (exit_codes.UNFORESEEN, "")
        assert one_line(done.stderr)
        assert done.stderr.startswith("error: unexpected KeyError: ")
        assert "please report" in done.stderr
        assert "CAPACITY_DEBUG=1" in done.stderr
        assert "\x1b" not in done.stderr
        assert len(done.stderr) < 500

    def test_the_traceback_is_for_those_who_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CAPACITY_DEBUG", "1")
        done = capacity("check", FIRST)
        assert done.code == exit_codes.UNFORESEEN
        assert "Traceback (most recent call last):\n" in done.stderr
        assert "\x1b" not in done.stderr
        assert done.stderr.splitlines()[-1].startswith("error: unexpected KeyError")

    def test_the_code_is_that_of_sysexits(self) -> None:
        assert (exit_codes.UNFORESEEN, exit_codes.INTERRUPTED) == (70, 130)


@pytest.mark.parametrize("index", ["9" * 5000, "10", "9" * 19, "٣" * 5000])
def test_an_index_beyond_any_list(index: str) -> None:
    done = capacity("check", FIRST, "--set", f"nodeGroups[{index}].x=1")
    assert done.code == 2
    assert one_line(done.stderr)
    assert "has no entry [" in done.stderr
    assert len(done.stderr) < 300


STARTS = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
MODULE = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("capacity", run_name="__main__", alter_sys=True)
"""


class TestInterrupts:
    @pytest.mark.parametrize(
        "module", ["capacity.cli.main", "typer", "capacity.cli.check", "capacity.cluster.check", "yaml", "decimal"]
    )
    def test_while_modules_are_loaded(self, module: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", STARTS, module, "check", FIRST, "-q"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")

    def test_at_any_moment(self) -> None:
        for step in range(12):
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import capacity.cli.start as s; print('on', flush=True); s.run()",
                    "check",
                    FIRST,
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=hear_interrupts,
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "on\n"
            time.sleep(0.02 * step)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            assert "Traceback" not in err
            assert process.returncode in (0, 130), err
            if process.returncode == 130:
                assert err.endswith("interrupted\n")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_file_is_whole_or_not_there_and_nothing_lies_beside_it(self, tmp_path: Path, number: int) -> None:
        script = (
            "import os, sys, capacity.cli.start as s\n"
            "real = os.fchmod if sys.argv.pop(1) == 'old' else os.replace\n"
            "def hit(*a):\n    done = real(*a); os.kill(os.getpid(), int(os.environ['HIT'])); return done\n"
            "setattr(os, real.__name__, hit)\n"
            "s.run()"
        )
        for kind in ("old", "new"):
            target = tmp_path / kind
            if kind == "old":
                target.write_text("old")
            done = subprocess.run(
                [sys.executable, "-c", script, kind, "maxpods", "m5.large", "-q", "--out-file", str(target)],
                env=os.environ | {"HIT": str(int(number))},
                preexec_fn=hear_interrupts,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == (130 if number == signal.SIGINT else -number)
            assert "m5.large" in target.read_text()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "old"]
