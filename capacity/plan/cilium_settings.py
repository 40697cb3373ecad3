"""Converts Cilium's settings from a plan or an option to CNI settings, with notes for the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from capacity.errors import SpecError, check_count, check_kind, check_switch, did_you_mean
from capacity.plan.cilium import OWN_ADDRESSES, PRE_ALLOCATE, CiliumIpam
from capacity.plan.cni_env import CniSettings
from capacity.plan.cni_keys import CILIUM

# Names of the CiliumNode resource in camel case; prefixDelegation and releaseExcessIps are the operator's
# --aws-enable-prefix-delegation and --aws-release-excess-ips (both off by default).
NUMBERS = {
    "preAllocate": "pre_allocate",
    "minAllocate": "min_allocate",
    "maxAllocate": "max_allocate",
    "maxAboveWatermark": "max_above_watermark",
    "firstInterfaceIndex": "first_interface_index",
}
SWITCHES = {"usePrimaryAddress": "use_primary_address", "releaseExcessIps": "release_excess_ips"}
PREFIXES = "prefixDelegation"
KEYS = (*NUMBERS, *SWITCHES, PREFIXES)


def most_of(name: str) -> int:
    """The largest allowed value of one of :data:`NUMBERS`."""
    return CILIUM[name].most


def cilium_settings(values: Mapping[str, int | bool], where: str = "") -> tuple[CniSettings, list[str]]:
    """The CNI settings for Cilium's ENI mode, and the assumptions that affect the answer.

    Parameters
    ----------
    values : mapping of str to int or bool
        By the names of :data:`KEYS`; missing names have Cilium's defaults.
    where : str
        Place in its file or the option, for messages.

    Raises
    ------
    SpecError
        An unknown name, a number out of range, or switches whose combination Cilium's source does not define.

    Examples
    --------
    >>> settings, notes = cilium_settings({"firstInterfaceIndex": 1, "prefixDelegation": True})
    >>> settings.prefix, settings.cilium.pre_allocate
    (True, 8)
    """
    place = f"{where}: " if where else ""
    check_kind(where or "cilium", values, Mapping, "a mapping of settings, such as {'preAllocate': 16}")
    for name, value in values.items():
        if name not in KEYS:
            hint = did_you_mean(name, KEYS) or f" (known: {', '.join(sorted(KEYS))})"
            raise SpecError(f"{place}{name!r} is not a setting of Cilium's ENI mode{hint}")
        if name in NUMBERS:
            check_count(f"{place}{name}", value)
        else:
            check_switch(f"{place}{name}", value)
        if name in NUMBERS and not 0 <= value <= most_of(name):
            raise SpecError(f"{place}{name}: {value} is out of range (expected 0 to {most_of(name):,})")
    fields = {field: values[name] for name, field in (NUMBERS | SWITCHES).items() if name in values}
    notes: list[str] = []
    if fields.get("pre_allocate") == 0:
        fields["pre_allocate"] = PRE_ALLOCATE
        notes.append(f"preAllocate 0: Cilium uses its default, {PRE_ALLOCATE}")
    ipam = CiliumIpam(**fields)  # type: ignore[arg-type]
    prefix = bool(values.get(PREFIXES, False))
    if ipam.use_primary_address and not ipam.first_interface_index and not prefix:
        ipam = replace(ipam, use_primary_address=False)
        notes.append(
            "usePrimaryAddress is treated as off with firstInterfaceIndex 0: the first ENI's primary address is "
            "the node's, and Cilium allocates at most ENIs × (IPs − 1) addresses either way"
        )
    if ipam.use_primary_address and prefix:
        raise SpecError(
            f"{place}usePrimaryAddress and prefixDelegation together are not modelled: "
            "Cilium then counts addresses on an ENI that EC2 does not provide"
        )
    return CniSettings(prefix=prefix, cilium=ipam), [*notes, *_assumptions(ipam, prefix)]


def all_settings(settings: CniSettings) -> dict[str, int | bool]:
    """Cilium's settings after defaults, by the names of :data:`KEYS`."""
    assert settings.cilium is not None, "only called with Cilium"
    fields = NUMBERS | SWITCHES
    return {name: getattr(settings.cilium, field) for name, field in fields.items()} | {PREFIXES: settings.prefix}


def given_settings(settings: CniSettings) -> dict[str, int | bool]:
    """The settings that differ from Cilium's defaults.

    >>> given_settings(cilium_settings({"preAllocate": 4, "minAllocate": 0})[0])
    {'preAllocate': 4}
    """
    usual = all_settings(CniSettings(cilium=CiliumIpam()))
    return {name: value for name, value in all_settings(settings).items() if value != usual[name]}


def _assumptions(ipam: CiliumIpam, prefix: bool) -> list[str]:
    notes = [
        f"Cilium: {OWN_ADDRESSES} pod addresses of every node are used by Cilium itself (router and health endpoint)",
        "Cilium: max pods is set by EKS, the AMI or Karpenter, as with the VPC CNI; Cilium sets none",
    ]
    if not ipam.release_excess_ips:
        kept = "releaseExcessIps is off, so a node keeps every address it ever held"
    elif prefix:
        kept = "prefixes are assumed to be kept, although newer versions release prefixes that are wholly free"
    else:
        kept = "ENIs stay attached when their addresses are released"
    return [*notes, f"Cilium: {kept}; the figures are for nodes that never ran more pods"]
