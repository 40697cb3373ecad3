"""`capacity check --simulate`: the distribution beside the bounds, and findings that cite it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = str(EXAMPLES / "shop-prod.yaml")


def results(*arguments: str) -> dict[str, Any]:
    done = run("check", *arguments, "--no-fixes", "--exit-zero", "-o", "json")
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)["results"]  # type: ignore[no-any-return]


def test_what_is_held_over_time_is_within_the_bounds() -> None:
    found = results(SHOP, "--scenario", "steady", "--scenario", "peak", "--simulate")
    bounds = {(s["name"], n["name"]): n for s in found["scenarios"] for n in s["subnets"]}
    assert len(found["simulated"]) == len(bounds) == 6
    for use in found["simulated"]:
        state = bounds[use["scenario"], use["subnet"]]
        assert min(state["used_lowest"], use["usable"]) <= use["used_p5"] <= use["used_p50"] <= use["used_p95"]
        assert use["used_p95"] <= min(state["used_highest"], use["usable"])
    steady = {
        u["subnet"]: (u["used_p50"], u["exhausted_share"]) for u in found["simulated"] if u["scenario"] == "steady"
    }
    assert steady == {"private-a": (170, 0.0), "private-b": (144, 0.0), "private-c": (111, 0.0)}
    assert [u["exhausted_share"] for u in found["simulated"] if u["scenario"] == "peak"] == [0.0, 1.0, 0.0]


def test_prefixes_above_the_packed_count_are_a_distribution() -> None:
    """WARM_PREFIX_TARGET=2 has bounds alone; churned pools hold more than packed ones."""
    plan = (str(EXAMPLES / "prefix-custom-networking.yaml"), "--set", "cni.env.WARM_PREFIX_TARGET=2")
    found = results(*plan, "--scenario", "steady", "--simulate")
    (steady,) = found["scenarios"]
    for state in steady["subnets"]:
        (use,) = [u for u in found["simulated"] if u["subnet"] == state["name"]]
        assert state["used_lowest"] <= use["used_p5"] <= use["used_p95"] <= state["used_highest"]


def test_a_finding_about_the_worst_case_cites_it() -> None:
    found = results(SHOP, "--scenario", "peak", "--simulate")["findings"]
    (worst,) = [f for f in found if f["code"] == "IP006" and f["where"] == "subnets.private-a"]
    (use,) = [u for u in results(SHOP, "--scenario", "peak", "--simulate")["simulated"] if u["subnet"] == "private-a"]
    held = (
        f"at most {use['used_p5']} to {use['used_p95']} of 507 are held at the same time (P5 to P95); it runs out in 0%"
    )
    assert worst["message"].endswith(f"in the worst-case placement; simulated 20 times, {held}")


def test_without_it_nothing_changes() -> None:
    plain = results(SHOP, "--scenario", "peak")
    assert "simulated" not in plain
    assert not any("simulated" in f["message"] for f in plain["findings"])


def test_lost_subnets_are_left_out_and_the_table_has_the_rest() -> None:
    done = run("check", SHOP, "--scenario", "zone-loss:zone=us-east-1a", "--simulate", "--no-fixes")
    assert "Most addresses held at the same time, 20 simulations" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("zone-loss (us-east-1a)  private-")]
    assert len(rows) == 2


def test_a_plan_that_is_not_simulated_says_so() -> None:
    done = run("check", str(EXAMPLES / "cilium-eni.yaml"), "--simulate")
    assert done.code == 2
    assert done.stderr.splitlines()[-1].startswith("error: simulate: Cilium manages the addresses")
