"""Kubernetes objects: each pod is counted once, at the object that decides how many there are."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from capacity.readers.detect import list_items
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.imported import read_kubectl
from capacity.readers.kubernetes.kubectl import draft_of, read
from capacity.readers.kubernetes.objects import SeenObjects
from capacity.readers.kubernetes.stream import stream_binary


def streamed(text: str) -> list[tuple[str, Any]]:
    return list(stream_binary(io.BytesIO(text.encode()), "f.json"))


def seen(*values: dict[str, Any], list_kind: str = "") -> PlanDraft:
    snapshot = SeenObjects(SourceNotes("f"))
    for value in values:
        assert snapshot.add(list_kind, value)
    return draft_of(snapshot, "")


def thing(kind: str, name: str, owner: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def template(replicas: int, **more: Any) -> dict[str, Any]:
    return {"spec": {"replicas": replicas, "template": {"spec": {"containers": [{}]}}, **more}}


def pod(name: str, owner: tuple[str, str] | None, **labels: str) -> dict[str, Any]:
    value = thing("Pod", name, owner, spec={"containers": [{}], "nodeName": "n"}, status={"phase": "Running"})
    value["metadata"]["labels"] = labels
    return value


def counts(draft: PlanDraft) -> list[tuple[str, int | None, int | None]]:
    return [(w.name, w.replicas, w.max_replicas) for w in draft.workloads]


def test_the_items_of_a_typed_list_have_the_kind_of_the_list() -> None:
    def named(name: str, **more: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "shop", **more}}

    owned = {"ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}]}
    lists = {
        "DeploymentList": [named("web") | template(4)],
        "ReplicaSetList": [named("web-7d4b9c6f5", **owned) | template(4)],
        "StatefulSetList": [named("db") | template(3, serviceName="db")],
    }
    text = "\n".join(json.dumps({"kind": kind, "items": found}) for kind, found in lists.items())
    snapshot = SeenObjects(SourceNotes("f"))
    for kind, value in streamed(text):
        assert snapshot.add(kind, value)
    workloads = draft_of(snapshot, "").workloads
    assert [(w.name, w.replicas, w.max_surge, w.max_unavailable) for w in workloads] == [
        ("shop/db", 3, 0, 1),
        ("shop/web", 4, None, None),
    ]


def test_pods_of_a_rollout_are_counted_once() -> None:
    pods = [pod(f"web-{i}", ("ReplicaSet", "web-7d4b9c6f5")) for i in range(3)]
    rollout = thing("Rollout", "web", **template(3))
    assert counts(seen(rollout, *pods)) == [("shop/web", 3, None)]
    owned = thing("ReplicaSet", "web-7d4b9c6f5", ("Rollout", "web"), **template(3))
    assert counts(seen(owned, *pods)) == [("shop/web", 3, None)]
    hpa = thing(
        "HorizontalPodAutoscaler", "h", spec={"scaleTargetRef": {"kind": "Rollout", "name": "web"}, "maxReplicas": 9}
    )
    assert counts(seen(hpa, *pods)) == [("shop/web", 3, 9)]


def test_replica_sets_stand_for_a_deployment_that_is_not_in_the_input() -> None:
    old, new = (thing("ReplicaSet", f"web-{h}", ("Deployment", "web"), **template(n)) for h, n in (("a", 0), ("b", 5)))
    assert counts(seen(old, new)) == [("shop/web", 5, None)]
    assert counts(seen(old, new, thing("Deployment", "web", **template(6)))) == [("shop/web", 6, None)]


def test_a_replica_set_of_its_own_is_no_deployment() -> None:
    alone = thing("ReplicaSet", "batch-workers", **template(2))
    pods = [pod(f"batch-workers-{i}", ("ReplicaSet", "batch-workers")) for i in range(2)]
    assert counts(seen(alone, *pods)) == [("shop/batch-workers", 2, None)]


def test_a_scaled_object_of_keda_and_its_hpa_are_one_autoscaler() -> None:
    target = {"name": "web"}
    scaled = thing("ScaledObject", "s", spec={"scaleTargetRef": target})
    hpa = thing("HorizontalPodAutoscaler", "keda-hpa-s", spec={"scaleTargetRef": {"kind": "Deployment", **target}, "maxReplicas": 100, "minReplicas": 1})  # fmt: skip  # noqa: E501
    web = thing("Deployment", "web", **template(2))
    assert counts(seen(web, scaled)) == counts(seen(web, hpa, scaled)) == [("shop/web", 2, 100)]
    idle = thing("Deployment", "web", **template(0))
    assert counts(seen(idle, scaled)) == [("shop/web", 0, 100)]


def test_a_scaled_job_of_keda_has_its_jobs() -> None:
    spec = {"maxReplicaCount": 20, "jobTargetRef": {"parallelism": 2, **template(1)["spec"]}}
    scaled = thing("ScaledJob", "consumer", spec=spec)
    job = thing("Job", "consumer-x7k2p", ("ScaledJob", "consumer"), status={"active": 2}, **template(1))
    pods = [pod(f"consumer-x7k2p-{i}", ("Job", "consumer-x7k2p")) for i in range(2)]
    assert counts(seen(scaled, job, *pods)) == [("shop/consumer", 2, 40)]


@pytest.mark.parametrize(
    ("spec", "status", "pods"),
    [
        ({"parallelism": 3}, {"conditions": [{"type": "Failed", "status": "True"}]}, None),
        ({"parallelism": 3}, {"conditions": [{"type": "Failed", "status": "False"}], "active": 2}, 2),
        ({"parallelism": 3}, {"conditions": [{"type": "Complete", "status": "True"}]}, None),
        ({"parallelism": 3, "suspend": True}, {}, None),
        ({"parallelism": 0}, {}, None),
        ({"parallelism": 5, "completions": 6}, {"succeeded": 4}, 2),
        ({"parallelism": 5}, {}, 5),
        ({}, {"failed": 2}, 1),
    ],
)
def test_pods_of_a_job(spec: dict[str, Any], status: dict[str, Any], pods: int | None) -> None:
    job = thing("Job", "load", spec={**template(1)["spec"], **spec}, status=status)
    assert counts(seen(job)) == ([] if pods is None else [("shop/load", pods, None)])


def test_a_pod_in_two_files_is_one_pod(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(json.dumps([pod("a", None), pod("b", None)]))
    second.write_text(json.dumps([pod("b", None), pod("c", None)]))
    assert [n for n, _, _ in counts(read([str(first), str(second)]))] == ["shop/a", "shop/b", "shop/c"]
    assert [r for _, r, _ in counts(read([str(first), str(second)]))] == [1, 1, 1]


def test_nodes_of_two_clusters_are_told() -> None:
    nodes = [
        {"kind": "Node", "metadata": {"name": n, "labels": {"alpha.eksctl.io/cluster-name": n}}, "spec": {}}
        for n in ("blue", "green")
    ]
    assert [n.text for n in seen(*nodes).notes if "clusters" in n.text] == [
        "f nodes: nodes of clusters blue, green: a plan is one cluster, import each by itself"
    ]


def test_the_max_pods_of_a_type_without_figures_are_the_kubelets() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "n", "labels": {"node.kubernetes.io/instance-type": "m99x.large"}},
        "status": {"capacity": {"pods": "110"}},
    }
    (group,) = seen(node).node_groups
    assert (group.instance_types, group.max_pods) == (("m99x.large",), 110)


def test_objects_that_could_matter_are_named() -> None:
    draft = seen(pod("a", None), thing("Workflow", "etl"), thing("LimitRange", "l"), thing("Secret", "s"))
    told = [n.text for n in draft.notes if n.unread]
    assert [t.split(":")[1].strip() for t in told] == [
        "1 Workflow not in the plan (shop/etl)",
        "1 LimitRange not in the plan (shop/l)",
    ]


def test_kinds_of_typed_lists_reach_other_readers() -> None:
    pool = {"metadata": {"name": "p"}, "spec": {}}
    whole = {"apiVersion": "karpenter.sh/v1", "kind": "NodePoolList", "items": [pool]}
    assert list_items(whole) == [{"apiVersion": "karpenter.sh/v1", "kind": "NodePool", **pool}]


# --- rules that keep pods apart ---------------------------------------------------------------

ZONE = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}


def selecting(**labels: str) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": labels}}


def anti(*terms: dict[str, Any], kind: str = "podAntiAffinity") -> dict[str, Any]:
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


HOST = {"topologyKey": "kubernetes.io/hostname"}
DB = {"labelSelector": {"matchLabels": {"app": "db"}}}
IN_WEB = {"key": "app", "operator": "In", "values": ["web"]}


def web_with(spec: dict[str, Any]) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    return thing("Deployment", "web", spec={"replicas": 3, "template": template})


@pytest.mark.parametrize(
    ("spec", "skew", "apart", "others"),
    [
        ({"topologySpreadConstraints": [{**ZONE, **selecting(app="web")}]}, 1, None, ()),
        ({"topologySpreadConstraints": [{**ZONE, **selecting(app="web"), "maxSkew": n} for n in (3, 2)]}, 2, None, ()),
        ({"topologySpreadConstraints": [{**ZONE, **selecting(app="other")}]}, None, None, ()),
        ({"topologySpreadConstraints": [ZONE]}, None, None, ()),  # without a selector it counts no pods
        (
            {"topologySpreadConstraints": [{**ZONE, **selecting(app="web"), "whenUnsatisfiable": "ScheduleAnyway"}]},
            None,
            None,
            (),
        ),
        (
            {"topologySpreadConstraints": [{**ZONE, **HOST, **selecting(app="web")}]},
            None,
            None,
            ("topologySpreadConstraints over kubernetes.io/hostname",),
        ),
        (anti({**HOST, **selecting(app="web")}), None, "hostname", ()),
        (
            anti({**HOST, "labelSelector": {"matchExpressions": [IN_WEB]}}),
            None,
            "hostname",
            (),
        ),
        (anti({**HOST, **selecting(app="db")}), None, None, ("podAntiAffinity over kubernetes.io/hostname",)),
        (anti({**HOST, **DB}, kind="podAffinity"), None, None, ("podAffinity over kubernetes.io/hostname",)),
        (
            {"containers": [{"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]}]},
            None,
            "hostname",
            (),
        ),
        ({"containers": [{"ports": [{"containerPort": 80, "hostPort": 0}]}]}, None, None, ()),
        ({"containers": [{"ports": [{"containerPort": 80}]}], "hostNetwork": True}, None, "hostname", ()),
        ({"containers": [{"name": "c"}], "hostNetwork": True}, None, None, ()),
        ({"initContainers": [{"ports": [{"hostPort": 81}]}]}, None, None, ()),
        ({"initContainers": [{"ports": [{"hostPort": 81}], "restartPolicy": "Always"}]}, None, "hostname", ()),
    ],
)
def test_rules_that_keep_pods_apart(spec: dict[str, Any], skew: int | None, apart: str | None, others: Any) -> None:
    web = thing(
        "Deployment", "web", spec={"replicas": 3, "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}
    )
    draft = seen(web)
    (workload,) = draft.workloads
    assert (workload.zone_skew, workload.anti_affinity) == (skew, apart)
    told = [n.text for n in draft.notes if "placement rule" in n.text]
    assert [t.partition("(")[2].partition(")")[0] for t in told] == [f"shop/web: {rule}" for rule in others]


def test_the_rules_are_in_the_plan_and_read_back(tmp_path: Path) -> None:
    spec = {"topologySpreadConstraints": [{**ZONE, **selecting(app="web")}], **anti({**HOST, **selecting(app="web")})}
    web = thing(
        "Deployment", "web", spec={"replicas": 3, "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}
    )
    path = tmp_path / "web.json"
    path.write_text(json.dumps(web))
    made = read_kubectl(path)
    (workload,) = made.plan.workloads
    assert (workload.zone_skew, workload.one_per_node) == (1, True)
    assert not [d for d in made.differences(made) if d.path.startswith("workloads")]
