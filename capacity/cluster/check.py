"""The check of a plan: its scenarios, their verdicts, and how far the subnets reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from capacity.cluster.runway import Runway, runways
from capacity.cluster.scenario import Demand, Engine, ScenarioState, peak, steady
from capacity.cluster.shape import GroupShape, group_shapes
from capacity.errors import SpecError, either, nearest_names
from capacity.spec.plan import Plan
from capacity.vpc.ledger import worst

BUILDERS: dict[str, Callable[[Plan], Demand]] = {"steady": steady, "peak": peak}


@dataclass(frozen=True)
class CheckResult:
    """Everything ``check`` found out about a plan.

    Attributes
    ----------
    verdict : str
        The worst of all scenarios: ``ok``, ``tight`` or ``exhausted``.
    scenarios : tuple of ScenarioState
        In the order asked for.
    runway : tuple of Runway
        One per subnet, from ``steady``.
    notes : tuple of str
        Assumptions that moved the answer, to be said with it.
    """

    plan: Plan
    shapes: tuple[GroupShape, ...]
    verdict: str
    scenarios: tuple[ScenarioState, ...]
    runway: tuple[Runway, ...]
    notes: tuple[str, ...]


def check(plan: Plan, scenarios: Sequence[str] | None = None) -> CheckResult:
    """Answer "will we run out of IPs?" for a plan.

    Parameters
    ----------
    scenarios : sequence of str, optional
        Names; without it those of the plan, and where it names none, all that the plan can feed.

    Raises
    ------
    SpecError
        A scenario that does not exist.
    """
    shapes = group_shapes(plan)
    engine = Engine(plan, shapes)
    names, notes = _names(plan, scenarios)
    base = engine.run(steady(plan))
    states = tuple(base if name == "steady" else engine.run(BUILDERS[name](plan)) for name in names)
    return CheckResult(
        plan=plan,
        shapes=shapes,
        verdict=worst([s.verdict for s in states]),
        scenarios=states,
        runway=runways(base),
        notes=(*plan.notes, *notes, *assumptions(plan, shapes)),
    )


def _names(plan: Plan, asked: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Scenarios to run, and a note for those this version does not compute."""
    if asked:
        for name in asked:
            if name not in BUILDERS:
                near = nearest_names(name, BUILDERS, 1)
                hint = f" (did you mean {either(near)}?)" if near else ""
                raise SpecError(f"--scenario: {name!r} is not one of {', '.join(BUILDERS)}{hint}")
        return list(dict.fromkeys(asked)), []
    wanted = list(dict.fromkeys(s.name for s in plan.checks.scenarios)) or list(BUILDERS)
    left_out = [n for n in wanted if n not in BUILDERS]
    notes = [f"not computed by this version: the scenarios {', '.join(left_out)}"] if left_out else []
    return [n for n in wanted if n in BUILDERS] or list(BUILDERS), notes


def assumptions(plan: Plan, shapes: Sequence[GroupShape]) -> list[str]:
    """What was assumed because the plan does not say it."""
    notes = [note for shape in shapes for note in shape.platform.notes]
    if not plan.tenants:
        notes.append("no tenants in the plan: no addresses are booked for load balancers, endpoints or NAT gateways")
    named = {d.name for d in plan.daemon_sets}
    implied = [n for n in ("aws-node", "kube-proxy") if n not in named]
    if implied and plan.node_groups:
        notes.append(f"{' and '.join(implied)} run on every node on its own address, counted with requests of 0")
    return list(dict.fromkeys(notes))
