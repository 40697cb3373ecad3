"""`capacity import`: each source on files of our own, merging, drift, and what nobody should feed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan
from capacity.readers.existing_plan import plan_section
from tests.cli.entry import capacity

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"


def imported(source: str, *files: str | Path, stdin: bytes = b"") -> Plan:
    """The plan an import prints, read as `check` reads it."""
    done = capacity("import", source, *map(str, files), stdin=stdin)
    assert done.code == 0, done.stderr
    return parse_plan(plan_section(done.stdout, "plan.yaml"), "plan.yaml")


def refused(source: str, *files: str | Path, stdin: bytes = b"") -> str:
    """The one line of an import that is refused."""
    done = capacity("import", source, *map(str, files), stdin=stdin)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    return done.stderr


def sizes(plan: Plan) -> dict[str, tuple[int | None, ...]]:
    return {g.name: (g.min_nodes, g.desired, g.max_nodes) for g in plan.node_groups}


class TestSources:
    def test_eksctl_lays_out_the_vpc_and_fills_eksctls_defaults(self) -> None:
        plan = imported("eksctl", EXAMPLES / "cluster.yaml")
        # /18 in 8 × /21: three public ones, then the private ones
        blocks = {s.name: str(s.cidr) for s in plan.subnets}
        assert blocks["public-eu-west-1a"] == "10.20.0.0/21"
        assert blocks["private-eu-west-1a"] == "10.20.24.0/21"
        assert sizes(plan) == {"general": (3, 4, 9), "batch": (2, 2, 4)}  # 2 nodes where only a maximum is stated
        assert [g.provisioner for g in plan.node_groups] == ["managed", "self-managed"]
        assert plan.node_groups[1].subnets == ("private-eu-west-1a",)
        assert plan.cni.settings.prefix
        assert (plan.cni.version, plan.kubernetes.version) == ("1.20.1", "1.34")

    def test_kubectl_reads_requests_autoscalers_the_cni_and_the_kubelets_max_pods(self) -> None:
        plan = imported("kubectl", EXAMPLES / "objects.yaml")
        web = plan.workloads[0]
        assert (web.name, web.replicas, web.max_replicas) == ("shop/web", 6, 30)
        # CPU: the init container's 500m is more than 200m + 50m; memory: 256Mi + 64Mi is more than 128Mi
        assert (web.requests.cpu_millicores, web.requests.memory_bytes) == (500, 320 * 2**20)
        assert (web.max_surge, web.max_unavailable) == (0.25, 0)
        assert plan.node_groups[0].max_pods == 58
        assert plan.daemon_sets[0].host_network
        assert dict(plan.cni.env) == {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}

    def test_terraform_follows_references_through_modules(self) -> None:
        plan = imported("terraform", EXAMPLES / "tfplan.json")
        assert plan.node_groups[0].subnets == ("bookshop-private-a", "bookshop-private-b")
        assert [t.name for t in plan.node_groups[1].instance_types] == ["t3.medium"]  # the provider's default
        assert plan.tenants[0].subnets == ("bookshop-public-a",)  # count.index of the gateway is 0
        assert str(plan.kubernetes.service_cidr) == "172.20.0.0/16"

    def test_terraform_text_is_evaluated_as_far_as_it_goes(self) -> None:
        plan = imported("terraform", EXAMPLES / "terraform")
        assert [str(s.cidr) for s in plan.subnets] == ["10.40.0.0/20", "10.40.16.0/20", "10.40.32.0/20"]
        assert plan.subnets[2].zone == "eu-west-1c"
        assert sizes(plan) == {"general": (2, 3, 6)}
        assert (plan.cni.settings.warm_ip, plan.cni.settings.minimum_ip) == (5, 10)

    def test_cloudformation_evaluates_functions(self) -> None:
        plan = imported("cloudformation", EXAMPLES / "template.yaml")
        # Fn::Cidr of a /20 with 10 host bits: /22 blocks; the subnet under a false condition is not made
        assert {s.name: (s.zone, str(s.cidr)) for s in plan.subnets} == {
            "NodesA": ("eu-west-1a", "10.30.0.0/22"),
            "NodesB": ("eu-west-1b", "10.30.4.0/22"),
        }
        assert sizes(plan) == {"Workers": (2, 3, 8)}
        assert [t.name for t in plan.node_groups[0].instance_types] == ["m5.xlarge"]

    def test_karpenter_finds_candidate_types(self) -> None:
        plan = imported("karpenter", EXAMPLES / "nodepool.yaml")
        group = plan.node_groups[0]
        assert sorted(t.name for t in group.instance_types) == ["m6i.xlarge", "m7i.xlarge"]
        assert (group.ami, group.provisioner, group.max_pods) == ("bottlerocket", "karpenter", 58)
        assert [s.zone for s in plan.subnets] == ["eu-west-1a", "eu-west-1b"]

    def test_helm_values_carry_the_cni_and_its_pod_subnets(self) -> None:
        plan = imported("helm", EXAMPLES / "values.yaml")
        assert plan.cni.settings.custom_networking
        assert plan.cni.version == "1.20.1"
        assert "subnet-0a00000000000000a" in [s.name for s in plan.subnets]

    @pytest.mark.parametrize("source", ["eksctl", "kubectl", "terraform", "cloudformation", "karpenter", "helm"])
    def test_importing_twice_gives_the_same_bytes(self, source: str) -> None:
        files = {
            "eksctl": "cluster.yaml",
            "kubectl": "objects.yaml",
            "terraform": "tfplan.json",
            "cloudformation": "template.yaml",
            "karpenter": "nodepool.yaml",
            "helm": "values.yaml",
        }
        path = str(EXAMPLES / files[source])
        assert capacity("import", source, path).stdout == capacity("import", source, path).stdout


class TestMerging:
    def test_one_plan_of_three_sources_through_a_pipe(self, tmp_path: Path) -> None:
        first = capacity("import", "eksctl", str(EXAMPLES / "cluster.yaml"))
        second = capacity(
            "import", "kubectl", str(EXAMPLES / "objects.yaml"), "--into", "-", stdin=first.stdout.encode()
        )
        third = capacity(
            "import", "karpenter", str(EXAMPLES / "nodepool.yaml"), "--into", "-", stdin=second.stdout.encode()
        )
        plan = parse_plan(plan_section(third.stdout, "plan.yaml"), "plan.yaml")
        assert [g.name for g in plan.node_groups] == ["general", "batch", "spot"]
        assert [w.name for w in plan.workloads] == ["shop/web"]
        assert plan.node_groups[0].desired == 4
        assert "nodeGroups[general].nodes.desired: kept 4; kubectl objects.yaml has 1" in second.stderr
        path = tmp_path / "plan.yaml"
        path.write_text(third.stdout)
        assert capacity("check", str(path), "--exit-zero").code == 0

    def test_pod_subnets_wait_for_node_groups(self) -> None:
        first = capacity("import", "helm", str(EXAMPLES / "values.yaml"))
        done = capacity("import", "eksctl", str(EXAMPLES / "cluster.yaml"), "--into", "-", stdin=first.stdout.encode())
        plan = parse_plan(plan_section(done.stdout, "plan.yaml"), "plan.yaml")
        assert plan.node_groups[1].pod_subnets == ("subnet-0a00000000000000a",)

    def test_the_file_is_written_whole_and_the_base_stays(self, tmp_path: Path) -> None:
        base, out = tmp_path / "base.yaml", tmp_path / "out.yaml"
        base.write_text(capacity("import", "eksctl", str(EXAMPLES / "cluster.yaml")).stdout)
        before = base.read_text()
        done = capacity(
            "import", "kubectl", str(EXAMPLES / "objects.yaml"), "--into", str(base), "--out-file", str(out)
        )
        assert (done.code, done.stdout) == (0, "")
        assert "shop/web" in out.read_text()
        assert base.read_text() == before

    def test_drift_is_a_table_and_an_exit_code(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text(capacity("import", "eksctl", str(EXAMPLES / "cluster.yaml")).stdout)
        arguments = ("import", "kubectl", str(EXAMPLES / "objects.yaml"), "--diff", str(plan))
        done = capacity(*arguments, "-o", "json")
        found = {
            d["path"]: (d["change"], d["plan"], d["reality"]) for d in json.loads(done.stdout)["results"]["differences"]
        }
        assert done.code == 0
        assert found["nodeGroups[general].nodes.desired"] == ("changed", "4", "1")
        assert found["nodeGroups[batch]"] == ("only in the plan", "present", None)
        assert capacity(*arguments, "--exit-code").code == 1
        same = capacity("import", "eksctl", str(EXAMPLES / "cluster.yaml"), "--diff", str(plan), "--exit-code")
        assert same.code == 0
        assert same.stdout.startswith("0 differences")

    def test_options_that_exclude_each_other(self) -> None:
        file = str(EXAMPLES / "cluster.yaml")
        assert "cannot be combined" in capacity("import", "eksctl", file, "--into", "a", "--diff", "b").stderr
        assert "--exit-code needs --diff" in capacity("import", "eksctl", file, "--exit-code").stderr
        assert "--live" in capacity("import", "kubectl").stderr

    def test_the_json_envelope_carries_plan_notes_and_assumptions(self) -> None:
        answer = json.loads(capacity("import", "helm", str(EXAMPLES / "values.yaml"), "-o", "json").stdout)
        assert list(answer["results"]) == ["plan", "notes", "assumed"]
        assert answer["results"]["plan"]["apiVersion"] == "capacity/v1"
        assert "vpc.cidrs" in answer["results"]["assumed"]


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


class TestHostileInput:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"", "is empty"),
            (b" \n ", "is empty"),
            (b'{"kind": "List", "items": [{"kind": "Pod", "metadata": {"na', "ends in the middle"),
            (b'{"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"replicas": NaN}}', "NaN is not a number"),
            (b"[" * 200_000, "nested too deeply"),
            (b'{"a":' * 200_000, "nested too deeply"),
            (b"a: " + b"[" * 5000, "<stdin>:1: nested more than 100 deep"),
            (b"\xff\xfe\xff", "is neither UTF-8 nor UTF-16"),
            (b"null", "has no Kubernetes object"),
            (b'{"kind": "List", "apiVersion": "v1", "items": []}', "has no Kubernetes object"),
            (b'{"kind": "List", "items": [1 2]}', "not valid JSON"),
        ],
    )
    def test_damaged_input_is_one_line(self, text: bytes, said: str) -> None:
        assert said in refused("kubectl", "-", stdin=text)

    @pytest.mark.parametrize(
        ("source", "file", "said"),
        [
            (
                "eksctl",
                "objects.yaml",
                "Node, DaemonSet, Deployment list, not an eksctl ClusterConfig: capacity import kubectl",
            ),
            ("kubectl", "cluster.yaml", "an eksctl ClusterConfig, not Kubernetes objects"),
            ("helm", "template.yaml", "a CloudFormation template, not Helm values of aws-vpc-cni"),
            ("cloudformation", "tfplan.json", "a Terraform plan or state, not a CloudFormation template"),
            ("terraform", "nodepool.yaml", "a Karpenter NodePool, not Terraform"),
            ("karpenter", "values.yaml", "Helm values of aws-vpc-cni, not Karpenter"),
        ],
    )
    def test_a_file_of_another_kind_names_the_source_that_reads_it(self, source: str, file: str, said: str) -> None:
        assert said in refused(source, EXAMPLES / file)

    def test_saved_answers_of_aws_are_told(self) -> None:
        assert "capacity import aws" in refused("kubectl", "-", stdin=b'{"Subnets": [{"SubnetId": "subnet-1"}]}')

    def test_aliases_cannot_blow_up(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
        assert "aliases multiply" in refused("eksctl", "-", stdin="\n".join(lines).encode())

    def test_names_cannot_steer_a_terminal_or_the_plan(self) -> None:
        evil = deployment(replicas=2, template={"spec": {"containers": [{"name": "x"}]}})
        evil["metadata"]["name"] = "a\x1b[31m\u202e\n# nodes: {}"
        done = capacity("import", "kubectl", "-", stdin=json.dumps(evil).encode())
        assert done.code == 0
        assert "\x1b" not in done.stdout + done.stderr
        assert "\u202e" not in done.stdout + done.stderr
        plan = parse_plan(plan_section(done.stdout, "p"), "p")
        assert plan.workloads[0].name == "shop/a\\u001b[31m\\u202e\\u000a# nodes: {}"

    def test_secrets_are_never_copied(self) -> None:
        container = {
            "name": "aws-node",
            "image": "x/cni:v1.19.0",
            "env": [
                {"name": "WARM_IP_TARGET", "value": "3"},
                {"name": "AWS_SECRET_ACCESS_KEY", "value": "hunter2"},
                {"name": "HTTPS_PROXY", "value": "http://user:hunter2@proxy"},
                {"name": "ENABLE_POD_ENI", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
        }
        daemon = deployment(template={"spec": {"containers": [container]}})
        daemon |= {"kind": "DaemonSet", "metadata": {"name": "aws-node", "namespace": "kube-system"}}
        done = capacity("import", "kubectl", "-", stdin=json.dumps(daemon).encode())
        assert 'env: {WARM_IP_TARGET: "3"}' in done.stdout
        assert "hunter2" not in done.stdout + done.stderr

    @pytest.mark.parametrize(
        "spec",
        [
            {"replicas": int("9" * 400)},
            {"replicas": -5},
            {"replicas": {"a": 1}},
            {"replicas": 1, "template": {"spec": {"containers": [{"resources": {"requests": {"memory": "1e400"}}}]}}},
            {"replicas": 1, "template": {"spec": {"containers": {"a": 1}, "tolerations": [None, 3], "affinity": []}}},
            {"replicas": 1, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}},
        ],
    )
    def test_senseless_values_say_nothing(self, spec: dict[str, Any]) -> None:
        plan = imported("kubectl", "-", stdin=json.dumps(deployment(**spec)).encode())
        assert [w.replicas for w in plan.workloads] == [1]

    def test_utf16_as_powershell_writes_it(self) -> None:
        text = json.dumps(deployment(replicas=3)).encode("utf-16")
        assert imported("kubectl", "-", stdin=text).workloads[0].replicas == 3
