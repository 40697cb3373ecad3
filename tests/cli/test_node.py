"""`capacity node` through the real entry point: every option, what it refuses, and the JSON contract."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml

from capacity.cluster.check import check
from tests.cli.entry import Done, capacity
from tests.fixtures.plans import plan_of

KEYS = [
    "instance_type", "ami", "max_pods", "allocatable_cpu_millicores", "allocatable_memory_mib", "fits", "pods",
    "binding", "stranded_cpu_pct", "stranded_memory_pct", "usd_per_hour", "usd_per_pod_month",
]  # fmt: skip
FITS = ["cpu", "memory", "ips", "max_pods", "branch_enis", "volumes"]
POOL = [
    "enis", "secondary_ips", "prefixes", "pod_addresses", "warm", "subnet_addresses", "lowest", "highest",
    "pods_without_address",
]  # fmt: skip


def node(*arguments: str) -> Done:
    return capacity("node", *arguments)


def answer(*arguments: str) -> dict[str, Any]:
    done = node(*arguments, "-o", "json")
    assert (done.code, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def one(*arguments: str) -> dict[str, Any]:
    (row,) = answer("m5.large", *arguments)["results"]
    found: dict[str, Any] = row
    return found


def refused(*arguments: str) -> str:
    done = node(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    return done.stderr.removeprefix("error: ").rstrip("\n")


def test_the_json_envelope_and_keys() -> None:
    got = answer("m5.large", "--pod-cpu", "250m", "--pod-memory", "512Mi", "--pods", "12")
    assert list(got) == ["schema", "command", "version", "data", "inputs", "results", "warnings"]
    assert got["command"] == "node"
    (row,) = got["results"]
    assert list(row) == [*KEYS, "pool"]
    assert list(row["fits"]) == FITS
    assert list(row["pool"]) == POOL
    assert list(one()) == KEYS  # without --pods no pool


def test_the_figures_by_hand() -> None:
    row = one("--pod-cpu", "250m", "--pod-memory", "512Mi", "--daemonset", "log=50m,128Mi")
    # 2000 − 70 kube-reserved; 8192 − ⌈614.4⌉ overhead − (255 + 11 × 29) kube-reserved − 100 eviction
    assert (row["allocatable_cpu_millicores"], row["allocatable_memory_mib"]) == (1930, 6903)
    # (1930 − 50) ÷ 250; (6903 − 128) ÷ 512; 27 − 1; 29 − 3
    assert [row["fits"][k] for k in FITS] == [7, 13, 26, 26, None, None]
    assert (row["pods"], row["binding"]) == (7, "cpu")
    # 100 × (1930 − 50 − 1750) ÷ 1930; 100 × (6903 − 128 − 3584) ÷ 6903; 0.096 × 730 ÷ 7
    assert (row["stranded_cpu_pct"], row["stranded_memory_pct"]) == (6.74, 46.23)
    assert (row["usd_per_hour"], row["usd_per_pod_month"]) == (0.096, 10.0114)


@pytest.mark.parametrize(
    ("options", "figures"),
    [
        (("--max-pods", "20"), {"max_pods": 20, "pods": 18, "binding": "max_pods"}),
        (("--daemonset", "a=0,0,hostNetwork"), {"pods": 26}),
        (("--daemonset", "kube-proxy=100m,0,hostNetwork", "--pod-cpu", "1"), {"pods": 1, "stranded_cpu_pct": 43.01}),
        (("--security-groups", "--pod-eni"), {"pods": 9, "binding": "branch_enis"}),
        (("--pod-volumes", "3"), {"pods": 8, "binding": "volumes"}),  # (27 − 1 root − 2 additional ENIs) ÷ 3
        (("--mode", "prefix"), {"max_pods": 110, "pods": 108}),
        (("--mode", "ipv6"), {"max_pods": 110, "pods": 108}),
        (("--env", "ENABLE_PREFIX_DELEGATION=true"), {"max_pods": 110}),
        (("--custom-networking",), {"max_pods": 20, "pods": 18}),
        (("--ami", "bottlerocket", "--max-pods", "29"), {"allocatable_memory_mib": 6903}),
        (("--ami", "bottlerocket", "--max-pods", "10"), {"allocatable_memory_mib": 7112}),  # 7577 − 365 − 100
        (("--max-pods", "10"), {"allocatable_memory_mib": 6903}),  # AL2023 reserves for 29 whatever is set
        (("--vm-memory-overhead", "0"), {"allocatable_memory_mib": 7518}),
        (("--vm-memory-overhead", "5%"), {"allocatable_memory_mib": 7108}),  # 8192 − ⌈409.6⌉ − 574 − 100
        (
            ("--system-reserved", "cpu=100m,memory=200Mi"),
            {"allocatable_cpu_millicores": 1830, "allocatable_memory_mib": 6703},
        ),
        (("--eviction-hard", "10%"), {"allocatable_memory_mib": 6245}),  # ⌈757.7⌉ instead of 100
        (("--eviction-hard", "200Mi"), {"allocatable_memory_mib": 6803}),
        (("--provisioner", "karpenter", "--reserved-enis", "1"), {"max_pods": 20}),
        (("--provisioner", "self-managed", "--max-eni", "3"), {"max_pods": 29}),
        (("--region", "us-gov-west-1"), {"usd_per_hour": 0.121}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_options(options: tuple[str, ...], figures: dict[str, Any]) -> None:
    done = node("m5.large", *options, "-o", "json")
    (row,) = json.loads(done.stdout)["results"]
    assert {key: row[key] for key in figures} == figures


@pytest.mark.parametrize(
    ("options", "pool"),
    [
        # 12 pods + 2 warm on ENIs of 9: 14 addresses, 2 primaries
        (("--pods", "12", "--env", "WARM_IP_TARGET=2"), {"enis": 2, "secondary_ips": 14, "subnet_addresses": 16}),
        # 1 + ⌈12 ÷ 9⌉ ENIs, all full
        (("--pods", "12"), {"enis": 3, "secondary_ips": 27, "warm": 15, "subnet_addresses": 30}),
        # ⌈12 ÷ 16⌉ + 1 prefixes on one ENI
        (("--pods", "12", "--mode", "prefix"), {"enis": 1, "prefixes": 2, "subnet_addresses": 33}),
        (("--pods", "12", "--mode", "ipv6"), {"enis": 1, "prefixes": 0, "subnet_addresses": 1}),
        (("--pods", "12", "--custom-networking"), {"enis": 3, "secondary_ips": 18, "subnet_addresses": 21}),
        (("--pods", "12", "--pod-eni"), {"enis": 2, "secondary_ips": 18, "subnet_addresses": 21}),
        (("--pods", "12", "--reserved-enis", "1"), {"enis": 2, "subnet_addresses": 21}),
        (("--pods", "0", "--env", "WARM_ENI_TARGET=0"), {"enis": 1, "secondary_ips": 9, "subnet_addresses": 10}),
        (("--pods", "7", "--env", "MINIMUM_IP_TARGET=5"), {"secondary_ips": 5, "pods_without_address": 2}),
        (("--pods", "4", "--os", "windows"), {"enis": 1, "secondary_ips": 5, "subnet_addresses": 6}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_pool(options: tuple[str, ...], pool: dict[str, int]) -> None:
    (row,) = json.loads(node("m5.large", *options, "-o", "json").stdout)["results"]
    assert {key: row["pool"][key] for key in pool} == pool
    assert row["pool"]["lowest"] <= row["pool"]["subnet_addresses"] <= row["pool"]["highest"]


class TestWarnings:
    def test_reserved_memory(self) -> None:
        done = node("t3.nano", "t3.micro")
        assert "warning: t3.nano: 299 of 512 MiB memory is kube-reserved (58%, more than a quarter)\n" in done.stderr

    def test_more_max_pods_than_addresses(self) -> None:
        done = node("m5.large", "--max-pods", "60", "--provisioner", "self-managed")
        assert done.stderr == "warning: m5.large: max pods is set to 60, but only 29 can have an address (secondary)\n"

    def test_more_pods_than_max_pods_or_addresses(self) -> None:
        said = node("m5.large", "--pods", "40").stderr
        assert "m5.large: --pods 40 is above its max pods 29: the kubelet does not accept that many" in said
        assert "m5.large: 13 of 40 pods never get an address" in said

    def test_many_types_with_the_same_warning_are_one_line(self) -> None:
        said = node("t3*.nano", "t3*.micro", "t2.nano", "t2.micro").stderr
        assert "more types)" in said

    def test_branch_enis_need_pod_eni(self) -> None:
        done = node("m5.large", "--security-groups")
        assert done.stderr.startswith("warning: --security-groups without --pod-eni")

    @pytest.mark.parametrize(
        ("region", "said"),
        [
            ("mars", "'mars' is not a known AWS Region: no prices are known for it"),
            ("eu-west-1", "no prices are known for eu-west-1 (known: us-east-1, us-gov-east-1, us-gov-west-1)"),
            ("cn-north-1", "prices in cn-north-1 are not in dollars: none shown"),
        ],
    )
    def test_no_price(self, region: str, said: str) -> None:
        got = json.loads(node("m5.large", "--region", region, "-o", "json").stdout)
        assert (got["results"][0]["usd_per_hour"], got["warnings"]) == (None, [said])

    def test_unknown_figures(self) -> None:
        got = json.loads(node("cc1.4xlarge", "--pods", "3", "-o", "json").stdout)
        (row,) = got["results"]
        assert (row["max_pods"], row["pods"], row["binding"], row["pool"]) == (None, None, None, None)
        assert "cc1.4xlarge: no address pool: ENI limits or max pods are unknown" in got["warnings"]

    def test_a_value_that_the_cni_would_discard(self) -> None:
        said = node("m5.large", "--env", "WARM_IP_TARGET=many").stderr
        assert said == "warning: WARM_IP_TARGET='many' is not a number the CNI accepts: it uses 0\n"


OLD_PRICES = "prices for us-east-1 are from 2026-07-20, more than 90 days old (capacity data refresh reads newer ones)"


def test_missing_and_old_prices_are_part_of_the_answer() -> None:
    for output in ("table", "md"):
        done = node("m5.large", "-q", "-o", output)
        assert (f"Data: {OLD_PRICES}.\n" in done.stdout, done.stderr) == (True, "")
        missing = node("m5.large", "--region", "eu-west-1", "-q", "-o", output).stdout
        assert (
            "\nData: no prices are known for eu-west-1 (known: us-east-1, us-gov-east-1, us-gov-west-1).\n" in missing
        )
    assert OLD_PRICES in json.loads(node("m5.large", "-o", "json").stdout)["warnings"]
    assert node("m5.large", "-o", "csv").stderr == f"warning: {OLD_PRICES}\n"
    assert "no price is known in us-east-1 for cc1.4xlarge" in node("m5.large", "cc1.4xlarge", "-q").stdout


class TestSelection:
    def test_filters_sort_and_limit(self) -> None:
        done = node(
            "--all", "--vcpus-min", "4", "--vcpus-max", "8", "--memory-min", "16Gi", "--memory-max", "32Gi",
            "--arch", "arm64", "--family", "m7g", "--family", "m6g", "--current-generation",
            "--sort", "-usd_per_hour", "--limit", "3", "-o", "json",
        )  # fmt: skip
        got = json.loads(done.stdout)
        assert [r["instance_type"] for r in got["results"]] == ["m7g.2xlarge", "m6g.2xlarge", "m7g.xlarge"]
        assert got["warnings"] == ["1 of 4 rows are not shown (--limit 3)", OLD_PRICES]

    def test_unknown_sorts_last_both_ways(self) -> None:
        for key in ("pods", "-pods"):
            rows = json.loads(node("cc1.4xlarge", "m5.large", "m5.4xlarge", "--sort", key, "-o", "json").stdout)[
                "results"
            ]
            assert rows[-1]["instance_type"] == "cc1.4xlarge"

    def test_a_key_that_no_type_has_is_refused(self) -> None:
        # Once it sorted nothing and --limit then hid the cheapest.
        for key in ("usd_per_pod_month", "-usd_per_hour"):
            done = node("m5.large", "c5.large", "--region", "eu-west-1", "--sort", key, "--limit", "1")
            assert (done.code, done.stdout) == (2, "")
            said = f"error: --sort: {key.removeprefix('-')} is unknown for every selected type: no prices are known for"
            assert done.stderr.startswith(f"{said} eu-west-1 (known: us-east-1,")
        done = node("m5.large", "--sort", "fits.cpu")
        assert done.stderr == "error: --sort: fits.cpu is unknown for every selected type without --pod-cpu\n"
        done = node("cc1.4xlarge", "--sort", "usd_per_hour")
        assert done.stderr.endswith("selected type: no price is known in us-east-1 for cc1.4xlarge\n")

    def test_types_without_the_sorted_figure_are_counted(self) -> None:
        got = json.loads(node("cc1.4xlarge", "m5.large", "--sort", "usd_per_hour", "-o", "json").stdout)
        assert "1 type without a known usd_per_hour: listed last" in got["warnings"]

    def test_sort_by_a_nested_key(self) -> None:
        rows = answer("m5.2xlarge", "m5.large", "--sort", "fits.ips")["results"]
        assert [r["instance_type"] for r in rows] == ["m5.large", "m5.2xlarge"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no instance type given"),
        (("m5.lrage",), "'m5.lrage' is not a known instance type (did you mean 'm5.large',"),
        (
            ("m5.large", "--pod-cpu", "abc"),
            "--pod-cpu: 'abc' is not a quantity (expected something like 250m, 2 or 512Mi)",
        ),
        (("m5.large", "--pod-cpu", "-1"), "--pod-cpu: '-1' is negative (expected 0 or more)"),
        (("m5.large", "--pod-memory", "512MB"), "--pod-memory: '512MB' is not a quantity"),
        (("m5.large", "--pod-memory", "５１２Mi"), "--pod-memory: '５１２Mi' is not a quantity"),
        (("m5.large", "--pod-volumes", "-1"), "--pod-volumes: -1 is out of range"),
        (("m5.large", "--daemonset", "log"), "--daemonset: 'log' is not NAME=cpu,memory[,hostNetwork]"),
        (("m5.large", "--daemonset", "log=1"), "--daemonset: 'log=1' is not NAME=cpu,memory[,hostNetwork]"),
        (("m5.large", "--daemonset", "log=1,1Mi,host"), "--daemonset: 'log=1,1Mi,host' is not"),
        (("m5.large", "--max-pods", "0"), "--max-pods: 0 is out of range (expected 1 or more)"),
        (("m5.large", "--pods", "-1"), "--pods: -1 is out of range (expected 0 or more)"),
        (("m5.large", "--pods", "9" * 20), f"--pods: {'9' * 20} is out of range (expected at most 2147483647)"),
        (("m5.large", "--env", "WARM_IP_TARGET"), "--env: 'WARM_IP_TARGET' is not NAME=VALUE"),
        (
            ("m5.large", "--env", "WARM_IP_TARGE=1"),
            "--env: 'WARM_IP_TARGE' is not a variable of the VPC CNI (did you mean",
        ),
        (
            ("m5.large", "--env", "MAX_ENI=2", "--env", "MAX_ENI=3"),
            "--env: duplicate MAX_ENI: '2' and '3'",
        ),
        (("m5.large", "--env", "MAX_ENI=2", "--max-eni", "3"), "--max-eni contradicts --env MAX_ENI=2"),
        (
            ("m5.large", "--mode", "secondary", "--env", "ENABLE_PREFIX_DELEGATION=true"),
            "--mode secondary contradicts --env ENABLE_PREFIX_DELEGATION=true",
        ),
        (("m5.large", "--mode", "all"), "--mode: 'all' is not one of secondary, prefix, ipv6"),
        (("m5.large", "--sort", "price"), "--sort: 'price' is not one of "),
        (("m5.large", "--limit", "0"), "--limit: 0 is out of range (expected 1 or more)"),
        (("--all", "--family", "m99"), "no instance type matches the filters"),
        (("--all", "--arch", "arm"), "--arch: 'arm' is not one of x86_64, arm64 (did you mean 'arm64'?)"),
        (
            ("m5.large", "--system-reserved", "disk=1"),
            "--system-reserved: 'disk=1' is not cpu=QUANTITY or memory=QUANTITY",
        ),
        (("m5.large", "--eviction-hard", "10%%"), "--eviction-hard: '10%%' is not a percentage"),
        (("m5.large", "--vm-memory-overhead", "1"), "--vm-memory-overhead: '1' is out of range"),
        (("m5.large", "--os", "windows", "--custom-networking"), "Windows nodes do not support custom networking"),
    ],
    ids=lambda v: " ".join(v)[:50] if isinstance(v, tuple) else "",
)
def test_refused(arguments: tuple[str, ...], said: str) -> None:
    assert refused(*arguments).startswith(said)


class TestFormats:
    def test_the_table_begins_with_the_answer(self) -> None:
        first = node("m5.large", "--pod-cpu", "250m").stdout.splitlines()[0]
        assert first == "m5.large holds 7 of these pods, limited by CPU, $10.01 per pod per month."
        assert node("m5.large", "--max-pods", "110", "-q").stdout.startswith(
            "m5.large holds 27 pods in addition to its DaemonSets, limited by pod addresses, $2.60 per pod per month.\n"
        )

    def test_csv_has_the_keys_of_json_with_dots(self) -> None:
        done = node("m5.large", "--pods", "3", "-o", "csv")
        (row,) = csv.DictReader(io.StringIO(done.stdout))
        flat = [k for key in KEYS for k in ([f"fits.{f}" for f in FITS] if key == "fits" else [key])]
        assert list(row) == [*flat, *(f"pool.{key}" for key in POOL)]

    def test_yaml_and_markdown(self) -> None:
        texts = [node("m5.large", "--pods", "3", "--explain", "-o", form).stdout for form in ("yaml", "json", "md")]
        assert yaml.safe_load(texts[0]) == json.loads(texts[1])
        assert "| m5.large | 29 | 1,930 | 6,903 |" in texts[2]

    def test_explain_names_every_term_of_the_pool(self) -> None:
        text = node("m5.large", "--pods", "5", "--explain").stdout
        assert "kube_reserved_memory_mib = 574  (255 + 11 × 29 pods" in text
        assert "fits = ips 27, max_pods 27" in text
        assert "pool: enis = 2  (⌈18 ÷ 9⌉, at least 1)" in text


def test_the_pool_as_cilium_keeps_it() -> None:
    # 17 pods + 2 of Cilium's own + 8 free = 27 = 14 + 13 on two ENIs beside the first
    done = node(
        "c7i-flex.xlarge", "--cni", "cilium", "--cilium", "firstInterfaceIndex=1", "--max-pods", "42", "--pods", "17",
        "--explain", "-o", "json",
    )  # fmt: skip
    answer = json.loads(done.stdout)
    (row,) = answer["results"]
    assert list(row["pool"]) == POOL
    assert (row["pool"]["enis"], row["pool"]["secondary_ips"], row["pool"]["subnet_addresses"]) == (3, 27, 30)
    assert (row["fits"]["ips"], row["fits"]["max_pods"]) == (40, 40)
    assert [d["name"] for d in answer["inputs"]["daemonsets"]] == ["cilium", "kube-proxy"]
    terms = {t["label"]: t["value"] for t in row["explain"]}
    assert (terms["pool: in use"], terms["pool: target addresses"]) == (19, 27)
    assert sum(w.startswith("Cilium: ") for w in answer["warnings"]) == 3


def test_env_goes_with_the_vpc_cni_only() -> None:
    done = node("m5.large", "--cni", "cilium", "--env", "WARM_IP_TARGET=2")
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert "--env is an option of the VPC CNI (with --cni cilium use --cilium KEY=VALUE)" in done.stderr


def test_a_cost_per_node_is_shared_by_its_pods() -> None:
    pod = ("--pod-cpu", "250m", "--pod-memory", "512Mi")
    plain, licensed = one(*pod), one(*pod, "--per-node-cost", "0.05")
    assert plain["usd_per_hour"] == licensed["usd_per_hour"] == 0.096
    assert licensed["usd_per_pod_month"] == round((0.096 + 0.05) * 730 / 7, 4)
    assert plain["usd_per_pod_month"] == round(0.096 * 730 / 7, 4)
    assert answer("m5.large", "--per-node-cost", "0.05")["inputs"]["per_node_cost"] == 0.05
    for cost in ("-1", "nan", "1e9"):
        assert "--per-node-cost" in refused("m5.large", "--per-node-cost", cost)


class TestAutoMode:
    def test_the_node_of_a_plan_and_of_the_command_hold_as_many_pods(self) -> None:
        done = capacity("node", "c6g.large", "--provisioner", "auto", "--pods", "5", "-o", "json")
        (row,) = json.loads(done.stdout)["results"]
        # prefixes, 110 at most; the CNI and kube-proxy are part of the image
        assert (row["max_pods"], row["fits"]["max_pods"], row["fits"]["ips"], row["pods"]) == (110, 110, 432, 110)
        assert (row["pool"]["prefixes"], row["pool"]["subnet_addresses"]) == (2, 33)
        plan = """\
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/22}]}
controlPlane: {subnets: [a]}
nodeGroups: [{name: g, instanceTypes: [c6g.large], provisioner: auto, nodes: 1, subnets: [a]}]
workloads: [{name: w, replicas: 111, requests: {cpu: 1m, memory: 1Mi}}]
"""
        result = check(plan_of(plan), ["steady"])
        assert (result.scenarios[0].groups[0].pods_per_node, result.scenarios[0].unplaced_pods) == (110, 1)
        first = result.shapes[0].first
        assert first.addresses == row["fits"]["ips"]
        assert first.room.cpu == row["allocatable_cpu_millicores"]
        assert first.demand(5) + 1 == row["pool"]["subnet_addresses"]


class TestHostPods:
    def test_daemonsets_on_the_hosts_network_need_no_address(self) -> None:
        asked = ("node", "m5.large", "--expression", "max_pods + 1", "--provisioner", "self-managed")
        assert "the kubelet accepts 30 pods, but only 29 can have an address" in capacity(*asked).stderr
        exporter = ("--daemonset", "node-exporter=10m,32Mi,hostNetwork")
        assert "can have an address" not in capacity(*asked, *exporter).stderr
