"""ENIConfigs of the VPC CNI's custom networking: the pods' subnets, by zone where the name tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from capacity.readers.draft import SourceNotes, SubnetDraft
from capacity.readers.values import PLACEHOLDER, path_of, text_of


def eniconfig_subnet(value: Mapping[str, Any], said: SourceNotes) -> dict[str, str]:
    """The id of an ENIConfig's subnet under the ENIConfig's name; empty, with a note, where it is no id."""
    name = str(path_of(value, "metadata", "name") or "")
    subnet = text_of(path_of(value, "spec", "subnet"))
    where = f"ENIConfig {name}"
    if subnet is None or PLACEHOLDER.search(name):
        shown = path_of(value, "spec", "subnet")
        said.say(where, f"subnet {shown!r} is no id: the pod subnet is not known here")
        return {}
    if path_of(value, "spec", "vpcId"):
        said.say(where, "its pods' subnet is in another VPC: reckoned as in the cluster's")
    return {name: subnet}


def subnets_of_eniconfigs(eniconfigs: Mapping[str, str]) -> tuple[SubnetDraft, ...]:
    """The ENIConfigs' subnets; an ENIConfig is named after its zone where nodes find theirs by the zone label."""
    zoned = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9][a-z](?![a-z0-9])")
    found = {}
    for name, subnet in sorted(eniconfigs.items()):
        found[subnet] = SubnetDraft(subnet, zone[0] if (zone := zoned.match(name)) else None, id=subnet)
    return tuple(found.values())
