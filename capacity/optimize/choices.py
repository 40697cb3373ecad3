"""The instance types that are allowed, and the requirements for the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from capacity.catalog.instance_type import InstanceType
from capacity.errors import SpecError, check_count, check_each, check_number, check_word
from capacity.plan.constants import ARCHS, NODE_PROVISIONERS

EFFORT_NAMES = ("quick", "normal", "thorough")
FRACTIONAL_GPUS = ("g6f", "gr6f")  # a pod that requests a GPU gets an eighth to a half of one
MODES = ("secondary", "prefix")  # a cluster can change between them; its IP family is fixed
MOST_HEADROOM = 10
SURVIVALS = ("zone",)
COST, ADDRESSES, NODES = "cost", "addresses", "nodes"
TO_MINIMIZE = (COST, ADDRESSES, NODES)


@dataclass(frozen=True, slots=True)
class Choices:
    """The user's choices; by default everything that the plan does not set.

    Attributes
    ----------
    types : tuple of str
        Instance types and globs; empty: all Nitro types except burstable, metal, HPC and accelerated ones.
    arch : str or None
        ``x86_64`` or ``arm64``; None: both with ``types``, otherwise as the plan's node groups (default ``x86_64``).
    max_vcpus, max_types, max_groups : int or None
        Most vCPUs of one node, and most types and node groups of the answer.
    provisioner : str or None
        Provisioner of the nodes; None: as the first replaced group, otherwise ``managed``.
    max_pods : int or None
        Max pods of each node, set by hand. [pods]
    min_nodes, max_nodes : int or None
        Fewest and most nodes of each node group. [nodes]
    vcpu_quota : int or None
        Most vCPUs of all nodes at the peak: the account's EC2 quota. [vCPUs]
    peak_hours : Fraction
        Share of the hours at ``replicas.max``; the others are at ``replicas.now``.
    survive : str or None
        ``zone``: the nodes of the other zones have room for the pods of a lost zone without a new node.
    headroom : Fraction
        Share of additional pods of every workload for which the nodes have room; all figures include them.
    modes : tuple of str
        Allowed CNI modes, ``secondary`` and ``prefix``; empty: the mode of the plan.
    scenarios : tuple of str
        Scenarios of ``check`` that must be ok; empty: those of the plan, or all for which the plan has input.
    minimize : str
        ``cost``, or ``addresses`` or ``nodes`` at the peak and then cost.

    Raises
    ------
    SpecError
        A figure out of range, or an unknown word.
    """

    types: tuple[str, ...] = ()
    arch: str | None = None
    max_vcpus: int | None = None
    max_types: int | None = None
    max_groups: int = 6
    provisioner: str | None = None
    max_pods: int | None = None
    min_nodes: int = 1
    max_nodes: int | None = None
    vcpu_quota: int | None = None
    peak_hours: Fraction = Fraction(1, 5)
    survive: str | None = None
    headroom: Fraction = Fraction(0)
    modes: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    minimize: str = COST

    def __post_init__(self) -> None:
        for what, value, known in (
            ("architecture", self.arch, ARCHS),
            ("provisioner", self.provisioner, NODE_PROVISIONERS),
            ("survive", self.survive, SURVIVALS),
            ("minimize", self.minimize, TO_MINIMIZE),
        ):
            if value is not None:
                check_word(what, value, known)
        for what, number in (
            ("vCPUs of a node", self.max_vcpus),
            ("types", self.max_types),
            ("node groups", self.max_groups),
            ("max pods", self.max_pods),
            ("fewest nodes of a group", self.min_nodes),
            ("most nodes of a group", self.max_nodes),
            ("vCPU quota", self.vcpu_quota),
        ):
            if number is not None:
                check_count(what, number, 1)
        for what, names in (("types", self.types), ("modes", self.modes), ("scenarios", self.scenarios)):
            check_each(what, names, str, "a tuple of names")
        check_number("headroom", self.headroom, -inf)
        check_number("peak_hours", self.peak_hours, -inf)
        for mode in self.modes:
            check_word("CNI mode", mode, MODES)
        if not 0 <= self.headroom <= MOST_HEADROOM:
            share, most = float(100 * self.headroom), 100 * MOST_HEADROOM
            raise SpecError(f"headroom: {share:g}% is out of range (expected 0% to {most}%)")
        if not 0 <= self.peak_hours <= 1:
            raise SpecError(f"peak hours: {float(100 * self.peak_hours):g}% is out of range (expected 0% to 100%)")


def allowed_types(
    kinds: Sequence[InstanceType], choices: Choices, archs: Sequence[str], *, gpus: bool = False
) -> list[InstanceType]:
    """The allowed types by name, architecture and size, in the order of the catalog.

    Metal types are allowed only if a glob names metal. Without globs, burstable, accelerated, HPC and Xen types are not
    allowed, except types with NVIDIA GPUs if ``gpus`` (pods request some).
    """
    import fnmatch

    def named(kind: InstanceType) -> bool:
        if not choices.types:
            return _usual(kind, gpus=gpus)
        globs = [g for g in choices.types if fnmatch.fnmatchcase(kind.name, g)]
        return any("metal" in g for g in globs) if kind.bare_metal or "metal" in kind.name else bool(globs)

    most = choices.max_vcpus
    return [
        kind for kind in kinds if kind.arch in archs and (most is None or (kind.vcpus or 0) <= most) and named(kind)
    ]


def _usual(kind: InstanceType, *, gpus: bool) -> bool:
    plain = not kind.bare_metal and "metal" not in kind.name and not kind.gpus and not kind.accelerators
    plain = plain or (gpus and kind.nvidia_gpus > 0 and kind.family not in FRACTIONAL_GPUS)
    return plain and kind.hypervisor == "nitro" and not burstable(kind) and not kind.family.startswith("hpc")


def burstable(kind: InstanceType) -> bool:
    """Whether CPU above a baseline costs extra or is throttled (the T families).

    Source: Amazon EC2 user guide, burstable-performance-instances.html (read 2026-11-30).
    """
    return re.match(r"t[0-9]", kind.family) is not None
