"""What stands in the figures: bars as high as the results, lines through their points, words beside colours."""

from __future__ import annotations

import warnings
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from capacity.advice.warm import warm_for_plan
from capacity.charts.cost_frontier import plot_frontier
from capacity.charts.files import inline_svg, png_bytes, svg_text
from capacity.charts.forecast import plot_forecast, plot_forecasts
from capacity.charts.nodes import plot_limits, plot_modes, plot_price_per_pod
from capacity.charts.packed_nodes import plot_packed_nodes
from capacity.charts.subnets import FREE, MOST_SUBNETS, STATES, plot_blocks, plot_headroom, plot_subnet_states
from capacity.charts.theme import DARK, LIGHT, THEMES, label, subnet_colors
from capacity.charts.trade import plot_warm_tradeoff, warm_choices
from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods
from capacity.errors import SpecError
from capacity.node.limit_words import limit_words
from capacity.vpc.block_map import packed_blocks
from tests.charts import samples


def bars(figure: Any) -> dict[str, list[float]]:
    """Lengths of the bars by their label in the legend."""
    return {c.get_label(): [round(p.get_width(), 6) for p in c] for c in figure.axes[0].containers}


def words(figure: Any) -> list[str]:
    return [t.get_text() for t in figure.axes[0].texts]


def legend(figure: Any) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def test_limits_are_the_shares_of_the_offers() -> None:
    offers = samples.offers()
    figure: Any = plot_limits(offers)
    shares: dict[str, list[float]] = {}
    for container in figure.axes[0].containers:
        shares.setdefault(container.get_label(), []).append(round(container[0].get_width(), 6))
    cpu = [100 * (o.pods or 0) / (o.fits["cpu"] or 1) for o in offers]
    assert shares["CPU"] == pytest.approx(cpu)
    assert shares["CPU"][0] == 100  # m5.large: 1930 // 250 = 7 pods bind
    assert [w for w in words(figure) if ": limit" in w] == ["7 pods: limit", "15 pods: limit", "27 pods: limit"]
    assert "27 of 31" in words(figure)  # c6i.2xlarge: memory binds, CPU has room
    assert figure.axes[0].get_xlabel() == "share of the limit that a full node uses"


def test_limits_that_are_unknown_are_not_drawn() -> None:
    first = samples.offers()[0]
    unknown = replace(first, instance_type="x", fits=first.fits | {"ips": None}, binding=None)
    figure: Any = plot_limits([unknown])
    assert "pod addresses" not in [c.get_label() for c in figure.axes[0].containers]
    none = replace(first, fits=dict.fromkeys(first.fits), binding=None, pods=None)
    assert words(plot_limits([none])).count("not requested or unknown") == 1


def test_prices_are_sorted_and_unpriced_types_named() -> None:
    offers = [*samples.offers(), replace(samples.offers()[0], instance_type="z9.huge", usd_per_pod_month=None)]
    figure: Any = plot_price_per_pod(offers)
    lengths = next(iter(bars(figure).values()))
    assert lengths == sorted(o.usd_per_pod_month or 0 for o in offers[:-1])
    assert next(t.get_text() for t in figure.axes[0].get_yticklabels()) == "c6i.2xlarge"
    assert "no price: z9.huge" in words(figure)
    with pytest.raises(SpecError, match="no price per pod is known"):
        plot_price_per_pod(offers[-1:])


def test_modes_stand_side_by_side() -> None:
    found = bars(plot_modes(samples.mode_rows()))
    assert found["secondary IPs"] == [29, 58, 58]
    assert found["secondary IPs, custom networking"] == [20, 44, 44]  # (3 - 1) * 9 + 2
    assert found["prefixes"] == [110, 110, 110]


def test_the_bottleneck_map_draws_each_cell() -> None:
    from capacity.charts.bottleneck import plot_bottleneck_map
    from tests.unit.node.test_shape_map import small_map

    found = small_map()
    figure: Any = plot_bottleneck_map(found)
    mesh = figure.axes[0].collections[0]
    assert mesh.get_array().ravel().tolist() == found.binding.ravel().tolist()
    assert set(legend(figure)) == {f"limited by {limit_words(found.limits[i])}" for i in np.unique(found.binding)}


def test_subnet_bars_add_up_to_what_is_used_and_free() -> None:
    peak = samples.result().scenarios[1]
    figure: Any = plot_subnet_states(peak)
    found = bars(figure)
    order = sorted(peak.subnets, key=lambda s: s.free / s.subnet.usable)
    for row, state in enumerate(order):
        usable = state.subnet.usable
        assert found["warm, held for pods"][row] == pytest.approx(100 * state.used["warm"] / usable)
        total = sum(lengths[row] for lengths in found.values())
        assert total == pytest.approx(max(100, 100 * state.used_total / usable))
        assert found[FREE][row] == pytest.approx(max(state.free, 0) / usable * 100)
    assert f"{-order[0].free} short, exhausted" in words(figure)
    assert f"{order[0].used['warm']}" in words(figure)  # long enough for its number


def test_every_holder_has_a_place_in_the_bars() -> None:
    from capacity.vpc.ledger import HOLDERS

    assert sorted(h for _, holders, _ in STATES for h in holders) == sorted(HOLDERS)


def test_many_subnets_are_cut_and_the_title_says_so() -> None:
    peak = samples.result().scenarios[1]
    many = [replace(peak.subnets[0], subnet=replace(peak.subnets[0].subnet, name=f"s{i}")) for i in range(200)]
    figure: Any = plot_subnet_states(replace(peak, subnets=tuple(many)))
    assert {len(lengths) for lengths in bars(figure).values()} == {MOST_SUBNETS}
    assert figure.axes[0].get_title(loc="left").endswith("the 16 fullest of 200 subnets")


def test_headroom_lines_and_the_point_of_exhaustion() -> None:
    curve = headroom_by_nodes(samples.result(), "general")
    figure: Any = plot_headroom(curve)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    place = curve.subnets.index("private-b")
    assert lines["private-b"].get_xdata() == pytest.approx(curve.counts)
    assert lines["private-b"].get_ydata() == pytest.approx(curve.free[place])
    assert curve.exhausted_at[place] == 20
    assert "private-b\nis full at 20" in words(figure)
    assert not figure.legends  # each line has its name at its end, in its color
    ends = {t.get_text(): t.get_color() for t in figure.axes[0].texts if t.get_text() in curve.subnets}
    assert ends == {name: lines[name].get_color() for name in curve.subnets}


def test_a_subnet_has_one_color_in_every_chart() -> None:
    curves = [headroom_by_nodes(samples.result(), "batch"), headroom_by_pods(samples.result())]
    order = ("private-c", "private-b", "private-a")
    figures: list[Any] = [plot_headroom(curve, order=order) for curve in curves]
    found = [{line.get_label(): line.get_color() for line in f.axes[0].lines} for f in figures]
    fan: Any = plot_forecasts([samples.forecast()], order=order)
    assert {c["private-b"] for c in found} == {LIGHT.subnets[1]} == {fan.axes[0].lines[0].get_color()}
    assert subnet_colors(["x"], [f"s{i}" for i in range(40)], LIGHT) == {"x": LIGHT.subnets[-1]}


def test_headroom_by_pods_starts_from_now() -> None:
    curve = headroom_by_pods(samples.result())
    now = 48 + 18 + 12 + 14
    assert curve.now == now
    assert now in curve.counts
    figure: Any = plot_headroom(curve)
    assert f"now {now}" in words(figure)


def test_block_cells_are_the_blocks() -> None:
    blocks = packed_blocks(samples.prefix_result().scenarios[0].subnets[1])
    figure: Any = plot_blocks(blocks)
    cells = figure.axes[0].images[0].get_array()
    assert cells.size == len(blocks.states) == 16  # a /24
    assert any(text.startswith("prefix of a node: ") for text in legend(figure))
    named = sum(int(text.rsplit(" ", 1)[1].replace(",", "")) for text in legend(figure))
    assert named == 16


def test_warm_choices_are_points_with_numbers() -> None:
    figure: Any = plot_warm_tradeoff(samples.choices())
    points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines[1:]}
    assert points == {(900, 20), (300, 2), (400, 5), (1000, 16)}
    front = figure.axes[0].lines[0]
    assert list(front.get_xdata()) == [300, 400, 900]  # 1000 for 16 pods is beaten by 900 for 20
    assert "1  WARM_IP_TARGET=2 MINIMUM_IP_TARGET=10 – 1.9 EC2 calls per pod" in legend(figure)


def test_the_choices_of_a_plan_are_the_present_one_the_recommended_and_some_between() -> None:
    answer = warm_for_plan(samples.result().plan)
    found = warm_choices(answer)
    assert found[0].name == "now: WARM_ENI_TARGET=1"
    assert found[0].addresses_held == answer.current.addresses["peak"]
    assert (
        found[1].name == f"recommended: {answer.recommendation.row.targets.label}" if answer.recommendation else False
    )
    assert 4 <= len(found) <= 6
    assert all(c.name.startswith("prefixes, ") for c in found[2:] if "WARM_PREFIX" in c.name)


def test_the_fan_holds_its_quantiles_and_dates() -> None:
    found = samples.forecast()
    figure: Any = plot_forecast(found)
    assert found.fan is not None
    assert list(figure.axes[0].lines[0].get_ydata()) == list(found.fan.p50)
    assert list(figure.axes[0].lines[1].get_ydata()) == [251, 251]
    assert "full in 10% of simulations by 2026-06-20" in legend(figure)
    assert not any("90 %" in text for text in legend(figure))
    late: Any = plot_forecast(replace(found, date_p50=None))
    assert late.axes[0].get_title(loc="left") == "Forecast of private-b – likely within capacity through 2026-12-24"
    with pytest.raises(SpecError, match="'private-b' has no forecast"):
        plot_forecast(replace(found, fan=None, status="insufficient data"))


def test_small_multiples_share_one_date_axis() -> None:
    first, second = samples.forecast(), replace(samples.forecast(), name="private-a", date_p50=None)
    figure: Any = plot_forecasts([first, second, replace(first, fan=None)], fixed={"private-b": second})
    upper, lower = figure.axes
    assert upper.get_xlim() == lower.get_xlim()
    assert first.fan is not None
    assert list(upper.lines[0].get_ydata()) == pytest.approx(list(100 * first.fan.p50 / 251))
    assert [len(a.lines) for a in (upper, lower)] == [2 + 1 + 2, 1 + 1 + 1]  # median, fix, 100%, dates
    assert [w for w in words(figure) if "P50" in w] == ["P50 2026-09-20"]
    with pytest.raises(SpecError, match="no subnet has a forecast"):
        plot_forecasts([replace(first, fan=None)])


NARROW = replace(LIGHT, narrow=True, titled=False)


@pytest.mark.parametrize("name", ["limits", "subnets", "headroom-nodes", "warm", "packed-nodes", "frontier"])
def test_a_narrow_chart_fits_a_phone_and_needs_no_title(name: str) -> None:
    figure = samples.figures(NARROW)[name]()
    assert figure.get_figwidth() == 3.6
    assert figure.axes[0].get_title(loc="left") == ""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for a in figure.axes for t in a.texts]
    assert boxes
    assert max(box.x1 for box in boxes) <= figure.bbox.x1 + 1


@pytest.mark.parametrize("name", sorted(samples.figures()))
def test_the_label_of_an_axis_is_inside_the_chart(name: str) -> None:
    figure = samples.figures(LIGHT)[name]()
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [a.xaxis.label.get_window_extent(renderer) for a in figure.axes if a.get_xlabel()]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(figure.bbox.y0 <= box.y0 for box in boxes)


@pytest.mark.parametrize("name", sorted(samples.figures()))
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_chart_takes_axes_and_names_its_units(name: str, theme: Any) -> None:
    draw = samples.figures(theme)[name]
    page = Figure()
    left, _ = page.subplots(1, 2)
    assert draw(ax=left) is page
    alone = draw().axes[0]
    assert alone.get_xlabel()
    assert alone.get_title(loc="left")


@pytest.mark.parametrize("name", sorted(samples.figures()))
def test_the_same_figure_gives_the_same_bytes(name: str) -> None:
    first, second = samples.figures()[name](), samples.figures()[name]()
    assert png_bytes(first) == png_bytes(second)
    assert svg_text(first) == svg_text(second)
    assert "<dc:date>" not in svg_text(first)


def test_dark_and_light_differ_in_ground_and_text() -> None:
    dark, light = samples.figures(DARK)["subnets"](), samples.figures(LIGHT)["subnets"]()
    assert png_bytes(dark, DARK) != png_bytes(light, LIGHT)
    assert DARK.ground in svg_text(dark, DARK)


HOSTILE = ["$x^2_{", "<b onload=x>&amp;", "日本語", "🚀 rocket", "\u202eevil", "a\nb", "שלום", "x" * 300]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_can_be_drawn_without_a_warning(name: str) -> None:
    peak = samples.result().scenarios[1]
    named = replace(peak.subnets[0], subnet=replace(peak.subnets[0].subnet, name=name))
    figure: Any = plot_subnet_states(replace(peak, subnets=(named,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png_bytes(figure)
        text = inline_svg(figure, "c1", name)
    assert "<b onload" not in text
    assert "\u202e" not in svg_text(figure)


def test_labels_are_short_and_one_line() -> None:
    assert label("a\nb") == "ab"
    assert label("x" * 300) == "x" * 29 + "…"
    assert label("🚀 r") == "□ r"


def test_an_inline_svg_has_a_name_ids_of_its_own_and_colours_of_the_page() -> None:
    text = inline_svg(samples.figures()["subnets"](), "c7", "Who holds <what>")
    assert text.startswith('<svg viewBox="')
    assert '<title id="c7-title">Who holds &lt;what&gt;</title>' in text
    assert 'id="figure_1"' not in text
    assert 'id="c7-figure_1"' in text
    assert f"var(--chart-text, {LIGHT.text})" in text
    assert "http" not in text


@pytest.mark.parametrize("draw", [plot_limits, plot_modes, plot_price_per_pod, plot_warm_tradeoff])
def test_nothing_to_draw_is_said(draw: Any) -> None:
    with pytest.raises(SpecError, match="nothing to draw"):
        draw([])


def test_block_map_of_a_large_subnet() -> None:
    state = samples.result().scenarios[0].subnets[0]
    large = replace(state, subnet=replace(state.subnet, cidr=IPv4Network("10.0.0.0/16")))
    figure: Any = plot_blocks(packed_blocks(large))
    assert figure.axes[0].images[0].get_array().size == 4096


def test_packed_nodes_are_shares_of_allocatable_and_the_limit_is_marked() -> None:
    nodes = samples.mean_nodes()
    figure: Any = plot_packed_nodes(nodes)
    uses = [u for n in nodes for u in n.uses]
    outlines = [c for c in figure.axes[0].containers if c[0].get_width() == 1]
    assert len(outlines) == len(uses) == len(figure.axes[0].get_yticks())
    drawn = sum(c[0].get_width() for c in figure.axes[0].containers) - len(uses)
    assert drawn == pytest.approx(sum(u.share for u in uses))
    shares = [w for w in words(figure) if "%" in w]
    assert [w.split("%")[0] for w in shares] == [f"{100 * u.share:.0f}" for u in uses]
    limits = [n.binding == u.resource for n in nodes for u in n.uses]
    assert ["◀ limit" in w for w in shares] == limits
    assert sum(limits) == len(nodes)
    first = nodes[0]
    assert next(w for w in words(figure) if ":" in w) == f"{first.group}: {first.nodes} × {first.instance_type}"
    assert legend(figure) == ["DaemonSets", "web", "api", "jobs", "unused"]


def test_workloads_without_a_color_of_their_own_are_drawn_as_one() -> None:
    names = ("x", "données-à-l'étranger", "検索", "a-service-with-a-name-that-is-very-long-indeed", "$y$", "b", "c")
    figure: Any = plot_packed_nodes(samples.mean_nodes(names))
    png_bytes(figure)  # without a warning of a letter that the font does not have
    assert "other workloads" in legend(figure)
    assert len(legend(figure)) == 8


def test_the_frontier_has_a_labelled_point_for_each_purchase() -> None:
    rows = samples.frontier()
    figure: Any = plot_frontier(rows)
    line, *points = figure.axes[0].lines
    assert list(line.get_xdata()) == [rows[i]["usd_per_month"] for i in (0, 2, 3)]  # the second only has fewer nodes
    assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [
        (r["usd_per_month"], r["subnet_addresses"]) for r in rows
    ]
    assert [int(w.split(": ")[1].split()[0]) for w in words(figure)] == [r["nodes"] for r in rows]
    assert ["the answer" in w for w in words(figure)] == [r["bought"] for r in rows]
    assert len({p.get_markerfacecolor() for p in points}) == 2  # the answer is filled
    assert legend(figure) == [f"{i}: {r['mix']}" for i, r in enumerate(rows, 1)]
    assert figure.axes[0].get_xscale() == "log"  # the dearest costs several times the cheapest
    alone: Any = plot_frontier(rows[:1])
    assert alone.axes[0].get_xscale() == "linear"


def test_nothing_to_buy_is_nothing_to_draw() -> None:
    for draw in (plot_frontier, plot_packed_nodes):
        with pytest.raises(SpecError, match="nothing to draw"):
            draw([])
