"""Why a combination of warm targets is recommended, and which counts of pods are left out, in words."""

from __future__ import annotations

from capacity.advice.warm_churn import ChurnAsked
from capacity.advice.warm_rows import MORE_TO_LAUNCH, READY, WAITED, NodeKind
from capacity.plan.constants import HOST_PODS

WORTH = 0.05  # share of the addresses that a change must save
ENOUGH = (
    "the first setting that makes the plan pass, in the order of the lever warm-targets: settings that neither flap "
    "nor starve and need few EC2 calls first, then one variable before two, then the most addresses kept warm"
)
HELPS = (
    "no setting alone makes the plan pass; this one comes closest among those that neither flap nor starve and need "
    "few EC2 calls"
)


def rule(*, prefix: bool, churn: ChurnAsked | None = None) -> str:
    """Rule of the recommendation, in one line."""
    unit = "WARM_PREFIX_TARGET=1" if prefix else "WARM_ENI_TARGET=1"
    waits = f"; under the stated churn at most {WAITED:.0%} of the pods wait, or no more than with {unit}"
    more = f"{MORE_TO_LAUNCH - 1:.0%}"
    return (
        "the setting that holds the fewest addresses among those that neither flap nor starve, have an address ready "
        f"for {READY:.0%} of the pods that can start at the same time, launch a node with at most {more} more calls "
        f"than {unit}, and need at most one call per pod start and stop; if {unit} itself does not reach that, the "
        f"setting must be at least as good; a change must save {WORTH:.0%}" + (waits if churn else "")
    )


def too_many_pods(type_name: str, most: NodeKind, asked: int) -> str:
    """Note that a type cannot run the highest counts of a range; ``most`` is its node with the most pods."""
    return (
        f"{type_name} runs at most {most.pods} pods on VPC addresses (max pods {most.max_pods}, "
        f"{HOST_PODS} of them host-network pods; {most.capacity} addresses): "
        f"{most.pods + 1} to {asked} are not included"
    )
