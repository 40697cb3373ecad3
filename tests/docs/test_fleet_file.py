"""The page of the fleet file has every key that the parser knows, and its example is a fleet file."""

from __future__ import annotations

import re

import pytest

from capacity.fleet import fleet_file
from capacity.fleet.fleet_file import parse_fleet_file
from capacity.plan.declaration import Keys
from capacity.plan.document import parse_yaml
from tests.docs.markdown import REPO

PAGE = (REPO / "docs" / "reference" / "fleet-file.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("keys", [fleet_file.FLEET, fleet_file.ENTRY, fleet_file.ACCOUNT, fleet_file.QUOTA])
def test_every_key_is_on_the_page(keys: Keys) -> None:
    assert [name for name in keys.by_name if f"`{name}`" not in PAGE] == []


def test_the_example_is_a_fleet_file() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    fleet = parse_fleet_file(parse_yaml(found[1], "fleet.yaml"), "fleet.yaml")
    assert fleet.limit("111122223333", "us-east-1", "region_enis") == 10_000
