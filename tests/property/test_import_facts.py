"""A fact of an imported file that is deleted or changed shows (all of them: python -m benchmarks.fuzz_import 0)."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.facts_without_effect import REASONS
from benchmarks.import_doors import doors
from benchmarks.import_facts import SOURCES, changed, facts, label, tally, unused

DOORS = {door.name: door for door in doors() if door.name in SOURCES}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_every_silent_fact_has_a_reason(name: str, tmp_path: Path) -> None:
    found = tally(DOORS[name], tmp_path, REASONS[name], every=11)
    assert found.facts > 4
    assert found.unexplained == []


def test_a_fact_that_is_not_read_is_found(tmp_path: Path) -> None:
    """Without the reasons, the facts that do not bear on a plan are what is left."""
    left = tally(DOORS["helm"], tmp_path, {}).unexplained
    assert "changed helm.yaml [0].init.image.tag" in left
    assert not any("WARM_ENI_TARGET" in fact for fact in left)


def test_a_reason_without_a_silent_fact_is_found() -> None:
    assert unused({"arn$": "", "gone": ""}, ["deleted a.json [0].arn"]) == ["gone"]


def test_facts_are_the_simple_values_by_path() -> None:
    document = {"groups": [{"name": "web", "sizes": {"min": 1}, "labels": {}}]}
    paths = list(facts(document))
    assert [label(document, p) for p in paths] == ["groups[web].name", "groups[web].sizes.min", "groups[web].labels"]
    assert changed(document, paths[1], delete=False) == {"groups": [{"name": "web", "sizes": {"min": 2}, "labels": {}}]}
    assert changed(document, paths[1], delete=True) == {"groups": [{"name": "web", "sizes": {}, "labels": {}}]}
