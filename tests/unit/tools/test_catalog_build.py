"""The script that builds the catalog: its rules, its refusals, and that it makes the committed bytes again."""

from __future__ import annotations

import copy
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from capacity.catalog.packaged import data_dir
from capacity.catalog.table import COLUMNS, HEADER
from capacity.readers.aws import types as aws_types
from tools import build_catalog, build_prices
from tools.build_catalog import BuildError, Statement, resolve

ANSWER: dict[str, Any] = {
    "InstanceType": "x9.large",
    "BareMetal": False,
    "CurrentGeneration": True,
    "Hypervisor": "nitro",
    "EbsInfo": {"AttachmentLimitType": "dedicated", "MaximumEbsAttachments": 32},
    "MemoryInfo": {"SizeInMiB": 8192},
    "NetworkInfo": {
        "DefaultNetworkCardIndex": 0,
        "Ipv4AddressesPerInterface": 10,
        "Ipv6AddressesPerInterface": 10,
        "MaximumNetworkCards": 1,
        "MaximumNetworkInterfaces": 3,
        "NetworkCards": [
            {
                "NetworkCardIndex": 0,
                "MaximumNetworkInterfaces": 3,
                "BaselineBandwidthInGbps": 0.75,
                "PeakBandwidthInGbps": 12.5,
            }
        ],
        "NetworkPerformance": "Up to 12.5 Gigabit",
    },
    "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]},
    "VCpuInfo": {"DefaultVCpus": 2},
}
DATES = {"moto": "2026-01-01", "old": "2025-01-01", "new": "2026-06-01", "undated": ""}


def facts(**network: Any) -> dict[str, str]:
    """What the script reads from :data:`ANSWER` with some of ``NetworkInfo`` replaced."""
    answer = copy.deepcopy(ANSWER)
    answer["NetworkInfo"].update(network)
    return aws_types.type_facts(answer)


def cards(*interfaces: int, gbps: float = 100) -> list[dict[str, Any]]:
    return [
        {
            "NetworkCardIndex": i,
            "MaximumNetworkInterfaces": n,
            "BaselineBandwidthInGbps": gbps,
            "PeakBandwidthInGbps": gbps,
        }
        for i, n in enumerate(interfaces)
    ]


class TestMotoFacts:
    def test_a_plain_type(self) -> None:
        read = facts()
        assert (read["max_enis"], read["max_enis_total"], read["ipv4_per_eni"]) == ("3", "3", "10")
        assert (read["arch"], read["hypervisor"], read["bare_metal"]) == ("x86_64", "nitro", "false")
        assert (read["ebs_attachments"], read["ebs_shared"]) == ("32", "false")
        assert (read["network_baseline_gbps"], read["network_peak_gbps"]) == ("0.75", "12.5")
        assert (read["gpus"], read["accelerators"], read["accelerator"]) == ("0", "0", "none")

    def test_the_default_card_is_found_by_its_index_not_its_place(self) -> None:
        shuffled = list(reversed(cards(4, 7)))  # card 1 with 7 first, then card 0 with 4
        read = facts(
            NetworkCards=shuffled,
            DefaultNetworkCardIndex=0,
            MaximumNetworkInterfaces=11,
            MaximumNetworkCards=2,
            NetworkPerformance="200 Gigabit",
        )
        assert (read["max_enis"], read["max_enis_total"], read["network_cards"]) == ("4", "11", "2")

    @pytest.mark.parametrize(
        ("stated", "gbps"),
        [("200 Gigabit", "200"), ("4x 100 Gigabit", "400"), ("66.66 Gigabit", "66.66"), ("Very High", None)],
    )
    def test_the_bandwidth_of_several_cards_is_the_instances_own(self, stated: str, gbps: str | None) -> None:
        read = facts(NetworkCards=cards(8, 8), NetworkPerformance=stated)
        assert read.get("network_baseline_gbps") == gbps
        assert read.get("network_peak_gbps") == gbps

    def test_devices(self) -> None:
        answer = copy.deepcopy(ANSWER)
        answer["GpuInfo"] = {"Gpus": [{"Name": "L4", "Count": 0, "LogicalGpuCount": 1}]}  # a part of one L4
        assert aws_types.devices(answer) == (1, 0, "L4")
        answer = copy.deepcopy(ANSWER)
        answer["NeuronInfo"] = {"NeuronDevices": [{"Name": "Inferentia2", "Count": 12}]}
        answer["InferenceAcceleratorInfo"] = {"Accelerators": [{"Name": "Inferentia2", "Count": 12}]}
        assert aws_types.devices(answer) == (0, 12, "Inferentia2")  # the same devices, counted once


class TestResolve:
    def test_ec2_wins_over_a_newer_table(self) -> None:
        best, losers = resolve("network_peak_gbps", [Statement("15", ("new",)), Statement("8", ("moto",))], DATES)
        assert best == Statement("8", ("moto",))
        assert losers == [(Statement("15", ("new",)), "ec2")]

    def test_else_the_newer_table_wins(self) -> None:
        best, losers = resolve("network_peak_gbps", [Statement("0", ("old",)), Statement("9", ("new",))], DATES)
        assert best.value == "9"
        assert [rule for _, rule in losers] == ["newer"]

    def test_a_figure_cut_short_is_the_same_figure(self) -> None:
        stated = [Statement("66.66", ("new",)), Statement("66.666", ("moto",))]
        best, losers = resolve("network_peak_gbps", stated, DATES)
        assert best.value == "66.666"
        assert [rule for _, rule in losers] == ["rounded"]

    def test_all_that_agree_are_named(self) -> None:
        best, losers = resolve("network_peak_gbps", [Statement("3", ("old", "new")), Statement("3", ("moto",))], DATES)
        assert best.sources == ("moto", "new", "old")
        assert losers == []

    def test_no_rule_no_answer(self) -> None:
        with pytest.raises(BuildError, match="equally new"):
            resolve("network_peak_gbps", [Statement("1", ("new",)), Statement("2", ("new",))], DATES)


class TestFacts:
    def test_a_source_that_is_not_listed(self, tmp_path: Path) -> None:
        (tmp_path / "facts.csv").write_text("instance_type,field,value,sources\nm5.large,max_enis,3,hearsay\n")
        with pytest.raises(BuildError, match=r"facts\.csv:2: source 'hearsay' is not in SOURCES\.toml"):
            build_catalog.read_facts(tmp_path / "facts.csv", {"moto"})

    def test_a_field_that_does_not_exist(self, tmp_path: Path) -> None:
        (tmp_path / "facts.csv").write_text("instance_type,field,value,sources\nm5.large,max_eni,3,moto\n")
        with pytest.raises(BuildError, match=r"facts\.csv:2: unknown field 'max_eni'"):
            build_catalog.read_facts(tmp_path / "facts.csv", {"moto"})

    def test_a_comma_in_a_value_is_refused(self) -> None:
        stated = {"accelerator": [Statement("A, B", ("new",))]}
        with pytest.raises(BuildError, match="comma"):
            build_catalog.merge("x9.large", None, stated, DATES)

    def test_undated_sources_leave_the_date_empty(self) -> None:
        row, _ = build_catalog.merge("x9.large", None, {"max_enis": [Statement("3", ("undated",))]}, DATES)
        assert row[-2:] == ["undated", ""]


class TestRun:
    def test_the_installed_moto_makes_the_committed_bytes(self) -> None:
        """Fails without moto, which is a development dependency pinned to the release the data came from."""
        moto = build_catalog.read_moto(build_catalog.installed_moto())
        for name, blob in build_catalog.build(data_dir(), moto).items():
            assert blob == (data_dir() / name).read_bytes(), name

    def test_wheel_folder_and_plain_file_are_the_same_input(self, tmp_path: Path) -> None:
        payload = gzip.compress(json.dumps({"x9.large": ANSWER}).encode(), mtime=0)
        resource = tmp_path / build_catalog.RESOURCE
        resource.parent.mkdir(parents=True)
        resource.write_bytes(payload)
        (tmp_path / "moto-9.9.9.dist-info").mkdir()
        wheel = tmp_path / "moto-9.9.9-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(build_catalog.RESOURCE, payload)
        readings = [build_catalog.read_moto(p) for p in (tmp_path, wheel, resource)]
        assert len({r.sha256 for r in readings}) == 1
        assert [r.version for r in readings] == ["9.9.9", "9.9.9", None]
        assert all(r.types == {"x9.large": ANSWER} for r in readings)

    def test_a_release_nobody_dated_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        given = tmp_path / "answers.json"
        given.write_text(json.dumps({"x9.large": ANSWER}))
        assert build_catalog.main(["--moto", str(given)]) == 2
        assert "give its date with --date" in capsys.readouterr().err

    def test_a_new_release_adds_types_and_is_recorded(self, tmp_path: Path) -> None:
        data = copied_data(tmp_path)
        given = tmp_path / "answers.json"
        given.write_text(json.dumps({"x9.large": ANSWER}))
        run = ["--moto", str(given), "--version", "9.9.9", "--date", "2027-01-01", "--data", str(data), "--allow-lost"]
        assert build_catalog.main(run) == 0
        assert "\nx9.large,x9,3,3,1,10,10,,,2,8192," in (data / "eni_limits.csv").read_text()
        assert 'version = "9.9.9"\ndate = "2027-01-01"' in (data / "SOURCES.toml").read_text()
        before = {p.name: p.read_bytes() for p in data.iterdir()}
        assert build_catalog.main(run) == 0  # now recorded, the second run changes nothing
        assert {p.name: p.read_bytes() for p in data.iterdir()} == before

    def test_a_type_never_vanishes_unsaid(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        data = copied_data(tmp_path)
        given = tmp_path / "answers.json"
        given.write_text(json.dumps({"x9.large": ANSWER}))
        assert (
            build_catalog.main(["--moto", str(given), "--version", "9", "--date", "2027-01-01", "--data", str(data)])
            == 2
        )
        assert "types would vanish (r9g.12xlarge" in capsys.readouterr().err
        assert (data / "eni_limits.csv").read_bytes() == (data_dir() / "eni_limits.csv").read_bytes()

    def test_check_writes_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        data = copied_data(tmp_path)
        moto = build_catalog.installed_moto()
        (data / "facts.csv").write_text(
            (data / "facts.csv").read_text().replace("m5.large,branch_enis,9", "m5.large,branch_enis,8")
        )
        assert build_catalog.main(["--moto", str(moto), "--data", str(data), "--check"]) == 1
        assert capsys.readouterr().out == "differs: eni_limits.csv\ndiffers: SOURCES.toml\n"
        assert (data / "eni_limits.csv").read_bytes() == (data_dir() / "eni_limits.csv").read_bytes()

    def test_no_moto_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert build_catalog.main(["--moto", str(tmp_path)]) == 2
        assert "no describe-instance-types answers of moto there" in capsys.readouterr().err


def copied_data(tmp_path: Path) -> Path:
    """A copy of the data folder that a test may change."""
    data = tmp_path / "data"
    data.mkdir()
    for file in data_dir().iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    return data


def test_script_and_package_name_the_same_columns() -> None:
    assert ",".join(build_catalog.COLUMNS) == HEADER
    assert tuple(c.name for c in COLUMNS) == build_catalog.COLUMNS


GO = """
// generated at 2026-07-20T13:44:30Z for us-east-1
// generated at 2024-11-06T01:00:11Z for cn-north-1
var Prices = map[string]map[ec2types.InstanceType]float64{
\t// us-east-1
\t"us-east-1": {
\t\t"m5.large": 0.096000, "u-6tb1.112xlarge": 54.600000,
\t\t"m5.odd": 0.000000, "hpc.one": 2,
\t},
\t"cn-north-1": {
\t\t"m5.large": 1.013000,
\t},
}
"""


class TestPrices:
    def test_a_generated_table(self) -> None:
        assert build_prices.parse_prices(GO) == [
            ["m5.large", "us-east-1", "USD", "0.096", "2026-07-20", "pricing"],
            ["u-6tb1.112xlarge", "us-east-1", "USD", "54.6", "2026-07-20", "pricing"],
            ["hpc.one", "us-east-1", "USD", "2", "2026-07-20", "pricing"],
            ["m5.large", "cn-north-1", "CNY", "1.013", "2024-11-06", "pricing"],
        ]

    def test_an_undated_region_is_refused(self) -> None:
        with pytest.raises(build_prices.BuildError, match="no dated region"):
            build_prices.parse_prices(GO.replace("for cn-north-1", "for mars-1"))

    def test_a_checkout_is_read_and_sorted(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = tmp_path / build_prices.FOLDER
        folder.mkdir(parents=True)
        (folder / "zz_generated.pricing_aws.go").write_text(GO)
        assert build_prices.main([str(tmp_path), "--data", str(tmp_path)]) == 0
        assert (tmp_path / "prices.csv").read_text().splitlines()[:2] == [
            "instance_type,region,currency,price_per_hour,date,source",
            "hpc.one,us-east-1,USD,2,2026-07-20,pricing",
        ]
        assert "4 prices" in capsys.readouterr().out

    def test_not_a_checkout(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert build_prices.main([str(tmp_path)]) == 2
        assert "no pkg/providers/pricing" in capsys.readouterr().err


def test_the_tables_a_node_reads_win_for_the_enis_that_bound_its_pods() -> None:
    dates = DATES | {"cni": "2026-08-20", "eks_ami": "2026-07-01"}
    statements = [Statement("8", ("moto",)), Statement("15", ("cni", "eks_ami"))]
    best, losers = resolve("max_enis", statements, dates)
    assert (best.value, [rule for _, rule in losers]) == ("15", ["node"])
    assert resolve("max_enis_total", statements, dates)[0].value == "8"
