"""Read ENIConfigs of custom networking: the subnets of pods, by zone if the name is a zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from capacity.readers.draft import SourceNotes, SubnetDraft
from capacity.readers.values import PLACEHOLDER, path_of, subnet_id_of


def eniconfig_subnet(value: Mapping[str, Any], said: SourceNotes) -> dict[str, str]:
    """Subnet ID of an ENIConfig by its name; empty, with a note, if it is not an ID."""
    name = str(path_of(value, "metadata", "name") or "")
    subnet = subnet_id_of(path_of(value, "spec", "subnet"))
    where = f"ENIConfig {name}"
    if subnet is None or PLACEHOLDER.search(name):
        shown = path_of(value, "spec", "subnet")
        said.say(where, f"subnet {shown!r} is not an ID: the pod subnet is not known")
        return {}
    if path_of(value, "spec", "vpcId"):
        said.say(where, "its subnet is in another VPC: treated as part of the cluster's VPC")
    return {name: subnet}


def subnets_of_eniconfigs(eniconfigs: Mapping[str, str]) -> tuple[SubnetDraft, ...]:
    """Subnets of the ENIConfigs; an ENIConfig has the name of its zone if nodes select it by the zone label."""
    zoned = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9][a-z](?![a-z0-9])")
    found = {}
    for name, subnet in sorted(eniconfigs.items()):
        found[subnet] = SubnetDraft(subnet, zone[0] if (zone := zoned.match(name)) else None, id=subnet)
    return tuple(found.values())
