"""Writes docs/reference/plan.schema.json and answers.schema.json from the tables that parser and ledger use.

    python tools/build_schemas.py

The plan's schema is for editors: it knows every key, kind and unit; what refers to what, and whether blocks
overlap, only `capacity check` can tell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from capacity.cost.plan_cost import ITEMS
from capacity.pages.answer import SCHEMA
from capacity.plan import declaration as kinds
from capacity.plan import keys, node_keys
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.constants import MOST, NODE_PROVISIONERS, PERIODS, SCENARIOS
from capacity.plan.declaration import Key, Keys
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.plan.tenants import tenant_kinds
from capacity.plan.windows import KEYS as WINDOWS_KEYS
from capacity.vpc.ledger import HOLDERS
from tools.fleet_schema import (
    fleet_forecast_results,
    fleet_optimize_results,
    fleet_results,
    fleet_simulate_results,
)
from tools.optimize_schema import optimize_results
from tools.plan_words import described, plain
from tools.podips_schema import podips_results
from tools.schema_parts import COUNT, INT, NUMBER, TEXT, VERDICT, Schema, list_of, open_object, or_null
from tools.services_schema import services_results
from tools.simulate_schema import simulate_results

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BLOCK = r"^[0-9.]+/[0-9]{1,2}$"


def text(what: str, pattern: str | None = None) -> Schema:
    return {"type": "string", "minLength": 1, "description": what} | ({"pattern": pattern} if pattern else {})


def count(what: str, low: int = 0, high: int = MOST) -> Schema:
    sign = "-?" if low < 0 else ""
    kinds = [{"type": "integer", "minimum": low, "maximum": high}, {"type": "string", "pattern": f"^{sign}[0-9]+$"}]
    return {"anyOf": kinds, "description": what}


def share(what: str) -> Schema:
    return text(what, r"^[0-9]+(\.[0-9]+)? ?%$")


def quantity(what: str) -> Schema:
    pattern = r"^\+?[0-9.]+([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$"
    return {"type": ["string", "number"], "description": what, "pattern": pattern}


def factor(what: str) -> Schema:
    return {"type": ["string", "number"], "description": what, "pattern": r"^[0-9]+(\.[0-9]+)?%?$"}


def one_of(names: Iterable[str], what: str) -> Schema:
    return {"enum": list(names), "description": what}


def items(what: str, item: Schema, least: int = 0) -> Schema:
    return {"type": "array", "description": what, "items": item} | ({"minItems": least} if least else {})


def words(what: str, **names: Any) -> Schema:
    """A mapping to plain values; ``names`` says which keys it may have."""
    plain = {"type": ["string", "number", "boolean", "null"]}
    return {"type": "object", "description": what, **names, "additionalProperties": plain}


# --- a plan -------------------------------------------------------------------------------------


def plan_schema() -> Schema:
    """The schema of a plan file."""
    return {"$schema": DIALECT, "title": "capacity plan", **mapping(keys.PLAN)}


def mapping(of: Keys, **instead: Schema) -> Schema:
    """The schema of a mapping; ``instead`` has those of single keys."""
    properties = {key.name: instead.get(key.name) or value(key) for key in of.keys}
    found: Schema = {
        "type": "object",
        "description": plain(of.what),
        "additionalProperties": False,
        "properties": properties,
    }
    return found | ({"required": list(of.required)} if of.required else {})


def value(key: Key) -> Schema:
    """The schema of a key's value."""
    return _VALUES[key.kind](key, described(key))


def nested(key: Key) -> Schema:
    """The schema of the mapping that a key holds."""
    assert key.of is not None, key.name
    return mapping(key.of)


def _count(key: Key, what: str) -> Schema:
    return count(what, key.low, key.most)


def _entries(key: Key, what: str) -> Schema:
    kinds = {node_keys.NODE_GROUP: _groups, keys.TENANT: _tenants}
    assert key.of is not None, key.name
    return items(what, kinds[key.of]() if key.of in kinds else mapping(key.of), int(key.required))


def _groups() -> Schema:
    group = mapping(
        node_keys.NODE_GROUP, provisioner=one_of(NODE_PROVISIONERS, described(node_keys.NODE_GROUP["provisioner"]))
    )
    return {"anyOf": [group, mapping(node_keys.FARGATE)]}


def _tenants() -> Schema:
    """A tenant with addresses, or another cluster with a plan."""
    found = mapping(keys.TENANT)
    its = found["properties"]
    own = {k: its[k] for k in ("kind", "name", "subnets", "addresses", *keys.BALANCER_KEYS)}
    other = {"kind": one_of(("cluster",), its["kind"]["description"])} | {k: its[k] for k in ("name", "plan")}
    cluster = "a cluster in the same subnets, with a plan of its own"
    return {
        "anyOf": [
            found | {"properties": own, "required": ["kind", "subnets"]},
            found | {"description": cluster, "properties": other, "required": ["kind", "plan"]},
        ]
    }


def _scenarios(key: Key, what: str) -> Schema:
    """Names, names joined by ``+``, or one key with options."""
    word = "|".join(SCENARIOS)
    pattern = rf"^({word})(\+({word}))*$"
    one_key = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "patternProperties": {pattern: {"anyOf": [{"type": "null"}, nested(key)]}},
    }
    return items(what, {"anyOf": [text("", pattern), one_key]})


def _tags(what: str) -> Schema:
    role = one_of(("1", "0"), "1: ENIs of every node of the zone may be here; 0: no pods, not even of nodes here")
    return words(what, properties={ROLE_TAG: role})


def _weights(key: Key, what: str) -> Schema:
    weights = {"type": "object", "minProperties": 1, "additionalProperties": factor("weight of a zone")}
    return {"anyOf": [one_of(key.words, what), weights]}


_RATE = rf"^[+-]?[0-9]+(\.[0-9]+)? ?% ?/ ?({'|'.join(PERIODS)})$"
_FLAGS = (True, False, "true", "false", "True", "False", "TRUE", "FALSE")
_VALUES: Mapping[str, Callable[[Key, str], Schema]] = {
    kinds.TEXT: lambda _, what: text(what),
    kinds.NAME: lambda _, what: text(what),
    kinds.VERSION: lambda _, what: {"type": ["string", "number"], "description": what},  # as written
    kinds.WORD: lambda key, what: one_of(key.words, what),
    kinds.CONSTANT: lambda key, _: {"const": key.words[0]},
    kinds.COUNT: _count,
    kinds.FLAG: lambda _, what: {"enum": list(_FLAGS), "description": what},
    kinds.CPU: lambda _, what: quantity(what),
    kinds.MEMORY: lambda _, what: quantity(what),
    kinds.PERCENT: lambda _, what: share(what),
    kinds.COUNT_OR_PERCENT: lambda key, what: {"anyOf": [_count(key, what), share(what)], "description": what},
    kinds.BLOCK: lambda _, what: text(what, BLOCK),
    kinds.BLOCKS: lambda _, what: items(what, text("", BLOCK), 1),
    kinds.DATE: lambda _, what: {"type": "string", "format": "date", "description": what},
    kinds.FACTOR: lambda _, what: factor(what),
    kinds.RATE: lambda _, what: text(what, _RATE),
    kinds.LABELS: lambda _, what: {"type": "object", "description": what},
    kinds.TENANT_KIND: lambda _, __: one_of(tenant_kinds(), "kind of tenant"),
    kinds.MAPPING: lambda key, _: nested(key),
    kinds.COUNT_OR_MAPPING: lambda key, what: {"anyOf": [_count(key, what), nested(key)]},
    kinds.WORD_OR_WEIGHTS: _weights,
    kinds.ENTRIES: _entries,
    kinds.NAMES: lambda _, what: items(what, {"type": "string"}, 1),
    kinds.SCENARIO_LIST: _scenarios,
    kinds.VARIABLES: lambda _, what: words(what, propertyNames={"enum": sorted(CNI_VARIABLES)}),
    kinds.CONFIG_MAP_DATA: lambda _, what: words(what, propertyNames={"enum": sorted(WINDOWS_KEYS)}),
    kinds.TAGS: lambda _, what: _tags(what),
}


# --- answers --------------------------------------------------------------------------------


def answers_schema() -> Schema:
    """The schema of what commands print with ``-o json``."""
    number = {"type": "number"}
    envelope = open_object(
        schema={"const": SCHEMA},
        command=TEXT,
        version=TEXT,
        data=open_object(date=TEXT, types=COUNT),
        inputs={"type": "object"},
        results={},
        warnings=list_of(TEXT),
    )
    maxpods = open_object(
        instance_type=TEXT,
        mode={"enum": ["secondary", "prefix", "ipv6"]},
        custom_networking={"type": "boolean"},
        max_enis=or_null(COUNT),
        usable_enis=or_null(COUNT),
        ipv4_per_eni=or_null(COUNT),
        ip_capacity=or_null(COUNT),
        max_pods_formula=or_null(COUNT),
        max_pods_recommended=or_null(COUNT),
        max_pods=or_null(COUNT),
        branch_enis=or_null(COUNT),
        limited_by=or_null(TEXT),
    )
    node = open_object(
        instance_type=TEXT,
        ami=TEXT,
        max_pods=or_null(COUNT),
        allocatable_cpu_millicores=or_null(INT),
        allocatable_memory_mib=or_null(INT),
        fits={"type": "object", "required": ["cpu", "memory", "ips", "max_pods"]},
        pods=or_null(COUNT),
        binding=or_null(TEXT),
        stranded_cpu_pct=or_null(number),
        stranded_memory_pct=or_null(number),
        usd_per_hour=or_null(number),
        usd_per_pod_month=or_null(number),
    )
    return {
        "$schema": DIALECT,
        "title": "answers of capacity",
        **envelope,
        "allOf": [
            _for("maxpods", list_of(maxpods)),
            _for("node", list_of(node)),
            _for("check", _check()),
            _for("optimize", optimize_results()),
            _for("simulate", simulate_results()),
            _for("services", services_results()),
            _for("fleet check", fleet_results()),
            _for("fleet forecast", fleet_forecast_results()),
            _for("fleet optimize", fleet_optimize_results()),
            _for("fleet simulate", fleet_simulate_results()),
            _for("podips", podips_results()),
        ],
    }


def _for(command: str, results: Schema) -> Schema:
    return {
        "if": {"properties": {"command": {"const": command}}},
        "then": {"properties": {"results": results}},
    }


def _check() -> Schema:
    used = {
        "type": "object",
        "required": list(HOLDERS),
        "additionalProperties": False,
        "properties": dict.fromkeys(HOLDERS, COUNT),
    }
    subnet = open_object(
        name=TEXT,
        zone=TEXT,
        cidr=TEXT,
        total=COUNT,
        usable=COUNT,
        used=used,
        free=INT,
        free_pct={"type": "number"},
        free_reserved=COUNT,
        free_prefixes=or_null(COUNT),
        used_lowest=COUNT,
        used_highest=COUNT,
        verdict=VERDICT,
    )
    group = open_object(
        name=TEXT,
        instance_type=TEXT,
        nodes=COUNT,
        nodes_by_zone={"type": "object", "additionalProperties": COUNT},
        pods_per_node=COUNT,
        max_pods=COUNT,
        binding=or_null(TEXT),
    )
    scenario = open_object(
        name=TEXT,
        verdict=VERDICT,
        subnets=list_of(subnet),
        node_groups=list_of(group),
        unplaced_pods=COUNT,
        usd_per_month=or_null(NUMBER),
        usd_per_month_at_least=NUMBER,
    )
    runway = open_object(
        name=TEXT,
        more_nodes=or_null(COUNT),
        more_pods=or_null(COUNT),
        scenario={"const": "steady"},
        pool=list_of(TEXT),
    )
    finding = open_object(
        code={"type": "string", "pattern": "^[A-Z]{2}[0-9]{3}$"},
        severity={"enum": ["error", "warning", "info"]},
        where=TEXT,
        message=TEXT,
        fix=open_object(summary=TEXT),
    )
    return open_object(
        verdict=VERDICT,
        scenarios=list_of(scenario),
        runway=list_of(runway),
        findings=list_of(finding),
        cost=_cost(),
    )


def _cost() -> Schema:
    """Dollars a month with their terms; null where something has no known price."""
    dollars = or_null(NUMBER)
    line = open_object(
        item={"enum": list(ITEMS)},
        node_group=or_null(TEXT),
        what=TEXT,
        count=NUMBER,
        unit=TEXT,
        usd_per_hour=dollars,
        usd_per_month=dollars,
        terms=TEXT,
        how=TEXT,
        source=TEXT,
        date=TEXT,
    )
    billed = open_object(
        name=TEXT,
        variant=TEXT,
        usd_per_month=dollars,
        usd_per_month_at_least=NUMBER,
        lines=list_of(line),
    )
    return open_object(
        region=or_null(TEXT),
        hours_per_month=COUNT,
        inputs={"type": "object"},
        scenarios=list_of(billed),
        notes=list_of(TEXT),
    )


def render(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


SCHEMAS = {"plan.schema.json": plan_schema, "answers.schema.json": answers_schema}

if __name__ == "__main__":
    for file, build in SCHEMAS.items():
        (FOLDER / file).write_text(render(build()), encoding="utf-8")
