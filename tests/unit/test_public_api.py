"""`import capacity`: what it offers, that it loads nothing heavy, and that it answers like the command line."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import capacity
from benchmarks.startup import FORBIDDEN_MODULES
from capacity.cli.main import app

M5 = capacity.load_catalog().get("m5.large")
PLAN = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"


def cli(*arguments: str) -> Any:
    done = CliRunner().invoke(app, [*arguments, "-o", "json"])
    return json.loads(done.stdout)["results"]


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {k: None if v is pd.NA or v is None or v != v else v for k, v in row.items()}


class TestNames:
    @pytest.mark.parametrize("name", capacity.__all__)
    def test_each_is_there_and_documented(self, name: str) -> None:
        value = getattr(capacity, name)
        assert value.__doc__
        assert value.__module__.startswith("capacity.")
        assert name in dir(capacity)

    def test_all_is_what_type_checkers_see_and_what_is_loaded(self) -> None:
        tree = ast.parse(Path(capacity.__file__).read_text(encoding="utf-8"))
        guarded = next(n for n in tree.body if isinstance(n, ast.If))
        seen = {
            (node.module, alias.name)
            for node in guarded.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        loaded = {(f"capacity.{module}", name) for module, names in capacity._HOMES.items() for name in names}
        assert seen == loaded
        assert capacity.__all__ == sorted(name for _, name in seen)

    def test_the_summary_names_each(self) -> None:
        assert capacity.__doc__
        left_out = set(capacity.__all__) - set(re.findall(r"\w+", capacity.__doc__))
        assert left_out == {
            *("CheckResult", "Checkup", "Comparison", "Evidence", "Finding", "Fix", "Fixes", "Plan", "PoolGrid"),
            *("Sizing", "FillSnapshot", "Term", "TypeArrays", "WarmAnswer"),
        }  # results of named functions

    def test_a_name_that_does_not_exist(self) -> None:
        with pytest.raises(AttributeError, match="module 'capacity' has no attribute 'maxpod'"):
            capacity.maxpod  # noqa: B018

    def test_star_import(self) -> None:
        names: dict[str, Any] = {}
        exec("from capacity import *", names)
        assert set(capacity.__all__) <= set(names)

    def test_the_package_says_that_it_is_typed(self) -> None:
        assert (Path(capacity.__file__).parent / "py.typed").is_file()


def test_scalar_answers_load_nothing_heavy() -> None:
    script = """
import sys, json, capacity
first = sorted(n for n in sys.modules if n.startswith("capacity."))
m5 = capacity.load_catalog().get("m5.large")
capacity.max_pods(m5, capacity.Platform())
capacity.offer(m5, capacity.Platform(), capacity.PodAsked(cpu=250))
capacity.node_pool(m5, capacity.CniSettings(), pods=11, max_pods=29)
print(json.dumps([first, sorted(sys.modules)]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    first, later = json.loads(done.stdout)
    assert first == []
    assert set(later) & FORBIDDEN_MODULES == set()
    assert "capacity.cli" not in later


class TestTheSameAnswers:
    def test_max_pods(self) -> None:
        results = cli(
            "maxpods", "c5.*", "m7g.*", "--mode", "prefix", "--custom-networking", "--provisioner", "karpenter"
        )
        on = capacity.Platform(mode="prefix", custom_networking=True, provisioner="karpenter")
        frame = capacity.max_pods_frame(capacity.load_catalog(), on).set_index("instance_type", drop=False)
        assert len(results) > 10
        for result in results:
            one = capacity.max_pods(capacity.load_catalog().get(result["instance_type"]), on)
            many = plain(frame.loc[result["instance_type"]].to_dict())
            for key, value in result.items():
                assert (value, value) == (getattr(one, key), many[key]), key

    def test_node(self) -> None:
        results = cli("node", "r6g.*", "--pod-cpu", "300m", "--pod-memory", "700Mi", "--daemonset", "log=50m,128Mi")
        pod, log = capacity.PodAsked(300, 700 * 2**20), capacity.Daemon("log", 50, 128 * 2**20)
        frame = capacity.node_frame(capacity.load_catalog(), capacity.Platform(), pod, [log], region="us-east-1")
        frame = frame.set_index("instance_type", drop=False)
        for result in results:
            many = plain(frame.loc[result["instance_type"]].to_dict())
            fits = result.pop("fits")
            assert {k: many[k] for k in result} == result
            assert {k.removeprefix("fits."): v for k, v in many.items() if k.startswith("fits.")} == fits

    def test_pool(self) -> None:
        variables = {"WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": "10"}
        options = [o for name, value in variables.items() for o in ("--env", f"{name}={value}")]
        (result,) = cli("node", "m5.large", "--pods", "12", *options)
        settings, _ = capacity.cni_settings(variables)
        one = capacity.node_pool(capacity.load_catalog().get("m5.large"), settings, pods=12, max_pods=29)
        assert one.kind is not None
        grid = capacity.sweep([one.kind], settings, [12], 29, columns=list(result["pool"]))
        for key, value in result["pool"].items():
            assert (value, value) == (getattr(one, key), int(grid[key][0, 0])), key

    def test_check(self) -> None:
        results = cli("check", str(PLAN), "--exit-zero")
        result = capacity.check(capacity.read_plan(PLAN))
        assert result.verdict == results["verdict"]
        assert [f.code for f in capacity.findings(result)] == [f["code"] for f in results["findings"]]
        runway = capacity.runway_frame(result)
        assert [plain(r) for r in runway.to_dict("records")] == [
            {key: row[key] for key in runway.columns} for row in results["runway"]
        ]
        groups = capacity.group_frame(result).to_dict("records")
        stated = [g for s in results["scenarios"] for g in s["node_groups"]]
        for row, group in zip(groups, stated, strict=True):
            zones = {f"nodes.{zone}": n for zone, n in group.pop("nodes_by_zone").items()}
            assert {key: plain(row)[key] for key in group | zones} == group | zones

    def test_size(self) -> None:
        results = cli("size", str(PLAN), "--vpc-cidr", "100.64.0.0/22", "--scenario", "steady")
        sizing = capacity.size_plan(capacity.read_plan(PLAN), None, ["steady"], [IPv4Network("100.64.0.0/22")])
        assert [(s.name, str(s.cidr)) for s in sizing.subnets] == [(s["name"], s["cidr"]) for s in results["subnets"]]
        assert sizing.result.verdict == "ok"

    def test_warm(self) -> None:
        results = cli("warm", str(PLAN))
        best = capacity.warm_for_plan(capacity.read_plan(PLAN)).recommendation
        assert best is not None
        assert results["recommendation"]["patch"] == dict(best.patch)
        results = cli("warm", "--type", "m5.large", "--pods-per-node", "8..20")
        best = capacity.warm_for_type(M5, range(8, 21), {}, capacity.Platform()).recommendation
        assert best is not None
        assert results["recommendation"]["commands"] == list(best.commands)

    def test_doctor(self) -> None:
        folder = PLAN.parent / "aws-answers"
        results = cli("doctor", "--from", str(folder), "--exit-zero")
        checks = capacity.diagnose(capacity.saved_evidence(folder))
        assert [(c.kind.ident, c.status, c.where) for c in checks] == [
            (c["id"], c["status"], c["where"]) for c in results["checks"]
        ]

    def test_record(self, tmp_path: Path) -> None:
        results = cli("record", str(PLAN), "--into", str(tmp_path / "a.db"), "--time", "2026-11-30T00:00:00Z")
        plan = capacity.read_plan(PLAN)
        snapshot = capacity.snapshot_of_plan(plan, datetime(2026, 11, 30, tzinfo=UTC))
        assert capacity.record(tmp_path / "b.db", snapshot) == 0
        assert [(s.name, s.free) for s in snapshot.subnets] == [(s["name"], s["free"]) for s in results["subnets"]]
        read = [capacity.read_history(tmp_path / f"{name}.db").observations for name in "ab"]
        assert read[0] == read[1] != []

    def test_the_frame_of_subnets_is_the_csv_answer(self) -> None:
        done = CliRunner().invoke(app, ["check", str(PLAN), "--exit-zero", "-o", "csv"])
        stated = list(csv.DictReader(io.StringIO(done.stdout)))
        frame = capacity.subnet_frame(capacity.check(capacity.read_plan(PLAN)))
        assert list(frame.columns) == list(stated[0])
        assert [
            {k: "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in plain(r).items()}
            for r in frame.to_dict("records")
        ] == stated
        used = frame.filter(like="used.").sum(axis=1)
        assert (used + frame["free"] == frame["usable"]).all()


def test_errors_are_one_tree() -> None:
    with pytest.raises(
        capacity.CapacityError, match=r"'m5\.lrage' is not a known instance type \(did you mean 'm5\.large'"
    ):
        capacity.load_catalog().get("m5.lrage")
    assert issubclass(capacity.UnknownInstanceType, capacity.SpecError)
    assert issubclass(capacity.SpecError, ValueError)


def test_a_plan_from_plain_mappings_is_the_plan_from_the_file() -> None:
    document = yaml.safe_load(PLAN.read_text())
    plans = capacity.parse_plan(document), capacity.read_plan(PLAN)
    first, second = (capacity.subnet_frame(capacity.check(plan)) for plan in plans)
    pd.testing.assert_frame_equal(first, second)
    fixes = capacity.find_fixes(document, scenarios=["steady", "peak"])
    assert fixes.best is not None
    assert fixes.best.names == capacity.find_fixes(PLAN, scenarios=["steady", "peak"]).best.names  # type: ignore[union-attr]
