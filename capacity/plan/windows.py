"""Reads the VPC resource controller's settings for Windows nodes: ConfigMap kube-system/amazon-vpc-cni.

The environment of aws-node does not affect Windows nodes. A key that is not set has the chart's value; a value that the
controller discards is replaced in the same way, with a warning.

Source: aws/amazon-vpc-resource-controller-k8s@2c6894c pkg/config/loader.go ParseWinIPTargetConfigs, type.go;
docs/windows/prefix_delegation_config_options.md, secondary_ip_mode_config_options.md;
aws/amazon-vpc-cni-k8s@b5218838 charts/aws-vpc-cni/templates/configmap.yaml, values.yaml L126-133.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from capacity.errors import SpecError, check_count, check_switch, did_you_mean

CONFIG_MAP = "amazon-vpc-cni"
ENABLED, PREFIXES = "enable-windows-ipam", "enable-windows-prefix-delegation"
WARM_IP, MINIMUM_IP, WARM_PREFIX = "warm-ip-target", "minimum-ip-target", "warm-prefix-target"
TARGETS = (WARM_IP, MINIMUM_IP, WARM_PREFIX)
# In the same ConfigMap, without effect on the addresses of Windows nodes
OTHERS = ("branch-eni-cooldown", "enable-network-policy-controller")
KEYS = (ENABLED, PREFIXES, *TARGETS, *(f"windows-{name}" for name in TARGETS), *OTHERS)
CHART_VALUES = {  # values of the Helm chart and the EKS add-on's configuration, by ConfigMap key
    "enableWindowsIpam": ENABLED,
    "enableWindowsPrefixDelegation": PREFIXES,
    "warmWindowsIPTarget": WARM_IP,
    "minimumWindowsIPTarget": MINIMUM_IP,
    "warmWindowsPrefixTarget": WARM_PREFIX,
}

_ATOI = re.compile(r"^[+-]?[0-9]{1,9}$")
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def of_chart_values(values: Mapping[str, object]) -> dict[str, str]:
    """The ConfigMap keys for values of the chart or the EKS add-on.

    >>> of_chart_values({"enableWindowsPrefixDelegation": True, "warmWindowsIPTarget": 5, "env": {}})
    {'enable-windows-prefix-delegation': 'true', 'warm-ip-target': '5'}
    """
    found = ((key, values.get(name)) for name, key in CHART_VALUES.items())
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in found
        if isinstance(value, (str, int))
    }


def to_chart_values(data: Mapping[str, str]) -> dict[str, str]:
    """The values of the chart or the EKS add-on for these ConfigMap keys.

    >>> to_chart_values({"warm-ip-target": "5", "branch-eni-cooldown": "60"})
    {'warmWindowsIPTarget': '5'}
    """
    return {name: data[key] for name, key in CHART_VALUES.items() if key in data}


def of_config_map(data: Mapping[str, object]) -> dict[str, str]:
    """The ConfigMap keys that affect the addresses of Windows nodes."""
    return {k: str(v) for k, v in data.items() if k in KEYS and k not in OTHERS and isinstance(v, (str, int))}


@dataclass(frozen=True, slots=True)
class WindowsIpam:
    """The controller's settings for the addresses of a Windows node; the defaults are the chart's.

    Attributes
    ----------
    prefix : bool
        /28 prefixes instead of single secondary IPs.
    warm_ip, minimum_ip : int
        Addresses to keep free, and the minimum to hold; both 0 if whole prefixes are kept. [addresses]
    warm_prefix : int
        Prefixes to keep wholly free; applies only if the other two are 0. [prefixes]
    enabled : bool
        Whether the controller serves Windows nodes at all.
    """

    prefix: bool = False
    warm_ip: int = 1
    minimum_ip: int = 3
    warm_prefix: int = 0
    enabled: bool = True

    def __post_init__(self) -> None:
        for name in ("warm_ip", "minimum_ip", "warm_prefix"):
            check_count(name, getattr(self, name))
        for name in ("prefix", "enabled"):
            check_switch(name, getattr(self, name))


CHART_DEFAULT = WindowsIpam()


def check_key(name: str, where: str = "") -> None:
    """Refuse a key that the ConfigMap does not have."""
    if name not in KEYS:
        hint = did_you_mean(name, KEYS) or f" (known: {', '.join(KEYS)})"
        raise SpecError(f"{where + ': ' if where else ''}{name!r} is not a key of ConfigMap {CONFIG_MAP}{hint}")


def windows_ipam(data: Mapping[str, str]) -> tuple[WindowsIpam, list[str]]:
    """The ConfigMap's data as the controller reads it, with a warning for each value without effect.

    Notes
    -----
    A target without the prefix ``windows-`` takes precedence over one with it. In prefix mode the two IP
    targets replace the prefix target wherever one of them is above 0; the other then has the controller's default. With
    single addresses, at least one is always kept warm.

    Examples
    --------
    >>> windows_ipam({"enable-windows-prefix-delegation": "true"})[0]
    WindowsIpam(prefix=True, warm_ip=1, minimum_ip=3, warm_prefix=0, enabled=True)
    """
    for name in data:
        check_key(name)
    warnings: list[str] = []
    enabled = _switch(data, ENABLED, warnings, default=True)
    prefix = _switch(data, PREFIXES, warnings, default=False)
    warm = _target(data, WARM_IP, 1, 1 if prefix else 3, warnings)
    least = _target(data, MINIMUM_IP, 3, 3, warnings)
    whole = _target(data, WARM_PREFIX, 0, 0, warnings)
    if not prefix:
        if whole and WARM_PREFIX in data:
            warnings.append(f"{WARM_PREFIX}={whole} has no effect on Windows: {PREFIXES} is not true")
        return WindowsIpam(
            prefix=False, warm_ip=max(warm, 1), minimum_ip=least, warm_prefix=0, enabled=enabled
        ), warnings
    if whole and not warm and not least:
        return WindowsIpam(prefix=True, warm_ip=0, minimum_ip=0, warm_prefix=whole, enabled=enabled), warnings
    if whole:
        wins = f"{WARM_IP}={warm} and {MINIMUM_IP}={least} take precedence (set both to 0 to use it)"
        warnings.append(f"{WARM_PREFIX}={whole} has no effect on Windows: {wins}")
    return WindowsIpam(prefix=True, warm_ip=warm or 1, minimum_ip=least or 3, warm_prefix=0, enabled=enabled), warnings


def _switch(data: Mapping[str, str], name: str, warnings: list[str], *, default: bool) -> bool:
    """A switch as Go's ``strconv.ParseBool`` reads it; other text is false."""
    text = data.get(name)
    if text is None or text in _TRUE or text in _FALSE:
        return default if text is None else text in _TRUE
    warnings.append(f"{name}={text!r} is not a boolean: the VPC resource controller uses false")
    return False


def _target(data: Mapping[str, str], name: str, chart: int, code: int, warnings: list[str]) -> int:
    """A target as written; the chart's value if not set, the controller's default if it discards the text."""
    given = name if name in data else f"windows-{name}"
    text = data.get(given)
    if text is None:
        return chart
    if _ATOI.match(text) and int(text) >= 0:
        return int(text)
    warnings.append(f"{given}={text!r} is not a number the VPC resource controller accepts: it uses {code}")
    return code
