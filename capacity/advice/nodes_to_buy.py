"""The node groups to buy for a plan, checked like in `capacity check`, and the file that creates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from capacity.advice.judge import check
from capacity.advice.snippets.purchase import purchase_file
from capacity.errors import SpecError, check_count, check_kind, check_word
from capacity.optimize.optimized import Optimized, check_optimized
from capacity.optimize.optimum import optimize_plan as optimized
from capacity.optimize.request import Request
from capacity.plan.constants import GROUP_FORMS
from capacity.plan.document import read_plan_file


def optimize_plan(
    plan: Path | str | Mapping[str, Any], request: Request | None = None, *, file: str = "", zones: int | None = None
) -> Optimized:
    """Choose the cheapest node groups that run a plan's workloads without running out of addresses.

    Parameters
    ----------
    plan : Path, str or mapping
        The path of a plan file, or its document; ``vpc`` and ``nodeGroups`` are optional.
        :func:`capacity.optimize.open_plan.sketched` creates a document that has only pods.
    request : Request, optional
        Choices, prices and effort; a finding of severity error also excludes an answer.
    file : str
        Name of a document in messages.
    zones : int, optional
        Zones of the nodes if the plan has no subnets; by default 3.

    Raises
    ------
    SpecError
        The plan has an error, no type is allowed, or no allowed type has a price.
    MissingExtra
        The solver is not installed.
    """
    check_kind("plan", plan, (Path, str, Mapping), "the path of a plan file or its document")
    if request is not None:
        check_kind("request", request, Request, "Request(...), or None")
    if zones is not None:
        check_count("zones", zones, 1)
    if not isinstance(plan, Mapping):
        read = read_plan_file(plan)
        plan, file = read.document, read.name
    return optimized(plan, replace(request or Request(), judge=check), file=file, zones=zones)


def node_group_file(found: Optimized, form: str = "eksctl") -> str:
    """The bought node groups as a file: ``plan``, ``eksctl``, ``terraform``, ``karpenter`` or ``cloudformation``.

    Raises
    ------
    SpecError
        There is nothing to buy, or the provisioner of the groups does not have this form.
    """
    check_optimized(found)
    check_word("form", form, GROUP_FORMS)
    if found.bought is None:
        raise SpecError(f"{form}: there are no node groups to write")
    return purchase_file(form, found.bought.document, found.bought.result.plan, found.bought.names)
