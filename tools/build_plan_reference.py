"""Writes the tables of keys in docs/reference/plan-file.md from the declaration that the parser reads by.

python tools/build_plan_reference.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from capacity.plan import cni_keys, keys, node_keys, pod_keys, service_keys
from capacity.plan.declaration import Keys
from tools.plan_words import holds, left_out

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "plan-file.md"
START, END = "<!-- keys of {}: made by `make docs-reference` -->", "<!-- end -->"
_PART = re.compile(rf"({re.escape(START).replace(re.escape('{}'), '(.+?)')})\n.*?{END}", re.DOTALL)

TABLES: dict[str, Keys] = {
    "the plan": keys.PLAN,
    **{
        table.place.replace("[]", ""): table
        for table in (
            keys.METADATA,
            keys.KUBERNETES,
            service_keys.KUBE_PROXY,
            cni_keys.CNI,
            cni_keys.CILIUM,
            keys.VPC,
            keys.SUBNET,
            keys.RESERVATION,
            node_keys.NODE_GROUP,
            node_keys.NODES,
            node_keys.UPDATE,
            node_keys.LIMITS,
            pod_keys.WORKLOAD,
            pod_keys.REPLICAS,
            pod_keys.REQUESTS,
            pod_keys.ROLLING_UPDATE,
            pod_keys.TOPOLOGY_SPREAD,
            pod_keys.GROWTH,
            pod_keys.STEP,
            pod_keys.SEASON,
            pod_keys.DAEMON_SET,
            service_keys.SERVICE,
            keys.TENANT,
            keys.CHECKS,
            keys.OPTIONS,
        )
    },
}


def render(page: str) -> str:
    """The page with its tables generated again.

    Raises
    ------
    AssertionError
        It lacks a table.
    """
    parts = _PART.findall(page)
    assert {name for _, name in parts} == {*TABLES, SCENARIOS}, "a table of keys is missing on the page, or unknown"
    return _PART.sub(lambda part: f"{part[1]}\n{_table(part[2])}\n{END}", page)


SCENARIOS = "scenarios"


def _table(name: str) -> str:
    if name == SCENARIOS:
        rows = ((f"`{scenario}`", ", ".join(f"`{o}`" for o in of)) for scenario, of in keys.SCENARIO_OPTIONS.items())
        return _markdown(("scenario", "options"), rows)
    table = TABLES[name]
    return _markdown(
        ("key", "value", "meaning", "default"),
        ((f"**{key.name}**" if key.required else key.name, holds(key), key.what, left_out(key)) for key in table.keys),
    )


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), "|".join(["---"] * len(head)), *(" | ".join(row) for row in rows)]
    return "\n".join(f"|{line}|" if i == 1 else f"| {line} |".replace("|  |", "| |") for i, line in enumerate(lines))


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
