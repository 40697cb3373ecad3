"""The use of a subnet: its holders, and the blocks left for prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from capacity.plan.constants import PREFIX_SIZE
from capacity.vpc.drain import Drain
from capacity.vpc.fragments import Fragments, fragments_of_counts
from capacity.vpc.ledger import SubnetState
from capacity.vpc.reservations import ReservationAdvice, reservation_for


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number of additional prefixes: the chance that they fit now, and the reservation that guarantees it."""

    blocks: int
    probability: Fraction
    reservation: ReservationAdvice


@dataclass(frozen=True, slots=True)
class SubnetFill:
    """The fill of one subnet.

    Attributes
    ----------
    name, zone : str
    fragments : Fragments
        Its free blocks.
    owners : mapping of str to int
        Addresses by owner; the ledger's holders for a plan, network interfaces' owners for AWS's answers.
    where : str
        The scenario of a plan; otherwise empty.
    drains : tuple of Drain
        Nodes whose removal frees whole blocks, soonest first; empty if the nodes are unknown.
    """

    name: str
    zone: str
    fragments: Fragments
    owners: Mapping[str, int]
    where: str = ""
    drains: tuple[Drain, ...] = ()

    def wanted(self, blocks: int) -> Wanted:
        """The chance that a number of additional prefixes fit, and the reservation for them."""
        return Wanted(blocks, self.fragments.probability(blocks), reservation_for(self.fragments, blocks))


def fill_of_state(state: SubnetState, where: str) -> SubnetFill:
    """The fill of a subnet in a scenario, whose ledger has counts but no positions."""
    singles = state.used_total - PREFIX_SIZE * state.prefixes
    owners = {holder: addresses for holder, addresses in state.used.items() if addresses}
    found = fragments_of_counts(state.subnet, singles, state.prefixes)
    return SubnetFill(state.subnet.name, state.subnet.zone, found, owners, where)
