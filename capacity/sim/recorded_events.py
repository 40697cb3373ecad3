"""Recorded pod events as CSV: when pods of which workload came and went."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path

from capacity.errors import SpecError, did_you_mean
from capacity.files import read_bytes
from capacity.sim.plan_simulation import RecordedPods

ADDED, DELETED = ("add", "added", "scheduled"), ("delete", "deleted", "killing")  # words of event files and kubectl
NEEDED = ("time", "event", "workload")
LARGEST_BYTES = 200_000_000


def read_events(path: Path | str, workloads: Iterable[str]) -> RecordedPods:
    """Events of a CSV file with the columns ``time``, ``event``, ``workload`` and optionally ``pods``.

    Parameters
    ----------
    workloads : iterable of str
        Workloads of the plan. A value of ``workload`` is one of them, or the name of a pod that starts with one.

    Raises
    ------
    SpecError
        A column is missing or a value is wrong; the message has the line.
    """
    text = read_bytes(path, largest=LARGEST_BYTES).decode("utf-8-sig", "replace")
    rows = csv.DictReader(StringIO(text))
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise SpecError(f"{path}: no column {missing[0]!r} (expected time,event,workload and optionally pods)")
    known = sorted(workloads, key=len, reverse=True)
    found = []
    for row in rows:
        where = f"{path}:{rows.line_num}"
        found.append((_time(row, where), _event(row, where), _workload(row, known, where), _pods(row, where)))
    if not found:
        raise SpecError(f"{path}: no events")
    found.sort(key=lambda event: event[0])
    first = found[0][0]
    return RecordedPods(tuple((round(1000 * (at - first)), event, work, pods) for at, event, work, pods in found))


def _time(row: Mapping[str, str], where: str) -> float:
    text = (row["time"] or "").strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise SpecError(f"{where}: time: {text!r} is neither seconds nor a date such as 2026-11-30T10:00:00Z") from None


def _event(row: Mapping[str, str], where: str) -> str:
    text = (row["event"] or "").strip().lower()
    if text in ADDED:
        return "add"
    if text in DELETED:
        return "delete"
    hint = did_you_mean(text, (*ADDED, *DELETED))
    raise SpecError(f"{where}: event: {row['event']!r} is not add or delete{hint}")


def _workload(row: Mapping[str, str], known: list[str], where: str) -> str:
    text = (row["workload"] or "").strip()
    for name in known:
        if text == name or text.startswith(f"{name}-"):
            return name
    raise SpecError(f"{where}: workload: {text!r} is not in the plan{did_you_mean(text, known)}")


def _pods(row: Mapping[str, str], where: str) -> int:
    text = (row.get("pods") or "1").strip()
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise SpecError(f"{where}: pods: {text!r} is not a number of pods (expected 1 to 100,000)")
    return int(text)
