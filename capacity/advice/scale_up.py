"""How long the pods of the largest scale-up take to get addresses, by one simulation."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.plan.model import Plan
from capacity.units import counted

MOST_NODES = 200  # of the cluster at its largest, for an answer in seconds
SECONDS, STEP_S, AT_ONCE_S = 1800, 5, 1
SHARES = (50, 99, 100)  # percent of the additional pods


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """A scale-up from ``steady`` to the maximum of all workloads, all pods at the same time.

    Attributes
    ----------
    pods : int
        Additional pods. [pods]
    served_s : mapping of int to (float or None)
        By percent of these pods: when that share had addresses, to :data:`STEP_S` seconds; None: not in time. [s]
    left : int
        Pods without an address or a node at the end. [pods]
    calls, throttled_s : int
        EC2 calls, and seconds in which one was throttled.
    """

    pods: int
    served_s: dict[int, float | None]
    left: int
    calls: int
    throttled_s: int

    @property
    def words(self) -> str:
        """For a page."""
        from capacity.sim.sim_words import span

        by_time = {at: share for share, at in self.served_s.items() if at is not None}
        told = [f"{'all' if share == 100 else f'{share}%'} within {span(at)}" for at, share in by_time.items()]
        if self.left:
            told.append(f"{self.left:,} not within {span(SECONDS)}")
        throttled = f", throttled for {span(self.throttled_s)}" if self.throttled_s else ""
        when = f"{counted(self.pods, 'more pod')} that start at the same time get their addresses: {', '.join(told)}"
        return f"{when}; {self.calls:,} EC2 calls{throttled}"


def scale_up(plan: Plan, nodes: int) -> ScaleUp | None:
    """Simulate the scale-up of a plan whose largest cluster has some nodes; None if it has too many, or no more pods.

    Notes
    -----
    Latency, buckets and the start of nodes are the defaults of `capacity simulate`.

    Raises
    ------
    NotSimulated
        The nodes have no pool of the VPC CNI.
    """
    from capacity.sim.facade import SimulationInputs, simulate

    if nodes > MOST_NODES:
        return None
    played = simulate(plan, "ceiling", SimulationInputs(seconds=SECONDS, step_s=STEP_S, ramp_s=AT_ONCE_S))
    pods = sum(w.max_replicas - w.replicas for w in plan.workloads if not w.host_network)
    if pods <= 0:
        return None
    left = [(sample.t, sample.waiting + sample.pending) for sample in played.timeline[1:]]
    served = {share: _since([(t, 100 * rest > (100 - share) * pods) for t, rest in left]) for share in SHARES}
    return ScaleUp(pods, served, left[-1][1], played.total_calls, played.throttled_s)


def _since(moments: list[tuple[float, bool]]) -> float | None:
    """The first moment after the last at which too many were left; None if that was the last one."""
    late = max((number for number, (_, many) in enumerate(moments) if many), default=-1)
    return None if late + 1 == len(moments) else moments[late + 1][0]
