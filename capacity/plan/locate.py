"""Finds the line of a path in a plan's file, only when an error or a finding needs it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.files import LARGEST_TEXT_BYTES, PIPE, STDIN

if TYPE_CHECKING:
    from capacity.plan.model import Plan


def line_of(file: str, keys: list[str | int]) -> int | None:
    """Line of the value at ``keys``, or None if it cannot be found (stdin, a very large file).

    libyaml can compose JSON with line marks. The file is read again, but only if there is an error to report.
    """
    try:
        state = Path(file).stat()
    except (OSError, ValueError):
        return None
    node = _composed(file, state.st_mtime_ns, state.st_size)
    line: int | None = None
    at: object = node
    for key in keys:
        found = _step(at, key)
        if found is None:
            return line
        at, line = found
    return line


@lru_cache(maxsize=1)
def _composed(file: str, mtime_ns: int, size: int) -> object:  # noqa: ARG001 (a file written anew is read anew)
    """The file's nodes with their marks, cached: a check can have hundreds of findings."""
    import yaml

    from capacity.plan.yaml_loader import yaml_loader

    path = Path(file)
    try:
        if not path.is_file() or size > LARGEST_TEXT_BYTES:
            return None
        return yaml.compose(path.read_text("utf-8-sig"), Loader=yaml_loader())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None


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


class FilePlace(NamedTuple):
    """A place in a plan's file; ``line`` is None if it is unknown, ``file`` if there is no file (stdin)."""

    file: str | None
    line: int | None


def place_of(plan: Plan, where: str) -> FilePlace:
    """File and line of a finding's ``where``: ``subnets.private-b``, ``cni.env.WARM_IP_TARGET``.

    A zone has the place of its first subnet. A key that the plan does not have gets the nearest existing section.
    """
    if not plan.file or plan.file in (STDIN, PIPE):
        return FilePlace(None, None)
    at = anchor_of(plan, where)
    return FilePlace(plan.file, at if isinstance(at, int) else line_of(plan.file, at))


def anchor_of(plan: Plan, where: str) -> int | list[str | int]:
    """The line of a finding's ``where`` if the plan knows it, otherwise the path to look for in the file."""
    head, _, name = where.partition(".")
    if head == "zones":
        at = next((s.where for s in plan.subnets if s.zone == name), "")
    else:
        at = next((t.where for t in _things(plan, head) if t.name == name), "")
    match = re.match(r"[0-9]+", at.removeprefix(f"{plan.file}:"))
    if match:
        return int(match.group())
    return steps_of_message(at.removeprefix(f"{plan.file} ")) if at else [*where.split(".")]


def steps_of_message(path: str) -> list[str | int]:
    """The steps of a path in the form that messages print.

    >>> steps_of_message("vpc.subnets[3]")
    ['vpc', 'subnets', 3]
    """
    return [int(s[1:-1]) if s[0] == "[" else s for s in re.findall(r"\[\d+\]|[^.\[\]]+", path)]


def _things(plan: Plan, head: str) -> tuple[Any, ...]:
    return {
        "subnets": plan.subnets,
        "nodeGroups": plan.node_groups,
        "workloads": plan.workloads,
        "daemonSets": plan.daemon_sets,
        "tenants": plan.tenants,
    }.get(head, ())
