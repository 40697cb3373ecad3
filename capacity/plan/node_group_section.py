"""Reads the plan's node groups."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog
from capacity.errors import UnknownInstanceType, did_you_mean
from capacity.plan import node_keys
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.fields import Field
from capacity.plan.model import Limits, NodeGroup
from capacity.plan.reading import DependsOnError, Names, Problems, Values, read_keys, read_section
from capacity.plan.sections import PlanSection

NO_SUBNETS = "is empty (expected names of subnets)"


class NodeGroupReader:
    """Reads the entries of ``nodeGroups``.

    Parameters
    ----------
    cni : CniSettings or None
        None if the plan's CNI has an error; rules that depend on it are then not checked.
    """

    def __init__(self, catalog: Catalog, subnets: Names, cni: CniSettings | None) -> None:
        self._catalog = catalog
        self._subnets = subnets
        self._cni = cni
        self._types: dict[str, InstanceType] = {}
        self._own = {
            "instanceTypes": self._instance_types,
            "subnets": self._names,
            "podSubnets": self._names,
            "nodes": _nodes,
            "update": _update,
            "limits": _limits,
            "spread": lambda field: field,  # its zones are the zones of its subnets
        }

    def read(self, entry: Field) -> NodeGroup:
        """Read one node group or Fargate profile.

        Raises
        ------
        SpecError
            Every problem found.
        """
        if isinstance(entry.value, PlanSection) and entry.value.get("provisioner") == "fargate":
            return self._fargate(entry)
        values = read_keys(entry, node_keys.NODE_GROUP, self._own)
        self._apply_rules(entry, values)
        values.problems.check()
        low, desired, high = values["nodes"] or (0, None, None)
        unavailable, strategy = values["update"] or _update(None)
        return NodeGroup(
            name=values["name"],
            instance_types=values["instanceTypes"],
            subnets=values["subnets"],
            pod_subnets=values["podSubnets"] or (),
            ami=values["ami"],
            provisioner=values["provisioner"],
            min_nodes=low,
            desired=desired,
            max_nodes=high,
            max_unavailable=unavailable,
            update_strategy=strategy,
            max_pods=values["maxPods"],
            max_pods_expression=values["maxPodsExpression"],
            spread=values["spread"],
            reserved_enis=values["reservedEnis"],
            unmanaged_enis=values["unmanagedEnis"],
            where=entry.where,
            capacity_type=values["capacityType"],
            limits=values["limits"] or Limits(),
        )

    def _apply_rules(self, entry: Field, values: Values) -> None:
        """Check the rules between two keys, or a key and another section."""
        with values.problems:
            if values["ami"] == "windows":
                self._check_windows(entry)
            else:
                self._check_pod_subnets(entry, values)
        with values.problems:
            if isinstance(values["spread"], Field):
                values["spread"] = self._spread(values["spread"], values["subnets"])
        with values.problems:
            if values["limits"] and values["provisioner"] not in ("karpenter", "auto"):
                entry.child("limits").fail("applies to Karpenter and Auto Mode only (use nodes.max)")

    @property
    def cni(self) -> CniSettings:
        """The settings of the plan's CNI, if they could be read."""
        if self._cni is None:
            raise DependsOnError
        return self._cni

    def _names(self, section: Field) -> tuple[str, ...]:
        return self._subnets.listed(section, NO_SUBNETS)

    def _zone(self, subnet: str) -> str:
        zone: str = self._subnets.found[subnet].zone
        return zone

    def _fargate(self, entry: Field) -> NodeGroup:
        """A Fargate profile: a name and subnets; each pod is a node."""
        rules = Problems()
        kept = PlanSection(entry.value.line)
        kept.lines = entry.value.lines
        for key, value in entry.value.items():
            if key in node_keys.NODE_GROUP.by_name and key not in node_keys.FARGATE.by_name:
                with rules:
                    entry.child(key).fail("does not apply to a Fargate profile (it has only a name and subnets)")
            else:
                kept[key] = value
        profile = Field(kept, entry.key, entry.parent, entry.line, entry.file)
        values = read_keys(profile, node_keys.FARGATE, {"subnets": self._names})
        values.problems.add(rules)
        values.problems.check()
        return NodeGroup(
            name=values["name"],
            instance_types=(InstanceType.unlisted("fargate"),),
            subnets=values["subnets"],
            provisioner="fargate",
            where=entry.where,
        )

    def _instance_types(self, section: Field) -> tuple[InstanceType, ...]:
        problems = Problems()
        types: list[InstanceType] = []
        for entry in problems.over(section.items()):
            with problems:
                kind = self._instance_type(entry)
                if kind in types:
                    entry.fail(f"duplicate {kind.name!r}")
                types.append(kind)
        problems.check()
        if not types:
            section.fail("is empty (expected at least one instance type)")
        return tuple(types)

    def _instance_type(self, entry: Field) -> InstanceType:
        """An instance type with enough catalog data to plan with."""
        name = entry.text(node_keys.NODE_GROUP["instanceTypes"].most)
        kind = self._types.get(name)
        if kind is None:
            try:
                kind = self._types[name] = self._catalog.get(name)
            except UnknownInstanceType as error:
                nearest = error.nearest
                raise entry.placed(lambda place: UnknownInstanceType(name, nearest, place)) from None
        if kind.max_enis is None or kind.ipv4_per_eni is None:
            entry.fail(f"no ENI limits are known for {name!r}, so it cannot be planned")
        if kind.vcpus is None or kind.memory_mib is None:
            entry.fail(f"no vCPU count and memory size are known for {name!r}, so it cannot be planned")
        if kind.prefixes_possible is False and self.cni.ipv6:
            entry.fail(f"{name!r} runs on {kind.hypervisor}: IPv6 needs Nitro or bare metal")
        return kind

    def _check_pod_subnets(self, entry: Field, values: Values) -> None:
        pod_subnets, settings = values["podSubnets"], self.cni
        section = entry.child("podSubnets")
        if pod_subnets is None:
            if settings.custom_networking and values["provisioner"] != "auto":  # Auto Mode uses its own setting
                entry.fail("custom networking is on, but the key 'podSubnets' is missing")
            return
        ipam = settings.cilium
        if settings.cni == OVERLAY:
            section.fail("has no effect with an overlay CNI: its pods use no VPC addresses")
        if ipam is not None and not ipam.first_interface_index:
            section.fail(
                "requires cni.cilium.firstInterfaceIndex 1 or more (with 0 the first ENI has pod addresses of "
                "the node's subnet)"
            )
        if ipam is None and not settings.custom_networking:
            section.fail('requires custom networking (cni.env AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true")')
        served = {self._zone(name) for name in pod_subnets}
        for name in values["subnets"]:
            if self._zone(name) not in served:
                section.fail(f"no pod subnet in zone {self._zone(name)!r}, where the nodes of {name!r} are")

    def _check_windows(self, entry: Field) -> None:
        """Check the rules of Windows nodes: IPv4 only, pods in the node's subnet.

        Source: Amazon EKS user guide, "Deploy Windows nodes", considerations (windows-support.adoc, read 2026-11-25).
        """
        if self.cni.cni == CILIUM:
            entry.child("ami").fail("Cilium does not run on Windows nodes")
        if pod_subnets := entry.get("podSubnets"):
            pod_subnets.fail("Windows nodes cannot use custom networking: their pods use the node's subnet")
        if self.cni.ipv6:
            entry.child("ami").fail("Windows nodes cannot run in an IPv6 cluster")

    def _spread(self, section: Field, subnets: tuple[str, ...]) -> str | Mapping[str, Fraction]:
        if not isinstance(section.value, PlanSection):
            return section.one_of(node_keys.NODE_GROUP["spread"].words)
        zones = list(dict.fromkeys(map(self._zone, subnets)))
        problems = Problems()
        weights: dict[str, Fraction] = {}
        for entry in problems.over(map(section.child, section.value)):
            with problems:
                zone = str(entry.key)
                if zone not in zones:
                    entry.fail(f"the group has no subnet in zone {zone!r}{did_you_mean(zone, zones)}")
                weights[zone] = entry.weight()
        problems.check()
        if not sum(weights.values()):
            section.fail("the weights are all 0")
        return {zone: weights.get(zone, Fraction(0)) for zone in zones}


def _nodes(section: Field) -> tuple[int, int | None, int | None]:
    """The minimum, desired and maximum number of nodes."""
    if isinstance(section.value, str):
        count = section.integer()
        return count, count, count
    values = read_keys(section, node_keys.NODES)
    with values.problems:
        least, most = values["min"], values["max"]
        if most is not None and most < least:
            section.child("max").fail(f"{most} is less than nodes.min {least}")
        wanted = values["desired"]
        if wanted is not None and (wanted < least or (most is not None and wanted > most)):
            section.child("desired").fail(f"{wanted} is outside min {least} and max {'none' if most is None else most}")
    values.problems.check()
    return values["min"], values["desired"], values["max"]


def _update(section: Field | None) -> tuple[int | Fraction, str]:
    """The nodes that can be unavailable during an update, and the update strategy."""
    values = read_section(section, node_keys.UPDATE)
    unavailable: int | Fraction = values["maxUnavailable"]
    percentage = values["maxUnavailablePercentage"]
    if section is not None and percentage is not None:
        if section.get("maxUnavailable"):
            section.child("maxUnavailablePercentage").fail("set maxUnavailable or maxUnavailablePercentage, not both")
        unavailable = Fraction(percentage, 100)
    return unavailable, values["strategy"]


def _limits(section: Field) -> Limits:
    """A NodePool's limits. Karpenter starts no node that exceeds them."""
    values = read_section(section, node_keys.LIMITS)
    return Limits(values["cpu"], values["memory"])
