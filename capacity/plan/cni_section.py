"""The plan's CNI and the tags of its subnets, as the plan states them."""

from __future__ import annotations

from capacity.errors import SpecError
from capacity.plan.cilium_settings import KEYS, NUMBERS, cilium_settings, most_of
from capacity.plan.cni_env import CNI_VARIABLES, CniSettings, check_variable, cni_settings
from capacity.plan.discovery import ROLE_TAG, read_tags
from capacity.plan.document import Section, kind_of
from capacity.plan.fields import VERSION, Field
from capacity.plan.model import Cni, Kubernetes
from capacity.plan.overlay import CNIS, which_name
from capacity.plan.windows import CONFIG_MAP, check_key, windows_ipam


def read_cni(section: Field | None, kubernetes: Kubernetes, root: Field) -> tuple[Cni, list[str]]:
    """The plan's CNI with its settings after defaults, and what is to be said aloud.

    Parameters
    ----------
    root : Field
        The plan, named in messages where it has no such section.

    Raises
    ------
    SpecError
        An unknown name or value, or settings with which the CNI would not start.
    """
    version = env = None
    if section is not None:
        section.section(("name", "version", "env", "cilium", "windows"))
        version, env = section.get("version"), section.get("env")
        if version and not VERSION.match(version.text(40)):
            version.fail(f"{version.value!r} is not a CNI version (expected something like 1.23.1)")
        name, own = section.get("name"), section.get("cilium")
        chosen = _name(name) if name else "vpc-cni"
        if chosen == "cilium":
            return _cilium(section, version.value if version else None, kubernetes)
        if chosen == "overlay":
            return _overlay(section, version.value if version else None, kubernetes)
        if own:
            own.fail("needs 'name: cilium' beside it (the plan's CNI is the VPC CNI)")
    values: dict[str, str | None] = {}
    if env is not None:
        if not isinstance(env.value, Section):
            env.fail("expected a mapping of the CNI's environment variables")
        for key in env.value:
            entry = env.child(key)
            if key not in CNI_VARIABLES:
                check_variable(key, entry.exact)
            values[key] = "" if entry.value is None else _as_text(entry)
    try:
        _, warnings = cni_settings(values, "", kubernetes.ip_family)
    except SpecError as error:
        (env or section or root).fail(str(error))
    data = _config_map(section.get("windows") if section is not None else None)
    _, said = windows_ipam(data)
    return Cni(version.value if version else None, values, kubernetes.ip_family, data), [*warnings, *said]


def _name(entry: Field) -> str:
    """One of :data:`CNIS`; for another CNI's name the one that stands for it."""
    given = entry.text(64)
    if given not in CNIS:
        entry.fail(f"{given!r} is not one of {', '.join(CNIS)}{which_name(given)}")
    return given


def _overlay(section: Field, version: str | None, kubernetes: Kubernetes) -> tuple[Cni, list[str]]:
    """A CNI with a network of its own: nothing of it decides addresses of the VPC."""
    for key in ("env", "cilium", "windows"):
        if entry := section.get(key):
            entry.fail("has no meaning with an overlay CNI: its pods take no address of the VPC")
    if kubernetes.ip_family == "ipv6":
        section.child("name").fail("ipFamily ipv6 with an overlay CNI is not modelled")
    return Cni(version, own=CniSettings(overlay=True)), []


def _config_map(section: Field | None) -> dict[str, str]:
    """The data of ConfigMap amazon-vpc-cni, as written."""
    if section is None:
        return {}
    if not isinstance(section.value, Section):
        section.fail(f"expected a mapping of the keys of ConfigMap {CONFIG_MAP}")
    data = {}
    for key in section.value:
        entry = section.child(key)
        check_key(key, entry.exact)
        data[key] = "" if entry.value is None else _as_text(entry)
    return data


def _cilium(section: Field, version: str | None, kubernetes: Kubernetes) -> tuple[Cni, list[str]]:
    """Cilium in ENI mode, with its own settings instead of the VPC CNI's environment."""
    env, given = section.get("env"), section.get("cilium")
    if windows := section.get("windows"):
        windows.fail("is for Windows nodes, on which Cilium does not run")
    if env is not None:
        env.fail("is the VPC CNI's: with Cilium set preAllocate, prefixDelegation … under 'cilium' instead")
    if kubernetes.ip_family == "ipv6":
        section.child("name").fail(
            "ipFamily ipv6 with Cilium's ENI mode is not modelled (an EKS cluster has one family)"
        )
    values: dict[str, int | bool] = {}
    if given is not None:
        given.section(KEYS)
        for key in KEYS:
            entry = given.get(key)
            if entry is not None:
                values[key] = entry.integer(0, most_of(key)) if key in NUMBERS else entry.boolean()
    try:
        settings, notes = cilium_settings(values)
    except SpecError as error:
        (given or section).fail(str(error))
    return Cni(version, own=settings), notes


def _as_text(entry: Field) -> str:
    """An environment value as the daemonset would carry it."""
    if isinstance(entry.value, bool):
        return str(entry.value).lower()
    if not isinstance(entry.value, str):
        entry.fail("expected a plain value")
    return entry.value


def read_discovery_tags(section: Field | None) -> tuple[bool | None, tuple[str, ...]]:
    """What a subnet's tags say to subnet discovery; the other tags of a pasted map are nobody's here."""
    if section is None:
        return None, ()
    if not isinstance(section.value, Section):
        section.fail(f"expected a mapping of the subnet's tags, found {kind_of(section.value)}")
    for key in section.value:
        if isinstance(section.value.get(key), (Section, list)):
            section.child(key).fail(f"expected the text of a tag, found {kind_of(section.value.get(key))}")
    if role := section.get(ROLE_TAG):
        role.one_of(("1", "0"))
    return read_tags(section.value)
