"""A fleet's answer equals that of plans which name each other; workers and batches change nothing."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.judge import check_with_findings
from capacity.fleet.across import across
from capacity.fleet.plan_files import find_sources
from capacity.fleet.run import FleetRun, run_fleet
from capacity.fleet.workforce import Serial, Workforce
from capacity.pages.check_page import results_json
from capacity.plan.parse import read_plan
from tests.fixtures.fleets import SUBNETS, Cluster, write_fleet

# A cluster needs two zones for its scenarios to differ.
PLACES = (("a", "b"), ("c", "d"), ("a", "d"), ("a", "b", "c", "d"), ("b", "c"))


@st.composite
def fleets(draw: st.DrawFn) -> list[Cluster]:
    """Two to four clusters in the same VPC."""
    found = []
    for i in range(draw(st.integers(2, 4))):
        nodes, replicas = draw(st.integers(1, 5)), draw(st.integers(1, 40))
        found.append(
            Cluster(
                f"c{i}",
                draw(st.sampled_from(PLACES)),
                nodes,
                nodes + draw(st.integers(0, 4)),
                replicas,
                replicas + draw(st.integers(0, 40)),
                used={name: draw(st.integers(0, 30)) for name in SUBNETS},
            )
        )
    return found


def run(paths: list[str], **options: object) -> FleetRun:
    return run_fleet(find_sources(paths), "check", options, Workforce(Serial()))


@settings(max_examples=25)
@given(fleets())
def test_the_answer_is_that_of_plans_with_the_others_as_tenants(clusters: list[Cluster]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = run(write_fleet(Path(folder) / "fleet", clusters), full=True)
        together = [replace(c, beside=_beside(c, clusters)) for c in clusters]
        alone = write_fleet(Path(folder) / "alone", together)
        for path, row in zip(alone, found.rows, strict=True):
            result, findings = check_with_findings(read_plan(path))
            assert row["error"] is None
            assert row["check"] == json.loads(json.dumps(results_json(result, findings)))
            assert row["verdict"] == result.verdict


def _beside(one: Cluster, clusters: list[Cluster]) -> list[str]:
    return [f"{c.name}.yaml" for c in clusters if c is not one and set(c.subnets) & set(one.subnets)]


@settings(max_examples=15)
@given(fleets())
def test_the_addresses_of_a_shared_subnet_add_up(clusters: list[Cluster]) -> None:
    alike = [replace(c, used={}) for c in clusters]  # plans that agree on what else is there
    with tempfile.TemporaryDirectory() as folder:
        found = run(write_fleet(Path(folder), alike), full=True)
    rows = {row["name"]: row for row in found.rows}
    for shared in across(found).shared_subnets:
        assert shared["used"] + shared["free"] == shared["usable"]
        for cluster in shared["clusters"]:
            steady = rows[cluster["name"]]["check"]["scenarios"][0]
            assert steady["name"] == "steady"
            (subnet,) = (s for s in steady["subnets"] if s["name"] == shared["name"])
            assert subnet["free"] == shared["free"]


@settings(max_examples=15)
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_plans_changes_no_verdict(clusters: list[Cluster], chance: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_fleet(Path(folder), clusters)
        mixed = list(paths)
        chance.shuffle(mixed)
        first, second = ({r["plan"]: (r["verdict"], r["tightest"]) for r in run(p).rows} for p in (paths, mixed))
    assert first == second
