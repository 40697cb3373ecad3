"""Two readings of ipamd's rules give the same life of a node, line by line, beyond the recorded ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.catalog.table import load_catalog
from capacity.sim import replay
from tests.conformance.ipamd_recordings import Recording, read_recordings
from tests.property.plain_ipamd import PlainNode, play
from tests.property.test_replay_properties import nodes, pod_events

RECORDINGS = read_recordings()
TYPES = ("m5.large", "t3.small")  # with a trunk, and without


def plain(header: dict[str, Any], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    size, others = 2 ** (32 - int(header["subnet"].split("/")[1])), header["subnet_used_by_others"]
    word, _, rest = others.partition(":")
    numbers = [int(part) for part in rest.split(":") if part]
    offsets = {
        "": (),
        "last": range(size - 1 - numbers[0], size - 1) if numbers else (),
        "every": range(numbers[0], numbers[0] * numbers[-1] + 1, numbers[0]) if numbers else (),
    }[word]
    env = {name: text for name, text in header["env"].items() if text}
    kind = load_catalog().get(header.get("instance_type", "m5.large"))
    node = PlainNode(header | {"others": offsets, "env": env}, trunk_slot=kind.trunk_slot, trunking=bool(kind.trunking))
    return list(play(node, events))


@pytest.mark.parametrize("name", ["03-default-m5xlarge", "25-pd-w7-m20-t3small", "57-podeni-default-m5large"])
def test_the_plain_reading_is_that_of_the_recordings(name: str) -> None:
    recording: Recording = RECORDINGS[name]
    header, lines = recording
    events: list[dict[str, Any]] = [
        {key: line[key] for key in ("t", "event", "pods") if key in line}
        for line in lines
        if line["event"] in ("add", "delete") or line["event"].startswith("mark:")
    ]
    assert plain(dict(header), events) == lines


@settings(max_examples=40, deadline=None)
@given(nodes(), pod_events(), st.sampled_from(["", "", *TYPES]))
def test_both_readings_agree(node: dict[str, Any], events: list[dict[str, Any]], pod_eni: str) -> None:
    if pod_eni and not node["custom_networking"]:
        node = node | {"instance_type": pod_eni, "env": node["env"] | {"ENABLE_POD_ENI": "true"}}
    assert list(replay(node, events)) == plain(node, events)
