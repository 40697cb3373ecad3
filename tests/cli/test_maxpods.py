"""`capacity maxpods` through the real entry point: every option, what it refuses, and the JSON contract."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.entry import Done, capacity

KEYS = [
    "instance_type", "mode", "custom_networking", "max_enis", "usable_enis", "ipv4_per_eni", "ip_capacity",
    "max_pods_formula", "max_pods_recommended", "max_pods", "max_pods_expression", "branch_enis", "limited_by",
]  # fmt: skip


def maxpods(*arguments: str) -> Done:
    return capacity("maxpods", *arguments)


def results(*arguments: str) -> list[dict[str, Any]]:
    done = maxpods(*arguments, "-o", "json")
    assert (done.code, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found


def refused(*arguments: str) -> str:
    """The one line on stderr; nothing on stdout, exit code 2."""
    done = maxpods(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    return done.stderr.removeprefix("error: ").rstrip("\n")


def test_the_json_envelope_and_keys() -> None:
    answer = json.loads(maxpods("m5.large", "--mode", "prefix", "-o", "json").stdout)
    assert list(answer) == ["schema", "command", "version", "data", "inputs", "results", "warnings"]
    assert (answer["schema"], answer["command"], answer["warnings"]) == ("capacity/1", "maxpods", [])
    assert set(answer["data"]) == {"date", "types"}
    assert answer["inputs"] == {
        "mode": "prefix", "custom_networking": False, "pod_eni": False, "max_eni": None, "reserved_enis": 0,
        "ami": "al2023", "provisioner": "managed", "expression": None, "cni": "vpc-cni", "cilium": None,
        "host_pods": 2,
    }  # fmt: skip
    assert [list(row) for row in answer["results"]] == [KEYS]
    row = answer["results"][0]
    assert (row["ip_capacity"], row["max_pods_formula"], row["max_pods_recommended"]) == (432, 434, 110)


# m5.large: 3 ENIs of 10 addresses, 9 branch ENIs
@pytest.mark.parametrize(
    ("options", "figures"),
    [
        (("--mode", "secondary"), {"ip_capacity": 27, "max_pods_formula": 29, "max_pods": 29, "limited_by": "enis"}),
        (("--mode", "prefix"), {"ip_capacity": 432, "max_pods": 110, "limited_by": "recommended-cap"}),
        (("--mode", "ipv6"), {"ip_capacity": None, "max_pods_formula": 434, "max_pods_recommended": 110}),
        (("--mode", "secondary", "--custom-networking"), {"usable_enis": 2, "ip_capacity": 18, "max_pods": 20}),
        (("--mode", "prefix", "--custom-networking"), {"ip_capacity": 288, "max_pods_formula": 290}),
        (
            ("--mode", "secondary", "--max-eni", "2"),
            {"usable_enis": 2, "max_pods_formula": 20, "limited_by": "max-eni"},
        ),
        (("--mode", "secondary", "--max-eni", "9"), {"usable_enis": 3, "max_pods_formula": 29, "limited_by": "enis"}),
        (
            ("--mode", "secondary", "--max-eni", "1", "--custom-networking"),
            {"usable_enis": 0, "ip_capacity": 0, "max_pods_formula": 2, "limited_by": "no-enis"},
        ),
        (("--mode", "secondary", "--reserved-enis", "1"), {"usable_enis": 2, "max_pods_formula": 20, "max_pods": 29}),
        (("--mode", "secondary", "--pod-eni"), {"usable_enis": 2, "ip_capacity": 18, "branch_enis": 9}),
        (("--mode", "secondary", "--ami", "windows"), {"usable_enis": 1, "ip_capacity": 9, "max_pods": 110}),
        (("--mode", "prefix", "--os", "windows"), {"ip_capacity": 144, "max_pods_formula": 144, "max_pods": 110}),
        (("--mode", "prefix", "--provisioner", "self-managed"), {"max_pods_recommended": 110, "max_pods": 29}),
        (("--mode", "prefix", "--provisioner", "karpenter"), {"max_pods_recommended": 110, "max_pods": 29}),
        (("--mode", "secondary", "--provisioner", "karpenter", "--reserved-enis", "1"), {"max_pods": 20}),
        (("--mode", "secondary", "--provisioner", "karpenter", "--reserved-enis", "3"), {"max_pods": 0}),
        (("--mode", "secondary", "--ami", "bottlerocket"), {"max_pods": 29}),
        (("--mode", "secondary", "--ami", "al2", "--os", "linux"), {"max_pods": 29}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_options(options: tuple[str, ...], figures: dict[str, Any]) -> None:
    answer = json.loads(maxpods("m5.large", *options, "-o", "json").stdout)
    (row,) = answer["results"]
    assert {key: row[key] for key in figures} == figures
    assert row["custom_networking"] == ("--custom-networking" in options)


def test_mode_all_is_every_mode_that_the_platform_has() -> None:
    assert [r["mode"] for r in results("m5.large")] == ["secondary", "prefix", "ipv6"]
    assert [r["mode"] for r in results("m5.large", "--custom-networking", "--mode", "all")] == ["secondary", "prefix"]
    windows = json.loads(maxpods("m5.large", "--os", "windows", "-o", "json").stdout)
    assert [r["mode"] for r in windows["results"]] == ["secondary", "prefix"]


def test_ipv6_carries_more_than_addresses_can_say() -> None:
    (row,) = results("m5.24xlarge", "--mode", "ipv6")
    assert (row["ip_capacity"], row["max_pods_formula"], row["max_pods_recommended"]) == (None, 11762, 250)


def test_what_to_paste_is_the_smallest_recommended_of_the_types() -> None:
    done = capacity("maxpods", "m5.large", "m5.4xlarge", "--snippet", "-q")
    assert "max pods 29, the smallest recommended of the types (secondary):" in done.stdout
    assert "max pods 110, the smallest recommended of the types (prefix, ipv6):" in done.stdout
    assert "maxPodsPerNode: 29" in done.stdout
    rows = json.loads(capacity("maxpods", "m5.large", "--ami", "al2", "--snippet", "-o", "json").stdout)["results"]
    assert "--max-pods=29" in " ".join(rows[0]["snippet"])
    assert "--max-pods=110" in " ".join(rows[1]["snippet"])
    karpenter = capacity("maxpods", "m5.large", "--provisioner", "karpenter", "--mode", "secondary", "--snippet", "-q")
    (command,) = [line.strip() for line in karpenter.stdout.splitlines() if "kubectl" in line]
    assert json.loads(shlex.split(command)[-1]) == {"spec": {"kubelet": {"maxPods": 29}}}


@pytest.mark.parametrize("ami", ["al2023", "al2", "bottlerocket", "windows"])
def test_every_image_has_its_own_form(ami: str) -> None:
    (row, *_) = json.loads(capacity("maxpods", "m5.large", "--ami", ami, "--snippet", "-o", "json").stdout)["results"]
    pods = str(row["max_pods_recommended"])
    assert all(pods in line for line in row["snippet"] if "AMI ID" not in line)
    form = {"al2023": "nodeadm", "al2": "bootstrap.sh", "bottlerocket": "settings.kubernetes", "windows": "Windows"}
    assert any(form[ami] in line for line in row["snippet"])


def test_the_default_network_card_counts_not_the_sum_of_cards() -> None:
    (row,) = results("p4d.24xlarge", "--mode", "secondary")
    assert (row["max_enis"], row["max_pods_formula"]) == (15, 737)  # 15 × 49 + 2; 60 ENIs on all four cards


def test_xen_has_no_prefixes() -> None:
    answer = json.loads(maxpods("c1.xlarge", "-o", "json").stdout)
    secondary, prefix, ipv6 = answer["results"]
    assert prefix["ip_capacity"] == secondary["ip_capacity"] == 56
    assert (prefix["limited_by"], ipv6["limited_by"], ipv6["max_pods"]) == ("hypervisor", "hypervisor", None)
    assert answer["warnings"] == [
        "c1.xlarge: Xen instances do not support prefixes, so the CNI assigns single addresses in prefix mode "
        "and does not start with IPv6"
    ]


def test_what_nobody_knows_is_null_and_said() -> None:
    answer = json.loads(maxpods("cc1.4xlarge", "--mode", "secondary", "-o", "json").stdout)
    (row,) = answer["results"]
    assert [row[k] for k in KEYS[3:12]] == [None] * 9
    assert row["limited_by"] == "unknown"
    assert answer["warnings"] == ["cc1.4xlarge: its ENI figures are not published"]


def test_a_node_that_takes_more_pods_than_have_addresses_is_warned_of() -> None:
    done = maxpods("m5.large", "--provisioner", "self-managed", "--custom-networking", "--mode", "secondary")
    line = "warning: m5.large: the kubelet accepts 29 pods, but only 20 can have an address (secondary)\n"
    assert (done.code, done.stderr) == (0, line)
    assert maxpods("m5.large", "--custom-networking", "--provisioner", "self-managed", "-q").stderr == ""


class TestExpression:
    def test_it_sets_what_a_self_managed_node_gets(self) -> None:
        done = maxpods("m5.large", "--mode", "secondary", "--expression", "max_pods < 20 ? max_pods : 20", "-o", "json")
        answer = json.loads(done.stdout)
        assert (answer["results"][0]["max_pods"], answer["results"][0]["max_pods_expression"]) == (20, 20)
        assert answer["inputs"]["provisioner"] == "self-managed"
        assert "--expression applies to self-managed nodes" in answer["warnings"][0]

    @pytest.mark.parametrize(
        ("who", "said"),
        [
            ("managed", "overrides the expression"),
            ("karpenter", "Karpenter passes max pods to the node, which overrides"),
        ],
    )
    def test_it_loses_against_who_sets_max_pods(self, who: str, said: str) -> None:
        done = maxpods("m5.large", "--mode", "secondary", "--expression", "5", "--provisioner", who)
        assert said in done.stderr

    def test_other_images_have_none(self) -> None:
        done = maxpods("m5.large", "--expression", "5", "--ami", "bottlerocket", "--provisioner", "self-managed")
        assert "bottlerocket has no maxPodsExpression" in done.stderr

    @pytest.mark.parametrize("text", ["99 - fake", "max_pods +", "max_pods - 29", "'many'", "1 / 0"])
    def test_one_that_fails_falls_back_and_is_said(self, text: str) -> None:
        done = maxpods("m5.large", "--mode", "secondary", "--expression", text, "-o", "json")
        answer = json.loads(done.stdout)
        assert (done.code, answer["results"][0]["max_pods"], answer["results"][0]["max_pods_expression"]) == (
            0,
            29,
            None,
        )
        assert answer["warnings"][-1].endswith("nodeadm uses the standard value 29")

    def test_an_empty_one_is_refused(self) -> None:
        assert refused("m5.large", "--expression", " ").startswith("--expression is empty")


class TestTypes:
    def test_globs_and_several_each_once_in_the_order_asked(self) -> None:
        rows = results("m7g.large", "m5.*large", "m5.large", "--mode", "secondary")
        names = [r["instance_type"] for r in rows]
        assert names[:3] == ["m7g.large", "m5.large", "m5.xlarge"]
        assert len(names) == len(set(names)) == 9

    def test_all(self) -> None:
        done = maxpods("--all", "-q", "-o", "csv")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert len(rows) == 3 * json.loads(maxpods("m5.large", "-o", "json").stdout)["data"]["types"]
        assert list(rows[0]) == KEYS

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "no instance type given (expected something like m5.large, 'm5.*' or --all)"),
            (("m5.large", "--all"), "give instance types or --all, not both"),
            (
                ("m5.lrage",),
                "'m5.lrage' is not a known instance type (did you mean 'm5.large', 'm5n.large' or 'm5d.large'?)",
            ),
            (("M5.LARGE",), "'M5.LARGE' is not a known instance type (did you mean 'm5.large',"),
            (("m5.large", "m5"), "'m5' is not a known instance type"),
            (("zz9.*",), "no known instance type matches 'zz9.*'"),
            (("",), "'' is not a known instance type"),
            (("ｍ５．large",), "'ｍ５．large' is not a known instance type"),
            (("m5.large\nm5.xlarge",), r"'m5.large\nm5.xlarge' is not a known instance type"),
            (("\x1b[31mred",), r"no known instance type matches '\x1b[31mred'"),
            (("x" * 100_000,), "'xxx"),
        ],
        ids=lambda v: (" ".join(v)[:20] or "none") if isinstance(v, tuple) else "",
    )
    def test_not_a_type(self, arguments: tuple[str, ...], said: str) -> None:
        assert refused(*arguments).startswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mode", "prefx"), "--mode: 'prefx' is not one of secondary, prefix, ipv6, all (did you mean 'prefix'?)"),
        (("--max-eni", "0"), "--max-eni: 0 is out of range (expected 1 or more)"),
        (("--max-eni", "-3"), "--max-eni: -3 is out of range (expected 1 or more)"),
        (("--max-eni", "9" * 30), f"--max-eni: {'9' * 30} is out of range (expected at most 2147483647)"),
        (("--reserved-enis", "-1"), "--reserved-enis: -1 is out of range (expected 0 or more)"),
        (("--ami", "ubuntu"), "--ami: 'ubuntu' is not one of al2023, al2, bottlerocket, windows"),
        (
            ("--ami", "al2022"),
            "--ami: 'al2022' is not one of al2023, al2, bottlerocket, windows (did you mean 'al2023'?)",
        ),
        (("--os", "macos"), "--os: 'macos' is not one of linux, windows"),
        (
            ("--provisioner", "karpentr"),
            "--provisioner: 'karpentr' is not one of managed, self-managed, karpenter, auto (did",
        ),
        (("--os", "windows", "--ami", "al2"), "--os windows contradicts --ami al2"),
        (("--os", "linux", "--ami", "windows"), "--os linux contradicts --ami windows"),
        (("--mode", "ipv6", "--custom-networking"), "--mode ipv6 contradicts --custom-networking"),
        (("--mode", "ipv6", "--os", "windows"), "Windows nodes do not support IPv6"),
        (("--custom-networking", "--os", "windows"), "Windows nodes do not support custom networking"),
        (("--pod-eni", "--os", "windows"), "Windows nodes do not support security groups for pods"),
        (("-o", "xml"), "--output: 'xml' is not one of table, json, yaml, csv, md"),
        (("--color", "sometimes"), "--color: 'sometimes' is not one of auto, always, never"),
        (("--out-file", "/nowhere/at/all.json"), "--out-file '/nowhere/at/all.json': No such file or directory"),
    ],
    ids=lambda v: " ".join(v)[:40] if isinstance(v, tuple) else "",
)
def test_refused(options: tuple[str, ...], said: str) -> None:
    assert refused("m5.large", *options).startswith(said)


@pytest.mark.parametrize(
    "options", [("--max-eni", "two"), ("--max-eni",), ("--reserved-enis", "1.5"), ("--moed", "all")]
)
def test_what_the_command_line_library_refuses(options: tuple[str, ...]) -> None:
    done = maxpods("m5.large", *options)
    assert (done.code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


class TestFormats:
    def test_the_table_begins_with_the_answer(self) -> None:
        lines = maxpods("m5.large").stdout.splitlines()
        assert lines[0] == "m5.large: 29 pods with secondary IPs, 110 pods with prefix delegation, 110 pods with IPv6."
        assert lines[2].split()[:4] == ["type", "mode", "ENIs", "usable"]

    def test_yaml_says_what_json_says(self) -> None:
        answers = [maxpods("m5.*", "-o", form).stdout for form in ("yaml", "json")]
        assert yaml.safe_load(answers[0]) == json.loads(answers[1])

    def test_csv(self) -> None:
        done = maxpods("m5.large", "--mode", "ipv6", "-o", "csv")
        assert done.stdout == (",".join(KEYS) + "\nm5.large,ipv6,false,3,3,10,,434,110,110,,,recommended-cap\n")

    def test_markdown(self) -> None:
        text = maxpods("m5.large", "--mode", "secondary", "-o", "md").stdout
        assert "| m5.large | secondary | 3 | 3 | 10 | 27 | 29 | 29 | ENIs | 29 |" in text

    def test_a_file_gets_the_answer_and_stdout_nothing(self, tmp_path: Path) -> None:
        target = tmp_path / "answer.json"
        done = maxpods("m5.large", "-o", "json", "--out-file", str(target))
        assert (done.code, done.stdout) == (0, "")
        assert target.read_text(encoding="utf-8") == maxpods("m5.large", "-o", "json").stdout
        assert list(tmp_path.iterdir()) == [target]

    def test_explain_prints_each_term_with_its_source(self) -> None:
        text = maxpods("m5.large", "--mode", "prefix", "--explain", "--max-eni", "2", "--pod-eni").stdout
        assert "usable_enis = 1  (min(3, MAX_ENI 2) − 1 slot for the trunk)  [awslabs/amazon-eks-ami@" in text
        assert "max_pods_formula = 146  (1 × (10 − 1) × 16 per prefix + 2 host-network pods" in text
        (row,) = results("m5.large", "--mode", "prefix", "--explain")
        assert [set(term) for term in row["explain"]] == [{"label", "value", "why", "source"}] * len(row["explain"])
        terms = {term["label"]: term["value"] for term in row["explain"]}
        assert all(terms[key] == row[key] for key in terms)

    def test_color_only_where_it_is_asked_for(self) -> None:
        assert "\x1b[" not in maxpods("m5.large").stdout
        assert capacity("maxpods", "-h").code == 0


class TestCilium:
    def test_the_figures_that_a_running_cluster_showed(self) -> None:
        # Smana/cloud-native-ref#1726: (4 − 1) × (15 − 1) = 42 where EKS gives 58
        done = maxpods("c7i-flex.xlarge", "--cni", "cilium", "--cilium", "firstInterfaceIndex=1", "-o", "json")
        answer = json.loads(done.stdout)
        secondary, prefix = answer["results"]
        assert (secondary["max_pods_formula"], secondary["ip_capacity"], secondary["max_pods"]) == (42, 40, 58)
        assert (prefix["max_pods_formula"], prefix["max_pods_recommended"], prefix["max_pods"]) == (672, 110, 58)
        assert answer["inputs"]["cni"] == "cilium"
        assert answer["inputs"]["cilium"]["first_interface_index"] == 1
        assert [list(row) for row in answer["results"]] == [KEYS, KEYS]
        assert any("accepts 58 pods, but only 42 can have an address" in w for w in answer["warnings"])

    def test_explain_names_its_own_terms_and_sources(self) -> None:
        done = maxpods(
            "m5.large", "--cni", "cilium", "--cilium", "firstInterfaceIndex=1", "--cilium", "maxAllocate=12",
            "--mode", "secondary", "--explain", "-q",
        )  # fmt: skip
        assert "usable_enis = 2  (3 − 1 before firstInterfaceIndex)" in done.stdout
        assert "12 (maxAllocate), − 2 used by Cilium itself" in done.stdout
        assert "(cilium, kube-proxy)" in done.stdout
        assert "ipamd.go" not in done.stdout

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--cni", "calico"), "--cni: 'calico' is not one of vpc-cni, cilium"),
            (("--cilium", "preAllocate=8"), "--cilium needs --cni cilium"),
            (("--cni", "cilium", "--cilium", "preAllocate"), "--cilium: 'preAllocate' is not KEY=VALUE"),
            (("--cni", "cilium", "--cilium", "preAlocate=8"), "did you mean 'preAllocate'?"),
            (
                ("--cni", "cilium", "--cilium", "preAllocate=x"),
                "preAllocate: expected a whole number, found 'x'",
            ),
            (("--cni", "cilium", "--cilium", "preAllocate=-1"), "expected a whole number, found '-1'"),
            (("--cni", "cilium", "--cilium", "preAllocate=9999999"), "out of range (expected 0 to 1,000,000)"),
            (
                ("--cni", "cilium", "--cilium", "preAllocate=1", "--cilium", "preAllocate=2"),
                "duplicate",
            ),
            (("--cni", "cilium", "--cilium", "releaseExcessIps=1"), "expected true or false, found '1'"),
            (("--cni", "cilium", "--mode", "ipv6"), "--mode ipv6 is not modelled with Cilium's ENI mode"),
            (
                ("--cni", "cilium", "--mode", "prefix", "--cilium", "prefixDelegation=false"),
                "--mode prefix contradicts --cilium prefixDelegation=false",
            ),
            (("--cni", "cilium", "--custom-networking"), "--custom-networking is an option of the VPC CNI"),
            (("--cni", "cilium", "--max-eni", "2"), "--max-eni is an option of the VPC CNI"),
            (("--cni", "cilium", "--pod-eni"), "--pod-eni is an option of the VPC CNI"),
            (("--cni", "cilium", "--os", "windows"), "Windows nodes do not support Cilium"),
        ],
    )
    def test_what_is_refused(self, options: tuple[str, ...], message: str) -> None:
        done = maxpods("m5.large", *options)
        assert done.code == 2
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


class TestHeadline:
    """The first line is what the kubelet gets on the platform asked for."""

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            # x2iedn.4xlarge: 8 ENIs of 30 addresses, 16 vCPUs; Karpenter does not cap
            (("x2iedn.4xlarge", "--provisioner", "karpenter"), "234 pods with secondary IPs (recommended 110)"),
            (("x2iedn.4xlarge",), "110 pods with secondary IPs"),
            (("x2iedn.4xlarge", "--provisioner", "self-managed"), "234 pods with secondary IPs (recommended 110)"),
            (
                ("m5.large", "--provisioner", "self-managed", "--custom-networking"),
                "29 pods with secondary IPs (20 can have an address)",  # 2 × 9 + 2
            ),
            (("m5.large", "--max-eni", "2"), "29 pods with secondary IPs (20 can have an address)"),
            # on Windows the scheduler counts addresses
            (("m5.large", "--os", "windows"), "9 pods with secondary IPs (the kubelet accepts 110)"),
        ],
    )
    def test_secondary(self, options: tuple[str, ...], said: str) -> None:
        head = maxpods(*options, "--mode", "secondary", "-q").stdout.splitlines()[0]
        assert head == f"{options[0]}: {said}."


class TestAutoMode:
    def test_at_most_110_whatever_the_type(self) -> None:
        # c6g.large: 3 × 9 × 16 + 2 = 434; m5.24xlarge has 96 vCPUs, where AWS's script caps at 250
        done = maxpods("c6g.large", "--provisioner", "auto")
        assert done.code == 0
        assert done.stdout.startswith("c6g.large: 110 pods with prefix delegation, 110 pods with IPv6.\n")
        rows = results("c6g.large", "m5.24xlarge", "--provisioner", "auto", "--mode", "prefix")
        assert [(r["max_pods"], r["ip_capacity"]) for r in rows] == [(110, 432), (110, 11760)]
        assert rows[1]["max_pods_recommended"] == 250

    def test_below_the_cap_the_formula_holds(self) -> None:
        (row,) = results("t3.nano", "--provisioner", "auto", "--mode", "prefix")
        assert row["max_pods"] == 34  # 2 × (2 − 1) × 16 + 2

    def test_its_own_cni_and_image_take_no_settings(self) -> None:
        for option in (("--custom-networking",), ("--max-eni", "2"), ("--pod-eni",), ("--reserved-enis", "1"),
                       ("--cni", "cilium"), ("--expression", "9"), ("--host-pods", "3"), ("--ami", "al2023"),
                       ("--os", "windows"), ("--mode", "secondary")):  # fmt: skip
            assert " contradicts --provisioner auto: EKS Auto Mode " in refused(
                "m5.large", "--provisioner", "auto", *option
            )

    def test_nothing_to_paste(self) -> None:
        rows = results("m5.large", "--provisioner", "auto", "--snippet")
        assert [r["snippet"] for r in rows] == [[], []]


class TestHostPods:
    """nodeadm's own example: three pods on the host's network on every node, so max_pods + 1 = 30 = 27 + 3."""

    ASKED = ("m5.large", "--provisioner", "self-managed", "--mode", "secondary", "--expression", "max_pods + 1")

    def test_uncounted_an_expression_leaves_room_and_says_for_how_many(self) -> None:
        done = maxpods(*self.ASKED)
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith("m5.large: 30 pods with secondary IPs.\n")
        assert "27 pods of 30 can have an address, so 3 must be on the host network (--host-pods 3)" in done.stdout
        assert "2 pods on the host network need no address (--host-pods)" in done.stdout

    def test_three_are_enough(self) -> None:
        done = maxpods(*self.ASKED, "--host-pods", "3")
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith("m5.large: 30 pods with secondary IPs.\n")
        assert "must be" not in done.stdout
        assert "3 pods on the host network need no address" in done.stdout

    def test_counted_two_are_one_too_few(self) -> None:
        answer = json.loads(maxpods(*self.ASKED, "--host-pods", "2", "-o", "json").stdout)
        assert answer["warnings"] == [
            "m5.large: the kubelet accepts 30 pods, but only 29 can have an address (secondary)"
        ]
        assert answer["inputs"]["host_pods"] == 2

    def test_of_the_default_of_the_platform_too(self) -> None:
        asked = ("m5.large", "--custom-networking", "--provisioner", "self-managed", "--mode", "secondary")
        assert "only 20 can have an address" in maxpods(*asked).stderr
        assert maxpods(*asked, "--host-pods", "11").stderr == ""  # 18 addresses + 11 = 29
        assert "only 28 can have an address" in maxpods(*asked, "--host-pods", "10").stderr

    def test_a_failed_expression_leaves_no_room(self) -> None:
        asked = ("m5.large", "--custom-networking", "--mode", "secondary", "--expression", "max_pods * 0.5")
        assert "only 20 can have an address" in maxpods(*asked).stderr

    def test_out_of_range(self) -> None:
        assert refused("m5.large", "--host-pods", "-1") == "--host-pods: -1 is out of range (expected 0 or more)"


class TestOverlay:
    def test_the_kubelets_figure_first_and_what_it_could_be(self) -> None:
        done = maxpods("t3a.micro", "--cni", "overlay")
        assert done.code == 0
        assert done.stdout.startswith("t3a.micro: 4 pods on an overlay network (recommended 110).\n")
        assert "still calculate max pods from ENIs" in done.stderr
        (row,) = json.loads(maxpods("t3a.micro", "--cni", "overlay", "-o", "json").stdout)["results"]
        assert (row["mode"], row["ip_capacity"], row["max_pods_formula"], row["max_pods"]) == ("overlay", None, None, 4)

    def test_the_name_of_another_cni_says_which_to_write(self) -> None:
        said = "--cni: 'calico' is not one of vpc-cni, cilium, overlay (expected 'overlay' for Calico with VXLAN"
        assert refused("t3a.micro", "--cni", "calico").startswith(said)

    @pytest.mark.parametrize(
        "option", [("--mode", "prefix"), ("--custom-networking",), ("--max-eni", "2"), ("--pod-eni",)], ids=" ".join
    )
    def test_what_has_no_meaning(self, option: tuple[str, ...]) -> None:
        said = f"{option[0]} does not apply with --cni overlay: its pods use no VPC addresses"
        assert refused("m5.large", "--cni", "overlay", *option) == said


class TestWithoutAnEniForPods:
    def test_the_node_never_becomes_ready(self) -> None:
        # m5.large has 3 ENIs: MAX_ENI=1 leaves the primary, which custom networking keeps from pods
        done = maxpods("m5.large", "--custom-networking", "--max-eni", "1", "--mode", "secondary")
        assert done.stdout.startswith(
            "m5.large: 20 pods with secondary IPs (the node never becomes Ready: no ENI is left for pods).\n"
        )
        assert done.stderr == (
            "warning: m5.large: no ENI is left for pods, so the CNI does not start: the node never becomes Ready\n"
        )
        assert "never becomes Ready" in capacity("node", "m5.large", "--custom-networking", "--max-eni", "1").stderr

    @pytest.mark.parametrize(
        "options",
        [
            ("m5.large", "--custom-networking", "--max-eni", "2"),
            ("m5.large", "--max-eni", "1"),
            ("c6g.medium", "--custom-networking"),  # 2 ENIs
            ("c6g.medium", "--pod-eni"),
        ],
        ids=" ".join,
    )
    def test_with_one_it_does(self, options: tuple[str, ...]) -> None:
        assert "never becomes Ready" not in maxpods(*options).stderr

    @pytest.mark.parametrize(
        "options",
        [
            ("c6g.medium", "--custom-networking", "--pod-eni"),  # 2 ENIs: one idle, one for the trunk
            ("hpc6id.32xlarge", "--custom-networking"),  # one ENI
            ("m5.large", "--custom-networking", "--reserved-enis", "2"),
            ("m5.large", "--cni", "cilium", "--cilium", "firstInterfaceIndex=3"),
        ],
        ids=" ".join,
    )
    def test_all_slots_taken(self, options: tuple[str, ...]) -> None:
        assert "never becomes Ready" in maxpods(*options, "--mode", "secondary").stderr
