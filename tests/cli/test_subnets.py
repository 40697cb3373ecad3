"""`capacity subnets` as typed: a plan, one subnet, saved output of the AWS CLI."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.entry import capacity


def results(*arguments: str) -> list[dict[str, Any]]:
    done = capacity("subnets", *arguments, "-o", "json")
    assert (done.code, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Two subnets; in the first a node with a secondary address and a prefix, and an endpoint."""
    subnets = [
        {"SubnetId": "subnet-0a", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "eu-west-1a"},
        {"SubnetId": "subnet-0b", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/25", "AvailabilityZone": "eu-west-1b"},
    ]
    subnets[0] |= {"AvailableIpAddressCount": 232, "Tags": [{"Key": "Name", "Value": "pods-a"}]}  # type: ignore[dict-item]
    subnets[1] |= {"AvailableIpAddressCount": 121}  # type: ignore[dict-item]

    def address(text: str, primary: bool) -> dict[str, object]:
        return {"PrivateIpAddress": text, "Primary": primary}

    interfaces = [
        {
            "NetworkInterfaceId": "eni-1",
            "SubnetId": "subnet-0a",
            "VpcId": "vpc-1",
            "Status": "in-use",
            "InterfaceType": "interface",
            "Description": "",
            "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0},
            "PrivateIpAddresses": [address("10.0.0.20", True), address("10.0.0.100", False)],
            "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.64/28"}],
            "TagSet": [],
        },
        {
            "NetworkInterfaceId": "eni-2",
            "SubnetId": "subnet-0a",
            "VpcId": "vpc-1",
            "Status": "in-use",
            "InterfaceType": "vpc_endpoint",
            "Description": "VPC Endpoint Interface vpce-0123",
            "PrivateIpAddresses": [address("10.0.0.4", True)],
            "TagSet": [],
        },
    ]
    (tmp_path / "subnets.json").write_text(json.dumps({"Subnets": subnets}))
    (tmp_path / "interfaces.json").write_text(json.dumps({"NetworkInterfaces": interfaces}))
    return tmp_path


class TestPlan:
    def test_fill_and_owners_are_checks_ledger(self) -> None:
        ledger = json.loads(capacity("check", "examples/shop-prod.yaml", "--scenario", "peak", "-o", "json").stdout)
        expected = ledger["results"]["scenarios"][0]["subnets"]
        found = results("examples/shop-prod.yaml", "--scenario", "peak")
        for mine, theirs in zip(found, expected, strict=True):
            assert (mine["name"], mine["free"], mine["usable"]) == (theirs["name"], theirs["free"], theirs["usable"])
            assert mine["owners"] == {k: v for k, v in theirs["used"].items() if v}
            assert mine["scenario"] == "peak"

    def test_a_short_subnet_has_no_block(self) -> None:
        short = results("examples/shop-prod.yaml", "--scenario", "peak")[1]
        assert (short["free"], short["free_prefixes_expected"], short["fragmentation"]) == (-43, 0.0, None)
        assert short["advice"] == ["43 addresses short: no /28 block is free"]

    def test_each_lost_zone_has_the_subnets_that_are_left(self) -> None:
        rows = results("examples/shop-prod.yaml", "--scenario", "zone-loss")
        assert [r["name"][-1] for r in rows] == ["b", "c", "a", "c", "a", "b"]  # what a lost zone had is lost

    def test_the_sum_is_that_of_the_tightest_variant(self) -> None:
        rows = results("examples/shop-prod.yaml", "--scenario", "zone-loss")
        free = min(sum(r["free"] for r in rows[i : i + 2]) for i in (0, 2, 4))
        page = capacity("subnets", "examples/shop-prod.yaml", "--scenario", "zone-loss", "-q").stdout
        head = page.splitlines()[0]
        # a and b are left: 507 + 251 usable
        assert head.startswith("2 subnets in zone-loss (us-east-1c), ")
        assert f"the tightest of 3: {free:,} of 758 addresses free" in head
        assert "\n- private-b in zone-loss (us-east-1a): " in page


class TestOneSubnet:
    def test_counts(self) -> None:
        # 16·14 + 27 = 251 addresses, 20 taken: 14 · C(235, 20) ÷ C(251, 20)
        (row,) = results("--cidr", "10.0.0.0/24", "--used", "20", "--want", "2")
        assert row["exact"] is False
        assert row["free_prefixes"] is None
        assert row["free_prefixes_expected"] == 3.551
        assert (row["free_prefixes_certain"], row["free_prefixes_most"]) == (0, 14)
        assert row["wanted"]["probability"] == pytest.approx(0.9592309, abs=1e-7)
        assert row["block_map"] == "A??????????????A"

    def test_a_list(self) -> None:
        (row,) = results("--cidr", "10.0.0.0/24", "--taken", "10.0.0.9, 10.0.0.32/28,10.0.0.50", "--want", "12")
        assert (row["exact"], row["used"], row["free_prefixes"]) == (True, 18, 12)
        assert row["block_map"] == "A.#+...........A"
        assert row["wanted"]["probability"] == 1
        assert sum(2 ** (32 - int(c.split("/")[1])) for c in row["wanted"]["reservation"]) == 12 * 16

    def test_a_file_of_addresses(self, tmp_path: Path) -> None:
        path = tmp_path / "taken.txt"
        path.write_text("# seen on Monday\n10.0.0.9\n10.0.0.50 10.0.0.51  # two more\n\n")
        (row,) = results("--cidr", "10.0.0.0/24", "--taken", str(path))
        assert (row["used"], row["free_prefixes"]) == (3, 13)
        path.write_text("10.0.0.9\n10.0.0.999\n")
        done = capacity("subnets", "--cidr", "10.0.0.0/24", "--taken", str(path))
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {path}:2: '10.0.0.999' is neither an IPv4 address")

    def test_reservations(self) -> None:
        reserved = ("--reservation", "10.0.0.64/26:prefix", "--reservation", "10.0.0.200/32:explicit")
        (row,) = results("--cidr", "10.0.0.0/24", "--used", "50", *reserved)
        assert (row["free_prefixes_certain"], row["block_map"]) == (4, "A???PPPP????E??A")
        assert row["reservations"][0] == {"cidr": "10.0.0.64/26", "type": "prefix"}

    def test_the_table_and_the_map_are_read_without_colour(self) -> None:
        page = capacity("subnets", "--cidr", "10.0.0.0/22", "--taken", "10.0.0.20").stdout
        assert "10.0.0.0/22, one letter per /28: 61 free /28 (.), 1 partly used (+), 2 with addresses that AWS" in page
        assert "  10.0.0.0         A+.............. ................ ................ ...............A" in page
        assert "\033" not in page
        assert "one letter" not in capacity("subnets", "--cidr", "10.0.0.0/22", "--used", "1").stdout
        assert "62 free or not" in capacity("subnets", "--cidr", "10.0.0.0/22", "--used", "1", "--map", "all").stdout

    def test_a_long_map_says_that_it_is_cut(self) -> None:
        page = capacity("subnets", "--cidr", "10.0.0.0/16", "--taken", "10.0.0.20").stdout
        assert "  … 48 more rows (--map all)" in page
        assert (
            "more rows"
            not in capacity("subnets", "--cidr", "10.0.0.0/16", "--taken", "10.0.0.20", "--map", "all").stdout
        )


class TestAnswers:
    def test_subnets_and_interfaces_are_exact(self, answers: Path) -> None:
        first, second = results("--from", str(answers))
        assert (first["name"], first["zone"], first["exact"]) == ("pods-a", "eu-west-1a", True)
        assert (first["used"], first["free"], first["free_prefixes"]) == (19, 232, 11)
        assert first["block_map"] == "A+..#.+........A"
        assert first["owners"]["endpoint"] == 1
        assert sum(first["owners"].values()) == 19
        assert first["drain"] == []  # an instance is no node of a cluster unless something says so
        assert second["drain"] == []
        # nobody lists the two addresses that AWS counts: they may lie anywhere
        assert (second["exact"], second["used"], second["owners"]) == (False, 2, {"not listed": 2})
        assert (second["free_prefixes_certain"], second["free_prefixes_most"]) == (4, 6)

    def test_which_nodes_to_replace(self, answers: Path) -> None:
        path = answers / "interfaces.json"
        text = json.loads(path.read_text())
        cluster = {"Key": "cluster.k8s.amazonaws.com/name", "Value": "shop"}
        instance = {"Key": "node.k8s.amazonaws.com/instance_id", "Value": "i-1"}
        text["NetworkInterfaces"][0]["TagSet"] = [cluster, instance]
        path.write_text(json.dumps(text))
        first, second = results("--from", str(answers), "--want", "12")
        assert first["drain"] == [{"nodes": ["i-1"], "free_prefixes": 3}]
        assert second["drain"] == []  # two addresses there may lie in any block
        assert any("replacing nodes frees 3 /28 blocks: i-1 (3 free)" in line for line in first["advice"])

    def test_files_one_by_one_and_twice_are_the_same(self, answers: Path) -> None:
        names = [str(answers / n) for n in ("interfaces.json", "subnets.json", "subnets.json")]
        assert results(*(a for n in names for a in ("--from", n))) == results("--from", str(answers))

    def test_counts_alone(self, answers: Path) -> None:
        done = capacity("subnets", "--from", str(answers / "subnets.json"))
        assert "free /28 blocks are computed from counts" in done.stderr
        first = results("--from", str(answers / "subnets.json"))[0] if not done.code else {}
        assert (first["exact"], first["used"]) == (False, 19)

    def test_a_list_for_one_subnet(self, answers: Path) -> None:
        (row,) = results("--cidr", "10.0.0.0/24", "--taken", str(answers / "interfaces.json"))
        assert (row["used"], row["free_prefixes"]) == (19, 11)
        elsewhere = capacity("subnets", "--cidr", "10.9.0.0/24", "--taken", str(answers / "interfaces.json"))
        assert elsewhere.stderr == "warning: 4 of 4 listed addresses are outside 10.9.0.0/24 and are ignored\n"

    def test_interfaces_without_subnets(self, answers: Path) -> None:
        done = capacity("subnets", "--from", str(answers / "interfaces.json"))
        assert done.code == 2
        assert "has no subnets (add the output of aws ec2 describe-subnets" in done.stderr

    @pytest.mark.parametrize(
        ("subnet", "message"),
        [
            (
                {"CidrBlock": "10.0.0.0/29", "AvailableIpAddressCount": 3},
                "s-1: 10.0.0.0/29 has a size AWS does not allow",
            ),
            ({"CidrBlock": "10.0.0.0/33", "AvailableIpAddressCount": 3}, "s-1: "),
            (
                {"CidrBlock": "10.0.0.0/24"},
                "s-1: neither AvailableIpAddressCount nor network interfaces show the addresses in use",
            ),
        ],
    )
    def test_answers_that_tell_nothing(self, tmp_path: Path, subnet: dict[str, Any], message: str) -> None:
        path = tmp_path / "subnets.json"
        path.write_text(json.dumps({"Subnets": [{"SubnetId": "s-1", "VpcId": "vpc-1", **subnet}]}))
        done = capacity("subnets", "--from", str(path))
        assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f"error: {message}")

    def test_no_subnets(self, tmp_path: Path) -> None:
        path = tmp_path / "subnets.json"
        path.write_text('{"Subnets": []}')
        done = capacity("subnets", "--from", str(path))
        assert (done.code, done.stdout) == (2, "")
        assert f"{path}: has no subnets" in done.stderr


def test_other_formats() -> None:
    arguments = ("subnets", "--cidr", "10.0.0.0/24", "--used", "20", "--want", "2")
    (row,) = csv.DictReader(io.StringIO(capacity(*arguments, "-o", "csv").stdout))
    assert (row["usable"], row["wanted.prefixes"]) == ("251", "2")
    assert yaml.safe_load(capacity(*arguments, "-o", "yaml").stdout)["results"][0]["free"] == 231
    assert "| CIDR | usable | used | free |" in capacity(*arguments, "-o", "md").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--cidr", "10.0.0.0/24"),
            "--cidr needs --used N (how many addresses are in use) or --taken LIST (which ones)",
        ),
        (("--cidr", "10.0.0.0/24", "--used", "3", "--taken", "10.0.0.9"), "--used and --taken cannot be combined"),
        (("--used", "3"), "--used needs --cidr"),
        (
            ("--cidr", "10.0.0.0/24", "--used", "252"),
            "--used: 252 is out of range (expected 0 to 251, what 10.0.0.0/24 has)",
        ),
        (("--cidr", "10.0.0.0/24", "--used", "-1"), "--used: -1 is out of range"),
        (
            ("--cidr", "10.0.0.0/24", "--used", "236", "--prefixes", "1"),
            "--prefixes: 1 is out of range (expected 0 to 0",
        ),
        (("--cidr", "10.0.0.0/24", "--taken", "nonsense"), "--taken: 'nonsense' is neither an IPv4 address"),
        (("--cidr", "10.0.0.0/24", "--taken", " "), "--taken: is empty (if no address is in use, use --used 0)"),
        (("--cidr", "10.0.0.0/8", "--used", "3"), "--cidr: '10.0.0.0/8' has a size that AWS does not allow"),
        (("--cidr", "fd00::/64", "--used", "3"), "--cidr: 'fd00::/64' is IPv6"),
        (("examples/shop-prod.yaml", "--cidr", "10.0.0.0/24"), "PLAN and --cidr cannot be combined"),
        (
            ("--cidr", "10.0.0.0/24", "--used", "3", "--reservation", "10.0.0.64/26"),
            "--reservation: '10.0.0.64/26' is not",
        ),
        (
            ("--cidr", "10.0.0.0/24", "--used", "3", "--reservation", "10.1.0.0/26:prefix"),
            "--reservation: 10.1.0.0/26 is out",
        ),
        (("--cidr", "10.0.0.0/24", "--used", "3", "--want", "0"), "--want: 0 is out of range (expected 1 to 4,096)"),
        (("--cidr", "10.0.0.0/24", "--used", "3", "--probability", "0%"), "--probability: '0%' is out of range"),
        (("--cidr", "10.0.0.0/24", "--used", "3", "--map", "al"), "--map: 'al' is not one of auto, all, none"),
        (("examples/shop-prod.yaml", "--scenario", "peek"), "--scenario: 'peek' is not one of"),
        (("--from", "no-such-folder"), "no-such-folder: no such folder"),
    ],
)
def test_one_line_and_exit_2(arguments: tuple[str, ...], message: str) -> None:
    done = capacity("subnets", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: {message}")


def test_the_same_advice_for_several_subnets_is_one_line() -> None:
    done = capacity("subnets", "examples/shop-prod.yaml", "--want", "4", "-q")
    lines = [line for line in done.stdout.split("\n") if "counts alone do not show" in line]
    assert lines == [
        "- private-a, private-b, private-c: counts alone do not show which blocks to reserve: an ENI list does"
    ]
