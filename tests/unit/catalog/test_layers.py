"""The user's cache and overrides over the packaged catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.catalog.cache import differences, layer_status, store
from capacity.catalog.layers import cache_dir, found_cache_dir
from capacity.catalog.prices import price, regions
from capacity.catalog.table import COLUMNS, data_summary, load_catalog, packaged_catalog
from capacity.errors import CatalogError, SpecError

NAMES = [c.name for c in COLUMNS]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def overrides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    monkeypatch.setenv("CAPACITY_OVERRIDES", str(path))
    return path


def row(name: str, day: str = "2027-01-01", **cells: str) -> str:
    known = {"instance_type": name, "family": name.partition(".")[0], "sources": "ec2_cache", "as_of": day, **cells}
    return ",".join(known.get(n, "") for n in NAMES)


def test_without_cache_and_overrides_nothing_changes() -> None:
    assert load_catalog() is packaged_catalog()
    assert list(data_summary()) == ["date", "types"]
    assert layer_status() == ()
    assert differences() == []


def test_a_new_type_and_newer_figures(cache: Path) -> None:
    store([row("m99.large", max_enis="3", ipv4_per_eni="10", vcpus="2"), row("m5.large", vcpus="3", max_enis="9")], [])
    catalog = load_catalog()
    assert catalog.get("m99.large").max_enis == 3
    assert catalog.get("m99.large").branch_enis is None
    large = catalog.get("m5.large")
    assert large.vcpus == 3
    assert large.max_enis == 3  # what nodeadm's and ipamd's tables say holds for the node, whatever EC2 answers
    assert large.branch_enis == 9  # EC2 says nothing of it: the package's stays
    assert "ec2_cache" in large.sources
    assert data_summary() == {
        "date": "2027-01-01",
        "types": len(packaged_catalog()) + 1,
        "layers": ["package", "cache"],
    }
    assert {(d.instance_type, d.field, d.packaged, d.used) for d in differences()} >= {
        ("m99.large", "instance_type", None, "new"),
        ("m5.large", "vcpus", "2", "3"),
    }
    (status,) = layer_status()
    assert (status.name, status.holds, status.rows, status.date) == ("cache", "limits", 2, "2027-01-01")
    assert sorted(p.name for p in cache.iterdir()) == ["eni_limits.csv"]


def test_an_older_cache_gives_way_to_a_newer_package(cache: Path) -> None:
    store([row("m5.large", day="2020-01-01", vcpus="3")], [])
    assert cache.is_dir()
    assert load_catalog().get("m5.large").vcpus == 2


def test_rows_of_an_earlier_refresh_stay(cache: Path) -> None:
    store([row("m98.large", vcpus="2")], ["m98.large,us-east-1,USD,0.1,2027-01-01,ec2_cache"])
    store([row("m99.large", vcpus="2")], ["m98.large,eu-west-1,USD,0.2,2027-01-02,ec2_cache"])
    assert {"m98.large", "m99.large"} <= set(load_catalog().names())
    assert [getattr(price("m98.large", r), "per_hour", None) for r in ("us-east-1", "eu-west-1")] == [0.1, 0.2]
    assert "eu-west-1" in regions()
    assert not [p for p in cache.iterdir() if p.name.startswith(".")]  # no half-written file


def test_the_newer_price_counts(cache: Path) -> None:
    packaged = price("m5.large")
    assert packaged is not None
    store([], ["m5.large,us-east-1,USD,9,2020-01-01,ec2_cache"])
    assert price("m5.large") == packaged
    store([], ["m5.large,us-east-1,USD,9,2030-01-01,ec2_cache"])
    found = price("m5.large")
    assert found is not None
    assert (found.per_hour, cache.is_dir()) == (9, True)


def test_overrides_win_over_all(cache: Path, overrides: Path) -> None:
    store([row("m5.large", vcpus="3", memory_mib="9")], ["m5.large,us-east-1,USD,9,2030-01-01,ec2_cache"])
    overrides.write_text('[types."m5.large"]\nvcpus = 4\nmax_enis = 5\n[prices."m5.large"]\nus-east-1 = 0.5\n')
    large = load_catalog().get("m5.large")
    assert (large.vcpus, large.memory_mib, large.max_enis) == (4, 9, 5)
    found = price("m5.large")
    assert found is not None
    assert (found.per_hour, found.source) == (0.5, "override")
    assert data_summary()["layers"] == ["package", "cache", "overrides"]
    assert cache.is_dir()


def test_csv_overrides_in_the_cache_folder(cache: Path) -> None:
    cache.mkdir()
    (cache / "overrides.csv").write_text("instance_type,max_enis,ipv4_per_eni,trunking\nm99.large,4,15,true\n")
    kind = load_catalog().get("m99.large")
    assert (kind.max_enis, kind.ipv4_per_eni, kind.trunking, kind.vcpus) == (4, 15, True, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[types."m9.large"]\nvcpu = 2\n', r"unknown column 'vcpu' \(did you mean 'vcpus'\?\)"),
        ('[types."m9.large"]\nvcpus = -2\n', "vcpus: '-2' is not a whole number"),
        ('[types."m9.large"]\nvcpus = 2.5\n', "vcpus: '2.5' is not a whole number"),
        ('[types."m9.large"]\nvcpus = [2]\n', "expected a number, a word, true or false"),
        ('[types."m9.large"]\ntrunking = "maybe"\n', "not true or false"),
        ('[types."m9.large"]\narch = "a,b"\n', "contains a comma"),
        ('[types."m9"]\nvcpus = 2\n', "'m9' is not the name of an instance type"),
        ("[types.m9.large]\nvcpus = 2\n", "m9"),  # the name was not quoted: two tables
        ('[prices."m9.large"]\nus-east-1 = 0\n', "is not a price above 0"),
        ('[type."m9.large"]\n', "unknown table 'type'"),
        ("x = \n", "own.toml"),
    ],
)
def test_faults_of_an_override_file_are_one_line(overrides: Path, text: str, message: str) -> None:
    overrides.write_text(text)
    with pytest.raises(SpecError, match=message) as caught:
        load_catalog()
    assert "own.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_of_a_csv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    monkeypatch.setenv("CAPACITY_OVERRIDES", str(path))
    with pytest.raises(SpecError, match="no such file"):
        load_catalog()
    for text, message in (
        ("name,vcpus\n", "starts with 'instance_type'"),
        ("instance_type,vcpus\nm9.large,2,3\n", "own.csv:2: 3 cells instead of 2"),
        ("instance_type,vcpus\nm9.large,2\nm9.large,2\n", "own.csv:3: duplicate 'm9.large'"),
    ):
        path.write_text(text)
        with pytest.raises(SpecError, match=message):
            load_catalog()


def test_a_cache_of_another_version_says_what_to_do(cache: Path) -> None:
    cache.mkdir()
    (cache / "eni_limits.csv").write_text("old,header\n")
    with pytest.raises(CatalogError, match="capacity data refresh creates a new file"):
        load_catalog()


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(SpecError, match="cannot be written"):
        store([row("m9.large")], [])


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CAPACITY_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert found_cache_dir() is None
    folder = cache_dir()
    folder.mkdir(parents=True)
    assert found_cache_dir() == folder
    assert folder.name == "eks-pod-capacity"
