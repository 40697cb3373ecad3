"""Dollars on the command line: check, compare, node and report, and the options about prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.fixtures.plans import SMALL

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "shop-prod.yaml")
ELSEWHERE = str(ROOT / "examples" / "overlay.yaml")  # eu-west-1, of which no price is known


def answer(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "-o", "json", "-q")
    assert done.code in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["results"]
    return found


def money(results: dict[str, Any], scenario: str) -> tuple[float | None, float]:
    row = next(s for s in results["scenarios"] if s["name"] == scenario)
    return row["usd_per_month"], row["usd_per_month_at_least"]


class TestCheck:
    def test_says_what_json_says(self) -> None:
        results = answer("check", EXAMPLE, "--no-fixes")
        now, peak = money(results, "steady")[0], money(results, "peak")[0]
        assert now == 1830.84  # 9 × 0.192 + 2 × 0.34 + 0.10 dollars an hour
        said = run("check", EXAMPLE, "--no-fixes", "-q").stdout.splitlines()[2]
        assert said == (
            f"Cost: ${now:,.2f} per month now, ${peak:,.2f} at peak, "
            f"${money(results, 'ceiling')[0]:,.2f} at the ceiling (us-east-1, prices of 2026-07-20)."
        )
        assert f"\\${now:,.2f} per month now" in run("check", EXAMPLE, "--no-fixes", "-q", "-o", "md").stdout

    def test_every_scenario_has_a_cost_and_its_lines_add_up(self) -> None:
        results = answer("check", EXAMPLE, "--no-fixes")
        assert all(s["usd_per_month"] > 0 for s in results["scenarios"])
        for told in results["cost"]["scenarios"]:
            assert told["usd_per_month"] == round(sum(line["usd_per_month"] for line in told["lines"]), 2)
            assert {line["source"] for line in told["lines"]} == {"pricing", "eks_price_list"}

    def test_explain_shows_the_terms(self) -> None:
        said = run("check", EXAMPLE, "--no-fixes", "-q", "--explain").stdout
        assert "9 × $0.192 × 730 h = $1,261.44" in said

    def test_a_region_without_prices_is_named_and_never_0(self) -> None:
        results = answer("check", ELSEWHERE)
        assert money(results, "steady") == (None, 73.0)
        said = run("check", ELSEWHERE, "-q").stdout
        assert "Cost: at least $73.00 per month" in said
        assert "Not included: nodes of general (no prices are known for eu-west-1" in said

    def test_a_factor_is_said(self) -> None:
        done = run("check", ELSEWHERE, "-q", "--price-factor", "1.1")
        assert "Prices for eu-west-1 are not known: us-east-1 prices × 1.1 are used." in done.stdout
        assert "at least $" not in done.stdout
        assert "(us-east-1, prices of 2026-07-20)" in done.stdout

    def test_fixes_say_what_they_cost(self) -> None:
        results = answer("check", str(ROOT / "examples/levers/dense.yaml"), "--scenario", "steady")
        tried = {"+".join(f["levers"]): f for f in results["fixes"]["tried"]}
        dear, cheap = (tried[n]["usd_per_month_change"]["steady"] for n in ("more-nodes", "instance-type"))
        assert (tried["more-nodes"]["verdict"], tried["instance-type"]["verdict"]) == ("ok", "ok")
        assert 0 < cheap < dear
        assert results["fixes"]["best"]["levers"] == ["instance-type"]
        assert tried["more-nodes"]["why"] == "also enough, but costs more"
        said = run("check", str(ROOT / "examples/levers/dense.yaml"), "--scenario", "steady", "-q").stdout
        assert f"Change of the cost per month: +${cheap:,.2f} now." in said

    def test_a_price_file_changes_which_fix_is_the_cheapest(self, tmp_path: Path) -> None:
        dense = str(ROOT / "examples/levers/dense.yaml")
        own = tmp_path / "own.csv"
        own.write_text("type,usd_per_hour\nm5.large,0.01\nm8i.large,5\n")
        results = answer("check", dense, "--scenario", "steady", "--price-file", str(own))
        assert results["fixes"]["best"]["levers"] == ["more-nodes"]


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--price-factor", "-1"), "--price-factor: '-1' is not a number"),
            (("--price-factor", "0"), "--price-factor: 0 is out of range"),
            (("--price-factor", "\u0662"), "--price-factor: '\u0662' is not a number"),
            (("--savings-plan", "100%"), "--savings-plan: 100% is out of range"),
            (("--savings-plan", "28"), "--savings-plan: '28' is not a percentage"),
            (("--spot-discount", "-5%"), "--spot-discount: '-5%' is not a percentage"),
            (("--per-node-cost", "-1"), "--per-node-cost: -1 is out of range"),
            (("--per-node-cost", "nan"), "--per-node-cost: nan is out of range"),
            (("--control-plane-tier", "tier-xxl"), "--control-plane-tier: 'tier-xxl' is not one of standard, tier-xl"),
            (("--public-ipv4", "genral"), "there is no node group 'genral' (did you mean 'general'?)"),
            (("--price-file", "none.csv"), "none.csv: no such file"),
        ],
    )
    @pytest.mark.parametrize("verb", ["check", "compare", "report"])
    def test_bad_input_is_one_line_and_exit_2(self, verb: str, options: tuple[str, ...], said: str) -> None:
        more = ("--set", "nodeGroups.general.nodes.max=30") if verb == "compare" else ()
        done = run(verb, EXAMPLE, *more, *options)
        assert (done.code, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_bad_line_of_a_price_file_is_named(self, tmp_path: Path) -> None:
        own = tmp_path / "pr\u00edces.csv"
        own.write_text("type,usd_per_hour\nm6i.xlarge,free\n")
        done = run("check", EXAMPLE, "--price-file", str(own))
        assert done.code == 2
        assert f"{own}:2: usd_per_hour: 'free' is not a price" in done.stderr

    def test_a_cost_of_0_per_node_has_no_line(self) -> None:
        assert answer("check", EXAMPLE, "--no-fixes", "--per-node-cost", "0") == answer("check", EXAMPLE, "--no-fixes")

    def test_everything_together(self) -> None:
        options = ("--savings-plan", "28%", "--spot-discount", "60%", "--per-node-cost", "0.01")
        results = answer("check", EXAMPLE, "--no-fixes", *options, "--public-ipv4", "general", "--control-plane-tier",
                         "tier-xl")  # fmt: skip
        items = {line["item"] for line in results["cost"]["scenarios"][0]["lines"]}
        assert items == {"nodes", "per-node-cost", "public-ipv4", "control-plane", "control-plane-tier"}


class TestCompare:
    def test_the_change_is_the_difference_of_two_checks(self) -> None:
        change = ("--set", "nodeGroups.general.nodes.desired=15")
        results = answer("compare", EXAMPLE, *change)
        steady = next(s for s in results["scenarios"] if s["name"] == "steady")
        before = money(answer("check", EXAMPLE, "--no-fixes"), "steady")[0]
        after = money(answer("check", EXAMPLE, "--no-fixes", *change), "steady")[0]
        assert (steady["usd_per_month_before"], steady["usd_per_month_after"]) == (before, after)
        assert before is not None
        assert after is not None
        assert steady["usd_per_month_change"] == round(after - before, 2)
        said = run("compare", EXAMPLE, *change, "-q").stdout
        assert f"Cost: ${before:,.2f} → ${after:,.2f} per month now (+${after - before:,.2f})" in said

    def test_a_change_whose_price_is_not_known(self) -> None:
        said = run("compare", ELSEWHERE, "--set", "nodeGroups[general].nodes=9", "-q").stdout
        assert "at least $73.00 per month now (change not known)" in said


class TestNode:
    def test_a_price_file(self, tmp_path: Path) -> None:
        own = tmp_path / "own.csv"
        own.write_text("type,usd_per_hour,region\nm5.large,0.05,eu-west-1\n")
        done = run("node", "m5.large", "--region", "eu-west-1", "--price-file", str(own), "-o", "json")
        assert json.loads(done.stdout)["results"][0]["usd_per_hour"] == 0.05
        assert "no prices are known" not in done.stderr

    def test_a_factor_is_said(self) -> None:
        done = run("node", "m5.large", "--region", "eu-west-1", "--price-factor", "1.5")
        assert "us-east-1 prices × 1.5 are used" in done.stdout

    def test_windows_has_no_price_of_linux(self) -> None:
        done = run("node", "m5.large", "--os", "windows", "-o", "json", "-q")
        assert json.loads(done.stdout)["results"][0]["usd_per_hour"] is None


def test_the_report_has_the_same_figures_and_says_how_to_make_it_again(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(SMALL)
    options = ("--savings-plan", "28%", "--per-node-cost", "0.01")
    checked = answer("check", str(plan), "--no-fixes", *options)
    done = run("report", str(plan), "-o", "md", "-q", "--as-of", "2026-11-30", *options)
    now = money(checked, "steady")[0]
    assert f"\\${now:,.2f} per month now" in done.stdout
    assert "--savings-plan 28% --per-node-cost 0.01" in done.stdout
    assert answer("report", str(plan), "--as-of", "2026-11-30", *options)["cost"] == checked["cost"]
