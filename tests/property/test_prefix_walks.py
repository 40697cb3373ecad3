"""The table of prefixes held with WARM_PREFIX_TARGET of 2 and more: bounds, rules, and walks made apart from it."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.pool import prefixes_by_chance, prefixes_by_prefix_target
from capacity.cni.prefix_walks import NAME, WALKS, _row, walked_prefixes
from tests.property.ipamd_steps import Eni, Node
from tools.build_prefix_walks import DATA, MOST, SLOTS, TARGETS, row

ROWS = [(k, target) for k, most in SLOTS.items() for target in TARGETS if target < most]


class Random(Node):
    """A node whose pods go where a walk of small maps of Go (8 entries at most) comes first."""

    def add_pod_by_walk(self, rng: random.Random) -> None:
        for eni in self._from_a_random_slot(self.enis, rng):
            for place in self._from_a_random_slot(list(range(len(eni.slots))), rng):
                if eni.slots[place] < self.unit:
                    eni.slots[place] += 1
                    return

    @staticmethod
    def _from_a_random_slot(entries: list, rng: random.Random) -> list:  # type: ignore[type-arg]
        """The entries of a map in one walk: slots 0 to 7 in a ring from any of them, some of them empty."""
        start = rng.randrange(8)
        ring = [(start + i) % 8 for i in range(8)]
        return [entries[slot] for slot in ring if slot < len(entries)]


@pytest.mark.parametrize(("target", "pods"), [(2, 20), (3, 20), (3, 60), (6, 40), (4, 120)])
def test_walks_of_the_step_model_hold_as_much(target: int, pods: int) -> None:
    rng, walks, k = random.Random(target * pods), 600, 5
    held = []
    for _ in range(walks):
        model = Random(k, 4, False, True, 1, 0, 0, target, 10_000, [Eni()])
        model.settle_up()
        for _ in range(pods):
            model.add_pod_by_walk(rng)
            model.settle_up()
        held.append(model.total // 16)
    tabled = _row(k, target)[-(-pods // 16)] / WALKS
    assert np.mean(held) == pytest.approx(tabled, abs=max(4 * np.std(held) / walks**0.5, 0.01))


@pytest.mark.parametrize(("k", "target"), ROWS)
def test_a_row_lies_between_the_packed_figure_and_the_most(k: int, target: int) -> None:
    means = _row(k, target)
    assert len(means) == 1 + SLOTS[k] - target
    assert means[0] == WALKS * target
    assert all(a <= b for a, b in pairwise(means))
    for sixteens, mean in enumerate(means):
        most = 2 * target - 1 + sixteens if sixteens else target
        assert target + sixteens <= mean / WALKS <= most


def test_every_type_finds_its_row() -> None:
    known = [t for t in load_catalog() if t.prefixes_possible is not False]
    sizes = {(t.ipv4_per_eni - 1, t.max_enis) for t in known if t.ipv4_per_eni is not None and t.max_enis is not None}
    for k, enis in sizes:
        # One prefix to an ENI, two ENIs: always full.
        assert (k == 1 and enis == 2) or SLOTS[k] >= min(k * enis, MOST), (k, enis)


@pytest.mark.parametrize(("k", "target"), [(5, 2), (9, 3), (14, 12)])
def test_the_script_makes_the_rows_that_are_there(k: int, target: int) -> None:
    text = (DATA / NAME).read_text(encoding="utf-8")
    assert f"\n{row(k, target, SLOTS[k])}\n" in text


def test_outside_the_table() -> None:
    last = MOST - 6
    assert walked_prefixes(6, last + 10, k=49) == walked_prefixes(6, last, k=49) + 10
    assert walked_prefixes(3, 4, k=12) == walked_prefixes(3, 4, k=14)
    assert walked_prefixes(3, 4, k=100) == walked_prefixes(3, 4, k=63)
    assert [walked_prefixes(MOST, n, k=63) for n in (0, 1, 9)] == [MOST, 2 * MOST, 2 * MOST + 8]


def test_arrays_are_as_each_alone() -> None:
    pods, sizes = np.arange(0, 300)[None, :], np.array([[3], [9], [49]])
    many = prefixes_by_chance(pods, sizes, 5, 250, serving=4)
    for row_of, k in enumerate((3, 9, 49)):
        assert many[row_of].tolist() == [prefixes_by_chance(n, k, 5, 250, serving=4) for n in range(300)]


@pytest.mark.parametrize("max_pods", [29, 58, 110, 250, 737])
@pytest.mark.parametrize("k", [3, 9, 14, 49])
@pytest.mark.parametrize("target", [2, 3, 6, 15, 40])
def test_never_fewer_than_packed_and_never_fewer_with_more_pods(target: int, k: int, max_pods: int) -> None:
    pods = np.arange(max_pods + 1)
    held = prefixes_by_chance(pods, k, target, max_pods, serving=4)
    assert (held >= prefixes_by_prefix_target(pods, k, target, max_pods, serving=4)).all()
    assert (np.diff(held) >= 0).all()
    assert (held <= 4 * k).all()


def test_max_pods_stop_the_growth_one_step_beyond() -> None:
    """ipamd's own code at rest, m5.xlarge with 110 max pods: 7.5 prefixes in the mean with 49 pods and more."""
    assert [prefixes_by_chance(n, 14, 3, 110, 4) for n in (0, 1, 17, 33, 49, 65, 110)] == [3, 4, 7, 7, 8, 8, 8]
    # A target that max pods stop at once: 7 prefixes for 110 pods, asked for in one go.
    assert [prefixes_by_chance(n, 14, 9, 110, 4) for n in (0, 1, 110)] == [9, 9, 9]
