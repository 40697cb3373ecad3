"""File of ``capacity record``: snapshots of the use of subnets, in SQLite.

One file, safe under several writers: each snapshot is one transaction that waits for its turn. It uses the rollback
journal instead of the write-ahead log: a nightly snapshot needs no readers during writes, the history stays a single
file that can be copied, and network file systems are supported, which the shared memory of the log does not allow. A
writer that is killed, or meets a full disk, leaves the file as it was before.

Source
------
sqlite.org/wal.html, sections 1 and 2 (all processes on one host; no network file systems), and
sqlite.org/atomiccommit.html (read 2026-11-25).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from capacity.errors import CapacityError, SpecError, check_count, check_each, check_kind, check_path
from capacity.forecast.series import Observation

APPLICATION_ID = 0x63617031  # "cap1", so that `file` and this module recognize the format
VERSION = 1
BUSY_TIMEOUT_S = 30.0
MOST_ADDRESSES = 10_000_000  # the limit everywhere that free addresses are read
FIRST_S, END_S = 946_684_800, 7_258_118_400  # the years 2000 to 2199, the limits everywhere that times are read

SCHEMA = (
    """CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,      -- seconds since 1970, UTC
        source TEXT NOT NULL,       -- the file it was made from
        nodes INTEGER,              -- null: not known
        pods INTEGER
    )""",
    """CREATE TABLE subnet (
        snapshot INTEGER NOT NULL REFERENCES snapshot(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        usable INTEGER,
        free INTEGER NOT NULL,
        free_prefixes INTEGER,      -- /28 blocks
        PRIMARY KEY (snapshot, name)
    ) WITHOUT ROWID""",
    """CREATE TABLE holder (
        snapshot INTEGER NOT NULL,
        subnet TEXT NOT NULL,
        holder TEXT NOT NULL,
        addresses INTEGER NOT NULL,
        PRIMARY KEY (snapshot, subnet, holder),
        FOREIGN KEY (snapshot, subnet) REFERENCES subnet(snapshot, name) ON DELETE CASCADE
    ) WITHOUT ROWID""",
    "CREATE INDEX snapshot_time ON snapshot(time)",
)


@dataclass(frozen=True, slots=True)
class RecordedFill:
    """One subnet at one moment; ``holders`` by name, empty if they are unknown. [addresses]"""

    name: str
    free: int
    usable: int | None = None
    free_prefixes: int | None = None
    holders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class FillSnapshot:
    """All subnets at one moment; nodes and pods are None if unknown."""

    time: datetime
    source: str
    subnets: tuple[RecordedFill, ...]
    nodes: int | None = None
    pods: int | None = None

    def __post_init__(self) -> None:
        check_kind("time", self.time, datetime, "a datetime with its time zone")
        check_kind("source", self.source, str, "the name of the source")
        check_each("subnets", self.subnets, RecordedFill, "a RecordedFill for each subnet")
        for what, count in (("nodes", self.nodes), ("pods", self.pods)):
            if count is not None:
                check_count(what, count)

    def __repr__(self) -> str:
        return f"<FillSnapshot {self.time:%Y-%m-%d %H:%M}: {len(self.subnets)} subnets>"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A snapshot in the file, without its subnets."""

    id: int
    time: datetime
    source: str
    subnets: int
    free: int
    nodes: int | None
    pods: int | None


def record(path: Path | str, snapshot: FillSnapshot, keep_from: datetime | None = None) -> int:
    """Append a snapshot, and drop those before ``keep_from``, in one transaction.

    Returns
    -------
    int
        Number of dropped snapshots.

    Raises
    ------
    SpecError
        The file has another format, or a free count is invalid.
    CapacityError
        The file cannot be written: full disk, read-only, locked for longer than half a minute.
    """
    check_path("path", path)
    check_kind("snapshot", snapshot, FillSnapshot, "a FillSnapshot, as returned by snapshot_of_plan")
    if keep_from is not None:
        check_kind("keep_from", keep_from, datetime, "a datetime with its time zone, or None")
    path = Path(path)
    for s in snapshot.subnets:
        if s.free < 0:
            raise SpecError(f"{snapshot.source}: {s.name} has {s.free} free addresses: a plan that does not fit")
    with _writing(path) as db:
        dropped = _prune(db, keep_from) if keep_from else 0
        row = (int(snapshot.time.timestamp()), _storable(snapshot.source), snapshot.nodes, snapshot.pods)
        key = db.execute("INSERT INTO snapshot (time, source, nodes, pods) VALUES (?, ?, ?, ?)", row).lastrowid
        db.executemany(
            "INSERT INTO subnet VALUES (?, ?, ?, ?, ?)",
            [(key, s.name, s.usable, s.free, s.free_prefixes) for s in snapshot.subnets],
        )
        db.executemany(
            "INSERT INTO holder VALUES (?, ?, ?, ?)",
            [(key, s.name, h, n) for s in snapshot.subnets for h, n in s.holders.items()],
        )
    return dropped


def prune(path: Path, keep_from: datetime) -> int:
    """Drop the snapshots before a moment, and return their number."""
    _must_exist(path)
    with _writing(path) as db:
        return _prune(db, keep_from)


def snapshots(path: Path) -> list[Recorded]:
    """Snapshots in the file, oldest first."""
    with _reading(path) as db:
        rows = db.execute(
            "SELECT s.id, s.time, s.source, count(n.name), coalesce(sum(n.free), 0), s.nodes, s.pods"
            " FROM snapshot s LEFT JOIN subnet n ON n.snapshot = s.id GROUP BY s.id ORDER BY s.time, s.id"
        ).fetchall()
        return [
            Recorded(
                id=_whole(row[0]),
                time=_moment(row[1]),
                source=_text(row[2]),
                subnets=_whole(row[3]),
                free=_whole(row[4]),
                nodes=_known(row[5]),
                pods=_known(row[6]),
            )
            for row in rows
        ]


def read_observations(path: Path) -> list[Observation]:
    """Free addresses of every subnet in every snapshot, oldest first."""
    with _reading(path) as db:
        rows = db.execute(
            "SELECT n.name, s.time, n.free, n.usable FROM subnet n JOIN snapshot s ON s.id = n.snapshot"
            " ORDER BY s.time, s.id"
        ).fetchall()
        return [
            Observation(_text(name), _moment(time), _addresses(free), usable=_addresses_if_known(usable))
            for name, time, free, usable in rows
        ]


# --- what a row may hold ----------------------------------------------------------------


class _Damaged(ValueError):
    """Value that no version of capacity has written."""


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise _Damaged(f"{str(value)[:40]!r} is not a count")
    return value


def _known(value: object) -> int | None:
    return None if value is None else _whole(value)


def _addresses(value: object) -> int:
    count = _whole(value)
    if count > MOST_ADDRESSES:
        raise _Damaged(f"{count} addresses in one subnet")
    return count


def _addresses_if_known(value: object) -> int | None:
    return None if value is None else _addresses(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Damaged(f"{str(value)[:40]!r} is not a name")
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, int) or not FIRST_S <= value < END_S:
        raise _Damaged(f"{str(value)[:40]!r} is not a time")
    return datetime.fromtimestamp(value, UTC)


# --- the file ---------------------------------------------------------------------------


def _storable(name: str) -> str:
    """File name as text, with bytes that are not UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _prune(db: sqlite3.Connection, keep_from: datetime) -> int:
    return db.execute("DELETE FROM snapshot WHERE time < ?", (int(keep_from.timestamp()),)).rowcount


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Transaction with the write lock from its start; creates a new file."""
    if path.exists() and not path.is_file():
        _must_exist(path)
    with _explained(path), closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        try:
            _make_or_check(db, path)
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    _must_exist(path)
    with _explained(path, "nothing could be read"), ExitStack() as stack:
        db = _open(path, "ro", stack)
        if _is_hot(db):
            db = _recovered(path, stack)
        _check(db, path)
        yield db


def _open(path: Path, mode: str, stack: ExitStack) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return stack.enter_context(closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)))


def _is_hot(db: sqlite3.Connection) -> bool:
    """Whether a writer was killed and its journal must be rolled back, which a read-only connection cannot do."""
    try:
        db.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        if "readonly" in str(error) or "unable to open" in str(error):
            return True
        raise
    return False


def _recovered(path: Path, stack: ExitStack) -> sqlite3.Connection:
    """Roll back an incomplete write, in place, or in a copy if the file is read-only."""
    db = _open(path, "rw", stack)
    if not _is_hot(db):
        return db
    import shutil
    import tempfile

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    real = path.resolve()
    try:
        for source in (real, real.with_name(f"{real.name}-journal")):
            shutil.copyfile(source, folder / source.name)
    except OSError as error:
        raise CapacityError(f"{path}: a writer was stopped in the middle, and its journal cannot be read") from error
    return _open(folder / real.name, "rw", stack)


def _must_exist(path: Path) -> None:
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "is not a regular file" if path.exists() else "no such file"
        raise SpecError(f"{path}: {what} (expected a file of capacity record)")


def _make_or_check(db: sqlite3.Connection, path: Path) -> None:
    """Tables in a new file, in the same transaction as the first snapshot."""
    if (
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        or db.execute("PRAGMA user_version").fetchone()[0]
    ):
        _check(db, path)
        return
    for statement in SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _check(db: sqlite3.Connection, path: Path) -> None:
    if not db.execute("PRAGMA page_count").fetchone()[0]:  # also while the first writer is at work
        raise SpecError(f"{path}: is empty: nothing recorded yet (capacity record PLAN --into {path.name})")
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise SpecError(f"{path}: is not a file of capacity record (another program's database)")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise SpecError(f"{path}: was written by another version of capacity (format {version}, expected {VERSION})")


@contextmanager
def _explained(path: Path, outcome: str = "nothing was recorded") -> Iterator[None]:
    """Convert SQLite errors and invalid values to one line that says what to do."""
    try:
        yield
    except (_Damaged, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: is damaged ({error})") from None
    except sqlite3.Error as error:
        text = " ".join(str(error).split())[:200]  # SQLite quotes a schema it cannot read
        if "not a database" in text or "malformed" in text or "decode" in text:
            raise SpecError(f"{path}: is not a file of capacity record, or is damaged ({text})") from None
        if "no such table" in text or "no such column" in text or "has no column" in text:
            raise SpecError(f"{path}: is damaged ({text})") from None
        if "full" in text:
            raise CapacityError(f"{path}: the disk is full; {outcome}") from None
        if "readonly" in text:
            raise CapacityError(f"{path}: cannot be written; {outcome}") from None
        if "unable to open" in text:
            raise CapacityError(
                f"{path}: cannot be opened (check that {str(path.parent)!r} exists and is writable)"
            ) from None
        if "locked" in text or "busy" in text:
            wait = f"{BUSY_TIMEOUT_S:g} s"
            raise CapacityError(f"{path}: another process has locked it for {wait}; {outcome}") from None
        raise CapacityError(f"{path}: {text}; {outcome}") from None
