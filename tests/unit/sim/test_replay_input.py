"""A header or event that is wrong is refused in one line, before anything is played."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.sim import replay
from tests.conformance.ipamd_recordings import LATENCY_MS

HEADER: dict[str, Any] = {
    "max_enis": 3,
    "ipv4_per_eni": 10,
    "max_pods": 29,
    "subnet": "10.0.0.0/24",
    "latency_ms": LATENCY_MS,
    "end": 100,
}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"max_enis": None}, "header: max_enis is missing"),
    ({"max_pods": "many"}, "header: max_pods: 'many' is not a whole number"),
    ({"end": 0}, "header: end: 0 is out of range"),
    ({"mode": "prefixes"}, "header: mode: 'prefixes' is not one of secondary, prefix"),
    ({"custom_networking": "false"}, "header: custom_networking: 'false' is neither True nor False"),
    ({"unmanaged_enis": 3}, "header: unmanaged_enis: 3 of at most 3 ENIs leave none for the primary"),
    ({"subnet": "10.0.0.1/24"}, "header: subnet: 10.0.0.1/24 has host bits set"),
    ({"subnet": "10.0.0.0/29"}, r"header: subnet: 10.0.0.0/29 is not a subnet \(expected /16 to /28\)"),
    ({"subnet_used_by_others": "3"}, "header: subnet_used_by_others: '3' is neither last:N nor every:S:N"),
    ({"subnet_used_by_others": "last:252"}, "header: subnet_used_by_others: last:252 is more than 10.0.0.0/24 has"),
    ({"subnet_used_by_others": "last:251"}, "leaves no address for the node's own ENIs"),
    ({"latency_ms": {"CreateTag": 1}}, "header: latency_ms: 'CreateTag' is not one of .*did you mean 'CreateTags'"),
    ({"latency_ms": {"CreateTags": 1}}, "header: latency_ms: DescribeNetworkInterfaces is missing"),
    ({"ec2_kinds": ["CreateTag"]}, "header: ec2_kinds: 'CreateTag' is not one of"),
    ({"env": {"WARM_IP": "1"}}, "header: env: 'WARM_IP' is not a variable of the VPC CNI"),
    ({"env": {"WARM_IP_TARGET": 1}}, "header: env: WARM_IP_TARGET: 1 is an int"),
    ({"env": {"ENABLE_IPv6": "true"}}, "header: env: ENABLE_IPv6=true is not simulated"),
    ({"env": {"ENABLE_MULTI_NIC": "true"}}, "header: env: ENABLE_MULTI_NIC=true is not simulated"),
    ({"env": {"MANAGE_UNTAGGED_ENI": "false"}}, "header: env: MANAGE_UNTAGGED_ENI=false is not simulated"),
    ({"env": {"ENABLE_POD_ENI": "true"}}, "header: instance_type is missing"),
    ({"env": {"ENABLE_POD_ENI": "true"}, "instance_type": "m5.big"}, "m5.big"),
]
ADD = {"t": 60.037, "event": "add", "pods": [1]}
WRONG_EVENTS: list[tuple[list[Any], str]] = [
    (["add"], "event 1: 'add' is a str"),
    ([{"t": "soon", "event": "add"}], "event 1: t: 'soon' is not a number of seconds"),
    ([ADD | {"event": "ad"}], "event 1: event: 'ad' is not add, delete or mark:….*did you mean 'add'"),
    ([ADD | {"pods": 1}], "event 1: pods: 1 is an int"),
    ([ADD | {"pods": ["a"]}], "event 1: pods: 'a' is not a whole number"),
    ([ADD, ADD | {"t": 59}], r"event 2: t: 59 is before the event above \(expected events in order of time\)"),
    ([ADD | {"t": 100.5}], "event 1: t: 100.5 is after the header's end, 100 s"),
    ([ADD, ADD | {"t": 61}], "event 2: pods: 1 is there already"),
    ([ADD | {"pods": [2, 2]}], "event 1: pods: 2 is there already"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[text[:50] for _, text in WRONG])
def test_headers(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        replay(HEADER | change, [])


@pytest.mark.parametrize(("events", "message"), WRONG_EVENTS, ids=[text[:50] for _, text in WRONG_EVENTS])
def test_events(events: list[Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        replay(HEADER, events)


def test_a_header_that_is_no_mapping() -> None:
    with pytest.raises(SpecError, match="header: 'm5' is a str"):
        replay("m5", [])  # type: ignore[arg-type]


def test_a_pod_may_come_again_after_it_went() -> None:
    again = [ADD, {"t": 61.037, "event": "delete", "pods": [1]}, ADD | {"t": 62.037}]
    *_, end = replay(HEADER, again)
    assert end["assigned"] == 1


def test_what_is_not_given_has_the_codes_default() -> None:
    init = next(iter(replay(HEADER, [])))
    assert (init["t"], init["per_eni"], init["subnet_free"]) == (0.7, [[0, 9, 0, 0]], 241)


def test_no_try_in_the_second_of_an_event() -> None:
    """Ten pods on nine addresses: one waits, and nothing but the tries after the deletion can place it."""
    came = {"t": 60.01, "event": "add", "pods": list(range(10))}
    went = {"t": 95.01, "event": "delete", "pods": [0]}
    node = HEADER | {"max_enis": 1, "end": 200}
    rest = {"t": 125.01, "event": "mark:rest"}
    assert [line["t"] for line in replay(node, [came, went]) if line["event"] == "retry"] == [125.037]
    assert [line["t"] for line in replay(node, [came, went, rest]) if line["event"] == "retry"] == [126.037]
