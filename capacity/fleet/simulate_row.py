"""Simulates a scenario of one plan of a fleet, with the clusters in its subnets in their steady state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from capacity.fleet.subject import Subject
from capacity.fleet.unit import Row

if TYPE_CHECKING:
    from capacity.sim.facade import Distribution


def simulate_row(subject: Subject, options: Mapping[str, Any]) -> Row:
    """The first subnet that runs out, how long pods wait, and the EC2 calls; ``not_simulated`` says why there is none.

    ``options``: ``scenario``, ``seconds``, ``seed`` and ``seeds``, as of `capacity simulate`.
    """
    from capacity.pages.simulate_page import summary_json
    from capacity.plan.scenarios import scenario_option
    from capacity.sim.facade import NotSimulated, SimulationInputs, check_simulated, simulate_seeds

    plan = subject.plan
    row: Row = {"name": plan.name, "account": plan.account, "region": plan.region, "vpc": plan.vpc_id}
    shares = {"shares_with": [t.name for t in plan.tenants if t.plan], "error": None}
    seeds = range(options["seed"], options["seed"] + options["seeds"])
    inputs = SimulationInputs(seconds=options["seconds"])
    try:
        check_simulated(plan.cni.settings, plan.cni.env)
        found = simulate_seeds(plan, scenario_option(options["scenario"], plan), seeds, inputs)
    except NotSimulated as error:
        return row | {"not_simulated": error.reason, "first": None, "summary": None} | _measures(None) | shares
    summary = summary_json(found)
    return row | {"not_simulated": None, "first": first_out(found), "summary": summary} | _measures(found) | shares


def first_out(found: Distribution) -> dict[str, Any] | None:
    """The subnet that runs out first in any simulation, when, and its share of the simulations; None if none does."""
    out = [(s.exhausted_at, s.name) for r in found.results for s in r.subnets if s.exhausted_at is not None]
    if not out:
        return None
    at, name = min(out)
    return {"subnet": name, "exhausted_at": at, "exhausted_share": found.exhausted[name]}


def _measures(found: Distribution | None) -> dict[str, float | None]:
    """Means over the seeds; the delay is that of the pods of all simulations. [pods, s, calls]"""
    names = ("pods_started", "pods_waited", "pods_never_started", "pods_unschedulable", "ec2_calls")
    if found is None:
        return dict.fromkeys((*names, "delay_p99_s"))
    return {name: round(found.measures[name].mean, 1) for name in names} | {"delay_p99_s": found.delay(99)}
