"""Writes docs/reference/plan.schema.json and answers.schema.json from the tables that parser and ledger use.

    python tools/build_schemas.py

The plan's schema is for editors: it knows every key, kind and unit; what refers to what, and whether blocks
overlap, only `capacity check` can tell.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from capacity.cli.output import SCHEMA
from capacity.cost.result import ITEMS
from capacity.plan.cilium_settings import LAST_INDEX, MOST_NUMBER
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.constants import AMIS, API_VERSION, CAPACITY_TYPES, NODE_PROVISIONERS
from capacity.plan.discovery import ROLE_TAG
from capacity.plan.fields import MOST, MOST_PODS
from capacity.plan.growth import MONTHS, PERIODS, WEEKDAYS
from capacity.plan.model import SCENARIOS
from capacity.plan.overlay import CNIS
from capacity.plan.scenarios import _OPTIONS as OPTIONS
from capacity.plan.tenants import tenant_kinds
from capacity.plan.windows import KEYS as WINDOWS_KEYS
from capacity.vpc.ledger import HOLDERS, VERDICTS

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def text(what: str, pattern: str | None = None) -> Schema:
    return {"type": "string", "minLength": 1, "description": what} | ({"pattern": pattern} if pattern else {})


def written(what: str) -> Schema:
    """A scalar that is read as written: editors see a number or a word."""
    return {"type": ["string", "number"], "description": what}


def count(what: str, low: int = 0, high: int = MOST) -> Schema:
    sign = "-?" if low < 0 else ""
    kinds = [{"type": "integer", "minimum": low, "maximum": high}, {"type": "string", "pattern": f"^{sign}[0-9]+$"}]
    return {"anyOf": kinds, "description": what}


def share(what: str) -> Schema:
    return text(what, r"^[0-9]+(\.[0-9]+)? ?%$")


def count_or_share(what: str) -> Schema:
    return {"anyOf": [count(what), share(what)], "description": what}


def quantity(what: str) -> Schema:
    pattern = r"^\+?[0-9.]+([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$"
    return {"type": ["string", "number"], "description": what, "pattern": pattern}


def factor(what: str) -> Schema:
    return {"type": ["string", "number"], "description": what, "pattern": r"^[0-9]+(\.[0-9]+)?%?$"}


def flag(what: str) -> Schema:
    return {"enum": [True, False, "true", "false", "True", "False", "TRUE", "FALSE"], "description": what}


def one_of(names: tuple[str, ...], what: str) -> Schema:
    return {"enum": list(names), "description": what}


def mapping(what: str, required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    found: Schema = {"type": "object", "description": what, "additionalProperties": False, "properties": properties}
    return found | ({"required": list(required)} if required else {})


def items(what: str, item: Schema, least: int = 0) -> Schema:
    return {"type": "array", "description": what, "items": item} | ({"minItems": least} if least else {})


def names(what: str) -> Schema:
    return items(what, {"type": "string"}, 1)


def block(what: str) -> Schema:
    return text(what, r"^[0-9.]+/[0-9]{1,2}$")


NAME = text("name, unique among its kind")
TYPES = "a managed on-demand group tries them in order; elsewhere the cheapest is expected"
REQUESTS = mapping("what a pod requests", cpu=quantity("250m, 2"), memory=quantity("512Mi, 1Gi"))
NODE_GROUPS = names("node groups the pods may run on; left out: any")


def plan_schema() -> Schema:
    """The schema of a plan file."""
    top = mapping(
        "a cluster in its VPC",
        ("apiVersion", "vpc"),
        apiVersion={"const": API_VERSION},
        metadata=mapping("", ("name",), name=NAME, labels={"type": "object"}, annotations={"type": "object"}),
        region=text("AWS region, for prices"),
        kubernetes=mapping(
            "",
            version=written("1.34"),
            serviceCidr=block("block of Services, /24 to /12"),
            ipFamily=one_of(("ipv4", "ipv6"), "family of pods; ipv4"),
            services=count("Services of the cluster"),
        ),
        cni=mapping(
            "the CNI",
            name=one_of(CNIS, "vpc-cni"),
            version=written("1.23.1"),
            env={
                "type": "object",
                "description": "environment of the aws-node daemonset, as it stands in the cluster",
                "propertyNames": {"enum": sorted(CNI_VARIABLES)},
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            windows={
                "type": "object",
                "description": "data of ConfigMap kube-system/amazon-vpc-cni, which Windows nodes follow",
                "propertyNames": {"enum": sorted(WINDOWS_KEYS)},
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            cilium=mapping(
                "Cilium's ENI mode, with name cilium",
                preAllocate=count("addresses kept free on a node; 8", 0, MOST_NUMBER),
                minAllocate=count("addresses held at least; 0", 0, MOST_NUMBER),
                maxAllocate=count("addresses at which it stops asking; 0: what the ENIs hold", 0, MOST_NUMBER),
                maxAboveWatermark=count("addresses asked for on top; 0", 0, MOST_NUMBER),
                firstInterfaceIndex=count("first ENI that serves pods; 0", 0, LAST_INDEX),
                usePrimaryAddress=flag("false"),
                prefixDelegation=flag("false"),
                releaseExcessIps=flag("false"),
            ),
        ),
        vpc=mapping("", ("cidrs", "subnets"), cidrs=items("the VPC's blocks", block(""), 1), subnets=_subnets()),
        controlPlane=mapping("", ("subnets",), subnets=names("subnets of the control plane's interfaces")),
        nodeGroups=items("", {"anyOf": [_group(), _fargate()]}),
        workloads=items("", _workload()),
        daemonSets=items(
            "one pod on every node",
            mapping("", ("name",), name=NAME, requests=REQUESTS, hostNetwork=flag("false"), nodeGroups=NODE_GROUPS),
        ),
        tenants=items("what else takes addresses", {"anyOf": [_tenant(), _other_cluster()]}),
        checks=mapping(
            "", minFree=share("share of each subnet that must stay free; 20%"), scenarios=items("", _scenario())
        ),
    )
    return {"$schema": DIALECT, "title": "capacity plan", **top}


def _subnets() -> Schema:
    reservation = mapping("", ("cidr", "type"), cidr=block(""), type=one_of(("prefix", "explicit"), ""))
    subnet = mapping(
        "",
        ("name", "zone", "cidr"),
        name=NAME,
        zone=text("availability zone"),
        cidr=block("/16 to /28"),
        used=count("addresses taken by what the plan does not model; 0", 0, 65531),
        reservations=items("subnet CIDR reservations", reservation),
        tags=_tags(),
    )
    return items("", subnet, 1)


def _tags() -> Schema:
    role = one_of(("1", "0"), "1: ENIs of every node of the zone may be here; 0: no pods, not even of nodes here")
    others: Schema = {"type": ["string", "number", "boolean", "null"]}
    return {
        "type": "object",
        "description": "tags of the subnet as AWS shows them; read by subnet discovery, others are ignored",
        "properties": {ROLE_TAG: role},
        "additionalProperties": others,
    }


def _group() -> Schema:
    nodes = mapping("", min=count("0"), desired=count("the fewest that hold the pods"), max=count("no limit"))
    update = mapping(
        "managed rolling update",
        maxUnavailable=count_or_share("1"),
        maxUnavailablePercentage=count("", 1, 100),
        strategy=one_of(("default", "minimal"), "default"),
    )
    weights = {"type": "object", "minProperties": 1, "additionalProperties": factor("weight of a zone")}
    others = NODE_PROVISIONERS
    return mapping(
        "nodes of one kind",
        ("name", "instanceTypes", "subnets"),
        name=NAME,
        instanceTypes=items(
            "a managed on-demand group tries them in order; elsewhere the cheapest is expected", {"type": "string"}, 1
        ),
        ami=one_of(AMIS, "al2023"),
        provisioner=one_of(others, "managed"),
        nodes={"anyOf": [count("all three at once"), nodes]},
        subnets=names("subnets of the nodes"),
        podSubnets=names("subnets of their pods, under custom networking"),
        update=update,
        maxPods=count("set by hand", 1, MOST_PODS),
        maxPodsExpression=text("nodeadm's CEL expression"),
        spread={"anyOf": [one_of(("even", "worst"), "even"), weights]},
        capacityType=one_of(CAPACITY_TYPES, "on-demand"),
        limits=mapping(
            "of a Karpenter or Auto Mode NodePool, instead of nodes.max",
            cpu=quantity("400, 400000m"),
            memory=quantity("1600Gi"),
        ),
        reservedEnis=count("Karpenter's RESERVED_ENIS; 0"),
        unmanagedEnis=count("ENIs on each node that the CNI leaves alone; 0", 0, 100),
    )


def _fargate() -> Schema:
    return mapping(
        "a Fargate profile",
        ("name", "provisioner", "subnets"),
        name=NAME,
        provisioner={"const": "fargate"},
        subnets=names("subnets of its pods"),
    )


def _workload() -> Schema:
    both = mapping("", ("now",), now=count(""), max=count("as now"))
    update = mapping("", maxSurge=count_or_share("25%"), maxUnavailable=count_or_share("25%"))
    return mapping(
        "pods of one shape",
        ("name", "replicas"),
        name=NAME,
        replicas={"anyOf": [count("now and at most"), both]},
        requests=REQUESTS,
        rollingUpdate=update,
        hostNetwork=flag("false"),
        securityGroups=flag("a branch ENI per pod; false"),
        nodeGroups=NODE_GROUPS,
        volumes=count("EBS volumes that each pod attaches; 0", 0, 1000),
        growth=_growth(),
    )


def _growth() -> Schema:
    day = {"type": "string", "format": "date"}
    step = mapping(
        "one of replicas, add and factor",
        ("date",),
        date=day,
        replicas=count(""),
        add=count("", -MOST),
        factor=factor(""),
    )
    season = mapping(
        "",
        weekly=mapping("", (), **{d: factor("") for d in WEEKDAYS}),
        yearly=mapping("", (), **{m: factor("") for m in MONTHS}),
    )
    return mapping(
        "for forecasts",
        (),
        rate=text("4%/month", rf"^[+-]?[0-9]+(\.[0-9]+)? ?% ?/ ?({'|'.join(PERIODS)})$"),
        stddev=share("of the growth of one period"),
        uncertainty=share("of the rate itself"),
        **{"from": day},
        steps=items("", step),
        season=season,
    )


def _tenant() -> Schema:
    return mapping(
        "",
        ("kind", "subnets"),
        kind=one_of(tuple(tenant_kinds()), ""),
        name=text("the kind's name"),
        subnets=names(""),
        addresses=count("per subnet; left out: the kind's own number", 0, 65536),
    )


def _other_cluster() -> Schema:
    return mapping(
        "a cluster in the same subnets, with a plan of its own",
        ("kind", "plan"),
        kind=one_of(("cluster",), ""),
        name=text("the other plan's name"),
        plan=text("file of the other cluster's plan, relative to this file"),
    )


def _scenario() -> Schema:
    """A name, names joined by ``+``, or one key with options."""
    word = "|".join(SCENARIOS)
    values: dict[str, Schema] = {
        "mode": one_of(("all", "one"), "all"),
        "workload": text("the one that rolls out"),
        "group": text("the one node group"),
        "zone": text("the one zone"),
        "strategy": one_of(("default", "minimal"), "each group's own"),
        "nodes": count("10", 1, 100_000),
        "spread": one_of(("even", "worst", "one"), "even"),
        "share": share("30%"),
    }
    known = {option: values[option] for options in OPTIONS.values() for option in options}
    options = {"anyOf": [{"type": "null"}, mapping("", (), **known)]}
    pattern = rf"^({word})(\+({word}))*$"
    one_key = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "patternProperties": {pattern: options},
    }
    return {"anyOf": [text("", pattern), one_key]}


# --- answers --------------------------------------------------------------------------------


def open_object(**properties: Schema) -> Schema:
    """Keys that are always there; later versions may add more."""
    return {"type": "object", "required": list(properties), "properties": properties}


INT: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
VERDICT: Schema = {"enum": list(VERDICTS)}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


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
        warnings={"type": "array", "items": TEXT},
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
            _for("maxpods", {"type": "array", "items": maxpods}),
            _for("node", {"type": "array", "items": node}),
            _for("check", _check()),
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
        subnets={"type": "array", "items": subnet},
        node_groups={"type": "array", "items": group},
        unplaced_pods=COUNT,
        usd_per_month=or_null(NUMBER),
        usd_per_month_at_least=NUMBER,
    )
    runway = open_object(
        name=TEXT,
        more_nodes=or_null(COUNT),
        more_pods=or_null(COUNT),
        scenario={"const": "steady"},
        pool={"type": "array", "items": TEXT},
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
        scenarios={"type": "array", "items": scenario},
        runway={"type": "array", "items": runway},
        findings={"type": "array", "items": finding},
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
        lines={"type": "array", "items": line},
    )
    return open_object(
        region=or_null(TEXT),
        hours_per_month=COUNT,
        inputs={"type": "object"},
        scenarios={"type": "array", "items": billed},
        notes={"type": "array", "items": TEXT},
    )


def render(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


SCHEMAS = {"plan.schema.json": plan_schema, "answers.schema.json": answers_schema}

if __name__ == "__main__":
    for file, build in SCHEMAS.items():
        (FOLDER / file).write_text(render(build()), encoding="utf-8")
