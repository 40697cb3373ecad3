"""`capacity doctor` against the real AWS client and a server on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from capacity.cli.main import app
from tests.aws.server import Aws
from tests.aws.world import World


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def checked(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    """Checks by identifier."""
    done = run("--cluster", "shop", "-o", "json", *arguments)
    assert done.stdout, done.output
    found: dict[str, list[dict[str, Any]]] = {}
    for check in json.loads(done.stdout)["results"]["checks"]:
        found.setdefault(check["id"], []).append(check)
    return found


def test_the_list_on_a_live_cluster(world: World) -> None:
    found = checked()
    status = {ident: {c["where"]: c["status"] for c in checks} for ident, checks in found.items()}
    assert status["subnet-addresses"] == {"private-a": "ok", "private-b": "ok"}
    assert status["subnet-prefixes"] == {"": "ok"}  # secondary mode needs none
    assert status["control-plane-addresses"] == {"private-a": "ok", "private-b": "ok"}
    assert status["accounting"] == {"": "ok"}
    assert status["leaked-enis"] == {"private-a": "warn"}
    assert world.enis["leaked"] in found["leaked-enis"][0]["command"]
    assert status["node-enis"] == {"": "ok"}
    assert status["sg-control-plane-to-nodes"] == {"control plane → nodes": "ok"}
    assert status["sg-nodes-to-control-plane"] == {"nodes → control plane": "ok"}
    tcp, udp = found["sg-node-to-node"]
    assert (tcp["status"], udp["status"]) == ("ok", "fail")  # the rules admit TCP alone
    assert "udp 53" in udp["evidence"]
    assert udp["command"].startswith("aws ec2 authorize-security-group-ingress --group-id " + world.groups["nodes"])
    (balancer,) = found["sg-load-balancers-to-nodes"]
    assert (balancer["status"], balancer["where"]) == ("fail", "ALB web → nodes")
    assert status["sg-nodes-to-endpoints"] == {"": "ok"}
    assert status["sg-nodes-to-databases"] == {"nodes → rds": "ok"}  # in the nodes' own group
    assert status["iam-cni"] == {"nodes": "ok"}
    (nodes,) = found["iam-nodes"]
    assert (nodes["status"], nodes["evidence"]) == ("fail", "lacks ecr:BatchGetImage")
    assert status["cni-version"] == {"": "warn"}  # 1.19.0 against 1.23.1
    assert status["cni-settings"] == {"": "ok"}
    assert status["coredns"] == {"": "ok"}


def test_exit_codes() -> None:
    assert run("--cluster", "shop").exit_code == 1
    assert run("--cluster", "shop", "--exit-zero").exit_code == 0


def test_a_denied_call_makes_its_checks_unknown_not_ok(aws: Aws) -> None:
    aws.door.denied = {"DescribeSecurityGroups", "ListAttachedRolePolicies", "DescribeNetworkInterfaces"}
    found = checked()
    for ident, checks in found.items():
        if ident.startswith(("sg-", "iam-")) or ident in ("accounting", "leaked-enis", "node-enis"):
            assert {c["status"] for c in checks} == {"unknown"}, ident
    assert "DescribeSecurityGroups was denied" in found["sg-node-to-node"][0]["evidence"]
    assert found["sg-node-to-node"][0]["command"].startswith("aws ec2 describe-security-groups")


def test_kubernetes_objects_add_the_kubelets_and_aws_nodes_own_word(world: World, tmp_path: Path) -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "ip-10-0-0-9"},
        "spec": {"providerID": f"aws:///us-east-1a/{world.instances['node-a']}"},
        "status": {"allocatable": {"pods": "58"}},
    }
    pod = {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "ip-10-0-0-9"},
        "status": {"phase": "Running"},
    }
    env = [{"name": "MINIMUM_IP_TARGET", "value": "12"}, {"name": "WARM_ENI_TARGET", "value": "one"}]
    daemon = {
        "kind": "DaemonSet",
        "metadata": {"name": "aws-node"},
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "aws-node", "image": "x/amazon-k8s-cni:v1.23.0", "env": env}]}
            }
        },
    }
    dns = {
        "kind": "Deployment",
        "metadata": {"name": "coredns"},
        "spec": {"replicas": 2},
        "status": {"readyReplicas": 0},
    }
    listed = {"apiVersion": "v1", "kind": "List", "items": [node, *[pod] * 27, daemon, dns]}
    path = tmp_path / "kube.json"
    path.write_text(json.dumps(listed))
    found = checked("--kubectl", str(path))
    (full,) = (c for c in found["node-enis"] if c["status"] == "fail")
    assert full["evidence"] == "27 pods on 12 addresses (m5.large, 2 of 3 ENIs): full"  # MINIMUM_IP_TARGET alone
    (over,) = found["max-pods"]
    assert (over["status"], over["where"]) == ("warn", "ip-10-0-0-9")
    assert over["evidence"] == "m5.large: max pods 58, but 12 addresses and 2 host-network pods"
    assert [c["status"] for c in found["cni-version"]] == ["ok"]
    assert {c["status"] for c in found["cni-settings"]} == {"warn"}
    assert any("a node never serves more pods" in c["evidence"] for c in found["cni-settings"])
    assert any("'one' is not a number" in c["evidence"] for c in found["cni-settings"])
    assert [(c["status"], c["evidence"]) for c in found["coredns"]] == [("fail", "0 of 2 replicas ready")]


@pytest.mark.parametrize("output", ["table", "yaml", "csv", "md"])
def test_every_format(output: str) -> None:
    done = run("--cluster", "shop", "-o", output)
    assert "sg-node-to-node" in done.stdout
    assert done.exit_code == 1
