"""Draw results with matplotlib: functions take results and return a Figure, and compute nothing.

    node groups  plot_limits, plot_price_per_pod, plot_modes, plot_bottleneck_map
    subnets      plot_subnet_states, plot_headroom, plot_blocks
    choices      plot_warm_tradeoff with WarmChoice, warm_choices
    to buy       plot_packed_nodes, plot_frontier
    time         plot_forecast, plot_forecasts, plot_simulation
    files        png_bytes, svg_text; themes LIGHT and DARK

Every ``plot_*`` accepts ``ax=`` to draw into existing Axes, and ``theme=``. The first drawing loads matplotlib.
"""

from capacity.charts.bottleneck import plot_bottleneck_map
from capacity.charts.cost_frontier import plot_frontier
from capacity.charts.files import png_bytes, svg_text
from capacity.charts.forecast import plot_forecast, plot_forecasts
from capacity.charts.nodes import plot_limits, plot_modes, plot_price_per_pod
from capacity.charts.packed_nodes import plot_packed_nodes
from capacity.charts.simulation import plot_simulation
from capacity.charts.subnets import plot_blocks, plot_headroom, plot_subnet_states
from capacity.charts.theme import DARK, LIGHT, Theme
from capacity.charts.trade import WarmChoice, plot_warm_tradeoff, warm_choices

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "WarmChoice",
    "plot_blocks",
    "plot_bottleneck_map",
    "plot_forecast",
    "plot_forecasts",
    "plot_frontier",
    "plot_headroom",
    "plot_limits",
    "plot_modes",
    "plot_packed_nodes",
    "plot_price_per_pod",
    "plot_simulation",
    "plot_subnet_states",
    "plot_warm_tradeoff",
    "png_bytes",
    "svg_text",
    "warm_choices",
]
