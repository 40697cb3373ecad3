"""Every code: a plan that triggers it, and one that just does not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from capacity.advice.findings.codes import Finding, codes
from capacity.advice.findings.rules import findings
from capacity.cluster.check import check
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan

SUBNETS = "[{name: a, zone: z1, cidr: 10.0.0.0/22}, {name: b, zone: z2, cidr: 10.0.4.0/22}]"


@dataclass(frozen=True)
class Case:
    """A small plan, each part of it to be replaced."""

    env: str = ""
    cni: str = ""
    cidrs: str = "[10.0.0.0/16]"
    subnets: str = SUBNETS
    plane: str = "[a, b]"
    group: str = "nodes: 2"
    types: str = "[m5.large]"
    homes: str = "[a, b]"
    work: str = "replicas: 20"
    kubernetes: str = ""
    daemons: str = ""
    tenants: str = ""
    more: str = ""
    scenario: str = "steady"

    def found(self) -> list[Finding]:
        text = f"""
apiVersion: capacity/v1
kubernetes: {{{self.kubernetes}}}
cni: {{env: {{{self.env}}}{self.cni}}}
vpc: {{cidrs: {self.cidrs}, subnets: {self.subnets}}}
controlPlane: {{subnets: {self.plane}}}
nodeGroups: [{{name: web, instanceTypes: {self.types}, subnets: {self.homes}, {self.group}}}{self.more}]
workloads: [{{name: app, {self.work}}}]
daemonSets: [{self.daemons}]
tenants: [{self.tenants}]
"""
        return list(findings(check(parse_plan(parse_yaml(text, "p"), "p"), [self.scenario])))


def tight(used: int) -> str:
    return f"[{{name: a, zone: z1, cidr: 10.0.0.0/24, used: {used}}}, {{name: b, zone: z2, cidr: 10.0.4.0/22}}]"


PREFIX = 'ENABLE_PREFIX_DELEGATION: "true"'
POD_ENI = 'ENABLE_POD_ENI: "true"'
CUSTOM = 'AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true"'
SMALL = "[{name: a, zone: z1, cidr: 10.0.0.0/%s}, {name: b, zone: z2, cidr: 10.0.4.0/27}]"
TINY = "[{name: a, zone: z1, cidr: 10.0.0.0/26}, {name: b, zone: z2, cidr: 10.0.4.0/22}]"
PLANE = "[{name: a, zone: z1, cidr: 10.0.0.0/27, used: %s}, {name: b, zone: z2, cidr: 10.0.4.0/22}]"

TAGGED = SUBNETS[:-1] + ", {name: c, zone: z1, cidr: 10.0.8.0/24, tags: {kubernetes.io/role/cni: '1'}}]"

# Two nodes of m5.large with 10 pods each hold 30 addresses; one is in a, beside 2 of the control plane: 32.
CASES: dict[str, tuple[Case, Case]] = {
    "IP036": (Case(env='ENABLE_SUBNET_DISCOVERY: "false"', subnets=TAGGED), Case(subnets=TAGGED)),
    "IP001": (Case(subnets=tight(220)), Case(subnets=tight(219))),  # 251 - 32 = 219
    "IP002": (Case(subnets=tight(169)), Case(subnets=tight(168))),  # a fifth of 251 is 50.2: 51 free are enough
    # A /26 has two whole blocks. 17 pods of a node take ceil(17 / 16) + 1 = 3 prefixes, 16 take 2.
    "IP003": (
        Case(env=PREFIX, subnets=TINY, group="nodes: 2, maxPods: 110", work="replicas: 34"),
        Case(env=PREFIX, subnets=TINY, group="nodes: 2, maxPods: 110", work="replicas: 32"),
    ),
    "IP004": (Case(group="nodes: 1, maxPods: 110", work="replicas: 28"), Case(group="nodes: 1", work="replicas: 27")),
    # Max pods and addresses end together at 27 pods beside the daemonsets: the scheduler stops at max pods.
    "IP005": (Case(group="nodes: 1", work="replicas: 28"), Case(group="nodes: 1", work="replicas: 27")),
    # Two pods a node: 20 addresses, and 2 for the control plane, which may put all 4 there: 24 at most.
    "IP006": (Case(subnets=tight(228), work="replicas: 4"), Case(subnets=tight(227), work="replicas: 4")),
    "IP007": (Case(group="nodes: 2, maxPods: 30"), Case(group="nodes: 2, maxPods: 29")),
    "IP008": (
        Case(env=PREFIX, group="nodes: 2, provisioner: karpenter"),
        Case(env=PREFIX, group="nodes: 2, provisioner: karpenter, maxPods: 110"),
    ),
    "IP009": (
        Case(env='MINIMUM_IP_TARGET: "12"'),
        Case(env='MINIMUM_IP_TARGET: "12", WARM_IP_TARGET: "1"'),
    ),
    "IP010": (Case(env='WARM_IP_TARGET: "0"'), Case(env='WARM_IP_TARGET: ""')),
    "IP011": (Case(env=PREFIX, types="[m4.large]"), Case(env=PREFIX)),
    # t3.medium: 4096 Mi; 17 pods: 255 + 11 * 17 = 442 Mi is more than 409.6; t3.small with 11: 376 of 2048.
    "IP012": (Case(types="[t3.medium]"), Case(types="[m5.large]")),  # 574 of 8192
    "IP013": (
        Case(work="replicas: 2, securityGroups: true"),
        Case(work="replicas: 2, securityGroups: true", env=POD_ENI),
    ),
    "IP014": (Case(types="[m5.large, m5.xlarge]"), Case(types="[m5.large, m6i.large]")),  # 29 and 58; 29 twice
    "IP015": (Case(group="nodes: 2, maxPods: 111"), Case(group="nodes: 2, maxPods: 110")),
    "IP016": (Case(env='WARM_ENI_TARGET: "0"'), Case(env='WARM_ENI_TARGET: "1"')),
    # m5.24xlarge: an ENI carries 49; 250 pods need 6 and one spare, but growth stops at 250: not twice as many.
    "IP017": (Case(types="[m5.24xlarge]", group="nodes: 2, maxPods: 20"), Case(types="[m5.24xlarge]")),
    # A /27 has 27 usable: 15 or 16 are left for the control plane.
    "IP018": (Case(subnets=PLANE % 12, homes="[b]"), Case(subnets=PLANE % 11, homes="[b]")),
    "IP019": (Case(subnets=tight(169)), Case(subnets=tight(168))),
    "IP020": (
        Case(env=PREFIX, subnets=tight(60), group="nodes: 2, maxPods: 110"),
        Case(
            env=PREFIX,
            subnets="[{name: a, zone: z1, cidr: 10.0.0.0/20, used: 60}, {name: b, zone: z2, cidr: 10.0.16.0/20}]",
            group="nodes: 2, maxPods: 110",
        ),
    ),
    "IP021": (
        Case(env='WARM_IP_TARGET: "2", MINIMUM_IP_TARGET: "9"'),
        Case(env='WARM_IP_TARGET: "2", MINIMUM_IP_TARGET: "10"'),  # 10 pods a node
    ),
    "IP022": (
        Case(subnets=SMALL % 28, homes="[b]", plane="[b]", tenants="{kind: alb, name: lb, subnets: [a, b]}"),
        Case(subnets=SMALL % 27, homes="[b]", plane="[b]", tenants="{kind: alb, name: lb, subnets: [a, b]}"),
    ),
    "IP023": (Case(work="replicas: 52, requests: {cpu: 10m}"), Case(work="replicas: 46, requests: {cpu: 10m}")),
    "IP024": (  # m5.large: 9 branch ENIs
        Case(env=POD_ENI, work="replicas: 18, securityGroups: true"),
        Case(env=POD_ENI, work="replicas: 16, securityGroups: true"),
    ),
    "IP025": (Case(kubernetes="serviceCidr: 10.0.128.0/20"), Case(kubernetes="serviceCidr: 10.1.0.0/20")),
    "IP026": (  # a /24: 256 - 2 - 2 = 252; four fifths: 201.6
        Case(kubernetes="serviceCidr: 172.20.0.0/24, services: 202"),
        Case(kubernetes="serviceCidr: 172.20.0.0/24, services: 201"),
    ),
    "IP027": (  # five blocks by default, the primary counted
        Case(cidrs="[10.0.0.0/16, 100.64.0.0/16, 100.65.0.0/16, 100.66.0.0/16, 100.67.0.0/16, 100.68.0.0/16]"),
        Case(cidrs="[10.0.0.0/16, 100.64.0.0/16, 100.65.0.0/16, 100.66.0.0/16, 100.67.0.0/16]"),
    ),
    "IP028": (Case(cidrs="[10.0.0.0/16, 172.20.0.0/16]"), Case(cidrs="[10.0.0.0/16, 10.1.0.0/16, 100.64.0.0/16]")),
    # m5.large: 3 ENIs; custom networking idles the primary, so with MAX_ENI=1 none is left, with 2 one is
    "IP040": (
        Case(env=CUSTOM + ', MAX_ENI: "1"', group="nodes: 2, podSubnets: [a, b]"),
        Case(env=CUSTOM + ', MAX_ENI: "2"', group="nodes: 2, podSubnets: [a, b]"),
    ),
    "IP029": (Case(plane="[a]"), Case(plane="[a, b]")),
    "IP031": (Case(homes="[a]"), Case(homes="[a, b]")),
    "IP032": (Case(env=PREFIX, cni=", version: 1.8.9"), Case(env=PREFIX, cni=", version: 1.9.0")),
    "IP033": (Case(kubernetes="ipFamily: ipv6"), Case(kubernetes="ipFamily: ipv4")),
    "IP034": (
        Case(env=POD_ENI, work="replicas: 2, securityGroups: true", types="[t3.large]"),
        Case(env=POD_ENI, work="replicas: 2, securityGroups: true", types="[m5.large]"),
    ),
    # t3.small: 11 max pods; with three daemonsets of aws-node, kube-proxy and one more 3 of 11 are 27 %.
    "IP038": (Case(work="replicas: 0"), Case(work="replicas: {now: 0, max: 1}")),
    "IP039": (  # a t3.nano has 2 ENIs of 2: addresses for 2 of the 10 pods on each node
        Case(types="[m5.large, t3.nano]", group="nodes: 2, maxPods: 20", work="replicas: 20"),
        Case(types="[m5.large, m5a.large]", group="nodes: 2, maxPods: 20", work="replicas: 20"),
    ),
    "IP035": (
        Case(types="[t3.small]", daemons="{name: logs}", work="replicas: 2"),
        Case(types="[t3.small]", work="replicas: 2"),  # 2 of 11: 18 %
    ),
}


def of(found: list[Finding]) -> set[str]:
    return {f.code for f in found}


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_code_is_triggered_and_just_not(code: str) -> None:
    triggers, just_not = CASES[code]
    assert code in of(triggers.found())
    assert code not in of(just_not.found())


OF_FLEETS = {"IP101", "IP102", "IP103"}  # about several plans; tests/cli/test_fleet.py has them


def test_every_code_has_a_case() -> None:
    own = [code for code in codes() if not code.startswith(("SV", "LB", "NP"))]  # see test_service_findings.py
    assert sorted(set(own) - OF_FLEETS) == sorted(CASES)


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_code_says_what_why_and_who(code: str) -> None:
    entry = codes()[code]
    assert entry.severity in ("info", "warning", "error")
    assert all(entry)


def test_only_the_gravest_scenario_of_a_place_is_told() -> None:
    case = Case(subnets=tight(169))
    both = dataclasses.replace(case, scenario="steady").found()
    assert len([f for f in both if f.code == "IP002"]) == 1


@pytest.mark.parametrize(
    ("used", "said"),
    [
        # a /24 has 251 usable; its node and the control plane hold 32. b: 1,019 − 32 = 987, 96.9 %
        (240, "z1 runs out first: 21 addresses short, 97% are free in z2"),
        (220, "z1 runs out first: 1 address short, 97% are free in z2"),
        (169, "z1 runs out first: 20% of its addresses are free, 97% are free in z2"),
    ],
)
def test_a_zone_without_free_addresses_is_short_not_negative(used: int, said: str) -> None:
    assert [f.message for f in Case(subnets=tight(used)).found() if f.code == "IP019"] == [said]


def test_a_quota_that_cannot_be_raised_so_far_is_an_error() -> None:
    blocks = ", ".join(f"100.64.{i}.0/24" for i in range(50))
    found = {f.code: f for f in Case(cidrs=f"[10.0.0.0/16, {blocks}]").found()}
    assert found["IP027"].severity == "error"
    assert (
        found["IP027"].message
        == "IPv4 CIDR blocks of a VPC, including the primary: 51 blocks, 5 by default, at most 50"
    )


def test_the_largest_group_and_its_scenario_are_named() -> None:
    case = Case(
        subnets="[{name: a, zone: z1, cidr: 10.0.0.0/17}, {name: b, zone: z2, cidr: 10.0.128.0/17}]", group="nodes: 451"
    )
    (found,) = [f for f in case.found() if f.code == "IP027"]
    assert found.message == "Nodes of a managed node group: 451 nodes (web in steady), 450 by default"
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("reserved", "placed"), [("", "0"), (", reservations: [{cidr: 10.0.0.64/28, type: prefix}]", "1")]
)
def test_a_block_reserved_for_prefixes_is_one_that_could_be_placed(reserved: str, placed: str) -> None:
    subnets = tight(60).replace("used: 60", f"used: 60{reserved}")
    found = Case(env=PREFIX, subnets=subnets, group="nodes: 2, maxPods: 110").found()
    (message,) = [f.message for f in found if f.code == "IP020"]
    assert message.endswith(f"(and {placed} of its 2 prefixes could be placed in a used subnet)")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            Case(env=CUSTOM + ', MAX_ENI: "1"', group="nodes: 2, podSubnets: [a, b]"),
            "m5.large has no ENI for pods (min(3 ENIs, MAX_ENI 1) − 1 primary (custom networking))",
        ),
        (
            Case(env=CUSTOM, group="nodes: 2, podSubnets: [a, b], unmanagedEnis: 2"),
            "m5.large has no ENI for pods (3 ENIs − 2 unmanaged − 1 primary (custom networking))",
        ),
        (
            Case(env=f"{CUSTOM}, {POD_ENI}", types="[c6g.medium]", group="nodes: 2, podSubnets: [a, b]"),
            "c6g.medium has no ENI for pods (2 ENIs − 1 for the trunk − 1 primary (custom networking))",
        ),
        (
            Case(env=CUSTOM, types="[hpc6id.32xlarge]", group="nodes: 2, podSubnets: [a, b]"),
            "hpc6id.32xlarge has no ENI for pods (1 ENI − 1 primary (custom networking))",
        ),
    ],
)
def test_a_node_without_an_eni_for_pods_never_becomes_ready(case: Case, said: str) -> None:
    found = {f.code: f for f in case.found()}
    assert found["IP040"].message == f"web: {said}: the CNI does not start and its nodes never become Ready"
    assert found["IP040"].severity == "error"
    assert "IP007" not in found


@pytest.mark.parametrize(("max_pods", "raised"), [(111, True), (110, False)])
def test_the_smallest_type_of_a_managed_group_decides_what_eks_enforces(max_pods: int, raised: bool) -> None:
    case = Case(types="[m5.8xlarge, m5.large]", group=f"nodes: 2, maxPods: {max_pods}")  # alone: 250, and 110
    assert ("IP015" in {f.code for f in case.found()}) is raised
