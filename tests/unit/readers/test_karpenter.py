"""Karpenter: labels of EKS Auto Mode, limits, zones and what only a note can say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes
from capacity.readers.imported import read_karpenter
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.karpenter_types import MOST_TYPES, matching_types, requirements

K, A = "karpenter.k8s.aws/instance-", "eks.amazonaws.com/instance-"
ONE = ("node.kubernetes.io/instance-type", "In", ["m6i.large"])
AUTO = {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "own"}


def pool(*wanted: tuple[str, str, list[str]], ref: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    raw = [{"key": k, "operator": o, "values": v} for k, o, v in wanted]
    template = {"spec": {"requirements": raw, "nodeClassRef": ref or {"name": "own"}}}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "p"},
        "spec": {"template": template, **spec},
    }


def node_class(kind: str, **spec: Any) -> dict[str, Any]:
    group = "eks.amazonaws.com" if kind == "NodeClass" else "karpenter.k8s.aws"
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "own"}, "spec": spec}


def read(*documents: dict[str, Any]) -> tuple[GroupDraft, str]:
    draft: PlanDraft = parse_karpenter(list(documents), "f.yaml")
    return draft.node_groups[0], "\n".join(n.text for n in draft.notes)


def names(*wanted: tuple[str, str, list[str]], auto: bool = False) -> set[str]:
    """All types that the requirements allow, listed in a plan or not."""
    found = matching_types(requirements(pool(*wanted)), load_catalog(), SourceNotes("f"), "", "", auto=auto)
    return {k.name for k in found}


# --- types --------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [K, A])
@pytest.mark.parametrize(
    ("label", "operator", "values", "in_it", "not_in_it"),
    [
        ("category", "In", ["inf", "trn"], "trn2.48xlarge", "c5a.large"),
        ("family", "In", ["m6i"], "m6i.large", "m6id.large"),
        ("generation", "Gt", ["7"], "m8g.large", "m7g.large"),
        ("size", "NotIn", ["large"], "m5.xlarge", "m5.large"),
        ("cpu", "Lt", ["3"], "m5.large", "m5.xlarge"),
        ("cpu-manufacturer", "In", ["amd"], "m6a.large", "m6i.large"),
        ("memory", "Gt", ["8192"], "m5.xlarge", "m5.large"),
        ("gpu-count", "Exists", [], "g6.xlarge", "m5.large"),
        ("gpu-name", "In", ["l4"], "g6.xlarge", "g5.xlarge"),
        ("gpu-manufacturer", "In", ["nvidia"], "g4dn.xlarge", "g4ad.xlarge"),
        ("gpu-manufacturer", "In", ["amd"], "g4ad.xlarge", "m6a.large"),
        ("gpu-manufacturer", "In", ["habana"], "dl1.24xlarge", "p5.48xlarge"),
        ("accelerator-name", "In", ["inferentia2"], "inf2.xlarge", "inf1.xlarge"),
        ("capability-flex", "In", ["true"], "m7i-flex.large", "m7i.large"),
        ("hypervisor", "In", ["nitro"], "m5.large", "m5.metal"),
    ],
)
def test_labels_of_karpenter_and_of_auto_mode(
    prefix: str, label: str, operator: str, values: list[str], in_it: str, not_in_it: str
) -> None:
    found = names((prefix + label, operator, values))
    assert in_it in found
    assert not_in_it not in found


def test_a_label_that_the_catalog_does_not_have_is_said() -> None:
    _, said = read(pool(ONE, (A + "local-nvme", "Gt", ["100"])))
    assert "the requirement karpenter.k8s.aws/instance-local-nvme Gt 100 is not in the catalog: ignored" in said


def test_no_macs() -> None:
    assert names((K + "family", "In", ["mac1", "mac2", "m5"])) == names((K + "family", "In", ["m5"]))
    assert not any(n.startswith("mac") for n in names(("kubernetes.io/arch", "In", ["arm64", "amd64"])))


def test_auto_mode_starts_no_small_types() -> None:
    family = (K + "family", "In", ["t3", "m7a"])
    assert {"t3.micro", "t3.small", "m7a.medium"} <= names(family)
    assert not {"t3.nano", "t3.micro", "t3.small", "m7a.medium"} & names(family, auto=True)
    assert {"t3.medium", "m7a.large"} <= names(family, auto=True)


def test_a_pool_of_auto_mode_and_its_node_class() -> None:
    mine = node_class(
        "NodeClass", subnetSelectorTerms=[{"id": "subnet-0a"}], podSubnetSelectorTerms=[{"id": "subnet-0p"}]
    )
    other = node_class("EC2NodeClass", subnetSelectorTerms=[{"id": "subnet-0other"}], kubelet={"maxPods": 20})
    group, said = read(pool(ONE, ref=AUTO), mine, other)
    assert (group.provisioner, group.subnets, group.max_pods, group.ami) == ("auto", ("subnet-0a",), None, None)
    assert "podSubnetSelectorTerms (subnet-0p)" in said
    group, _ = read(pool(ONE), mine, other)
    assert (group.provisioner, group.subnets, group.max_pods) == ("karpenter", ("subnet-0other",), 20)


# --- limits -------------------------------------------------------------------------------------


def test_limits_on_vcpus_and_memory_go_into_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(json.dumps(pool(ONE, limits={"cpu": "1500m", "memory": "10Gi"})))
    made = read_karpenter(file)
    assert made.document["nodeGroups"][0]["limits"] == {"cpu": "1500m", "memory": "10Gi"}
    limits = made.plan.node_groups[0].limits
    assert (limits.cpu_millicores, limits.memory_bytes) == (1500, 10 * 2**30)
    assert made.plan.node_groups[0].max_nodes is None
    assert not made.differences(made)


@pytest.mark.parametrize(
    ("types", "limits", "sentence", "most"),
    [
        # 700 types match, 40 are listed: the bound is over all of them
        (("category", ["c", "m", "r"]), {"cpu": 100}, "limits cpu 100: at most 100 nodes of 1 vCPU (c7a.medium)", None),
        # m6i.large reports 7,577 MiB: 30 GiB hold four
        (("family", ["m6i"]), {"cpu": 100, "memory": "30Gi"}, "cpu 100, memory 30Gi: at most 4 nodes of 2 vCPUs", None),
        (("family", ["g6"]), {"nvidia.com/gpu": 8, "cpu": 1000}, "at most 8 nodes of 4 vCPUs (g6.xlarge)", 8),
        (("family", ["inf2"]), {"aws.amazon.com/neuron": 3}, "at most 3 nodes of 4 vCPUs (inf2.xlarge)", 3),
        (("family", ["g4ad"]), {"amd.com/gpu": 2}, "at most 2 nodes of 4 vCPUs (g4ad.xlarge)", 2),
        # a type without GPUs is not bound by a limit on them
        (("family", ["g6", "m6i"]), {"nvidia.com/gpu": 8}, "limit nvidia.com/gpu 8 (not in the plan)", None),
        (("family", ["m6i"]), {"cpu": "many"}, "limit cpu 'many' is not a quantity: ignored", None),
        (("family", ["m6i"]), {"ephemeral-storage": "1Ti"}, "limit ephemeral-storage 1Ti (not in the plan)", None),
    ],
)
def test_bounds_of_limits(
    types: tuple[str, list[str]], limits: dict[str, object], sentence: str, most: int | None
) -> None:
    arch = ("kubernetes.io/arch", "In", ["amd64"])
    group, said = read(pool((K + types[0], "In", types[1]), arch, limits=limits))
    assert sentence in said
    assert group.max_nodes == most
    assert len(group.instance_types or ()) <= MOST_TYPES


# --- zones, Spot, and what is only said -----------------------------------------------------------

PLAN = """apiVersion: capacity/v1
metadata: {name: shop}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: eu-west-1a, cidr: 10.0.0.0/20}
    - {name: b, zone: eu-west-1b, cidr: 10.0.16.0/20}
    - {name: c, zone: eu-west-1c, cidr: 10.0.32.0/20}
nodeGroups: [{name: app, instanceTypes: [m6i.large], nodes: 1, subnets: [a, b]}]
"""


@pytest.mark.parametrize(
    ("zones", "subnets", "said"),
    [
        (["eu-west-1a"], ("a",), "those of the other node groups in eu-west-1a"),
        (["eu-west-1c"], ("c",), "all subnets of the plan in eu-west-1c"),
        (["eu-west-1d"], ("a", "b"), "restricted to eu-west-1d, where the plan has no subnet"),
    ],
)
def test_a_pool_stays_in_its_zones(tmp_path: Path, zones: list[str], subnets: tuple[str, ...], said: str) -> None:
    plan, file = tmp_path / "plan.yaml", tmp_path / "pool.yaml"
    plan.write_text(PLAN)
    file.write_text(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec: {template: {spec: {requirements: [\n"
        "  {key: node.kubernetes.io/instance-type, operator: In, values: [m6i.large]},\n"
        f"  {{key: topology.kubernetes.io/zone, operator: In, values: {zones}}}]}}}}}}\n"
    )
    made = read_karpenter(file, into=plan)
    assert made.plan.node_groups[1].subnets == subnets
    assert said in "\n".join(n.text for n in made.notes)
    assert made.plan.region == "eu-west-1"


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [(["spot"], "spot", ""), (["spot", "on-demand"], "spot", "prefers Spot"), (["on-demand"], None, "")],
)
def test_capacity_types(values: list[str], kind: str | None, said: str) -> None:
    group, notes = read(pool(ONE, ("karpenter.sh/capacity-type", "In", values)))
    assert group.capacity_type == kind
    assert said in notes


def test_min_values_weight_and_zone_ids_are_said() -> None:
    document = pool((K + "family", "In", ["m5", "m6i"]), ("topology.k8s.aws/zone-id", "In", ["use1-az1"]), weight=50)
    document["spec"]["template"]["spec"]["requirements"][0]["minValues"] = 3
    _, said = read(document)
    assert f"minValues 3 of {K}family: 2 values in the catalog, too few, so Karpenter starts no node" in said
    assert "weight 50: Karpenter tries pools in descending order" in said
    assert "zone-id In use1-az1: which zones these are depends on the account" in said
    document["spec"]["template"]["spec"]["requirements"][0]["minValues"] = 2
    assert "2 values in the catalog, enough" in read(document)[1]


def test_placeholders_of_subnets_and_interfaces_of_a_node_class() -> None:
    cards = [{"networkCardIndex": i, "interfaceType": kind} for i, kind in enumerate(("interface", "efa", "efa-only"))]
    own = node_class(
        "EC2NodeClass", subnetSelectorTerms=[{"id": "YOUR-SUBNET"}, {"id": "subnet-0a"}], networkInterfaces=cards
    )
    group, said = read(pool(ONE), own)
    assert group.subnets == ("subnet-0a",)
    assert "subnet 'YOUR-SUBNET' is not an ID" in said
    assert "each node takes 1 more addresses than the plan has" in said  # one is EFA-only, one is the primary


def test_what_is_elsewhere_or_only_said() -> None:
    document = pool(ONE)
    spec = document["spec"]["template"]["spec"]
    spec |= {"taints": [{"key": "gpu", "effect": "NoSchedule"}], "expireAfter": "720h"}
    _, said = read(document, node_class("EC2NodeClass", amiSelectorTerms=[{"name": "my-image-*"}]))
    assert "tainted (gpu:NoSchedule)" in said
    assert "expireAfter 720h" in said
    assert "AMI by my-image-*: its family is not known: assumed al2023" in said
    _, said = read(document, node_class("EC2NodeClass", amiSelectorTerms=[{"name": "x"}], amiFamily="Bottlerocket"))
    assert "not known" not in said
