"""Read settings of the VPC CNI: container environments, add-on configuration, Helm values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.errors import SpecError
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.windows import of_chart_values
from capacity.readers.decode import parse_documents
from capacity.readers.draft import SourceNotes, SubnetDraft
from capacity.readers.values import PLACEHOLDER, bool_of, items, mapping, region_of_zone, subnet_id_of, text_of
from capacity.units import counted

# CNI variables that can contain secrets or names. Other variables are never copied.
_PRIVATE = frozenset(
    [
        "ADDITIONAL_ENI_TAGS",
        "AWS_EC2_ENDPOINT",
        "CLUSTER_ENDPOINT",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    ]
)


def cni_environment(env: object, said: SourceNotes, where: str) -> dict[str, str]:
    """CNI variables of an environment (mapping, or list of name and value); nothing else is copied."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(env, list):
        pairs = ((mapping(e).get("name"), mapping(e).get("value")) for e in env)
    else:
        pairs = mapping(env).items()
    kept: dict[str, str] = {}
    left_out = []
    for name, value in pairs:
        if not isinstance(name, str) or name not in CNI_VARIABLES or name in _PRIVATE:
            left_out.append(str(name))
            continue
        if value is None or isinstance(value, (dict, list)):
            continue  # from a field or a secret: no setting
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if PLACEHOLDER.search(text):
            said.say(f"{where}.{name}", f"{text!r} is a placeholder: ignored", "cni.env")
        else:
            kept[name] = text
    if left_out:
        what = counted(len(left_out), "variable that is not a setting", "variables that are not settings")
        said.say(where, f"not copied: {what} of the CNI")
    return kept


@dataclass(frozen=True)
class CniValues:
    """Settings of the chart's values, which are also the configuration values of the EKS add-on.

    Attributes
    ----------
    env, windows : mapping of str to str
        Environment of the CNI, and keys of ConfigMap amazon-vpc-cni.
    pod_subnets : tuple of SubnetDraft
        Subnets of the ENIConfigs that the chart creates.
    region : str or None
        Region of the ENIConfigs.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)
    pod_subnets: tuple[SubnetDraft, ...] = ()
    region: str | None = None


def addon_values(
    configuration: object, said: SourceNotes, where: str, planned: Mapping[str, str] | None = None
) -> CniValues:
    """Configuration values of the vpc-cni add-on: text that holds JSON or YAML, or a mapping.

    ``planned`` has the names of subnets in the same input by their IDs, which need not have the form of AWS.
    """
    if configuration is None or configuration == "":
        return CniValues()
    if isinstance(configuration, str):
        try:
            decoded = parse_documents(configuration, where)
        except SpecError:
            said.say(where, "is neither JSON nor YAML: ignored", "cni.env")
            return CniValues()
        configuration = decoded[0] if decoded else {}
    if not isinstance(configuration, dict):
        said.say(where, "is not a mapping: ignored", "cni.env")
        return CniValues()
    return chart_values(configuration, said, where, planned)


def chart_values(
    values: Mapping[str, Any], said: SourceNotes, where: str = "", planned: Mapping[str, str] | None = None
) -> CniValues:
    """Values of the aws-vpc-cni chart; ``planned`` as in :func:`addon_values`.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 charts/aws-vpc-cni/values.yaml, templates/eniconfig.yaml, templates/configmap.yaml.
    """
    inside = f"{where}." if where else ""
    env = cni_environment(values["env"], said, f"{inside}env") if values.get("env") else {}
    if items(values.get("extraEnv")):
        env |= cni_environment(values["extraEnv"], said, f"{inside}extraEnv")
    subnets = _eniconfig_subnets(mapping(values.get("eniConfig")), said, f"{inside}eniConfig", planned or {})
    region = text_of(mapping(values.get("eniConfig")).get("region")) if subnets else None
    return CniValues(env, of_chart_values(values), subnets, region)


def _eniconfig_subnets(
    config: Mapping[str, Any], said: SourceNotes, where: str, planned: Mapping[str, str]
) -> tuple[SubnetDraft, ...]:
    """Subnets of the ENIConfigs that the chart creates, one per zone."""
    found = []
    for zone, entry in mapping(config.get("subnets")).items():
        identity = subnet_id_of(mapping(entry).get("id"))
        name = planned.get(str(mapping(entry).get("id")))
        if name is not None:
            found.append(SubnetDraft(name, zone if region_of_zone(zone) else None))
        elif identity is None:
            shown = mapping(entry).get("id")
            said.say(f"{where}.subnets.{zone}", f"id {shown!r} is not an ID: the pod subnet is not known")
        else:
            found.append(SubnetDraft(identity, zone if region_of_zone(zone) else None, id=identity))
    create = bool_of(config.get("create"))
    if found and create is False:
        said.say(where, "create is false: its subnets are not used")
        return ()
    if found and create is None:
        said.say(where, "create is not set, and the chart's default is false: assumed true")
    return tuple(found)


def with_pod_subnets(
    subnets: Sequence[SubnetDraft], pods: Sequence[SubnetDraft]
) -> tuple[tuple[SubnetDraft, ...], tuple[str, ...]]:
    """All subnets, and the names of those for pods; a subnet that is in both lists has its first name."""
    names = {s.id: s.name for s in subnets if s.id}
    there = {s.name for s in subnets}
    new = tuple(p for p in pods if p.id not in names and p.name not in there)
    return (*subnets, *new), tuple(names.get(p.id or "", p.name) for p in pods)


def is_cni_chart(chart: str) -> bool:
    """Whether a Helm chart is that of the VPC CNI, by its name or address."""
    return chart.rstrip("/").rpartition("/")[2] in ("aws-vpc-cni", "amazon-vpc-cni-k8s")


def cni_version_of(text: object) -> str | None:
    """A CNI version out of an add-on version or an image tag.

    >>> cni_version_of("v1.19.2-eksbuild.1"), cni_version_of("latest")
    ('1.19.2', None)
    """
    found = re.match(r"v?([0-9]+\.[0-9]+\.[0-9]+)", str(text or ""))
    return found[1] if found else None
