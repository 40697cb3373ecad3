"""Findings about Services: each code is triggered, and just not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from capacity.advice.findings.codes import Finding, codes
from capacity.advice.findings.kube_proxy import plan_service_findings, service_findings
from capacity.plan.service import Service, ServiceShape
from capacity.services.cluster_figures import conntrack
from capacity.services.mode_choice import UNKNOWN, Cluster
from capacity.services.mode_overview import ServiceQuestion, service_overview
from tests.fixtures.plans import SMALL, plan_of

TWO = ServiceShape(endpoints=2)


@dataclass(frozen=True)
class Case:
    """``count`` Services, spread over enough namespaces to say nothing of them unless ``namespaces`` says so."""

    count: int = 10
    shape: ServiceShape = TWO
    cluster: Cluster = UNKNOWN
    namespaces: int = 1000
    connections: int | None = None

    def found(self) -> list[Finding]:
        question = ServiceQuestion(
            [Service("web", self.shape, count=self.count)],
            cluster=self.cluster,
            namespaces=self.namespaces,
            conntrack=conntrack(4, self.connections, 120) if self.connections else None,
        )
        return list(service_findings(service_overview(question)))


PORTS = ServiceShape(endpoints=1, node_port=True)
IPVS, NFTABLES = Cluster(mode="ipvs"), Cluster(mode="nftables")
CASES = {
    "SV001": (Case(1001), Case(1000)),
    "SV002": (Case(cluster=IPVS), Case(cluster=NFTABLES)),
    "SV003": (
        Case(cluster=Cluster("1.34", "1.22.9", mode="nftables")),
        Case(cluster=Cluster("1.33", "1.23.0", mode="nftables")),
    ),
    "SV004": (Case(5001, cluster=NFTABLES), Case(5000, cluster=NFTABLES)),
    "SV005": (Case(2215, PORTS), Case(2214, PORTS)),  # 80% of 2,768 are 2,214.4
    "SV006": (Case(501, namespaces=1), Case(500, namespaces=1)),
    "SV007": (Case(1, ServiceShape(endpoints=251)), Case(1, ServiceShape(endpoints=250))),
    "SV008": (Case(10_001), Case(10_000)),
    "SV009": (Case(connections=1093), Case(connections=1092)),  # × 120 s; 131,072 with 4 vCPUs
}


def of(found: list[Finding]) -> dict[str, str]:
    return {f.code: f.severity for f in found}


@pytest.mark.parametrize("code", sorted(CASES))
def test_a_code_is_triggered_and_just_not(code: str) -> None:
    triggers, just_not = CASES[code]
    assert of(triggers.found())[code] == codes()[code].severity
    assert code not in of(just_not.found())


def test_every_code_has_a_case() -> None:
    assert sorted(code for code in codes() if code.startswith("SV")) == sorted(CASES)


@pytest.mark.parametrize(
    ("case", "code", "severity"),
    [
        (Case(cluster=Cluster("1.43", mode="ipvs")), "SV002", "error"),
        (Case(2769, PORTS), "SV005", "error"),
        (Case(2768, PORTS), "SV005", "warning"),
        (Case(5001, namespaces=1), "SV006", "warning"),
    ],
)
def test_a_severity_rises(case: Case, code: str, severity: str) -> None:
    assert of(case.found())[code] == severity


def test_endpoints_alone_make_a_first_sync_slow() -> None:
    many = Case(1001, ServiceShape(endpoints=100), NFTABLES)
    assert "SV004" in of(many.found())
    assert "SV004" not in of(replace(many, shape=ServiceShape(endpoints=99)).found())


class TestOfAPlan:
    def plan(self, services: str) -> list[Finding]:
        return list(plan_service_findings(plan_of(SMALL + services)))

    def test_endpoints_are_those_of_the_peak(self) -> None:
        text = SMALL.replace("replicas: 10", "replicas: {now: 10, max: 251}")
        assert text != SMALL
        service = "services: [{name: web, workload: web}]\n"
        found = list(plan_service_findings(plan_of(text + service)))
        assert [f.code for f in found] == ["SV007"]
        assert found[0].message == "web: 251 endpoints; Kubernetes is tested with 250"
        fixed = "services: [{name: web, workload: web, endpoints: 10}]\n"
        assert list(plan_service_findings(plan_of(text + fixed))) == []

    def test_no_services_no_findings(self) -> None:
        assert self.plan("") == []

    def test_the_tested_number_is_left_to_the_quotas(self) -> None:
        assert "SV008" not in of(self.plan("services: [{name: many, count: 10001}]\n"))
