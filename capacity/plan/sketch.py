"""Builds the document of a plan from a few numbers, for questions before a plan exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from capacity.errors import SpecError
from capacity.plan.constants import API_VERSION, ZONE_TOPOLOGY

PLACEHOLDER = "192.0.2.0/24"  # placeholder block for the subnets until they are sized

VPC_BLOCK = "10.0.0.0/16"  # blocks of a VPC that is not described
POD_BLOCK = "100.64.0.0/16"  # also, under custom networking


@dataclass(frozen=True, slots=True)
class PodAsk:
    """Pods of one shape: replicas, and requests as Kubernetes writes them (None: none).

    ``gpus`` are NVIDIA GPUs and ``volumes`` EBS volumes of each pod; two zones may differ by ``zone_skew`` pods.
    """

    name: str
    replicas: int
    cpu: str | None = None
    memory: str | None = None
    gpus: int = 0
    volumes: int = 0
    zone_skew: int | None = None
    anti_affinity: str | None = None


@dataclass(frozen=True, slots=True)
class SketchOptions:
    """Options of a sketched cluster other than nodes and pods, named as in a plan file; ``env`` is the VPC CNI's."""

    env: Mapping[str, str | None] = field(default_factory=dict)
    ip_family: str = "ipv4"
    ami: str = "al2023"
    provisioner: str = "managed"
    region: str = "us-east-1"
    checks: Mapping[str, object] = field(default_factory=dict)


USUAL = SketchOptions()


def sketch_document(
    pods: Sequence[PodAsk],
    instance_type: str,
    zones: int,
    nodes: int | None = None,
    options: SketchOptions = USUAL,
) -> dict[str, object]:
    """A plan file with one node group over ``zones`` zones that runs these pods; the subnets are placeholders.

    ``nodes`` None: the fewest that fit the pods. The control plane shares the node subnets.
    """
    if not 1 <= zones <= 6:
        raise SpecError(f"--zones: {zones} is out of range (expected 1 to 6)")
    letters = "abcdef"[:zones]
    variables = dict(options.env)
    custom = variables.get("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") == "true"
    roles = ["nodes", "pods"] if custom else ["nodes"]
    names = [f"{role}-{letter}" for role in roles for letter in letters]
    pieces = IPv4Network(PLACEHOLDER).subnets(new_prefix=28)
    subnets = [
        {"name": n, "zone": f"{options.region}{n[-1]}", "cidr": str(c)} for n, c in zip(names, pieces, strict=False)
    ]
    group: dict[str, object] = {
        "name": "nodes",
        "instanceTypes": [instance_type],
        "ami": options.ami,
        "provisioner": options.provisioner,
        "subnets": names[:zones],
    }
    if nodes is not None:
        group["nodes"] = nodes
    if custom:
        group["podSubnets"] = names[zones:]
    return {
        "apiVersion": API_VERSION,
        "metadata": {"name": "sketch"},
        "region": options.region,
        "kubernetes": {"ipFamily": options.ip_family},
        "cni": {"env": variables},
        "vpc": {"cidrs": [PLACEHOLDER], "subnets": subnets},
        "controlPlane": {"subnets": names[:zones]},
        "nodeGroups": [group],
        "workloads": [pod_entry(p) for p in pods],
        **({"checks": dict(options.checks)} if options.checks else {}),
    }


def pod_entry(pods: PodAsk) -> dict[str, object]:
    """Pods as an entry of a plan's ``workloads``."""
    stated = (("cpu", pods.cpu), ("memory", pods.memory), ("gpu", str(pods.gpus) if pods.gpus else None))
    requests = {key: text for key, text in stated if text is not None}
    entry: dict[str, object] = {"name": pods.name, "replicas": pods.replicas}
    entry |= {"requests": requests} if requests else {}
    entry |= {"volumes": pods.volumes} if pods.volumes else {}
    if pods.zone_skew is not None:
        entry["topologySpread"] = [{"key": ZONE_TOPOLOGY, "maxSkew": pods.zone_skew}]
    return entry | ({"antiAffinity": pods.anti_affinity} if pods.anti_affinity else {})
