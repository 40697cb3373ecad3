"""Reads the recordings of ipamd: ``ipamd_nodes.csv`` and ``ipamd_traces.csv`` (made by tools/build_ipamd_traces.py)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NODES, TRACES = HERE / "ipamd_nodes.csv", HERE / "ipamd_traces.csv"

LATENCY_MS = {
    "DescribeNetworkInterfaces": 100,
    "DescribeSubnets": 100,
    "CreateTags": 100,
    "ModifyNetworkInterfaceAttribute": 100,
    "AssignPrivateIpAddresses": 300,
    "UnassignPrivateIpAddresses": 200,
    "CreateNetworkInterface": 500,
    "DescribeInstances": 100,
    "AttachNetworkInterface": 1500,
    "DetachNetworkInterface": 200,
    "DeleteNetworkInterface": 300,
}
EC2_KINDS = tuple(LATENCY_MS)

Recording = tuple[dict[str, Any], list[dict[str, Any]]]


def read_recordings() -> dict[str, Recording]:
    """Header and lines of each recording, in full."""
    headers = {row["trace"]: _header(row) for row in _rows(NODES)}
    found: dict[str, Recording] = {}
    above: dict[str, str] = {}
    for row in _rows(TRACES):
        if row["trace"]:
            above = {}
            lines: list[dict[str, Any]] = []
            header = headers[row["trace"]]
            found[row["trace"]] = header, lines
        above = {key: row[key] or above.get(key, "") for key in ("waiting", "per_eni", "ec2_calls", "subnet_free")}
        lines.append(_line(row, above, 16 if header["mode"] == "prefix" else 1))
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _header(row: dict[str, str]) -> dict[str, Any]:
    numbers = ("max_enis", "ipv4_per_eni", "max_pods", "unmanaged_enis", "end")
    return (
        {key: row[key] for key in ("instance_type", "mode", "subnet", "subnet_used_by_others")}
        | {key: int(row[key]) for key in numbers}
        | {
            "custom_networking": row["custom_networking"] == "True",
            "env": dict(pair.split("=") for pair in row["env"].split(";")),
            "latency_ms": LATENCY_MS,
            "ec2_kinds": list(EC2_KINDS),
            "pod_retry_s": 1,
        }
    )


def _line(row: dict[str, str], state: dict[str, str], unit: int) -> dict[str, Any]:
    line: dict[str, Any] = {"t": float(row["t"]), "event": row["event"]}
    if row["began"]:
        line["began"] = float(row["began"])
    if row["pods"]:
        line["pods"] = _numbers(row["pods"])
    if row["placed"]:
        line["placed"] = _lists(row["placed"])
    enis = _lists(state["per_eni"])
    total, assigned = unit * sum(eni[1] for eni in enis), sum(eni[2] for eni in enis)
    return line | {
        "waiting": int(state["waiting"]),
        "enis": len(enis),
        "per_eni": enis,
        "total_ips": total,
        "assigned": assigned,
        "cooldown": sum(eni[3] for eni in enis),
        "available": total - assigned,
        "ec2_calls": _numbers(state["ec2_calls"]),
        "subnet_free": int(state["subnet_free"]),
    }


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split()]


def _lists(text: str) -> list[list[int]]:
    return [[int(number) for number in item.split("/")] for item in text.split()]
