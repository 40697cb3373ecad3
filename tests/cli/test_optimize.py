"""`capacity optimize` through its entry point: JSON without a banner, files that check accepts, clear mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.entry import capacity

PODS = ("--pod", "web=250m,512Mi,60", "--pod", "api=1,4Gi,9")
FEW = ("--types", "c6i.large,m6i.xlarge,m6i.2xlarge,r6i.large", "--arch", "x86_64")
VCPUS = {"c6i.large": 2, "m6i.xlarge": 4, "m6i.2xlarge": 8, "r6i.large": 2}
COMMAND = [sys.executable, "-m", "capacity", "optimize", *PODS, *FEW, "--no-alternatives", "-q"]


def answer(*arguments: str) -> dict[str, Any]:
    done = capacity("optimize", *arguments, "-o", "json")
    assert done.code == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_json_has_the_keys_of_the_contract_and_adds_up() -> None:
    given = answer(*PODS, *FEW, "--nodes")
    results = given["results"]
    assert given["command"] == "optimize"
    assert results["status"] == "optimal"
    groups = results["node_groups"]
    assert results["usd_per_hour"] == pytest.approx(sum(g["usd_per_hour"] for g in groups))
    assert results["usd_per_month"] == pytest.approx(730 * results["usd_per_hour"], abs=0.01)
    for group in groups:
        assert sum(group["nodes_by_zone"].values()) == group["nodes"] <= group["nodes_peak"] <= group["nodes_max"]
        assert group["usd_per_hour"] == pytest.approx(group["nodes"] * group["usd_per_node_hour"])
    packing = results["packing"]
    assert packing["lower_bound_usd_per_hour"] <= packing["usd_per_hour"] <= results["usd_per_hour"]
    placed: dict[str, int] = {}
    for row in packing["nodes"]:
        for name, n in row["pods"].items():
            placed[name] = placed.get(name, 0) + n * row["count"]
    assert placed == {"web": 60, "api": 9}
    assert list(results["ips_by_subnet"]) == ["nodes-a", "nodes-b", "nodes-c"]
    assert {a["name"] for a in results["alternatives"]} >= {"one node group of one type", "at most two types"}
    assert all(a["extra_pct"] is None or a["extra_pct"] >= 0 for a in results["alternatives"][:2])
    assert "nodes" not in answer(*PODS, *FEW)["results"]["packing"]


def test_the_solver_prints_nothing_to_stdout() -> None:
    done = subprocess.run([*COMMAND, "-o", "json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["command"] == "optimize"
    assert done.stderr == ""


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (capacity("optimize", *PODS, *FEW, "-o", "json").stdout for _ in range(2))
    assert first == second


def test_a_pipe_closed_before_the_first_byte_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(COMMAND, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_written_plan_passes_check(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    done = capacity("optimize", *PODS, *FEW, "--as", "plan", "-q", "--out-file", str(plan))
    assert (done.code, done.stdout) == (0, "")
    checked = capacity("check", str(plan), "-o", "json")
    assert checked.code == 0
    results = json.loads(checked.stdout)["results"]
    assert results["verdict"] == "ok"
    assert not any(s["unplaced_pods"] or s["pods_without_address"] for s in results["scenarios"])
    again = answer(str(plan), *FEW)["results"]
    assert again["usd_per_hour"] == answer(*PODS, *FEW)["results"]["usd_per_hour"]
    own = next(a for a in again["alternatives"] if a["name"] == "the plan's own node groups")
    assert own["extra_pct"] == 0


@pytest.mark.parametrize("form", ["eksctl", "terraform", "cloudformation"])
def test_files_name_the_type_and_the_nodes(form: str) -> None:
    group = answer(*PODS, *FEW, "--max-groups", "1")["results"]["node_groups"][0]
    text = capacity("optimize", *PODS, *FEW, "--max-groups", "1", "--as", form, "-q").stdout
    assert group["instance_types"][0] in text
    assert group["name"] in text
    sizes = {"eksctl": "desiredCapacity: {}", "terraform": "desired_size = {}", "cloudformation": "DesiredSize: {}"}
    assert sizes[form].format(group["nodes"]) in text
    if form != "terraform":
        assert isinstance(yaml.safe_load(text), dict)


@pytest.mark.parametrize("form", ["eksctl", "terraform", "cloudformation", "karpenter"])
def test_the_written_node_groups_read_back_pass_check(form: str, tmp_path: Path) -> None:
    karpenter = ("--provisioner", "karpenter") if form == "karpenter" else ()
    options = (*PODS, *FEW, "--no-alternatives", "-q", *karpenter)
    plan, file = tmp_path / "plan.yaml", tmp_path / ("main.tf" if form == "terraform" else "groups.yaml")
    assert capacity("optimize", *options, "--as", "plan", "--out-file", str(plan)).code == 0
    assert capacity("optimize", *options, "--as", form, "--out-file", str(file)).code == 0
    written = yaml.safe_load(plan.read_text())
    back = yaml.safe_load(capacity("import", form, str(file)).stdout)
    groups = {g["name"]: g for g in back["nodeGroups"]}
    assert groups.keys() == {g["name"] for g in written["nodeGroups"]}
    for group in written["nodeGroups"]:
        read = groups[group["name"]]
        assert read["instanceTypes"] == group["instanceTypes"]
        if form == "karpenter":  # a NodePool has limits, no number of nodes
            assert int(read["limits"]["cpu"]) == VCPUS[group["instanceTypes"][0]] * group.pop("nodes")["max"]
            group["limits"] = read["limits"]
        else:
            assert read["nodes"] == group["nodes"]
        group["provisioner"] = read["provisioner"]
    plan.write_text(yaml.safe_dump(written))
    results = json.loads(capacity("check", str(plan), "-o", "json").stdout)["results"]
    assert results["verdict"] == "ok"
    assert not any(s["unplaced_pods"] for s in results["scenarios"])


@pytest.mark.parametrize("form", ["terraform", "cloudformation"])
def test_max_pods_that_a_managed_group_cannot_state_are_said(form: str) -> None:
    text = capacity("optimize", *PODS, *FEW, "--max-pods", "40", "--as", form, "-q").stdout
    assert "maxPods 40 needs a launch template" in text
    assert "maxPodsPerNode: 40" in capacity("optimize", *PODS, *FEW, "--max-pods", "40", "--as", "eksctl", "-q").stdout


def test_karpenter_pools_are_limited_to_the_most_nodes() -> None:
    options = (*PODS, *FEW, "--provisioner", "karpenter", "--max-groups", "1")
    group = answer(*options)["results"]["node_groups"][0]
    pool, node_class = yaml.safe_load_all(capacity("optimize", *options, "--as", "karpenter", "-q").stdout)
    assert pool["spec"]["limits"]["cpu"] == VCPUS[group["instance_types"][0]] * group["nodes_max"]
    assert node_class["kind"] == "EC2NodeClass"


def test_workloads_of_their_own_groups_are_told_their_label() -> None:
    options = (
        "--pod",
        "web=250m,128Mi,60",
        "--pod",
        "db=1,14Gi,6",
        "--types",
        "c6i.large,r6i.large",
        "--arch",
        "x86_64",
    )
    found = answer(*options)["results"]["node_groups"]
    assert len(found) == 2
    text = capacity("optimize", *options, "--as", "eksctl", "-q").stdout
    for group in found:
        for name in group["workloads"]:
            assert f'# "{name}": nodeSelector or node affinity eks.amazonaws.com/nodegroup: "{group["name"]}"' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--pod", "web=250m"), "error: --pod: 'web=250m' is not NAME=CPU,MEMORY,REPLICAS"),
        (("--pod", "a=1,1Gi,3,gpus=1"), "error: --pod a: rule: 'gpus' is not one of gpu, volumes, spread"),
        (("--pod", "a=1,1Gi,3,gpu=0"), "error: --pod a: gpu=0 is not a number from 1 to 1,000"),
        (("--pod", "a=1,1Gi,3,spread=1,spread=2"), "error: --pod a: duplicate spread"),
        (("--pod", "a=1,1Gi,3,antiAffinity=zone"), "error: --pod a: antiAffinity: 'zone' is not one of hostname"),
        ((*PODS, "--arch", "arm"), "error: --arch: 'arm'"),
        ((*PODS, "--effort", "hard"), "error: --effort: 'hard'"),
        ((*PODS, "--peak-hours", "120%"), "error: peak hours: 120% is out of range (expected 0% to 100%)"),
        ((*PODS, "--max-groups", "0"), "error: --max-groups: 0"),
        ((*PODS, "--time-limit", "0"), "error: --time-limit: 0 is out of range"),
        ((*PODS, "--headroom", "many"), "error: --headroom: 'many'"),
        ((*PODS, "--cni-modes", "prefx"), "'prefx' is not one of secondary, prefix (did you mean 'prefix'?)"),
        ((*PODS, "--current"), "error: --current: the plan has no node groups to compare with"),
        ((*PODS, "--zones", "7"), "error: --zones: 7 is out of range (expected 1 to 6)"),
        ((*PODS, "--types", "m5.lrage"), "error: --types: 'm5.lrage' is not a known instance type"),
        ((*PODS, "--region", "eu-west-3"), "no known price in eu-west-3"),
        ((*PODS, "--region", "us-esat-1"), "'us-esat-1' is not a known AWS Region (did you mean 'us-east-1'?)"),
        ((*PODS, *FEW, "--as", "karpenter"), "error: --as karpenter: the nodes are managed"),
        ((*PODS, *FEW, "--scenario", "nonsense"), "nonsense"),
        (("--mode", "prefix", "examples/shop-prod.yaml"), "error: --mode requires --pod"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = capacity("optimize", *arguments, "-q")
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        ("web=250m,512Mi,0", "There are no pods: nothing to buy."),
        ("web=99,512Mi,1", "No node groups pass the check: a pod of web requests 99 CPU"),
    ],
)
def test_what_has_no_node_groups_is_said(pods: str, words: str) -> None:
    done = capacity("optimize", "--pod", pods, *FEW, "-q")
    assert done.code == 0
    assert done.stdout.startswith(words)


def test_ten_million_replicas_are_counted_and_one_vpc_is_too_small() -> None:
    given = answer("--pod", "web=250m,512Mi,10000000", *FEW, "--no-alternatives")
    results = given["results"]
    assert results["status"] == "optimal"
    assert results["verdict"] == "exhausted"
    assert sum(g["nodes"] for g in results["node_groups"]) >= 322_581  # 31 pods on the largest, an m6i.2xlarge
    assert any("too many for one VPC (a VPC has at most 50 blocks of a /16)" in w for w in given["warnings"])


def test_a_full_subnet_is_named_with_the_size_that_would_do(tmp_path: Path) -> None:
    plan = {
        "apiVersion": "capacity/v1",
        "region": "us-east-1",
        "vpc": {
            "cidrs": ["10.0.0.0/16"],
            "subnets": [
                {"name": "a", "zone": "us-east-1a", "cidr": "10.0.0.0/24", "used": 251},
                {"name": "b", "zone": "us-east-1b", "cidr": "10.0.1.0/24"},
            ],
        },
        "controlPlane": {"subnets": ["a", "b"]},
        "workloads": [{"name": "web", "replicas": 20, "requests": {"cpu": "250m", "memory": "512Mi"}}],
    }
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan))
    results = answer(str(file), *FEW)["results"]
    assert results["status"] == "infeasible"
    assert results["node_groups"] == []
    assert results["infeasible"]["conflict"].startswith("a is ")
    assert "addresses short in" in results["infeasible"]["conflict"]
    assert results["infeasible"]["relaxation"] == "larger subnets: a /23 instead of 10.0.0.0/24"


def test_no_pods_need_neither_types_nor_prices() -> None:
    done = capacity("optimize", "--pod", "web=250m,512Mi,0", "--region", "eu-west-3")
    assert (done.code, done.stdout.strip(), done.stderr) == (0, "There are no pods: nothing to buy.", "")


def test_a_time_limit_gives_an_answer_with_its_bound() -> None:
    results = answer(*PODS, *FEW, "--time-limit", "0.001")["results"]
    assert results["status"] in ("time_limit", "optimal")
    assert results["packing"]["lower_bound_usd_per_hour"] <= results["packing"]["usd_per_hour"]
    assert results["verdict"] == "ok"


def test_the_page_says_what_to_buy_and_how_good_it_is() -> None:
    page = capacity("optimize", *PODS, *FEW, "-q", "-o", "md").stdout
    assert "Node groups to create" in page
    assert page.startswith("Buy ")
    assert "(proven lower bound). A perfect packing reaches it." in page
    assert "lower bound" in page
    assert "other choices" in page
    assert "Addresses by subnet" in page


def test_the_frontier_is_a_table_and_each_figure_can_be_minimized(tmp_path: Path) -> None:
    types = ("--types", "m5a.2xlarge,m5a.12xlarge,d3.4xlarge")
    pods = ("--pod", "web=250m,512Mi,150")
    cheapest, thrifty = answer(*pods, *types)["results"], answer(*pods, *types, "--minimize", "addresses")["results"]
    least = min(cheapest["frontier"], key=lambda row: row["subnet_addresses"])
    assert thrifty["usd_per_month"] == least["usd_per_month"] > cheapest["usd_per_month"]
    charts = tmp_path / "charts"
    to = ("-o", "md", "--out-file", str(tmp_path / "a.md"))
    done = capacity("optimize", *pods, *types, "--charts", str(charts), *to)
    assert done.code == 0, done.stderr
    assert sorted(p.name for p in charts.iterdir()) == [
        "frontier.png", "frontier.svg", "packed-nodes.png", "packed-nodes.svg"
    ]  # fmt: skip
    page = (tmp_path / "a.md").read_text()
    assert "![Trade-off of cost, addresses and nodes](charts/frontier.svg)" in page
    assert "| this answer |" in page


def test_without_the_solver_one_line_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['highspy'] = None; from capacity.cli.start import run; "
        f"sys.argv = ['capacity', 'optimize', *{[*PODS, *FEW]!r}, '-q']; run()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: capacity optimize needs highspy: pip install 'eks-pod-capacity[optimize]' or "
        "pipx install --force 'eks-pod-capacity[optimize]'\n"
    )


def test_the_plans_own_groups_are_compared_as_they_are(tmp_path: Path) -> None:
    subnets = [{"name": z, "zone": f"us-east-1{z}", "cidr": f"10.0.{4 * i}.0/22"} for i, z in enumerate("abc")]
    plan = {
        "apiVersion": "capacity/v1",
        "region": "us-east-1",
        "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": subnets},
        "controlPlane": {"subnets": ["a", "b", "c"]},
        "nodeGroups": [{"name": "old", "instanceTypes": ["m6i.2xlarge"], "subnets": ["a", "b", "c"], "nodes": 9}],
        "workloads": [{"name": "web", "replicas": 60, "requests": {"cpu": "250m", "memory": "512Mi"}}],
    }
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan))
    asked = ("optimize", str(file), *FEW, "-q", "--current", "--no-alternatives")
    page = capacity(*asked).stdout
    assert "less than the plan's own node groups ($2,522.88)." in page  # 9 × 0.384 × 730
    assert "as they are" not in page
    more = capacity(*asked, "--survive", "zone", "--headroom", "10%").stdout
    assert "with room for 10% more pods" in more
    assert "These are counted as they are, without the headroom and room for a lost zone." in more
    assert "because they have room for a lost zone, and the scheduler spreads pods" in more


def test_pods_of_the_command_line_have_gpus_volumes_and_rules() -> None:
    rules = "infer=2,8Gi,2,gpu=1,volumes=2", "web=250m,512Mi,6,spread=1,antiAffinity=hostname"
    pods = [word for rule in rules for word in ("--pod", rule)]
    done = capacity("optimize", *pods, "--types", "g4dn.xlarge,c6a.large", "--no-alternatives", "--as", "plan", "-q")
    assert done.code == 0, done.stderr
    infer, web = yaml.safe_load(done.stdout)["workloads"]
    assert (infer["requests"]["gpu"], infer["volumes"]) == (1, 2)
    assert web["topologySpread"] == [{"key": "topology.kubernetes.io/zone", "maxSkew": 1}]
    assert web["antiAffinity"] == "hostname"
