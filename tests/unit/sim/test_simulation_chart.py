"""The chart of a simulation shows its samples, its waiting pods and the subnets that run out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capacity.charts import plot_simulation
from capacity.plan.parse import read_plan
from capacity.sim import SimulationInputs, simulate

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


def test_it_shows_the_timeline() -> None:
    result = simulate(read_plan(EXAMPLE), "peak", SimulationInputs(seconds=900))
    figure: Any = plot_simulation(result)
    axes = figure.axes[0]
    (waiting,) = [line for line in axes.lines if line.get_label() == "pods that wait"]
    assert list(waiting.get_ydata()) == [s.waiting for s in result.timeline]
    assert axes.get_xlabel() == "minutes since the start"
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["with a pod", "cooling", "warm", "pods that wait", "private-b runs out"]
    top = max(s.total for s in result.timeline)
    assert axes.collections[2].get_paths()[0].vertices[:, 1].max() == top
