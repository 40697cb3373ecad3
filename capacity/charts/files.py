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
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
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
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    with rc_context(rc(theme) | {"svg.fonttype": "none" if letters else "path"}):
        # Not savefig: it draws everything twice.
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        FigureCanvasSVG(figure).print_svg(out, metadata=metadata)  # type: ignore[no-untyped-call]
    return out.getvalue()


def inline_svg(figure: Figure, name: str, title: str, words: str = "", *, kind: str = "chart") -> str:
    """``<svg>`` element of a figure for a page, with unique IDs and the colors as variables of the page.

    The colors of the light theme become ``var(--chart-…)``, so that one drawing works in light and dark.
    """
    from html import escape

    text = svg_text(figure, LIGHT, letters=True)
    text = text[text.index("<svg ") :]
    text = _IDS.sub(lambda m: m.group(1) + f"{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    roles = {color: role for role, color in LIGHT.roles().items()}
    text = _COLOR.sub(lambda m: f"var(--chart-{roles[m[0]]}, {m[0]})" if m[0] in roles else m[0], text)
    told = f'<desc id="{name}-desc">{escape(words)}</desc>' if words else ""
    by = f"{name}-title {name}-desc" if words else f"{name}-title"
    head = f'<svg viewBox="{{}}" role="img" aria-labelledby="{by}" class="{kind}">'
    head += f'<title id="{name}-title">{escape(title)}</title>{told}'
    return _SIZE.sub(lambda m: head.replace("{}", m[1], 1), text, count=1)


def color_variables(theme: Theme) -> str:
    """The declarations of the variables that :func:`inline_svg` uses: ``--chart-text: #1b1b1e; …``."""
    return " ".join(f"--chart-{role}: {color};" for role, color in theme.roles().items())
