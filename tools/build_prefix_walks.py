#!/usr/bin/env python3
"""Make ``data/prefix_walks.csv``: how many prefixes a node holds with WARM_PREFIX_TARGET of 2 and more.

    python tools/build_prefix_walks.py             # some minutes; the same bytes every time
    python tools/build_prefix_walks.py --check     # a few rows only, exit 1 where one would change
    python tools/build_catalog.py                  # afterwards: it keeps the checksums

From a target of 2 on the figure depends on which prefixes the pods are in, and that is chance: the VPC CNI walks
maps of Go, whose order is random. So each row is made of 10,000 walks of a node to which pods come one by one, the
pool settled after each, by the CNI's rules and in the order in which Go walks its maps.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L968-1009 (one step grows one ENI), L2647-2655 (low: fewer
than 16 × target addresses free), L2714-2731 (request: max(1, target − wholly free prefixes));
pkg/ipamd/datastore/data_store.go L782-860 (an address for a pod). Go 1.24 and later, internal/runtime/maps/table.go:
up to 8 entries lie in the order in which they came, more in groups of 8 by hash, filled to 7/8 at most; a walk starts
at a random slot and goes round.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

DATA = Path(__file__).resolve().parent.parent / "data"
NAME = "prefix_walks.csv"
HEADER = "slots_per_eni,warm_prefix,prefixes_of_all_walks"
WALKS = 10_000
SEED = 20_261_130
PREFIX = 16  # addresses of a /28
GROUP = 8  # slots of a group of Go's maps
MOST = 48  # prefixes: 768 pods, above the 737 of 15 ENIs with 50 addresses
TARGETS = range(2, MOST)
SLOTS = {2: 8, 3: 12, 4: 16, 5: 20, 9: 36, 11: 44, 14: MOST, 19: MOST, 29: MOST, 39: MOST, 49: MOST, 63: MOST}
"""Prefixes per ENI of the types there are, and up to how many prefixes a node with such ENIs is followed."""


class Walks:
    """Nodes that grow side by side: ``pods[w, e, s]`` of node w, ENI e, slot s of its map; -1: no prefix there."""

    def __init__(self, k: int, target: int, most: int, rng: np.random.Generator) -> None:
        self.k, self.target, self.rng = k, target, rng
        enis = -(-most // k)  # a step never adds beyond one ENI
        widest = GROUP
        while k > (widest if widest == GROUP else widest * 7 // 8):
            widest *= 2
        self.pods = np.full((WALKS, enis, widest), -1, dtype=np.int8)
        self.prefixes = np.zeros((WALKS, enis), dtype=np.int64)
        self.slots = np.full((WALKS, enis), GROUP, dtype=np.int64)
        self.room = np.zeros((WALKS, enis), dtype=np.int64)  # free addresses
        self.last = np.zeros(WALKS, dtype=np.int64)  # the ENI that grows
        self.assigned = 0
        every = np.arange(WALKS)
        for _ in range(target):
            self._grow_by_one(every)

    @property
    def held(self) -> Ints:
        """Prefixes of each node."""
        held: Ints = self.prefixes.sum(axis=1)
        return held

    def another_pod(self) -> None:
        """One pod more on every node, and the pool settled."""
        every = np.arange(WALKS)
        eni = self._eni_with_room()
        self.pods[every, eni, self._prefix_with_room(eni)] += 1
        self.room[every, eni] -= 1
        self.assigned += 1
        self._settle()

    def _settle(self) -> None:
        """One step is always enough: it adds 16 addresses or more where one was missing."""
        low = np.flatnonzero(PREFIX * self.held - self.assigned < PREFIX * self.target)
        if not low.size:
            return
        free = (self.pods[low] == 0).sum(axis=(1, 2))
        room = self.k - self.prefixes[low, self.last[low]]
        room[room == 0] = self.k
        request = np.minimum(np.maximum(self.target - free, 1), room)
        for i in range(int(request.max())):
            self._grow_by_one(low[request > i])

    def _grow_by_one(self, walks: Ints) -> None:
        """One prefix more on the last ENI of these nodes, or on a new one where it is full."""
        full = walks[self.prefixes[walks, self.last[walks]] == self.k]
        self.last[full] += 1
        enis = self.last[walks]
        count, slots = self.prefixes[walks, enis], self.slots[walks, enis]
        crowded = np.where(slots == GROUP, count == GROUP, count == slots * 7 // 8)
        self._double(walks[crowded], enis[crowded])
        self._put(walks, enis, np.zeros(len(walks), dtype=np.int8))
        self.prefixes[walks, enis] += 1
        self.room[walks, enis] += PREFIX

    def _double(self, walks: Ints, enis: Ints) -> None:
        """Maps that are full get twice the slots, and every entry a place anew."""
        if not walks.size:
            return
        old = self.pods[walks, enis]
        self.pods[walks, enis] = -1
        self.slots[walks, enis] *= 2
        for slot in range(old.shape[1]):
            there = old[:, slot] >= 0
            self._put(walks[there], enis[there], old[there, slot])

    def _put(self, walks: Ints, enis: Ints, pods: npt.NDArray[np.int8]) -> None:
        """An entry into the first empty slot of the group that its hash says, else of the next groups."""
        groups = self.slots[walks, enis] // GROUP
        group, step = self.rng.integers(0, 1 << 30, len(walks)) & (groups - 1), 0
        left = np.arange(len(walks))
        while left.size:
            w, e = walks[left], enis[left]
            slots = group[left][:, None] * GROUP + np.arange(GROUP)
            empty = self.pods[w[:, None], e[:, None], slots] < 0
            fits = empty.any(axis=1)
            self.pods[w[fits], e[fits], slots[fits, empty[fits].argmax(axis=1)]] = pods[left[fits]]
            left, step = left[~fits], step + 1
            group[left] = (group[left] + step) & (groups[left] - 1)

    def _eni_with_room(self) -> Ints:
        """The ENI that a walk of their map comes to first of those with room: 8 at most, in the order they came."""
        eni = self.rng.integers(0, GROUP, WALKS)
        left, enis = np.arange(WALKS), self.room.shape[1]
        while left.size:
            there = (eni[left] < enis) & (self.room[left, np.minimum(eni[left], enis - 1)] > 0)
            left = left[~there]
            eni[left] = (eni[left] + 1) % GROUP
        return eni

    def _prefix_with_room(self, eni: Ints) -> Ints:
        """The slot that a walk of the ENI's map comes to first of those with room."""
        left = np.arange(WALKS)
        mask = self.slots[left, eni] - 1
        slot = self.rng.integers(0, 1 << 30, WALKS) & mask
        while left.size:
            pods = self.pods[left, eni[left], slot[left]]
            left = left[(pods < 0) | (pods == PREFIX)]
            slot[left] = (slot[left] + 1) & mask[left]
        return slot


def row(k: int, target: int, most: int) -> str:
    """Prefixes of all walks together, with 1, 17, 33, … pods, as long as target and sixteens are ``most`` at most.

    Growth comes only there: a node of N prefixes is low with 16 × (N − target) + 1 pods.
    """
    walks = Walks(k, target, most, np.random.default_rng([SEED, k, target]))
    sums = []
    for _ in range(most - target):
        walks.another_pod()
        sums.append(int(walks.held.sum()))
        for _ in range(PREFIX - 1):
            walks.another_pod()
    return f"{k},{target},{' '.join(map(str, sums))}"


def rows(only_some: bool = False) -> Iterator[str]:
    for k, most in SLOTS.items():
        for target in TARGETS:
            if target < most and (not only_some or (k, target) in {(5, 2), (9, 3), (14, 12)}):
                yield row(k, target, most)


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 0 written or as it was, 1 ``--check`` found a difference."""
    parser = argparse.ArgumentParser(description="Rebuild data/prefix_walks.csv from seeded walks.")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder")
    parser.add_argument("--check", action="store_true", help="write nothing: make some rows and compare them")
    options = parser.parse_args(arguments)
    place = options.data / NAME
    if options.check:
        there = set(place.read_text(encoding="utf-8").splitlines())
        return 0 if there.issuperset(rows(only_some=True)) else 1
    place.write_text("\n".join([HEADER, *rows()]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
