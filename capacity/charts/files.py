"""Save figures as bytes; equal figures give equal bytes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from capacity.charts.theme import LIGHT, Theme, rc
from capacity.errors import check_kind, check_switch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 144
_IDS = re.compile(r'(\bid="|href="#|url\(#)')
_SIZE = re.compile(r'<svg [^>]*viewBox="([^"]+)"[^>]*>')


def _check_figure(value: object) -> None:
    from matplotlib.figure import Figure

    check_kind("figure", value, Figure, "a matplotlib Figure, as returned by plot_limits")


def png_bytes(figure: Figure, theme: Theme = LIGHT) -> bytes:
    """PNG of a figure, without the name of the program."""
    _check_figure(figure)
    from matplotlib import rc_context

    out = io.BytesIO()
    with rc_context(rc(theme)):
        figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def svg_text(figure: Figure, theme: Theme = LIGHT, *, letters: bool = False) -> str:
    """SVG of a figure without a date; ``letters`` keeps text as text, otherwise text is drawn as paths and needs no
    font.
    """
    _check_figure(figure)
    check_switch("letters", letters)
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(rc(theme) | {"svg.fonttype": "none" if letters else "path"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return out.getvalue()


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """``<svg>`` element of a figure for a page, with unique IDs and the colors as variables of the page.

    The colors of the light theme become ``var(--chart-…)``, so that one drawing works in light and dark.
    """
    from html import escape

    text = svg_text(figure, LIGHT, letters=True)
    text = text[text.index("<svg ") :]
    text = _IDS.sub(lambda m: m.group(1) + f"{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    colours = {"ground": LIGHT.ground, "text": LIGHT.text, "faint": LIGHT.faint, "grid": LIGHT.grid, "edge": LIGHT.edge}
    for role, colour in colours.items():
        text = text.replace(colour, f"var(--chart-{role}, {colour})")
    head = f'<svg viewBox="\\1" role="img" aria-labelledby="{name}-title" class="chart"><title id="{name}-title">'
    return _SIZE.sub(head + escape(title).replace("\\", "\\\\") + "</title>", text, count=1)
