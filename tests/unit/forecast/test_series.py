"""Files of the past as daily series: every kind, in any order, and what is wrong with a bad one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.forecast.formats import Reading, parse_csv, parse_json, read_history
from capacity.forecast.series import FREE, USED, daily_series, parse_time


def rows(reading: Reading) -> list[tuple[str, str, float, str]]:
    return [(o.subnet, o.time.strftime("%m-%dT%H:%M"), o.value, o.kind) for o in reading.observations]


class TestCsv:
    def test_any_order_zones_blank_lines_and_gaps(self) -> None:
        text = (
            "\ufefftime,subnet,free\n2026-11-02T01:00:00+02:00,a,7\n\n2026-11-01,a,9\n"
            "2026-11-03T00:00:00Z,a,\n1793491200,b,5\n1793491200000,b,4\n"
        ).lstrip("\ufeff")
        reading = parse_csv(text, "h.csv")
        assert rows(reading) == [
            ("a", "11-01T23:00", 7, FREE),
            ("a", "11-01T00:00", 9, FREE),
            ("b", "11-01T00:00", 5, FREE),
            ("b", "11-01T00:00", 4, FREE),
        ]
        assert reading.notes == ["h.csv: times without a zone are read as UTC"]
        a, b = daily_series(reading.observations)
        assert (a.values.tolist(), a.first, a.observations) == ([7], date(2026, 11, 1), 2)
        assert b.values.tolist() == [4]  # the later of two of one moment

    def test_other_names_semicolons_used_and_sizes(self) -> None:
        reading = parse_csv("Timestamp;Subnet_ID;used;usable\n2026-11-01T00:00Z;s;12;251\n", "h.csv")
        assert rows(reading) == [("s", "11-01T00:00", 12, USED)]
        assert daily_series(reading.observations)[0].usable == 251

    def test_a_file_of_one_subnet_needs_its_name(self) -> None:
        text = "time,free\n2026-11-01T00:00Z,12\n"
        assert rows(parse_csv(text, "h.csv", "mine"))[0][0] == "mine"
        with pytest.raises(SpecError, match=r"h\.csv:1: expected a header with time, subnet and free"):
            parse_csv(text, "h.csv")

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("yesterday,a,3", "h.csv:2 time: 'yesterday' is not a time"),
            ("2026-11-01,a,many", "h.csv:2 free: 'many' is not a number of addresses"),
            ("2026-11-01,a,-3", "h.csv:2 free: '-3' is out of range"),
            ("2026-11-01,a,inf", "h.csv:2 free: 'inf' is out of range"),
            ("1926-11-01,a,3", "h.csv:2 time: '1926-11-01' is out of range"),
            ("2026-11-01,a", "h.csv:2: 2 cells \\(expected 3"),
            ("2026-11-01,,3", "h.csv:2: no subnet"),
        ],
    )
    def test_a_bad_line_is_named(self, line: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            parse_csv(f"time,subnet,free\n{line}\n", "h.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [("time\rx,subnet,free\n", "h.csv:1: not CSV: "), ("x" * 9000, "h.csv:1: expected a header with time, subnet")],
)
def test_a_header_that_is_none_is_one_short_line(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_csv(text, "h.csv")
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 400


def test_a_day_counts_with_its_worst_hour() -> None:
    text = "time,subnet,free\n2026-11-01T06:00Z,a,9\n2026-11-01T12:00Z,a,2\n2026-11-01T18:00Z,a,8\n"
    assert daily_series(parse_csv(text, "h").observations)[0].values.tolist() == [2]
    assert daily_series(parse_csv(text.replace("free", "used"), "h").observations)[0].values.tolist() == [9]


def test_free_here_and_used_there_join_where_the_size_is_known() -> None:
    free = parse_csv("time,subnet,free,usable\n2026-11-01T06:00Z,a,9,20\n", "f").observations
    used = parse_csv("time,subnet,used\n2026-11-02T06:00Z,a,14\n", "u").observations
    (joined,) = daily_series([*used, *free])
    assert (joined.kind, joined.values.tolist()) == (USED, [11, 14])
    with pytest.raises(SpecError, match="a: one history has free, another used addresses"):
        daily_series([*used, *parse_csv("time,subnet,free\n2026-11-01T06:00Z,a,9\n", "f").observations])


@pytest.mark.parametrize("value", ["20261101", "2026-11-01T00:00:00", 1793491200, "1793491200.0", "1793491200000"])
def test_times(value: Any) -> None:
    assert parse_time(value, "")[0] == datetime(2026, 11, 1, tzinfo=UTC)


class TestCloudWatch:
    def test_get_metric_data(self) -> None:
        answer = {
            "MetricDataResults": [
                {
                    "Id": "m1",
                    "Label": "subnet-0123456789abcdef0 AvailableIpAddressCount",
                    "Timestamps": ["2026-11-02T00:00:00+00:00", "2026-11-01T00:00:00Z"],
                    "Values": [7.0, 9.0],
                    "StatusCode": "PartialData",
                },
                {"Id": "m2", "Label": "private-b free", "Timestamps": [1793491200], "Values": [3]},
                {"Id": "m3", "Label": "private-b SubnetIPUsage percent", "Timestamps": [], "Values": []},
            ],
            "Messages": [],
        }
        reading = parse_json(json.dumps(answer), "cw.json")
        assert rows(reading) == [
            ("subnet-0123456789abcdef0", "11-02T00:00", 7, FREE),
            ("subnet-0123456789abcdef0", "11-01T00:00", 9, FREE),
            ("private-b", "11-01T00:00", 3, FREE),
        ]
        assert any("partial" in n for n in reading.notes)
        assert any("does not count addresses" in n for n in reading.notes)

    def test_get_metric_statistics_takes_the_worst_of_each_period(self) -> None:
        point = {"Timestamp": "2026-11-01T00:00:00Z", "Average": 9.5, "Minimum": 4.0, "Maximum": 12.0, "Unit": "Count"}
        free = {"Label": "AvailableIpAddressCount", "Datapoints": [point]}
        held = {"Label": "totalIPAddresses", "Datapoints": [point]}
        assert rows(parse_json(json.dumps(free), "s.json", "a")) == [("a", "11-01T00:00", 4, FREE)]
        assert rows(parse_json(json.dumps(held), "s.json", "a")) == [("a", "11-01T00:00", 12, USED)]
        with pytest.raises(SpecError, match="does not name its subnet"):
            parse_json(json.dumps(free), "s.json")

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            ({"Label": "a latency", "Timestamps": [], "Values": []}, "does not show whether it counts free or used"),
            ({"Label": "a free", "Timestamps": [1], "Values": []}, "1 timestamps but 0 values"),
            ({"Label": "free", "Timestamps": [], "Values": []}, "has no subnet"),
            ({"Label": "a free", "Timestamps": ["x"], "Values": [1]}, "'x' is not a time"),
            (7, "does not have the format"),
        ],
    )
    def test_what_is_wrong(self, result: Any, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            parse_json(json.dumps({"MetricDataResults": [result]}), "cw.json")


def prometheus(*series: tuple[dict[str, str], list[list[Any]]]) -> str:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


class TestPrometheus:
    def test_an_exporter_of_subnets_with_their_sizes(self) -> None:
        labels = {"subnetid": "subnet-0123456789abcdef0", "name": "private-a", "az": "us-east-1a"}
        text = prometheus(
            ({"__name__": "aws_subnet_exporter_max_ips", **labels}, [[1793491200, "251"]]),
            ({"__name__": "aws_subnet_exporter_available_ips", **labels}, [[1793491200, "9"], [1793577600.5, "NaN"]]),
            ({"__name__": "aws_subnet_exporter_available_ips", **labels, "pod": "b"}, [[1793491200, "9"]]),
            ({"__name__": "aws_subnet_exporter_available_prefixes", **labels}, [[1793491200, "2"]]),
        )
        reading = parse_json(text, "p.json")
        assert rows(reading) == [("private-a", "11-01T00:00", 9, FREE)] * 2
        assert reading.sizes == {"private-a": 251}
        assert any("available_prefixes: ignored" in n for n in reading.notes)

    def test_the_cnis_own_metrics_are_added_up_over_nodes(self) -> None:
        text = prometheus(
            ({"__name__": "awscni_total_ip_addresses", "instance": "n1"}, [[1793491200, "14"], [1793577600, "28"]]),
            ({"__name__": "awscni_total_ip_addresses", "instance": "n2"}, [[1793577600, "14"]]),
        )
        reading = parse_json(text, "p.json")
        assert rows(reading) == [("cluster", "11-01T00:00", 14, USED), ("cluster", "11-02T00:00", 42, USED)]
        assert "has no subnet" in reading.notes[0]
        assert rows(parse_json(text, "p.json", "pods-a"))[1] == ("pods-a", "11-02T00:00", 42, USED)

    def test_free_addresses_of_nobody_are_not_added_up(self) -> None:
        text = prometheus(({"__name__": "ips_free"}, [[1, "2"]]), ({"__name__": "ips_free", "x": "y"}, [[1, "2"]]))
        with pytest.raises(SpecError, match="without a label for the subnet"):
            parse_json(text.replace("[1, ", "[1793491200, "), "p.json")


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty: nothing recorded yet"),
            (b"\xff\xfe\x00", "neither text nor a file of capacity record"),
            (b'{"a": ', "not valid JSON"),
            (b'{"a": 1}', "no history in it"),
            (b"[" * 100_000, "nested too deeply"),
            (b"time,subnet,free\n", "no observation"),
            (b"[]", "no observation"),
            (b"time,sub\rnet,free\n", ":1: not CSV"),
            (b"SQLite format 3\x00 and then something else", "not a file of capacity record, or is damaged"),
        ],
    )
    def test_what_is_no_history(self, tmp_path: Path, content: bytes, message: str) -> None:
        file = tmp_path / "h"
        file.write_bytes(content)
        with pytest.raises(SpecError, match=message):
            read_history(file)

    def test_no_file_and_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match="no such file"):
            read_history(tmp_path / "none.csv")
        with pytest.raises(SpecError, match="is a directory"):
            read_history(tmp_path)

    def test_sizes_reach_the_observations(self, tmp_path: Path) -> None:
        file = tmp_path / "p.json"
        labels = {"subnet": "a"}
        file.write_text(
            prometheus(
                ({"__name__": "x_usable", **labels}, [[1793491200, "11"]]),
                ({"__name__": "x_used", **labels}, [[1793491200, "9"]]),
            )
        )
        assert [o.usable for o in read_history(file).observations] == [11]
