"""The fleet file (``fleet.yaml``): which plans belong to the fleet, what to change in them, accounts, peerings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from capacity.plan import keys
from capacity.plan.constants import API_VERSION
from capacity.plan.declaration import BLOCKS, CONSTANT, COUNT, ENTRIES, LABELS, MAPPING, NAME, NAMES, Key, Keys
from capacity.plan.document import read_plan_file
from capacity.plan.fields import PRIVATE, Field, items
from capacity.plan.patch_path import steps_of
from capacity.plan.reading import Problems, read_block, read_keys, read_section
from capacity.plan.sections import PlanSection, kind_of
from capacity.vpc.quotas import load_quotas

KIND = "Fleet"

QUOTA = Keys(
    "accounts[].quotas[]",
    "an applied quota",
    Key("name", NAME, "a name of `docs/reference/quotas.md`", required=True, example="region_enis"),
    Key("region", NAME, "AWS Region", absent="every region of the account", high=40, example="us-east-1"),
    Key("limit", COUNT, "the applied value", required=True, example=10_000),
)
ACCOUNT = Keys(
    "accounts[]",
    "an AWS account",
    Key("id", NAME, "as in the plans", required=True, high=64, example="111122223333"),
    Key("name", NAME, "for people", absent="the ID", example="payments"),
    Key("quotas", ENTRIES, "applied quotas", absent="the defaults of AWS", of=QUOTA),
)
ENTRY = Keys(
    "plans[]",
    "some plans",
    Key("path", NAME, "a file, a folder or a pattern, relative to this file", required=True, high=1024),
    Key("account", NAME, "AWS account of these plans", absent="the plan's", high=64),
    Key("region", NAME, "AWS Region", absent="the plan's", high=40),
    Key("vpc", NAME, "AWS ID of their VPC", absent="the plan's `vpc.id`", high=64),
    Key("set", LABELS, "changes of the plans by path, as with `--set`", example={"checks.minFree": "10%"}),
)
PEERING = Keys(
    "peerings[]",
    "VPCs that route to each other",
    Key("vpcs", NAMES, "AWS IDs, two or more", required=True, example=["vpc-0a", "vpc-0b"]),
)
FLEET = Keys(
    "",
    "a fleet of clusters",
    Key("apiVersion", CONSTANT, "version of the format", required=True, words=(API_VERSION,)),
    Key("kind", CONSTANT, "what the file is", required=True, words=(KIND,)),
    Key("metadata", MAPPING, "name of the fleet", of=keys.METADATA),
    Key("plans", ENTRIES, "paths, or mappings with `path`", required=True, of=ENTRY),
    Key("accounts", ENTRIES, "accounts with their quotas", absent="the defaults of AWS", of=ACCOUNT),
    Key("regions", NAMES, "only plans of these regions", absent="all"),
    Key("peerings", ENTRIES, "peered VPCs", absent="none", of=PEERING),
    Key("addressSpace", BLOCKS, "where new blocks can come from", absent="the private ranges", low=8, high=28),
)


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """Some plans of the fleet: a path as written, its place, and the changes of their documents by path."""

    path: str
    where: str = ""
    patch: Mapping[str, object] | None = None


@dataclass(frozen=True)
class FleetFile:
    """A fleet: entries in order, limits by (account, region, quota), names of accounts, groups of peered VPCs.

    A limit for every region of an account has an empty region. ``folder`` is what paths are relative to.
    """

    name: str = ""
    file: str = ""
    folder: Path = Path()
    entries: tuple[PlanEntry, ...] = ()
    limits: Mapping[tuple[str, str, str], int] | None = None
    account_names: Mapping[str, str] | None = None
    regions: tuple[str, ...] = ()
    peerings: tuple[tuple[str, ...], ...] = ()
    space: tuple[IPv4Network, ...] = PRIVATE

    def limit(self, account: str | None, region: str | None, quota: str) -> int | None:
        """The applied quota of an account in a region; None if the fleet does not set it."""
        limits, known = self.limits or {}, account or ""
        found = limits.get((known, region or "", quota))
        return limits.get((known, "", quota)) if found is None else found


def read_fleet_file(path: Path | str) -> FleetFile:
    """Read a fleet file.

    Raises
    ------
    SpecError
        Every problem with its line.
    """
    read = read_plan_file(path)
    return parse_fleet_file(read.document, read.name)


def parse_fleet_file(document: PlanSection, file: str) -> FleetFile:
    """A fleet in a decoded document; paths are relative to the folder of ``file``."""
    root = Field(document, "", None, document.line, file)
    own = {"metadata": _name, "plans": _entries, "accounts": _accounts, "regions": _names, "peerings": _peerings}
    values = read_keys(root, FLEET, own | {"addressSpace": _space})
    values.problems.check()
    limits, names = values["accounts"] or ({}, {})
    return FleetFile(
        name=values["metadata"] or Path(file).parent.name,
        file=file,
        folder=Path(file).parent,
        entries=values["plans"],
        limits=limits,
        account_names=names,
        regions=values["regions"] or (),
        peerings=values["peerings"] or (),
        space=values["addressSpace"] or PRIVATE,
    )


def _name(field: Field) -> str:
    name: str = read_section(field, keys.METADATA)["name"]
    return name


def _entries(field: Field) -> tuple[PlanEntry, ...]:
    problems = Problems()
    found: list[PlanEntry] = []
    for entry in problems.over(field.items()):
        with problems:
            found.append(_entry(entry))
    problems.check()
    if not found:
        field.fail("is empty (expected paths of plans)")
    return tuple(found)


def _entry(entry: Field) -> PlanEntry:
    if not isinstance(entry.value, PlanSection):
        return PlanEntry(entry.name(1024), entry.where)
    values = read_section(entry, ENTRY, {"set": _patch})
    given = {"account": values["account"], "region": values["region"], "vpc.id": values["vpc"]}
    patch = {path: value for path, value in given.items() if value is not None}
    return PlanEntry(values["path"], entry.where, patch | (values["set"] or {}))


def _patch(field: Field) -> Mapping[str, object]:
    if not isinstance(field.value, PlanSection):
        field.fail(f"expected a mapping of path to value, found {kind_of(field.value)}")
    problems = Problems()
    for change in problems.over(field.children()):
        with problems:
            steps_of(str(change.key))
    problems.check()
    return dict(field.value)


def _accounts(field: Field) -> tuple[dict[tuple[str, str, str], int], dict[str, str]]:
    limits: dict[tuple[str, str, str], int] = {}
    names: dict[str, str] = {}
    problems = Problems()
    for entry in problems.over(field.items()):
        with problems:
            values = read_section(entry, ACCOUNT, {"quotas": lambda quotas: quotas})
            ident = values["id"]
            if ident in names:
                entry.child("id").fail(f"duplicate account {ident!r}")
            names[ident] = values["name"] or ident
            for quota in items(values["quotas"]):
                known = read_section(quota, QUOTA, {"name": _quota_name})
                limits[ident, known["region"] or "", known["name"]] = known["limit"]
    problems.check()
    return limits, names


def _quota_name(field: Field) -> str:
    return field.one_of(tuple(load_quotas()))


def _names(field: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.name() for entry in field.items()))


def _peerings(field: Field) -> tuple[tuple[str, ...], ...]:
    found = []
    for entry in field.items():
        vpcs = read_section(entry, PEERING, {"vpcs": _names})["vpcs"]
        if len(vpcs) < 2:
            entry.fail("expected two or more different VPCs")
        found.append(vpcs)
    return tuple(found)


def _space(field: Field) -> tuple[IPv4Network, ...]:
    return tuple(read_block(entry, FLEET["addressSpace"], PRIVATE) for entry in field.items())
