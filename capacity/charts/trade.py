"""Chart of warm settings: addresses held, pods that start immediately, and EC2 calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, MARKERS, Margins, Theme, key_below, label, sheet, thousands, title
from capacity.errors import SpecError, check_each, check_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.advice.warm import WarmAnswer


@dataclass(frozen=True, slots=True)
class WarmChoice:
    """Figures of one warm setting.

    Attributes
    ----------
    name : str
        ``WARM_IP_TARGET=2``.
    addresses_held : float
        Subnet addresses held by all settled nodes. [addresses]
    instant_pods : float
        Pods that a node can start without an EC2 call. [pods]
    ec2_calls : float or None
        Calls for one pod that starts and one that stops; None if not known. [calls]
    """

    name: str
    addresses_held: float
    instant_pods: float
    ec2_calls: float | None = None


def warm_choices(answer: WarmAnswer) -> list[WarmChoice]:
    """Settings of ``capacity warm`` to draw: the current one, the recommended one, and some of the frontier.

    Addresses are those of the last population (``peak`` of a plan), pods the mean over the nodes, calls those of a
    pod that starts and stops.
    """
    from capacity.advice.warm import WarmAnswer

    check_kind("answer", answer, WarmAnswer, "a WarmAnswer, as returned by warm_for_plan")
    best = answer.recommendation.row.targets if answer.recommendation else None
    own = (best, answer.current.targets)
    sound = sorted(
        (r for r in answer.rows if r.frontier and not r.flaws and r.targets not in own), key=lambda r: r.costs
    )
    step = max(-(-len(sound) // FRONTIER_CHOICES), 1)
    chosen = [(answer.current, "now: "), *((r, "") for r in sound[::step])]
    if answer.recommendation and best != answer.current.targets:
        chosen.insert(1, (answer.recommendation.row, "recommended: "))
    seen: dict[str, WarmChoice] = {}
    for row, word in chosen:
        name = ("prefixes, " if row.targets.prefix else "") + row.targets.label
        seen.setdefault(name, WarmChoice(word + name, float(row.costs[0]), row.instant_mean, row.calls_per_pod))
    return list(seen.values())


FRONTIER_CHOICES = 4  # evenly along it


def plot_warm_tradeoff(choices: Sequence[WarmChoice], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw each setting as a numbered point; a line connects those that are best in addresses and instant pods."""
    check_each("choices", choices, WarmChoice, "the choices of warm_choices(...)")
    if not choices:
        raise SpecError("nothing to draw: no warm settings were given")
    rows = sorted(choices, key=lambda c: (c.addresses_held, -c.instant_pods, c.name))
    margins = Margins(left=0.62, right=0.15, bottom=0.5 + (0.33 if theme.narrow else 0.17) * len(rows))
    with sheet(ax, theme, 2.3 + margins.bottom, margins) as (figure, (axes,)):
        best = [c for i, c in enumerate(rows) if all(c.instant_pods > o.instant_pods for o in rows[:i])]
        line: dict[str, Any] = {"color": theme.faint, "linewidth": 1, "drawstyle": "steps-post", "zorder": 1}
        axes.plot([c.addresses_held for c in best], [c.instant_pods for c in best], **line)
        spots: dict[tuple[float, float], list[int]] = {}
        for number, choice in enumerate(rows, 1):
            chosen = choice.name.startswith(("now: ", "recommended: "))
            axes.plot(
                [choice.addresses_held],
                [choice.instant_pods],
                linestyle="none",
                marker=MARKERS[(number - 1) % len(MARKERS)],
                markersize=8,
                color=theme.text if chosen else theme.grid,
                markeredgecolor=theme.edge,
                label=f"{number}  {_named(choice, theme)}",
                zorder=2,
            )
            spots.setdefault((choice.addresses_held, choice.instant_pods), []).append(number)
        for place, (spot, numbers) in enumerate(spots.items()):
            offset = (-4, 8) if place % 2 else (-4, -16)  # alternately above and below, because neighbors are close
            text = ", ".join(map(str, numbers))
            axes.annotate(text, spot, xytext=offset, textcoords="offset points", fontweight="bold")
        axes.margins(x=0.1, y=0.2)
        axes.set_ylim(bottom=min(0, -0.1 * max(c.instant_pods for c in rows)))
        axes.set_xlabel("IPs held (lower is better)")
        axes.set_ylabel("pods per node that start\nwithout EC2 calls")
        axes.grid()
        thousands(axes.xaxis)
        thousands(axes.yaxis)
        title(axes, theme, "Warm settings: IPs held and instant pod starts")
        key_below(axes, 1)
    return figure


def _named(choice: WarmChoice, theme: Theme) -> str:
    """The setting and its calls, in two lines if the chart is narrow."""
    calls = "" if choice.ec2_calls is None else f"{choice.ec2_calls:,.2g} EC2 calls per pod"
    if theme.narrow:
        return f"{label(choice.name, 38)}\n    {calls}"
    return f"{label(choice.name, 70)}{' – ' if calls else ''}{calls}"
