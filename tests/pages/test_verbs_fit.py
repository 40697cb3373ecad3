"""Every verb at 80 columns: no table and no sentence is wider; into a pipe nothing is wrapped or left out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import typer.main

from capacity.cli.main import VERBS as VERB_TABLE
from capacity.cli.main import app
from capacity.cli.output import Sink, screen_width
from capacity.pages.terminal import width
from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPACITY = Path(sys.executable).with_name("capacity")
SOURCES = [*(EXAMPLES.parent / "capacity/pages").glob("*.py"), *(EXAMPLES.parent / "capacity/fleet").glob("*.py")]
VERBS = (
    "maxpods m5.large m6i.2xlarge --pod-eni --explain",
    "node m5.large c7g.2xlarge --pod-cpu 250m --pod-memory 512Mi --pods 12 --explain",
    "check {examples}/shop-prod.yaml --no-fixes --exit-zero",
    "check {examples}/prefix-custom-networking.yaml --no-fixes --exit-zero --explain",
    "compare {examples}/shop-prod.yaml --set cni.env.WARM_IP_TARGET=2",
    "size {examples}/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet none",
    "warm --type m5.large --pods-per-node 8..30 --all",
    "subnets {examples}/shop-prod.yaml --want 4",
    "forecast {examples}/shop-prod.yaml --paths 200 --as-of 2026-11-30",
    "services {examples}/services.yaml --peak --vcpus 8 --connections 3000",
    "explain limits {examples}/shop-prod.yaml",
    "explain network-policy",
    "explain IP001",
    "explain private-b {examples}/shop-prod.yaml",
    "data status --as-of 2026-11-30",
    "data verify",
    "optimize --pod größe=250m,512Mi,60 --pod api=1,4Gi,9 --types c6i.large,m6i.*large,d3.4xlarge",
    "doctor --from {examples}/aws-answers --exit-zero",
    "import aws --from {examples}/aws-answers -o table",
    "import kubectl {examples}/import/objects.yaml --diff {examples}/shop-prod.yaml",
    "optimize --pod web=250m,512Mi,20 --types m5.large,m5.xlarge --effort quick",
    "compare {examples}/first-plan.yaml {examples}/shop-prod.yaml",
    "simulate {examples}/shop-prod.yaml --scenario peak --for 5m",
    "simulate --type m5.large --pods 20 --churn 2/min --for 20m --explain",
    "fleet check {examples}/fleet --exit-zero",
    "fleet forecast {examples}/fleet {examples}/shop-prod.yaml --paths 100 --as-of 2026-11-30",
    "fleet simulate {examples}/fleet --for 5m",
    "fleet optimize {examples}/fleet --types m5.large,m5.xlarge --effort quick",
    "explain security-groups",
    "explain autoscaling {examples}/shop-prod.yaml",
    "explain control-plane-price",
    "data diff",
    "report {examples}/shop-prod.yaml -o table --as-of 2026-11-25",
)
# Verbs whose whole answer is a file or a plan, with what they print on a terminal in the tests of `tests/cli`.
FILES = {
    "init",
    "completion",
    "import eksctl",
    "import cloudformation",
    "import karpenter",
    "import helm",
    "import files",
}
FILES |= {"import terraform", "fleet report", "fleet import", "data refresh"}
PASTED = ("# ", "aws ", "kubectl ", "eksctl ", "capacity report ")  # text to copy stays whole


def answered(command: str) -> str:
    done = run(*command.format(examples=EXAMPLES).split(), "-q")
    assert done.code == 0, done.stderr
    return done.stdout


def to_read(text: str) -> list[str]:
    """The lines without text to copy, which stays whole."""
    blocks = [block.split("\n") for block in text.split("\n\n")]
    return [
        line
        for block in blocks
        if not block[0].startswith("# ")
        for line in block
        if not line.strip().startswith(PASTED)
    ]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", VERBS)
def test_it_fits(command: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert [line for line in to_read(answered(command)) if width(line) > columns] == []


def every_command() -> list[str]:
    """Every verb and sub-verb."""
    group = typer.main.get_command(app)
    found = []
    for name in VERB_TABLE:
        members = getattr(group.commands[name], "commands", {})  # type: ignore[attr-defined]
        found += [f"{name} {member}" for member in members] or [name]
    return found


def test_every_verb_is_here() -> None:
    names = every_command()
    shown = {next((n for n in names if f"{command} ".startswith(f"{n} ")), command) for command in VERBS}
    assert len(names) > 30
    assert set(names) <= shown | FILES | {"record"}


@pytest.mark.parametrize("name", ["", *every_command()])
def test_help_fits_and_breaks_no_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(*name.split(), "--help")
    assert done.code == 0, done.stderr
    lines = done.stdout.split("\n")
    assert [line for line in lines if width(line) > 80 or re.search(r"\w-$", line)] == []


def test_no_heading_has_a_comma() -> None:
    """The headings of columns that are left out are listed with commas."""
    headings = [
        told for path in SOURCES for told in re.findall(r'TableColumn\("\w+", "([^"]*)"', path.read_text("utf-8"))
    ]
    assert len(headings) > 200
    assert [heading for heading in headings if "," in heading] == ["why, or why not"]  # never left out


@pytest.mark.parametrize("command", VERBS[:6])
def test_wide_shows_every_column(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "Not shown: " in answered(command)
    wide = answered(f"{command} --wide")
    assert "(--wide shows every column)" not in wide
    monkeypatch.delenv("COLUMNS")
    piped = answered(command)
    assert "(--wide shows every column)" not in piped
    rules = [line for line in piped.split("\n") if line.startswith("─")]
    assert rules == [line for line in wide.split("\n") if line.startswith("─")]


def test_import_wide_wraps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    command = "import aws --from {examples}/aws-answers -o table"
    narrow = answered(command)
    assert max(map(width, narrow.split("\n"))) <= 60
    wide = answered(f"{command} --wide")
    assert len(wide.split("\n")) < len(narrow.split("\n"))
    monkeypatch.delenv("COLUMNS")
    assert wide == answered(command)


class TestStderr:
    """Notes and errors on a terminal wrap at its width; a log or a pipe gets each on one line."""

    COMMAND = ("check", str(EXAMPLES / "shop-prod.yaml"), "--scenario", "steady", "--set", "region=us-esat-1")

    def on_terminal(self, columns: int, *arguments: str) -> list[str]:
        """What stderr shows on a terminal of this width; stdout is a pipe."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        subprocess.run([CAPACITY, *arguments], stdout=subprocess.PIPE, stderr=theirs, check=False, timeout=60)
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # nothing more comes
                break
            if not part:
                break
            text += part
        os.close(ours)
        return text.decode().replace("\r\n", "\n").rstrip("\n").split("\n")

    def in_a_pipe(self, *arguments: str) -> list[str]:
        done = subprocess.run([CAPACITY, *arguments], capture_output=True, text=True, check=False, timeout=60)
        return done.stderr.rstrip("\n").split("\n")

    @pytest.mark.parametrize("columns", [60, 100])
    def test_warnings_wrap_with_a_hanging_indent(self, columns: int) -> None:
        lines, whole = self.on_terminal(columns, *self.COMMAND), self.in_a_pipe(*self.COMMAND)
        assert max(map(width, whole)) > columns >= max(map(width, lines))
        assert all(line.startswith(("warning: ", "  ")) for line in lines)
        assert " ".join(line.strip() for line in lines) == " ".join(whole)

    def test_an_error_wraps(self, tmp_path: Path) -> None:
        plan = tmp_path / "a-plan-with-a-rather-long-name.yaml"
        plan.write_text("apiVersion: capacity/v1\nvpc: {cidrs: [10.0.0.0/16], subnets: []}\nnodeGruops: []\n")
        lines = self.on_terminal(60, "check", str(plan))
        (first, *rest) = lines
        assert first.startswith("error:")
        assert rest
        assert any(line.startswith("  ") for line in rest)

    def test_a_narrow_terminal_counts_as_40_columns(self) -> None:
        longest = max(map(width, self.on_terminal(10, *self.COMMAND)))
        assert 30 < longest <= 40


class TestWidth:
    @pytest.fixture(autouse=True)
    def _terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.setattr("shutil.get_terminal_size", lambda _default: __import__("os").terminal_size((132, 40)))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)

    def test_of_the_terminal(self) -> None:
        assert screen_width(Sink()) == 132

    @pytest.mark.parametrize(("columns", "found"), [("100", 100), ("7", 40), ("0", 132), ("wide", 132)])
    def test_columns_come_first(self, columns: str, found: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", columns)
        assert screen_width(Sink()) == found

    def test_a_file_and_a_pipe_have_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert screen_width(Sink(out_file=Path("x"))) is None
        monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
        assert screen_width(Sink()) is None
