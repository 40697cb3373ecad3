"""Packing pods onto node kinds, worked by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capacity.optimize.aggregate import aggregate
from capacity.optimize.dominance import undominated
from capacity.optimize.fluid import fluid_bound
from capacity.optimize.pack import EFFORTS, Packing, pack
from capacity.optimize.problem import NodeChoice, Pattern, Problem, Shape, check_packing
from capacity.optimize.solver import interruptible

WEB = Shape("web", (250, 512, 1), 8)
SMALL = NodeChoice("small", (1000, 4096, 29), 0.10)
LARGE = NodeChoice("large", (2000, 8192, 58), 0.19)


def test_eight_quarter_core_pods_need_two_cores() -> None:
    packing = pack(Problem((WEB,), (SMALL, LARGE)), EFFORTS["normal"])
    assert packing.patterns == (Pattern(1, (8,), 1),)
    assert (packing.cost, packing.bound) == (0.19, 0.19)


def test_a_dearer_kind_with_no_more_room_is_never_needed() -> None:
    dear = SMALL._replace(name="dear", price=0.11)
    assert undominated(Problem((WEB,), (dear, SMALL))).numbers == (1,)


def test_of_equal_kinds_the_first_is_kept_and_the_other_named() -> None:
    twin = SMALL._replace(name="twin")
    assert undominated(Problem((WEB,), (SMALL, twin))) == ((0,), {0: ("twin",)})


def test_cut_pods_cost_their_share_of_a_node() -> None:
    assert fluid_bound(Problem((WEB._replace(replicas=1),), (SMALL,))).cost == pytest.approx(0.1 / 4)


def test_anti_affinity_needs_a_node_for_each_pod() -> None:
    packing = pack(Problem((WEB._replace(per_node=1),), (SMALL, LARGE)), EFFORTS["normal"])
    assert packing.patterns == (Pattern(0, (1,), 8),)


def test_no_pods_need_no_nodes() -> None:
    assert pack(Problem((WEB._replace(replicas=0),), (SMALL,)), EFFORTS["normal"]) == Packing((), 0.0, 0.0)


def test_ten_million_replicas_are_packed_as_quickly_as_ten() -> None:
    problem = Problem((WEB._replace(replicas=10_000_001),), (SMALL,))
    packing = pack(problem, EFFORTS["normal"])
    check_packing(problem, packing.patterns)
    assert sum(p.nodes for p in packing.patterns) == 2_500_001


@pytest.mark.parametrize("kinds", [(), (NodeChoice("tiny", (200, 4096, 29), 0.1),)])
def test_a_pod_larger_than_any_node_is_refused(kinds: tuple[NodeChoice, ...]) -> None:
    with pytest.raises(ValueError, match="fits no kind"):
        pack(Problem((WEB,), kinds), EFFORTS["normal"])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (Pattern(0, (5,), 1), "1250 of resource 0"),
        (Pattern(0, (4,), 1), "4 pods placed of 8"),
        (Pattern(0, (4,), 3), "12 pods placed of 8"),
    ],
)
def test_a_packing_that_breaks_a_rule_is_found_out(pattern: Pattern, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_packing(Problem((WEB,), (SMALL,)), [pattern])


LUMPY = tuple(  # few large pods: what an exact program does not prove quickly
    Shape(f"s{i}", (1300 + 977 * i, 1500 + 2311 * ((5 * i) % 9), 1), 7) for i in range(9)
)
KINDS = tuple(NodeChoice(f"k{n}", (1930 * n, 3300 * n + 700, 29 * n), 0.1 * n - 0.0007 * n * n) for n in range(3, 14))


def test_a_program_that_is_stopped_gives_the_best_so_far_and_a_bound() -> None:
    problem = Problem(LUMPY, KINDS)
    asked = []

    def after_three() -> bool:
        asked.append(1)
        return len(asked) > 3

    whole = aggregate(problem, limit=100)
    with interruptible(after_three):
        cut = aggregate(problem, limit=100)
    assert len(asked) > 3
    assert not cut.proven
    assert cut.bound <= whole.bound + 1e-9


@pytest.mark.parametrize("counts", [1, 9])
def test_a_packing_that_is_stopped_at_once_holds_every_pod(counts: int) -> None:
    problem = Problem(LUMPY[:counts], KINDS)
    with interruptible(lambda: True):
        cut = pack(problem, EFFORTS["normal"], lambda: True)
    check_packing(problem, cut.patterns)
    assert 0 < cut.bound <= cut.cost
    assert cut.bound <= pack(problem, EFFORTS["normal"]).cost + 1e-9


def test_the_solver_prints_nothing_to_standard_output() -> None:
    code = "from capacity.optimize.solver import new_solver; new_solver(); new_solver(); print('answer')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "answer\n"


def test_the_solver_works_with_standard_output_closed() -> None:
    code = "import os; os.close(1); from capacity.optimize.solver import new_solver; new_solver()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
