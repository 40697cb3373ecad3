"""Keys of a plan are declared once: the parser accepts each of them, refuses all others, and holds their bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest
import yaml

from capacity.errors import SpecError
from capacity.plan import cni_keys, keys, node_keys, pod_keys
from capacity.plan import declaration as kinds
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cilium_settings import NUMBERS, SWITCHES
from capacity.plan.cilium_settings import PREFIXES as CILIUM_PREFIXES
from capacity.plan.constants import MOST, SCENARIOS
from capacity.plan.declaration import Key, Keys
from capacity.plan.fields import Field
from capacity.plan.growth import Growth
from capacity.plan.model import Checks, DaemonSet, NodeGroup, Plan, Subnet, Workload
from capacity.plan.reading import read_keys
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.sections import PlanSection
from capacity.readers.draft import (
    DaemonSetDraft,
    GroupDraft,
    SubnetDraft,
    TenantDraft,
    WorkloadDraft,
    key_of,
)
from tests.fixtures.plans import FULL, FULL_CILIUM, plan_of
from tools.plan_words import left_out

Path = tuple[str | int, ...]


def tables(of: Keys = keys.PLAN) -> Iterator[Keys]:
    """Every mapping that a plan may hold, from its declaration."""
    yield of
    for key in of.keys:
        if key.of is not None:
            yield from tables(key.of)


ALL = [*dict.fromkeys(tables()), node_keys.FARGATE]


def mappings(value: Any, of: Keys, path: Path = ()) -> Iterator[tuple[Path, Keys]]:
    """The mappings in a document with the table that declares each."""
    if isinstance(value, list):
        for i, entry in enumerate(value):
            yield from mappings(entry, of, (*path, i))
    elif isinstance(value, dict):
        own = node_keys.FARGATE if value.get("provisioner") == "fargate" else of
        if own is keys.OPTIONS:  # {burst: {nodes: 1}}
            (name, value), *_ = value.items()
            path = (*path, name)
        yield path, own
        for name, inner in value.items():
            key = own.by_name.get(name)
            if key is not None and key.of is not None:
                yield from mappings(inner, key.of, (*path, name))


def load(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def parse(document: Any) -> Plan:
    return plan_of(yaml.safe_dump(document, sort_keys=False))


FOUND = [(text, path, of) for text in (FULL, FULL_CILIUM) for path, of in mappings(load(text), keys.PLAN)]


def test_the_full_plans_hold_every_declared_key() -> None:
    seen: dict[Keys, set[str]] = {}
    for text, path, of in FOUND:
        seen.setdefault(of, set()).update(at(load(text), path))
    not_in_it = {
        cni_keys.CNI: {"windows"},
        node_keys.NODE_GROUP: {"capacityType", "limits"},
        node_keys.LIMITS: {"cpu", "memory"},
        pod_keys.REQUESTS: {"gpu"},
        keys.TENANT: {"plan"},
        pod_keys.WEEKLY: set(pod_keys.WEEKLY.by_name) - {"sat", "sun"},
        pod_keys.YEARLY: set(pod_keys.YEARLY.by_name) - {"nov", "dec"},
    }
    for of in ALL:
        assert set(of.by_name) - seen.get(of, set()) == not_in_it.get(of, set()), of.place


@pytest.mark.parametrize(("text", "path", "of"), FOUND, ids=lambda part: str(part) if isinstance(part, tuple) else "")
def test_an_unknown_key_is_refused_with_the_nearest_name(text: str, path: Path, of: Keys) -> None:
    for name in at(load(text), path):
        if name not in of.by_name:
            continue
        document = load(text)
        within = at(document, path)
        wrong = f"{name}x"
        within[wrong] = within.pop(name)
        with pytest.raises(SpecError) as refused:
            parse(document)
        (line,) = (str(e) for e in refused.value.errors if wrong in str(e))
        assert re.search(rf"\b{re.escape(wrong)}: unknown key \(did you mean '{re.escape(name)}'\?\)", line), line


def test_a_key_is_declared_once_per_mapping_and_says_what_it_means() -> None:
    for of in ALL:
        assert len(of.by_name) == len(of.keys), of.place
        for key in of.keys:
            assert key.what or of in (pod_keys.WEEKLY, pod_keys.YEARLY, node_keys.FARGATE), (of.place, key.name)
            assert "\n" not in key.what
            assert key.example is not None or key.of is not None, (of.place, key.name)
            assert not (key.required and left_out(key)), (of.place, key.name)


# --- examples and bounds --------------------------------------------------------------------------

BEYOND: dict[str, Callable[[Key], list[object]]] = {  # values beyond each bound, by kind
    kinds.COUNT: lambda key: [key.low - 1, key.most + 1],
    kinds.PERCENT: lambda key: ["-1%", *([] if key.high is None else [f"{key.high + 1}%", f"{key.high}.01%"])],
    kinds.FACTOR: lambda key: ["-1", key.most + 1],
    kinds.TEXT: lambda key: ["x" * (key.most + 1), ""],
    kinds.NAME: lambda key: ["x" * (key.most + 1), ""],
    kinds.WORD: lambda key: [f"{key.words[0]}x"],
    kinds.FLAG: lambda _: ["yes"],
}
ALLOWED: dict[str, Callable[[Key], list[object]]] = {  # values at each bound
    kinds.COUNT: lambda key: [key.low, key.most],
    kinds.PERCENT: lambda key: [f"{key.low}.01%" if key.above else f"{key.low}%", f"{key.high or 1000}%"],
    kinds.FACTOR: lambda key: [0, key.most],
    kinds.TEXT: lambda key: ["x" * key.most],
    kinds.NAME: lambda key: ["x" * key.most],
    kinds.WORD: lambda key: list(key.words),
    kinds.FLAG: lambda _: ["true", "false"],
}
KEYS = [(of, key) for of in ALL for key in of.keys if key.kind in BEYOND]


def complaint(of: Keys, key: Key, value: object) -> str | None:
    """What the parser's reading of one key says of a value, by the table alone."""
    section = PlanSection()
    section[key.name] = str(value)
    values = read_keys(Field(section, "", None, None, "plan"), of)
    said = [str(e) for e in values.problems.errors if "is missing" not in str(e)]
    return said[0] if said else None


@pytest.mark.parametrize(("of", "key"), KEYS, ids=[f"{of.place}.{key.name}" for of, key in KEYS])
def test_bounds_are_held_on_both_sides(of: Keys, key: Key) -> None:
    assert complaint(of, key, key.example) is None
    for value in ALLOWED[key.kind](key):
        assert complaint(of, key, value) is None, value
    for value in BEYOND[key.kind](key):
        assert complaint(of, key, value), value
    if key.above:
        assert complaint(of, key, f"{key.low}%")


@pytest.mark.parametrize(
    "key", [node_keys.UPDATE["maxUnavailable"], pod_keys.ROLLING_UPDATE["maxSurge"]], ids=["node", "pod"]
)
def test_a_number_or_a_percentage_has_bounds_of_its_own(key: Key) -> None:
    of = node_keys.UPDATE if key.low else pod_keys.ROLLING_UPDATE
    for value in ("1", "100", "1%", "100%"):
        assert complaint(of, key, value) is None
    for value in ("0", "101", "0%", "101%"):
        assert bool(complaint(of, key, value)) == bool(key.low), value


# --- defaults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "model", "names"),
    [
        (keys.SUBNET, Subnet, {}),
        (node_keys.NODE_GROUP, NodeGroup, {}),
        (node_keys.UPDATE, NodeGroup, {"strategy": "update_strategy"}),
        (node_keys.NODES, NodeGroup, {"min": "min_nodes", "max": "max_nodes"}),
        (pod_keys.WORKLOAD, Workload, {}),
        (pod_keys.ROLLING_UPDATE, Workload, {}),
        (pod_keys.DAEMON_SET, DaemonSet, {}),
        (pod_keys.GROWTH, Growth, {}),
        (keys.OPTIONS, ScenarioSpec, {}),
        (keys.CHECKS, Checks, {}),
    ],
)
def test_the_declared_defaults_are_those_of_the_model(of: Keys, model: type, names: dict[str, str]) -> None:
    own = {f.name: f.default for f in fields(model)}
    compared = 0
    for key in of.keys:
        snake = re.sub(r"([A-Z])", lambda m: f"_{m[1].lower()}", key.name)
        default = own.get(names.get(key.name, snake))
        if key.default is not None and (default is None or isinstance(default, (int, str, Fraction))):
            assert key.default == default, key.name
            compared += 1
    assert compared


def test_ciliums_keys_and_defaults_are_those_of_its_settings() -> None:
    assert {*NUMBERS, *SWITCHES, CILIUM_PREFIXES} == set(cni_keys.CILIUM.by_name)
    for name, attribute in (NUMBERS | SWITCHES).items():
        declared = cni_keys.CILIUM[name].absent.partition(":")[0]
        assert declared == str(getattr(CiliumIpam(), attribute)).lower(), name


def test_every_scenario_says_its_options() -> None:
    assert tuple(keys.SCENARIO_OPTIONS) == SCENARIOS
    assert {o for options in keys.SCENARIO_OPTIONS.values() for o in options} == set(keys.OPTIONS.by_name)


def test_a_count_without_a_bound_has_the_common_one() -> None:
    assert pod_keys.REPLICAS["now"].most == MOST


# --- imports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "of", "draft"),
    [
        ("vpc.subnets", keys.SUBNET, SubnetDraft),
        ("nodeGroups", node_keys.NODE_GROUP, GroupDraft),
        ("workloads", pod_keys.WORKLOAD, WorkloadDraft),
        ("daemonSets", pod_keys.DAEMON_SET, DaemonSetDraft),
        ("tenants", keys.TENANT, TenantDraft),
    ],
)
def test_an_import_knows_declared_keys_only(section: str, of: Keys, draft: type) -> None:
    for attribute in (f.name for f in fields(draft)):
        if attribute in ("id", "zones", "prefix"):  # an annotation, and what chooses a group's subnets and a block
            continue
        at_of: Keys | None = of
        for name in key_of(section, attribute).split("."):
            assert at_of is not None
            assert name in at_of.by_name, attribute
            at_of = at_of[name].of


def test_entries_are_put_in_the_order_of_the_declaration() -> None:
    given = {"requests": 1, "name": 2, "nodeGroups": 3, "hostNetwork": 4}
    assert list(pod_keys.DAEMON_SET.ordered(given)) == ["name", "hostNetwork", "requests", "nodeGroups"]
    with pytest.raises(AssertionError, match="hostnetwork"):
        pod_keys.DAEMON_SET.ordered({"hostnetwork": True})
