"""A node played over time conserves its addresses, keeps its limits, and rests where the closed forms say."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cni.facade import NodeLimits, pool_of
from capacity.plan.cni_env import cni_settings
from capacity.sim import replay
from tests.conformance.ipamd_recordings import LATENCY_MS

USABLE = {24: 251, 25: 123, 26: 59}
environments = st.fixed_dictionaries(
    {
        "WARM_ENI_TARGET": st.sampled_from(["0", "1", "2"]),
        "WARM_IP_TARGET": st.sampled_from(["0", "0", "1", "3", "8"]),
        "MINIMUM_IP_TARGET": st.sampled_from(["0", "0", "2", "10"]),
        "WARM_PREFIX_TARGET": st.sampled_from(["0", "1", "2"]),
        "MAX_ENI": st.sampled_from(["", "2"]),
        "ENABLE_SUBNET_DISCOVERY": st.sampled_from(["true", "false"]),
        "IP_COOLDOWN_PERIOD": st.sampled_from(["0", "5", "30", "90"]),
    }
)


@st.composite
def nodes(draw: st.DrawFn, prefixes: tuple[int, ...] = (24, 25, 26)) -> dict[str, Any]:
    custom, limit = draw(st.booleans()), draw(st.integers(2, 4))
    return {
        "mode": draw(st.sampled_from(["secondary", "prefix"])),
        "custom_networking": custom,
        "env": draw(environments),
        "max_enis": limit,
        "ipv4_per_eni": draw(st.integers(2, 10)),
        "max_pods": draw(st.sampled_from([8, 29, 110])),
        "unmanaged_enis": 0 if custom else draw(st.integers(0, limit - 2)),
        "subnet": f"10.0.0.0/{draw(st.sampled_from(prefixes))}",
        "subnet_used_by_others": draw(st.sampled_from(["", "last:20", "every:9:5"])),
        "latency_ms": LATENCY_MS | {"AssignPrivateIpAddresses": draw(st.sampled_from([0, 300, 7_000]))},
        "end": 900,
    }


@st.composite
def pod_events(draw: st.DrawFn) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    present: list[int] = []
    second, number = 0, 0
    for _ in range(draw(st.integers(0, 25))):
        second += draw(st.integers(0, 30))
        leave: bool = draw(st.booleans())
        if leave and present:
            gone = draw(st.lists(st.sampled_from(present), unique=True, max_size=8))
            present = [pod for pod in present if pod not in gone]
            events.append({"t": second + 0.037, "event": "delete", "pods": gone})
        else:
            count: int = draw(st.integers(1, 12))
            came = list(range(number + 1, number + 1 + count))
            number += count
            present += came
            events.append({"t": second + 0.037, "event": "add", "pods": came})
    return events


@settings(max_examples=150, deadline=None)
@given(nodes(), pod_events())
def test_addresses_are_conserved_and_limits_kept(node: dict[str, Any], events: list[dict[str, Any]]) -> None:
    per_eni, unit = node["ipv4_per_eni"] - 1, 16 if node["mode"] == "prefix" else 1
    others = {"": 0, "last:20": 20, "every:9:5": 5}[node["subnet_used_by_others"]]
    most_enis = min(node["max_enis"], int(node["env"]["MAX_ENI"] or 99)) - node["unmanaged_enis"]
    held: dict[int, int] = {}
    present: set[int] = set()
    for line in replay(node, events):
        if line["event"] == "delete":
            present -= set(line.get("pods", []))
            held = {pod: at for pod, at in held.items() if pod in present}
        if line["event"] == "add":
            present |= set(line["pods"])
        for pod, at in line.get("placed", []):
            assert pod in present
            assert at not in held.values()
            held[pod] = at
        assert line["assigned"] == len(held) == len(present) - line["waiting"]
        assert all(cidrs <= per_eni for _, cidrs, _, _ in line["per_eni"])
        assert line["enis"] <= most_enis or line["enis"] == 1
        assert line["assigned"] + line["cooldown"] <= line["total_ips"]
        assert line["subnet_free"] >= 0
    outside = 1 if node["custom_networking"] else -node["unmanaged_enis"]
    used = USABLE[int(node["subnet"][-2:])] - others - line["subnet_free"]
    assert used == line["total_ips"] + (max(line["enis"], 1)) - outside
    assert line["total_ips"] % unit == 0


@settings(max_examples=30, deadline=None)
@given(nodes(), pod_events())
def test_the_same_input_gives_the_same_lines(node: dict[str, Any], events: list[dict[str, Any]]) -> None:
    assert list(replay(node, events)) == list(replay(node, iter(events)))


@settings(max_examples=300, deadline=None)
@given(nodes(prefixes=(16,)), st.integers(0, 40))
def test_a_node_rests_within_the_bounds_of_the_closed_forms(node: dict[str, Any], pods: int) -> None:
    """Pods one by one, then ten minutes: the addresses held are between the lowest and the highest of the pool."""
    node |= {"unmanaged_enis": 0, "subnet_used_by_others": "", "end": 60 + 15 * pods + 660}
    events = [{"t": 60.037 + 15 * pod, "event": "add", "pods": [pod]} for pod in range(1, pods + 1)]
    rest = {"t": 60.037 + 15 * pods + 600, "event": "mark:rest"}
    line = next(line for line in replay(node, [*events, rest]) if line["event"] == "mark:rest")
    switches = {"ENABLE_PREFIX_DELEGATION": node["mode"] == "prefix"}
    switches |= {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": node["custom_networking"]}
    env, _ = cni_settings(node["env"] | {name: str(on).lower() for name, on in switches.items()})
    idle = int(node["custom_networking"])
    serving = min(node["max_enis"], env.max_eni or 99) - idle
    limits = NodeLimits(serving, idle, node["ipv4_per_eni"] - 1, 0, 0, windows=False)
    pool = pool_of(limits, env, node["max_pods"], pods)
    held = line["enis"] + line["total_ips"]
    assert pool.lowest <= held <= pool.highest
    assert line["waiting"] == pool.pods_without_address
