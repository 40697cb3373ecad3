"""Read the settings of the VPC CNI from AWS: the configuration of the add-on, and the ENIs of the nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError
from capacity.plan.cni_env import CNI_VARIABLES, OTHER_VARIABLES, parse_env_switch
from capacity.readers.cni_addon import chart_values, cni_version_of
from capacity.readers.decode import parse_documents
from capacity.readers.draft import Note, SourceNotes
from capacity.readers.values import Item, text

if TYPE_CHECKING:
    from capacity.readers.aws.answers import AwsAnswers
    from capacity.readers.aws.owners import Interface

COPIED = CNI_VARIABLES - OTHER_VARIABLES
"""Variables that affect address counts. Others can contain proxies, tokens and names, and are not read."""

CUSTOM, PREFIX, POD_ENI = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "ENABLE_PREFIX_DELEGATION", "ENABLE_POD_ENI"


@dataclass(frozen=True)
class CniFound:
    """Settings of the CNI that AWS shows.

    Attributes
    ----------
    env : dict of str to str
    windows : dict of str to str
        Keys of ConfigMap amazon-vpc-cni from the add-on's configuration.
    pod_subnets : dict of str to str
        Subnet identifier by zone, from the add-on's ENIConfigs.
    """

    version: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pod_subnets: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    windows: Mapping[str, str] = field(default_factory=dict)

    @property
    def custom_networking(self) -> bool:
        return parse_env_switch(CUSTOM, self.env.get(CUSTOM))[0]


def addon(answers: AwsAnswers, name: str, cluster: str = "") -> Item | None:
    """An add-on of the cluster; None if it is not installed or was not read."""
    wanted = (a for a in answers.of("addons") if text(a, "addonName") == name)
    return next((a for a in wanted if not cluster or text(a, "clusterName") in ("", cluster)), None)


def parse_cni(answers: AwsAnswers, cluster: str, interfaces: Sequence[Interface]) -> CniFound:
    """Settings of the add-on; for missing ones, those that the interfaces of the nodes prove."""
    mine = [i for i in interfaces if i.cluster == cluster]
    item = addon(answers, "vpc-cni", cluster)
    if item is None:
        return CniFound(env=seen_env(mine), notes=(_unseen(answers, mine),))
    notes: list[Note] = []
    values = decoded_configuration(text(item, "configurationValues"), notes)
    env = {}
    given = values.get("env")
    for name, value in sorted(given.items()) if isinstance(given, dict) else ():
        if name in COPIED and isinstance(value, (str, int, float, bool)):
            env[name] = str(value).lower() if isinstance(value, bool) else str(value)
    for name, value in seen_env(mine).items():
        if name not in env:
            env[name] = value
            notes.append(
                Note(
                    f"cni: the add-on's configuration does not set {name}, but the nodes' interfaces show it: "
                    "set on the DaemonSet itself",
                    f"cni.env.{name}",
                )
            )
    said = SourceNotes("cni: the add-on's configuration")
    chart = chart_values({k: v for k, v in values.items() if k not in ("env", "extraEnv")}, said)
    pods = {s.zone or s.name: s.name for s in chart.pod_subnets}
    return CniFound(cni_version_of(text(item, "addonVersion")), env, pods, (*notes, *said.notes), chart.windows)


def decoded_configuration(given: str, notes: list[Note]) -> dict[str, Any]:
    """Decode ``configurationValues``, a string of JSON or YAML."""
    if not given.strip():
        return {}
    try:
        decoded: Any = json.loads(given)
    except (ValueError, RecursionError):
        try:
            decoded = next(iter(parse_documents(given, "configurationValues")), None)
        except SpecError:
            decoded = None
    if isinstance(decoded, dict):
        return decoded
    notes.append(Note("cni: the add-on's configurationValues are neither JSON nor YAML and were not read", "cni.env"))
    return {}


def seen_env(mine: Sequence[Interface]) -> dict[str, str]:
    """Settings that the interfaces of a cluster's nodes prove.

    A trunk is only attached under ENABLE_POD_ENI; prefixes are only assigned under ENABLE_PREFIX_DELEGATION; if
    on every node the pod addresses are in another subnet than the node and its primary ENI has none, custom networking
    is on.
    """
    found = {}
    home = {i.instance: i.subnet for i in mine if i.owner == "node_primary"}
    added = [i for i in mine if i.owner == "cni_secondary" and i.instance in home]
    if added and all(i.subnet != home[i.instance] for i in added):
        serving = {i.instance for i in added}
        if not any(i.pod_addresses for i in mine if i.owner == "node_primary" and i.instance in serving):
            found[CUSTOM] = "true"
    if any(i.prefixes for i in mine if i.owner in ("node_primary", "cni_secondary")):
        found[PREFIX] = "true"
    if any(i.owner in ("trunk", "branch") for i in mine):
        found[POD_ENI] = "true"
    return found


def _unseen(answers: AwsAnswers, mine: Sequence[Interface]) -> Note:
    shown = ", ".join(f"{k}={v}" for k, v in seen_env(mine).items())
    why = "there is no vpc-cni add-on in the input" if answers.has("addons") else "the vpc-cni add-on was not read"
    proof = f"; the nodes' interfaces show {shown}" if shown else ""
    return Note(
        f"cni: {why}, so the WARM_* settings of aws-node are assumed to be the chart's defaults{proof} "
        "(import kubectl reads the DaemonSet)",
        "cni.env",
    )
