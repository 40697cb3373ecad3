"""Completion from the plan on the command line: scenarios, codes, subnets, node groups.

The plan is read leniently and fast; if it has errors, completion offers nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

MOST_BYTES = 1_000_000  # of a plan: a larger one would keep the user waiting
FIGURES = ("free", "runway", "warm", "assigned")


def complete_scenario(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of scenarios, the plan's first; after a plus, those that can be added."""
    from capacity.plan.constants import SCENARIOS

    first, plus, _ = incomplete.rpartition("+")
    return _starting(incomplete, [*_scenarios(_plan(ctx)), *(f"{first}{plus}{name}" for name in SCENARIOS)])


def complete_subject(ctx: typer.Context, incomplete: str) -> list[str]:
    """Arguments of `explain`: codes, subnets with their figures, node groups."""
    plan = _plan(ctx)
    subnets = _names(_of(_of(plan, "vpc"), "subnets"))
    if "." in incomplete:
        return _starting(incomplete, [f"{name}.{figure}" for name in subnets for figure in FIGURES])
    from capacity.advice.findings.codes import codes
    from capacity.pages.topic_page import TOPICS

    return _starting(incomplete, [*subnets, *_names(_of(plan, "nodeGroups")), *codes(), *TOPICS])


def complete_group(ctx: typer.Context, incomplete: str) -> list[str]:
    """Node groups of the plan."""
    return _starting(incomplete, _names(_of(_plan(ctx), "nodeGroups")))


def complete_setting(ctx: typer.Context, incomplete: str) -> list[str]:
    """Paths for `--set`: of every node group and of the warm targets."""
    groups = [f"nodeGroups[{name}]." for name in _names(_of(_plan(ctx), "nodeGroups"))]
    targets = ("WARM_ENI_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET", "WARM_PREFIX_TARGET")
    paths = [f"{group}{key}=" for group in groups for key in ("maxPods", "nodes.desired", "nodes.max")]
    return _starting(incomplete, [*paths, *(f"cni.env.{name}=" for name in targets)])


def complete_context(incomplete: str) -> list[str]:
    """Contexts of the kubeconfig, as kubectl lists them."""
    from capacity.errors import SpecError

    try:
        from capacity.readers.kubernetes.kubectl_command import read_contexts

        return _starting(incomplete, read_contexts(timeout=2).names)
    except SpecError:
        return []


def _starting(incomplete: str, offered: Iterable[str]) -> list[str]:
    """The distinct values that start with the typed text."""
    return [text for text in dict.fromkeys(offered) if text.startswith(incomplete)]


def _plan(ctx: typer.Context) -> object:
    """The document of the plan on the command line, or of the nearest capacity.yaml; None if there is none."""
    given = next((v for n in ("plan", "plan_option", "before") if (v := ctx.params.get(n)) is not None), None)
    try:
        from capacity.plan.parse import find_plan

        path = Path(str(given)) if given is not None else find_plan()
        if not path.is_file() or path.stat().st_size > MOST_BYTES:  # a pipe would be drained
            return None
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return yaml.load(path.read_bytes(), loader)
    except Exception:  # Tab has no place for an error: the command itself will say it
        return None


def _of(mapping: object, key: str) -> object:
    return mapping.get(key) if isinstance(mapping, Mapping) else None


def _entries(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(entries: object) -> list[str]:
    """Names in a list of mappings, without names that the shell would split."""
    names = (_of(entry, "name") for entry in _entries(entries))
    return [name for name in names if isinstance(name, str) and name.isprintable() and " " not in name]


def _scenarios(plan: object) -> Iterator[str]:
    """Scenarios in the form of `--scenario`; a scenario with options by its name."""
    for entry in _entries(_of(_of(plan, "checks"), "scenarios")):
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, Mapping):
            yield from (str(name) for name in entry)
