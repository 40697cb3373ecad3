"""Compare the permissions of roles with those that the CNI and the nodes require."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import unquote

from capacity.advice.evidence import RoleFacts
from capacity.catalog.packaged import data_dir, read_text
from capacity.readers.aws.cni import addon
from capacity.readers.aws.kinds import KINDS
from capacity.readers.values import Item, objects, section, text

if TYPE_CHECKING:
    from capacity.readers.aws.answers import AwsAnswers
    from capacity.readers.aws.aws_cluster import AwsCluster

CNI_POLICY, NODE_POLICY, PULL_POLICIES = (
    "AmazonEKS_CNI_Policy",
    "AmazonEKSWorkerNodePolicy",
    ("AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"),
)


@cache
def required_actions(use: str, family: str) -> tuple[str, ...]:
    """Actions that the CNI (``cni``) or a node (``nodes``) requires for an IP family, from ``data/iam_actions.csv``."""
    rows = csv.DictReader(io.StringIO(read_text(data_dir() / "iam_actions.csv")))
    return tuple(r["action"] for r in rows if r["use"] == use and r["family"] in (family, "both"))


def role_facts(found: AwsCluster) -> tuple[RoleFacts, ...]:
    """Check the policies of the CNI's role (of the add-on, else of the nodes) and of the nodes' roles."""
    answers = found.answers
    family = text(section(found.item, "kubernetesNetworkConfig"), "ipFamily") or "ipv4"
    arns = (text(g, "nodeRole") for g in answers.of("nodegroups") if text(g, "clusterName") in ("", found.name))
    nodes = list(dict.fromkeys(_role_name(arn) for arn in arns if arn))
    item = addon(answers, "vpc-cni", found.name)
    own = _role_name(text(item, "serviceAccountRoleArn")) if item else ""
    if item is not None and item.get("podIdentityAssociations") and not own:
        reason = "the CNI gets its role by EKS Pod Identity, whose association is not read"
        command = f"aws eks list-pod-identity-associations --cluster-name {quote(found.name)} --namespace kube-system"
        facts = [RoleFacts("iam-cni", "aws-node", None, (), reason, command)]
    else:
        facts = [
            _judge(answers, "iam-cni", r, required_actions("cni", family), CNI_POLICY)
            for r in ([own] if own else nodes)
        ]
    needed = required_actions("nodes", family)
    facts += [_judge(answers, "iam-nodes", r, needed, f"{NODE_POLICY} and {PULL_POLICIES[0]}") for r in nodes]
    return tuple(facts)


def _role_name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _judge(answers: AwsAnswers, check: str, role: str, needed: Iterable[str], policy: str) -> RoleFacts:
    item = next((r for r in answers.of("roles") if text(r, "RoleName") == role), None)
    command = " && ".join(
        f"aws iam attach-role-policy --role-name {quote(role)} --policy-arn arn:aws:iam::aws:policy/{p}"
        for p in policy.split(" and ")
    )
    if item is None:
        return RoleFacts(check, role, None, (), "its policies are not in the input", KINDS["roles"].command)
    documents, unknown = _documents(answers, item)
    allowed, conditional = judged(documents, needed)
    missing = tuple(a for a in needed if a not in allowed and a not in conditional)
    if missing and unknown:
        reason = f"the text of {', '.join(unknown)} is not in the input and could allow {', '.join(missing)}"
        return RoleFacts(check, role, None, (), reason, KINDS["policies"].command)
    names = [text(p, "PolicyName") for p in objects(item, "AttachedManagedPolicies", role)]
    names += [text(p, "PolicyName") for p in objects(item, "RolePolicyList", role)]
    return RoleFacts(
        check, role, missing, tuple(a for a in needed if a in conditional), f"by {', '.join(names)}", command
    )


def _documents(answers: AwsAnswers, role: Item) -> tuple[list[Item], list[str]]:
    """Policy documents of a role, and the names of attached policies with unknown text."""
    policies = {text(p, "Arn"): p for p in answers.of("policies")}
    name = text(role, "RoleName")
    found = [decoded_policy(p.get("PolicyDocument")) for p in objects(role, "RolePolicyList", name)]
    unknown = []
    for attached in objects(role, "AttachedManagedPolicies", name):
        arn = text(attached, "PolicyArn")
        policy = policies.get(arn)
        if policy is not None:
            versions = objects(policy, "PolicyVersionList", arn)
            default = [v for v in versions if v.get("IsDefaultVersion") in (True, "true")] or versions[:1]
            found += [decoded_policy(v.get("Document")) for v in default]
        elif arn.startswith("arn:") and ":iam::aws:policy/" in arn and built_in(arn.rsplit("/", 1)[-1]):
            found.append(built_in(arn.rsplit("/", 1)[-1]))
        else:
            unknown.append(text(attached, "PolicyName") or arn)
    return found, unknown


def built_in(name: str) -> Item:
    """Required actions that an AWS managed policy allows, if its text was not saved; empty for other policies."""
    use = "cni" if name == CNI_POLICY else "nodes" if name in (NODE_POLICY, *PULL_POLICIES) else ""
    rows = csv.DictReader(io.StringIO(read_text(data_dir() / "iam_actions.csv")))
    wanted = {name, PULL_POLICIES[0] if name in PULL_POLICIES else name, f"{name} v5"}
    actions = [r["action"] for r in rows if r["use"] == use and r["source"] in wanted]
    return {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]} if actions else {}


def decoded_policy(value: object) -> Item:
    """Decode a policy document: an object, or the URL-encoded text that the IAM API returns."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        try:
            decoded = json.loads(unquote(value))
        except (ValueError, RecursionError):
            return {}
        return decoded if isinstance(decoded, dict) else {}
    return {}


def judged(documents: Iterable[Item], actions: Iterable[str]) -> tuple[set[str], set[str]]:
    """Actions that are allowed, and those allowed only under conditions; a Deny without conditions removes both.

    Resources, permission boundaries and organization policies are not checked.
    """
    statements = [s for d in documents for s in _statements(d)]
    allowed, conditional = set(), set()
    for action in actions:
        fitting = [s for s in statements if _speaks_of(s, action)]
        if any(text(s, "Effect") == "Deny" and not s.get("Condition") for s in fitting):
            continue
        granting = [s for s in fitting if text(s, "Effect") == "Allow"]
        if any(not s.get("Condition") for s in granting):
            allowed.add(action)
        elif granting:
            conditional.add(action)
    return allowed, conditional


def _statements(document: Item) -> Iterator[Item]:
    value = document.get("Statement")
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield entry


def _speaks_of(statement: Item, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_fits(p, action) for p in _listed(statement["NotAction"]))
    return any(_fits(p, action) for p in _listed(statement.get("Action")))


def _listed(value: object) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _fits(pattern: str, action: str) -> bool:
    """Match IAM wildcards ``*`` and ``?``, ignoring case."""
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, action, re.IGNORECASE) is not None
