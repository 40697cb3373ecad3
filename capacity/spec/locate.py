"""The line of a path in a plan's file, found only when an error or a finding has to name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.spec.document import YAML_LIMIT_BYTES

if TYPE_CHECKING:
    from capacity.spec.plan import Plan


def line_of(file: str, keys: list[str | int]) -> int | None:
    """Line of the value at ``keys``, or None where it cannot be told (stdin, a huge file).

    JSON is YAML enough for libyaml to compose it with marks; the file is read a second time, which
    costs nothing unless there is an error to report.
    """
    import yaml

    path = Path(file)
    try:
        if not path.is_file() or path.stat().st_size > YAML_LIMIT_BYTES:
            return None
        node = yaml.compose(path.read_text("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None
    line: int | None = None
    at: object = node
    for key in keys:
        found = _step(at, key)
        if found is None:
            return line
        at, line = found
    return line


def _step(node: object, key: str | int) -> tuple[object, int] | None:
    value = getattr(node, "value", None)
    if isinstance(key, int):
        if isinstance(value, list) and key < len(value) and not isinstance(value[key], tuple):
            return value[key], value[key].start_mark.line + 1
        return None
    for pair in value if isinstance(value, list) else []:
        if isinstance(pair, tuple) and pair[0].value == key:
            return pair[1], pair[0].start_mark.line + 1
    return None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a plan's file; ``line`` is None where it cannot be told, ``file`` where there is none (stdin)."""

    file: str | None
    line: int | None


_NAMED = {
    "subnets": ("vpc", "subnets"),
    "nodeGroups": ("nodeGroups",),
    "workloads": ("workloads",),
    "daemonSets": ("daemonSets",),
    "tenants": ("tenants",),
}


def place_of(plan: Plan, where: str) -> Place:
    """File and line that a finding's ``where`` means: ``subnets.private-b``, ``cni.env.WARM_IP_TARGET``.

    A key that the plan does not have is at its nearest section that it has; else at the top of the file.
    """
    if not plan.file or plan.file == "<stdin>":
        return Place(None, None)
    head, _, name = where.partition(".")
    for thing in _things(plan, head):
        if thing.name == name:
            match = re.match(r"[0-9]+", thing.where.removeprefix(f"{plan.file}:"))
            return Place(plan.file, int(match.group()) if match else line_of(plan.file, [*_NAMED[head]]))
    return Place(plan.file, line_of(plan.file, list(where.split("."))))


def _things(plan: Plan, head: str) -> tuple[Any, ...]:
    return {
        "subnets": plan.subnets,
        "nodeGroups": plan.node_groups,
        "workloads": plan.workloads,
        "daemonSets": plan.daemon_sets,
        "tenants": plan.tenants,
    }.get(head, ())
