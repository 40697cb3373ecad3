"""`--price-file`: what is read, and what each wrong line is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.cost.price_file import parse_price_file, read_price_file
from capacity.errors import SpecError

HEAD = "type,usd_per_hour\n"


def test_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(
        "\ufefftype,region,usd_per_hour,os,capacity_type\r\n"
        "m5.large,,0.08,,\r\n"
        "\r\n"
        ' m5.large , us-east-1 ,"0.07",linux,on-demand\r\n'
        "m5.large,us-east-1,0.17,windows,\r\n"
        "m5.large,us-east-1,0.03,,spot\r\n",
        encoding="utf-8",
    )
    found = read_price_file(path)
    assert found.find("m5.large", "us-east-1", "linux", "on-demand") == 0.07
    assert found.find("m5.large", "eu-west-1", "linux", "on-demand") == 0.08
    assert found.find("m5.large", None, "linux", "on-demand") == 0.08
    assert found.find("m5.large", "us-east-1", "windows", "on-demand") == 0.17
    assert found.find("m5.large", "eu-west-1", "windows", "on-demand") is None
    assert found.find("m5.large", "us-east-1", "linux", "spot") == 0.03
    assert found.find("m5.xlarge", "us-east-1", "linux", "on-demand") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "p.csv:1: no column 'type'"),
        ("type\nm5.large\n", "p.csv:1: no column 'usd_per_hour'"),
        ("type,usd_per_hours\n", r"p.csv:1: 'usd_per_hours' is not a column .* \(did you mean 'usd_per_hour'\?\)"),
        ("type,usd_per_hour,type\n", "p.csv:1: duplicate column 'type'"),
        (HEAD, "p.csv: no prices"),
        (HEAD + "m5.large\n", "p.csv:2: 1 cells"),
        (HEAD + "m5.large,0.1,x\n", "p.csv:2: 3 cells"),
        (HEAD + "m5.lage,0.1\n", r"p.csv:2: type: 'm5.lage' is not a known instance type \(did you mean"),
        (HEAD + "m5.large,0\n", "p.csv:2: usd_per_hour: '0' is not a price"),
        (HEAD + "m5.large,0.0\n", "is not a price"),
        (HEAD + "m5.large,-0.1\n", "is not a price"),
        (HEAD + "m5.large,nan\n", "is not a price"),
        (HEAD + "m5.large,1e3\n", "is not a price"),
        (HEAD + "m5.large,1_0\n", "is not a price"),
        (HEAD + "m5.large,\u0661\n", "is not a price"),
        (HEAD + "m5.large,999999\n", "at most 100,000"),
        (HEAD + "m5.large,$0.1\n", "is not a price"),
        (HEAD + "m5.large,\n", "p.csv:2: usd_per_hour: '' is not a price"),
        (HEAD + "\nm5.large,0.1\nm5.large,0.2\n", r"p.csv:4: duplicate price for m5.large .* in line 3\)"),
        (HEAD + 'm5.large,"0.1\n', "p.csv:2: not a line of CSV"),
        ("type,usd_per_hour,region\nm5.large,0.1,Ohio\n", "p.csv:2: region: 'Ohio' is not a region"),
        ("type,usd_per_hour,os\nm5.large,0.1,macos\n", "p.csv:2: os: 'macos' is not one of linux, windows"),
        ("type,usd_per_hour,capacity_type\nm5.large,0.1,sport\n", r"p.csv:2: capacity_type: 'sport' .*'spot'\?"),
        (HEAD + "\u043c5.large,0.1\n", "p.csv:2: type: '\u043c5.large' is not a known instance type"),
    ],
)
def test_a_wrong_line_is_named(text: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        parse_price_file(text, "p.csv")


def test_every_wrong_line_is_named_in_one_run() -> None:
    text = HEAD + "m5.lage,0.1\nm5.large,free\nm5.large,0.1\nm5.large,0.2\n"
    with pytest.raises(SpecError) as caught:
        parse_price_file(text, "p.csv")
    assert [line.split(" ")[0] for line in caught.value.lines] == ["p.csv:2:", "p.csv:3:", "p.csv:5:"]


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        read_price_file(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"type,usd_per_hour\nm5.large,\xff\n")
    with pytest.raises(SpecError, match="not UTF-8 text"):
        read_price_file(tmp_path / "latin.csv")
