"""Every row of the catalog against the sources it was made from, read here a second time and in another way."""

from __future__ import annotations

import csv
import gzip
import json
from typing import Any

import pytest

from capacity.catalog.packaged import data_dir
from capacity.catalog.table import load_catalog
from tools.build_catalog import RESOURCE, installed_moto

OLDER_TABLES = {"i7ie.48xlarge", "i7ie.metal-48xl", "i8ge.48xlarge", "i8ge.metal-48xl"}
"""Where EC2 now splits the ENIs over two cards and the tables in AMI and CNI do not (data-sources.md)."""


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """The ``describe-instance-types`` answers of the installed moto."""
    loaded: dict[str, Any] = json.loads(gzip.decompress((installed_moto() / RESOURCE).read_bytes()))
    return loaded


def rows(name: str) -> list[dict[str, str]]:
    with (data_dir() / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_there_are_as_many_types_as_promised(answers: dict[str, Any]) -> None:
    names = set(load_catalog().names())
    assert len(answers) == 1395
    assert set(answers) <= names
    assert {row["instance_type"] for row in rows("facts.csv")} <= names
    assert len(names) == 1470


def test_every_answer_of_ec2_is_in_its_row(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        t = load_catalog().get(name)
        network = answer["NetworkInfo"]
        default = network["DefaultNetworkCardIndex"]
        on_default = [
            c["MaximumNetworkInterfaces"] for c in network["NetworkCards"] if c["NetworkCardIndex"] == default
        ]
        assert [t.max_enis] == on_default or name in OLDER_TABLES, name
        assert t.max_enis_total == sum(c["MaximumNetworkInterfaces"] for c in network["NetworkCards"]), name
        assert t.network_cards == len(network["NetworkCards"]), name
        assert t.ipv4_per_eni == network["Ipv4AddressesPerInterface"], name
        assert t.ipv6_per_eni == network["Ipv6AddressesPerInterface"], name
        assert t.vcpus == answer["VCpuInfo"]["DefaultVCpus"], name
        assert t.memory_mib == answer["MemoryInfo"]["SizeInMiB"], name
        assert t.arch in answer["ProcessorInfo"]["SupportedArchitectures"], name
        assert t.hypervisor == answer.get("Hypervisor"), name
        assert t.bare_metal == answer["BareMetal"], name
        assert t.ebs_attachments == answer["EbsInfo"]["MaximumEbsAttachments"], name
        assert t.ebs_shared == (answer["EbsInfo"]["AttachmentLimitType"] == "shared"), name
        assert bool(t.gpus) == ("GpuInfo" in answer), name
        if t.network_cards == 1:
            assert t.network_baseline_gbps == network["NetworkCards"][0]["BaselineBandwidthInGbps"], name


def test_the_formula_gives_every_published_max_pods_but_the_listed() -> None:
    listed = {r["instance_type"] for r in rows("exceptions.csv") if r["check"] == "max_pods"}
    differing = set()
    for row in rows("stated_max_pods.csv"):
        t = load_catalog().get(row["instance_type"])
        assert t.max_enis is not None
        assert t.ipv4_per_eni is not None
        if t.max_enis * (t.ipv4_per_eni - 1) + 2 != int(row["max_pods"]):
            differing.add(t.name)
    assert differing == listed == set()


def test_every_statement_is_believed_or_listed_as_a_disagreement() -> None:
    overruled = {(r["instance_type"], r["field"], r["other"]) for r in rows("disagreements.csv")}
    held = {r["instance_type"]: r for r in rows("eni_limits.csv")}
    for row in rows("facts.csv"):
        if row["field"] == "name":
            continue
        value = "" if row["value"] == "none" else row["value"]
        believed = held[row["instance_type"]][row["field"]] == value
        assert believed != ((row["instance_type"], row["field"], row["value"]) in overruled), row


@pytest.mark.parametrize(
    ("name", "enis", "all_enis", "addresses", "branch"),
    [
        # AWS's own tables, looked up by hand: eni-max-pods.txt and limits.go
        ("t3.nano", 2, 2, 2, 0),
        ("m5.large", 3, 3, 10, 9),
        ("c6in.32xlarge", 8, 16, 50, 106),
        ("p4d.24xlarge", 15, 60, 50, 62),
        ("p5.48xlarge", 2, 64, 50, 120),
        ("dl1.24xlarge", 15, 60, 50, 62),
        ("i4i.large", 3, 3, 10, 9),
    ],
)
def test_figures_looked_up_by_hand(name: str, enis: int, all_enis: int, addresses: int, branch: int) -> None:
    t = load_catalog().get(name)
    assert (t.max_enis, t.max_enis_total, t.ipv4_per_eni, t.branch_enis) == (enis, all_enis, addresses, branch)
