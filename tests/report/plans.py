"""Plans for the report's tests: the example, and one whose names try everything."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

from capacity.cluster.check import CheckResult, check
from capacity.pages.page import Page
from capacity.pages.report_material import Material, gather
from capacity.pages.report_page import report_page
from capacity.plan.parse import read_plan

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
DAY = dt.date(2026, 11, 25)
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "💥👨\u200d👩\u200d👧 subnet",
    "מרחב",
    "$(rm -rf)",
    "=cmd|' /C calc'!A0",
    "a|b`c*d_[x](http://evil.example)",
    "</style><img src=x onerror=alert(1)>",
    "]]>--><!--",
    "{{7*7}}",
    "x" * 200,
    "</title></head>",
)


def hostile_plan(subnets: int = 200) -> dict[str, Any]:
    """So many subnets, the first with hostile names; four groups over them, in prefix mode."""
    names = [*HOSTILE_NAMES, *(f"s{i}" for i in range(subnets - len(HOSTILE_NAMES)))]
    zones = ("us-east-1a", "us-east-1b", "us-east-1c")
    nodes = {"min": 1, "desired": 6, "max": 30}
    return {
        "apiVersion": "capacity/v1",
        "metadata": {"name": "<b>\"evil\" & 'plan'</b> 🚀"},
        "region": "us-east-1",
        "cni": {"env": {"ENABLE_PREFIX_DELEGATION": "true"}},
        "vpc": {
            "cidrs": ["10.0.0.0/16"],
            "subnets": [
                {"name": n, "zone": zones[i % 3], "cidr": f"10.0.{i}.0/24", "used": i % 60} for i, n in enumerate(names)
            ],
        },
        "nodeGroups": [
            {"name": f"<i>g{i}</i>", "instanceTypes": ["m5.large"], "nodes": nodes, "subnets": names[3 * i : 3 * i + 3]}
            for i in range(4)
        ],
        "workloads": [
            {
                "name": "<u>w</u>",
                "replicas": {"now": 60, "max": 900},
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "growth": {"rate": "9%/month", "stddev": "3%"},
            }
        ],
    }


def write_hostile(folder: Path, subnets: int = 200) -> Path:
    path = folder / "hostile.json"
    path.write_text(json.dumps(hostile_plan(subnets)), encoding="utf-8")
    return path


def material_of(path: Path, scenarios: list[str] | None = None) -> Material:
    result: CheckResult = check(read_plan(path), scenarios)
    return gather(result, f"capacity report {path.name}", DAY, "0" * 64, "6mo")


@cache
def example() -> Page:
    return report_page(material_of(EXAMPLE))
