"""Addresses that AWS counts today and the plan's model does not book: ``used``, and today's pods as tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.readers.aws.owners import NODE_OWNERS
from capacity.readers.draft import PODS_TODAY, Note, PlanDraft, TenantDraft, at
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.readers.aws.addresses import SubnetAccount
    from capacity.readers.aws.aws_cluster import AwsCluster

MODELLED = ("node_primary", "eni_primary", "assigned", "warm", "branch")


def settle(draft: PlanDraft, found: AwsCluster, steady: Mapping[str, Mapping[str, int]]) -> PlanDraft:
    """Book what the model does not: ``used`` per subnet, and today's pods as a tenant that workloads replace.

    Parameters
    ----------
    steady : mapping of str to mapping of str to int
        Addresses by holder of each subnet in the plan's steady state with nothing booked as ``used``. [addresses]

    Notes
    -----
    rest = addresses taken now - addresses of the model. Of it, what the cluster's own nodes hold beyond the model
    is their pods' (the plan has no workloads yet); all else is ``used``. A negative rest cannot be booked: the
    model holds more than AWS counts, which a note says.
    """
    subnets, pods, notes = [], [], list(draft.notes)
    assumed: set[str] = set()
    unread = draft.subnets[len(found.accounts) :]  # mentioned in the answers, but not described
    for account, subnet in zip(found.accounts, draft.subnets, strict=False):
        modelled = steady.get(account.name, {})
        rest = account.taken - sum(modelled.values())
        own = _own_addresses(found, account)
        beyond = max(min(rest, own - sum(modelled.get(h, 0) for h in MODELLED)), 0)
        used = max(rest - beyond, 0)
        subnets.append(replace(subnet, used=used))
        if beyond:
            pods.append(TenantDraft(f"{PODS_TODAY} ({account.name})", "other", (account.name,), beyond))
        if rest < 0:
            notes.append(Note(_excess(account, modelled, -rest, own), at("vpc.subnets", account.name, "used")))
        elif used:
            path = at("vpc.subnets", account.name, "used")
            notes.append(Note(_explained(account, modelled, used), path))
            if why := _unsure(found, account):
                assumed.add(path)
                notes.append(Note(f"{path}: assumed: {why}", path))
    if pods:
        total = sum(t.addresses or 0 for t in pods)
        notes.append(
            Note(
                f"{total} addresses that the nodes hold for pods are tenants named {PODS_TODAY!r}: AWS does not know "
                "pods. Workloads (import kubectl) replace them",
                "tenants",
            )
        )
    return replace(
        draft,
        subnets=(*subnets, *unread),
        tenants=(*draft.tenants, *pods),
        notes=tuple(dict.fromkeys(notes)),
        assumed=draft.assumed | assumed,
    )


def _unsure(found: AwsCluster, account: SubnetAccount) -> str:
    """Why the addresses in use are no statement of AWS; empty where they are."""
    if not found.answers.has("interfaces"):
        return "EC2's count alone, without the network interfaces"
    if account.difference > 0 and not found.answers.has("reservations"):
        return "EC2's count leaves out what is reserved, and the CIDR reservations were not read"
    return ""


def _own_addresses(found: AwsCluster, account: SubnetAccount) -> int:
    """Addresses that the nodes of this cluster hold in a subnet. [addresses]"""
    return sum(
        i.addresses
        for i in found.interfaces
        if i.subnet == account.ident and i.owner in NODE_OWNERS and i.cluster in ("", found.name)
    )


def _excess(account: SubnetAccount, modelled: Mapping[str, int], excess: int, own: int) -> str:
    nodes = sum(modelled.get(h, 0) for h in MODELLED)
    return (
        f"subnet {account.name}: the steady state of the plan uses {counted(excess, 'address', 'addresses')} more "
        f"than now (nodes: {nodes} in the plan, {own} now; control plane: {modelled.get('control_plane', 0)} in the "
        f"plan, {account.owners.get('control_plane', 0)} now)"
    )


def _explained(account: SubnetAccount, modelled: Mapping[str, int], used: int) -> str:
    """The terms of ``used``, each with its sign; the remainder is a term of its own."""
    control = account.owners.get("control_plane", 0) - modelled.get("control_plane", 0)
    terms = [
        (account.owners.get("unknown", 0), "of unknown owners"),
        (account.owners.get("detached", 0), "on detached interfaces"),
        (account.difference, "held by no listed interface"),
        (control, "of the control plane against the model's share"),
    ]
    terms.append((used - sum(n for n, _ in terms), "that the model places elsewhere"))
    parts = [f"{'-' if n < 0 else '+'} {abs(n)} {what}" for n, what in terms if n]
    return f"subnet {account.name}: used {used} = {' '.join(parts).removeprefix('+ ')}"
