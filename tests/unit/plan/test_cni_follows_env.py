"""The CNI of a plan: what it does is worked out from what is stated, so that the two cannot contradict each other."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import Cni


def test_a_changed_environment_changes_the_settings() -> None:
    cni = Cni(env={"WARM_IP_TARGET": "2"})
    assert (cni.settings.warm_ip, cni.settings.prefix) == (2, False)
    changed = replace(cni, env={"ENABLE_PREFIX_DELEGATION": "true"})
    assert (changed.settings.warm_ip, changed.settings.prefix) == (0, True)


def test_a_changed_config_map_changes_windows_nodes() -> None:
    assert replace(Cni(), config_map={"warm-ip-target": "7"}).windows.warm_ip == 7


def test_the_family_is_part_of_the_settings() -> None:
    assert Cni(ip_family="ipv6").settings.ipv6
    with pytest.raises(SpecError, match="contradicts ipFamily ipv4"):
        Cni(env={"ENABLE_IPv6": "true"}, ip_family="ipv4")


@pytest.mark.parametrize("derived", ["settings", "windows"])
def test_what_follows_cannot_be_given(derived: str) -> None:
    assert not next(f for f in fields(Cni) if f.name == derived).init
    with pytest.raises((TypeError, ValueError)):
        replace(Cni(), **{derived: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("beside", [{"env": {"WARM_IP_TARGET": "2"}}, {"config_map": {"warm-ip-target": "7"}}])
def test_another_cni_has_no_variables_of_the_vpc_cni(beside: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="have no effect with overlay"):
        Cni(own=CniSettings(overlay=True), **beside)
