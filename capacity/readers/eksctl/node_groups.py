"""Node groups of a ClusterConfig, with the defaults of eksctl (m5.large, 2 nodes).

Sources: eksctl-io/eksctl pkg/apis/eksctl.io/v1alpha5 defaults; pkg/eks/nodegroup_service.go expandInstanceSelector;
pkg/vpc/vpc.go SelectNodeGroupSubnets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.readers.draft import GroupDraft, SourceNotes, TenantDraft, at, unique
from capacity.readers.efa import efa_tenant
from capacity.readers.eksctl.config_reading import PRIVATE, PUBLIC, ConfigReading
from capacity.readers.eksctl.created_vpc import zone_named
from capacity.readers.instance_choice import candidates
from capacity.readers.node_group import (
    SourceGroup,
    eks_default_ami,
    group_draft,
    own_image,
    say_eniconfig,
    say_reserved,
    say_taints,
    taint_text,
)
from capacity.readers.user_data import ami_of, max_pods_in
from capacity.readers.values import (
    bool_of,
    int_of,
    items,
    kubernetes_version_of,
    mapping,
    path_of,
    subnet_id_of,
    text_of,
)

DEFAULT_TYPE = "m5.large"
DEFAULT_NODES = 2
SIZES = ("minSize", "desiredCapacity", "maxSize")
MOST_SELECTED = 40  # eksctl refuses an instanceSelector that more types match


def node_groups(reading: ConfigReading) -> tuple[list[GroupDraft], list[TenantDraft]]:
    """All node groups, and the holders of addresses that their nodes bring along."""
    groups: list[GroupDraft] = []
    holders: list[TenantDraft] = []
    for key, i, provisioner, raw in reading.groups():
        where = f"{key}[{i}]"
        name = unique(text_of(raw.get("name")) or f"{key}-{i + 1}", [g.name for g in groups])
        group = _group(reading, raw, name, provisioner, where)
        groups.append(group)
        if bool_of(raw.get("efaEnabled")):
            holder = efa_tenant(group, reading.catalog, reading.said, f"{where}.efaEnabled")
            holders += [holder] if holder else []
        if raw.get("outpostARN"):
            reading.said.meet("Outpost", f"{where}.outpostARN")
    return groups, holders


def _group(reading: ConfigReading, raw: Any, name: str, provisioner: str, where: str) -> GroupDraft:
    said = reading.said
    low, wanted, most = _sizes(raw, said, where, name)
    family = text_of(raw.get("amiFamily"))
    if family and ami_of(family) is None:
        said.say(f"{where}.amiFamily", f"{family} is not supported: assumed al2023", at("nodeGroups", name, "ami"))
    update = mapping(raw.get("updateConfig"))
    launch = mapping(raw.get("launchTemplate"))
    if launch:
        which = f"{launch.get('id') or launch.get('name')} version {launch.get('version', 'default')}"
        text = f"{which} is not in this file: its type, AMI, max pods and interfaces are not known"
        said.say(f"{where}.launchTemplate", text, at("nodeGroups", name))
    say_taints(said, where, name, _taints(raw.get("taints")))
    say_eniconfig(said, where, name, mapping(raw.get("labels")).items())
    draft = group_draft(
        SourceGroup(
            name=name,
            provisioner=provisioner,
            types=_types(reading, raw, where, name),
            ami=family or _default_family(reading, raw, where, name),
            low=low,
            desired=wanted,
            high=most,
            subnets=_subnets(reading, raw, where, name),
            unavailable_percent=update.get("maxUnavailablePercentage"),
            unavailable=update.get("maxUnavailable"),
            update_strategy=(text_of(update.get("updateStrategy")) or "").lower(),
            max_pods=_max_pods(raw, said, where, name),
            spot=bool_of(raw.get("spot")) is True or _all_spot(raw),
            zones=[z for z in (zone_named(z, reading) for z in _zones(raw)) if z],
        )
    )
    if provisioner == "managed" and str(raw.get("ami") or "").startswith("ami-") and draft.max_pods is None:
        return own_image(draft, said, where)
    return draft


def _default_family(reading: ConfigReading, raw: Any, where: str, name: str) -> str | None:
    """AL2 below Kubernetes 1.30, where AL2023 became the default.

    Source: eksctl user guide, node-bootstrapping (read 2026-11-30).
    """
    version = kubernetes_version_of(path_of(reading.config, "metadata", "version"))
    if "amiFamily" in raw or raw.get("ami") or eks_default_ami(version) != "al2":
        return None
    text = f"no amiFamily: eksctl uses AmazonLinux2 with Kubernetes {version}"
    reading.said.say(where, text, at("nodeGroups", name, "ami"))
    return "AmazonLinux2"


def _taints(stated: object) -> list[str]:
    """Taints as text, from a list or the older mapping."""
    if isinstance(stated, dict):
        return [f"{key}={value}" for key, value in stated.items()]
    return [taint_text(t.get("key"), t.get("value"), t.get("effect")) for t in map(mapping, items(stated))]


def _zones(raw: Any) -> list[Any]:
    return [*items(raw.get("availabilityZones")), *items(raw.get("localZones"))]


def _all_spot(raw: Any) -> bool:
    """Whether the distribution of a self-managed group has only Spot instances."""
    mixed = mapping(raw.get("instancesDistribution"))
    base, above = int_of(mixed.get("onDemandBaseCapacity")), int_of(mixed.get("onDemandPercentageAboveBaseCapacity"))
    return base in (None, 0) and above == 0


def _sizes(raw: Any, said: SourceNotes, where: str, name: str) -> tuple[int | None, int | None, int | None]:
    """min, desired and max; with the defaults of eksctl, unless one is stated and not known."""
    low, wanted, most = (int_of(raw.get(k)) for k in SIZES)
    unclear = [k for k, size in zip(SIZES, (low, wanted, most), strict=True) if size is None and raw.get(k) is not None]
    if unclear:
        said.say(where, f"not known: {', '.join(unclear)}", at("nodeGroups", name, "nodes"))
        return low, wanted, most
    if low is None and wanted is None and most is None:
        said.say(where, f"no sizes: eksctl uses {DEFAULT_NODES} nodes", at("nodeGroups", name, "nodes"))
    if low is None:
        low = wanted if wanted is not None else DEFAULT_NODES if most is None else min(DEFAULT_NODES, most)
    if wanted is None:
        wanted = low
    if most is None:
        most = max(wanted, low)
    return low, wanted, most


def _max_pods(raw: Any, said: SourceNotes, where: str, name: str) -> int | None:
    """Max pods of the group, in the order in which one replaces the other: its own key, settings, boot scripts."""
    kubelet = mapping(raw.get("kubeletExtraConfig"))
    say_reserved(said, f"{where}.kubeletExtraConfig", at("nodeGroups", name), kubelet)
    if kubelet.get("podsPerCore"):
        text = f"podsPerCore {kubelet['podsPerCore']} can lower max pods (not in the plan)"
        said.say(f"{where}.kubeletExtraConfig", text, at("nodeGroups", name, "maxPods"))
    bottlerocket = path_of(raw, "bottlerocket", "settings", "kubernetes", "max-pods")
    for stated in (raw.get("maxPodsPerNode"), kubelet.get("maxPods"), bottlerocket):
        number = int_of(stated, 1)
        if number:
            return number
    scripts = [raw.get("overrideBootstrapCommand"), *items(raw.get("preBootstrapCommands"))]
    return next((found for script in scripts if (found := max_pods_in(script))), None)


# --- instance types -----------------------------------------------------------------------------


def _types(reading: ConfigReading, raw: Any, where: str, name: str) -> Sequence[str]:
    said, path = reading.said, at("nodeGroups", name, "instanceTypes")
    stated = [text_of(t) for t in items(raw.get("instanceTypes"))]
    stated += [text_of(t) for t in items(path_of(raw, "instancesDistribution", "instanceTypes"))]
    if "spotOcean" in raw:
        return _ocean_types(reading, mapping(raw["spotOcean"]), where, name)
    single = text_of(raw.get("instanceType"))
    types = [t for t in [single, *stated] if t and t != "mixed"]
    if types:
        return types
    selector = mapping(raw.get("instanceSelector"))
    if selector:
        return _selected(reading, selector, where, path)
    if raw.get("launchTemplate"):
        return ()  # the type is in the template, as noted
    if "instanceType" in raw or "instanceTypes" in raw:
        return ()  # a placeholder, already reported
    said.say(where, f"no instanceType: eksctl uses {DEFAULT_TYPE}", path)
    return (DEFAULT_TYPE,)


def _ocean_types(reading: ConfigReading, ocean: Any, where: str, name: str) -> Sequence[str]:
    """Types of a group of Spot Ocean, which starts its instances instead of an Auto Scaling group."""
    shared = path_of(reading.config, "spotOcean", "compute", "instanceTypes")
    stated = path_of(ocean, "compute", "instanceTypes") or mapping(shared).get("whitelist") or shared
    text = "Spot Ocean starts its instances: their number is not that of an Auto Scaling group"
    reading.said.say(f"{where}.spotOcean", text, at("nodeGroups", name))
    return [t for t in map(text_of, items(stated)) if t]


def _selected(reading: ConfigReading, selector: Any, where: str, path: str) -> Sequence[str]:
    """Types that an instanceSelector allows."""
    found = candidates(reading.catalog, lambda kind: _is_selected(kind, selector))
    listed = ""
    if len(found) > MOST_SELECTED:
        listed = f"; eksctl refuses more than {MOST_SELECTED}, and the plan lists the first {MOST_SELECTED}"
    reading.said.say(f"{where}.instanceSelector", f"{len(found)} types of the catalog match{listed}", path)
    return found[:MOST_SELECTED]


_MEMORY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(Gi?B?|Mi?B?)?$", re.IGNORECASE)


def _is_selected(kind: InstanceType, selector: Any) -> bool:
    """Whether a type matches an instanceSelector: vCPUs, memory (GiB without a unit), GPUs, architecture."""
    vcpus, gpus = int_of(selector.get("vCPUs")), int_of(selector.get("gpus"))
    memory = _MEMORY.match(str(selector.get("memory") or ""))
    arch = str(selector.get("cpuArchitecture") or "x86_64").replace("amd64", "x86_64")
    if vcpus is not None and kind.vcpus != vcpus:
        return False
    if gpus is not None and (kind.gpus or 0) != gpus:
        return False
    if memory:
        mib = float(memory[1]) * (1 if (memory[2] or "").lower().startswith("m") else 1024)
        if kind.memory_mib != int(mib):
            return False
    return kind.arch == arch


# --- subnets ------------------------------------------------------------------------------------


def _subnets(reading: ConfigReading, raw: Any, where: str, name: str) -> tuple[str, ...] | None:
    """Names of the group's subnets: listed by alias or ID, those of its zones, else all private or public ones."""
    path = at("nodeGroups", name, "subnets")
    listed = items(raw.get("subnets"))
    if listed:
        texts = [s for s in map(text_of, listed) if s and (subnet_id_of(s) or not s.startswith("subnet-"))]
        named = [reading.subnet_named(s) for s in texts]
        if not named:
            reading.said.say(f"{where}.subnets", "only placeholders: its subnets are not known", path)
        return tuple(dict.fromkeys(named)) or None
    kind = PRIVATE if bool_of(raw.get("privateNetworking")) or reading.is_private else PUBLIC
    pool = (reading.private if kind == PRIVATE else reading.public) or reading.private or reading.public
    zones = [zone_named(z, reading) for z in _zones(raw)]
    if not any(zones):
        return tuple(s.name for s in pool) or None
    local = {text_of(z) for z in items(raw.get("localZones"))}
    chosen = [s.name for s in pool if s.zone in zones and s.zone not in local]
    chosen += [s.name for s in (reading.local[kind] or pool) if s.zone in local]
    missing = list(_without_subnet(reading, zones))
    if missing and reading.subnets:
        reading.said.say(f"{where}.availabilityZones", f"no subnet of this file is in {', '.join(missing)}", path)
    return tuple(chosen) or None


def _without_subnet(reading: ConfigReading, zones: Sequence[str | None]) -> Iterator[str]:
    there = {s.zone for s in reading.subnets}
    yield from (z for z in zones if z and z not in there)
