"""What the steady state hides, on one node: each with its figures."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.sim import replay
from tests.conformance.ipamd_recordings import LATENCY_MS, read_recordings

HOUR = 3600


def header(instance_type: str = "m5.large", **other: Any) -> dict[str, Any]:
    kind = load_catalog().get(instance_type)
    return {
        "instance_type": instance_type,
        "max_enis": kind.max_enis,
        "ipv4_per_eni": kind.ipv4_per_eni,
        "max_pods": 110,
        "subnet": "10.0.0.0/20",
        "latency_ms": LATENCY_MS,
        "end": 1000,
        "env": {},
    } | other


def add(seconds: int, *pods: int) -> dict[str, Any]:
    return {"t": seconds + 0.037, "event": "add", "pods": list(pods)}


def delete(seconds: int, *pods: int) -> dict[str, Any]:
    return {"t": seconds + 0.037, "event": "delete", "pods": list(pods)}


def mark(seconds: int) -> dict[str, Any]:
    return {"t": seconds + 0.037, "event": f"mark:{seconds}"}


def one_by_one(pods: int) -> list[dict[str, Any]]:
    return [add(50 + 10 * number, number) for number in range(1, pods + 1)]


def calls(line: dict[str, Any], kind: str) -> int:
    return int(line["ec2_calls"][list(LATENCY_MS).index(kind)])


def calls_per_hour(pods: int, **node: Any) -> int:
    """EC2 calls in an hour without pod events, ten minutes after the last pod."""
    start = 60 + 10 * pods + 600
    lines = replay(header(end=start + HOUR + 1, **node), [*one_by_one(pods), mark(start), mark(start + HOUR)])
    first, last = (sum(line["ec2_calls"]) for line in lines if line["event"].startswith("mark:"))
    return last - first


@pytest.mark.parametrize(("pods", "calls"), [(8, 0), (9, 468), (10, 0), (18, 468)])
def test_warm_eni_target_0_flaps_where_pods_fill_all_enis(pods: int, calls: int) -> None:
    assert calls_per_hour(pods, env={"WARM_ENI_TARGET": "0"}) == calls


@pytest.mark.parametrize(("pods", "calls"), [(0, 236), (1, 0), (16, 236), (17, 0)])
def test_warm_prefix_target_0_flaps_where_pods_fill_all_prefixes(pods: int, calls: int) -> None:
    assert calls_per_hour(pods, mode="prefix", env={"WARM_PREFIX_TARGET": "0"}) == calls


def test_only_minimum_ip_target_starves_pods_beyond_it() -> None:
    *_, end = replay(header(env={"MINIMUM_IP_TARGET": "10"}), one_by_one(12))
    assert (end["total_ips"], end["assigned"], end["waiting"]) == (10, 10, 2)


def test_a_tight_cron_job_waits_for_the_cooldown() -> None:
    first, second = range(1, 10), range(10, 19)
    events = [*(add(60 + pod, pod) for pod in first), delete(300, *first), add(301, *second)]
    lines = list(replay(header("t3.small", max_pods=11), events))
    came = next(line for line in lines if line.get("pods") == list(second))
    assert (came["available"], came["cooldown"], came["waiting"]) == (9, 9, 9)
    retry = next(line for line in lines if line["event"] == "retry" and line["t"] > came["t"])
    assert (retry["t"], len(retry["placed"])) == (331.037, 9)


@pytest.mark.parametrize(("period", "seconds"), [("5", 306.037), ("0", 301.037), ("soon", 331.037), ("", 331.037)])
def test_the_cooldown_is_the_cnis_variable(period: str, seconds: float) -> None:
    pods = range(1, 10)
    events = [*(add(60 + pod, pod) for pod in pods), delete(300, *pods), add(301, 99)]
    lines = replay(header("t3.small", max_pods=11, env={"IP_COOLDOWN_PERIOD": period}), events)
    assert next(line["t"] for line in lines if [99, 5] in line.get("placed", [])) == seconds


def test_a_full_subnet_stops_all_growth_for_120_seconds() -> None:
    full = header("t3.medium", subnet="10.0.0.0/28", end=1000)  # 11 usable: 1 for the ENI, 5 for pods; 5 left
    lines = list(replay(full, one_by_one(6)))
    assert lines[-1]["waiting"] == 1
    failed = [calls(line, "CreateNetworkInterface") for line in lines]
    tries = [line["t"] for line, before, now in zip(lines[1:], failed, failed[1:], strict=False) if now > before]
    assert len(tries) >= 7
    assert {round(later - sooner) for sooner, later in pairwise(tries)} <= {
        121,
        122,
        123,
        124,
        125,
        126,
    }


def test_fragments_stop_prefixes_while_addresses_are_free() -> None:
    *_, end = replay(header(mode="prefix", subnet_used_by_others="every:16:255"), one_by_one(3))
    assert (end["subnet_free"], end["total_ips"], end["waiting"]) == (4091 - 255 - 1, 0, 3)


def test_pods_lose_their_addresses_under_pod_eni_without_a_trunk() -> None:
    node, lines = read_recordings()["63-podeni-notrunk-w1-t3small"]
    played = list(replay(node, [line for line in lines if line["event"] in ("add", "delete")]))
    lost = [
        before["assigned"] - line["assigned"]
        for before, line in pairwise(played)
        if line["event"] == "reconcile" and line["assigned"] < before["assigned"]
    ]
    assert lost == [1] * 6


def test_a_node_without_a_first_address_under_custom_networking_never_gets_ready() -> None:
    full = header(custom_networking=True, subnet="10.0.0.0/28", subnet_used_by_others="last:11")
    lines = list(replay(full, [add(60, 1)]))
    assert [line["event"] for line in lines] == ["add", "end"]
    assert lines[-1]["waiting"] == 1


def trunk_lines(instance_type: str = "m5.large", **other: Any) -> list[dict[str, Any]]:
    node = header(instance_type, custom_networking=True, **other)
    node["env"] = {"ENABLE_POD_ENI": "true"} | node["env"]
    return list(replay(node, [mark(60)]))


def test_a_trunk_under_custom_networking_is_beside_the_first_eni_for_pods() -> None:
    """nodeInit flags the node for its trunk before handlePreScaling, and the trunk has an address of the pod subnet.

    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L640-672, L1467-1484; the VPC resource controller creates the
    trunk in the subnet of the ENIConfig (aws/amazon-vpc-resource-controller-k8s pkg/aws/ec2/instance.go).
    """
    init, *_, at_rest, _end = trunk_lines()
    assert init["event"] == "init"
    assert [eni[:2] for eni in init["per_eni"]] == [[0, 0], [2, 9]]  # 1 is the trunk, not in the store yet
    assert [eni[:2] for eni in at_rest["per_eni"]] == [[0, 0], [1, 0], [2, 9]]
    assert at_rest["subnet_free"] == 4091 - 1 - 10  # the trunk, and an ENI with nine


@pytest.mark.parametrize(
    ("enis", "events"), [("2", ["mark:60", "end"]), ("3", ["init", "reconcile", "mark:60", "end"])]
)
def test_a_trunk_can_take_the_last_slot_of_custom_networking(enis: str, events: list[str]) -> None:
    """hasRoomForEni keeps a slot for the trunk: with MAX_ENI=2 none is left, the pool stays empty and nodeInit fails.

    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2592-2621, L686-689.
    """
    assert [line["event"] for line in trunk_lines(env={"MAX_ENI": enis})] == events
