"""Linear and mixed-integer programs for HiGHS: built from arrays, one thread, bounded work, silent.

HiGHS prints two lines to file descriptor 1 when the first solver of a process is created, before any option can be
set; they would end up in JSON. Descriptor 1 points elsewhere while that happens.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.extras import named_extras

if TYPE_CHECKING:
    from capacity.optimize.problem import Floats, Ints

_stop: ContextVar[Callable[[], bool] | None] = ContextVar("stop", default=None)


@contextlib.contextmanager
def interruptible(stopped: Callable[[], bool]) -> Iterator[None]:
    """Inside it, the solver asks ``stopped`` while it works, and ends a mixed-integer program with the best solution so
    far.

    The solver's callback into Python also lets Python handle Ctrl-C during a program.
    """
    token = _stop.set(stopped)
    try:
        yield
    finally:
        _stop.reset(token)


INFEASIBLE = "infeasible"
OPTIMAL = "optimal"
LIMIT = "limit"  # a limit of work or time; there may be a solution and a bound


@dataclass(frozen=True, slots=True)
class Solved:
    """A result of the solver.

    Attributes
    ----------
    status : str
        ``optimal``, ``infeasible`` or ``limit``.
    values : array or None
        One value per column; None without a solution.
    cost : float
        Cost of the solution.
    bound : float
        No solution of the program costs less (mixed-integer programs; the cost itself for linear ones).
    duals : array or None
        One dual per row (linear programs).
    """

    status: str
    values: Floats | None
    cost: float
    bound: float
    duals: Floats | None


@dataclass(frozen=True, slots=True)
class Entries:
    """The matrix of a program as triplets."""

    rows: Ints
    columns: Ints
    values: Floats


class Program:
    """Minimize ``costs @ x`` with ``lower ≤ A x ≤ upper`` and ``0 ≤ x ≤ most``."""

    def __init__(
        self, costs: Floats, entries: Entries, lower: Floats, upper: Floats, *, most: Floats, whole: bool = False
    ) -> None:
        self._highs = new_solver()
        core = _core()
        lp = core.HighsLp()
        order = np.lexsort((entries.rows, entries.columns))
        lp.num_col_, lp.num_row_ = len(costs), len(lower)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = costs, np.zeros(len(costs)), most
        lp.row_lower_, lp.row_upper_ = lower, upper
        lp.a_matrix_.format_ = core.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(entries.columns[order], np.arange(len(costs) + 1)).astype(np.int32)
        lp.a_matrix_.index_ = entries.rows[order].astype(np.int32)
        lp.a_matrix_.value_ = entries.values[order].astype(float)
        if whole:
            lp.integrality_ = [core.HighsVarType.kInteger] * len(costs)
        self._whole = whole
        self._highs.passModel(lp)

    def limit(self, *, nodes: int | None = None, gap: float | None = None, seconds: float | None = None) -> None:
        """Limit the work: branch-and-bound nodes, relative gap, and seconds (which are not reproducible)."""
        if nodes is not None:
            self._highs.setOptionValue("mip_max_nodes", nodes)
        if gap is not None:
            self._highs.setOptionValue("mip_rel_gap", gap)
        if seconds is not None:
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(seconds, 0.01))

    def add_column(self, cost: float, rows: Ints, values: Floats) -> None:
        """Add a column."""
        self._highs.addCol(cost, 0.0, _core().kHighsInf, len(rows), rows.astype(np.int32), values)

    def change_costs(self, costs: Floats) -> None:
        """Change the costs of all columns; the basis stays."""
        self._highs.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)

    def change_limits(self, most: Floats, upper: Floats) -> None:
        """Change the upper bounds of the columns and of the rows; the basis stays."""
        columns = np.arange(len(most), dtype=np.int32)
        self._highs.changeColsBounds(len(most), columns, np.zeros(len(most)), most)
        rows = np.arange(len(upper), dtype=np.int32)
        self._highs.changeRowsBounds(len(upper), rows, np.full(len(upper), -_core().kHighsInf), upper)

    def solve(self) -> Solved:
        """Solve, from the last basis if there is one."""
        if self._whole:
            self._ask_to_stop()
        self._highs.run()
        core, highs = _core(), self._highs
        status = highs.getModelStatus()
        info = highs.getInfo()
        if status in (core.HighsModelStatus.kInfeasible, core.HighsModelStatus.kUnboundedOrInfeasible):
            return Solved(INFEASIBLE, None, float("inf"), float("inf"), None)
        solution = highs.getSolution()
        has_solution = info.primal_solution_status == core.SolutionStatus.kSolutionStatusFeasible
        values = np.array(solution.col_value) if has_solution else None
        cost = info.objective_function_value if has_solution else float("inf")
        bound = info.mip_dual_bound if self._whole else cost
        duals = None if self._whole else np.array(solution.row_dual)
        return Solved(OPTIMAL if status == core.HighsModelStatus.kOptimal else LIMIT, values, cost, bound, duals)

    def _ask_to_stop(self) -> None:
        stopped = _stop.get()
        if stopped is None:
            return

        def ask(_kind: object, _message: str, _out: object, into: Any, _data: object) -> None:
            if stopped():
                into.user_interrupt = True

        self._highs.setCallback(ask, None)
        self._highs.startCallback(_core().cb.HighsCallbackType.kCallbackMipInterrupt)


def new_solver() -> Any:
    """A silent HiGHS with one thread; equal input gives an equal result."""
    highspy = _core()
    with _descriptor_1_elsewhere():
        highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)  # noqa: FBT003 (the library's)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 0)
    return highs


@cache
def _core() -> Any:
    with named_extras():
        import highspy
    return highspy


_banner_printed = False


@contextlib.contextmanager
def _descriptor_1_elsewhere() -> Iterator[None]:
    global _banner_printed
    if _banner_printed:
        yield
        return
    with contextlib.suppress(ValueError, OSError):  # a closed stdout has nothing to flush
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # descriptor 1 is closed: nothing can be printed to it
        yield
        _banner_printed = True
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
    _banner_printed = True
