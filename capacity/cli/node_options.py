"""Options shared by `maxpods` and `node`, and how they combine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from capacity.cli.options import one_of, whole, words
from capacity.errors import SpecError
from capacity.plan.constants import AMIS, NODE_PROVISIONERS, OVERLAY, SYSTEMS

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.node.platform import Platform
    from capacity.plan.cni_env import CniSettings


def complete_types(incomplete: str) -> list[str]:
    """Instance types for shell completion."""
    from capacity.catalog.table import load_catalog

    return [n for n in load_catalog().names() if n.startswith(incomplete)]


Types = Annotated[
    list[str] | None,
    typer.Argument(
        help="Instance types, or quoted patterns such as 'm5.*'.",
        metavar="TYPE...",
        autocompletion=complete_types,
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All instance types.")]
CustomNetworking = Annotated[
    bool, typer.Option("--custom-networking", help="Custom networking: AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG=true.")
]
MaxEni = Annotated[
    int | None, typer.Option("--max-eni", help="Maximum ENIs of a node: MAX_ENI.", metavar="N", show_default=False)
]
ReservedEnis = Annotated[
    int, typer.Option("--reserved-enis", help="ENIs not available to pods (Karpenter: RESERVED_ENIS).", metavar="N")
]
PodEni = Annotated[
    bool, typer.Option("--pod-eni", help="ENABLE_POD_ENI=true: security groups for pods; the trunk uses one ENI.")
]
Os = Annotated[
    str | None,
    typer.Option(
        "--os",
        help="linux or windows.",
        metavar="OS",
        show_default=False,
        autocompletion=words(*SYSTEMS),
    ),
]
Ami = Annotated[
    str | None,
    typer.Option(
        "--ami",
        help="al2023 (default), al2, bottlerocket or windows.",
        metavar="FAMILY",
        show_default=False,
        autocompletion=words(*AMIS),
    ),
]
Provisioner = Annotated[
    str | None,
    typer.Option(
        "--provisioner",
        help="managed (default), self-managed, karpenter or auto (EKS Auto Mode).",
        metavar="WHO",
        show_default=False,
        autocompletion=words(*NODE_PROVISIONERS),
    ),
]
Expression = Annotated[
    str | None,
    typer.Option(
        "--expression",
        help="nodeadm's maxPodsExpression (CEL over default_enis, ips_per_eni, max_pods).",
        metavar="CEL",
        show_default=False,
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", help="Environment variable of the CNI, NAME=VALUE. Repeatable.", metavar="NAME=VALUE"),
]


Cni = Annotated[
    str,
    typer.Option(
        "--cni",
        help="vpc-cni, cilium (ENI mode) or overlay (pods use no VPC addresses).",
        metavar="NAME",
        autocompletion=words("vpc-cni", "cilium", "overlay"),
    ),
]
Cilium = Annotated[
    list[str] | None,
    typer.Option(
        "--cilium",
        help="With --cni cilium: a setting such as firstInterfaceIndex=1, preAllocate=8. Repeatable.",
        metavar="KEY=VALUE",
    ),
]


class Asked(NamedTuple):
    """The shared options as given."""

    mode: str | None = None
    custom_networking: bool = False
    max_eni: int | None = None
    reserved_enis: int = 0
    pod_eni: bool = False
    os: str | None = None
    ami: str | None = None
    provisioner: str | None = None
    expression: str | None = None
    env: Sequence[str] = ()
    cni: str = "vpc-cni"
    cilium: Sequence[str] = ()
    host_pods: int | None = None


def select_types(names: Sequence[str] | None, *, everything: bool) -> list[InstanceType]:
    """The requested types, each once, in the requested order."""
    from capacity.catalog.table import load_catalog

    catalog = load_catalog()
    if everything:
        if names:
            raise SpecError("give instance types or --all, not both")
        return catalog.all()
    if not names:
        raise SpecError("no instance type given (expected something like m5.large, 'm5.*' or --all)")
    found: dict[str, InstanceType] = {}
    for name in names:
        for kind in catalog.match(name) if any(c in name for c in "*?[") else [catalog.get(name)]:
            found[kind.name] = kind
    return list(found.values())


def resolve(asked: Asked) -> tuple[Platform, CniSettings, list[str]]:
    """The platform and the CNI's settings, and the notes to print.

    Raises
    ------
    SpecError
        An unknown word, a number out of range, or options that contradict each other.
    """
    from capacity.node.platform import Platform
    from capacity.plan.cni_env import cni_settings

    whole("--max-eni", asked.max_eni, 1)
    whole("--host-pods", asked.host_pods)
    whole("--reserved-enis", asked.reserved_enis)
    if asked.expression is not None and not asked.expression.strip():
        raise SpecError("--expression is empty (expected CEL such as 'max_pods < 110 ? max_pods : 110')")
    notes: list[str] = []
    provisioner = asked.provisioner
    if provisioner is not None and one_of("--provisioner", provisioner, NODE_PROVISIONERS) == "auto":
        settings, warnings = _auto(asked)
    elif _ami(asked, AMIS) == "windows" and _cni(asked) != "overlay":
        settings, warnings = _windows(asked), []
    elif _cni(asked) == "overlay":
        settings, warnings = _overlay(asked)
    elif asked.cni == "cilium":
        settings, warnings = _cilium(asked)
    elif asked.cilium:
        raise SpecError("--cilium needs --cni cilium")
    else:
        settings, warnings = cni_settings(environment(asked), "--env")
    if asked.expression is not None and provisioner is None:
        provisioner = "self-managed"
        notes.append(
            "--expression applies to self-managed nodes (nodeadm), so --provisioner self-managed is assumed: a managed "
            "node group ignores it"
        )
    platform = Platform(
        mode=_mode(settings),
        custom_networking=settings.custom_networking,
        pod_eni=settings.pod_eni,
        max_eni=settings.max_eni,
        reserved_enis=asked.reserved_enis,
        ami=_ami(asked, AMIS),
        provisioner=provisioner or "managed",
        expression=asked.expression,
        cilium=settings.cilium,
        host_pods=asked.host_pods,
    )
    return platform, settings, [*notes, *warnings]


def _mode(settings: CniSettings) -> str:
    """The mode that the settings amount to."""
    if settings.cni == OVERLAY:
        return OVERLAY
    return "ipv6" if settings.ipv6 else "prefix" if settings.prefix else "secondary"


def _cni(asked: Asked) -> str:
    """The CNI's name in this package; other known names are mapped to it."""
    from capacity.plan.cni_names import which_name
    from capacity.plan.constants import CNIS

    if asked.cni not in CNIS:
        raise SpecError(f"--cni: {asked.cni!r} is not one of {', '.join(CNIS)}{which_name(asked.cni)}")
    return asked.cni


def _overlay(asked: Asked) -> tuple[CniSettings, list[str]]:
    """Settings of an overlay CNI; options about ENIs that serve pods are refused."""
    from capacity.plan.cni_env import CniSettings

    for option, given in (
        ("--env", asked.env),
        ("--mode", asked.mode is not None),
        ("--custom-networking", asked.custom_networking),
        ("--max-eni", asked.max_eni is not None),
        ("--pod-eni", asked.pod_eni),
        ("--cilium", asked.cilium),
    ):
        if given:
            raise SpecError(f"{option} does not apply with --cni overlay: its pods use no VPC addresses")
    note = "EKS, the AMI and Karpenter still calculate max pods from ENIs: set max pods explicitly"
    return CniSettings(overlay=True), [f"overlay CNI: {note}"]


def _auto(asked: Asked) -> tuple[CniSettings, list[str]]:
    """Settings of EKS Auto Mode; options that it sets itself are refused."""
    from capacity.cni.on_node import auto_mode_settings

    for option, given in (
        ("--env", asked.env),
        ("--custom-networking", asked.custom_networking),
        ("--max-eni", asked.max_eni is not None),
        ("--reserved-enis", asked.reserved_enis),
        ("--pod-eni", asked.pod_eni),
        ("--cni", asked.cni != "vpc-cni"),
        ("--cilium", asked.cilium),
        ("--expression", asked.expression is not None),
        ("--host-pods", asked.host_pods is not None),
        ("--ami", asked.ami is not None),
        ("--os windows", asked.os == "windows"),
    ):
        if given:
            raise SpecError(f"{option} contradicts --provisioner auto: EKS Auto Mode has a built-in AMI and CNI")
    if asked.mode == "secondary":
        raise SpecError("--mode secondary contradicts --provisioner auto: EKS Auto Mode assigns prefixes")
    return auto_mode_settings(ipv6=asked.mode == "ipv6"), []


def _windows(asked: Asked) -> CniSettings:
    """Settings of the VPC resource controller; aws-node's settings do not affect Windows nodes."""
    from capacity.cni.on_node import windows_node_settings
    from capacity.plan.windows import CONFIG_MAP, PREFIXES, WindowsIpam

    for given, what in (
        (asked.mode == "ipv6", "IPv6"),
        (asked.custom_networking, "custom networking"),
        (asked.pod_eni, "security groups for pods"),
        (asked.cni == "cilium", "Cilium"),
    ):
        if given:
            raise SpecError(f"Windows nodes do not support {what}")
    for option, aws_node in (("--env", asked.env), ("--max-eni", asked.max_eni is not None)):
        if aws_node:
            raise SpecError(
                f"{option} is a variable of aws-node, which does not run on Windows nodes: set keys of ConfigMap "
                f"{CONFIG_MAP} (--mode prefix is {PREFIXES})"
            )
    return windows_node_settings(WindowsIpam(prefix=asked.mode == "prefix"))


def _cilium(asked: Asked) -> tuple[CniSettings, list[str]]:
    """Cilium's settings from --cilium; options of the VPC CNI are refused."""
    from capacity.plan.cilium_settings import NUMBERS, PREFIXES, cilium_settings

    for option, given in (
        ("--env", asked.env),
        ("--custom-networking", asked.custom_networking),
        ("--max-eni", asked.max_eni is not None),
        ("--pod-eni", asked.pod_eni),
    ):
        if given:
            raise SpecError(f"{option} is an option of the VPC CNI (with --cni cilium use --cilium KEY=VALUE)")
    if asked.mode == "ipv6":
        raise SpecError("--mode ipv6 is not modelled with Cilium's ENI mode (expected secondary or prefix)")
    values: dict[str, int | bool] = {}
    for text in asked.cilium:
        name, sign, value = text.partition("=")
        if not sign:
            raise SpecError(f"--cilium: {text!r} is not KEY=VALUE (such as firstInterfaceIndex=1)")
        if name in values:
            raise SpecError(f"--cilium: duplicate {name}")
        if name in NUMBERS:
            if not value.isascii() or not value.isdigit() or len(value) > 18:
                raise SpecError(f"--cilium {name}: expected a whole number, found {value!r}")
            values[name] = int(value)
        elif value.lower() not in ("true", "false"):
            cilium_settings({name: False}, "--cilium")  # an unknown name first
            raise SpecError(f"--cilium {name}: expected true or false, found {value!r}")
        else:
            values[name] = value.lower() == "true"
    if asked.mode is not None:
        meant = asked.mode == "prefix"
        if values.get(PREFIXES, meant) != meant:
            raise SpecError(f"--mode {asked.mode} contradicts --cilium {PREFIXES}={str(not meant).lower()}")
        values[PREFIXES] = meant
    return cilium_settings(values, "--cilium")


def environment(asked: Asked) -> dict[str, str | None]:
    """The variables from --env and from other options; contradictions are refused."""
    if asked.mode == "ipv6" and asked.custom_networking:
        raise SpecError("--mode ipv6 contradicts --custom-networking: the CNI does not start with both")
    env: dict[str, str | None] = {}
    for text in asked.env:
        name, sign, value = text.partition("=")
        if not sign:
            raise SpecError(f"--env: {text!r} is not NAME=VALUE")
        if name in env and env[name] != value:
            raise SpecError(f"--env: duplicate {name}: {env[name]!r} and {value!r}")
        env[name] = value
    stands_for = {
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": ("--custom-networking", "true" if asked.custom_networking else None),
        "ENABLE_POD_ENI": ("--pod-eni", "true" if asked.pod_eni else None),
        "MAX_ENI": ("--max-eni", None if asked.max_eni is None else str(asked.max_eni)),
        "ENABLE_PREFIX_DELEGATION": (
            f"--mode {asked.mode}",
            {"prefix": "true", "ipv6": "true", "secondary": "false"}.get(asked.mode or ""),
        ),
        "ENABLE_IPv6": (
            f"--mode {asked.mode}",
            {"ipv6": "true", "prefix": "false", "secondary": "false"}.get(asked.mode or ""),
        ),
    }
    for variable, (option, meant) in stands_for.items():
        if meant is not None:
            given = env.get(variable)
            if given is not None and _plain(variable, given) != meant:
                raise SpecError(f"{option} contradicts --env {variable}={given}")
            env[variable] = meant
    return env


def _plain(name: str, text: str) -> str:
    """What the CNI reads: ``True``, ``1``, ``t`` are ``true``, ``+3`` is ``3``; what it discards stays as written."""
    from capacity.plan.cni_env import parse_env_number, parse_env_switch

    value, warning = parse_env_number(name, text) if name == "MAX_ENI" else parse_env_switch(name, text)
    return text if warning or value is None else str(value).lower()


def _ami(asked: Asked, amis: tuple[str, ...]) -> str:
    os = one_of("--os", asked.os, SYSTEMS) if asked.os is not None else None
    if asked.ami is None:
        return "windows" if os == "windows" else "al2023"
    ami = one_of("--ami", asked.ami, amis)
    if os is not None and (os == "windows") != (ami == "windows"):
        raise SpecError(f"--os {os} contradicts --ami {ami}")
    return ami
