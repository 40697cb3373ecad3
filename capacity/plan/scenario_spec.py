"""A scenario of a plan or of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from capacity.plan.constants import AT_REST

# In a combination, scenarios that only add nodes come first and a zone loss comes last, so that it also removes what
# the others added.
ORDER = (*AT_REST, "burst", "blue-green", "rollout", "upgrade", "spot-storm", "zone-loss")


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """A scenario of the plan or the command, with its options; ``+`` joins the names of a combination.

    Attributes
    ----------
    group, workload, zone : str or None
        The node group, workload or zone that it affects; None for the scenario's default.
    nodes : int
        Nodes that a burst starts. [nodes]
    spread : str
        Where the nodes start: ``even``, ``worst`` (all in the zone that is exhausted first) or ``one`` (all in
        the subnet with the most free addresses, as Karpenter chooses).
    share : Fraction
        Share of the nodes that a spot storm interrupts.
    mode : str
        ``all`` deployments roll out together, or ``one``: the one with the most surge pods.
    strategy : str or None
        Update strategy for every managed group, None for each group's own.
    advisory : bool
        Checked without being requested by name: its verdict is at most tight.
    """

    name: str
    group: str | None = None
    workload: str | None = None
    zone: str | None = None
    nodes: int = 10
    spread: str = "even"
    share: Fraction = Fraction(3, 10)
    mode: str = "all"
    strategy: str | None = None
    advisory: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The scenarios that it combines, in the order they happen."""
        return _parts(self.name)


@lru_cache(maxsize=256)
def _parts(name: str) -> tuple[str, ...]:
    return tuple(sorted(set(name.split("+")), key=ORDER.index))
