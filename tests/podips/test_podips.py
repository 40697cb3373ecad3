"""`kubectl podips` against a fake kubectl, and against a real one with an API server on loopback where it is."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from capacity.readers.kubernetes import kubectl_command
from tests.podips.clusters import (
    EXAMPLE,
    OBJECTS,
    answers,
    api_server,
    calls,
    fake_kubectl,
    kubeconfig,
    listed,
    with_path,
)

DOCS = Path(__file__).parents[2] / "docs"
PLUGIN = Path(sys.executable).with_name("kubectl-podips")
SAVED, SUBNETS = str(EXAMPLE / "cluster.json"), str(EXAMPLE / "subnets.json")
Run = subprocess.CompletedProcess[str]


def podips(*arguments: str, path: str | None = None, **environment: str) -> Run:
    """Run the plugin as a process."""
    env = {**os.environ, **environment, **({"PATH": path} if path is not None else {})}
    script = "from capacity.cli.start import podips; podips()"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, env=env, check=False
    )


SCHEMA = Draft202012Validator(json.loads((DOCS / "reference" / "answers.schema.json").read_text(encoding="utf-8")))


def results(*arguments: str, path: str | None = None) -> dict[str, Any]:
    """``results`` of the JSON answer, which follows the published schema."""
    done = podips(*arguments, "-o", "json", path=path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["schema"], found["command"]) == ("capacity/1", "podips")
    assert [f"{e.json_path}: {e.message}" for e in SCHEMA.iter_errors(found)] == []
    answer: dict[str, Any] = found["results"]
    return answer


def changed(change: Callable[[dict[str, Any]], object], kind: str = "Node") -> list[dict[str, Any]]:
    """The example's objects with a change to the first of a kind."""
    objects = copy.deepcopy(OBJECTS)
    change(next(o for o in objects if o["kind"] == kind))
    return objects


def saved(tmp_path: Path, objects: list[dict[str, Any]]) -> str:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return str(path)


def test_the_figures_of_one_cluster() -> None:
    found = results("--from", SAVED, "--vpc", SUBNETS)
    (cluster,) = found["clusters"]
    assert (found["verdict"], cluster["nodes"], cluster["pods"], cluster["vpc_pods"]) == ("tight", 4, 100, 92)
    # m5.large: 3 ENIs of 10 addresses, so 27 pods on VPC addresses; max pods is 29, of which 2 are on the host network.
    assert [z["addresses"] for z in cluster["zones"]] == [54, 54]
    assert [z["max_pods"] for z in cluster["zones"]] == [58, 58]
    assert cluster["more_pods"] == sum(29 - 2 - n for n in (24, 19, 27, 22)) == 16
    assert (cluster["first_limit"], cluster["nodes_by_limit"]) == ("max pods", {"max_pods": 4})
    free = {
        s["subnet"]: (s["free"], s["usable"], s["to_fill"], s["more_nodes"], s["verdict"]) for s in cluster["subnets"]
    }
    # With 19 pods or more, all 3 ENIs are attached: the nodes hold 30 addresses each already.
    assert free == {"private-a": (164, 251, 0, 5, "ok"), "private-b": (21, 251, 0, 0, "tight")}


def test_without_subnets_the_verdict_is_unknown() -> None:
    done = podips("--from", SAVED)
    assert done.returncode == 0
    assert done.stdout.startswith(
        "UNKNOWN: cluster.json has 100 pods on 4 nodes; 16 more fit before max pods. "
        "Free addresses of its subnets are unknown.\n"
    )
    assert "--vpc FILE adds free addresses" in done.stdout
    assert len(done.stdout.splitlines()) < 24  # one screen


def test_with_unknown_addresses_max_pods_is_the_most(tmp_path: Path) -> None:
    some = changed(lambda n: n["metadata"]["labels"].update({"node.kubernetes.io/instance-type": "z9.huge"}))
    assert "; at most 16 more fit before max pods on " in podips("--from", saved(tmp_path, some)).stdout
    alone = saved(tmp_path, [o for o in some if o["kind"] in ("Node", "Pod")])
    elsewhere = tmp_path / "elsewhere.json"
    subnet = {"SubnetId": "subnet-9", "CidrBlock": "192.168.9.0/24", "AvailableIpAddressCount": 9}
    elsewhere.write_text(json.dumps({"Subnets": [subnet]}))
    found = podips("--from", alone, "--vpc", str(elsewhere)).stdout
    assert "; at most 16 more fit, by max pods" in found
    assert "--vpc FILE" not in found  # it is given


@pytest.mark.parametrize("form", ["table", "md", "slack", "csv", "yaml", "json"])
def test_every_format_has_the_figures(form: str) -> None:
    done = podips("--from", SAVED, "--vpc", SUBNETS, "-o", form)
    assert (done.returncode, done.stderr) == (0, "")
    for figure in ("us-east-1a", "43", "54", "11") if form == "csv" else ("private-b", "21", "16"):
        assert figure in done.stdout


def test_the_current_context_several_and_all(tmp_path: Path) -> None:
    few = [o for o in OBJECTS if o["kind"] != "Node"] + listed("Node")[:1]
    folder = fake_kubectl(tmp_path / "bin", {"shop": answers(), "dev": answers(few), "old": answers()})
    path = with_path(folder)
    assert [c["context"] for c in results(path=path)["clusters"]] == ["shop"]
    assert [c["context"] for c in results("--context", "dev", "--context", "shop", path=path)["clusters"]] == [
        "dev",
        "shop",
    ]
    every = results("--all-contexts", path=path)
    assert [(c["context"], c["nodes"]) for c in every["clusters"]] == [("shop", 4), ("dev", 1), ("old", 4)]
    shown = podips("--all-contexts", path=path).stdout
    assert shown.startswith("UNKNOWN: 3 clusters.")
    assert [line.split()[0] for line in shown.splitlines()[4:8]] == ["───────", "shop", "dev", "old"]


def test_clusters_that_share_a_subnet_take_from_the_same_addresses(tmp_path: Path) -> None:
    few = copy.deepcopy(OBJECTS)
    few = [o for o in few if o["kind"] != "Pod" or o["spec"].get("hostNetwork")]  # nodes that still have to fill
    described = json.loads(Path(SUBNETS).read_text())
    described["Subnets"][0]["AvailableIpAddressCount"] = 120
    (tmp_path / "subnets.json").write_text(json.dumps(described))
    path = with_path(fake_kubectl(tmp_path / "bin", {"shop": answers(few), "dev": answers(few), "old": answers(few)}))

    def private_a(*arguments: str) -> list[tuple[str, int, int]]:
        found = results(*arguments, "--vpc", str(tmp_path / "subnets.json"), path=path)
        rooms = [next(s for s in c["subnets"] if s["subnet"] == "private-a") for c in found["clusters"]]
        return [(s["verdict"], s["to_fill"], s["more_nodes"]) for s in rooms]

    # An m5.large without pods holds 1 ENI of 10 addresses, and 3 ENIs when it is full: 2 nodes take 40 more.
    assert private_a() == [("ok", 40, 2)]
    assert private_a("--context", "shop", "--context", "dev") == [("ok", 40, 1)] * 2
    described["Subnets"][0]["AvailableIpAddressCount"] = 119
    (tmp_path / "subnets.json").write_text(json.dumps(described))
    assert private_a("--all-contexts") == [("tight", 40, 0)] * 3
    told = podips("--all-contexts", "--vpc", str(tmp_path / "subnets.json"), path=path).stdout
    assert "the nodes have room for 108 more, but private-a, private-b cannot give all of them an address" in told


def test_full_nodes_are_not_stopped_by_a_subnet_that_another_cluster_cannot_fill(tmp_path: Path) -> None:
    few = [o for o in OBJECTS if o["kind"] != "Pod"]
    path = with_path(fake_kubectl(tmp_path / "bin", {"shop": answers(), "dev": answers(few)}))
    found = results("--all-contexts", "--vpc", SUBNETS, path=path)["clusters"]
    assert [c["first_limit"] for c in found] == ["max pods", "addresses of private-b"]


def test_a_long_name_of_a_context_is_the_name_of_its_cluster(tmp_path: Path) -> None:
    arns = [f"arn:aws:eks:{region}:111122223333:cluster/{name}" for region, name in
            (("us-east-1", "shop-production"), ("us-east-1", "dev"), ("eu-west-1", "dev"))]  # fmt: skip
    path = with_path(fake_kubectl(tmp_path / "bin", {arn: answers() for arn in arns}, current=arns[0]))
    done = podips("--all-contexts", path=path, COLUMNS="80")
    assert "Not shown: context" not in done.stdout
    assert "shop-production has 100 pods" in " ".join(done.stdout.split())
    assert "eu-west-" in done.stdout  # two are called dev
    assert [c["context"] for c in results("--all-contexts", path=path)["clusters"]] == arns


def test_only_reads_are_sent(tmp_path: Path) -> None:
    folder = fake_kubectl(tmp_path / "bin", {"shop": answers()})
    results(path=with_path(folder))
    asked = calls(folder)
    assert asked[0] == ["config", "view", "-o", "json"]
    assert {tuple(a[:3]) for a in asked[1:]} == {("--context", "shop", "get")}
    assert [a[3].partition(".")[0] for a in asked[1:]] == ["nodes", "pods", "daemonsets", "eniconfigs", "cninodes"]
    assert all(a[-1] == "--request-timeout=30s" for a in asked[1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--context", "shopp"), "error: --context: no context 'shopp' (did you mean 'shop'?)\n"),
        (("--context", "zzz"), "error: --context: no context 'zzz' (the kubeconfig has shop, denied)\n"),
        (("--context", "shop", "--all-contexts"), "error: --context and --all-contexts cannot be combined\n"),
        (("--from", SAVED, "--context", "shop"), "error: --from and --context cannot be combined\n"),
        (("--timeout", "0s"), "error: --timeout: 0s is too short (expected 1s or more)\n"),
        (("--timeout", "soon"), "error: --timeout: 'soon' is not a length of time"),
        (("--context", "denied"), "error: kubectl get pods: Error from server (Forbidden): pods is forbidden: User"),
        (("--from", "none.json"), "error: none.json: no such file\n"),
        (("-o", "xml"), "error: --output: 'xml' is not one of table, json, yaml, csv, md, slack\n"),
    ],
)  # fmt: skip
def test_an_error_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    forbidden = 'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods"'
    folder = fake_kubectl(tmp_path / "bin", {"shop": answers(), "denied": answers() | {"pods": forbidden}})
    done = podips(*arguments, path=with_path(folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_without_kubectl_without_contexts_and_without_a_current_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = podips(path=str(tmp_path / "empty"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: kubectl: cannot be run (not found; to install it: https://")
    folder = with_path(fake_kubectl(tmp_path / "bin", {"shop": answers()}, current=""))
    assert "no current context (give --context NAME or --all-contexts)" in podips(path=folder).stderr
    folder = with_path(fake_kubectl(tmp_path / "none", {}, current=""))
    assert "the kubeconfig has no contexts" in podips("--all-contexts", path=folder).stderr


def test_a_context_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    down = {"nodes": "Unable to connect to the server: dial tcp 127.0.0.1:1: connect: connection refused"}
    folder = fake_kubectl(tmp_path / "bin", {"shop": answers(), "down": down})
    done = podips("--all-contexts", path=with_path(folder))
    assert done.returncode == 2
    assert "16 more fit" in done.stdout
    assert "not read" in done.stdout
    assert done.stderr == f"error: down: kubectl get nodes: {down['nodes']}\n"


def test_a_kubectl_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl_command, "GRACE", 0.2)
    folder = fake_kubectl(tmp_path / "bin", {"shop": {"nodes": "hang"}})
    listed_objects = kubectl_command.run_kubectl(str(folder / "kubectl"), "shop", ["get", "nodes", "-o", "json"], 1)
    with pytest.raises(Exception, match=r"kubectl get nodes: no answer within 1 s \(--timeout allows more\)"):
        list(listed_objects)


def test_a_kubectl_whose_output_is_not_read_to_the_end_is_ended(tmp_path: Path) -> None:
    fake = tmp_path / "kubectl"
    fake.write_text(
        f"#!{sys.executable}\nimport os, sys, time\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        """print('{"kind": "List", "items": [{"kind": "Node"},' + ' ' * 2**20, flush=True)\ntime.sleep(90)\n"""
    )
    fake.chmod(0o755)
    objects = kubectl_command.run_kubectl(str(fake), None, ["get", "nodes"])
    assert next(objects) == ("List", {"kind": "Node"})
    objects.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_may_not_be_listed_is_said(tmp_path: Path) -> None:
    denied = "Error from server (Forbidden): daemonsets.apps is forbidden"
    folder = fake_kubectl(tmp_path / "bin", {"shop": answers() | {"daemonsets": denied}})
    (cluster,) = results(path=with_path(folder))["clusters"]
    assert cluster["notes"] == [
        "not allowed to list daemonsets: the CNI's settings are not all known",
        "DaemonSet aws-node was not found: how many addresses a node's ENIs hold is not known",
    ]
    assert [z["addresses"] for z in cluster["zones"]] == [None, None]
    assert (cluster["more_pods"], cluster["first_limit"]) == (16, "unknown")


def test_a_cordoned_node_and_one_that_is_not_ready_take_no_more_pods(tmp_path: Path) -> None:
    objects = changed(lambda n: n["spec"].update(unschedulable=True))
    (cluster,) = results("--from", saved(tmp_path, objects))["clusters"]
    assert cluster["more_pods"] == 16 - 3
    objects = changed(lambda n: n["status"].update(conditions=[{"type": "Ready", "status": "Unknown"}]))
    (cluster,) = results("--from", saved(tmp_path, objects))["clusters"]
    assert cluster["more_pods"] == 16 - 3
    assert cluster["notes"] == ["1 node cordoned or not Ready: no more pods are counted there"]


def test_pods_that_use_no_address_of_a_node(tmp_path: Path) -> None:
    def pod(name: str, node: str, **spec: Any) -> dict[str, Any]:
        annotations = spec.pop("annotations", {})
        status = {"phase": spec.pop("phase", "Running"), "podIP": spec.pop("ip", "10.40.0.200")}
        metadata = {"name": name, "annotations": annotations}
        return {"kind": "Pod", "metadata": metadata, "spec": {"nodeName": node, **spec}, "status": status}

    node = listed("Node")[0]["metadata"]["name"]
    more = [
        pod("done", node, phase="Succeeded"),
        pod("branch", node, annotations={"vpc.amazonaws.com/pod-eni": "[]"}),
        pod("stuck", node, phase="Pending", ip=""),
        pod("nowhere", "", phase="Pending", ip=""),
        pod("serverless", "fargate-ip-10-40-0-9"),
    ]
    (cluster,) = results("--from", saved(tmp_path, [*OBJECTS, *more]))["clusters"]
    assert (cluster["pods"], cluster["vpc_pods"], cluster["more_pods"]) == (102, 93, 14)
    assert (cluster["pending_pods"], cluster["pods_without_address"]) == (1, 1)
    assert (cluster["fargate_pods"], cluster["branch_eni_pods"]) == (1, 1)
    told = podips("--from", saved(tmp_path, [*OBJECTS, *more])).stdout.splitlines()[0]
    assert "1 pod without a node; 1 pod on a node without an address" in told


def test_the_addresses_of_enis_can_be_the_first_limit(tmp_path: Path) -> None:
    objects = copy.deepcopy(OBJECTS)
    for node in listed("Node", objects):
        node["status"]["allocatable"]["pods"] = "110"
    (cluster,) = results("--from", saved(tmp_path, objects))["clusters"]
    assert (cluster["first_limit"], cluster["more_pods"]) == ("pod addresses", 4 * 27 - 92)


def test_prefixes_and_custom_networking_from_aws_node(tmp_path: Path) -> None:
    def settings(daemon_set: dict[str, Any]) -> None:
        (container,) = daemon_set["spec"]["template"]["spec"]["containers"]
        container["env"] = [
            {"name": "ENABLE_PREFIX_DELEGATION", "value": "true"},
            {"name": "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "value": "true"},
            {"name": "ENI_CONFIG_LABEL_DEF", "value": "topology.kubernetes.io/zone"},
        ]

    objects = changed(settings, "DaemonSet")
    for zone, subnet in (("a", "subnet-0a0000000000000a1"), ("b", "subnet-0a0000000000000b2")):
        objects.append(
            {
                "kind": "ENIConfig",
                "apiVersion": "crd.k8s.amazonaws.com/v1alpha1",
                "metadata": {"name": f"us-east-1{zone}"},
                "spec": {"subnet": subnet},
            }
        )
    objects.append(
        {"kind": "CNINode", "metadata": {"name": "n"}, "spec": {"features": [{"name": "SecurityGroupsForPods"}]}}
    )
    (cluster,) = results("--from", saved(tmp_path, objects), "--vpc", SUBNETS)["clusters"]
    assert [z["addresses"] for z in cluster["zones"]] == [2 * 2 * 9 * 16] * 2
    # The second ENI is full of pods or not: 24 pods and 1 warm prefix are 3 prefixes, 27 pods 3 as well.
    assert {s["subnet"]: (s["nodes"], s["more_nodes"]) for s in cluster["subnets"]} == {
        "private-a": (2, None),
        "private-b": (2, None),
    }
    assert cluster["notes"] == [
        "ENIConfigs, the subnets of pods with custom networking: us-east-1a subnet-0a0000000000000a1, "
        "us-east-1b subnet-0a0000000000000b2",
        "1 node with a trunk ENI for security groups for pods (CNINode)",
        "prefix delegation takes /28 blocks: which blocks of a subnet are free is not known",
    ]


def test_a_full_cluster_with_waiting_pods_and_an_empty_subnet_are_exhausted(tmp_path: Path) -> None:
    objects = copy.deepcopy(OBJECTS)
    for node in listed("Node", objects):
        node["status"]["allocatable"]["pods"] = "20"
    pending = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Pending"}}
    found = results("--from", saved(tmp_path, objects))
    assert (found["verdict"], found["clusters"][0]["more_pods"]) == ("unknown", 0)
    assert results("--from", saved(tmp_path, [*objects, pending]))["verdict"] == "exhausted"
    described = json.loads(Path(SUBNETS).read_text())
    described["Subnets"][1]["AvailableIpAddressCount"] = 0
    (tmp_path / "subnets.json").write_text(json.dumps(described))
    assert results("--from", SAVED, "--vpc", str(tmp_path / "subnets.json"))["verdict"] == "exhausted"


def test_what_is_unknown_is_a_dash_and_not_zero(tmp_path: Path) -> None:
    objects = changed(lambda n: n["metadata"]["labels"].update({"node.kubernetes.io/instance-type": "z9.huge"}))
    (cluster,) = results("--from", saved(tmp_path, objects), "--vpc", SUBNETS)["clusters"]
    assert [z["addresses"] for z in cluster["zones"]] == [None, 54]
    assert {s["subnet"]: s["to_fill"] for s in cluster["subnets"]} == {"private-a": None, "private-b": 0}
    assert "z9.huge: no figures of this type (capacity data refresh)" in cluster["notes"]
    objects = changed(lambda n: n["status"].update(allocatable={}))
    (cluster,) = results("--from", saved(tmp_path, objects))["clusters"]
    assert cluster["more_pods"] is None
    assert "how many more fit is unknown" in podips("--from", saved(tmp_path, objects)).stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "error: subnets.json: not JSON (expected the output of aws ec2 describe-subnets --output json)\n"),
        ("[]", "error: subnets.json: has no Subnets (expected the output of"),
        ('{"Subnets": []}', "error: subnets.json: no IPv4 subnet in it\n"),
        ('{"Subnets": [{"SubnetId": "s-1", "CidrBlock": "10.0.0.1/24"}]}', "error: subnets.json: s-1: '10.0.0.1"),
        ('{"Subnets": [{"SubnetId": "s-1", "CidrBlock": "10.0.0.0/24"}]}', "error: subnets.json: s-1: no SubnetId or"),
        ('{"Subnets": [{"VpcId": "a"}, {"VpcId": "b"}]}', "error: subnets.json: subnets of 2 VPCs (a, b): add"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_subnets_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("subnets.json").write_text(content)
    done = podips("--from", SAVED, "--vpc", "subnets.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def kubectls() -> list[str]:
    """The kubectl of this machine, if it has one."""
    found = shutil.which("kubectl")
    return [found] if found else []


def test_a_real_kubectl_gives_the_same_answer(tmp_path: Path) -> None:
    """Where this machine has kubectl; the fake one above speaks for it elsewhere."""
    expected = results("--from", SAVED)["clusters"][0] | {"context": "loop"}
    for kubectl in kubectls():
        with api_server() as server:
            config = kubeconfig(tmp_path / "config", server)
            path = os.pathsep.join([str(PLUGIN.parent), str(Path(kubectl).parent), os.environ["PATH"]])
            done = podips("-o", "json", path=path, KUBECONFIG=str(config), HOME=str(tmp_path))
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["results"]["clusters"] == [expected]
        with api_server(forbidden="pods") as server:
            config = kubeconfig(tmp_path / "config", server)
            done = podips("-o", "json", path=path, KUBECONFIG=str(config), HOME=str(tmp_path / "other"))
            assert done.returncode == 2
            assert done.stderr.startswith("error: kubectl get pods: Error from server (Forbidden): pods is forbidden")
        done = podips(path=path, KUBECONFIG=str(config), HOME=str(tmp_path))  # the server is gone
        assert done.returncode == 2
        assert done.stderr.startswith("error: kubectl get nodes: ")


def test_the_plugin_is_installed_under_the_name_that_kubectl_looks_for() -> None:
    assert PLUGIN.is_file()
    done = subprocess.run([str(PLUGIN), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--all-contexts" in done.stdout
