"""Which files a fleet consists of, and what a fleet file changes in them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from capacity.errors import SpecError
from capacity.fleet.fleet_file import read_fleet_file
from capacity.fleet.plan_files import find_sources
from tests.fixtures.fleets import Cluster, write_fleet


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three plans and a file that is not one, as the working directory."""
    monkeypatch.chdir(tmp_path)
    write_fleet(tmp_path / "plans", [Cluster("b"), Cluster("a")])
    write_fleet(tmp_path / "plans" / "deeper", [Cluster("c")])
    write_fleet(tmp_path / "plans" / ".hidden", [Cluster("d")])
    (tmp_path / "plans" / "values.yaml").write_text("replicas: 3\n")
    return tmp_path


def files(*paths: str) -> list[str]:
    return [source.file for source in find_sources(paths).plans]


@pytest.mark.usefixtures("here")
def test_a_folder_is_read_in_the_order_of_names_and_says_what_it_leaves_out() -> None:
    found = find_sources(["plans"])
    assert [s.file for s in found.plans] == ["plans/a.yaml", "plans/b.yaml", "plans/deeper/c.yaml"]
    assert found.others == ("plans/values.yaml",)


@pytest.mark.usefixtures("here")
def test_patterns_and_files_keep_their_order_and_a_file_counts_once() -> None:
    assert files("plans/b.yaml", "plans/*.yaml") == ["plans/b.yaml", "plans/a.yaml", "plans/values.yaml"]
    assert files("plans/**/c.yaml") == ["plans/deeper/c.yaml"]
    assert files("missing.yaml") == ["missing.yaml"]  # an error of its row, not of the command


@pytest.mark.parametrize(("path", "said"), [("none/*.yaml", "no file matches"), ("empty", "the folder has no plans")])
def test_nothing_found_is_an_error(here: Path, path: str, said: str) -> None:
    (here / "empty").mkdir()
    with pytest.raises(SpecError, match=said):
        find_sources([path])


@pytest.mark.usefixtures("here")
def test_a_list_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"# plans\nplans/b.yaml\n\n  plans/a.yaml\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert files("-") == ["plans/b.yaml", "plans/a.yaml"]


FLEET = """\
apiVersion: capacity/v1
kind: Fleet
metadata: {name: shop}
plans:
  - plans/a.yaml
  - {path: plans/, account: "1111", region: eu-west-1, vpc: vpc-9, set: {checks.minFree: 10%}}
  - {path: plans/b.yaml, set: {checks.minFree: 5%}}
accounts:
  - id: "1111"
    name: payments
    quotas: [{name: region_enis, limit: 900}, {name: region_enis, region: eu-west-1, limit: 7}]
regions: [eu-west-1]
peerings: [{vpcs: [vpc-9, vpc-8]}]
addressSpace: [10.32.0.0/12]
"""


def test_a_fleet_file_in_a_folder_or_by_its_name(here: Path) -> None:
    (here / "fleet.yaml").write_text(FLEET)
    for paths in (["."], ["fleet.yaml"], []):
        found = find_sources(paths)
        assert [s.file for s in found.plans] == ["plans/a.yaml", "plans/b.yaml", "plans/deeper/c.yaml"] or [
            Path(s.file).resolve().relative_to(here.resolve()).as_posix() for s in found.plans
        ] == ["plans/a.yaml", "plans/b.yaml", "plans/deeper/c.yaml"]
        a, b, _ = found.plans
        assert a.patch == {"account": "1111", "region": "eu-west-1", "vpc.id": "vpc-9", "checks.minFree": "10%"}
        assert b.patch["checks.minFree"] == "5%"  # the later entry takes precedence
        fleet = found.fleet
        assert (fleet.name, fleet.regions, fleet.peerings) == ("shop", ("eu-west-1",), (("vpc-9", "vpc-8"),))
        assert [str(block) for block in fleet.space] == ["10.32.0.0/12"]
        assert fleet.limit("1111", "eu-west-1", "region_enis") == 7
        assert fleet.limit("1111", "us-east-1", "region_enis") == 900
        assert fleet.limit("2222", "us-east-1", "region_enis") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("region_enis, limit", "region_eni, limit", r"fleet.yaml:11: .*did you mean 'region_enis'"),
        ("kind: Fleet", "kind: Flet", "'Flet' is not one of Fleet"),
        ("plans/a.yaml", '""', r"fleet.yaml:5 plans\[0\]: is empty"),
        ("vpc: vpc-9", "vcp: vpc-9", "did you mean 'vpc'"),
        ("vpcs: [vpc-9, vpc-8]", "vpcs: [vpc-9]", "two or more"),
        ("10.32.0.0/12", "10.32.0.0/33", "addressSpace"),
        ('id: "1111"', 'ident: "1111"', "unknown key"),
    ],
)
def test_an_error_in_a_fleet_file_names_its_line(here: Path, old: str, new: str, said: str) -> None:
    (here / "fleet.yaml").write_text(FLEET.replace(old, new, 1))
    with pytest.raises(SpecError, match=said.replace("fleet.yaml:11: ", "fleet.yaml:11 ")):
        read_fleet_file("fleet.yaml")


def test_two_fleet_files_are_an_error(here: Path) -> None:
    (here / "fleet.yaml").write_text(FLEET)
    (here / "other.yaml").write_text(FLEET)
    with pytest.raises(SpecError, match="two fleet files"):
        find_sources(["fleet.yaml", "other.yaml"])
