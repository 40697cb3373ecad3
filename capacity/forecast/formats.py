"""Read histories as observations: CSV, CloudWatch and Prometheus exports, and the file of ``capacity record``."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from capacity.errors import SpecError, check_kind
from capacity.files import input_name, read_bytes, read_head
from capacity.forecast.history import read_observations
from capacity.forecast.series import FREE, USED, Observation, parse_count, parse_time

SQLITE_MAGIC = b"SQLite format 3\x00"

_TIME = ("time", "timestamp", "date", "datetime")
_SUBNET = ("subnet", "subnet_id", "subnetid", "subnet_name", "name")
_FREE = ("free", "free_addresses", "available", "available_ip_address_count", "availableipaddresscount")
_USED = ("used", "used_addresses")
_USABLE = ("usable",)

# What a metric counts, by its name; the first match decides.
# Names seen in: wcarlsen/aws-subnet-exporter pkg/prometheus/metrics.go (available_ips, max_ips),
# tx-pts-dai/aws-prometheus-exporter (subnet_available_ip_address_count), aws/amazon-vpc-cni-k8s
# utils/prometheusmetrics and cmd/cni-metrics-helper (awscni_*, assignIPAddresses, totalIPAddresses).
_METRICS = (
    (re.compile(r"prefix|percent|pct|utili[sz]ation|ratio|usage$", re.I), ""),
    (re.compile(r"avail|free|remaining", re.I), FREE),
    (re.compile(r"max_?ip|ip_max|usable|subnet_total", re.I), "usable"),
    (re.compile(r"used|assign|total_?ip|allocated_?ip", re.I), USED),
)
_SUBNET_LABELS = ("subnet_name", "name", "subnet", "subnetname", "subnetid", "subnet_id", "SubnetId", "SubnetName")
_SUBNET_ID = re.compile(r"subnet-[0-9a-f]{8,17}")
_STATISTICS = ("Minimum", "Average", "Maximum")


@dataclass(slots=True)
class Reading:
    """Observations of one file, the assumptions made to read it, and subnet sizes from separate series."""

    observations: list[Observation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def read_history(path: Path | str, subnet: str | None = None) -> Reading:
    """Read the observations in a file of any known kind.

    Parameters
    ----------
    subnet : str, optional
        Name of a series that does not name its subnet.

    Raises
    ------
    SpecError
        The file cannot be read, is of an unknown kind, or has an error; the message has the place.
    """
    name, path = input_name(path), Path(path)
    if subnet is not None:
        check_kind("subnet", subnet, str, "the name of a subnet, or None")
    if path.is_file() and read_head(path, len(SQLITE_MAGIC)) in (SQLITE_MAGIC, b""):
        return _any_in(Reading(read_observations(path)), name)
    data = read_bytes(path)
    if data.startswith(SQLITE_MAGIC):
        raise SpecError(f"{name}: a history of capacity record is read from its file, not through a pipe")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{name}: is neither text nor a file of capacity record") from None
    reading = parse_json(text, name, subnet) if text.lstrip()[:1] in ("{", "[") else parse_csv(text, name, subnet)
    _any_in(reading, name)
    reading.observations = [
        o._replace(usable=reading.sizes[o.subnet]) if o.subnet in reading.sizes else o for o in reading.observations
    ]
    return reading


def _any_in(reading: Reading, name: str) -> Reading:
    if not reading.observations:
        raise SpecError(f"{name}: no observation of free or used addresses in it")
    return reading


# --- CSV ------------------------------------------------------------------------------------


def parse_csv(text: str, name: str, subnet: str | None = None) -> Reading:
    """Parse CSV with a header of ``time,subnet,free`` in any order; also ``used`` for ``free``, and ``usable``."""
    first = text.split("\n", 1)[0]
    rows = csv.reader(_lines(text), delimiter=max(",;\t", key=first.count))
    try:
        head = [h.strip().lower() for h in next(rows, [])]
    except csv.Error as error:
        raise SpecError(f"{name}:1: not CSV: {error}") from None
    time, place, free, used, usable = (_column(head, names) for names in (_TIME, _SUBNET, _FREE, _USED, _USABLE))
    count = free if free is not None else used
    if time is None or count is None or (place is None and subnet is None):
        raise SpecError(
            f"{name}:1: expected a header with time, subnet and free (or used), found {', '.join(head)[:200]!r}"
        )
    reading = Reading()
    try:
        for line, row in enumerate(rows, 2):
            if not any(cell.strip() for cell in row):
                continue
            where = f"{name}:{line}"
            if len(row) < len(head):
                raise SpecError(f"{where}: {len(row)} cells (expected {len(head)}, as in the header)")
            value = parse_count(row[count], f"{where} {head[count]}")
            if value is None:
                continue
            moment, naive = parse_time(row[time], f"{where} {head[time]}")
            if naive:
                reading.note(f"{name}: times without a zone are read as UTC")
            size = parse_count(row[usable], f"{where} usable") if usable is not None else None
            owner = row[place].strip() if place is not None else ""
            if not (owner or subnet):
                raise SpecError(f"{where}: no subnet")
            reading.observations.append(
                Observation(owner or str(subnet), moment, value, FREE if free is not None else USED, _whole(size))
            )
    except csv.Error as error:
        raise SpecError(f"{name}:{rows.line_num}: not CSV: {error}") from None
    return reading


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends, one at a time, because a list would be as large as the file."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _column(head: Sequence[str], names: Sequence[str]) -> int | None:
    return next((head.index(n) for n in names if n in head), None)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


# --- JSON -----------------------------------------------------------------------------------


def parse_json(text: str, name: str, subnet: str | None = None) -> Reading:
    """Parse a CloudWatch ``get-metric-data`` or ``get-metric-statistics`` answer, or a Prometheus range query."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(f"{name}:{error.lineno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise SpecError(f"{name}: nested too deeply") from None
    reading = Reading()
    kinds: dict[str, Callable[[Any, str, str | None, Reading], None]] = {
        "MetricDataResults": _metric_data,
        "Datapoints": _metric_statistics,
        "data": _prometheus,
    }
    for part in document if isinstance(document, list) else [document]:
        key = next((k for k in kinds if isinstance(part, dict) and k in part), None)
        if key is None:
            raise SpecError(
                f"{name}: no history in it (expected MetricDataResults or Datapoints of CloudWatch, or the data of a "
                "Prometheus range query)"
            )
        try:
            kinds[key](part, name, subnet, reading)
        except (TypeError, AttributeError, ValueError, KeyError) as error:
            if isinstance(error, SpecError):
                raise
            raise SpecError(f"{name}: {key} does not have the format of its service") from None
    return reading


def _metric_data(document: Any, name: str, subnet: str | None, reading: Reading) -> None:
    for i, result in enumerate(document["MetricDataResults"]):
        where = f"{name}: MetricDataResults[{i}]"
        label = str(result.get("Label") or result.get("Id") or "")
        kind = _kind(label, where, reading)
        times, values = result.get("Timestamps") or [], result.get("Values") or []
        if len(times) != len(values):
            raise SpecError(f"{where}: {len(times)} timestamps but {len(values)} values")
        if result.get("StatusCode") == "PartialData":
            reading.note(f"{label}: CloudWatch says the data is partial (fetch the remaining pages)")
        owner = subnet or _owner_in(label, where)
        _add(reading, owner, kind, zip(times, values, strict=True), where)


def _metric_statistics(document: Any, name: str, subnet: str | None, reading: Reading) -> None:
    label, points = str(document.get("Label") or ""), document["Datapoints"]
    where = f"{name}: Datapoints"
    kind = _kind(label, where, reading)
    known = {k for p in points for k in p}
    order = _STATISTICS if kind == FREE else tuple(reversed(_STATISTICS))  # the worst of each period
    statistic = next((s for s in order if s in known), None)
    if points and statistic is None:
        raise SpecError(f"{where}: no Minimum, Average or Maximum (fetch one with --statistics)")
    match = _SUBNET_ID.search(label)
    owner = subnet or (match[0] if match else None)
    if owner is None:
        raise SpecError(f"{where}: the file does not name its subnet (use --subnet NAME)")
    _add(reading, owner, kind, ((p["Timestamp"], p.get(statistic)) for p in points), where)


def _prometheus(document: Any, name: str, subnet: str | None, reading: Reading) -> None:
    data = document["data"]
    results = data["result"] if isinstance(data, dict) else data
    sums: dict[tuple[str, str], dict[Any, float]] = {}
    for i, result in enumerate(results):
        where = f"{name}: data.result[{i}]"
        labels = result.get("metric") or {}
        metric = str(labels.get("__name__") or "")
        kind = _kind(metric, where, reading) if metric else FREE
        if not metric:
            reading.note(f"{name}: a query without a metric's name is read as free addresses")
        points = result["values"] if "values" in result else [result["value"]]
        owner = next((str(labels[k]) for k in _SUBNET_LABELS if labels.get(k)), None)
        if owner is not None:
            _add(reading, subnet or owner, kind, points, where)
        elif kind:
            total = sums.setdefault((metric, kind), {})
            if total and kind == FREE:
                raise SpecError(f"{where}: several series of free addresses without a label for the subnet")
            for moment, value in points:
                count = parse_count(value, where)
                if count is not None:
                    total[moment] = total.get(moment, 0.0) + count
    for (metric, kind), total in sums.items():
        owner = subnet or "cluster"
        if subnet is None:
            reading.note(
                f"{name}: {metric or 'the query'} has no subnet: its series are added up as 'cluster' "
                "(--usable cluster=N sets its size, --subnet NAME its name)"
            )
        _add(reading, owner, kind, total.items(), f"{name}: {owner}")


def _kind(metric: str, where: str, reading: Reading) -> str:
    """Kind of addresses that a metric counts; "" for an irrelevant metric."""
    for pattern, kind in _METRICS:
        if pattern.search(metric):
            if not kind:
                reading.note(f"{metric}: ignored, it does not count addresses")
            return kind
    _unknown(metric, where)


def _unknown(metric: str, where: str) -> NoReturn:
    raise SpecError(
        f"{where}: {metric[:80]!r} does not show whether it counts free or used addresses "
        "(label it with 'free' or 'used')"
    )


def _owner_in(label: str, where: str) -> str:
    """Subnet of a label: its ID, or the words that are not part of a metric name."""
    match = _SUBNET_ID.search(label)
    if match:
        return match[0]
    words = [w for w in label.split() if not any(p.search(w) for p, _ in _METRICS) and not w.startswith("AWS/")]
    if not words:
        raise SpecError(f"{where}: the label {label[:80]!r} has no subnet (use --subnet NAME)")
    return " ".join(words)


def _add(reading: Reading, owner: str, kind: str, points: Any, where: str) -> None:
    """Add the observations of one series; a series of sizes sets only the size of the subnet."""
    if not kind:
        return
    if kind == "usable":
        sizes = [(parse_time(t, where)[0], parse_count(v, where)) for t, v in points]
        known = [(t, v) for t, v in sizes if v is not None]
        if known:
            reading.sizes[owner] = int(max(known)[1])
        return
    for moment, value in points:
        count = parse_count(value, where)
        if count is not None:
            at, naive = parse_time(moment, where)
            if naive:
                reading.note(f"{where.split(':')[0]}: times without a zone are read as UTC")
            reading.observations.append(Observation(owner, at, count, kind))
