"""Max pods and allocatable against what upstream's scripts, tests and documents state, every row.

============================  ==========================================================================================
max_pods_script.csv           awslabs/amazon-eks-ami@8e751826~1 templates/al2/runtime/max-pods-calculator.sh, run for
                              73 types with 17 sets of flags; column names: s secondary, p prefix, c custom networking,
                              maxN --cni-max-eni N, vN --cni-version (else 1.18.0), capped without --show-max-allowed
karpenter_allocatable.csv     aws/karpenter-provider-aws@1d927085 website/content/en/docs/reference/instance-types.md
node_stated.csv               a row names its source; where a document contradicts the code, ``value`` is the code's
cel_expressions.csv           a row names its source; an empty value: refused
============================  ==========================================================================================
"""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.node.allocatable import Keep
from capacity.node.max_pods_expression import (
    evaluate_expression,
    karpenter_expression,
    karpenter_max_pods,
    karpenter_resources,
)
from capacity.node.maxpods import MaxPods, max_pods
from capacity.node.offer import offer
from capacity.node.platform import Platform
from capacity.node.reserved import kube_reserved_cpu
from capacity.units import MIB

HERE = Path(__file__).parent
CATALOG = load_catalog()
MODES = {"s": "secondary", "p": "prefix"}


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def script_platform(column: str) -> tuple[Platform, bool]:
    """The platform that a column's flags describe, and whether the figure is capped."""
    match = re.fullmatch(r"([sp])(c?)(?:_max(\d+))?(?:_v(\d+)\.(\d+)\.\d+)?(_capped)?", column)
    assert match is not None, column
    mode, custom, max_eni, major, minor, capped = match.groups()
    too_old = major is not None and (int(major), int(minor)) < (1, 9)  # prefixes came with CNI 1.9.0
    return Platform(
        mode="secondary" if too_old else MODES[mode],
        custom_networking=bool(custom),
        max_eni=None if max_eni is None else int(max_eni),
    ), bool(capped)


SCRIPT = rows("max_pods_script.csv")


@pytest.mark.parametrize("column", [c for c in SCRIPT[0] if c != "instance_type"])
def test_awss_script(column: str) -> None:
    on, capped = script_platform(column)
    differing = set()
    for row in SCRIPT:
        got = max_pods(CATALOG.get(row["instance_type"]), on)
        said = int(row[column])
        ours = got.max_pods_recommended if capped else got.max_pods_formula
        if capped and on.max_eni is None:
            assert got.max_pods == said, row["instance_type"]  # what EKS gives a managed node group
        if ours != said:
            differing.add(row["instance_type"])
    # The script grants prefixes only where EC2 says "nitro"; bare metal has no hypervisor and gets them from the CNI.
    assert differing <= {row["instance_type"] for row in SCRIPT if CATALOG.get(row["instance_type"]).bare_metal}
    if on.mode == "secondary" or (capped and on.max_eni is None):
        assert differing == set()


# Their branch ENIs came to the VPC resource controller's table after Karpenter's page was made.
TRUNKS_SINCE = {"c9gd.large", "r8ib.metal-96xl"}


@pytest.mark.parametrize("row", rows("karpenter_allocatable.csv"), ids=lambda r: r["instance_type"])
def test_karpenters_table(row: dict[str, str]) -> None:
    on = Platform(provisioner="karpenter", pod_eni=True)
    got = offer(CATALOG.get(row["instance_type"]), on)
    assert got.allocatable.cpu_millicores == int(row["cpu_millicores"])
    assert got.allocatable.memory_mib == int(row["memory_mib"])
    assert got.max_pods == int(row["pods"])
    if row["instance_type"] not in TRUNKS_SINCE:
        assert (got.density.branch_enis or 0) == int(row["branch_enis"] or 0)


def keep_of(settings: dict[str, str]) -> Keep:
    eviction = settings.get("eviction", "100")
    share = Fraction(eviction[:-1]) / 100 if eviction.endswith("%") else None
    return Keep(
        overhead_ppm=int(settings.get("overhead", "75000")),
        system_cpu=int(settings.get("system_cpu", "0")),
        system_memory_mib=int(settings.get("system_memory", "0")),
        eviction_mib=100 if share is not None else int(eviction),
        eviction_share=share,
    )


def stated_figures(row: dict[str, str]) -> dict[str, Any]:
    settings = dict(pair.split("=", 1) for pair in row["settings"].split(";") if pair)
    on = Platform(
        mode=settings.get("mode", "secondary"),
        custom_networking="custom_networking" in settings,
        pod_eni="pod_eni" in settings,
        reserved_enis=int(settings.get("reserved_enis", "0")),
        ami=row["ami"],
        provisioner=row["provisioner"],
        expression=settings.get("expression"),
    )
    by_hand = settings.get("set_max_pods")
    got = offer(
        CATALOG.get(row["instance_type"]), on, set_max_pods=(by_hand and int(by_hand)) or None, keep=keep_of(settings)
    )
    left = got.allocatable
    assert left.kube_reserved_memory_mib is not None
    assert left.eviction_mib is not None
    return {name: getattr(got.density, name) for name in MaxPods.__dataclass_fields__} | {
        "max_pods": got.max_pods,
        "allocatable_cpu_millicores": left.cpu_millicores,
        "allocatable_memory_mib": left.memory_mib,
        "kube_reserved_memory_mib": left.kube_reserved_memory_mib,
        "eviction_mib": left.eviction_mib,
        "kube_reserved_and_eviction_mib": left.kube_reserved_memory_mib + left.eviction_mib,
    }


@pytest.mark.parametrize("row", rows("node_stated.csv"), ids=lambda r: f"{r['source'].split('/')[-1]} {r['figure']}")
def test_stated_figure(row: dict[str, str]) -> None:
    found = stated_figures(row)[row["figure"]]
    assert (0 if found is None else found) == int(row["value"] or 0)
    if row["documents_say"]:
        assert found != int(row["documents_say"])


# aws/karpenter-provider-aws@1d927085 suite_test.go L2047, L2062: seen on running nodes; an estimate must not exceed it.
@pytest.mark.parametrize(("name", "memory_kib", "cpu"), [("t4g.small", 1408312, 1930), ("m5.large", 7220184, 1930)])
def test_the_estimate_never_exceeds_what_a_real_node_had(name: str, memory_kib: int, cpu: int) -> None:
    left = offer(CATALOG.get(name), Platform(provisioner="karpenter")).allocatable
    assert left.cpu_millicores is not None
    assert left.memory_mib is not None
    assert left.cpu_millicores <= cpu
    assert left.memory_mib * MIB <= memory_kib * 1024


# bottlerocket-core-kit@a10182f9 sources/api/schnauzer/src/helpers/mod.rs L1906-1909
@pytest.mark.parametrize(("cores", "millicores"), [(0, 0), (1, 60), (3, 75)])
def test_bottlerockets_cpu(cores: int, millicores: int) -> None:
    assert kube_reserved_cpu(cores) == millicores


def expression_value(row: dict[str, str]) -> str:
    numbers: dict[str, int | str] = {
        n: int(row[n]) for n in ("vcpus", "memory_mib", "default_enis", "ips_per_eni", "max_pods") if row[n]
    }
    if row["evaluator"] == "nodeadm":
        enis, ips, pods = (int(row[n]) for n in ("default_enis", "ips_per_eni", "max_pods"))
        return str(evaluate_expression(row["expression"], enis, ips, pods))
    if row["instance_type"]:
        numbers["instance_type"] = row["instance_type"]
    if row["evaluator"] == "karpenter":
        return str(karpenter_expression(row["expression"], numbers))
    if row["evaluator"] == "karpenter-max-pods":
        return str(karpenter_max_pods(row["expression"], numbers))
    return karpenter_resources({row["evaluator"]: row["expression"]}, numbers).get(row["evaluator"], "")


@pytest.mark.parametrize("row", rows("cel_expressions.csv"), ids=lambda r: f"{r['evaluator']} {r['expression']}")
def test_expression(row: dict[str, str]) -> None:
    if row["value"] or row["evaluator"] in ("cpu", "memory"):  # a resource that fails is left out, not refused
        assert expression_value(row) == row["value"]
    else:
        with pytest.raises(SpecError, match="the expression"):
            expression_value(row)
