"""The library refuses nonsense where it is given, with the name of the argument and the nearest valid word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import capacity
from capacity.errors import did_you_mean

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
M5 = capacity.load_catalog().get("m5.large")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            lambda: capacity.Platform(provisioner="karpentr"),
            "provisioner: 'karpentr' is not one of managed, self-managed, karpenter, auto (did you mean 'karpenter'?)",
        ),
        (
            lambda: capacity.Platform(ami="al2032"),
            "ami: 'al2032' is not one of al2023, al2, bottlerocket, windows (did you mean 'al2023'?)",
        ),
        (
            lambda: capacity.Platform(mode="prefixes"),
            "mode: 'prefixes' is not one of secondary, prefix, ipv6, overlay (did you mean 'prefix'?)",
        ),
        (lambda: capacity.Platform(reserved_enis=-1), "reserved_enis: -1 is less than 0"),
        (lambda: capacity.Platform(max_eni=0), "max_eni: 0 is less than 1"),
        (lambda: capacity.Platform(host_pods=-1), "host_pods: -1 is less than 0"),
        (lambda: capacity.CniSettings(warm_eni=-2), "warm_eni: -2 is less than 0"),
        (lambda: capacity.CniSettings(warm_ip=-1), "warm_ip: -1 is less than 0"),
        (lambda: capacity.CniSettings(minimum_ip=-1), "minimum_ip: -1 is less than 0"),
        (lambda: capacity.CniSettings(warm_prefix=-1), "warm_prefix: -1 is less than 0"),
        (lambda: capacity.CniSettings(max_eni=0), "max_eni: 0 is less than 1"),
        (lambda: capacity.PodAsked(cpu=-5), "cpu: -5 is less than 0"),
        (lambda: capacity.PodAsked(memory=0.5), "memory: 0.5 is not a whole number of bytes"),  # type: ignore[arg-type]
        (lambda: capacity.PodAsked(volumes=-1), "volumes: -1 is less than 0"),
        (lambda: capacity.Daemon("agent", cpu=-1), "daemonset agent: cpu: -1 is less than 0"),
        (lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=-3, max_pods=29), "pods: -3 is less than 0"),
        (lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=3, max_pods=-1), "max_pods: -1 is less than 0"),
        (
            lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=True, max_pods=29),
            "pods: True is not a whole number",
        ),
        (
            lambda: capacity.node_pool(M5, capacity.CniSettings(), 3, 29, os="windos"),
            "os: 'windos' is not one of linux, windows (did you mean 'windows'?)",
        ),
    ],
)
def test_an_argument_without_sense_is_refused(made: Callable[[], object], said: str) -> None:
    with pytest.raises(capacity.SpecError) as caught:
        made()
    assert str(caught.value) == said


def test_the_least_that_makes_sense_is_accepted() -> None:
    capacity.Platform(reserved_enis=0, max_eni=1, host_pods=0)
    capacity.CniSettings(warm_eni=0, warm_ip=0, minimum_ip=0, warm_prefix=0, max_eni=1)
    capacity.PodAsked(cpu=0, memory=0, volumes=0)
    assert capacity.node_pool(M5, capacity.CniSettings(), pods=0, max_pods=0).assigned == 0


def test_a_plan_is_checked_by_its_path_and_asked_by_name() -> None:
    result = capacity.check(str(EXAMPLE))
    assert result == capacity.check(EXAMPLE) == capacity.check(capacity.read_plan(EXAMPLE))
    assert result["peak"].subnet("private-b").free == -43
    assert result["peak"].group("general").nodes == result.scenarios[1].groups[0].nodes
    assert result["zone-loss (us-east-1b)"].lost_zones == ("us-east-1b",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda r: r["paek"], "scenario 'paek' was not checked (did you mean 'peak'?) (checked: steady, peak, "),
        (lambda r: r["zone-loss"], "scenario 'zone-loss' has several variants (checked: zone-loss (us-east-1a), "),
        (lambda r: r["peak"].subnet("private-d"), "there is no subnet 'private-d' (did you mean 'private-"),
        (lambda r: r["peak"].group("genral"), "there is no node group 'genral' (did you mean 'general'?)"),
    ],
)
def test_a_name_that_a_result_lacks_is_refused(asked: Callable[[capacity.CheckResult], object], said: str) -> None:
    with pytest.raises(capacity.SpecError) as caught:
        asked(capacity.check(EXAMPLE))
    assert str(caught.value).startswith(said)


def test_results_show_themselves_in_a_line() -> None:
    result = capacity.check(EXAMPLE)
    assert repr(result) == f"<CheckResult of shop-prod: exhausted, {len(result.scenarios)} scenarios>"
    assert repr(result["peak"]) == "<ScenarioState peak: exhausted, 3 subnets>"


def test_only_a_near_name_is_meant() -> None:
    assert did_you_mean("stedy", ["steady", "peak"]) == " (did you mean 'steady'?)"
    assert did_you_mean("xyz", ["steady", "peak"]) == ""
