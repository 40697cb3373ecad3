"""`capacity services` through the entry point: figures, options, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.entry import Done, capacity

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "services.yaml")


def results(*arguments: str) -> dict[str, Any]:
    done = capacity("services", *arguments, "-o", "json")
    assert done.code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["results"]
    return found


def modes(*arguments: str) -> dict[str, dict[str, Any]]:
    return {mode["mode"]: mode for mode in results(*arguments)["modes"]}


def test_the_talk_of_2017() -> None:
    found = modes("--services", "5000", "--endpoints", "2")
    assert found["iptables"]["rules"] == {"nat": 40005, "filter": 4, "total": 40009}
    assert found["nftables"]["rules"] == {"total": 30023}
    assert (found["ipvs"]["virtual_servers"], found["ipvs"]["real_servers"]) == (5000, 10000)
    assert found["iptables"]["partial_sync_rules"] == 5 + 5000 + 1 + 3 * 3
    assert found["nftables"]["partial_sync_rules"] == 2 * 4 + 2 + 2 * 3


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        (("--type", "NodePort"), 6 + 3 * 4),
        (("--type", "LoadBalancer"), 6 + 3 * 4),
        (("--type", "LoadBalancer", "--lb-ips", "1"), 7 + 3 * 4),
        (("--type", "LoadBalancer", "--no-node-ports"), 2 + 3 * 4),
        (("--type", "LoadBalancer", "--lb-ips", "1", "--source-ranges", "2"), 7 + 3 * 4 + 3 + 1),
        (("--type", "NodePort", "--external-policy", "Local"), 2 + 12 + 2 + 3 + 1),
        (("--type", "NodePort", "--external-policy", "Local", "--local", "2"), 2 + 12 + 2 + 4 + 2),
        (("--internal-policy", "Local", "--local", "1"), 2 + 3),
        (("--internal-policy", "Local"), 1),
        (("--affinity", "ClientIP"), 2 + 4 * 4),
        (("--external-ips", "2"), 2 + 3 * 4 + 2 + 2),
        (("--ports", "3", "--protocol", "UDP"), 3 * 14),
        (("--type", "ExternalName"), 0),
        (("--ip-family", "ipv6", "--type", "NodePort"), 5 + 3 * 4 - 1),  # and 8 rules of its own
        (("--ip-family", "dual"), 2 * 14 + 8),
    ],
)
def test_one_service_of_four_endpoints(options: tuple[str, ...], rules: int) -> None:
    found = modes("--services", "1", "--endpoints", "4", *options)
    assert found["iptables"]["rules"]["total"] == rules + 9


def test_without_the_rules_of_kube_proxy_itself() -> None:
    found = modes("--services", "3", "--endpoints", "2", "--no-base")
    assert found["iptables"]["rules"] == {"nat": 24, "filter": 0, "total": 24}
    assert found["nftables"]["rules"] == {"total": 18}
    assert found["iptables"]["chains"]["total"] == 9


def test_a_plan_now_and_at_peak() -> None:
    now, peak = results(EXAMPLE), results(EXAMPLE, "--peak")
    assert (now["services"], now["endpoints"]) == (1203, 40 + 30 + 2400)
    assert peak["endpoints"] == 120 + 60 + 2400
    assert now["service_cidr"] == {"usable": 65532, "used": 1202, "free": 64330}
    assert [f["code"] for f in now["findings"]] == ["SV001", "SV006"]
    assert [m["mode"] for m in results(EXAMPLE, "--mode", "nftables")["modes"]] == ["nftables"]


def test_options_change_the_cluster_of_a_plan() -> None:
    found = results(EXAMPLE, "--service-cidr", "172.20.0.0/24", "--kubernetes", "1.32")
    assert found["service_cidr"]["free"] == 252 - 1202
    assert found["recommendation"]["mode"] == "iptables"
    assert "SV002" in [f["code"] for f in results(EXAMPLE, "--mode", "ipvs")["findings"]]


def test_csv_has_totals() -> None:
    lines = capacity("services", "--services", "2", "-o", "csv", "-q").stdout.splitlines()
    assert lines[0].startswith("mode,rules,chains,elements,virtual_servers")
    assert lines[1].startswith("iptables,19,")  # 2 × 5 and 9


def test_a_large_number_is_marked_as_extrapolated() -> None:
    assert "extrapolated" in capacity("services", "--services", "30001").stderr
    assert "extrapolated" not in capacity("services", "--services", "30000").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--services", "-1"), "--services: -1 is out of range (expected 0 or more)"),
        (("--services", "10000001"), "--services: 10,000,001 is out of range (expected at most 10,000,000)"),
        (("--services", "1", "--endpoints", "2", "--local", "3"), "--local: 3 is more than the 2 endpoints"),
        (("--services", "1", "--ports", "0"), "--ports: 0 is out of range (expected 1 or more)"),
        (("--services", "1", "--endpoints", "100001"), "--endpoints: 100,001 is out of range"),
        (("--services", "1", "--type", "NodePrt"), "did you mean 'NodePort'"),
        (("--services", "1", "--lb-ips", "1"), "--lb-ips does not apply to a Service of type ClusterIP"),
        (("--services", "1", "--mode", "ipv"), "did you mean 'ipvs'"),
        (("--services", "1", "--service-cidr", "172.16.0.0/8"), "--service-cidr"),
        (("--services", "1", "--kubernetes", "new"), "--kubernetes: 'new' is not a Kubernetes version"),
        (("--services", "1", "--connections", "5"), "--connections needs --vcpus"),
        (("--services", "1", "--vcpus", "0"), "--vcpus: 0 is out of range"),
        (("--services", "1", "--peak"), "--peak needs a plan"),
        ((EXAMPLE, "--services", "1"), "PLAN and --services cannot be combined"),
        ((EXAMPLE, "--endpoints", "1"), "--endpoints needs --services"),
        ((EXAMPLE, "--type", "NodePort"), "--type needs --services"),
        ((EXAMPLE, "--no-node-ports"), "--no-node-ports needs --services"),
        ((str(Path(EXAMPLE).with_name("first-plan.yaml")),), "the plan has no 'services'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: tuple[str, ...], said: str) -> None:
    done: Done = capacity("services", *arguments)
    assert done.code == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: a, workload: wbe}", "services[0].workload: there is no workload 'wbe' (did you mean 'web'?)"),
        ("{name: a, type: Nodeport}", "services[0].type: 'Nodeport' is not one of"),
        ("{name: a, endpoints: 2, localEndpoints: 3}", "services[0].localEndpoints: 3 is more than the Service's 2"),
        ("{name: a, sourceRanges: 1}", "services[0].sourceRanges: does not apply to a Service of type ClusterIP"),
        ("{name: a, headless: true, externalIPs: 1}", "services[0].externalIPs: does not apply to a headless Service"),
        ("{name: a}, {name: a}", "duplicate Service 'a'"),
        ("{name: a, ednpoints: 1}", "unknown key (did you mean 'endpoints'?)"),
    ],
)
def test_a_wrong_entry_of_a_plan(tmp_path: Path, entry: str, said: str) -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    head, _, rest = text.partition("services:\n  - ")
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{head}services: [{entry}]\ntenants:{rest.partition('tenants:')[2].partition('tenants:')[2]}")
    done = capacity("services", str(plan))
    assert done.code == 2
    assert said in done.stderr


def test_too_few_services_stated(tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8").replace("  serviceCidr", "  services: 5\n  serviceCidr")
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    done = capacity("check", str(plan))
    assert (done.code, "kubernetes.services: 5 is less than the 1,203 Services" in done.stderr) == (2, True)


def test_load_balancers_and_ways_to_expose_services() -> None:
    found = results(EXAMPLE, "--peak")
    (balancer,) = found["load_balancers"]
    assert (balancer["name"], balancer["targets"], balancer["addresses"]) == ("web", 120, 2)
    assert [c["balancers"] for c in found["exposure"]] == [1, 1, 1]
    many = results("--services", "240", "--type", "LoadBalancer", "--zones", "3", "--region", "us-east-1")
    assert many["exposure"][2]["usd_per_month"] == 49.28  # 3 × 0.0225 × 730 = 49.275
    assert results("--services", "2")["exposure"] == []
    assert "USD per month" in capacity("services", EXAMPLE, "-q").stdout


def test_the_network_in_the_cost_of_a_check() -> None:
    def cost(*options: str) -> dict[str, Any]:
        done = capacity("check", EXAMPLE, "--no-fixes", "-o", "json", *options)
        found: dict[str, Any] = json.loads(done.stdout)["results"]["cost"]
        return found

    items = [line["item"] for line in cost("--network-cost", "--nat-gb", "10")["scenarios"][0]["lines"]]
    assert items == ["nodes", "control-plane", "load-balancer", "public-ipv4", "nat-traffic"]
    assert "load-balancer" not in json.dumps(cost())
    done = capacity("check", EXAMPLE, "--cross-zone-gb", "10")
    assert (done.code, "--cross-zone-gb needs --network-cost" in done.stderr) == (2, True)


def test_prices_of_another_region_are_unknown_by_name() -> None:
    balancers = ("services", "--services", "4", "--type", "LoadBalancer", "-q")
    told = "The prices in eu-west-1 are not known, only those in us-east-1."
    assert told in capacity(*balancers, "--region", "eu-west-1").stdout
    assert "are not known" not in capacity(*balancers, "--region", "us-east-1").stdout
    assert "The prices without a region are not known" in capacity(*balancers).stdout
