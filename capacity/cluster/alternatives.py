"""Checks a plan in case a group gets an allowed instance type other than the expected one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from capacity.cluster.engine import Engine
from capacity.cluster.group_shapes import with_type_first
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.plan.scenario_spec import ScenarioSpec

Run = Callable[[Engine, ScenarioSpec], list[ScenarioState]]


class HarmfulType(NamedTuple):
    """An allowed type that would exhaust the plan.

    Attributes
    ----------
    group, instance_type : str
    scenario : ScenarioState
        The first exhausted scenario.
    """

    group: str
    instance_type: str
    scenario: ScenarioState


def harmful_types(engine: Engine, specs: Sequence[ScenarioSpec], run: Run) -> tuple[HarmfulType, ...]:
    """The allowed types, for one group at a time, that would exhaust a scenario.

    All nodes of the group then have that type, and the nodes of other groups the expected one. Types that are equal for
    the scheduler and the CNI are tried once.
    """
    return tuple(found for index in range(len(engine.shapes)) for found in _of_group(engine, index, specs, run))


def _of_group(engine: Engine, index: int, specs: Sequence[ScenarioSpec], run: Run) -> Iterator[HarmfulType]:
    shape = engine.shapes[index]
    known: dict[tuple[object, ...], ScenarioState | None] = {_nature(shape.first): None}
    for place, kind in enumerate(shape.types):
        nature = _nature(kind)
        if nature not in known:
            known[nature] = _exhausted(engine, index, with_type_first(shape, place), specs, run)
        scenario = known[nature]
        if scenario is not None:
            yield HarmfulType(shape.group.name, kind.instance_type.name, scenario)


def _exhausted(
    engine: Engine, index: int, shape: GroupShape, specs: Sequence[ScenarioSpec], run: Run
) -> ScenarioState | None:
    """The first scenario that is exhausted if a group has a different shape."""
    shapes = [shape if i == index else s for i, s in enumerate(engine.shapes)]
    other = Engine(engine.plan, shapes, engine.reuse)
    states = (state for spec in dict.fromkeys(specs) for state in run(other, spec))
    return next((state for state in states if state.verdict == "exhausted"), None)


def _nature(kind: TypeShape) -> tuple[object, ...]:
    """The properties of a type that the scheduler and the CNI use."""
    return kind.limits, kind.settings, kind.max_pods, kind.room, kind.start, kind.addresses
