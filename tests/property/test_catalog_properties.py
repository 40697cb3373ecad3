"""What holds for any row and any list of names."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from capacity.catalog.order import natural_key, size_rank
from capacity.catalog.table import COLUMNS, HEADER, Catalog, parse_row
from capacity.readers.aws.types import written as text

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
NAMES = st.builds(lambda family, size: f"{family}.{size}", WORDS, WORDS)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.none() | st.integers(0, 2**31 - 1),
    "float": st.none() | st.floats(0.001, 10_000).map(lambda x: float(f"{x:.10g}")),
    "bool": st.none() | st.booleans(),
    "str": st.none() | WORDS,
    "list": st.lists(WORDS, max_size=3).map(tuple),
}


@st.composite
def rows(draw: st.DrawFn) -> list[Any]:
    name = draw(NAMES)
    values = [draw(CELLS[c.kind]) for c in COLUMNS]
    return [name, name.partition(".")[0], *values[2:-1], draw(WORDS)]


def written(values: list[Any]) -> str:
    """A row as the build script writes it."""
    return ",".join("" if v is None else ";".join(v) if isinstance(v, tuple) else text(v) for v in values)


@given(rows())
def test_a_row_written_by_the_build_script_reads_back(values: list[Any]) -> None:
    read = parse_row(written(values), "here")
    attributes = ["name", *(c.name for c in COLUMNS[1:])]
    assert [getattr(read, a) for a in attributes] == values


@given(st.lists(rows(), unique_by=lambda values: values[0], max_size=8), NAMES)
def test_the_scan_finds_what_parsing_everything_finds(table: list[list[Any]], asked: str) -> None:
    catalog = Catalog("\n".join([HEADER, *map(written, table)]) + "\n")
    every = {t.name: t for t in catalog.all()}
    fresh = Catalog("\n".join([HEADER, *map(written, table)]) + "\n")
    assert (asked in fresh) == (asked in every)
    assert all(fresh.get(name) == every[name] for name in every)
    assert len(fresh) == len(every)


@given(st.permutations(["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "16xlarge", "metal"]))
def test_sizes_sort_the_same_from_any_order(sizes: list[str]) -> None:
    ordered = sorted(sizes, key=size_rank)
    assert ordered == ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "16xlarge", "metal"]


@given(NAMES, NAMES)
def test_the_order_of_names_is_total(a: str, b: str) -> None:
    assert (natural_key(a) == natural_key(b)) == (a == b)
    assert (natural_key(a) < natural_key(b)) or (natural_key(b) < natural_key(a)) or a == b
