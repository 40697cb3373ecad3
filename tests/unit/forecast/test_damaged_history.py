"""A history left by a dead writer, a bad disk or another hand: what was committed is read, or one line says why."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.fuzz_doors import damaged_database
from capacity.errors import CapacityError, SpecError
from capacity.forecast import history
from capacity.forecast.formats import read_history
from capacity.forecast.history import FillSnapshot, RecordedFill, read_observations, record, snapshots
from tests.cli.entry import capacity

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)
COMMAND = [sys.executable, "-m", "capacity"]
EXAMPLE = str(Path(__file__).parents[3] / "examples" / "shop-prod.yaml")


def snapshot(number: int = 0, subnets: int = 3) -> FillSnapshot:
    fills = tuple(RecordedFill(f"s{i}", 100 + i, 251, 3, {"warm": 20}) for i in range(subnets))
    return FillSnapshot(NOW + timedelta(hours=number), "plan.yaml", fills, nodes=3, pods=40)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "h.db"
    for i in range(5):
        record(file, snapshot(i))
    return file


# Dies with pages of an unfinished transaction in the file, and the old ones in the journal.
DYING_WRITER = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 2")
db.execute("BEGIN IMMEDIATE")
db.execute("INSERT INTO snapshot VALUES (99, 1800000000, 'never committed', 1, 1)")
db.executemany("INSERT INTO subnet VALUES (99, ?, 1, 1, 1)", [(f"{i:0100d}",) for i in range(2000)])
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def hot(path: Path) -> Path:
    subprocess.run([sys.executable, "-c", DYING_WRITER, str(path)], check=False)
    assert path.with_name("h.db-journal").stat().st_size > 512
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT * FROM snapshot")  # a reader alone may not
    return path


class TestAHotJournal:
    def test_readers_see_what_was_committed(self, hot: Path) -> None:
        assert len(read_observations(hot)) == 15
        assert [r.source for r in snapshots(hot)] == ["plan.yaml"] * 5

    def test_from_a_folder_that_may_not_be_written(self, hot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = history._open

        def read_only(path: Path, mode: str, stack: ExitStack) -> sqlite3.Connection:
            return real(path, "ro" if path == hot else mode, stack)

        monkeypatch.setattr(history, "_open", read_only)
        before = hot.read_bytes()
        assert [r.source for r in snapshots(hot)] == ["plan.yaml"] * 5
        assert hot.read_bytes() == before

    def test_through_the_command(self, hot: Path) -> None:
        done = capacity("record", "--list", "--into", str(hot))
        assert (done.code, done.stderr) == (0, "")
        assert "5 snapshots" in done.stdout

    def test_a_history_that_grew_from_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "new.db"
        script = DYING_WRITER.replace(
            'db.execute("INSERT INTO snapshot',
            '[db.execute(s) for s in __import__("capacity.forecast.history", fromlist="x").SCHEMA]\n'
            'db.execute("INSERT INTO snapshot',
            1,
        )
        subprocess.run([sys.executable, "-c", script, str(file)], check=False)
        assert file.exists()
        with pytest.raises(SpecError, match="is empty: nothing recorded yet"):
            snapshots(file)


class TestAnEmptyFile:
    @pytest.mark.parametrize("arguments", [("record", "--list", "--into"), ("forecast", "--history")])
    def test_it_is_said_to_be_empty(self, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        (tmp_path / "e.db").touch()
        done = capacity(*arguments, str(tmp_path / "e.db"))
        assert done.code == 2
        assert "e.db: is empty: nothing recorded yet" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_first_writer_fills_it(self, tmp_path: Path) -> None:
        (tmp_path / "e.db").touch()
        record(tmp_path / "e.db", snapshot())
        assert len(snapshots(tmp_path / "e.db")) == 1

    def test_readers_while_the_first_writer_is_at_work(self, tmp_path: Path) -> None:
        file = tmp_path / "n.db"
        with history._writing(file):
            with pytest.raises(SpecError, match="is empty: nothing recorded yet"):
                snapshots(file)
            with pytest.raises(SpecError, match="is empty: nothing recorded yet"):
                read_history(file)


class TestValuesThatAreNotOurs:
    @pytest.mark.parametrize(
        ("statement", "reads"),
        [
            ("UPDATE snapshot SET time = 99999999999999999 WHERE id = 1", "not a time"),
            ("UPDATE snapshot SET time = -99999999999999 WHERE id = 1", "not a time"),
            ("UPDATE snapshot SET time = 946684799 WHERE id = 1", "not a time"),  # the last second of 1999
            ("UPDATE snapshot SET time = 7258118400 WHERE id = 1", "not a time"),  # the first of 2200
            ("UPDATE snapshot SET time = 'yesterday' WHERE id = 1", "not a time"),
            ("UPDATE snapshot SET time = 1e300 WHERE id = 1", "not a time"),
            ("UPDATE subnet SET free = -1", "not a count"),
            ("UPDATE subnet SET free = 10000001", "10000001 addresses in one subnet"),
            ("UPDATE subnet SET usable = 'many'", "not a count"),
            ("UPDATE subnet SET free = 1.5", "not a count"),
            ("UPDATE subnet SET name = x'ff00' WHERE name = 's1'", "not a name"),
            ("DROP TABLE subnet", "no such table"),
            ("DROP TABLE subnet; CREATE VIEW subnet AS SELECT 1 AS snapshot", "no such column"),
        ],
    )
    def test_observations_are_refused_with_one_line(self, path: Path, statement: str, reads: str) -> None:
        db = sqlite3.connect(path)
        db.executescript(statement)
        db.close()
        with pytest.raises(SpecError, match=rf"h\.db: is damaged \(.*{reads}") as refused:
            read_observations(path)
        assert "\n" not in str(refused.value)

    def test_the_first_and_the_last_second_are_times(self, path: Path) -> None:
        db = sqlite3.connect(path)
        db.execute("UPDATE snapshot SET time = 946684800 WHERE id = 1")
        db.execute("UPDATE snapshot SET time = 7258118399 WHERE id = 2")
        db.commit()
        db.close()
        years = sorted(r.time.year for r in snapshots(path))
        assert (years[0], years[-1]) == (2000, 2199)

    def test_no_damage_is_a_traceback(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history, "BUSY_TIMEOUT_S", 0.05)
        rng, whole, outcomes = random.Random(5), path.read_bytes(), Counter[str]()
        several: list[bool] = []  # refusals of more than one line
        for _ in range(400):
            blob = damaged_database(whole, rng)
            for job in (snapshots, read_observations, lambda p: record(p, snapshot(9))):
                path.write_bytes(blob)
                path.with_name("h.db-journal").unlink(missing_ok=True)
                try:
                    job(path)
                    outcomes["read"] += 1
                except CapacityError as error:
                    outcomes["refused"] += 1
                    several += ["\n" in str(error)]
        assert min(outcomes.values()) > 100  # of both kinds
        assert not any(several)


ACKNOWLEDGING_WRITER = """
import sys
from pathlib import Path
from capacity.forecast.history import record
from tests.unit.forecast.test_damaged_history import snapshot
first = int(sys.argv[2])
for i in range(10_000):
    record(Path(sys.argv[1]), snapshot(first + i, subnets=20))
    print(first + i, flush=True)
"""


def test_nothing_acknowledged_is_lost_however_often_writers_are_killed(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "h.db", set[int]()
    rng = random.Random(3)
    for number in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", ACKNOWLEDGING_WRITER, str(path), str(1000 * number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(rng.randint(1, 6))]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        writer.wait()
        writer.stdout.close()
        acknowledged.update(told)
        hours = {round((r.time - NOW) / timedelta(hours=1)) for r in snapshots(path)}
        assert acknowledged <= hours
        assert all(r.subnets == 20 for r in snapshots(path))  # and none is half there


class TestDates:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--prune", "99999y"), "--prune: '99999y' is longer than a history can be (at most 200 years)"),
            (("--time", "9999-12-31T23:59:59-14:00"), "is not a time"),
            (("--time", "0001-01-01T00:00:00+14:00"), "is not a time"),
            (("--time", "2200-01-01"), "is out of range (expected the years 2000 to 2199)"),
            (("--time", "1e400"), "is not a time"),
        ],
    )
    def test_one_line_and_nothing_is_recorded(self, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
        done = capacity("record", EXAMPLE, "--into", str(tmp_path / "h.db"), *options)
        assert done.code == 2
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []

    def test_two_hundred_years_are_allowed(self, tmp_path: Path) -> None:
        assert capacity("record", EXAMPLE, "--into", str(tmp_path / "h.db"), "--prune", "200y").code == 0


@pytest.mark.parametrize("target", [os.devnull, "."])
def test_a_history_is_a_regular_file(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (("record", EXAMPLE, "--into", target), ("record", "--list", "--into", target)):
        done = capacity(*arguments)
        assert done.code == 2
        assert "expected a file of capacity record" in done.stderr


def test_a_history_does_not_come_through_a_pipe(path: Path) -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            f'cat "{path}" | "$@"',
            "sh",
            sys.executable,
            "-m",
            "capacity",
            "forecast",
            "--history",
            "/dev/stdin",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is read from its file, not through a pipe" in done.stderr


def test_a_source_whose_name_is_no_text(tmp_path: Path) -> None:
    plan = os.fsdecode(bytes(tmp_path) + b"/\xff.yaml")
    shutil.copy(EXAMPLE, plan)
    assert capacity("record", plan, "--into", str(tmp_path / "h.db")).code == 0
    assert snapshots(tmp_path / "h.db")[0].source.endswith("\\udcff.yaml")
