"""Converts the CNI's environment variables to numbers.

A variable that is not set has the chart's value; an empty variable has the code's default. A value that the CNI
discards is replaced in the same way, with a warning. Sources: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go (line
numbers next to each variable) and charts/aws-vpc-cni/values.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from capacity.brief import changed_fields
from capacity.errors import SpecError, check_count, check_kind, check_switch, check_word, did_you_mean
from capacity.plan import overlay
from capacity.plan.cilium import AGENT, CiliumIpam
from capacity.plan.constants import CILIUM, IP_FAMILIES, OVERLAY, VPC_CNI
from capacity.plan.windows import CHART_DEFAULT, WindowsIpam

# Variables of the CNI's README or chart that do not affect address counts, or that the DaemonSet's manifest and
# credential webhooks set: a cluster's environment can be pasted unchanged.
OTHER_VARIABLES = frozenset(
    [
        "ADDITIONAL_ENI_TAGS",
        "ANNOTATE_POD_IP",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_ENDPOINT",
        "AWS_EXTERNAL_SERVICE_CIDRS",
        "AWS_MANAGE_ENIS_NON_SCHEDULABLE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_VPC_CNI_NODE_PORT_SUPPORT",
        "AWS_VPC_ENI_MTU",
        "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER",
        "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS",
        "AWS_VPC_K8S_CNI_EXTERNALSNAT",
        "AWS_VPC_K8S_CNI_LOGLEVEL",
        "AWS_VPC_K8S_CNI_LOG_FILE",
        "AWS_VPC_K8S_CNI_RANDOMIZESNAT",
        "AWS_VPC_K8S_CNI_VETHPREFIX",
        "AWS_VPC_K8S_PLUGIN_LOG_FILE",
        "AWS_VPC_K8S_PLUGIN_LOG_LEVEL",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "CLUSTER_ENDPOINT",
        "CLUSTER_NAME",
        "DISABLE_CONTAINER_V6",
        "DISABLE_INTROSPECTION",
        "DISABLE_LEAKED_ENI_CLEANUP",
        "DISABLE_METRICS",
        "DISABLE_NETWORK_RESOURCE_PROVISIONING",
        "DISABLE_POD_V6",
        "DISABLE_TCP_EARLY_DEMUX",
        "ENABLE_BANDWIDTH_PLUGIN",
        "ENABLE_IMDS_ONLY_MODE",
        "ENABLE_MULTI_NIC",
        "ENABLE_NFTABLES",
        "ENABLE_SUBNET_DISCOVERY",
        "ENABLE_V4_EGRESS",
        "ENABLE_V6_EGRESS",
        "ENI_CONFIG_ANNOTATION_DEF",
        "ENI_CONFIG_LABEL_DEF",
        "HOST_CNI_BIN_PATH",
        "HOST_CNI_CONFDIR_PATH",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "INTROSPECTION_BIND_ADDRESS",
        "IP_COOLDOWN_PERIOD",
        "K8S_NODE_NAME",
        "MANAGE_UNTAGGED_ENI",
        "MY_NODE_NAME",
        "MY_POD_NAME",
        "MY_POD_NAMESPACE",
        "NETWORK_POLICY_ENFORCING_MODE",
        "NO_PROXY",
        "POD_SECURITY_GROUP_ENFORCING_MODE",
        "USE_CUSTOM_ENDPOINT",
        "VPC_CNI_VERSION",
        "VPC_ID",
    ]
)


@dataclass(frozen=True, slots=True, repr=False)
class CniSettings:
    """The CNI's settings that decide the addresses of one node.

    Attributes
    ----------
    prefix : bool
        ENABLE_PREFIX_DELEGATION: /28 prefixes instead of single secondary IPs.
    custom_networking : bool
        AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: pods on the ENIConfig's subnet, none on the primary ENI.
    pod_eni : bool
        ENABLE_POD_ENI: a trunk uses one ENI slot on trunk-capable types.
    ipv6 : bool
        ENABLE_IPv6: pods use no IPv4 address.
    warm_eni, warm_ip, minimum_ip, warm_prefix : int
        WARM_ENI_TARGET [ENIs], WARM_IP_TARGET, MINIMUM_IP_TARGET [addresses], WARM_PREFIX_TARGET [prefixes];
        0 means "not set" for WARM_IP_TARGET and MINIMUM_IP_TARGET.
    max_eni : int or None
        MAX_ENI; None for the limit of the instance type. [ENIs]
    cilium : CiliumIpam or None
        Cilium's settings if Cilium manages the addresses (ENI mode); of the other fields only ``prefix`` then applies.
    overlay : bool
        Another CNI gives pods addresses of a separate network; the other fields then do not apply.
    windows : WindowsIpam
        Settings of the VPC resource controller; only these apply on a Windows node, not ``prefix`` or the rest.
    """

    prefix: bool = False
    custom_networking: bool = False
    pod_eni: bool = False
    ipv6: bool = False
    warm_eni: int = 1
    warm_ip: int = 0
    minimum_ip: int = 0
    warm_prefix: int = 1
    max_eni: int | None = None
    cilium: CiliumIpam | None = None
    windows: WindowsIpam = CHART_DEFAULT
    overlay: bool = False

    def __post_init__(self) -> None:
        for name in ("prefix", "custom_networking", "pod_eni", "ipv6", "overlay"):
            check_switch(name, getattr(self, name))
        for name in ("warm_eni", "warm_ip", "minimum_ip", "warm_prefix"):
            check_count(name, getattr(self, name))
        if self.max_eni is not None:
            check_count("max_eni", self.max_eni, 1, "ENIs")
        if self.cilium is not None:
            check_kind("cilium", self.cilium, CiliumIpam, "what cilium_settings(...) gives, or None")
        check_kind("windows", self.windows, WindowsIpam, "a WindowsIpam")
        if self.overlay and self.cilium is not None:
            raise SpecError("cilium and overlay cannot be combined: a node has one CNI")

    def __repr__(self) -> str:
        return changed_fields(self)

    @property
    def cni(self) -> str:
        """The CNI that runs: one of :data:`~capacity.plan.constants.CNIS`. All code that needs to know asks here."""
        if self.overlay:
            return OVERLAY
        return VPC_CNI if self.cilium is None else CILIUM

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the CNI's DaemonSet, which is host-network on every Linux node; capacity uses the first."""
        return {VPC_CNI: ("aws-node",), CILIUM: (AGENT,), OVERLAY: overlay.AGENTS}[self.cni]

    @property
    def spares_subnets(self) -> bool:
        """Whether pods use no IPv4 address of the VPC's subnets."""
        return self.ipv6 or self.cni == OVERLAY

    @property
    def ip_targets(self) -> bool:
        """Whether WARM_IP_TARGET or MINIMUM_IP_TARGET replace the ENI and prefix targets (ipamd.go L1941-1943)."""
        return self.warm_ip != 0 or self.minimum_ip != 0


def check_settings(value: object, what: str = "settings") -> None:
    """Refuse anything but :class:`CniSettings`, such as an environment."""
    check_kind(what, value, CniSettings, "a CniSettings, such as cni_settings({...})[0]")


# variable -> (field, value in the chart, value in the code, smallest value the code accepts)
_NUMBERS: dict[str, tuple[str, int | None, int | None, int]] = {
    "WARM_ENI_TARGET": ("warm_eni", 1, 1, 0),  # ipamd.go L107-108, L1424-1439; values.yaml L90
    "WARM_IP_TARGET": ("warm_ip", 0, 0, 0),  # L79-80, L2029-2042
    "MINIMUM_IP_TARGET": ("minimum_ip", 0, 0, 0),  # L90-91, L2044-2057
    "WARM_PREFIX_TARGET": ("warm_prefix", 1, 0, 0),  # L151-152, L1441-1456; values.yaml L91
    "MAX_ENI": ("max_eni", None, None, 1),  # L114-115, L1406-1422
}
_SWITCHES = {
    "ENABLE_PREFIX_DELEGATION": "prefix",  # L148, L2095
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "custom_networking",  # L119, L1997
    "ENABLE_POD_ENI": "pod_eni",  # L142, L2076
    "ENABLE_IPv6": "ipv6",  # L155-158
}
CNI_VARIABLES = frozenset(_NUMBERS) | frozenset(_SWITCHES) | {"ENABLE_IPv4"} | OTHER_VARIABLES

_ATOI = re.compile(r"^[+-]?[0-9]{1,18}$")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def parse_env_number(name: str, text: str | None) -> tuple[int | None, str | None]:
    """Value of a numeric variable as ipamd reads it, and a warning if ipamd discards the text.

    >>> parse_env_number("WARM_ENI_TARGET", "-3")[0], parse_env_number("WARM_PREFIX_TARGET", "")[0]
    (1, 0)
    """
    _, chart, code, low = _NUMBERS[name]
    if text is None:
        return chart, None
    if text == "":
        return code, None
    if _ATOI.match(text) and int(text) >= low:
        return int(text), None
    meaning = "the limit of the instance type" if code is None else str(code)
    return code, f"{name}={text!r} is not a number the CNI accepts: it uses {meaning}"


def parse_env_switch(name: str, text: str | None, *, default: bool = False) -> tuple[bool, str | None]:
    """Value of a boolean variable as Go's ``strconv.ParseBool`` reads it, and a warning for other text."""
    if text is None or text == "":
        return default, None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE, None
    return default, f"{name}={text!r} is not a boolean: the CNI uses {str(default).lower()}"


def subnet_discovery_switch(env: Mapping[str, str | None]) -> tuple[bool, str | None]:
    """Whether ENABLE_SUBNET_DISCOVERY is on (the default), and a warning for other text.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 ipamd.go L125, L2007.

    Examples
    --------
    >>> subnet_discovery_switch({}), subnet_discovery_switch({"ENABLE_SUBNET_DISCOVERY": "false"})
    ((True, None), (False, None))
    """
    return parse_env_switch("ENABLE_SUBNET_DISCOVERY", env.get("ENABLE_SUBNET_DISCOVERY"), default=True)


def check_variable(name: str, where: str = "") -> None:
    """Refuse a name that is in neither the CNI's README nor its chart."""
    if name not in CNI_VARIABLES:
        hint = did_you_mean(name, CNI_VARIABLES)
        raise SpecError(f"{where + ': ' if where else ''}{name!r} is not a variable of the VPC CNI{hint}")


def cni_settings(
    env: Mapping[str, str | None], where: str = "", ip_family: str | None = None
) -> tuple[CniSettings, list[str]]:
    """The CNI's environment as settings, with a warning for each value that is replaced.

    Parameters
    ----------
    env : mapping of str to str or None
        Variables as set; a missing variable has the chart's value.
    where : str
        Place of the environment in its file, for messages.
    ip_family : {'ipv4', 'ipv6'}, optional
        The cluster's IP family, if known.

    Raises
    ------
    SpecError
        An unknown name, or settings with which ipamd does not start (ipamd.go L2755-2782).
    """
    warnings: list[str] = []
    values: dict[str, int | bool | None] = {}
    if ip_family is not None:
        check_word("ip_family", ip_family, IP_FAMILIES)
    check_kind(where or "env", env, Mapping, "a mapping of variables to text, such as {'WARM_IP_TARGET': '2'}")
    for name, text in env.items():
        check_variable(name, where)
        if text is not None and not isinstance(text, str):
            raise SpecError(f"{where + ': ' if where else ''}{name}: {text!r} is not text (expected {str(text)!r})")
    for name, (attribute, *_) in _NUMBERS.items():
        values[attribute], warning = parse_env_number(name, env.get(name))
        warnings += [warning] if warning else []
    for name, attribute in _SWITCHES.items():
        values[attribute], warning = parse_env_switch(name, env.get(name))
        warnings += [warning] if warning else []
    _, warning = subnet_discovery_switch(env)
    warnings += [warning] if warning else []
    _settle_family(env, values, ip_family, f"{where}: " if where else "")
    return CniSettings(**values), warnings  # type: ignore[arg-type]


def _settle_family(
    env: Mapping[str, str | None], values: dict[str, int | bool | None], family: str | None, place: str
) -> None:
    """Check ipamd's rules for IPv6: exactly one family, prefix delegation on, no custom networking."""
    if family is not None and env.get("ENABLE_IPv6") not in (None, "") and values["ipv6"] != (family == "ipv6"):
        raise SpecError(f"{place}ENABLE_IPv6={env['ENABLE_IPv6']} contradicts ipFamily {family}")
    values["ipv6"] = bool(values["ipv6"]) or family == "ipv6"
    ipv4, _ = parse_env_switch("ENABLE_IPv4", env.get("ENABLE_IPv4"), default=not values["ipv6"])
    if ipv4 == values["ipv6"]:
        both = "both true" if ipv4 else "both false"
        raise SpecError(f"{place}ENABLE_IPv4 and ENABLE_IPv6 are {both}: the CNI needs exactly one")
    if not values["ipv6"]:
        return
    if env.get("ENABLE_PREFIX_DELEGATION") in _FALSE:
        raise SpecError(f"{place}IPv6 needs ENABLE_PREFIX_DELEGATION=true: the CNI does not start without it")
    if values["custom_networking"]:
        raise SpecError(
            f"{place}IPv6 and AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=true cannot be combined: the CNI does not start"
        )
    values["prefix"] = True
