"""Computes the cost of the control plane: the cluster fee, extended support and a provisioned tier."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from capacity.catalog.age import today
from capacity.catalog.fees import KubernetesVersion, kubernetes_versions
from capacity.cost.inputs import STANDARD
from capacity.cost.plan_cost import CONTROL_PLANE, EXTENDED_SUPPORT, TIER, CostLine
from capacity.cost.rates import PriceBook

_MINOR = re.compile(r"v?([0-9]{1,3})\.([0-9]{1,4})")


def control_plane_lines(version: str | None, book: PriceBook) -> Iterator[CostLine]:
    """The lines of the cluster fee, extended support (if the version is in it) and the provisioned tier (if any)."""
    found = support_of(version)
    what = "EKS cluster" if found else f"EKS cluster, standard support assumed ({_unsure(version)})"
    yield CostLine(CONTROL_PLANE, "", what, 1, "cluster", book.of_fee("control-plane", "an EKS cluster"))
    if found is not None and in_extended_support(found, book.inputs.as_of or today()):
        what = f"Kubernetes {found.version}, standard support until {found.standard_until}"
        yield CostLine(
            EXTENDED_SUPPORT, "", what, 1, "cluster", book.of_fee("extended-support", "EKS extended support")
        )
    tier = book.inputs.tier
    if tier != STANDARD:
        yield CostLine(TIER, "", tier, 1, "cluster", book.of_fee(tier, f"a control plane of {tier}"))


class PriceStep(NamedTuple):
    """A price of the control plane from a day on (ISO; to the month if no day is known). [USD per cluster-hour]"""

    since: str
    usd_per_hour: float
    what: str
    source: str


def control_plane_history() -> tuple[PriceStep, ...]:
    """What an EKS cluster has cost by the hour, oldest first.

    >>> [step.usd_per_hour for step in control_plane_history()]
    [0.2, 0.1, 0.6]
    """
    return (
        PriceStep("2018-06", 0.20, "each cluster", "EKS notes of 2018-10-04 (0.20 × 24 × 30 = $144)"),
        PriceStep("2020-01-21", 0.10, "each cluster", "AWS blog, Amazon EKS Price Reduction (2020-01-21)"),
        PriceStep(
            "2024-04-01",
            0.60,
            "a version in extended support; in standard support still 0.10",
            "AWS Containers blog, Amazon EKS extended support for Kubernetes versions pricing",
        ),
    )


def _unsure(version: str | None) -> str:
    if not version:
        return "the plan has no Kubernetes version"
    return f"Kubernetes {version} is not in the EKS release calendar"


def support_of(version: str | None) -> KubernetesVersion | None:
    """The calendar entry of a version (for versions before the oldest, the oldest entry); None if unknown."""
    match = _MINOR.match(version or "")
    if match is None:
        return None
    order = int(match[1]), int(match[2])
    known = kubernetes_versions()
    if known and order < known[0].order:
        return known[0]
    return next((v for v in known if v.order == order), None)


def in_extended_support(version: KubernetesVersion, day: dt.date) -> bool:
    """Whether extended support is billed on a day: from the beginning of the day that standard support ends, UTC.

    Source
    ------
    awsdocs/amazon-eks-user-guide@01385604 latest/ug/versioning/kubernetes-versions.adoc, release calendar.
    """
    return day >= version.standard_until
