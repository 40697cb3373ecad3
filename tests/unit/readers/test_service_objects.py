"""Services and load balancers from Kubernetes objects."""

from __future__ import annotations

from typing import Any

from capacity.readers.draft import PlanDraft, ServiceDraft, SourceNotes, TenantDraft
from capacity.readers.existing_plan import plan_draft, plan_section
from capacity.readers.kubernetes.kubectl import draft_of_objects
from capacity.readers.plan_document import plan_document

LB = "service.beta.kubernetes.io/aws-load-balancer-"
ALB = "alb.ingress.kubernetes.io/"


def made(kind: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    notes = more.pop("annotations", {})
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop", "annotations": notes}, "spec": spec, **more}


def deployment(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return made("Deployment", name, {"replicas": 3, "template": {"metadata": {"labels": labels}, "spec": {}}})


def draft(*objects: dict[str, Any]) -> PlanDraft:
    return draft_of_objects(objects, SourceNotes("x.yaml"))


def service(*objects: dict[str, Any]) -> ServiceDraft:
    (found,) = draft(*objects).services
    return found


def test_defaults_are_left_out() -> None:
    assert service(made("Service", "web", {"ports": [{"port": 80}]})) == ServiceDraft("shop/web", namespace="shop")


def test_every_field() -> None:
    spec = {
        "type": "LoadBalancer",
        "ports": [{"port": 80, "protocol": "UDP"}, {"port": 81, "protocol": "UDP"}],
        "allocateLoadBalancerNodePorts": False,
        "externalIPs": ["192.0.2.1"],
        "loadBalancerSourceRanges": ["10.0.0.0/8", "172.16.0.0/12"],
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Local",
        "sessionAffinity": "ClientIP",
        "trafficDistribution": "PreferClose",
    }
    assert service(made("Service", "web", spec)) == ServiceDraft(
        "shop/web",
        namespace="shop",
        type="LoadBalancer",
        ports=2,
        protocol="UDP",
        zone_hints=True,
        node_ports=False,
        external_ips=1,
        source_ranges=2,
        external_traffic_policy="Local",
        internal_traffic_policy="Local",
        session_affinity="ClientIP",
    )
    assert service(made("Service", "db", {"clusterIP": "None"})).headless
    assert service(made("Service", "out", {"type": "ExternalName"})).type == "ExternalName"


class TestEndpoints:
    def test_the_selector_names_the_workload(self) -> None:
        web = deployment("web", {"app": "web", "tier": "front"})
        found = service(web, made("Service", "web", {"selector": {"app": "web"}}))
        assert (found.workload, found.endpoints) == ("shop/web", None)

    def test_two_workloads_or_none_are_not_named(self) -> None:
        both = [deployment("a", {"app": "web", "v": "1"}), deployment("b", {"app": "web", "v": "2"})]
        assert service(*both, made("Service", "web", {"selector": {"app": "web"}})).workload is None
        assert service(*both, made("Service", "web", {})).workload is None
        assert service(*both, made("Service", "web", {"selector": {"app": "web", "v": "2"}})).workload == "shop/b"

    def test_pods_alone_tell_their_labels(self) -> None:
        owner = {"kind": "ReplicaSet", "name": "web-5d4f8c7b9d", "controller": True}
        labels = {"app": "web", "pod-template-hash": "5d4f8c7b9d"}
        pod = {
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "shop", "labels": labels, "ownerReferences": [owner]},
            "spec": {"containers": [], "nodeName": "n"},
        }
        assert service(pod, made("Service", "web", {"selector": {"app": "web"}})).workload == "shop/web"

    def test_slices_count_ready_endpoints_of_one_family(self) -> None:
        def slice_of(family: str, *ready: object) -> dict[str, Any]:
            ends = [{"conditions": {} if r is None else {"ready": r}} for r in ready]
            meta = {"name": "x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}
            return {"kind": "EndpointSlice", "metadata": meta, "addressType": family, "endpoints": ends}

        some = [slice_of("IPv4", True, None, False, "false"), slice_of("IPv4", True), slice_of("IPv6", True, True)]
        assert service(*some, made("Service", "web", {})).endpoints == 3

    def test_the_endpoints_object_if_there_are_no_slices(self) -> None:
        value = {
            "kind": "Endpoints",
            "metadata": {"name": "web", "namespace": "shop"},
            "subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "notReadyAddresses": [{}]}],
        }
        assert service(value, made("Service", "web", {})).endpoints == 2


class TestLoadBalancers:
    def balancer(self, notes: dict[str, str], **spec: str) -> dict[str, Any]:
        return made("Service", "web", {"type": "LoadBalancer", **spec}, annotations=notes)

    def test_kinds(self) -> None:
        subnets = {f"{LB}subnets": "a, b"}
        for notes, spec, kind in (
            ({}, {}, "clb"),
            ({f"{LB}type": "nlb"}, {}, "nlb"),
            ({f"{LB}type": "external"}, {}, "nlb"),
            ({f"{LB}type": "nlb-ip"}, {}, "nlb"),
            ({}, {"loadBalancerClass": "service.k8s.aws/nlb"}, "nlb"),
            ({}, {"loadBalancerClass": "example.com/other"}, "clb"),
        ):
            found = draft(self.balancer({**subnets, **notes}, **spec)).tenants
            assert found == (TenantDraft("shop/web", kind, ("a", "b")),)

    def test_the_name_is_that_of_aws(self) -> None:
        host = "internal-k8s-shop-web-0a1b2c3d4e-1234567890.us-east-1.elb.amazonaws.com"
        value = self.balancer({f"{LB}subnets": "a"}) | {"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}
        assert draft(value).tenants[0].name == "k8s-shop-web-0a1b2c3d4e"

    def test_a_group_of_ingresses_is_one(self) -> None:
        def ingress(name: str, **notes: str) -> dict[str, Any]:
            return made("Ingress", name, {}, annotations={ALB + k.replace("_", "."): v for k, v in notes.items()})

        grouped = draft(ingress("a", group_name="public"), ingress("b", group_name="public", subnets="a,b"))
        assert grouped.tenants == (TenantDraft("public", "alb", ("a", "b")),)
        alone = draft(ingress("a", subnets="a"), ingress("b", subnets="b"))
        assert [t.name for t in alone.tenants] == ["shop/a", "shop/b"]

    def test_without_subnets_a_note_names_it(self) -> None:
        found = draft(made("Ingress", "a", {"ingressClassName": "alb"}))
        assert found.tenants == ()
        assert any("Ingress shop/a (ALB)" in note.text for note in found.notes)

    def test_other_controllers(self) -> None:
        found = draft(made("Ingress", "a", {"ingressClassName": "nginx"}))
        assert any("1 Ingress of another controller" in note.text for note in found.notes)


def test_a_plan_keeps_its_services() -> None:
    text = """
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/22}]}
services:
  - {name: x, namespace: shop, count: 3, type: LoadBalancer, ports: 2, protocol: UDP, endpoints: 4,
     localEndpoints: 1, zoneHints: true,
     nodePorts: false, externalIPs: 1, loadBalancerIPs: 2, sourceRanges: 3, nodeInRange: true,
     externalTrafficPolicy: Local, internalTrafficPolicy: Local, sessionAffinity: ClientIP, healthCheckNodePort: true}
"""
    section = plan_section(text, "x.yaml")
    written = plan_document(plan_draft(section))["services"]
    assert {k: str(v).lower() for k, v in written[0].items()} == {
        k: str(v).lower() for k, v in section["services"][0].items()
    }
