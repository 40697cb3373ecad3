"""Every verb at 80 columns: no table and no sentence is wider; into a pipe nothing is wrapped or left out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from capacity.cli.output import Sink, screen_width
from capacity.pages.terminal import width
from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
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
    "explain IP001",
    "explain private-b {examples}/shop-prod.yaml",
    "data status --as-of 2026-11-30",
    "data verify",
    "optimize --pod größe=250m,512Mi,60 --pod api=1,4Gi,9 --types c6i.large,m6i.*large,d3.4xlarge",
    "doctor --from {examples}/aws-answers --exit-zero",
)


def answered(command: str) -> str:
    done = run(*command.format(examples=EXAMPLES).split(), "-q")
    assert done.code == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", VERBS)
def test_it_fits(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = answered(command).split("# How to fix it")[0]  # commands stay whole
    assert [line for line in text.split("\n") if width(line) > 80] == []


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
