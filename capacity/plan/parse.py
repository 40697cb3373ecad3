"""Turns a document into a :class:`~capacity.plan.model.Plan`: checks every key and resolves every name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from capacity.catalog.regions import unknown_region
from capacity.catalog.table import Catalog, load_catalog
from capacity.errors import SpecError, check_kind, check_switch
from capacity.plan import keys
from capacity.plan.cni_env import CniSettings
from capacity.plan.cni_section import read_cni
from capacity.plan.constants import API_VERSION
from capacity.plan.discovery import choices_by_group
from capacity.plan.document import collector_paused, read_plan_file, section_of
from capacity.plan.fields import RFC_1918, Field, items
from capacity.plan.model import Checks, Cni, Kubernetes, Plan, Tenant
from capacity.plan.network_section import read_vpc
from capacity.plan.node_group_section import NO_SUBNETS, NodeGroupReader
from capacity.plan.patch import apply_patch, check_patch
from capacity.plan.reading import Names, Problems, Values, read_block, read_keys, read_section
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.scenarios import ScenarioPlaces, read_scenario
from capacity.plan.sections import PlanSection
from capacity.plan.seen import Seen
from capacity.plan.service import KubeProxy, Service
from capacity.plan.service_section import ServiceReader, read_kube_proxy
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.plan.tenant_section import TenantReader, has_plan
from capacity.plan.workload_section import WorkloadReader
from capacity.units import some_of

_SECTIONS = frozenset(key.name for key in keys.PLAN.keys if key.name not in ("apiVersion", "region", "account"))


@collector_paused()
def read_plan(path: Path | str, catalog: Catalog | None = None) -> Plan:
    """The plan in a file.

    Raises
    ------
    SpecError
        Every problem with its file, line and path, one per line.
    """
    read = read_plan_file(path)
    return parse_plan(read.document, read.name, catalog)


def parse_plan(
    document: Mapping[str, Any],
    file: str = "",
    catalog: Catalog | None = None,
    seen: Seen | None = None,
    *,
    alone: bool = False,
) -> Plan:
    """The plan in a decoded document: plain mappings, lists, text and numbers, or the sections of a file.

    Parameters
    ----------
    file : str
        Name of the document in messages.
    catalog : Catalog, optional
        By default :func:`~capacity.catalog.table.load_catalog`.
    seen : Seen, optional
        Entries of similar plans that were read before.
    alone : bool
        The plans of other clusters that its tenants name are not read, and those tenants are left out.

    ``alone``: the plans of other clusters that its tenants name are not read, and those tenants are left out.

    Raises
    ------
    SpecError
        As :func:`read_plan`; ``errors`` has them one by one.
    """
    check_kind("document", document, Mapping, "the decoded document of a plan; read_plan reads a file")
    check_kind("file", file, str, "the name of the document in messages")
    check_switch("alone", alone)
    if catalog is not None:
        check_kind("catalog", catalog, Catalog, "a Catalog: load_catalog(), or None")
    if seen is not None:
        check_kind("seen", seen, Seen, "a Seen, or None")
    check_kind("alone", alone, bool, "True or False")
    section = section_of(document, file)
    root = Field(section, "", None, section.line, file)
    return _Parser(root, load_catalog() if catalog is None else catalog, alone=alone, seen=seen).plan()


def read_patched(path: Path | str, patch: Mapping[str, object], catalog: Catalog | None = None) -> Plan:
    """The plan in a file with the changes applied; an empty patch changes nothing.

    Raises
    ------
    SpecError
        As :func:`read_plan`, with the changes named, because any of them can be the cause.
    """
    check_patch(patch)
    read = read_plan_file(path)
    return parse_patched(read.document, patch, read.name, catalog)


def parse_patched(
    document: PlanSection, patch: Mapping[str, object], file: str = "", catalog: Catalog | None = None
) -> Plan:
    """The plan in a decoded document with the changes applied; the document itself does not change."""
    if not patch:
        return parse_plan(document, file, catalog)
    changed = apply_patch(document, patch)
    try:
        return parse_plan(changed, file, catalog)
    except SpecError as error:
        raise error.ending(f" (after setting {', '.join(patch)})") from error


def find_plan(start: Path | None = None) -> Path:
    """``capacity.yaml`` in the working directory or the nearest folder above it."""
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / "capacity.yaml").is_file():
            return place / "capacity.yaml"
    raise SpecError(
        f"no plan was given, and there is no capacity.yaml in {folder} or a folder above it (capacity check PLAN)"
    )


class _Parser:
    """Reads one plan: keeps the names that its sections use for each other, and its notes.

    ``alone``: does not read the clusters that it names.
    """

    def __init__(self, root: Field, catalog: Catalog, *, alone: bool = False, seen: Seen | None = None) -> None:
        self.root = root
        self.catalog = catalog
        self.alone = alone
        self.seen = Seen() if seen is None else seen
        self.notes: list[str] = []
        self.subnets = Names("subnet")
        self.groups = Names("node group")
        self.workloads = Names("workload")

    def plan(self) -> Plan:
        """Read the whole plan, in the order in which its sections refer to each other."""
        self._check_version()
        values = read_keys(self.root, keys.PLAN, dict.fromkeys(_SECTIONS, _itself))
        values.settle("metadata", self._name)
        values.settle("kubernetes", _kubernetes)
        values.settle("cni", lambda section: self._cni(section, values))
        values.settle("vpc", lambda section: read_vpc(section, self.subnets, self.seen))
        self._read_nodes_and_pods(values)
        values.settle("controlPlane", self._control_plane)
        values.settle("services", self._services)
        values.settle("tenants", self._tenants)
        values.settle("checks", self._checks)
        values.problems.check()
        _check_services(self.root, values["kubernetes"], values["services"])
        plan = Plan(
            name=values["metadata"],
            vpc_cidrs=values["vpc"].blocks,
            subnets=tuple(self.subnets.found.values()),
            cni=values["cni"],
            region=self._region(values["region"]),
            kubernetes=values["kubernetes"],
            control_plane=values["controlPlane"],
            node_groups=tuple(self.groups.found.values()),
            workloads=tuple(self.workloads.found.values()),
            daemon_sets=values["daemonSets"],
            tenants=values["tenants"],
            services=values["services"],
            checks=values["checks"],
            notes=tuple(self.notes),
            file=self.root.file,
            account=values["account"],
            vpc_id=values["vpc"].id,
        )
        self._check_pod_places(plan)
        return plan

    def _check_version(self) -> None:
        """Check ``apiVersion`` first: a file of another kind has one error, not one for each key."""
        self.root.section(keys.PLAN.by_name)
        version = self.root.get("apiVersion")
        if version and version.text() != API_VERSION:
            version.fail(f"{version.value!r} is not supported (expected {API_VERSION!r})")

    def _name(self, metadata: Field | None) -> str:
        if metadata is None:
            return Path(self.root.file).stem or "plan"
        values = read_section(metadata, keys.METADATA)
        self.notes += _assumed_by_import(values["annotations"])
        name: str = values["name"]
        return name

    def _region(self, region: str | None) -> str | None:
        doubt = unknown_region(region) if region else ""
        if doubt:
            self.notes.append(f"{self.root.child('region').where}: {doubt}: no prices are known for it")
        return region

    def _cni(self, section: Field | None, values: Values) -> Cni:
        cni, said = read_cni(section, values.get("kubernetes"), self.root)
        self.notes += said
        return cni

    def _read_nodes_and_pods(self, values: Values) -> None:
        """Read node groups, and the workloads and DaemonSets that refer to them."""
        cni = values.get("cni")
        looked_at = _looked_at(cni.settings) if cni else None
        nodes = NodeGroupReader(self.catalog, self.subnets, looked_at)
        zones = ((name, subnet.zone) for name, subnet in self.subnets.found.items())
        within = self.seen.context("nodeGroups", looked_at, *zones)
        problems = values.problems
        with problems:
            self.groups.read(
                values["nodeGroups"], lambda entry: self.seen.entry(entry, within, partial(nodes.read, entry)), problems
            )
        pods = WorkloadReader(self.groups)
        with problems:
            workloads = self.workloads.read(values["workloads"], pods.read, problems)
            if workloads and not self.groups.found and self.groups.complete:
                self.root.child("workloads").fail("there are workloads, but no nodeGroups to run them")
        values.settle("daemonSets", lambda section: Names("daemonSet").read(section, pods.read_daemon_set, problems))

    def _check_pod_places(self, plan: Plan) -> None:
        """Check that nodes in a subnet closed to pods have another for pods: without it the CNI does not start."""
        problems = Problems()
        entries = items(self.root.get("nodeGroups"))
        for choices, entry in zip(choices_by_group(plan), entries, strict=False):
            for name in (name for name, here in choices.items() if not here):
                with problems:
                    entry.child("subnets").fail(
                        f"{name!r} is closed to pods by its tags, and no subnet in zone {plan.subnet(name).zone!r} "
                        f'is tagged {ROLE_TAG}: "1" for them'
                    )
        problems.check()

    def _control_plane(self, section: Field | None) -> tuple[str, ...] | None:
        if section is None:
            self.notes.append("the plan has no controlPlane: no addresses are counted for the control plane's ENIs")
            return None
        of_it = {"subnets": lambda field: self.subnets.listed(field, NO_SUBNETS)}
        names: tuple[str, ...] = read_section(section, keys.CONTROL_PLANE, of_it)["subnets"]
        return names

    def _tenants(self, section: Field | None) -> tuple[Tenant, ...]:
        reader = TenantReader(self.subnets, self.workloads, self._parse_alone)
        problems = Problems()
        tenants: list[Tenant] = []
        for entry in problems.over(items(section)):
            if not (self.alone and has_plan(entry)):
                with problems:
                    tenants.append(reader.read(entry))
        problems.check()
        self.notes += reader.notes
        return tuple(tenants)

    def _services(self, section: Field | None) -> tuple[Service, ...]:
        problems = Problems()
        found = Names("Service").read(section, ServiceReader(self.workloads).read, problems)
        problems.check()
        return found

    def _parse_alone(self, document: PlanSection, file: str) -> Plan:
        """Read another plan without the clusters that it names: two clusters can name each other."""
        return _Parser(Field(document, "", None, document.line, file), self.catalog, alone=True).plan()

    def _checks(self, section: Field | None) -> Checks:
        values = read_section(section, keys.CHECKS, {"scenarios": self._scenarios})
        return Checks(values["minFree"], values["scenarios"] or ())

    def _scenarios(self, section: Field) -> tuple[ScenarioSpec, ...]:
        names = (self.subnets, self.groups, self.workloads)
        places = ScenarioPlaces(
            groups=tuple(self.groups.found),
            workloads=tuple(self.workloads.found),
            zones=tuple(dict.fromkeys(s.zone for s in self.subnets.found.values())),
            complete=all(of_section.complete for of_section in names),
        )
        problems = Problems()
        scenarios: list[ScenarioSpec] = []
        for entry in problems.over(section.items()):
            with problems:
                scenarios.append(read_scenario(entry, places))
        problems.check()
        return tuple(scenarios)


def _looked_at(cni: CniSettings) -> CniSettings:
    """The CNI settings that affect how a node group is read."""
    return CniSettings(custom_networking=cni.custom_networking, ipv6=cni.ipv6, cilium=cni.cilium, overlay=cni.overlay)


def _itself(field: Field) -> Field:
    """The section unchanged, to be read later."""
    return field


def _kubernetes(section: Field | None) -> Kubernetes:
    key = keys.KUBERNETES["serviceCidr"]
    own = {"serviceCidr": lambda field: read_block(field, key, RFC_1918), "kubeProxy": read_kube_proxy}
    values = read_section(section, keys.KUBERNETES, own)
    proxy = values["kubeProxy"] or (None, KubeProxy())
    return Kubernetes(values["version"], values["serviceCidr"], values["ipFamily"], values["services"], *proxy)


def _check_services(root: Field, kubernetes: Kubernetes, services: tuple[Service, ...]) -> None:
    """Check that ``kubernetes.services`` is not less than the Services of the plan."""
    total = sum(service.count for service in services)
    if kubernetes.services is not None and kubernetes.services < total:
        root.child("kubernetes").child("services").fail(
            f"{kubernetes.services:,} is less than the {total:,} Services in 'services' (leave the key out)"
        )


def _assumed_by_import(annotations: object) -> list[str]:
    """The warning that an import left in the plan: the values that it assumed."""
    paths = annotations.get("capacity/assumed") if isinstance(annotations, PlanSection) else None
    if not isinstance(paths, list) or not paths:
        return []
    return [f"assumed by the import (not in the source): {some_of([str(path) for path in paths], 8)}"]
