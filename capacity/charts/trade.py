"""Chart of warm settings: addresses held, pods that start immediately, and EC2 calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.charts.theme import LIGHT, MARKERS, Theme, drawing, label, legend_below, thousands
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


NARROW = 34  # characters of a setting up to which two fit in one row
FRONTIER_CHOICES = 4  # evenly along it


def plot_warm_tradeoff(choices: Sequence[WarmChoice], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw each setting as a numbered point; a line connects those that are best in addresses and instant pods."""
    check_each("choices", choices, WarmChoice, "the choices of warm_choices(...)")
    if not choices:
        raise SpecError("nothing to draw: no warm settings were given")
    rows = sorted(choices, key=lambda c: (c.addresses_held, -c.instant_pods, c.name))
    columns = 2 if len(rows) > 2 and max(len(c.name) for c in rows) < NARROW else 1
    with drawing(ax, theme, 8.0, 4.1 + 0.2 * -(-len(rows) // columns)) as (figure, axes):
        best = [c for i, c in enumerate(rows) if all(c.instant_pods > o.instant_pods for o in rows[:i])]
        axes.plot(
            [c.addresses_held for c in best],
            [c.instant_pods for c in best],
            color=theme.faint,
            linewidth=1,
            drawstyle="steps-post",
            zorder=1,
        )
        spots: dict[tuple[float, float], list[int]] = {}
        for number, choice in enumerate(rows, 1):
            calls = "" if choice.ec2_calls is None else f" – {choice.ec2_calls:,.2g} EC2 calls per pod"
            axes.plot(
                [choice.addresses_held],
                [choice.instant_pods],
                linestyle="none",
                marker=MARKERS[(number - 1) % len(MARKERS)],
                markersize=9,
                color=theme.series[(number - 1) % len(theme.series)],
                markeredgecolor=theme.edge,
                label=f"{number}  {label(choice.name, 70)}{calls}",
                zorder=2,
            )
            spots.setdefault((choice.addresses_held, choice.instant_pods), []).append(number)
        for place, (spot, numbers) in enumerate(spots.items()):
            offset = (-4, 9) if place % 2 else (-4, -17)  # alternately above and below, because neighbors are close
            axes.annotate(
                ", ".join(map(str, numbers)), spot, xytext=offset, textcoords="offset points", fontweight="bold"
            )
        axes.margins(x=0.1, y=0.15)
        axes.set_ylim(bottom=min(0, -0.1 * max(c.instant_pods for c in rows)))
        axes.set_xlabel("IPs held (lower is better)")
        axes.set_ylabel("pods per node that start\nwithout EC2 calls")
        axes.grid()
        thousands(axes.xaxis)
        thousands(axes.yaxis)
        axes.set_title("Warm settings: IPs held and instant pod starts")
        legend_below(axes, columns)
    return figure
