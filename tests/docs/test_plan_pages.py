"""What the pages on the plan file say is what the parser and the examples say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capacity.cluster.check import check
from capacity.plan.constants import MONTHS, WEEKDAYS
from capacity.plan.parse import read_plan
from capacity.plan.tenants import tenant_kinds
from tests.docs.markdown import REPO, blocks
from tools import build_plan_reference
from tools.build_docs_index import INDEX, START, render

DOCS = REPO / "docs"
EXAMPLES = sorted((REPO / "examples").glob("*.yaml"))


def keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from keys(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from keys(inner)


def test_the_page_names_every_key_and_kind() -> None:
    page = (DOCS / "reference" / "plan-file.md").read_text(encoding="utf-8")
    schema = json.loads((DOCS / "reference" / "plan.schema.json").read_text(encoding="utf-8"))
    spans = {*WEEKDAYS, *MONTHS}  # "mon … sun", "jan … dec"
    words = set(re.findall(r"[\w-]+", page))
    named = {key for key in keys(schema) if f"`{key}" in page}  # tags are no words
    assert (set(keys(schema)) | set(tenant_kinds())) - spans - words - named == set()


def test_the_tables_of_keys_are_current() -> None:
    page = build_plan_reference.PAGE.read_text(encoding="utf-8")
    assert page == build_plan_reference.render(page), "run `make docs-reference`"


def test_the_page_has_each_kinds_number() -> None:
    page = (DOCS / "reference" / "plan-file.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w, ]+) \| (\d+|required) \| (\w+) \|$", page, re.M)
    said = {name: (number, holder) for names, number, holder in rows for name in names.split(", ")}
    assert said == {k.name: (str(k.addresses or "required"), k.holder) for k in tenant_kinds().values()}


def test_the_tutorials_plan_is_the_example() -> None:
    (shown,) = [b.text for b in blocks(DOCS / "tutorial" / "first-plan.md") if b.language == "yaml"]
    example = (REPO / "examples" / "first-plan.yaml").read_text(encoding="utf-8")
    assert shown == example.partition("\n")[2]  # the example's first line is a comment that leads here


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_a_plan_with_an_answer(path: Path) -> None:
    plan = read_plan(path)
    assert plan.name == path.stem
    assert plan.region is None or plan.region in plan.subnets[0].zone
    assert check(plan).verdict in ("ok", "tight", "exhausted")


def test_the_index_has_every_page() -> None:
    text = INDEX.read_text(encoding="utf-8")
    assert text == render(text), "run `make docs-reference`"
    assert "](tutorial/first-plan.md)" in text.partition(START)[2]
