"""One scenario of a plan with several seeds, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.sim.monte_carlo import Distribution, distribution
from capacity.sim.plan_simulation import simulate
from capacity.sim.world_inputs import SimulationInputs


def simulate_seeds(
    plan: Plan,
    scenario: ScenarioSpec,
    seeds: Sequence[int],
    inputs: SimulationInputs | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Distribution:
    """Simulate a scenario with each seed: the figures of `capacity simulate --seed --seeds`, in this process.

    Parameters
    ----------
    progress : callable, optional
        Called with the parts that are done and the total, of all seeds.

    Raises
    ------
    SpecError
        The plan has nothing to simulate.
    KeyboardInterrupt
        It was interrupted: an answer about the plan needs every seed, so a part of them is not returned.
    """
    results = []
    for number, seed in enumerate(seeds):

        def told(done: int, total: int, before: int = number) -> None:
            if progress:
                progress(before * total + done, len(seeds) * total)

        results.append(simulate(plan, scenario, inputs, seed=seed, progress=told))
        if not results[-1].complete:
            raise KeyboardInterrupt
    return distribution(results)
