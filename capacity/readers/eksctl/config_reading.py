"""State while one ClusterConfig is read, and the parts of it that several modules read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.catalog.table import Catalog
from capacity.readers.draft import SourceNotes, SubnetDraft
from capacity.readers.values import bool_of, items, mapping, path_of

SECTIONS = (("managedNodeGroups", "managed"), ("nodeGroups", "self-managed"))
PRIVATE, PUBLIC = "private", "public"


@dataclass
class ConfigReading:
    """One ClusterConfig, what was said about it, and its subnets.

    Attributes
    ----------
    assumed : set of str
        Paths of the plan that hold an assumption.
    zones_guessed : bool
        Whether the zones are not in the file.
    public, private : list of SubnetDraft
        Subnets of the region's zones.
    local : dict of str to list of SubnetDraft
        Public and private subnets of Local Zones, which only groups that name them use.
    """

    config: Mapping[str, Any]
    said: SourceNotes
    catalog: Catalog
    region: str | None = None
    assumed: set[str] = field(default_factory=set)
    zones_guessed: bool = False
    public: list[SubnetDraft] = field(default_factory=list)
    private: list[SubnetDraft] = field(default_factory=list)
    local: dict[str, list[SubnetDraft]] = field(default_factory=lambda: {PUBLIC: [], PRIVATE: []})

    @property
    def subnets(self) -> list[SubnetDraft]:
        return [*self.private, *self.public, *self.local[PRIVATE], *self.local[PUBLIC]]

    @property
    def is_private(self) -> bool:
        """Whether the cluster is fully private: without public subnets."""
        return bool_of(path_of(self.config, "privateCluster", "enabled")) is True

    @property
    def on_outpost(self) -> bool:
        """Whether the control plane is on an Outpost."""
        return bool(mapping(self.config.get("outpost")).get("controlPlaneOutpostARN"))

    def groups(self) -> Iterator[tuple[str, int, str, Any]]:
        """Section, index, provisioner and content of each node group."""
        for key, provisioner in SECTIONS:
            for i, raw in enumerate(items(self.config.get(key))):
                yield key, i, provisioner, mapping(raw)

    def subnet_named(self, name: str) -> str:
        """Name of a subnet in the plan: by its name, ID, or zone."""
        for subnet in self.subnets:
            if name in (subnet.name, subnet.id) or subnet.name in (f"{PRIVATE}-{name}", f"{PUBLIC}-{name}"):
                return subnet.name
        return name
