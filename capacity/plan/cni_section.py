"""Reads the section ``cni`` of a plan."""

from __future__ import annotations

from collections.abc import Callable

from capacity.errors import SpecError
from capacity.plan import cni_keys
from capacity.plan.cilium_settings import cilium_settings
from capacity.plan.cni_env import CNI_VARIABLES, CniSettings, check_variable, cni_settings
from capacity.plan.cni_names import which_name
from capacity.plan.constants import CILIUM, CNIS, OVERLAY, VPC_CNI
from capacity.plan.fields import Field
from capacity.plan.model import Cni, Kubernetes
from capacity.plan.reading import DependsOnError, Problems, read_keys, read_section
from capacity.plan.sections import PlanSection
from capacity.plan.windows import CONFIG_MAP, KEYS, check_key, windows_ipam


def read_cni(section: Field | None, kubernetes: Kubernetes | None, root: Field) -> tuple[Cni, list[str]]:
    """The plan's CNI with its settings after defaults, and its assumptions.

    Parameters
    ----------
    kubernetes : Kubernetes or None
        None if that section has an error; settings that depend on it are then not checked.
    root : Field
        The plan, named in messages if it has no such section.

    Raises
    ------
    SpecError
        Unknown names or values, or settings with which the CNI does not start.
    """
    if section is None:
        return _vpc_cni(None, None, kubernetes, root)
    itself = dict.fromkeys(("env", "cilium", "windows"), lambda field: field)
    values = read_keys(section, cni_keys.CNI, {"name": _name, **itself})
    read = None
    with values.problems:
        version, chosen = values.get("version"), values["name"] or VPC_CNI
        if chosen == CILIUM:
            read = _cilium(section, version, kubernetes)
        elif chosen == OVERLAY:
            read = _overlay(section, version, kubernetes)
        else:
            read = _vpc_cni(section, version, kubernetes, root)
    values.problems.check()
    assert read is not None, "checked"
    return read


def _vpc_cni(
    section: Field | None, version: str | None, kubernetes: Kubernetes | None, root: Field
) -> tuple[Cni, list[str]]:
    """The VPC CNI, with the environment of its DaemonSet and the ConfigMap for Windows nodes."""
    env, windows, own = (section.get(k) if section else None for k in ("env", "windows", "cilium"))
    problems = Problems()
    variables: dict[str, str | None] = {}
    data: dict[str, str] = {}
    with problems:
        if own:
            own.fail("requires 'name: cilium' next to it (the plan's CNI is the VPC CNI)")
    with problems:
        variables.update(_words(env, "the CNI's environment variables", _check_variable))
    with problems:
        data = _words(windows, f"the keys of ConfigMap {CONFIG_MAP}", _check_key)
    problems.check()
    try:
        _, warnings = cni_settings(variables, "", _known(kubernetes).ip_family)
    except SpecError as error:
        if isinstance(error, DependsOnError):
            raise
        (env or section or root).fail(str(error))
    _, said = windows_ipam(data)
    return Cni(version, variables, _known(kubernetes).ip_family, data), [*warnings, *said]


def _known(kubernetes: Kubernetes | None) -> Kubernetes:
    if kubernetes is None:
        raise DependsOnError
    return kubernetes


def _name(entry: Field) -> str:
    """One of :data:`CNIS`; another CNI's name is refused with a suggestion."""
    given = entry.text(64)
    if given not in CNIS:
        entry.fail(f"{given!r} is not one of {', '.join(CNIS)}{which_name(given)}")
    return given


def _overlay(section: Field, version: str | None, kubernetes: Kubernetes | None) -> tuple[Cni, list[str]]:
    """An overlay CNI: none of its settings affects addresses of the VPC."""
    problems = Problems()
    for key in ("env", "cilium", "windows"):
        if entry := section.get(key):
            with problems:
                entry.fail("has no effect with an overlay CNI: its pods use no VPC addresses")
    with problems:
        if _known(kubernetes).ip_family == "ipv6":
            section.child("name").fail("ipFamily ipv6 with an overlay CNI is not modelled")
    problems.check()
    return Cni(version, own=CniSettings(overlay=True)), []


def _cilium(section: Field, version: str | None, kubernetes: Kubernetes | None) -> tuple[Cni, list[str]]:
    """Cilium in ENI mode, with its own settings instead of the VPC CNI's environment."""
    env, windows, given = (section.get(k) for k in ("env", "windows", "cilium"))
    problems = Problems()
    with problems:
        if windows:
            windows.fail("applies to Windows nodes, and Cilium does not run on Windows")
    with problems:
        if env:
            env.fail("applies to the VPC CNI; for Cilium, set preAllocate, prefixDelegation … under 'cilium' instead")
    with problems:
        if _known(kubernetes).ip_family == "ipv6":
            section.child("name").fail(
                "ipFamily ipv6 with Cilium's ENI mode is not modelled (an EKS cluster has one family)"
            )
    values: dict[str, int | bool] = {}
    with problems:
        values = {name: value for name, value in read_section(given, cni_keys.CILIUM).items() if value is not None}
    problems.check()
    try:
        settings, notes = cilium_settings(values)
    except SpecError as error:
        (given or section).fail(str(error))
    return Cni(version, own=settings), notes


def _words(section: Field | None, what: str, check: Callable[[str, Field], None]) -> dict[str, str]:
    """A mapping of names accepted by ``check`` to text, as in the cluster; null is the empty text."""
    if section is None:
        return {}
    if not isinstance(section.value, PlanSection):
        section.fail(f"expected a mapping of {what}")
    problems = Problems()
    words: dict[str, str] = {}
    for entry in problems.over(map(section.child, section.value)):
        with problems:
            name = str(entry.key)
            check(name, entry)
            words[name] = "" if entry.value is None else _as_text(entry)
    problems.check()
    return words


def _check_variable(name: str, entry: Field) -> None:
    if name not in CNI_VARIABLES:
        _refuse(check_variable, name, entry)


def _check_key(name: str, entry: Field) -> None:
    if name not in KEYS:
        _refuse(check_key, name, entry)


def _refuse(check: Callable[[str], None], name: str, entry: Field) -> None:
    """Turn the error that a check raises into one at the field."""
    try:
        check(name)
    except SpecError as error:
        entry.fail(str(error))


def _as_text(entry: Field) -> str:
    """A value as text, as in the DaemonSet or the ConfigMap."""
    if isinstance(entry.value, bool):
        return str(entry.value).lower()
    if not isinstance(entry.value, str):
        entry.fail("expected a plain value")
    return entry.value
