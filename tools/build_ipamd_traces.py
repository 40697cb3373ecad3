#!/usr/bin/env python3
"""Make ``tests/conformance/ipamd_nodes.csv`` and ``ipamd_traces.csv`` from recordings of the real pool manager.

    PYTHONPATH=. python tools/build_ipamd_traces.py FOLDER      # of *.jsonl: a header, then one line per event

A recording is the life of one node as ipamd itself lived it: node initialisation and pool manager of
aws/amazon-vpc-cni-k8s@b5218838, run in virtual time against a fake of EC2, of the instance metadata and of Kubernetes.
Only the walks over Go maps were put in order: by ENI, then by address. The files here hold the recorded values, without
those that follow from others (a total from its ENIs); this script stops if one does not follow.
``tests/conformance/test_ipamd_traces.py`` reads them.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conformance.ipamd_recordings import EC2_KINDS, LATENCY_MS, NODES, TRACES, read_recordings

NODE_KEYS = (
    "instance_type",
    "max_enis",
    "ipv4_per_eni",
    "mode",
    "custom_networking",
    "max_pods",
    "unmanaged_enis",
    "subnet",
    "subnet_used_by_others",
    "end",
)
SAME = {"latency_ms": LATENCY_MS, "ec2_kinds": list(EC2_KINDS), "pod_retry_s": 1}


def node_row(name: str, header: dict[str, Any]) -> dict[str, Any]:
    """One row of the nodes; what all recordings have in common is left out."""
    for key, value in SAME.items():
        if header[key] != value:
            raise SystemExit(f"{name}: {key} is not that of the other recordings")
    env = ";".join(f"{key}={value}" for key, value in sorted(header["env"].items()))
    return {"trace": name} | {key: header[key] for key in NODE_KEYS} | {"env": env}


def lists(rows: Iterable[Iterable[int]]) -> str:
    return " ".join("/".join(map(str, row)) for row in rows)


def trace_rows(name: str, lines: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """One row per line; what equals the row above is empty."""
    above: dict[str, Any] = {}
    for line in lines:
        state = {
            "waiting": line["waiting"],
            "per_eni": lists(line["per_eni"]),
            "ec2_calls": " ".join(map(str, line["ec2_calls"])),
            "subnet_free": line["subnet_free"],
        }
        yield {
            "trace": "" if above else name,
            "t": line["t"],
            "event": line["event"],
            "began": line.get("began", ""),
            "pods": " ".join(map(str, line.get("pods", []))),
            "placed": lists(line.get("placed", [])),
        } | {key: "" if above.get(key) == value else value for key, value in state.items()}
        above = state


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    nodes: list[dict[str, Any]] = []
    traces: list[dict[str, Any]] = []
    recorded = {}
    for path in sorted(parser.parse_args().folder.glob("*.jsonl")):
        header, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        nodes.append(node_row(path.stem, header))
        traces += trace_rows(path.stem, lines)
        recorded[path.stem] = lines
    write(NODES, nodes)
    write(TRACES, traces)
    for name, (_, lines) in read_recordings().items():
        if lines != recorded[name]:
            raise SystemExit(f"{name}: a value does not follow from the others")


if __name__ == "__main__":
    main()
