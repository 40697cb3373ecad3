"""`capacity forecast` and `capacity record` through the real entry point."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from capacity.forecast.history import FillSnapshot, RecordedFill, record

REPO = Path(__file__).parents[2]
PLAN = str(REPO / "examples" / "shop-prod.yaml")
HISTORY = str(REPO / "examples" / "history.csv")
CAPACITY = str(Path(sys.executable).with_name("capacity"))


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CAPACITY, *arguments], capture_output=True, text=True, cwd=folder, check=False)


def answer(*arguments: str, folder: Path | None = None) -> Any:
    done = run(*arguments, "-o", "json", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


class TestForecast:
    def test_the_json_contract(self) -> None:
        found = answer("forecast", PLAN, "--as-of", "2026-12-01", "--horizon", "4y", "--paths", "500")
        assert found["command"] == "forecast"
        assert found["inputs"] == {
            "plan": PLAN,
            "history": [],
            "as_of": "2026-12-01",
            "horizon": "4y",
            "until": "2030-12-01",
            "scenario": "steady",
            "paths": 500,
            "seed": 1,
            "exact": False,
        }
        b = found["results"][1]
        assert list(b)[:5] == ["name", "date_p10", "date_p50", "date_p90", "probability_within_horizon"]
        assert (b["name"], b["probability_within_horizon"], b["status"]) == ("private-b", 1.0, "ok")
        assert b["date_p10"] < b["date_p50"] < b["date_p90"]
        c = found["results"][2]
        assert (c["date_p10"], c["date_p50"], c["date_p90"]) == (None, None, None)
        assert "2030-12-01" in c["note"]

    def test_equal_seeds_give_equal_bytes(self) -> None:
        command = ("forecast", PLAN, "--as-of", "2026-12-01", "--paths", "300", "--seed", "9", "-o", "json", "--fan")
        assert run(*command).stdout == run(*command).stdout

    def test_the_fan_is_asked_for(self) -> None:
        found = answer("forecast", PLAN, "--as-of", "2026-12-01", "--paths", "100", "--horizon", "90d", "--fan")
        fan = found["results"][0]["fan"]
        assert {len(v) for v in fan.values()} == {len(fan["dates"])}
        assert (fan["dates"][0], fan["dates"][-1]) == ("2026-12-01", "2027-03-01")
        assert all(a <= b <= c for a, b, c in zip(fan["used_p10"], fan["used_p50"], fan["used_p90"], strict=True))

    def test_the_table_says_the_answer_first(self) -> None:
        done = run("forecast", PLAN, "--as-of", "2026-12-01", "--horizon", "4y", "--paths", "500")
        first = "Already exhausted at peak: private-b is 43 addresses short. "
        first += "4 more scenarios are exhausted (capacity check). "
        assert done.stdout.startswith(f"{first}In the steady state, private-b runs out about 20")
        assert first.strip() not in done.stderr
        assert "warning: no growth in the plan, so constant: search, image-resize" in done.stderr

    def test_nothing_reassures_where_check_calls_the_plan_exhausted(self) -> None:
        """By default no draw of the example runs out in steady; check calls it exhausted at peak."""
        assert run("check", PLAN, "--no-fixes").returncode == 1
        for scenario in ("steady", "peak", "ceiling"):
            done = run("forecast", PLAN, "--as-of", "2026-12-01", "--paths", "50", "--scenario", scenario)
            assert "no subnet runs out" not in done.stdout.lower()
            assert "already exhausted at" in done.stdout
            found = answer("forecast", PLAN, "--paths", "50", "--scenario", scenario)
            assert found["warnings"][0].startswith("Already exhausted at ")
            assert "peak" in found["results"][1]["exhausted_in"]

    def test_other_formats(self) -> None:
        rows = list(csv.DictReader(io.StringIO(run("forecast", PLAN, "--paths", "9", "-o", "csv").stdout)))
        assert [r["name"] for r in rows] == ["private-a", "private-b", "private-c"]
        assert "| private-a |" in run("forecast", PLAN, "--paths", "9", "-o", "md").stdout

    def test_from_history_with_backtest(self) -> None:
        found = answer("forecast", "--history", HISTORY, "--backtest", "--paths", "500")
        assert (found["inputs"]["as_of"], found["inputs"]["plan"]) == ("2026-11-25", None)
        b = found["results"][1]
        assert (b["method"], b["usable"], b["trend"]["weekly"]) == ("history", 251, True)
        assert 0.6 < b["backtest"]["coverage"] < 0.95
        assert b["date_p10"] <= b["date_p50"] <= b["date_p90"]

    def test_a_plan_gives_the_sizes_of_a_history(self, tmp_path: Path) -> None:
        file = tmp_path / "h.csv"
        lines = [f"2026-10-{d:02}T06:00Z,private-{s},{200 - d}" for d in range(1, 31) for s in "ab"]
        file.write_text("time,subnet,free\n" + "\n".join(lines))
        found = answer("forecast", PLAN, "--history", str(file), "--paths", "200")
        assert [(r["name"], r["usable"], r["status"]) for r in found["results"]] == [
            ("private-a", 507, "ok"),
            ("private-b", 251, "ok"),
            ("private-c", 507, "insufficient data"),
        ]
        assert found["results"][0]["date_p50"] == "2027-04-18"  # 199 on 1 October, one fewer a day: 0 after 199 days
        bare = answer("forecast", "--history", str(file), "--paths", "200", "--usable", "private-a=300")
        assert [r["usable"] for r in bare["results"]] == [300, None]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--horizon", "soon"), "--horizon: 'soon' is not a length of time"),
            (("--as-of", "31.12.2026"), "--as-of: '31.12.2026' is not a date (expected YYYY-MM-DD)"),
            (("--scenario", "peek"), "--scenario: 'peek' is not one of steady, peak, ceiling (did you mean 'peak'?)"),
            (("--paths", "0"), "--paths: 0 is out of range"),
            (("--seed", "-1"), "--seed: -1 is negative"),
            (("--backtest",), "--backtest: needs --history"),
            (("--usable", "5"), "--usable: needs --history"),
            (("--history", "none.csv"), "none.csv: no such file"),
            (("--history", HISTORY, "--usable", "x"), "--usable: 'x' is not a size"),
            (("--history", HISTORY, "--usable", "privat-a=9"), "(did you mean 'private-a'?)"),
            (("--history", HISTORY, "--scenario", "peak"), "--scenario: a history has no scenario"),
            (("--output", "xml"), "--output: 'xml' is not one of"),
        ],
    )
    def test_one_line_and_exit_2(self, arguments: tuple[str, ...], message: str) -> None:
        done = run("forecast", PLAN, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_no_plan_at_all(self, tmp_path: Path) -> None:
        done = run("forecast", folder=tmp_path)
        assert done.returncode == 2
        assert "no plan was given" in done.stderr

    def test_no_progress_where_stderr_is_no_terminal(self) -> None:
        done = run("forecast", PLAN, "--paths", "20000", "--horizon", "4y", "-o", "json")
        assert done.stderr == ""

    def test_progress_on_a_terminal_wipes_itself(self) -> None:
        master, slave = os.openpty()
        command = [CAPACITY, "forecast", PLAN, "--paths", "20000", "--horizon", "5y", "-o", "json"]
        with subprocess.Popen(command, stderr=slave, stdout=subprocess.DEVNULL) as job:
            os.close(slave)
            job.wait(120)
        shown = os.read(master, 65536).decode()
        os.close(master)
        assert "forecast: " in shown
        assert shown.endswith("\r\x1b[K")


class TestRecord:
    def test_a_night_after_night(self, tmp_path: Path) -> None:
        file = tmp_path / "history.db"
        fills = (RecordedFill("private-a", 337, 507),)
        for day in range(1, 15):
            record(file, FillSnapshot(datetime(2026, 11, day, tzinfo=UTC), "x", fills))
        done = run("record", PLAN, "--into", str(file), "--time", "2026-11-15T02:00:00Z", "-q")
        assert done.returncode == 0, done.stderr
        assert "15 snapshots from 2026-11-01 to 2026-11-15; recorded 3 subnets" in done.stdout
        listed = answer("record", "--list", "--into", str(file))["results"]
        assert (listed["snapshots"], listed["recorded"][14]["nodes"]) == (15, 11)
        found = answer("forecast", "--history", str(file), "--paths", "100")["results"][0]
        assert (found["name"], found["status"], found["probability_within_horizon"]) == ("private-a", "ok", 0.0)

    def test_the_json_of_a_snapshot(self, tmp_path: Path) -> None:
        found = answer("record", PLAN, "--into", str(tmp_path / "h.db"), "--time", "2026-11-01T02:00:00+02:00")
        results = found["results"]
        assert (results["time"], results["pods"]) == ("2026-11-01T00:00:00+00:00", 136)
        a = results["subnets"][0]
        assert a["free"] + sum(a["used"].values()) == a["usable"]

    def test_pruning(self, tmp_path: Path) -> None:
        file = str(tmp_path / "h.db")
        run("record", PLAN, "--into", file, "--time", "2020-01-01")
        assert answer("record", PLAN, "--into", file, "--prune", "1y")["results"]["dropped"] == 1
        assert answer("record", "--list", "--into", file, "--prune", "1y")["results"]["dropped"] == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((PLAN, "--prune", "old"), "--prune: 'old' is not an age"),
            ((PLAN, "--time", "now"), "--time: 'now' is not a time"),
            ((PLAN, "--list"), "--list records nothing"),
            (("--list",), "history.db: no such file"),
            (("none.yaml",), "none.yaml: no such file"),
            ((PLAN, "--into", PLAN), "is not a file of capacity record, or is damaged"),
        ],
    )
    def test_one_line_and_exit_2(self, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
        done = run("record", *arguments, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert os.listdir(tmp_path) == []
