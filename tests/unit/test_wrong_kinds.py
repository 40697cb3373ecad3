"""Every public function refuses an argument of the wrong kind with one clear line, whichever argument it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import capacity
import capacity.charts
import capacity.readers
import capacity.sim

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAN = EXAMPLES / "first-plan.yaml"
SMALL = {"name": "w", "replicas": 3, "requests": {"cpu": "250m", "memory": "1Gi"}}
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


class Nothing:
    """A value that is of no use to any function."""

    def __repr__(self) -> str:
        return "<nothing>"


@cache
def values() -> dict[str, Any]:
    """Valid arguments by parameter name; of some functions, by function and parameter."""
    catalog = capacity.load_catalog()
    m5, platform = catalog.get("m5.large"), capacity.Platform()
    result = capacity.check(PLAN, ["steady"])
    settings = capacity.CniSettings()
    series = capacity.daily_series(capacity.read_history(EXAMPLES / "history.csv").observations)
    forecast = capacity.forecast_growth(result.plan, capacity.parse_horizon("30d", date(2026, 11, 25)))
    found = capacity.optimize_plan(
        capacity.sketched([("web", "250m", "512Mi", 4)]), capacity.Request(capacity.Choices(types=("m5.large",)))
    )
    return {
        "subnets": list(forecast.subnets),
        "question": capacity.question_of_plan(result.plan),
        "proxy": capacity.KubeProxy(),
        "rule_sets.shapes": [(capacity.ServiceShape(), 1)],
        "plot_simulation.result": capacity.sim.simulate(result.plan),
        "catalog": catalog,
        "of": m5,
        "kind": m5,
        "instance_type": m5,
        "types": [m5],
        "on": platform,
        "platform": platform,
        "plan": result.plan,
        "result": result,
        "before": result,
        "after": result,
        "settings": settings,
        "pods": 3,
        "max_pods": 29,
        "env": {},
        "values": {},
        "grid": capacity.sweep([m5], settings, [1], 29),
        "group": result.plan.node_groups[0].name,
        "name": "m5.large",
        "path": PLAN,
        "document": {},
        "patch": {},
        "source": PLAN,
        "path_out": "unused.yaml",
        "evidence": capacity.saved_evidence(EXAMPLES / "aws-answers"),
        "folder": EXAMPLES / "aws-answers",
        "observations": [],
        "series": series,
        "given": {},
        "usable": {},
        "text": "18mo",
        "start": date(2026, 11, 25),
        "span": capacity.parse_horizon("18mo", date(2026, 11, 25)),
        "time": MOMENT,
        "snapshot": capacity.snapshot_of_plan(result.plan, MOMENT),
        "found": found,
        "what": result.plan.subnets[0].name,
        "cpu_millicores": [250],
        "memory_bytes": [2**30],
        "subnet": forecast.subnets[0],
        "state": result.scenarios[0].subnets[0],
        "sweep.pods": [1],
        "sketched.pods": [("web", "250m", "512Mi", 4)],
        "warm_for_type.pods": range(8, 10),
        "find_fixes.plan": PLAN,
        "optimize_plan.plan": {},
        "shapes": capacity.shape_map(m5, platform, [250], [2**30]),
        "points": capacity.frontier_rows(found),
        "offers": [capacity.offer(m5, platform, capacity.PodAsked(cpu=250), price=0.096)],
        "rows": [capacity.max_pods(m5, platform)],
        "nodes": capacity.mean_nodes(found),
        "scenario": result.scenarios[0],
        "curve": capacity.headroom_by_nodes(result, result.plan.node_groups[0].name),
        "answer": capacity.warm_for_plan(result.plan),
        "choices": [],
        "blocks": capacity.packed_blocks(result.scenarios[0].subnets[0]),
        "figure": capacity.charts.plot_limits([capacity.offer(m5, platform)]),
    }


# Words for messages: any value is shown as it is.
SHOWN = {("cni_settings", "where"), ("cilium_settings", "where"), ("optimize_plan", "file"), ("plot_limits", "title")}


def functions() -> Iterator[tuple[str, Callable[..., object]]]:
    for module in (capacity, capacity.charts, capacity.readers):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(inspect.unwrap(value)):
                yield name, value


CASES = [
    pytest.param(function, parameter, id=f"{name}-{parameter}")
    for name, function in functions()
    for parameter, given in inspect.signature(function).parameters.items()
    if (name, parameter) not in SHOWN and given.kind is not given.VAR_KEYWORD
]


@pytest.mark.parametrize(("function", "parameter"), CASES)
def test_an_argument_of_the_wrong_kind_is_refused_in_one_line(function: Callable[..., Any], parameter: str) -> None:
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, of in inspect.signature(function).parameters.items():
        if name != parameter and of.default is not of.empty:
            continue
        value = (
            Nothing()
            if name == parameter
            else values().get(f"{inspect.unwrap(function).__name__}.{name}", values().get(name))
        )
        if of.kind in (of.POSITIONAL_ONLY, of.VAR_POSITIONAL) and name == parameter:
            given.append(value)
        elif of.kind is of.VAR_POSITIONAL:
            given.append(EXAMPLES / "import" / "cluster.yaml")
        else:
            named[name] = value
    with pytest.raises(capacity.CapacityError) as caught:
        function(*given, **named)
    assert "nothing" in str(caught.value), "the message shows the value"
    assert "\n" not in str(caught.value)
