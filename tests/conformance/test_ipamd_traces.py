"""Nodes whose life was recorded from ipamd itself, replayed line by line.

aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd, pkg/ipamd/datastore and pkg/awsutils ran in virtual time against a fake of
EC2; see tools/build_ipamd_traces.py.
"""

from __future__ import annotations

import json

import pytest

from capacity.sim import replay
from capacity.sim.ec2_side import EC2_CALLS
from tests.conformance.ipamd_recordings import EC2_KINDS, Recording, read_recordings

RECORDINGS = read_recordings()


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS)
def test_each_line_and_value(recording: Recording) -> None:
    header, lines = recording
    given: list[dict[str, object]] = [
        {key: line[key] for key in ("t", "event", "pods") if key in line}
        for line in lines
        if line["event"] in ("add", "delete") or line["event"].startswith("mark:")
    ]
    for number, (ours, theirs) in enumerate(zip(replay(header, given), lines, strict=True), 1):
        assert ours == theirs, f"line {number}"


def test_every_kind_of_node_and_line_is_among_them() -> None:
    assert len(RECORDINGS) == 32
    assert {header["mode"] for header, _ in RECORDINGS.values()} == {"secondary", "prefix"}
    events = [line["event"].split(":")[0] for _, lines in RECORDINGS.values() for line in lines]
    assert {event: events.count(event) for event in sorted(set(events))} == {
        "add": 1517,
        "delete": 951,
        "end": 32,
        "init": 32,
        "mark": 187,
        "reconcile": 33,
        "retry": 261,
        "update": 464,
    }


def test_calls_are_in_the_order_of_the_recordings() -> None:
    assert EC2_CALLS == EC2_KINDS


def test_a_line_has_its_keys_in_one_order_and_whole_seconds_as_integers() -> None:
    header, _ = RECORDINGS["01-default-t3small"]
    first = next(iter(replay(header, [])))
    assert json.dumps(first, separators=(",", ":")) == (
        '{"t":0.7,"event":"init","waiting":0,"enis":1,"per_eni":[[0,3,0,0]],"total_ips":3,"assigned":0,"cooldown":0,'
        '"available":3,"ec2_calls":[1,1,1,1,1,0,0,0,0,0,0],"subnet_free":4087}'
    )
