"""The plan that a question is about, with the clusters in its subnets."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.cluster.reuse import Reuse
from capacity.fleet.unit import PlanText
from capacity.plan.document import parse_plan_file
from capacity.plan.model import Plan
from capacity.plan.patch import apply_patch
from capacity.plan.sections import PlanSection


@dataclass(frozen=True)
class Subject:
    """A plan with the clusters in its subnets as tenants, what its checks share with others, and its text."""

    plan: Plan
    reuse: Reuse
    text: PlanText


def document_of(text: PlanText) -> PlanSection:
    """The decoded document of a plan, with its changes.

    Raises
    ------
    SpecError
        It cannot be decoded, or a change does not fit.
    """
    document = parse_plan_file(text.data, text.file).document
    return apply_patch(document, text.patch) if text.patch else document
