"""`capacity data`: what it prints, in which format, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from capacity.catalog import verify as checks
from capacity.cli import data
from capacity.errors import SpecError

app = typer.Typer(rich_markup_mode=None)
app.callback()(lambda: None)
data.register(app)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


class TestStatus:
    def test_the_json_envelope(self) -> None:
        done = run("status", "--as-of", "2026-11-24", "-o", "json")
        answer = json.loads(done.stdout)
        assert done.exit_code == 0
        assert list(answer) == ["schema", "command", "version", "data", "inputs", "results", "warnings"]
        assert (answer["command"], answer["inputs"]) == ("data status", {"as_of": "2026-11-24"})
        results = answer["results"]
        assert answer["data"] == {"date": results["date"], "types": results["types"]}
        assert results["age_days"] == 28
        assert all(f["checksum_ok"] for f in results["files"])
        moto = next(s for s in results["sources"] if s["name"] == "moto")
        assert (moto["version"], moto["age_days"], moto["types"]) == ("5.2.5", 28, 1395)
        undated = next(s for s in results["sources"] if s["name"] == "moto_earlier")
        assert (undated["date"], undated["age_days"]) == (None, None)
        assert len(results["without_eni_figures"]) == 9

    def test_the_table(self) -> None:
        done = run("status", "--as-of", "2026-10-28")
        assert done.stdout.startswith("1,470 instance types, limits of 2026-10-27 (1 day old on 2026-10-28)\n")
        assert "No ENI figures for 9 types: cc1.4xlarge, " in done.stdout

    def test_a_day_before_the_data(self) -> None:
        first = run("status", "--as-of", "2026-10-26").stdout.splitlines()[0]
        assert first == "1,470 instance types, limits of 2026-10-27 (1 day after 2026-10-26)"

    def test_other_formats(self) -> None:
        table = list(csv.DictReader(io.StringIO(run("status", "--as-of", "2026-11-24", "-o", "csv").stdout)))
        assert {row["kind"] for row in table} == {"file", "source", "prices"}
        assert yaml.safe_load(run("status", "--as-of", "2026-11-24", "-o", "yaml").stdout)["results"]["types"] == 1470
        assert "| file | rows | checksum ok |" in run("status", "--as-of", "2026-11-24", "-o", "md").stdout

    def test_today_is_the_default(self) -> None:
        assert json.loads(run("status", "-o", "json").stdout)["results"]["age_days"] is not None

    @pytest.mark.parametrize("day", ["2026-13-01", "yesterday", ""])
    def test_not_a_date(self, day: str) -> None:
        done = run("status", "--as-of", day)
        assert isinstance(done.exception, SpecError)
        assert str(done.exception) == f"--as-of: {day!r} is not a date (expected YYYY-MM-DD)"
        assert done.stdout == ""

    def test_the_answer_can_go_to_a_file(self, tmp_path: Path) -> None:
        done = run("status", "--as-of", "2026-11-24", "--out-file", str(tmp_path / "status.txt"))
        assert done.stdout == ""
        assert "Data files" in (tmp_path / "status.txt").read_text()


class TestVerify:
    def test_whole_data_passes(self) -> None:
        done = run("verify", "-o", "json")
        results = json.loads(done.stdout)["results"]
        assert done.exit_code == 0
        assert done.stderr == ""
        assert results["passed"] is True
        assert results["checked"] == sum(c["checked"] for c in results["checks"]) > 60_000

    def test_the_table_has_a_line_and_a_count_per_check(self) -> None:
        lines = run("verify").stdout.splitlines()
        assert [line.split()[0] for line in lines[4:13]] == [c.name for c in checks.verify()]
        assert lines[0].endswith("figures checked, all correct.")

    def test_a_failure_is_one_line_on_stderr_and_exit_code_2(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = [checks.Check("ranges", "in range", 2, ["m5.large: max_enis 300 is outside 1 to 64"])]
        monkeypatch.setattr(checks, "verify", lambda: broken)
        done = run("verify", "-o", "json")
        assert done.exit_code == 2
        assert done.stderr == "error: ranges: m5.large: max_enis 300 is outside 1 to 64\n"
        assert json.loads(done.stdout)["results"]["passed"] is False
        assert "2 figures checked, 1 failures" in run("verify").stdout


def test_without_a_subcommand_it_prints_help() -> None:
    done = run()
    assert "status" in done.output
    assert "verify" in done.output
