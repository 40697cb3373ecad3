"""What an import writes has, in its steady state, EC2's own free count: in every mode of the CNI."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from capacity.cluster.check import check
from capacity.plan.parse import read_plan
from capacity.readers.aws.answers import AwsAnswers, Sorter
from capacity.readers.aws.aws_cluster import parse_cluster
from capacity.readers.aws.draft import aws_draft
from capacity.readers.complete import complete
from capacity.readers.existing_plan import render

CUSTOM = {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
PREFIX = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
MODES = {
    "secondary": {"WARM_ENI_TARGET": "1"},
    "prefix": PREFIX,
    "custom": {**CUSTOM, "WARM_ENI_TARGET": "1"},
    "custom prefix": {**CUSTOM, **PREFIX},
    "custom prefix trunk": {**CUSTOM, **PREFIX, "ENABLE_POD_ENI": "true"},
}


class Vpc:
    """Three zones with a node and a pod subnet each; every address handed out once, and counted."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.cidrs = {
            f"{kind}-{z}": IPv4Network(f"{base}.{32 * i}.0/20")
            for i, z in enumerate("abc")
            for kind, base in (("node", "10.0"), ("pod", "100.64"))
        }
        self.next = {name: int(c.network_address) + 4 for name, c in self.cidrs.items()}
        self.last = {name: int(c.broadcast_address) // 16 - 1 for name, c in self.cidrs.items()}
        self.taken: dict[str, int] = defaultdict(int)
        self.interfaces: list[dict[str, Any]] = []

    def single(self, subnet: str) -> dict[str, Any]:
        self.next[subnet] += 1
        self.taken[subnet] += 1
        return {"PrivateIpAddress": str(IPv4Address(self.next[subnet] - 1)), "Primary": False}

    def prefix(self, subnet: str) -> dict[str, Any]:
        self.last[subnet] -= 1
        self.taken[subnet] += 16
        return {"Ipv4Prefix": f"{IPv4Address((self.last[subnet] + 1) * 16)}/28"}

    def eni(self, subnet: str, description: str = "", secondary: int = 0, prefixes: int = 0, **fields: Any) -> str:
        ident = f"eni-{len(self.interfaces):017x}"
        addresses = [self.single(subnet) for _ in range(1 + secondary)]
        addresses[0]["Primary"] = True
        self.interfaces.append(
            {
                "NetworkInterfaceId": ident,
                "SubnetId": f"subnet-{subnet}",
                "Status": "in-use",
                "Description": description,
                "PrivateIpAddresses": addresses,
                "Ipv4Prefixes": [self.prefix(subnet) for _ in range(prefixes)],
                **fields,
            }
        )
        return ident

    def node(self, number: int, env: dict[str, str]) -> dict[str, Any]:
        """An m5.xlarge (4 ENIs of 15 addresses) with at least what the CNI gives to one without pods."""
        zone, instance = "abc"[number % 3], f"i-{number:017x}"
        home = f"node-{zone}"
        custom, prefix = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" in env, "ENABLE_PREFIX_DELEGATION" in env
        more = self.random.randint(1, 6)
        held: dict[str, Any] = {"prefixes": more} if prefix else {"secondary": 14}

        def attached(device: int) -> dict[str, Any]:
            return {"InstanceId": instance, "DeviceIndex": device}

        self.eni(home, Attachment=attached(0), **({} if custom else held))
        for device in range(1, self.random.randint(2, 3) if not custom else 2):
            self.eni(f"pod-{zone}" if custom else home, f"aws-K8S-{instance}", Attachment=attached(device), **held)
        if "ENABLE_POD_ENI" in env:
            trunk = self.eni(f"pod-{zone}", InterfaceType="trunk", Attachment=attached(3))
            mark = [{"Key": "vpcresources.k8s.aws/trunk-eni-id", "Value": trunk}]
            for _ in range(self.random.randint(0, 3)):
                self.eni(f"pod-{zone}", "aws-k8s-branch-eni", InterfaceType="branch", TagSet=mark)
        return {
            "InstanceId": instance,
            "InstanceType": "m5.xlarge",
            "SubnetId": f"subnet-{home}",
            "Tags": [{"Key": "eks:cluster-name", "Value": "c"}, {"Key": "eks:nodegroup-name", "Value": "g"}],
        }


def answers(env: dict[str, str], seed: int, nodes: int) -> tuple[AwsAnswers, dict[str, int]]:
    vpc = Vpc(seed)
    instances = [vpc.node(n, env) for n in range(nodes)]
    for zone, count in (("a", 2), ("b", 2)):
        for _ in range(count):
            vpc.eni(f"node-{zone}", "Amazon EKS c")
    vpc.eni("node-a", "RDSNetworkInterface")
    vpc.eni("pod-b", "nobody knows")
    free = {name: c.num_addresses - 5 - vpc.taken[name] for name, c in vpc.cidrs.items()}
    config: dict[str, Any] = {"env": env}
    if "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" in env:
        config["eniConfig"] = {"subnets": {f"eu-west-1{z}": {"id": f"subnet-pod-{z}"} for z in "abc"}}
    homes = [f"subnet-node-{z}" for z in "abc"]
    documents: list[Any] = [
        {"cluster": {"name": "c", "version": "1.34", "resourcesVpcConfig": {"vpcId": "v", "subnetIds": homes[:2]}}},
        {
            "nodegroup": {
                "nodegroupName": "g",
                "clusterName": "c",
                "instanceTypes": ["m5.xlarge"],
                "subnets": homes,
                "amiType": "AL2023_x86_64_STANDARD",
                "scalingConfig": {"minSize": 0, "desiredSize": nodes, "maxSize": 90},
            }
        },
        {
            "addon": {
                "addonName": "vpc-cni",
                "clusterName": "c",
                "addonVersion": "v1.23.1-eksbuild.1",
                "configurationValues": json.dumps(config),
            }
        },
        {
            "Subnets": [
                {
                    "SubnetId": f"subnet-{name}",
                    "VpcId": "v",
                    "CidrBlock": str(cidr),
                    "AvailabilityZone": f"eu-west-1{name[-1]}",
                    "AvailableIpAddressCount": free[name],
                    "Tags": [{"Key": "Name", "Value": name}],
                }
                for name, cidr in vpc.cidrs.items()
            ]
        },
        {"NetworkInterfaces": vpc.interfaces},
        {"Reservations": [{"ReservationId": "r", "Instances": instances}]},
    ]
    sorter = Sorter()
    for document in documents:
        sorter.add(document, "answers")
    return sorter.done(), free


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("seed", "nodes"), [(1, 7), (2, 9)])
def test_steady_free_is_ec2s_free(mode: str, seed: int, nodes: int, tmp_path: Path) -> None:
    saved, free = answers(MODES[mode], seed, nodes)
    found = parse_cluster(saved)
    assert all(a.difference == 0 for a in found.accounts)
    (tmp_path / "plan.yaml").write_text(render(complete(aws_draft(found))))
    (steady,) = check(read_plan(tmp_path / "plan.yaml"), ["steady"]).scenarios
    assert {s.subnet.name: s.free for s in steady.subnets} == free
