"""Reads the plan's tenants: what else uses addresses of its subnets, and the plans of other clusters among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from capacity.errors import SpecError
from capacity.plan import keys
from capacity.plan.document import read_document
from capacity.plan.fields import Field, items
from capacity.plan.model import Balancing, Plan, Subnet, Tenant
from capacity.plan.reading import DependsOnError, Names, Problems, Values, read_keys
from capacity.plan.sections import PlanSection
from capacity.plan.tenants import LOAD_BALANCER_KINDS, TenantKind, tenant_kinds
from capacity.units import counted

LONGEST_FILE = 1024  # characters


def has_plan(tenant: Field) -> bool:
    """Whether a tenant is another cluster with a separate plan."""
    return isinstance(tenant.value, PlanSection) and tenant.value.get("plan") is not None


class NamedCluster(NamedTuple):
    """Another cluster that a tenant names: the file of its plan, its name if it is given, and the place."""

    file: str
    name: str | None
    where: str


def named_clusters(root: Field) -> tuple[NamedCluster, ...]:
    """The clusters that a plan names by their plans, which are not read.

    Raises
    ------
    SpecError
        Every problem of these tenants.
    """
    problems = Problems()
    found: list[NamedCluster] = []
    for entry in problems.over(items(root.get("tenants"))):
        if has_plan(entry):
            with problems:
                own = {"kind": _kind, "subnets": _itself, "plan": _itself}
                values = read_keys(entry, keys.TENANT, own)
                _check_cluster(entry, values)
                found.append(NamedCluster(entry.child("plan").name(LONGEST_FILE), values["name"], entry.where))
    problems.check()
    return tuple(found)


def cluster_note(name: str, file: object, subnets: int) -> str:
    """What is assumed of another cluster in shared subnets."""
    return (
        f"{name}: nodes, pods, control plane and load balancers of its plan {file} are counted in the "
        f"{counted(subnets, 'shared subnet')}: at its peak when this plan is at peak, otherwise in its "
        "steady state; a lost zone affects both"
    )


class TenantReader:
    """Reads the entries of ``tenants``; ``notes`` are its assumptions.

    Parameters
    ----------
    parse : callable
        Reads the plan of another cluster, from its document and its file's name.
    """

    def __init__(self, subnets: Names, workloads: Names, parse: Callable[[PlanSection, str], Plan]) -> None:
        self.notes: list[str] = []
        self._subnets = subnets
        self._parse = parse
        self._plans: set[Path] = set()
        self._workloads = workloads
        self._own = {"kind": _kind, "subnets": self._names, "plan": lambda field: field, "workloads": self._served}

    def read(self, entry: Field) -> Tenant:
        """One tenant.

        Raises
        ------
        SpecError
            Every problem found.
        """
        values = read_keys(entry, keys.TENANT, self._own)
        if has_plan(entry):
            return self._other_cluster(entry, values)
        with values.problems:
            if values["subnets"] is None:
                entry.fail("the key 'subnets' is missing")
        with values.problems:
            kind = values["kind"]
            if values["addresses"] is None and not kind.addresses:
                entry.fail(f"a tenant of kind {kind.name!r} requires addresses (per subnet)")
        with values.problems:
            _check_balancer_keys(entry, values["kind"])
        values.problems.check()
        addresses = values["addresses"]
        return Tenant(
            kind=kind.name,
            name=values["name"] or kind.name,
            subnets=values["subnets"],
            addresses=kind.addresses if addresses is None else addresses,
            holder=kind.holder,
            where=entry.where,
            balancing=_balancing(values) if kind.name in LOAD_BALANCER_KINDS else None,
        )

    def _served(self, section: Field) -> tuple[str, ...]:
        return self._workloads.listed(section, "is empty (expected names of workloads)")

    def _names(self, section: Field) -> tuple[str, ...]:
        return self._subnets.listed(section, "is empty (expected names of subnets)")

    def _other_cluster(self, entry: Field, values: Values) -> Tenant:
        """Read a tenant whose addresses come from its own plan."""
        plan = entry.child("plan")
        kind = _check_cluster(entry, values)
        if not self._subnets.complete:
            raise DependsOnError
        other, shared = _read_neighbour(plan, self._subnets.found, self._parse)
        file = (Path(plan.file).parent / str(plan.value)).resolve()
        if file in self._plans:
            plan.fail(f"duplicate plan {plan.value!r}")
        self._plans.add(file)
        name = values["name"] or other.name
        self.notes.append(cluster_note(name, plan.value, len(shared)))
        return Tenant(kind.name, name, tuple(shared), 0, kind.holder, entry.where, other, shared)


def _check_balancer_keys(entry: Field, kind: TenantKind) -> None:
    """Refuse keys of load balancers in other tenants."""
    if kind.name in LOAD_BALANCER_KINDS:
        return
    for key in keys.BALANCER_KEYS:
        if stated := entry.get(key):
            stated.fail(f"does not apply to a tenant of kind {kind.name!r} (only to {', '.join(LOAD_BALANCER_KINDS)})")


def _balancing(values: Values) -> Balancing:
    return Balancing(
        internet_facing=values["scheme"] == "internet-facing",
        target_type=values["targetType"] or "ip",
        workloads=values["workloads"] or (),
        rules=values["rules"] or 0,
        certificates=values["certificates"] or 0,
        security_groups=values["securityGroups"] or 0,
    )


def _check_cluster(entry: Field, values: Values) -> TenantKind:
    """Check that a tenant with a plan is a cluster, and that the plan alone gives its addresses."""
    with values.problems:
        kind: TenantKind = values["kind"]
        if kind.name != "cluster":
            entry.child("plan").fail(f"only a tenant of kind 'cluster' can have a plan, not {kind.name!r}")
    for key in ("subnets", "addresses"):
        if stated := entry.get(key):
            with values.problems:
                stated.fail("comes from the other cluster's plan: remove this key or 'plan'")
    values.problems.check()
    return kind


def _itself(field: Field) -> Field:
    return field


def _kind(field: Field) -> TenantKind:
    kinds = tenant_kinds()
    return kinds[field.one_of(tuple(kinds))]


def _read_neighbour(
    entry: Field, subnets: Mapping[str, Subnet], parse: Callable[[PlanSection, str], Plan]
) -> tuple[Plan, dict[str, str]]:
    """The plan that a field names (relative to this plan's file), and its name of each shared subnet.

    Parameters
    ----------
    entry : Field
        The file's name.
    subnets : mapping
        Subnets of this plan, by name.
    parse : callable
        Reads a plan from a document and its file's name.

    Raises
    ------
    SpecError
        The file is not a plan, shares no subnet with this one, divides a shared block differently, or has it in
        another zone.
    """
    path = Path(entry.name(LONGEST_FILE))
    base = Path(entry.file)
    if str(path) == "-":
        entry.fail("expected a file, not standard input")
    if base.is_file() and (base.parent / path).resolve() == base.resolve():
        entry.fail("is this plan itself (expected the plan of another cluster)")
    try:
        # Names such as <stdin> have no folder: the working directory is used.
        other = parse(read_document(base.parent / path), str(base.parent / path))
    except SpecError as error:
        problems = Problems()
        for one in error.errors:
            problems.keep(entry.error(f"the other cluster's plan is not valid: {one}"))
        problems.check()
        raise
    shared: dict[str, str] = {}
    for theirs in other.subnets:
        for mine in subnets.values():
            if mine.cidr == theirs.cidr:
                if mine.zone != theirs.zone:
                    entry.fail(
                        f"{theirs.name} ({theirs.cidr}) in the other plan is in {theirs.zone}, but {mine.name} "
                        f"here is in {mine.zone} (expected the same zone; use zone IDs such as use1-az1 if the "
                        "accounts name zones differently)"
                    )
                shared[mine.name] = theirs.name
            elif mine.cidr.overlaps(theirs.cidr):
                entry.fail(f"{theirs.name} ({theirs.cidr}) in the other plan overlaps {mine.name} ({mine.cidr}) here")
    if not shared:
        entry.fail(f"{path} shares no subnet with this plan (subnets are shared if their CIDRs are equal)")
    return other, shared
