"""A CIDR reservation is not used space: import, subnets and doctor tell one story of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import run as capacity


def folder(at: Path, reported: int) -> Path:
    """The example's answers with 10.20.0.64/26 reserved for prefixes in private-a, and EC2's count as given."""
    answers = at / "answers"
    shutil.copytree("examples/aws-answers", answers)
    subnets = json.loads((answers / "describe-subnets.json").read_text())
    subnets["Subnets"][0]["AvailableIpAddressCount"] = reported
    (answers / "describe-subnets.json").write_text(json.dumps(subnets))
    reservation = {
        "SubnetCidrReservationId": "scr-0123456789abcdef0",
        "SubnetId": subnets["Subnets"][0]["SubnetId"],
        "Cidr": "10.20.0.64/26",
        "ReservationType": "prefix",
    }
    (answers / "get-subnet-cidr-reservations.json").write_text(
        json.dumps({"SubnetIpv4CidrReservations": [reservation], "SubnetIpv6CidrReservations": []})
    )
    return answers


# 123 usable less 54 held: 69 free, 63 of them reserved (the last of the 64 is AWS's own), 6 outside.
@pytest.mark.parametrize("reported", [6, 5, 69])
def test_the_three_commands_agree(tmp_path: Path, reported: int) -> None:
    answers = folder(tmp_path, reported)
    row = json.loads(capacity("subnets", "--from", str(answers), "-o", "json").stdout)["results"][0]
    assert (row["used"], row["free"], row["free_reserved"], row["exact"]) == (54, 69, 63, True)
    # .112/28 holds .127, which AWS keeps: three blocks of the /26 can become prefixes.
    assert (row["free_prefixes"], row["free_prefixes_certain"], row["free_prefixes_most"]) == (3, 3, 3)
    assert row["block_map"] == "A###PPPA"
    assert "not listed" not in row["owners"]
    plan = capacity("import", "aws", "--from", str(answers), "-q").stdout
    assert "64 addresses are taken" not in plan
    assert "used: 0\n      reservations: [{cidr: 10.20.0.64/26, type: prefix}]" in plan
    (tmp_path / "plan.yaml").write_text(plan)
    page = json.loads(capacity("check", str(tmp_path / "plan.yaml"), "--scenario", "steady", "-o", "json").stdout)
    (state,) = (s for s in page["results"]["scenarios"][0]["subnets"] if s["name"] == "private-a")
    assert (sum(state["used"].values()), state["free"], state["free_reserved"]) == (54, 69, 63)
    found = json.loads(capacity("doctor", "--from", str(answers), "-o", "json").stdout)["results"]
    said = [c for c in found["checks"] if c["where"] == "private-a" and c["id"] == "subnet-addresses"]
    assert said[0]["evidence"].startswith("6 of 123 addresses free")
    assert "3 /28 blocks reserved for prefixes" in said[0]["evidence"]
    assert not [c for c in found["checks"] if c["where"] == "private-a" and c["id"] == "accounting"]
