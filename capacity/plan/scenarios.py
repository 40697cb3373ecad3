"""Reads scenarios: a name, names joined by ``+``, or a scenario with options."""

from __future__ import annotations

from typing import Any, NamedTuple

from capacity.errors import SpecError, did_you_mean
from capacity.plan import keys
from capacity.plan.constants import SCENARIOS
from capacity.plan.declaration import Keys
from capacity.plan.fields import Field
from capacity.plan.keys import SCENARIO_OPTIONS
from capacity.plan.model import Plan
from capacity.plan.reading import DependsOnError, Reader, read_section
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.sections import PlanSection

AT_REST_WORDS = {"steady": "in the steady state", "peak": "at peak", "ceiling": "at the ceiling"}


def when_words(name: str, title: str = "") -> str:
    """A scenario as a phrase in a sentence.

    >>> when_words("peak"), when_words("zone-loss", "zone-loss (z1)")
    ('at peak', 'in zone-loss (z1)')
    """
    return AT_REST_WORDS.get(name, f"in {title or name}")


class ScenarioPlaces(NamedTuple):
    """Names that options can refer to; not ``complete`` if some could not be read."""

    groups: tuple[str, ...]
    workloads: tuple[str, ...]
    zones: tuple[str, ...]
    complete: bool = True


def places_of(plan: Plan) -> ScenarioPlaces:
    """The names of a plan that a scenario's options can refer to."""
    return ScenarioPlaces(
        groups=plan.group_names,
        workloads=tuple(w.name for w in plan.workloads),
        zones=tuple(dict.fromkeys(s.zone for s in plan.subnets)),
    )


def read_scenario(entry: Field, places: ScenarioPlaces) -> ScenarioSpec:
    """A scenario of ``checks.scenarios``: ``upgrade``, ``upgrade+zone-loss`` or ``{burst: {nodes: 10}}``.

    Raises
    ------
    SpecError
        An unknown name or option, or a value out of range.
    """
    if not isinstance(entry.value, PlanSection):
        return ScenarioSpec(_name(entry.text(), entry))
    if len(entry.value) != 1:
        entry.fail("a scenario with options is one key, such as {burst: {nodes: 10}}")
    name = _name(next(iter(entry.value)), entry)
    options = entry.child(next(iter(entry.value)))
    known = tuple(dict.fromkeys(o for part in name.split("+") for o in SCENARIO_OPTIONS[part]))
    if options.value is None:
        return ScenarioSpec(name)
    of_it = Keys(keys.OPTIONS.place, name, *(keys.OPTIONS[option] for option in known))
    return ScenarioSpec(name, **read_section(options, of_it, _readers(places)))


def _readers(places: ScenarioPlaces) -> dict[str, Reader]:
    """Readers of the options that refer to something by name."""

    def one(field: Field, names: tuple[str, ...]) -> str:
        if not places.complete and field.value not in names:
            raise DependsOnError
        return field.one_of(names)

    return {
        "workload": lambda field: one(field, places.workloads),
        "group": lambda field: one(field, places.groups),
        "zone": lambda field: one(field, places.zones),
    }


def scenario_option(text: str, plan: Plan, option: str = "--scenario") -> ScenarioSpec:
    """A scenario from the command line: ``burst`` with the plan's options, or ``burst:nodes=20,spread=one``."""
    name, _, given = text.partition(":")
    for spec in plan.checks.scenarios:
        if not given and spec.name == name:
            return spec
    value: Any = name
    if given:
        options = PlanSection()
        for pair in given.split(","):
            key, _, setting = pair.partition("=")
            if key.strip() in options:
                raise SpecError(f"{option} {text!r}: duplicate {key.strip()!r}")
            options[key.strip()] = setting.strip()
        value = PlanSection()
        value[name] = options
    return read_scenario(Field(value, "", None, None, option), places_of(plan))


def _name(text: str, entry: Field) -> str:
    parts = text.split("+")
    for i, part in enumerate(parts):
        if part in parts[:i]:
            entry.fail(f"duplicate {part!r} in {text!r}")
        if part not in SCENARIOS:
            entry.fail(f"{part!r} is not one of {', '.join(SCENARIOS)}{did_you_mean(part, SCENARIOS)}")
    return text
