#!/usr/bin/env python3
"""Make ``tests/conformance/kube_proxy_rules.csv`` from counts of kube-proxy's own expected rule sets.

    PYTHONPATH=. python tools/build_kube_proxy_rules.py COUNTS.json

The counts were taken from the rule sets that kubernetes/kubernetes' unit tests of kube-proxy expect (each row names
its test): rules, chains and elements were counted by table, one IP family and one node; no text of theirs is kept. The
file has ``cases``, each with ``mode``, ``inputs`` (``services`` and ``config``), the counted figures and ``source``.
This script writes them with this project's names. What a sync sends needs the change, which ``CHANGES`` has by test.
``tests/conformance/test_kube_proxy_rules.py`` reads the file.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "tests" / "conformance" / "kube_proxy_rules.csv"
COLUMNS = ("case", "mode", "base", "proxy", "services", "before", "figures", "source")
SERVICE_NAMES = {"etp_local": "external_local", "itp_local": "internal_local", "proto": "protocol"}
PROXY_NAMES = {"detector": "pod_range", "fw_noop": "closing_rule", "liberal": "conntrack_liberal"}
CHANGES = {  # position of the changed Service, what it was before, and endpoints of it that are gone
    "2-add-service": "2: none",
    "4-service-without-endpoints": "2: none",
    "6-change-endpoint": "2: endpoints=1 / 1",
    "6-endpoints-arrive": "2: endpoints=0",
    "8-no-change": "0: same",
    "4-aged": "0: same",
    "8-add-endpoint": "1: endpoints=1",
    "10-restore": "1: endpoints=0",
}


def words(values: dict[str, Any], names: dict[str, str]) -> str:
    """A mapping as ``endpoints=3 node_port``, with this project's names."""
    told = {names.get(key, key): value for key, value in values.items() if key != "type"}
    said = (
        key if value is True else f"no-{key}" if value is False else f"{key}={value}" for key, value in told.items()
    )
    return " ".join(said)


def figures(case: dict[str, Any]) -> dict[str, int]:
    """The counted figures under flat names, such as ``rules.nat`` or ``ipset.LOAD_BALANCER``."""
    found: dict[str, int] = {}
    for part in ("rules", "chains", "elements"):
        for key, value in (case[part] or {}).items():
            if isinstance(value, dict):
                found |= {f"ipset.{name}": count for name, count in value.items()}
            elif value is not None:
                found[f"{part}.{key}"] = value
    return found


def rows(cases: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for case in cases:
        given = case["inputs"]
        change = next((text for part, text in CHANGES.items() if case["id"].endswith(part)), "")
        yield {
            "case": case["id"],
            "mode": case["mode"],
            "base": "yes" if given.get("base", True) else "no",
            "proxy": words(given["config"], PROXY_NAMES),
            "services": "; ".join(words(service, SERVICE_NAMES) for service in given["services"]),
            "before": change,
            "figures": " ".join(f"{name}={value}" for name, value in figures(case).items()),
            "source": re.sub(r"\(\w+ text of about 1.33[^)]*\)", "(text of about 1.33)", case["source"]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", type=Path)
    cases = json.loads(parser.parse_args().counts.read_text("utf-8"))["cases"]
    with OUT.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(cases))


if __name__ == "__main__":
    main()
