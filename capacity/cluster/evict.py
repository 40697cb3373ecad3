"""Chooses the nodes to drain, and the pods that run on them.

Nodes with equal pod counts and requests are one class, so only the state of a node is known: its pods of each kind and
their total requests, not their workloads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from capacity.cluster.node_state import BRANCH, EMPTY, VPC, NodeState, PodShape, plus
from capacity.cluster.spread import weighted_shares

MOST_PAIRS = 12  # most kinds of pods for which an exchange is searched


def shares_to_close(count: int, have: Sequence[int], fullest: Sequence[Sequence[tuple[NodeState, int]]]) -> list[int]:
    """Nodes to close in each slot: in proportion, rounded down, the rest in the slots with the fullest nodes. [nodes]

    Parameters
    ----------
    have : sequence of int
        Nodes of each slot that can be closed. [nodes]
    fullest : sequence
        States and counts of each slot's nodes, most pods first.
    """
    total = sum(have)
    shares = [count * n // total for n in have]
    uneven = [slot for slot, n in enumerate(have) if count * n % total]

    def next_out(slot: int) -> tuple[int, int, int]:
        past = shares[slot]
        for state, number in fullest[slot]:
            past -= number
            if past < 0:
                return -state.pods, -(count * have[slot] % total), slot
        return 0, 0, slot

    for slot in sorted(uneven, key=next_out)[: count - sum(shares)]:
        shares[slot] += 1
    return shares


def evicted(
    home: Mapping[str, int], pods: Mapping[str, PodShape], nodes: Sequence[tuple[NodeState, int]], start: NodeState
) -> dict[str, int]:
    """Pods by workload on the nodes of a slot that are closed. [pods]

    Parameters
    ----------
    home : mapping of str to int
        Pods of each workload on all nodes of the slot. [pods]
    pods : mapping of str to PodShape
        The shape of one pod of each workload.
    nodes : sequence
        States and counts of the closed nodes.
    start : NodeState
        Their DaemonSets.

    Notes
    -----
    Workloads of one pod per node are known from the nodes' marks. Of the others the pods of each kind (VPC address,
    branch ENI, host network) are exactly those of the closed nodes, in the proportion of the slot. If exchanging one
    pair of workloads of a kind makes the totals of CPU and memory correct, they are exchanged.
    """
    held = EMPTY
    for state, number in nodes:
        held = plus(held, number, state, start)
    marked = {name: pods[name].mark for name in home if pods[name].mark}
    found: dict[str, int] = {}
    for name, mark in marked.items():
        number = sum(count for state, count in nodes if state.marks & mark)
        held = plus(held, -number, pods[name].step)
        found |= {name: number} if number else {}
    return found | _shared({name: n for name, n in home.items() if name not in marked}, pods, held)


def _shared(home: Mapping[str, int], pods: Mapping[str, PodShape], held: NodeState) -> dict[str, int]:
    """Pods by workload that add up to ``held``, the total of the workload pods on the closed nodes. [pods]"""
    if held.pods == sum(home.values()):  # every node of the slot is closed
        return {name: number for name, number in home.items() if number}
    wanted = {VPC: held.vpc_pods, BRANCH: held.branch_pods}
    found: dict[str, int] = {}
    for kind in dict.fromkeys(pods[name].kind for name in home):
        names = [name for name, number in home.items() if number and pods[name].kind == kind]
        number = wanted.get(kind, held.pods - held.vpc_pods - held.branch_pods)
        if names and number:
            found |= zip(names, weighted_shares(number, [home[name] for name in names]), strict=True)
    _exchange(found, home, pods, held)
    return {name: number for name, number in found.items() if number}


def _exchange(found: dict[str, int], home: Mapping[str, int], pods: Mapping[str, PodShape], held: NodeState) -> None:
    """Exchange pods of one workload for as many of another if that makes their total requests correct."""
    sums: dict[NodeState, int] = {}
    for name, number in found.items():
        step = pods[name].step
        sums[step] = sums.get(step, 0) + number
    lack = list(held)
    for step, number in sums.items():
        lack = [left - number * each for left, each in zip(lack, step, strict=True)]
    by_step = {pods[name].step: name for name in found}
    if not any(lack) or len(by_step) > MOST_PAIRS:
        return
    for out, into in permutations(by_step, 2):
        if pods[by_step[out]].kind != pods[by_step[into]].kind:
            continue
        change = [b - a for a, b in zip(out, into, strict=True)]
        times = next((x // c for x, c in zip(lack, change, strict=True) if c), 0)
        if times > 0 and [times * c for c in change] == lack:
            _move(
                found,
                home,
                [n for n in found if pods[n].step == out],
                [n for n in found if pods[n].step == into],
                times,
            )
            return


def _move(found: dict[str, int], home: Mapping[str, int], out: Sequence[str], into: Sequence[str], times: int) -> None:
    """Move a number of pods from some workloads to others, as far as they have any."""
    room = [home[name] - found[name] for name in into]
    times = min(times, sum(room), sum(found[name] for name in out))
    for name, number in zip(out, weighted_shares(times, [found[n] for n in out]) if times else (), strict=False):
        found[name] -= number
    for name, number in zip(into, weighted_shares(times, room) if times else (), strict=False):
        found[name] += number
