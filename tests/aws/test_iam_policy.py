"""The documented policy is exact: no call outside it, and nothing in it that no call needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from capacity.cli.main import app
from capacity.readers.aws import client as aws_client
from tests.aws.server import Aws
from tests.aws.test_data_refresh import NO_TYPES

DOCS = Path(__file__).parents[2] / "docs" / "reference"
POLICY = json.loads((DOCS / "iam-policy.json").read_text())
ACTIONS = {s["Sid"]: set(s["Action"]) for s in POLICY["Statement"]}


@pytest.fixture
def called() -> Iterator[set[str]]:
    """IAM actions of every call that leaves the client, whatever makes it."""
    found: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        found.add(f"{model.service_model.signing_name}:{model.name}")

    session = aws_client.open_session()
    session.events.register("before-call", note)
    yield found
    session.events.unregister("before-call", note)


def run(*arguments: str) -> None:
    CliRunner().invoke(app, list(arguments))


def test_import_makes_the_calls_of_its_statement(called: set[str]) -> None:
    run("import", "aws", "--cluster", "shop")
    run("import", "aws", "--cluster", "shopp")  # asks for the names there are
    run("import", "aws")
    assert called == ACTIONS["CapacityImport"]


def test_the_doctor_makes_those_of_its_own_too(called: set[str]) -> None:
    run("doctor", "--cluster", "shop")
    assert called == (ACTIONS["CapacityImport"] - {"eks:ListClusters"}) | ACTIONS["CapacityDoctor"]


def test_data_refresh(aws: Aws, called: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    aws.door.pages["DescribeInstanceTypes"] = [NO_TYPES]
    run("data", "refresh")
    assert called == ACTIONS["CapacityDataRefresh"]


def test_every_action_only_reads() -> None:
    for actions in ACTIONS.values():
        assert all(re.fullmatch(r"[a-z0-9]+:(Describe|Get|List)[A-Za-z]+", a) for a in actions)
        assert sorted(actions) == list(dict.fromkeys(sorted(actions)))


def test_the_page_names_every_action() -> None:
    page = (DOCS / "iam-policy.md").read_text()
    for actions in ACTIONS.values():
        assert {a for a in actions if f"`{a}`" not in page} == set()
    named = set(re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z]+)`", page))
    assert named == set().union(*ACTIONS.values())
