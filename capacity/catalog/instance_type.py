"""One EC2 instance type as the planner sees it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from capacity.errors import check_kind

OTHER_GPUS = ("Radeon", "Gaudi")  # listed as GPUs by EC2, of AMD (g4ad) and Habana (dl1)


@dataclass(frozen=True, slots=True, repr=False)
class InstanceType:
    """Limits of one instance type. ``None`` means unknown; it never means 0.

    Attributes
    ----------
    name, family : str
        ``m5.large``, ``m5``.
    max_enis : int or None
        ENIs of the *default network card*, which limit pods. [ENIs]
    max_enis_total : int or None
        ENIs of all network cards. [ENIs]
    network_cards : int or None
        Network cards. [cards]
    ipv4_per_eni, ipv6_per_eni : int or None
        Addresses per ENI, including the primary. [addresses]
    branch_enis : int or None
        Branch ENIs that the VPC resource controller allows on one node. [branch ENIs]
    trunking : bool or None
        Whether the controller attaches a trunk ENI.
    vcpus, memory_mib : int or None
        As EC2 states them. [vCPUs], [MiB]
    arch : str or None
        The 64-bit architecture: ``x86_64`` or ``arm64``; ``arm64_mac`` and ``x86_64_mac`` on Macs.
    hypervisor : str or None
        ``nitro`` or ``xen``; None on bare metal, for which EC2 gives none, and if unknown.
    bare_metal : bool or None
    gpus : int or None
        GPUs that pods can request; a fractional one (g6f) counts as one. [devices]
    accelerator : str or None
        Name of the GPU or accelerator; None if there is none.
    accelerators : int or None
        Neuron, inference, media and FPGA devices. [devices]
    network_baseline_gbps, network_peak_gbps : float or None
        Bandwidth of the whole instance. [Gbit/s]
    ebs_attachments : int or None
        Most EBS volumes, if EC2 states it. [volumes]
    ebs_shared : bool or None
        Whether ENIs and volumes share those slots.
    current_generation : bool or None
    sources : tuple of str
        Sources, as keys of ``data/SOURCES.toml``.
    as_of : str
        Date of the newest of these sources, ISO; empty if none of them has a date.
    """

    name: str
    family: str
    max_enis: int | None
    max_enis_total: int | None
    network_cards: int | None
    ipv4_per_eni: int | None
    ipv6_per_eni: int | None
    branch_enis: int | None
    trunking: bool | None
    vcpus: int | None
    memory_mib: int | None
    arch: str | None
    hypervisor: str | None
    bare_metal: bool | None
    gpus: int | None
    accelerator: str | None
    accelerators: int | None
    network_baseline_gbps: float | None
    network_peak_gbps: float | None
    ebs_attachments: int | None
    ebs_shared: bool | None
    current_generation: bool | None
    sources: tuple[str, ...]
    as_of: str

    @classmethod
    def unlisted(cls, name: str) -> InstanceType:
        """A type with only a known name."""
        facts = {f.name: None for f in fields(cls)} | {"name": name, "family": name, "sources": (), "as_of": ""}
        return cls(**facts)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        figures = {
            "ENIs": self.max_enis,
            "IPv4 per ENI": self.ipv4_per_eni,
            "vCPUs": self.vcpus,
            "MiB": self.memory_mib,
        }
        known = [f"{figure} {what}" for what, figure in figures.items() if figure is not None]
        return f"<InstanceType {self.name}: {', '.join(known) or 'no figures known'}>"

    @property
    def prefixes_possible(self) -> bool | None:
        """Whether the CNI can assign prefixes: Nitro or bare metal; None if neither is known.

        Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/awsutils/awsutils.go L2025-2032.
        """
        if self.bare_metal or self.hypervisor == "nitro":
            return True
        return None if self.hypervisor is None else False

    @property
    def nvidia_gpus(self) -> int:
        """GPUs that pods can request as ``nvidia.com/gpu``; 0 if unknown or of another maker. [devices]"""
        other = self.accelerator is None or self.accelerator.startswith(OTHER_GPUS)
        return 0 if other else self.gpus or 0

    @property
    def trunk_slot(self) -> bool:
        """Whether ENABLE_POD_ENI makes the CNI keep one ENI slot for a trunk.

        The CNI treats a type that is absent from its limits table as trunk-capable (awsutils.go L2035-2041), but the
        controller refuses it: a slot is lost, and no trunk is attached.
        """
        return self.trunking is not False


def check_type(value: object, what: str = "instance_type") -> None:
    """Refuse a value that is not an :class:`InstanceType`; look up a name in a catalog first."""
    name = value if isinstance(value, str) and value.isprintable() and value else "m5.large"
    check_kind(what, value, InstanceType, f'an InstanceType: load_catalog().get("{name}")')
