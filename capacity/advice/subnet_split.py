"""Patches that split a subnet of a plan into halves, and join two halves: a gesture of subnet calculators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capacity.advice.levers.new_subnets import free_name
from capacity.errors import SpecError, did_you_mean
from capacity.plan.model import Plan, Subnet
from capacity.plan.patch import entry
from capacity.vpc.cidr_rules import LARGEST, SMALLEST

Patch = dict[str, object]
_OF_GROUPS = ("subnets", "podSubnets")


def split_patch(plan: Plan, document: Mapping[str, Any], name: str) -> Patch:
    """The patch that splits a subnet into two halves.

    The lower half keeps the name, the used addresses and its other holders; node groups that use the subnet use both
    halves.

    Raises
    ------
    SpecError
        There is no such subnet, it is as small as a subnet can be, or it has reservations.
    """
    subnet = _named(plan, name)
    if subnet.cidr.prefixlen >= SMALLEST:
        raise SpecError(f"{name}: {subnet.cidr} cannot be split (a subnet is /{SMALLEST} or larger)")
    _without_reservations(subnet)
    lower, upper = subnet.cidr.subnets()
    other = free_name(f"{name}-2", {s.name for s in plan.subnets})
    patch: Patch = {
        entry("vpc.subnets", name, "cidr"): str(lower),
        "vpc.subnets[+]": {"name": other, "zone": subnet.zone, "cidr": str(upper)},
    }
    for path, listed in _lists(document):
        if name in listed:
            patch[path] = [half for one in listed for half in ((one, other) if one == name else (one,))]
    return patch


def join_patch(plan: Plan, document: Mapping[str, Any], name: str) -> Patch:
    """The patch that joins a subnet with the other half of its parent block, which is a subnet in the same zone.

    The lower half keeps its name; used addresses are added up, and everything that uses the upper half uses it.

    Raises
    ------
    SpecError
        There is no such subnet, no other half, or one of the two has reservations.
    """
    subnet = _named(plan, name)
    other = other_half(plan, subnet)
    if other is None:
        raise SpecError(f"{name}: no subnet in {subnet.zone} is the other half of its parent block")
    for half in (subnet, other):
        _without_reservations(half)
    keep, gone = sorted((subnet, other), key=lambda s: s.cidr)
    patch: Patch = {entry("vpc.subnets", keep.name, "cidr"): str(subnet.cidr.supernet())}
    if keep.used + gone.used:
        patch[entry("vpc.subnets", keep.name, "used")] = keep.used + gone.used
    for path, listed in (*_lists(document), *_other_lists(document)):
        if gone.name in listed:
            patch[path] = list(dict.fromkeys(keep.name if one == gone.name else one for one in listed))
    patch[entry("vpc.subnets", gone.name, "").rstrip(".")] = None
    return patch


def other_half(plan: Plan, subnet: Subnet) -> Subnet | None:
    """The subnet in the same zone that is the other half of the parent block; None if there is none."""
    if subnet.cidr.prefixlen <= LARGEST:
        return None
    parent = subnet.cidr.supernet()
    alike = (s for s in plan.subnets if s.zone == subnet.zone and s.cidr.prefixlen == subnet.cidr.prefixlen)
    return next((s for s in alike if s.name != subnet.name and s.cidr.supernet() == parent), None)


def _named(plan: Plan, name: str) -> Subnet:
    found = next((s for s in plan.subnets if s.name == name), None)
    if found is None:
        raise SpecError(f"there is no subnet {name!r} in the plan{did_you_mean(name, [s.name for s in plan.subnets])}")
    return found


def _without_reservations(subnet: Subnet) -> None:
    if subnet.reservations:
        raise SpecError(f"{subnet.name}: a subnet with reservations cannot be split or joined (edit the plan)")


def _lists(document: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """The lists of subnets of the node groups, with their paths."""
    for group in document.get("nodeGroups") or ():
        for key in _OF_GROUPS:
            if isinstance(group.get(key), list):
                yield entry("nodeGroups", group["name"], key), group[key]


def _other_lists(document: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """The lists of subnets of the control plane and the tenants, with their paths."""
    listed = (document.get("controlPlane") or {}).get("subnets")
    if isinstance(listed, list):
        yield "controlPlane.subnets", listed
    for place, tenant in enumerate(document.get("tenants") or ()):
        if isinstance(tenant.get("subnets"), list):
            yield f"tenants[{place}].subnets", tenant["subnets"]
