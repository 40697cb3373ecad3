"""`capacity fleet import` against the real AWS client and a server on loopback."""

from __future__ import annotations

from pathlib import Path

import yaml
from typer.testing import CliRunner, Result

from capacity.cli.main import app
from capacity.fleet.fleet_import import import_fleet
from capacity.fleet.plan_files import find_sources
from tests.aws.world import World


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fleet", *arguments])


def test_a_folder_of_plans_and_a_fleet_file(world: World, tmp_path: Path) -> None:
    done = run("import", "--out-dir", str(tmp_path / "clusters"))
    assert done.exit_code == 0, done.output
    fleet = yaml.safe_load((tmp_path / "clusters" / "fleet.yaml").read_text())
    (entry,) = fleet["plans"]
    assert entry["vpc"] == world.vpc
    assert entry["path"] == f"{entry['account']}/us-east-1/shop.yaml"
    (source,) = find_sources([str(tmp_path / "clusters")]).plans
    assert source.patch == {"account": entry["account"], "vpc.id": world.vpc}
    checked = run("check", str(tmp_path / "clusters"), "-o", "csv", "-q")
    assert checked.exit_code in (0, 1), checked.output
    assert "shop" in checked.output


def test_what_cannot_be_read_does_not_stop_the_others(world: World, tmp_path: Path) -> None:
    found = import_fleet([None, "gone"], [None], tmp_path)
    assert [plan.vpc for plan in found.plans] == [world.vpc]
    assert [line.partition(": ")[0] for line in found.errors] == ["gone"]
    assert (tmp_path / "fleet.yaml").is_file()


def test_nothing_imported_is_an_error(tmp_path: Path) -> None:
    done = run("import", "--profiles", "gone", "--out-dir", str(tmp_path / "none"))
    assert done.exit_code != 0
    assert not (tmp_path / "none").exists()


def test_a_plan_that_is_there_keeps_its_values(world: World, tmp_path: Path) -> None:
    run("import", "--out-dir", str(tmp_path))
    (plan,) = tmp_path.glob("*/us-east-1/shop.yaml")
    text = plan.read_text()
    plan.write_text(text + "checks:\n  minFree: 7%\n")
    assert run("import", "--out-dir", str(tmp_path)).exit_code == 0
    assert yaml.safe_load(plan.read_text())["checks"] == {"minFree": "7%"}
    assert world.vpc
