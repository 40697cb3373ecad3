"""Each check of `capacity data verify` fails when the data has the fault it looks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from capacity.catalog.packaged import data_dir
from capacity.catalog.provenance import DataSource, load_sources
from capacity.catalog.status import data_status
from capacity.catalog.verify import Check, verify
from capacity.errors import CatalogError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the packaged data that a test may damage."""
    for file in data_dir().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def append(file: Path, line: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


def cell(data: Path, name: str, column: str, value: str) -> None:
    """Change one cell of one row of ``eni_limits.csv``."""
    lines = (data / "eni_limits.csv").read_text().splitlines()
    at = lines[0].split(",").index(column)
    for i, line in enumerate(lines):
        if line.startswith(name + ","):
            cells = line.split(",")
            cells[at] = value
            lines[i] = ",".join(cells)
    (data / "eni_limits.csv").write_text("\n".join(lines) + "\n")


def failures(data: Path) -> dict[str, list[str]]:
    return {c.name: c.failures for c in verify(data) if c.failures}


def test_the_packaged_data_passes_and_every_check_looks_at_something() -> None:
    checks = verify()
    assert [c.name for c in checks if c.failures] == []
    assert {c.name: c.checked > 0 for c in checks} == dict.fromkeys([c.name for c in checks], True)
    assert len(checks) == 9


@pytest.mark.parametrize(
    ("column", "value", "check", "message"),
    [
        ("max_enis", "300", "ranges", "m5.large: max_enis 300 is outside 1 to 64"),
        ("memory_mib", "8", "ranges", "m5.large: memory_mib 8 is outside 256 to"),
        ("arch", "sparc", "ranges", "m5.large: arch 'sparc' is not one of x86_64, arm64"),
        ("branch_enis", "122", "ranges", "m5.large: branch_enis 122 is outside 0 to 121"),
        ("max_enis", "4", "consistency", "m5.large: 4 ENIs on the default card, 3 in total"),
        ("max_enis_total", "4", "consistency", "m5.large: one card, but 3 of 4 ENIs on it"),
        ("network_cards", "4", "consistency", "m5.large: 4 cards for 3 ENIs"),
        ("ipv4_per_eni", "", "consistency", "m5.large: ENIs are known without addresses per ENI"),
        ("branch_enis", "0", "consistency", "m5.large: trunking True with 0 branch ENIs"),
        ("trunking", "", "consistency", "m5.large: branch ENIs are known without trunking"),
        ("bare_metal", "true", "consistency", "m5.large: bare metal with hypervisor 'nitro'"),
        ("network_peak_gbps", "0.5", "consistency", "m5.large: network baseline above its peak"),
        ("gpus", "1", "consistency", "m5.large: accelerators without a name"),
        ("vcpus", "6", "family_order", "m5.xlarge: vcpus 4, but m5.large has 6"),
        ("ipv4_per_eni", "9", "max_pods", "m5.large: 26 max pods, stated 29"),
        ("sources", "hearsay", "sources", "m5.large: sources ('hearsay',)"),
        ("as_of", "2026-10-28", "sources", "m5.large: as_of '2026-10-28', but its newest source is of '2026-10-27'"),
    ],
)
def test_a_wrong_cell_is_found(data: Path, column: str, value: str, check: str, message: str) -> None:
    cell(data, "m5.large", column, value)
    found = failures(data)
    assert any(message in line for line in found[check]), found
    assert found["files"] == ["eni_limits.csv: its sha256 is not the one in SOURCES.toml (edited by hand, or damaged)"]


@pytest.mark.parametrize(
    ("damage", "check", "message"),
    [
        (lambda d: (d / "facts.csv").unlink(), None, "no such file"),
        (
            lambda d: edit(d / "prices.csv", "a1.large,us-east-1,USD", "a1.large,us-east-1,CNY"),
            "prices",
            "currency CNY",
        ),
        (lambda d: edit(d / "prices.csv", "a1.large,us-east-1", "a9.large,us-east-1"), "prices", "no such type"),
        (lambda d: edit(d / "prices.csv", "a1.large,us-east-1", "a1.metal,us-east-1"), "prices", "more than one price"),
        (
            lambda d: edit(
                d / "prices.csv", "a1.large,us-east-1,USD,0.051,2026-07-20", "a1.large,us-east-1,USD,0.051,July"
            ),
            "prices",
            "'July' is not a date",
        ),
        (
            lambda d: edit(d / "disagreements.csv", "i4i.large,branch_enis,9", "i4i.large,branch_enis,8"),
            "disagreements",
            "chosen '8', the catalog has '9'",
        ),
        (
            lambda d: edit(
                d / "exceptions.csv", "family_order,d3.8xlarge,max_enis,", "family_order,m5.large,max_enis,"
            ),
            "exceptions",
            "m5.large no longer needs this exception",
        ),
        (
            lambda d: edit(
                d / "exceptions.csv", "family_order,d3.8xlarge,max_enis,", "family_order,m5.large,max_enis,"
            ),
            "family_order",
            "d3.8xlarge: max_enis 3, but d3.4xlarge has 4",
        ),
        (
            lambda d: edit(d / "stated_max_pods.csv", "\nm5.large,29", "\nm5.huge,29"),
            "max_pods",
            "'m5.huge' has no ENI figures in the catalog",
        ),
        (
            lambda d: edit(d / "facts.csv", "\nm5.large,vcpus,2,karp_doc", "\nm5.large,vcpus,2,hearsay"),
            "sources",
            "sources 'hearsay'",
        ),
        (lambda d: append(d / "facts.csv", "hi1.4xlarge,vcpus,16,pricing"), "files", "rows instead of the"),
    ],
)
def test_other_damage_is_found(data: Path, damage: Callable[[Path], object], check: str | None, message: str) -> None:
    damage(data)
    if check is None:
        with pytest.raises(CatalogError, match=message):
            verify(data)
    else:
        assert any(message in line for line in failures(data)[check]), failures(data)


class TestSources:
    def test_every_source_says_where_it_is_from(self) -> None:
        sources, files = load_sources()
        for key, source in sources.items():
            assert key == source.key
            assert source.title
            assert source.origin.startswith("https://")
            assert source.version
            assert source.licence
        assert {f.name for f in files} >= {"eni_limits.csv", "facts.csv", "prices.csv"}

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("[sources.karp]", "[sources.karp"),
            ('date = "2026-08-06"', 'date = "August"'),
            ('title = "Karpenter\'s table of VPC limits"', 'name = "limits"'),
        ],
    )
    def test_a_damaged_list_is_one_line(self, data: Path, old: str, new: str) -> None:
        edit(data / "SOURCES.toml", old, new)
        with pytest.raises(CatalogError, match=r"SOURCES\.toml: \w+") as caught:
            load_sources(data)
        assert "\n" not in str(caught.value)

    def test_age(self) -> None:
        made = DataSource("k", "t", "https://x", "", "1", "MIT", dt.date(2026, 10, 27))
        assert made.age_days(dt.date(2026, 11, 24)) == 28  # 4 days of October and 24 of November
        assert DataSource("k", "t", "https://x", "", "1", "MIT", None).age_days(dt.date(2026, 11, 24)) is None


class TestStatus:
    def test_counts_dates_and_what_is_unknown(self) -> None:
        now = data_status(dt.date(2026, 11, 24))
        assert (now.date, now.age_days, now.types) == ("2026-10-27", 28, 1470)
        assert all(f.fault is None for f in now.files)
        assert "hi1.4xlarge" in now.without_eni_figures
        assert [(p.region, p.currency) for p in now.prices] == [
            ("cn-north-1", "CNY"),
            ("us-east-1", "USD"),
            ("us-gov-east-1", "USD"),
            ("us-gov-west-1", "USD"),
        ]

    def test_sources_are_newest_first_and_undated_last(self) -> None:
        dates = [s.source.date for s in data_status(dt.date(2026, 11, 24)).sources]
        dated = [d for d in dates if d]
        assert dated == sorted(dated, reverse=True)
        assert dates == [*dated, None]


def test_a_check_counts_what_it_looked_at() -> None:
    check = Check("c", "what")
    check.expect(True, "never shown")
    check.expect(False, "shown")
    assert (check.checked, check.failures) == (2, ["shown"])
