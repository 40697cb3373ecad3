"""Every chart against its picture; `CAPACITY_WRITE_GOLDEN=1` writes them anew, to be looked at before the commit."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

from capacity.charts.forecast import plot_forecasts
from capacity.charts.theme import LIGHT, THEMES
from tests.charts import samples

PICTURES = Path(__file__).parents[1] / "golden" / "charts"
DPI = 45  # small files: what is compared is where things stand, not how letters look
TOLERANCE = 6.0  # root mean square of the difference, 0 to 255; a bar of another length gives more


@pytest.mark.parametrize("name", sorted(samples.figures()))
def test_the_chart_looks_as_it_did(name: str, tmp_path: Path) -> None:
    theme = THEMES["dark"] if name == "subnets" else LIGHT
    drawn = tmp_path / f"{name}.png"
    samples.figures(theme)[name]().savefig(drawn, dpi=DPI, metadata={"Software": None})
    golden = PICTURES / f"{name}.png"
    if os.environ.get("CAPACITY_WRITE_GOLDEN"):
        golden.write_bytes(drawn.read_bytes())
    assert compare_images(str(golden), str(drawn), tol=TOLERANCE) is None


@pytest.mark.parametrize("name", ["forecasts", "forecasts-narrow"])
def test_small_multiples_look_as_they_did(name: str, tmp_path: Path) -> None:
    subnets = [samples.forecast(), replace(samples.forecast(), name="private-a", usable=507, date_p50=None)]
    theme = replace(LIGHT, narrow=name.endswith("narrow"), titled=False)
    drawn = tmp_path / f"{name}.png"
    figure = plot_forecasts(subnets, fixed={"private-b": subnets[1]}, theme=theme)
    figure.savefig(drawn, dpi=DPI, metadata={"Software": None})
    golden = PICTURES / f"{name}.png"
    if os.environ.get("CAPACITY_WRITE_GOLDEN"):
        golden.write_bytes(drawn.read_bytes())
    assert compare_images(str(golden), str(drawn), tol=TOLERANCE) is None


def test_the_comparison_sees_another_chart(tmp_path: Path) -> None:
    drawn = tmp_path / "other.png"
    figure = samples.figures()["headroom-nodes"]()
    figure.axes[0].lines[0].set_visible(False)
    figure.axes[0].set_ylim(0, 1000)
    figure.savefig(drawn, dpi=DPI)
    assert compare_images(str(PICTURES / "headroom-nodes.png"), str(drawn), tol=TOLERANCE) is not None
