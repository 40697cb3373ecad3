"""How many addresses each scenario of a check holds at most over time: the distribution behind the bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from capacity.advice.findings.codes import Finding
from capacity.cluster.check import CheckResult, singles
from capacity.errors import SpecError

SIMULATIONS = 20
CHURN = 1.0  # pods replaced per node and minute where a scenario is a state without events
STEADY_S, EVENT_S = 600, 1800
CITED = ("IP001", "IP002", "IP003", "IP006")  # findings about the free addresses of one subnet in one scenario


@dataclass(frozen=True, slots=True)
class SimulatedUse:
    """The most addresses of a subnet that are held at the same time, over simulations of one scenario.

    Attributes
    ----------
    used_p5, used_p50, used_p95 : int
        [addresses]
    exhausted_share : float
        Share of the simulations in which EC2 refuses addresses of it.
    """

    scenario: str
    subnet: str
    usable: int
    used_p5: int
    used_p50: int
    used_p95: int
    exhausted_share: float
    simulations: int

    @property
    def words(self) -> str:
        """For a finding."""
        held = f"{self.used_p5:,} to {self.used_p95:,}" if self.used_p5 < self.used_p95 else f"{self.used_p50:,}"
        return (
            f"simulated {self.simulations} times, at most {held} of {self.usable:,} are held at the same time (P5 to "
            f"P95); it runs out in {self.exhausted_share:.0%}"
        )


def simulated_use(
    result: CheckResult, progress: Callable[[int, int], None] | None = None, simulations: int = SIMULATIONS
) -> tuple[SimulatedUse, ...]:
    """Simulate every scenario of a check and count what each subnet holds at most; lost subnets are left out.

    Raises
    ------
    SpecError
        The plan has nothing to simulate.
    """
    from capacity.sim.facade import SimulationInputs, check_simulated, simulate
    from capacity.sim.observed import at_percent

    plan = result.plan
    check_simulated(plan.cni.settings, plan.cni.env)
    specs = [single for spec in dict.fromkeys(result.specs) for single in singles(plan, spec)]
    if len(specs) != len(result.scenarios):
        raise SpecError("simulate: the check was not made with its scenarios")
    found = []
    for number, (spec, state) in enumerate(zip(specs, result.scenarios, strict=True)):
        quiet = spec.parts == ("steady",)
        inputs = SimulationInputs(seconds=STEADY_S if quiet else EVENT_S, churn=CHURN if quiet else 0.0)
        runs = [simulate(plan, spec, inputs, seed=seed) for seed in range(1, simulations + 1)]
        for place, subnet in enumerate(state.subnets):
            if state.is_lost(subnet.subnet):
                continue
            held = Counter(run.subnets[place].usable - run.subnets[place].lowest_free for run in runs)
            out = sum(run.subnets[place].exhausted_at is not None for run in runs) / len(runs)
            p5, p50, p95 = (at_percent(held, percent) or 0 for percent in (5, 50, 95))
            found.append(
                SimulatedUse(state.title, subnet.subnet.name, subnet.subnet.usable, p5, p50, p95, out, len(runs))
            )
        if progress:
            progress(number + 1, len(specs))
    return tuple(found)


def with_simulated(found: Sequence[Finding], uses: Sequence[SimulatedUse]) -> tuple[Finding, ...]:
    """The findings about a subnet in a scenario, with what the simulation shows there."""
    by_place = {(f"subnets.{use.subnet}", use.scenario): use for use in uses}

    def cited(one: Finding) -> Finding:
        use = by_place.get((one.where, one.scenario or "")) if one.code in CITED else None
        return replace(one, message=f"{one.message}; {use.words}") if use else one

    return tuple(cited(one) for one in found)
