"""The catalog: one row found fast, all rows as objects, arrays and a DataFrame, and files that are damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.catalog.packaged import data_dir, read_rows
from capacity.catalog.table import COLUMNS, HEADER, Catalog, data_summary, load_catalog
from capacity.errors import CatalogError, SpecError, UnknownInstanceType

M5_LARGE = (
    "m5.large,m5,3,3,1,10,10,9,true,2,8192,x86_64,nitro,false,0,,0,0.75,10,27,true,false,karp;moto,2026-10-27"  # EC2
)
NAME_ONLY = "hi1.4xlarge,hi1" + "," * 20 + ",botocore,2026-11-17"


def catalog(*lines: str) -> Catalog:
    return Catalog("\n".join([HEADER, *lines]) + "\n", "given.csv")


def changed(field: str, value: str) -> str:
    cells = dict(zip((c.name for c in COLUMNS), M5_LARGE.split(","), strict=True))
    return ",".join((cells | {field: value}).values())


class TestGet:
    def test_a_row_becomes_an_instance_type(self) -> None:
        m5 = load_catalog().get("m5.large")
        assert (m5.max_enis, m5.ipv4_per_eni, m5.branch_enis, m5.trunking) == (3, 10, 9, True)
        assert (m5.vcpus, m5.memory_mib, m5.arch, m5.hypervisor, m5.bare_metal) == (2, 8192, "x86_64", "nitro", False)
        assert (m5.network_baseline_gbps, m5.network_peak_gbps) == (0.75, 10.0)
        assert (m5.ebs_attachments, m5.ebs_shared) == (27, True)
        assert "moto" in m5.sources
        assert m5.as_of == "2026-10-27"

    def test_what_nobody_knows_is_none(self) -> None:
        old = load_catalog().get("hi1.4xlarge")
        unknown = (old.max_enis, old.ipv4_per_eni, old.branch_enis, old.trunking, old.vcpus, old.bare_metal)
        assert set(unknown) == {None}
        assert old.sources == ("botocore",)

    def test_several_cards_are_bounded_by_the_default_one(self) -> None:
        p4d = load_catalog().get("p4d.24xlarge")
        assert (p4d.max_enis, p4d.max_enis_total, p4d.network_cards) == (15, 60, 4)

    def test_a_name_is_not_a_prefix_of_another(self) -> None:
        assert load_catalog().get("m5.metal").name == "m5.metal"
        with pytest.raises(UnknownInstanceType):
            load_catalog().get("m5.larg")

    @pytest.mark.parametrize(
        ("asked", "hint"),
        [
            ("m5.lrage", "'m5.lrage' is not a known instance type (did you mean 'm5.large'"),
            ("M5.Large", "'M5.Large' is not a known instance type (did you mean 'm5.large'"),
            ("m5.large,m5", "did you mean 'm5.large'"),  # would reach into the next cell
            ("instance_type", "'instance_type' is not a known instance type"),  # the header is no row
            ("", "'' is not a known instance type"),
            ("m5.large\n", "is not a known instance type"),
        ],
    )
    def test_an_unknown_name_names_the_nearest(self, asked: str, hint: str) -> None:
        with pytest.raises(UnknownInstanceType) as caught:
            load_catalog().get(asked)
        assert hint in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_the_place_in_a_file_leads_the_message(self) -> None:
        with pytest.raises(UnknownInstanceType, match=r"^nodeGroups\[2\]\.instanceType: 'm5\.lrage'"):
            load_catalog().get("m5.lrage", "nodeGroups[2].instanceType")


class TestManyTypes:
    def test_sizes_come_in_the_order_people_read_them(self) -> None:
        assert [t.name for t in load_catalog().match("m5.*")][:3] == ["m5.large", "m5.xlarge", "m5.2xlarge"]
        assert load_catalog().match("m5.*")[-1].name == "m5.metal"

    def test_a_pattern_with_classes(self) -> None:
        assert [t.name for t in load_catalog().match("c[67]g.large")] == ["c6g.large", "c7g.large"]

    def test_a_plain_name_is_its_own_pattern(self) -> None:
        assert [t.name for t in load_catalog().match("m5.large")] == ["m5.large"]
        with pytest.raises(UnknownInstanceType):
            load_catalog().match("m5.lrage")

    def test_a_pattern_that_nothing_fits(self) -> None:
        with pytest.raises(SpecError, match=r"^no known instance type matches 'zz\*'$"):
            load_catalog().match("zz*")

    def test_as_a_container(self) -> None:
        every = load_catalog()
        assert len(every) == len(every.all()) == len(list(every)) == len(every.names())
        assert "m5.large" in every
        assert "m5" not in every
        assert 5 not in every
        assert every.names() == [t.name for t in every.all()]

    def test_a_caller_cannot_change_the_names(self) -> None:
        load_catalog().names().clear()
        assert load_catalog().names()

    def test_an_empty_table(self) -> None:
        empty = Catalog(HEADER + "\n")
        assert (len(empty), empty.names(), empty.all(), empty.date) == (0, [], [], "")


class TestColumns:
    def test_unknown_is_masked_and_stays_masked_through_arithmetic(self) -> None:
        columns = catalog(M5_LARGE, NAME_ONLY).columns()
        assert list(columns["instance_type"]) == ["hi1.4xlarge", "m5.large"]
        pods = columns["max_enis"] * (columns["ipv4_per_eni"] - 1) + 2
        assert pods.mask.tolist() == [True, False]
        assert pods[1] == 29  # 3 * (10 - 1) + 2
        assert np.minimum(pods, 110).mask.tolist() == [True, False]

    def test_no_unknown_figure_is_a_zero_under_the_mask(self) -> None:
        for array in load_catalog().columns().values():
            assert not (array.data[np.ma.getmaskarray(array)] == 0).any() or array.dtype == np.bool_

    def test_every_column_agrees_with_the_rows(self) -> None:
        every = load_catalog()
        columns = every.columns()
        for column in COLUMNS:
            if column.kind != "list":
                attribute = "name" if column.name == "instance_type" else column.name
                assert columns[column.name].tolist() == [getattr(t, attribute) for t in every.all()]

    def test_the_frame_has_nullable_columns_and_units(self) -> None:
        frame = catalog(M5_LARGE, NAME_ONLY).to_frame()
        assert frame.loc["hi1.4xlarge", "max_enis"] is pd.NA
        assert frame.loc["m5.large", "max_enis"] == 3
        assert frame.loc["m5.large", "sources"] == "karp;moto"
        assert str(frame["trunking"].dtype) == "boolean"
        assert frame.attrs["units"]["memory_mib"] == "MiB"


class TestDamage:
    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("max_enis", "-3", "max_enis '-3': not a whole number of 0 or more"),
            ("max_enis", "3.0", "max_enis '3.0': not a whole number of 0 or more"),
            ("max_enis", "٣", "not a whole number"),
            ("vcpus", "two", "vcpus 'two': not a whole number"),
            ("trunking", "True", "trunking 'True': not true or false"),
            ("network_baseline_gbps", "nan", "not a finite number"),
            ("network_peak_gbps", "fast", "network_peak_gbps 'fast'"),
            ("family", "m6", "'m5.large' is not a type of the family 'm6'"),
            ("arch", "x86_64,arm64", "25 cells instead of 24"),
        ],
    )
    def test_a_damaged_cell_is_one_line_with_its_place(self, field: str, value: str, message: str) -> None:
        with pytest.raises(CatalogError) as caught:
            catalog(NAME_ONLY, changed(field, value)).get("m5.large")
        assert str(caught.value).startswith("given.csv:3: ")
        assert message in str(caught.value)

    def test_the_last_row_cut_short(self) -> None:
        with pytest.raises(CatalogError, match=r"given.csv:2: 5 cells instead of 24"):
            Catalog(HEADER + "\n" + "m5.large,m5,3,3,1", "given.csv").get("m5.large")

    def test_a_type_twice(self) -> None:
        with pytest.raises(CatalogError, match=r"^given.csv: 'm5.large' has more than one row$"):
            catalog(M5_LARGE, NAME_ONLY, M5_LARGE).all()

    def test_an_empty_line_in_the_middle(self) -> None:
        with pytest.raises(CatalogError, match=r"given.csv:3: 1 cells instead of 24"):
            catalog(M5_LARGE, "", NAME_ONLY).all()

    @pytest.mark.parametrize("text", ["", "instance_type,family\n", "\n" + HEADER + "\n", "<html>\n"])
    def test_another_header(self, text: str) -> None:
        with pytest.raises(CatalogError, match="the header is not that of an instance-type table"):
            Catalog(text)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogError, match="no such file"):
            load_catalog(tmp_path / "none.csv")

    def test_a_file_that_is_not_text(self, tmp_path: Path) -> None:
        (tmp_path / "binary.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe")
        with pytest.raises(CatalogError, match="not UTF-8 text"):
            load_catalog(tmp_path / "binary.csv")

    def test_a_given_file_is_checked_row_by_row(self, tmp_path: Path) -> None:
        (tmp_path / "own.csv").write_text("\n".join([HEADER, M5_LARGE, changed("vcpus", "x").replace("m5.l", "m5.xl")]))
        with pytest.raises(CatalogError, match=r"own\.csv:3"):
            load_catalog(tmp_path / "own.csv")

    def test_windows_line_ends_and_a_byte_order_mark_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "own.csv").write_bytes(("\ufeff" + "\r\n".join([HEADER, M5_LARGE]) + "\r\n").encode())
        assert load_catalog(tmp_path / "own.csv").get("m5.large").as_of == "2026-10-27"


class TestPrefixesPossible:
    @pytest.mark.parametrize(
        ("name", "possible"),
        [
            ("m5.large", True),  # nitro
            ("c5.metal", True),  # bare metal, where EC2 names no hypervisor
            ("m4.large", False),  # xen
            ("cr1.8xlarge", None),  # not bare metal, hypervisor unknown
            ("hi1.4xlarge", None),
        ],
    )
    def test_it_needs_nitro_or_bare_metal(self, name: str, possible: bool | None) -> None:
        assert load_catalog().get(name).prefixes_possible is possible


def test_the_trunk_slot_is_kept_where_nobody_says_no() -> None:
    every = load_catalog()
    assert [every.get(n).trunk_slot for n in ("m5.large", "m4.large", "r9g.large")] == [True, False, True]


def test_the_summary_counts_types_and_dates_the_limits() -> None:
    # botocore's list of names is newer (2026-11-17) but states no limits
    assert data_summary() == {"date": "2026-10-27", "types": len(load_catalog())}


def test_the_packaged_catalog_is_read_once() -> None:
    assert load_catalog() is load_catalog()


def test_a_single_lookup_imports_neither_numpy_nor_csv() -> None:
    code = (
        "import sys; from capacity.catalog.table import load_catalog, data_summary; load_catalog().get('m5.large');"
        "data_summary(); from capacity.catalog.price_lookup import price_per_hour; price_per_hour('m5.large');"
        "print({'numpy', 'pandas', 'csv', 'tomllib', 'importlib.resources'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_small_tables_name_the_line_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(CatalogError, match=r"^t\.csv:3: 1 cells instead of 2$"):
        read_rows(tmp_path / "t.csv", "a", "b")
    with pytest.raises(CatalogError, match=r"^t\.csv: the header is not a,c$"):
        read_rows(tmp_path / "t.csv", "a", "c")


def test_the_data_lies_beside_the_package_in_a_checkout() -> None:
    assert (data_dir() / "SOURCES.toml").is_file()
