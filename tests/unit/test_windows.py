"""Windows nodes: what ConfigMap amazon-vpc-cni tells them, and that nothing of aws-node reaches them."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from capacity.advice.findings.rules import findings
from capacity.advice.levers.offered import levers
from capacity.advice.search import find_fixes
from capacity.advice.snippets.settings import env_commands, windows_snippets
from capacity.catalog.table import load_catalog
from capacity.cluster.check import check
from capacity.cluster.group_shapes import group_shapes
from capacity.cni.node_pool import node_pool
from capacity.cni.on_node import windows_node_settings
from capacity.cni.pool import windows_slots
from capacity.errors import SpecError
from capacity.node.offer import offer
from capacity.node.platform import Platform
from capacity.plan.cni_env import CniSettings
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.sections import PlanSection
from capacity.plan.windows import WindowsIpam, windows_ipam
from capacity.readers.complete import complete
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes
from capacity.readers.drift import drift
from capacity.readers.helm import parse_helm
from capacity.readers.kubernetes.objects import SeenObjects
from capacity.readers.plan_document import plan_document
from tests.fixtures.plans import plan_of

PREFIXES = {"enable-windows-prefix-delegation": "true"}


def plan(cni: str = "", kind: str = "m5.large", nodes: int = 2, replicas: int = 24, more: str = "") -> Plan:
    """A Windows group beside a Linux one."""
    return plan_of(text(cni, kind, nodes, replicas, more))


def text(cni: str = "", kind: str = "m5.large", nodes: int = 2, replicas: int = 24, more: str = "") -> str:
    return f"""\
apiVersion: capacity/v1
cni: {{{cni}}}
vpc:
  cidrs: [10.4.0.0/16]
  subnets:
    - {{name: a, zone: us-west-2a, cidr: 10.4.0.0/21}}
    - {{name: b, zone: us-west-2b, cidr: 10.4.8.0/21}}
controlPlane: {{subnets: [a, b]}}
nodeGroups:
  - {{name: iis, instanceTypes: [{kind}], ami: windows, nodes: {nodes}, subnets: [a, b]}}
  - {{name: linux, instanceTypes: [m5.large], nodes: 2, subnets: [a, b]}}
workloads:
  - {{name: dotnet, replicas: {replicas}, nodeGroups: [iis], requests: {{cpu: 50m, memory: 100Mi}}}}
  - {{name: go, replicas: 20, nodeGroups: [linux], requests: {{cpu: 20m, memory: 32Mi}}}}
{more}"""


def test_reserved_memory_follows_max_pods_set_by_hand() -> None:
    # 255 + 11 × max pods Mi; the Windows AMI counts with the node's max pods, AL2023's with those of the type: 29.
    both = (
        text()
        .replace("ami: windows,", "ami: windows, maxPods: 50,")
        .replace("name: linux,", "name: linux, maxPods: 20,")
    )
    iis, linux = group_shapes(plan_of(both))
    assert (iis.first.max_pods, iis.platform.reserved_memory_mib) == (50, (255 + 11 * 50,))
    assert (linux.first.max_pods, linux.platform.reserved_memory_mib) == (20, (255 + 11 * 29,))


LINUX_PREFIXES = 'env: {ENABLE_PREFIX_DELEGATION: "true", WARM_PREFIX_TARGET: "1"}'


def section(of: str) -> PlanSection:
    found = parse_yaml(of, "plan.yaml")
    assert isinstance(found, PlanSection)
    return found


class TestTargets:
    # (warm-prefix-target, warm-ip-target, minimum-ip-target, pods) -> prefixes: the controller's own table
    @pytest.mark.parametrize(
        ("warm_prefix", "warm_ip", "minimum_ip", "pods", "prefixes"),
        [
            (None, None, None, 0, 1), (None, None, None, 15, 1), (None, None, None, 16, 2),
            ("1", "0", "0", 0, 1), ("3", "0", "0", 0, 3), ("1", "0", "0", 5, 2), ("1", "0", "0", 17, 3),
            (None, "0", "1", 0, 1), (None, "0", "1", 5, 1), (None, "0", "1", 15, 1), (None, "0", "1", 16, 2),
            (None, "5", "0", 0, 1), (None, "5", "0", 5, 1), (None, "5", "0", 11, 1), (None, "5", "0", 12, 2),
            (None, "1", "1", 0, 1), (None, "1", "1", 5, 1), (None, "1", "1", 17, 2), (None, "3", "1", 14, 2),
            (None, "7", "20", 0, 2), (None, "7", "20", 5, 2), (None, "7", "20", 17, 2), (None, "7", "20", 26, 3),
        ],
    )  # fmt: skip
    def test_prefixes(
        self, warm_prefix: str | None, warm_ip: str | None, minimum_ip: str | None, pods: int, prefixes: int
    ) -> None:
        keys = {"warm-prefix-target": warm_prefix, "warm-ip-target": warm_ip, "minimum-ip-target": minimum_ip}
        told, warnings = windows_ipam(PREFIXES | {k: v for k, v in keys.items() if v is not None})
        assert warnings == []
        assert windows_slots(pods, 16, 29, told.warm_ip, told.minimum_ip, told.warm_prefix) == prefixes

    # (windows-warm-ip-target, windows-minimum-ip-target, pods) -> addresses: the same, with single addresses
    @pytest.mark.parametrize(
        ("warm_ip", "minimum_ip", "pods", "addresses"),
        [
            ("1", "0", 0, 1), ("1", "0", 5, 6), ("5", "0", 0, 5), ("1", "1", 0, 1), ("1", "1", 1, 2), ("1", "3", 3, 4),
            ("1", "3", 5, 6), ("5", "10", 0, 10), ("10", "10", 0, 10), ("10", "10", 10, 20), ("15", "10", 10, 25),
        ],
    )  # fmt: skip
    def test_single_addresses(self, warm_ip: str, minimum_ip: str, pods: int, addresses: int) -> None:
        told, _ = windows_ipam({"windows-warm-ip-target": warm_ip, "windows-minimum-ip-target": minimum_ip})
        assert windows_slots(pods, 1, 29, told.warm_ip, told.minimum_ip, told.warm_prefix) == addresses

    def test_one_eni_bounds_both(self) -> None:
        assert (windows_slots(40, 1, 9), windows_slots(400, 16, 9), windows_slots(4, 16, 9, 0, 0, 20)) == (9, 9, 9)

    @pytest.mark.parametrize(
        ("data", "told", "said"),
        [
            ({}, WindowsIpam(), ""),
            ({"warm-ip-target": "0"}, WindowsIpam(warm_ip=1), ""),
            ({"warm-ip-target": "5", "windows-warm-ip-target": "9"}, WindowsIpam(warm_ip=5), ""),
            ({"warm-ip-target": "-1"}, WindowsIpam(warm_ip=3), "warm-ip-target='-1' is not a number"),
            ({"warm-prefix-target": "2"}, WindowsIpam(), "enable-windows-prefix-delegation is not true"),
            (
                PREFIXES | {"warm-prefix-target": "2"},
                WindowsIpam(True),
                "warm-ip-target=1 and minimum-ip-target=3 take",
            ),
            (PREFIXES | {"warm-ip-target": "0", "minimum-ip-target": "0"}, WindowsIpam(True), ""),
            (PREFIXES | {"warm-ip-target": "x"}, WindowsIpam(True), "it uses 1"),
            ({"enable-windows-prefix-delegation": "on"}, WindowsIpam(), "not a boolean"),
            ({"enable-windows-ipam": "false"}, WindowsIpam(enabled=False), ""),
        ],
    )
    def test_read_as_the_controller_reads(self, data: dict[str, str], told: WindowsIpam, said: str) -> None:
        found, warnings = windows_ipam(data)
        assert asdict(found) == asdict(told)
        assert (said in warnings[0]) if said else warnings == []


class TestPlan:
    def test_prefixes_of_linux_nodes_are_not_those_of_windows_nodes(self) -> None:
        # an m5.large has 10 - 1 = 9 addresses for Windows pods; 2 nodes serve 18 of 24
        result = check(plan(LINUX_PREFIXES), ["steady"])
        assert result.verdict == "exhausted"
        assert result.scenarios[0].unplaced_pods == 6
        windows, linux = result.scenarios[0].groups
        assert (windows.pods_per_node, windows.shape.first.room.addresses) == (9, 9)
        assert linux.shape.first.settings.prefix
        assert not windows.shape.first.settings.prefix

    def test_with_their_own_key_the_same_nodes_hold_them(self) -> None:
        result = check(plan(LINUX_PREFIXES + ", windows: {enable-windows-prefix-delegation: true}"), ["steady"])
        assert result.scenarios[0].unplaced_pods == 0
        assert result.scenarios[0].groups[0].shape.first.room.addresses == 144  # 9 × 16

    def test_their_own_targets_are_booked(self) -> None:
        told = "windows: {enable-windows-prefix-delegation: 'true', warm-prefix-target: '2', warm-ip-target: '0', "
        shape = group_shapes(plan(told + "minimum-ip-target: '0'}"))[0].first
        assert shape.demand(12) == 48  # one prefix begun and two free

    def test_no_aws_node_and_no_kube_proxy_so_that_max_pods_are_full(self) -> None:
        # m5.4xlarge: 29 × 16 addresses, the kubelet's 110
        of = plan("windows: {enable-windows-prefix-delegation: 'true'}", "m5.4xlarge", nodes=1, replicas=110)
        result = check(of, ["steady"])
        assert (result.scenarios[0].unplaced_pods, result.scenarios[0].groups[0].pods_per_node) == (0, 110)
        one = offer(load_catalog().get("m5.4xlarge"), Platform(mode="prefix", ami="windows"))
        assert one.pods == 110

    def test_named_in_the_plan_they_still_run_on_linux_only(self) -> None:
        named = "daemonSets:\n  - {name: aws-node, hostNetwork: true}\n  - {name: kube-proxy, hostNetwork: true}\n"
        windows, linux = group_shapes(plan(more=named))
        assert (windows.first.start[4], linux.first.start[4]) == (0, 2)

    def test_the_scheduler_counts_their_addresses_so_that_max_pods_above_them_harm_nobody(self) -> None:
        found = findings(check(plan(replicas=4), ["steady"]))
        assert not [f for f in found if f.code == "IP007"]

    def test_switched_off_no_pod_gets_an_address(self) -> None:
        found = {f.code: f for f in findings(check(plan("windows: {enable-windows-ipam: 'false'}"), ["steady"]))}
        assert found["IP040"].severity == "error"
        assert found["IP040"].message.startswith("iis: enable-windows-ipam is false")
        assert "IP040" not in {f.code for f in findings(check(plan("windows: {enable-windows-ipam: 'true'}")))}

    @pytest.mark.parametrize(
        ("cni", "said"),
        [
            ("windows: {enable-windows-prefix-delegaton: 'true'}", "did you mean 'enable-windows-prefix-delegation'?"),
            ("windows: 3", "expected a mapping of the keys of ConfigMap amazon-vpc-cni"),
            ("name: cilium, windows: {}", "Cilium does not run on Windows"),
        ],
    )
    def test_what_is_refused(self, cni: str, said: str) -> None:
        with pytest.raises(SpecError) as caught:
            plan(cni)
        assert said in str(caught.value)


class TestAdvice:
    def test_the_fix_is_a_key_of_the_config_map(self) -> None:
        result = check(plan(LINUX_PREFIXES), ["steady"])
        best = find_fixes(section(text(LINUX_PREFIXES)), result, ["steady"]).best
        assert best is not None
        assert [lever.name for lever in best.levers] == ["windows-prefix-delegation"]
        (lever,) = best.levers
        assert lever.patch == {"cni.windows.enable-windows-prefix-delegation": "true"}
        assert lever.commands[0].startswith("kubectl patch configmap amazon-vpc-cni -n kube-system --type merge")
        assert not any("aws-node" in c for c in lever.commands)

    def test_only_where_it_is_off_and_possible(self) -> None:
        on = "windows: {enable-windows-prefix-delegation: 'true'}"
        for of in (plan(on), plan(kind="m4.large")):
            assert "windows-prefix-delegation" not in {lever.name for lever in levers(check(of, ["steady"]))}

    def test_no_command_for_the_add_on_drops_what_the_other_nodes_follow(self) -> None:
        # aws eks update-addon takes the configuration as a whole
        linux = env_commands({"WARM_IP_TARGET": "2"}, {}, {"enable-windows-ipam": "true"})[1]
        assert '{"env": {"WARM_IP_TARGET": "2"}, "enableWindowsIpam": "true"}' in linux
        windows = windows_snippets(PREFIXES, {"WARM_IP_TARGET": "2"}, {"enable-windows-ipam": "true"})[1]
        assert (
            '{"env": {"WARM_IP_TARGET": "2"}, "enableWindowsIpam": "true", "enableWindowsPrefixDelegation"' in windows
        )


class TestImport:
    def test_values_of_the_chart_become_keys_of_the_config_map(self) -> None:
        values = {"env": {"WARM_IP_TARGET": "2"}, "enableWindowsPrefixDelegation": "true", "warmWindowsIPTarget": 5}
        draft = parse_helm(values)
        assert draft.windows == {"enable-windows-prefix-delegation": "true", "warm-ip-target": "5"}

    def test_only_a_plan_with_windows_nodes_has_them(self) -> None:
        def written(ami: str) -> object:
            group = GroupDraft("g", instance_types=("m5.large",), ami=ami)
            found: object = plan_document(complete(PlanDraft(windows=PREFIXES, node_groups=(group,)))).get("cni", {})
            return found

        assert written("windows") == {"windows": PREFIXES}
        assert written("al2023") == {}

    def test_a_key_that_differs_from_the_cluster_is_drift(self) -> None:
        found = drift(PlanDraft(windows=PREFIXES), PlanDraft(windows={"enable-windows-prefix-delegation": "false"}))
        assert [(d.path, d.plan, d.reality) for d in found] == [
            ("cni.windows.enable-windows-prefix-delegation", "true", "false")
        ]

    def test_the_config_map_of_a_kubectl_dump(self) -> None:
        snapshot = SeenObjects(SourceNotes(""))
        data = {"enable-windows-prefix-delegation": "true", "branch-eni-cooldown": "60"}
        metadata = {"name": "amazon-vpc-cni", "namespace": "kube-system"}
        assert snapshot.add("List", {"kind": "ConfigMap", "metadata": metadata, "data": data})
        assert snapshot.windows == PREFIXES


@pytest.mark.parametrize("pods", [0, 1, 3, 8, 9])
def test_a_windows_node_never_holds_more_than_its_targets_ask_for(pods: int) -> None:
    kind = load_catalog().get("m5.large")
    for data in ({}, {"enable-windows-prefix-delegation": "true"}, {"warm-ip-target": "5"}):
        settings = windows_node_settings(windows_ipam(data)[0])
        pool = node_pool(kind, settings, pods, max_pods=110, os="windows")
        assert pool.highest == pool.subnet_addresses


def test_an_ipv6_node_never_holds_more_than_its_primary_addresses() -> None:
    settings = CniSettings(prefix=True, ipv6=True, warm_prefix=3)
    pool = node_pool(load_catalog().get("m5.large"), settings, 40, max_pods=110)
    assert pool.highest == pool.subnet_addresses
