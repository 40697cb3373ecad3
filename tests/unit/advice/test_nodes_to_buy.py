"""`optimize_plan` and what is made of its answer, as the command prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import capacity
from tests.cli.entry import capacity as command

PODS = [("web", "250m", "512Mi", 60), ("api", "1", "4Gi", 9)]
ASKED = [part for n, cpu, memory, count in PODS for part in ("--pod", f"{n}={cpu},{memory},{count}")]
TYPES = ("c6i.large", "m6i.xlarge", "m6i.2xlarge", "d3.4xlarge")


def found(**choices: Any) -> capacity.Optimized:
    request = capacity.Request(capacity.Choices(types=TYPES, arch="x86_64", **choices))
    return capacity.optimize_plan(capacity.sketched(PODS), request)


def test_frames_have_the_rows_and_keys_of_the_command() -> None:
    answer = found()
    done = command("optimize", *ASKED, "--types", ",".join(TYPES), "--arch", "x86_64", "-o", "json")
    results = json.loads(done.stdout)["results"]
    frames = {
        "node_groups": capacity.node_groups_frame(answer),
        "alternatives": capacity.alternatives_frame(answer),
        "frontier": capacity.frontier_frame(answer),
    }
    for key, frame in frames.items():
        rows = frame.reset_index() if key != "frontier" else frame
        assert list(rows.columns) == list(results[key][0]), key
        assert json.loads(rows.to_json(orient="records", double_precision=15)) == results[key], key
    assert capacity.frontier_rows(answer) == results["frontier"]
    assert [node.group for node in capacity.mean_nodes(answer)] == [g["name"] for g in results["node_groups"]]


def test_the_file_is_that_of_the_command_and_its_plan_can_be_asked_again(tmp_path: Path) -> None:
    answer = found()
    asked = ("optimize", *ASKED, "--types", ",".join(TYPES), "--arch", "x86_64", "-q")
    for form in ("eksctl", "plan"):
        assert capacity.node_group_file(answer, form) == command(*asked, "--as", form).stdout
    path = tmp_path / "plan.yaml"
    path.write_text(capacity.node_group_file(answer, "plan"))
    assert capacity.check(path).verdict == "ok"
    request = capacity.Request(capacity.Choices(types=TYPES, arch="x86_64"), simpler=False)
    again = capacity.optimize_plan(path, request)
    assert again.bought is not None
    assert answer.bought is not None
    assert again.bought.usd_per_hour == answer.bought.usd_per_hour


def test_mistakes_are_one_line() -> None:
    with pytest.raises(capacity.SpecError, match=r"plan: 7 is an int \(expected the path of a plan file or"):
        capacity.optimize_plan(7)  # type: ignore[arg-type]
    nothing = capacity.optimize_plan(capacity.sketched([("web", "1", "1Gi", 0)]))
    with pytest.raises(capacity.SpecError, match="eksctl: there are no node groups to write"):
        capacity.node_group_file(nothing)
    with pytest.raises(capacity.SpecError, match="form: 'ekctl' is not one of"):
        capacity.node_group_file(nothing, "ekctl")
    assert capacity.node_groups_frame(nothing).empty
    assert capacity.mean_nodes(nothing) == []
