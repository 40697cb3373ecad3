"""The report's section on scenarios over time: the figures of `capacity simulate`, in every format, only on request."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.report.plans import EXAMPLE

DAY = ("-q", "--as-of", "2026-11-25", "--scenario", "steady")
CILIUM = Path(EXAMPLE).with_name("cilium-eni.yaml")


@cache
def shown(*arguments: str, output: str = "md") -> str:
    done = run("report", str(EXAMPLE), *DAY, *arguments, "-o", output, "--out-file", "-")
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


@cache
def simulated(scenario: str, *change: str) -> Any:
    arguments = ("--scenario", scenario, "--seeds", "5", "--jobs", "1", "-o", "json")
    return json.loads(run("simulate", str(EXAMPLE), *arguments, *change).stdout)["results"]["summary"]


def test_the_figures_are_those_of_the_command() -> None:
    found = json.loads(shown("--simulate", "peak", "--simulate", "rollout", output="json"))["results"]
    assert found["simulations"] == [simulated("peak"), simulated("rollout")]
    tables = {t["title"]: t["rows"] for t in found["tables"] if t["section"] == "over-time"}
    assert list(tables) == [
        f"{title}: {scenario}"
        for scenario in ("peak", "rollout")
        for title in ("Time that pods wait for an address on their node", "Subnets", "EC2 calls")
    ]
    calls = {row["kind"]: row["calls"] for row in tables["EC2 calls: peak"]}
    assert calls == simulated("peak")["ec2_calls_by_kind"]
    assert [row["out"] is not None for row in tables["Subnets: peak"]] == [
        subnet["exhausted_at"] is not None for subnet in simulated("peak")["subnets"]
    ]


def test_the_section_starts_with_the_sentence_and_names_the_command() -> None:
    section = shown("--simulate", "peak").split("## Address pools over time\n")[1].split("\n## ")[0]
    paragraphs = section.strip().split("\n\n")
    assert paragraphs[0] == f"peak: {simulated('peak')['sentence']}"
    assert "peak: private-b runs out 6 min 39 s into peak;" in paragraphs[0]
    assert paragraphs[1].startswith("30 min, seeds 1 to 5: workloads grow to their maximum in 10 min;")
    assert paragraphs[1].endswith("For the timeline: capacity simulate --scenario peak --seeds 5.")
    assert "| private-b | 251 | 0 | 0 | after 6 min 39 s ✖ | 100% |" in section
    assert "--simulate peak --horizon 18mo" in shown("--simulate", "peak")


def test_the_page_has_a_chart_of_each_scenario() -> None:
    page = shown("--simulate", "peak", "--simulate", "rollout", "--simulate", "peak", output="html")
    section = page.split('<h2 id="over-time">')[1].split("<h2 ")[0]
    for scenario in ("peak", "rollout"):
        assert section.count(f"{scenario}: addresses and waiting pods over time</bdi>") == 1
    assert section.count('<figure class="chart half">') == 2
    assert "peak: addresses of the pools over time" not in section  # the title of the file, the page has its own


def test_charts_are_files_that_do_not_replace_each_other(tmp_path: Path) -> None:
    charts = str(tmp_path / "charts")
    page = shown("--simulate", "peak", "--simulate", "rollout", "--charts", charts)
    for number in (1, 2):
        assert f"/simulation-{number}.svg)" in page
        assert (tmp_path / "charts" / f"simulation-{number}.png").is_file()


def test_the_workbook_has_its_sheets(tmp_path: Path) -> None:
    import zipfile

    done = run("report", str(EXAMPLE), *DAY, "--simulate", "rollout", "-o", "xlsx", "--out-file", str(tmp_path / "a"))
    assert done.code == 0
    names = zipfile.ZipFile(tmp_path / "a").read("xl/workbook.xml").decode()
    for name in ("Pod waits rollout", "Subnets over time rollout", "EC2 calls rollout"):
        assert f'name="{name}"' in names


def test_a_change_shows_the_waits_of_both_sides() -> None:
    """A small warm target frees addresses, and pods wait for EC2 instead."""
    change = ("--set", "cni.env.WARM_IP_TARGET=2")
    section = shown("--simulate", "peak", *change).split("## Address pools over time\n")[1].split("\n## ")[0]
    today, proposed = simulated("peak"), simulated("peak", *change)
    assert f"Today: peak: {today['sentence']}\n\nProposed: peak: {proposed['sentence']}" in section
    waited = f"| {today['pods_waited']} → {proposed['pods_waited']} |"
    assert proposed["pods_waited"] > today["pods_waited"]
    assert waited in section
    assert "| after 6 min 39 s → – | 100% → 0% |" in section


@pytest.mark.parametrize("output", ["md", "json", "html"])
def test_without_it_there_is_no_section(output: str) -> None:
    text = shown(output=output)
    assert not any(word in text for word in ("over-time", "pools over time", 'simulations":', "--simulate"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--simulate", "rollot"), "error: --simulate: 'rollot' is not one of steady, peak, ceiling, rollout, "),
        (("--simulate", "zone-loss:zone=x"), "error: --simulate zone-loss.zone: 'x' is not one of us-east-1a, "),
        (("--simulate", "burst:nodes=1,nodes=2"), "error: --simulate 'burst:nodes=1,nodes=2': duplicate 'nodes'"),
        (
            ("--simulate", "rollout", "--against", str(CILIUM)),
            f"error: {CILIUM}: simulate: Cilium manages the addresses of these nodes: only the VPC CNI is simulated",
        ),
    ],
)
def test_what_cannot_be_simulated_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = run("report", str(EXAMPLE), *DAY, *arguments, "-o", "md")
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(message)


def test_cilium_is_refused_before_the_report_is_made() -> None:
    done = run("report", str(CILIUM), "--simulate", "rollout", "-q", "-o", "md")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: simulate: Cilium manages the addresses of these nodes")


def test_an_interrupted_simulation_is_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the seeds would read as all of them."""
    from dataclasses import replace

    from capacity.plan.parse import read_plan
    from capacity.plan.scenarios import scenario_option
    from capacity.sim import plan_seeds
    from capacity.sim.facade import simulate as played

    plan = read_plan(Path(EXAMPLE))

    def cut(*given: Any, seed: int, **more: Any) -> Any:
        return replace(played(*given, seed=seed, **more), complete=seed < 2)

    monkeypatch.setattr(plan_seeds, "simulate", cut)
    told: list[tuple[int, int]] = []
    with pytest.raises(KeyboardInterrupt):
        plan_seeds.simulate_seeds(
            plan, scenario_option("rollout", plan), range(1, 6), progress=lambda *at: told.append(at)
        )
    assert told == [(part, 1000) for part in range(1, 401)]
