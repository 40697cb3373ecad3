"""Kubernetes objects: streaming, requests, owners of pods, where pods can run; Karpenter's requirements."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.kubernetes import stream
from capacity.readers.kubernetes.kubectl import draft_of, read_live
from capacity.readers.kubernetes.objects import SeenObjects
from capacity.readers.kubernetes.scheduling import GroupLabels, groups_for, pod_facts, pod_requests


def container(cpu: str | None = None, memory: str | None = None, **more: Any) -> dict[str, Any]:
    asked = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v is not None}
    return {"resources": {"requests": asked}, **more}


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ({"containers": [{}]}, (None, None)),
        ({"containers": [container("100m", "1Gi"), container("0.2")]}, (300, 2**30)),
        ({"containers": [container("100m")], "initContainers": [container("1")]}, (1000, None)),
        # sidecar 50m before the init container 400m: 450m; after it all run: 100m + 50m
        (
            {
                "containers": [container("100m")],
                "initContainers": [container("50m", restartPolicy="Always"), container("400m")],
            },
            (450, None),
        ),
        ({"containers": [container("100m")], "overhead": {"cpu": "250m", "memory": "120Mi"}}, (350, 120 * 2**20)),
        ({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}, (2000, None)),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "3"}}}, (3000, None)),
        ({"containers": [container("a lot", "1e400")]}, (None, None)),
    ],
)
def test_requests_of_a_pod(spec: dict[str, Any], asked: tuple[int | None, int | None]) -> None:
    assert pod_requests(spec) == asked


GROUPS = (
    GroupLabels("general", {"kubernetes.io/arch": frozenset(("amd64",)), "pool": frozenset(("general",))}, ()),
    GroupLabels(
        "gpu", {"kubernetes.io/arch": frozenset(("amd64",)), "gpus": frozenset(("4",))}, (("gpu", "yes", "NoSchedule"),)
    ),
)


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, ["general"]),
        ({"tolerations": [{"key": "gpu", "operator": "Exists"}]}, ["general", "gpu"]),
        ({"tolerations": [{"key": "gpu", "value": "no", "effect": "NoSchedule"}]}, ["general"]),
        ({"nodeSelector": {"pool": "general"}}, ["general"]),
        ({"nodeSelector": {"pool": "other"}}, []),
    ],
)
def test_groups_that_take_a_pod(spec: dict[str, Any], names: list[str]) -> None:
    assert groups_for(pod_facts(spec), GROUPS) == names


def affinity(operator: str, *values: str) -> dict[str, Any]:
    expression = {"key": "gpus", "operator": operator, "values": list(values)}
    term = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    rule = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}}
    return {"affinity": rule, "tolerations": [{"operator": "Exists"}]}


@pytest.mark.parametrize(
    ("operator", "values", "names"),
    [
        ("In", ("4",), ["gpu"]),
        ("NotIn", ("4",), ["general"]),
        ("Exists", (), ["gpu"]),
        ("DoesNotExist", (), ["general"]),
        ("Gt", ("3",), ["gpu"]),
        ("Lt", ("4",), []),
    ],
)
def test_required_affinity(operator: str, values: tuple[str, ...], names: list[str]) -> None:
    assert groups_for(pod_facts(affinity(operator, *values)), GROUPS) == names


# --- streaming ------------------------------------------------------------------------------


def streamed(text: str) -> list[tuple[str, Any]]:
    return list(stream.stream_binary(io.BytesIO(text.encode()), "f.json"))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1 << 20])
def test_the_stream_gives_what_the_decoder_gives_in_chunks_of_any_size(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK", chunk)
    values = [{"kind": "Pod", "a": 'ä\\"{[', "n": 12345}, {"kind": "List", "items": [{"kind": "Node"}]}]
    text = json.dumps({"kind": "PodList", "items": values}) + "\n" + json.dumps({"kind": "Service"}) + json.dumps([7])
    assert streamed(text) == [
        ("PodList", {"kind": "Pod", "a": 'ä\\"{[', "n": "12345"}),
        ("List", {"kind": "Node"}),
        ("", {"kind": "Service"}),
        ("", "7"),
    ]


def test_a_value_may_be_cut_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first chunk of every length: in the middle of an escape, of a number, of ``false``."""
    text = '[{"a": "\\ud83d\\ude00 \\u00e9 \\\\", "b" : [true, false, null, -12.5e-10], "c": {"d" : "e" , "f": [ ]}}]'
    whole = streamed(text)
    assert whole[0][1]["a"] == "\U0001f600 é \\"
    assert whole[0][1]["b"][:3] == [True, False, None]
    for chunk in range(1, len(text)):
        monkeypatch.setattr(stream, "CHUNK", chunk)
        assert streamed(text) == whole, text[:chunk]


def test_a_list_that_is_cut_off_gives_its_objects_and_then_says_so() -> None:
    objects = stream.stream_binary(io.BytesIO(b'{"items": [{"kind": "Pod"}, {"kind": "Po'), "f.json")
    assert next(objects) == ("", {"kind": "Pod"})
    with pytest.raises(SpecError, match="ends in the middle"):
        next(objects)


# --- pods and their owners --------------------------------------------------------------------


def pod(name: str, owner: tuple[str, str] | None = None, phase: str = "Running", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", **more.pop("metadata", {})}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container("100m")], **more},
        "status": {"phase": phase},
    }


def draft(*objects: dict[str, Any]) -> PlanDraft:
    snapshot = SeenObjects(SourceNotes("f"))
    for value in objects:
        snapshot.add("", value)
    return draft_of(snapshot, "kubectl f")


def test_pods_are_counted_under_what_owns_them() -> None:
    hashed: Any = {"metadata": {"labels": {"pod-template-hash": "6d4cf56db6"}}}
    found = draft(
        *(pod(f"web-{i}", ("ReplicaSet", "web-6d4cf56db6"), **hashed) for i in range(3)),
        pod("web-old", ("ReplicaSet", "web-6d4cf56db6"), "Failed", **hashed),
        pod("tick-1", ("Job", "tick-29401234")),
        pod("db-0", ("StatefulSet", "db")),
        pod("debug"),
        pod("agent-1", ("DaemonSet", "agent")),
        pod("done", None, "Succeeded"),
    )
    assert {w.name: w.replicas for w in found.workloads} == {
        "shop/db": 1,
        "shop/debug": 1,
        "shop/tick": 1,
        "shop/web": 3,
    }
    assert [d.name for d in found.daemon_sets] == ["shop/agent"]


def test_a_controller_wins_over_its_pods_and_the_autoscaler_sets_the_maximum() -> None:
    spec = {"replicas": 5, "template": {"spec": {"containers": [container("1")]}}}
    scaler = {"minReplicas": 7, "maxReplicas": 20, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    found = draft(
        {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec},
        {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "h", "namespace": "shop"}, "spec": scaler},
        pod("web-x", ("ReplicaSet", "web-abcdefgh12"), metadata={"labels": {"pod-template-hash": "abcdefgh12"}}),
    )
    web = found.workloads[0]
    assert (web.replicas, web.max_replicas, web.cpu_millicores) == (7, 20, 1000)


def test_fargate_pods_and_static_pods_are_told_not_planned() -> None:
    found = draft(
        pod("f", ("ReplicaSet", "f-1"), nodeName="fargate-ip-10-0-0-1.ec2.internal"),
        pod("s", ("Node", "n"), metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}),
    )
    assert found.workloads == ()
    assert [n.text for n in found.notes] == [
        "f pods: 1 on Fargate use an address each: add them as tenants of kind fargate",
        "f pods: 1 static pods of nodes are ignored",
    ]


def test_branch_interfaces_are_seen_on_pods() -> None:
    found = draft(pod("p", ("StatefulSet", "db"), metadata={"annotations": {"vpc.amazonaws.com/pod-eni": "[]"}}))
    assert found.workloads[0].security_groups


def test_live_says_what_kubectl_says(tmp_path: Any) -> None:
    fake = tmp_path / "kubectl"
    fake.write_text("#!/bin/sh\necho 'error: You must be logged in' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(SpecError, match="You must be logged in"):
        read_live(kubectl=str(fake))
    with pytest.raises(SpecError, match="cannot be run"):
        read_live(kubectl=str(tmp_path / "missing"))


def test_live_reads_one_answer(tmp_path: Any) -> None:
    answer = {"kind": "List", "items": [pod("debug")]}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    fake = tmp_path / "kubectl"
    fake.write_text(f'#!/bin/sh\ntest "$2" = eniconfigs.crd.k8s.amazonaws.com && exit 1\ncat {tmp_path}/answer.json\n')
    fake.chmod(0o755)
    found = read_live(kubectl=str(fake))
    assert [w.name for w in found.workloads] == ["shop/debug"]


# --- Karpenter ------------------------------------------------------------------------------


def pool(*requirements: tuple[str, str, list[str]], **spec: Any) -> dict[str, Any]:
    raw = [{"key": k, "operator": o, "values": v} for k, o, v in requirements]
    template = {"spec": {"requirements": raw}}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "p"},
        "spec": {"template": template, **spec},
    }


K = "karpenter.k8s.aws/instance-"


@pytest.mark.parametrize(
    ("requirements", "types"),
    [
        ([("node.kubernetes.io/instance-type", "In", ["m5.large", "nope"])], {"m5.large"}),
        ([(K + "family", "In", ["m5"]), (K + "cpu", "Lt", ["5"])], {"m5.large", "m5.xlarge"}),
        (
            [(K + "family", "In", ["m5"]), (K + "cpu", "Gt", ["48"]), (K + "hypervisor", "NotIn", [""])],
            {"m5.16xlarge", "m5.24xlarge"},
        ),
        (
            [(K + "category", "In", ["inf"]), (K + "generation", "In", ["2"]), (K + "size", "In", ["xlarge"])],
            {"inf2.xlarge"},
        ),
        (
            [
                (K + "family", "In", ["m6g", "m5"]),
                ("kubernetes.io/arch", "In", ["arm64"]),
                (K + "memory", "Lt", ["8193"]),
            ],
            {"m6g.medium", "m6g.large"},
        ),
    ],
)
def test_requirements_choose_types(requirements: list[tuple[str, str, list[str]]], types: set[str]) -> None:
    found = parse_karpenter([pool(*requirements)], "f", load_catalog())
    assert set(found.node_groups[0].instance_types or ()) == types


def test_counts_of_static_and_limited_pools() -> None:
    one_type = ("node.kubernetes.io/instance-type", "In", ["m5.xlarge"])
    static = parse_karpenter([pool(one_type, replicas=3, limits={"nodes": "5"})]).node_groups[0]
    assert (static.min_nodes, static.desired, static.max_nodes) == (3, 3, 5)
    limited = parse_karpenter([pool(one_type, limits={"cpu": "1k"})]).node_groups[0]
    assert (limited.desired, limited.max_nodes, limited.limit_cpu_millicores) == (None, None, 1_000_000)


def test_the_old_provisioner_is_named_as_such() -> None:
    old = {
        "apiVersion": "karpenter.sh/v1alpha5",
        "kind": "Provisioner",
        "metadata": {"name": "old"},
        "spec": {
            "requirements": [{"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["c5.large"]}],
            "kubeletConfiguration": {"maxPods": "20"},
            "limits": {"resources": {"cpu": 20}},
        },
    }
    found = parse_karpenter([old], "f")
    group = found.node_groups[0]
    assert (group.instance_types, group.max_pods, group.limit_cpu_millicores) == (("c5.large",), 20, 20_000)
    assert any("old Karpenter API" in n.text for n in found.notes)


def test_a_cilium_agent_is_said_once_its_other_daemonsets_are_not() -> None:
    def daemon_set(name: str, container: str) -> dict[str, Any]:
        spec = {"hostNetwork": True, "containers": [{"name": container}]}
        return {
            "kind": "DaemonSet",
            "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"template": {"spec": spec}},
        }

    found = draft(daemon_set("cilium", "cilium-agent"), daemon_set("cilium-envoy", "cilium-envoy"))
    (note,) = [n.text for n in found.notes if "Cilium" in n.text]
    assert "set cni.name: cilium and cni.cilium in the plan" in note
    other = draft(daemon_set("cilium", "something-else"))
    assert not any("Cilium" in n.text for n in other.notes)


@pytest.mark.parametrize(
    ("wrong", "most"),
    [(["WARM_ENI_TARGET"], {}), ({"a": 1}, {}), (None, {}), (5, {"MAX_ENI": "5"}), (True, {"MAX_ENI": "true"})],
)
def test_wrong_kinds_in_an_environment_say_nothing(wrong: Any, most: dict[str, str]) -> None:
    env = [{"name": wrong, "value": "1"}, {"name": "WARM_IP_TARGET", "value": "2"}, {"name": "MAX_ENI", "value": wrong}]
    spec = {"template": {"spec": {"containers": [{"name": "aws-node", "env": env}]}}}
    found = draft({"kind": "DaemonSet", "metadata": {"name": "aws-node", "namespace": "kube-system"}, "spec": spec})
    assert found.env == {"WARM_IP_TARGET": "2"} | most  # a number or a bool is what it reads like


@pytest.mark.parametrize("wrong", [["n"], {"a": 1}, True, None])
def test_a_node_name_of_a_wrong_kind_is_none(wrong: Any) -> None:
    odd = pod("a", ("ReplicaSet", "web-5d4f8c7b9"))
    odd["spec"]["nodeName"] = wrong
    assert [w.replicas for w in draft(odd).workloads] == [1]


def scaled(kind: str, spec: dict[str, Any], replicas: int) -> tuple[int | None, int | None]:
    """Replicas and maximum of a Deployment with an autoscaler."""
    template = {"spec": {"containers": [container("1")]}}
    found = draft(
        {
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": replicas, "template": template},
        },
        {
            "kind": kind,
            "metadata": {"name": "h", "namespace": "shop"},
            "spec": {"scaleTargetRef": {"name": "web"}, **spec},
        },
    )
    return next(((w.replicas, w.max_replicas) for w in found.workloads), (None, None))


def test_keda_scales_up_to_100_where_it_names_no_maximum() -> None:
    assert scaled("ScaledObject", {}, 3) == (3, 100)
    assert scaled("ScaledObject", {"maxReplicaCount": 8, "minReplicaCount": 4}, 3) == (4, 8)
    assert scaled("HorizontalPodAutoscaler", {}, 3) == (3, None)


def test_an_autoscaler_leaves_a_workload_that_was_scaled_to_0_alone() -> None:
    assert scaled("HorizontalPodAutoscaler", {"minReplicas": 5, "maxReplicas": 9}, 0) == (0, 9)


@pytest.mark.parametrize(("ended", "replicas"), [("Complete", 0), ("Failed", 0), ("Suspended", 4)])
def test_a_job_that_ended_runs_no_pods(ended: str, replicas: int) -> None:
    job = {
        "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "shop"},
        "spec": {"parallelism": 4, "template": {"spec": {"containers": [container("1")]}}},
        "status": {"conditions": [{"type": ended, "status": "True"}]},
    }
    assert sum(w.replicas or 0 for w in draft(job).workloads) == replicas


@pytest.mark.parametrize(("effect", "names"), [("NoSchedule", []), ("NoExecute", []), ("PreferNoSchedule", ["spot"])])
def test_only_a_taint_that_forbids_keeps_pods_away(effect: str, names: list[str]) -> None:
    assert groups_for(pod_facts({}), (GroupLabels("spot", {}, (("spot", "true", effect),)),)) == names
