"""What decides the life of one simulated node, and how the header of a trace says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError, check_count, check_kind, check_number, check_switch, check_word
from capacity.plan.cni_env import CniSettings, cni_settings, parse_env_switch, subnet_discovery_switch
from capacity.sim.ec2_side import EC2_CALLS, PREFIX, RESERVED_FIRST

COOLDOWN_SECONDS = 30  # pkg/ipamd/datastore/data_store.go L41
NO_PROVISIONING = ("DISABLE_NETWORK_RESOURCE_PROVISIONING", "ENABLE_IMDS_ONLY_MODE")  # ipamd.go L2059-2074
MULTI_NIC = "ENABLE_MULTI_NIC"
NOT_SIMULATED = ("ENABLE_IPv6", MULTI_NIC, *NO_PROVISIONING)
UNSCHEDULABLE = "AWS_MANAGE_ENIS_NON_SCHEDULABLE"
_LAST = re.compile(r"^last:(\d+)$")
_EVERY = re.compile(r"^every:(\d+):(\d+)$")


@dataclass(frozen=True)
class NodeSetup:
    """One node's settings and limits. Times in milliseconds.

    Attributes
    ----------
    settings : CniSettings
        The CNI's variables; one that is not set has the code's default, not the chart's.
    discovery : bool
        ENABLE_SUBNET_DISCOVERY.
    cooldown : int
        IP_COOLDOWN_PERIOD. [ms]
    eni_limit : int
        min(MAX_ENI, limit of the type). [ENIs]
    type_enis : int
        ENIs that EC2 attaches to the type. [ENIs]
    per_eni : int
        Secondary IPs or prefixes of one ENI. [CIDRs]
    max_pods, unmanaged : int
        The kubelet's max pods, and ENIs with the tag ``no_manage``.
    trunk_slot, trunking : bool
        Whether a slot is reserved for the trunk, and whether the type can have one.
    end : float
        When the last pool loop may start; infinite if something else ends the node's life. [ms]
    idle_primary : bool
        Whether the primary ENI has no pod addresses: custom networking, or its subnet is closed to pods by a tag.
    manages_unschedulable : bool
        AWS_MANAGE_ENIS_NON_SCHEDULABLE: the pool of a node that is closed to new pods grows, and its ENIs are freed.
    """

    settings: CniSettings
    discovery: bool
    cooldown: int
    eni_limit: int
    type_enis: int
    per_eni: int
    max_pods: int
    unmanaged: int
    trunk_slot: bool
    trunking: bool
    end: float
    idle_primary: bool
    manages_unschedulable: bool = False

    @cached_property
    def unit(self) -> int:
        """Addresses of one CIDR."""
        return PREFIX if self.settings.prefix else 1


@dataclass(frozen=True, kw_only=True)
class ReplaySetup(NodeSetup):
    """What the header of a trace says: the node, its subnet and the fake of EC2. Times in milliseconds.

    Attributes
    ----------
    subnet_size : int
        Addresses of the subnet.
    used_by_others : tuple of int
        Offsets in the subnet taken from the start.
    latency : mapping of str to int
        Latency of each EC2 call. [ms]
    calls : tuple of str
        Order of the numbers in ``ec2_calls``.
    retry : int
        Time between two tries of a waiting pod. [ms]
    """

    subnet_size: int
    used_by_others: tuple[int, ...]
    latency: Mapping[str, int]
    calls: tuple[str, ...]
    retry: int


def node_setup(header: Mapping[str, object]) -> ReplaySetup:
    """The header of a trace as a setup.

    Raises
    ------
    SpecError
        A key is missing or wrong, or a setting is not simulated.
    """
    check_kind("header", header, Mapping, "a mapping such as the first line of a trace")
    env = _environment(header)
    settings, discovery = _settings(header, env)
    limit, addresses = _count(header, "max_enis", 1), _count(header, "ipv4_per_eni", 2)
    unmanaged = _count(header, "unmanaged_enis", 0, 0)
    if unmanaged >= limit:
        raise SpecError(f"header: unmanaged_enis: {unmanaged} of at most {limit} ENIs leave none for the primary")
    trunk_slot, trunking = _trunk(header) if settings.pod_eni else (False, False)
    size, others = _subnet(header)
    return ReplaySetup(
        settings=settings,
        discovery=discovery,
        cooldown=1000 * cooldown_seconds(env),
        eni_limit=min(limit, limit if settings.max_eni is None else settings.max_eni),
        type_enis=limit,
        per_eni=addresses - 1,
        max_pods=_count(header, "max_pods", 1),
        unmanaged=unmanaged,
        trunk_slot=trunk_slot,
        trunking=trunking,
        subnet_size=size,
        used_by_others=others,
        latency=_latencies(header),
        calls=_calls(header),
        retry=_milliseconds(header, "pod_retry_s", 1),
        end=_milliseconds(header, "end"),
        idle_primary=settings.custom_networking,
    )


def _value(header: Mapping[str, object], key: str, default: object = None) -> object:
    value = header.get(key, default)
    if value is None:
        raise SpecError(f"header: {key} is missing")
    return value


def _count(header: Mapping[str, object], key: str, least: int, default: int | None = None) -> int:
    value = _value(header, key, default)
    check_count(f"header: {key}", value, least)
    return int(value)  # type: ignore[call-overload, no-any-return]


def _milliseconds(header: Mapping[str, object], key: str, default: int | None = None) -> int:
    value = _value(header, key, default)
    check_number(f"header: {key}", value, 0.001, unit="seconds")
    return round(1000 * float(value))  # type: ignore[arg-type]


def _environment(header: Mapping[str, object]) -> dict[str, str | None]:
    env = header.get("env", {})
    check_kind("header: env", env, Mapping, "a mapping of variables to text, such as {'WARM_IP_TARGET': '2'}")
    assert isinstance(env, Mapping)
    for name, text in env.items():
        check_kind(f"header: env: {name}", text, str, "text, such as '2'")
    refused = [name for name in NOT_SIMULATED if parse_env_switch(name, env.get(name))[0]]
    if not parse_env_switch("MANAGE_UNTAGGED_ENI", env.get("MANAGE_UNTAGGED_ENI"), default=True)[0]:
        refused.append("MANAGE_UNTAGGED_ENI")
    if refused:
        raise SpecError(f"header: env: {refused[0]}={env[refused[0]]} is not simulated")
    return dict(env)


def _settings(header: Mapping[str, object], env: dict[str, str | None]) -> tuple[CniSettings, bool]:
    """Settings as the code reads them: ``mode`` and ``custom_networking`` of the header say what is in force."""
    mode, custom = header.get("mode", "secondary"), header.get("custom_networking", False)
    check_word("header: mode", mode, ("secondary", "prefix"))
    check_switch("header: custom_networking", custom)
    forced = {
        "ENABLE_PREFIX_DELEGATION": str(mode == "prefix").lower(),
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": str(custom).lower(),
    }
    # An empty variable has the code's default; a missing one would have the chart's.
    settings, _ = cni_settings({"WARM_PREFIX_TARGET": ""} | env | forced, "header: env")
    return settings, subnet_discovery_switch(env)[0]


def cooldown_seconds(env: Mapping[str, str | None]) -> int:
    """IP_COOLDOWN_PERIOD as ipamd reads it: text that is not a whole number means 30 s (data_store.go L243-249)."""
    text = env.get("IP_COOLDOWN_PERIOD") or ""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else COOLDOWN_SECONDS


def manages_unschedulable(env: Mapping[str, str | None]) -> bool:
    """AWS_MANAGE_ENIS_NON_SCHEDULABLE: false unless it is set (ipamd.go L122, L2255-2281)."""
    return parse_env_switch(UNSCHEDULABLE, env.get(UNSCHEDULABLE))[0]


def _trunk(header: Mapping[str, object]) -> tuple[bool, bool]:
    name = _value(header, "instance_type")
    check_kind("header: instance_type", name, str, "the name of an instance type")
    kind = load_catalog().get(str(name))
    return kind.trunk_slot, bool(kind.trunking)


def _subnet(header: Mapping[str, object]) -> tuple[int, tuple[int, ...]]:
    """Addresses of the subnet, and offsets of those that others use: ``last:N`` or ``every:S:N``."""
    cidr, text = str(_value(header, "subnet")), str(header.get("subnet_used_by_others", ""))
    try:
        size = IPv4Network(cidr).num_addresses
    except ValueError as error:
        raise SpecError(f"header: subnet: {error}") from None
    if not 16 <= size <= 65536:
        raise SpecError(f"header: subnet: {cidr} is not a subnet (expected /16 to /28)")
    offsets: tuple[int, ...] = ()
    if match := _LAST.match(text):
        offsets = tuple(range(size - 1 - int(match[1]), size - 1))
    elif match := _EVERY.match(text):
        offsets = tuple(int(match[1]) * step for step in range(1, int(match[2]) + 1))
    elif text:
        raise SpecError(f"header: subnet_used_by_others: {text!r} is neither last:N nor every:S:N")
    if offsets and not RESERVED_FIRST <= min(offsets) <= max(offsets) < size - 1:
        raise SpecError(f"header: subnet_used_by_others: {text} is more than {cidr} has")
    return size, offsets


def _latencies(header: Mapping[str, object]) -> dict[str, int]:
    given = _value(header, "latency_ms")
    check_kind("header: latency_ms", given, Mapping, "a mapping of EC2 calls to milliseconds")
    assert isinstance(given, Mapping)
    for name, value in given.items():
        check_word("header: latency_ms", name, EC2_CALLS)
        check_count(f"header: latency_ms: {name}", value)
    if missing := [name for name in EC2_CALLS if name not in given]:
        raise SpecError(f"header: latency_ms: {missing[0]} is missing")
    return {name: int(given[name]) for name in EC2_CALLS}


def _calls(header: Mapping[str, object]) -> tuple[str, ...]:
    given = header.get("ec2_kinds", list(EC2_CALLS))
    check_kind("header: ec2_kinds", given, (list, tuple), "a list of EC2 calls")
    assert isinstance(given, list | tuple)
    for name in given:
        check_word("header: ec2_kinds", name, EC2_CALLS)
    return tuple(given)
