"""The runway of a subnet that several groups share, worked by hand."""

from __future__ import annotations

from capacity.cluster.check import check
from tests.fixtures.plans import plan_of

TWO_GROUPS = """\
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24, used: 151}]}
nodeGroups:
  - {name: large, instanceTypes: [m5.large], nodes: 1, subnets: [a]}
  - {name: small, instanceTypes: [t3.medium], nodes: 1, subnets: [a]}
workloads: [{name: web, replicas: 2}]
"""


def test_new_nodes_may_be_of_any_mix_of_groups() -> None:
    # Both pods are on the m5.large, which holds 20 addresses; the empty t3.medium holds 6: 251 − 151 − 26 = 74 free.
    # The nodes there take 25 more for 10 addresses and 15 for 12: 40 pods, 52 addresses left. A new m5.large takes
    # 27 pods in 30, a new t3.medium 15 in 18: 42 pods in 48. One group alone: 27 in 30 and 9 in 20, 36 pods.
    result = check(plan_of(TWO_GROUPS), ["steady"])
    assert result.scenarios[0].subnets[0].free == 74
    assert result.runway[0].more_pods == 40 + 42


ONE_NODE = """\
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/24, used: 221}]}
nodeGroups: [{name: large, instanceTypes: [m5.large], nodes: 1, subnets: [a]}]
workloads:
  - {name: web, replicas: 2}
  - {name: agent, replicas: 10, hostNetwork: true}
"""


def test_pods_on_the_hosts_network_take_of_max_pods_and_not_of_the_addresses() -> None:
    # The node holds 20 addresses: 10 are free, enough for its third ENI (and too few for a new node's first 20), so
    # that 27 − 2 pods more could have addresses. 29 max pods − 2 (aws-node, kube-proxy) − 10 − 2 leave 15.
    result = check(plan_of(ONE_NODE), ["steady"])
    assert result.scenarios[0].subnets[0].free == 10
    assert result.runway[0].more_pods == 15
