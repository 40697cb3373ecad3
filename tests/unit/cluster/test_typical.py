"""Node groups as offers: the limits that the report draws are those that the check places pods by."""

from __future__ import annotations

import pytest

from capacity.advice.findings.rules import findings
from capacity.advice.whatif import modes_of
from capacity.cluster.check import check
from capacity.cluster.typical import group_offers
from capacity.plan.model import Plan
from tests.fixtures.plans import plan_of

CUSTOM = 'AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true"'


def plan(env: str = "", group: str = "", subnet: str = "", more: str = "") -> Plan:
    return plan_of(
        f"""\
apiVersion: capacity/v1
cni: {{env: {{{env}}}}}
vpc:
  cidrs: [10.8.0.0/16]
  subnets:
    - {{name: a, zone: eu-west-1a, cidr: 10.8.0.0/22{subnet}}}
    - {{name: b, zone: eu-west-1a, cidr: 10.8.4.0/22, tags: {{kubernetes.io/role/cni: "1"}}}}
controlPlane: {{subnets: [a]}}
nodeGroups:
  - {{name: g, instanceTypes: [m5.large], nodes: 2, subnets: [a], {group}}}
{more}workloads:
  - {{name: w, replicas: 20, requests: {{cpu: 10m, memory: 16Mi}}}}
"""
    )


class TestLimits:
    @pytest.mark.parametrize(
        ("of", "addresses", "max_pods"),
        [
            (plan(), 27, 27),  # 3 × 9; 29 less aws-node and kube-proxy
            # EKS Auto Mode takes none of the plan's settings: prefixes, at most 110, no pods of the network
            (plan(group="provisioner: auto"), 432, 110),
            (plan(env='MAX_ENI: "1"', group="provisioner: auto"), 432, 110),
            (plan(env=CUSTOM, group="provisioner: auto"), 432, 110),
            (plan(env='ENABLE_PREFIX_DELEGATION: "true"', group="ami: windows"), 9, 110),
            (plan(group="unmanagedEnis: 1"), 18, 27),
            (plan(group="reservedEnis: 1, provisioner: karpenter"), 27, 18),  # Karpenter's figure, not the CNI's
            (plan(subnet=', tags: {kubernetes.io/role/cni: "0"}'), 18, 27),  # the primary ENI serves none
        ],
    )
    def test_are_those_of_the_check(self, of: Plan, addresses: int, max_pods: int) -> None:
        result = check(of, ["steady"])
        (offer,) = group_offers(result)
        assert (offer.fits["ips"], offer.fits["max_pods"]) == (addresses, max_pods)
        first = result.shapes[0].first
        assert offer.fits["ips"] == first.addresses
        assert offer.max_pods == first.max_pods
        assert offer.allocatable.cpu_millicores == first.room.cpu


class TestSettingsThatReachNoNode:
    ENV = 'WARM_ENI_TARGET: "0", MINIMUM_IP_TARGET: "9"'

    def test_say_nothing_of_nodes_of_auto_mode_alone(self) -> None:
        assert {"IP009"} <= {f.code for f in findings(check(plan(self.ENV), ["steady"]))}
        alone = check(plan(self.ENV, "provisioner: auto"), ["steady"])
        assert not {"IP009", "IP010", "IP016", "IP021"} & {f.code for f in findings(alone)}
        assert [m.name for m in modes_of(alone.plan, 10)] == ["as planned"]
        assert len(modes_of(plan(), 10)) > 1
