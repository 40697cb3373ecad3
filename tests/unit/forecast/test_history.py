"""The file of `capacity record`: many writers, a killed one, a full disk, and files that are none of ours."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capacity.errors import CapacityError, SpecError
from capacity.forecast import history
from capacity.forecast.history import FillSnapshot, RecordedFill, prune, read_observations, record, snapshots
from capacity.forecast.snapshot import parse_describe_subnets, snapshot_of_plan
from capacity.plan.parse import read_plan

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)


def snapshot(number: int = 0, subnets: int = 1) -> FillSnapshot:
    fills = tuple(RecordedFill(f"s{i}", max(100 - i, 0), 251, 3, {"warm": 20, "assigned": 5}) for i in range(subnets))
    return FillSnapshot(NOW + timedelta(hours=number), "plan.yaml", fills, nodes=3, pods=40)


def write_many(path: Path, writer: int, count: int) -> None:
    for i in range(count):
        record(path, snapshot(1000 * writer + i, subnets=3))


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    record(path, snapshot(1, subnets=2))
    record(path, snapshot(0))
    assert [(r.time, r.subnets, r.free, r.nodes, r.pods) for r in snapshots(path)] == [
        (NOW, 1, 100, 3, 40),
        (NOW + timedelta(hours=1), 2, 199, 3, 40),
    ]
    first = read_observations(path)[0]
    assert (first.subnet, first.time, first.value, first.usable) == ("s0", NOW, 100, 251)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT holder, addresses FROM holder WHERE snapshot = 2 ORDER BY 1").fetchall() == [
            ("assigned", 5),
            ("warm", 20),
        ]
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()
    assert sorted(os.listdir(tmp_path)) == ["h.db"]  # one file, nothing beside it


def test_old_snapshots_can_be_dropped_with_all_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    for i in range(4):
        record(path, snapshot(i))
    assert prune(path, NOW + timedelta(hours=2)) == 2
    assert record(path, snapshot(5), keep_from=NOW + timedelta(hours=3)) == 1
    assert [r.time.hour for r in snapshots(path)] == [9, 11]
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM holder").fetchone() == (4,)
    db.close()


def test_many_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path, writers, each = tmp_path / "h.db", 6, 8
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=write_many, args=(path, w, each)) for w in range(writers)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    assert [job.exitcode for job in jobs] == [0] * writers
    assert len(snapshots(path)) == writers * each
    assert all(r.subnets == 3 for r in snapshots(path))  # no half of a snapshot


SLOW_WRITER = """
import sys, time
from pathlib import Path
from capacity.forecast import history
from tests.unit.forecast.test_history import snapshot
with history._writing(Path(sys.argv[1])) as db:
    db.execute("PRAGMA cache_size = 1")
    db.execute("INSERT INTO snapshot (time, source) VALUES (1, 'killed')")
    rows = [("x" * 50 + str(i),) for i in range(5000)]
    db.executemany("INSERT INTO subnet VALUES (last_insert_rowid(), ?, 1, 1, 1)", rows)
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    record(path, snapshot(0))
    job = subprocess.Popen([sys.executable, "-c", SLOW_WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert job.stdout
    assert job.stdout.readline() == "written\n"
    assert (tmp_path / "h.db-journal").exists()  # it was in the middle of its transaction
    job.send_signal(signal.SIGKILL)
    job.wait(10)
    job.stdout.close()
    record(path, snapshot(1))
    assert [r.source for r in snapshots(path)] == ["plan.yaml", "plan.yaml"]
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_full_disk_is_one_line_and_nothing_is_half_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "h.db"
    record(path, snapshot(0))
    connect = sqlite3.connect

    def small(*args: object, **options: object) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
        return db

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(CapacityError, match=r"h\.db: the disk is full; nothing was recorded"):
        record(path, snapshot(1, subnets=2000))
    monkeypatch.undo()
    assert len(snapshots(path)) == 1
    record(path, snapshot(2))
    assert len(snapshots(path)) == 2


def test_a_writer_that_waits_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "h.db"
    record(path, snapshot(0))
    monkeypatch.setattr(history, "BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CapacityError, match=r"another process has locked it for 0\.05 s"):
        record(path, snapshot(1))
    other.execute("ROLLBACK")
    other.close()
    record(path, snapshot(1))


def test_a_read_only_file_can_be_read_but_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "h.db"
    record(path, snapshot(0))
    connect = sqlite3.connect

    def read_only(_path: object, **options: object) -> sqlite3.Connection:  # what a chmod does to anybody but root
        made: sqlite3.Connection = connect(f"{path.as_uri()}?mode=ro", uri=True, **options)  # type: ignore[call-overload]
        return made

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(CapacityError, match=r"h\.db: cannot be written; nothing was recorded"):
        record(path, snapshot(1))
    monkeypatch.undo()
    path.chmod(0o444)
    assert len(snapshots(path)) == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CapacityError, match="cannot be opened"):
        record(tmp_path / "no" / "h.db", snapshot())
    with pytest.raises(CapacityError, match="is a directory"):
        record(tmp_path, snapshot())


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    text, foreign, later = tmp_path / "t", tmp_path / "f.db", tmp_path / "l.db"
    text.write_text("time,subnet,free\n" * 100)
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE music (song)")
    db.close()
    record(later, snapshot())
    db = sqlite3.connect(later)
    db.execute("PRAGMA user_version = 9")
    db.close()
    for path, message in (
        (text, "is not a file of capacity record, or is damaged"),
        (foreign, "another program's database"),
        (later, "format 9, expected 1"),
    ):
        before = path.read_bytes()
        with pytest.raises(SpecError, match=message):
            record(path, snapshot())
        with pytest.raises(SpecError, match=message):
            snapshots(path)
        assert path.read_bytes() == before


def test_reading_makes_no_file(tmp_path: Path) -> None:
    for ask in (snapshots, read_observations, lambda p: prune(p, NOW)):
        with pytest.raises(SpecError, match="no such file"):
            ask(tmp_path / "none.db")
    assert os.listdir(tmp_path) == []


def test_a_snapshot_of_a_plan_is_its_steady_scenario() -> None:
    made = snapshot_of_plan(read_plan("examples/shop-prod.yaml"), NOW)
    a = made.subnets[0]
    assert (a.name, a.usable, a.free + sum(a.holders.values())) == ("private-a", 507, 507)
    assert (made.nodes, made.pods) == (11, 136)


def test_a_plan_that_does_not_fit_has_no_fill_to_record(tmp_path: Path) -> None:
    over = FillSnapshot(NOW, "p.yaml", (RecordedFill("a", -3),))
    with pytest.raises(SpecError, match=r"p\.yaml: a has -3 free addresses: a plan that does not fit"):
        record(tmp_path / "h.db", over)
    assert os.listdir(tmp_path) == []


SUBNET = '{"SubnetId": "subnet-%d", "CidrBlock": "10.0.%d.0/24", "AvailableIpAddressCount": 200%s}'
TAG = ', "Tags": [{"Key": "Name", "Value": "private-%s"}]'


def test_a_saved_describe_subnets_answer(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"Subnets": [' + SUBNET % (1, 1, TAG % "a") + "," + SUBNET % (2, 2, TAG % "b") + "]}")
    made = parse_describe_subnets(file.read_bytes(), str(file), NOW)
    assert made is not None
    assert [(s.name, s.free, s.usable, dict(s.holders)) for s in made.subnets] == [
        ("private-a", 200, 251, {}),
        ("private-b", 200, 251, {}),
    ]
    assert (made.nodes, made.pods) == (None, None)
    file.write_text('{"Subnets": [' + SUBNET % (1, 1, TAG % "a") + "," + SUBNET % (2, 2, TAG % "a") + "]}")
    made = parse_describe_subnets(file.read_bytes(), str(file), NOW)
    assert made is not None
    assert [s.name for s in made.subnets] == ["subnet-1", "subnet-2"]  # a name that two have names neither
    assert parse_describe_subnets(b"vpc: {}", "plan.yaml", NOW) is None


NO_NUMBER = SUBNET.replace("200", '"x"') % (1, 1, "")


@pytest.mark.parametrize("subnets", ["{}", "7", "", NO_NUMBER])
def test_a_subnets_list_that_is_not_ec2s(tmp_path: Path, subnets: str) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"Subnets": [' + subnets + "]}")
    with pytest.raises(SpecError, match=r"s\.json: (Subnets does not have the format|no subnet in it)"):
        parse_describe_subnets(file.read_bytes(), str(file), NOW)
