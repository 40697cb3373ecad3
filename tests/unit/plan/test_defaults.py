"""What a plan means where it is silent, and that scalars are read as written."""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Network

import pytest

from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.plan.model import Plan, Requests
from tests.fixtures.plans import plan_of, small

BARE = """\
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/24}
nodeGroups:
  - {name: g, instanceTypes: [m5.large], subnets: [a]}
workloads:
  - {name: w, replicas: 3}
daemonSets:
  - {name: d}
"""


@pytest.fixture
def bare() -> Plan:
    return plan_of(BARE)


def test_a_workload(bare: Plan) -> None:
    (work,) = bare.workloads
    assert (work.replicas, work.max_replicas) == (3, 3)
    assert work.requests == Requests(None, None)
    assert (work.host_network, work.security_groups, work.node_groups) == (False, False, ())
    assert (work.max_surge, work.max_unavailable) == (Fraction(1, 4), Fraction(1, 4))  # Kubernetes' own
    assert (work.growth, work.volumes) == (None, 0)


def test_a_missing_request_is_0_for_room_and_100m_and_200mi_for_the_score(bare: Plan) -> None:
    steady = check(bare).scenarios[0]
    (nodes,) = steady.groups[0].classes
    # aws-node, kube-proxy, d and three pods: 6 × 100m and 6 × 200 Mi in the score, nothing requested
    assert nodes.state[:4] == (600, 6 * 200 * 2**20, 0, 0)


def test_a_node_group(bare: Plan) -> None:
    (group,) = bare.node_groups
    assert (group.ami, group.provisioner, group.spread) == ("al2023", "managed", "even")
    assert (group.min_nodes, group.desired, group.max_nodes) == (0, None, None)
    assert (group.max_unavailable, group.update_strategy) == (1, "default")
    assert (group.max_pods, group.max_pods_expression) == (None, None)
    assert (group.reserved_enis, group.unmanaged_enis, group.pod_subnets) == (0, 0, ())


def test_the_rest(bare: Plan) -> None:
    assert bare.subnets[0].used == 0
    assert bare.subnets[0].reservations == ()
    assert bare.checks.min_free == Fraction(1, 5)
    assert bare.checks.scenarios == ()
    assert bare.kubernetes.ip_family == "ipv4"
    assert (bare.region, bare.control_plane, bare.tenants) == (None, None, ())
    assert bare.name == "plan"  # the file's name


def test_what_is_not_booked_is_said(bare: Plan) -> None:
    notes = check(bare).notes
    assert "the plan has no controlPlane: no addresses are counted for the control plane's ENIs" in notes
    assert "the plan has no tenants: no addresses are counted for load balancers, endpoints or NAT gateways" in notes
    assert "aws-node and kube-proxy run on every node (host network, no resource requests)" in notes
    full = check(small(("daemonSets:\n", "daemonSets:\n  - {name: aws-node, hostNetwork: true}\n"))).notes
    assert "kube-proxy runs on every node (host network, no resource requests)" in full
    assert not any("no controlPlane" in n or "no tenants" in n for n in full)


def test_a_count_of_nodes_or_replicas_is_all_of_its_bounds() -> None:
    plan = small(("nodes: {min: 1, desired: 3, max: 6}", "nodes: 4"), ("replicas: 10", "replicas: {now: 10, max: 12}"))
    group, work = plan.node_groups[0], plan.workloads[0]
    assert (group.min_nodes, group.desired, group.max_nodes) == (4, 4, 4)
    assert (work.replicas, work.max_replicas) == (10, 12)


def test_scalars_are_read_as_written() -> None:
    plan = small(('"1.34"', "1.30"), ("name: web", "name: 007"), ("us-east-1\n", "yes\n"))
    assert plan.kubernetes.version == "1.30"
    assert plan.workloads[0].name == "007"
    assert plan.region == "yes"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("WARM_ENI_TARGET: 2", {"warm_eni": 2}),
        ("IP_COOLDOWN_PERIOD: 30", {"warm_eni": 1, "warm_prefix": 1, "warm_ip": 0, "minimum_ip": 0}),  # the chart's
        ('WARM_PREFIX_TARGET: ""', {"warm_prefix": 0}),  # given empty: the code's
        ("WARM_PREFIX_TARGET: null", {"warm_prefix": 0}),
        ("WARM_ENI_TARGET: -3", {"warm_eni": 1}),  # discarded by ipamd, which then uses its own
        ("MAX_ENI: 0", {"max_eni": None}),
        ("ENABLE_PREFIX_DELEGATION: true", {"prefix": True}),  # a YAML boolean, as people paste it
        ("ENABLE_PREFIX_DELEGATION: yes", {"prefix": False}),  # not for Go's ParseBool
        ("ENABLE_POD_ENI: T", {"pod_eni": True}),
    ],
)
def test_the_environment(written: str, meant: dict[str, object]) -> None:
    settings = small(('WARM_ENI_TARGET: "1"', written)).cni.settings
    assert {name: getattr(settings, name) for name in meant} == meant


def test_a_value_the_cni_discards_is_said() -> None:
    notes = small(('"1"', "many")).notes
    assert "WARM_ENI_TARGET='many' is not a number the CNI accepts: it uses 1" in notes


def test_ipv6() -> None:
    plan = small(("ipFamily: ipv4", "ipFamily: ipv6"))
    assert (plan.cni.settings.ipv6, plan.cni.settings.prefix) == (True, True)
    with pytest.raises(SpecError, match="ENABLE_IPv4 and ENABLE_IPv6 are both true"):
        small(('WARM_ENI_TARGET: "1"', "ENABLE_IPv6: true, ENABLE_IPv4: true"), ("ipFamily: ipv4", "ipFamily: ipv6"))
    with pytest.raises(SpecError, match="IPv6 needs ENABLE_PREFIX_DELEGATION=true"):
        small(('WARM_ENI_TARGET: "1"', "ENABLE_PREFIX_DELEGATION: false"), ("ipFamily: ipv4", "ipFamily: ipv6"))


def test_tenants_take_their_kinds_number_per_subnet() -> None:
    kinds = {"alb": 8, "nlb": 1, "clb": 8, "vpcEndpoint": 1, "natGateway": 1, "efs": 1, "rds": 1, "fargate": 1}
    for kind, addresses in kinds.items():
        assert small(("kind: alb", f"kind: {kind}")).tenants[0].addresses == addresses
    assert small(("kind: alb", "kind: other, addresses: 7")).tenants[0].addresses == 7
    assert small(("kind: alb", "kind: alb, addresses: 0")).tenants[0].addresses == 0


def test_reservations_and_sizes_at_their_limits() -> None:
    plan = small(("used: 10", "used: 251, reservations: [{cidr: 10.0.0.16/28, type: prefix}]"))
    assert plan.subnets[0].used == 251  # a /24 has 256 - 5
    assert plan.subnets[0].reservations[0].cidr == IPv4Network("10.0.0.16/28")
    assert small(("10.0.1.0/24", "10.0.1.0/28")).subnets[1].usable == 11
    assert small(("10.0.0.0/24, used: 10", "10.0.0.0/17"), ("10.0.1.0/24", "10.0.128.0/17")).subnets[0].usable == 32763
