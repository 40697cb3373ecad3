"""The JSON Schemas: current, of every key the parser knows, and true of plans and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from capacity.plan.fields import Field
from capacity.plan.sections import PlanSection
from tests.cli.entry import capacity
from tests.docs.markdown import REPO
from tests.fixtures.plans import FULL, FULL_CILIUM, SMALL, plan_of
from tools.build_schemas import FOLDER, SCHEMAS, render

PLANS = sorted((REPO / "examples").glob("*.yaml"))


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == render(SCHEMAS[name]()), "run `make docs-reference`"


def complaints(text: str) -> list[str]:
    found = []
    for loader in (yaml.BaseLoader, yaml.SafeLoader):  # as the parser reads scalars, and as editors do
        document = json.loads(json.dumps(yaml.load(text, Loader=loader), default=str))
        errors = validator("plan.schema.json").iter_errors(document)
        found += [f"{loader.__name__} {e.json_path}: {e.message}" for e in errors]
    return found


@pytest.mark.parametrize("path", PLANS, ids=lambda p: p.stem)
def test_the_examples_follow_the_schema(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", [FULL, FULL_CILIUM, SMALL], ids=["full", "cilium", "small"])
def test_the_plans_of_the_tests_follow_it(text: str) -> None:
    assert complaints(text) == []


def test_every_key_that_the_parser_knows_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, set[str]] = {}
    section = Field.section

    def recorded(self: Field, allowed: Iterable[str]) -> PlanSection:
        allowed = set(allowed)
        known.setdefault(re.sub(r"\[[0-9]+\]", "[]", self.path), set()).update(allowed)
        return section(self, allowed)

    monkeypatch.setattr(Field, "section", recorded)
    plan_of(FULL)
    plan_of(FULL_CILIUM)
    assert len(known) > 20
    schema = json.loads((FOLDER / "plan.schema.json").read_text(encoding="utf-8"))
    for path, keys in known.items():
        if not path.startswith("checks.scenarios"):  # patterns, tried by FULL itself
            assert keys == properties(schema, path), path


def properties(schema: dict[str, Any], path: str) -> set[str]:
    """Keys that a path of the schema allows, over all its alternatives."""
    at = [schema]
    for step in filter(None, path.replace("[]", ".[]").split(".")):
        at = [
            inner
            for one in at
            for kind in one.get("anyOf", [one])
            if (inner := kind.get("items") if step == "[]" else kind.get("properties", {}).get(step))
        ]
    return {key for one in at for kind in one.get("anyOf", [one]) for key in kind.get("properties", {})}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 10", "replica: 10"),
        ("replicas: 10", "replicas: -1"),
        ("replicas: 10", "replicas: {max: 3}"),
        ("cpu: 250m", "cpu: 250mm"),
        ("minFree: 20%", "minFree: 20"),
        ("WARM_ENI_TARGET", "WARM_ENI_TRAGET"),
        ("version: 1.23.1", "name: calico"),
        ("version: 1.23.1", "cilium: {preAlocate: 8}"),
        ("version: 1.23.1", "cilium: {firstInterfaceIndex: 99}"),
        ("kind: alb", "kind: abl"),
        ("ami: al2023", "ami: al2022"),
        ("10.0.0.0/24", "10.0.0.0"),
        ("minFree: 20%", "scenarios: [steddy]"),
        ("minFree: 20%", "scenarios: [{burst: {node: 1}}]"),
        ("capacity/v1", "capacity/v2"),
    ],
)
def test_it_refuses_what_the_parser_refuses(old: str, new: str) -> None:
    assert old in SMALL
    assert complaints(SMALL.replace(old, new, 1))


@pytest.mark.parametrize(
    "command",
    [
        "maxpods m5.large t2.micro",
        "maxpods --all",
        "node m5.large",
        "node m6i.xlarge --pod-cpu 250m --pod-memory 512Mi",
        "node m5.large --pods 12 --env WARM_IP_TARGET=2",
        *(f"check examples/{path.name}" for path in PLANS),
        "optimize --pod web=250m,512Mi,60 --pod api=1,4Gi,9 --types c6i.large,m6i.*,d3.4xlarge --arch x86_64 --nodes",
        "optimize --pod web=250m,512Mi,60 --types m6i.large --arch x86_64 --as eksctl --no-alternatives",
        "optimize --pod web=250m,512Mi,0",
        "optimize --pod web=99,512Mi,1 --types m6i.*",
        "optimize examples/first-plan.yaml --types m6i.*,c6i.*",
        "optimize examples/scenarios.yaml --types m6i.*,c6i.* --nodes",
        "simulate examples/first-plan.yaml --scenario rollout --for 5m",
        "simulate --type m5.large --pods 9 --churn 2/min --for 5m --seeds 2 --jobs 1 --explain",
        "services --services 5000 --endpoints 2",
        "services --services 3 --type LoadBalancer --lb-ips 1 --source-ranges 2 --ip-family dual --vcpus 8",
        "services examples/services.yaml --peak --mode ipvs",
        "explain IP001",
        "data status",
        "fleet check examples/shared-subnets examples/levers --keep-going",
        "fleet forecast examples/shared-subnets examples/levers examples/first-plan.yaml --paths 50 --keep-going",
        "fleet simulate examples/shared-subnets examples/levers --for 5m --keep-going",
        "fleet optimize examples/shared-subnets examples/levers --types m6i.large,m6i.xlarge --keep-going",
    ],
)
def test_answers_follow_their_schema(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    found = json.loads(capacity(*command.split(), "-o", "json").stdout)
    assert [f"{e.json_path}: {e.message}" for e in validator("answers.schema.json").iter_errors(found)] == []


def test_the_schema_of_answers_sees_a_missing_key() -> None:
    found = json.loads(capacity("check", str(PLANS[0]), "-o", "json").stdout)
    del found["results"]["scenarios"][0]["subnets"][0]["used"]["warm"]
    assert list(validator("answers.schema.json").iter_errors(found))


@pytest.mark.parametrize(
    ("command", "key", "value"),
    [
        ("forecast --paths 50", "subnets", None),
        ("forecast --paths 50", "first", {"subnet": "a"}),
        ("simulate --for 1m", "pods_waited", "3"),
        ("simulate --for 1m", "error", "no answer"),
        ("optimize --types m6i.large", "status", "best"),
    ],
)
def test_the_schema_of_a_fleet_refuses_what_is_not_an_answer(command: str, key: str, value: Any) -> None:
    question, *options = command.split()
    found = json.loads(
        capacity("fleet", question, str(REPO / "examples" / "shared-subnets"), *options, "-o", "json").stdout
    )
    assert list(validator("answers.schema.json").iter_errors(found)) == []
    found["results"]["clusters"][0][key] = value
    assert list(validator("answers.schema.json").iter_errors(found))


@pytest.mark.parametrize(
    ("key", "value"),
    [("status", "best"), ("usd_per_hour", "1.2"), ("node_groups", None), ("frontier", [{}]), ("packing", {})],
)
def test_the_schema_of_optimize_refuses_what_is_not_an_answer(key: str, value: Any) -> None:
    pods = ("--pod", "web=250m,512Mi,9", "--types", "m6i.large", "--arch", "x86_64", "--no-alternatives")
    found = json.loads(capacity("optimize", *pods, "-o", "json").stdout)
    assert list(validator("answers.schema.json").iter_errors(found)) == []
    found["results"][key] = value
    assert list(validator("answers.schema.json").iter_errors(found))
    del found["results"][key]
    assert list(validator("answers.schema.json").iter_errors(found))
